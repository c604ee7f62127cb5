//! SVG, placed by a layout library and drawn by us: one picture without a request to anywhere, in light and dark, that says in signs
//! what it says in colours.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use layout::core::base::Orientation;
use layout::core::format::{ClipHandle, RenderBackend};
use layout::core::geometry::{Point, Position};
use layout::core::style::{LineStyleKind, StyleAttr};
use layout::std_shapes::shapes::{Arrow, Element, LineEndKind, ShapeKind};
use layout::topo::layout::VisualGraph;

use super::{Drawing, Edge, Kind, Means, Node};
use crate::report::markup::escaped;
use crate::report::verification::Outcome;

/// Sizes of what is written in a box, in pixels: a character's width, a line's height, the air around it.
const CHARACTER: f64 = 7.8;
const LINE: f64 = 17.0;
const AIR: f64 = 14.0;
/// The same for the labels of lines.
const LABEL_CHARACTER: f64 = 6.2;
const LABEL_LINE: f64 = 14.0;
/// Between a label and its neighbours.
const BETWEEN: f64 = 12.0;
/// What tells a label from a name on the canvas: a size of type.
const LABEL: usize = 11;
/// A longer text is cut: names may be as long as their author likes.
const LONGEST: usize = 40;

/// What the colours are; `.p`, `.r`, `.u` are proved, refuted, unproved. The page of `verify --format html` has them, too.
pub const STYLE: &str = include_str!("svg.css");

/// Boxes and lines that are placed. The library's time grows faster than their number: 50 services take a second unoptimized.
const MOST: usize = 300;

/// The drawing as a picture of its own. None where it is too large, or the layout library does not find its way.
pub fn svg(drawing: &Drawing) -> Option<String> {
    let (inside, size) = placed(drawing)?;
    let title = escaped(&drawing.title);
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"stack\" role=\"img\" aria-label=\"{title}\" viewBox=\"0 0 {:.0} {:.0}\" \
         width=\"{:.0}\" height=\"{:.0}\">\n<title>{title}</title>\n<style>{STYLE}</style>\n{inside}</svg>\n",
        size.x, size.y, size.x, size.y
    ))
}

/// Lines first, so that boxes stand over them.
fn placed(drawing: &Drawing) -> Option<(String, Point)> {
    if drawing.nodes.len() + drawing.edges.len() > MOST {
        return None;
    }
    let mut canvas = Canvas { lines: String::new(), boxes: String::new(), size: Point::new(40.0, 40.0) };
    // the library asserts what it believes about its graphs; a picture that cannot be drawn must not end a report
    let done = catch_unwind(AssertUnwindSafe(|| graph(drawing).do_it(false, false, false, &mut canvas)));
    done.ok()?;
    Some((format!("{}{}", canvas.lines, canvas.boxes), canvas.size))
}

fn graph(drawing: &Drawing) -> VisualGraph {
    let mut graph = VisualGraph::new(Orientation::LeftToRight);
    let handles: Vec<_> = drawing.nodes.iter().map(|node| graph.add_node(element(node))).collect();
    let handle = |id: &str| drawing.nodes.iter().position(|node| node.id == id).map(|at| handles[at]);
    let mut joined = BTreeSet::new();
    for edge in drawing.edges.iter().filter(|edge| edge.from != edge.to) {
        let (Some(from), Some(to)) = (handle(&edge.from), handle(&edge.to)) else { continue };
        let label = label(edge);
        // a second line between two boxes would be the first one again to the library: it goes by a place of its own, as labels do
        if joined.insert((&edge.from, &edge.to)) && label.is_empty() {
            graph.add_edge(arrow(edge, head(edge.means)), from, to);
            continue;
        }
        let middle = graph.add_node(note(&label));
        graph.add_edge(arrow(edge, LineEndKind::None), from, middle);
        graph.add_edge(arrow(edge, head(edge.means)), middle, to);
    }
    graph
}

/// The label of a line: a box of its own, that nobody sees.
fn note(text: &str) -> Element {
    let mut note = Element::create_with_properties(
        ShapeKind::new_box(text),
        look(LABEL),
        Orientation::LeftToRight,
        size(text.lines(), LABEL_CHARACTER, LABEL_LINE),
        "note",
    );
    note.pos = Position::new(Point::zero(), note.pos.size(false), Point::zero(), Point::splat(BETWEEN));
    note
}

/// What so many lines take.
fn size<'a>(lines: impl Iterator<Item = &'a str>, character: f64, line: f64) -> Point {
    let (count, widest) = lines.fold((0, 0), |(count, widest), text| (count + 1, text.chars().count().max(widest)));
    Point::new(f64::from(u32::try_from(widest).unwrap_or(0)) * character + AIR, f64::from(count) * line + AIR)
}

fn element(node: &Node) -> Element {
    let lines: Vec<String> = std::iter::once(marked(&node.lines[..1], node.verdict))
        .chain(node.lines[1..].iter().map(|line| cut(line)))
        .collect();
    let size = size(lines.iter().map(String::as_str), CHARACTER, LINE);
    let kind = match node.kind {
        Kind::Service => "service",
        Kind::Network => "network",
        Kind::Surroundings => "around",
    };
    let shape = ShapeKind::new_box(&lines.join("\n"));
    let class = format!("{kind}{}", class_of(node.verdict));
    Element::create_with_properties(shape, look(14), Orientation::LeftToRight, size, class)
}

fn arrow(edge: &Edge, end: LineEndKind) -> Arrow {
    let kind = match edge.means {
        Means::Attached | Means::Parent => "wire",
        Means::Published => "port",
        Means::Link => "link",
        Means::Waits => "wait",
    };
    let class = format!("{kind}{}", class_of(edge.verdict));
    Arrow::with_properties(LineEndKind::None, end, LineStyleKind::Normal, "", &look(LABEL), class, &None, &None)
}

fn head(means: Means) -> LineEndKind {
    match means {
        Means::Attached | Means::Parent => LineEndKind::None,
        Means::Published | Means::Link | Means::Waits => LineEndKind::Arrow,
    }
}

fn look(font_size: usize) -> StyleAttr {
    StyleAttr { font_size, ..StyleAttr::simple() }
}

/// The label of a line, its verdict's sign in front.
fn label(edge: &Edge) -> String {
    marked(&edge.lines, edge.verdict)
}

fn marked(lines: &[String], verdict: Option<Outcome>) -> String {
    let sign = match verdict {
        Some(Outcome::Proved) => "✓ ",
        Some(Outcome::Refuted) => "✗ ",
        Some(Outcome::Unproved) => "? ",
        None => "",
    };
    let text = lines.iter().map(|line| cut(line)).collect::<Vec<_>>().join("\n");
    format!("{sign}{text}").trim_end().to_owned()
}

fn cut(line: &str) -> String {
    match line.chars().count() > LONGEST {
        true => line.chars().take(LONGEST - 1).chain(['…']).collect(),
        false => line.to_owned(),
    }
}

fn class_of(verdict: Option<Outcome>) -> &'static str {
    match verdict {
        Some(Outcome::Proved) => " p",
        Some(Outcome::Refuted) => " r",
        Some(Outcome::Unproved) => " u",
        None => "",
    }
}

/// What the library draws on: it says where, we say how.
struct Canvas {
    lines: String,
    boxes: String,
    size: Point,
}

impl Canvas {
    fn grow(&mut self, x: f64, y: f64) {
        self.size = Point::new(self.size.x.max(x + 20.0), self.size.y.max(y + 20.0));
    }
}

impl RenderBackend for Canvas {
    fn draw_rect(&mut self, xy: Point, size: Point, _: &StyleAttr, class: Option<String>, _: Option<ClipHandle>) {
        self.grow(xy.x + size.x, xy.y + size.y);
        let class = class.unwrap_or_default();
        let round = if class.starts_with("network") { size.y / 2.0 } else { 8.0 };
        self.boxes.push_str(&format!(
            "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"{round:.1}\"/>\n",
            xy.x, xy.y, size.x, size.y
        ));
    }

    fn draw_line(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    fn draw_circle(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    fn draw_text(&mut self, middle: Point, text: &str, look: &StyleAttr) {
        let lines: Vec<&str> = text.lines().collect();
        let (class, height) = if look.font_size == LABEL { ("label", LABEL_LINE) } else { ("name", LINE) };
        let top = middle.y - (lines.len() as f64 - 1.0) * height / 2.0;
        for (number, line) in lines.iter().enumerate() {
            let (y, strong) = (top + number as f64 * height, if number == 0 { " first" } else { "" });
            self.grow(middle.x + line.chars().count() as f64 * CHARACTER / 2.0, y);
            let (x, line) = (middle.x, escaped(line));
            self.boxes.push_str(&format!("<text class=\"{class}{strong}\" x=\"{x:.1}\" y=\"{y:.1}\">{line}</text>\n"));
        }
    }

    fn draw_arrow(
        &mut self,
        path: &[(Point, Point)],
        _: bool,
        head: (bool, bool),
        _: &StyleAttr,
        class: Option<String>,
        _: &str,
    ) {
        let [first, second, rest @ ..] = path else { return };
        let pair = |(a, b): &(Point, Point)| format!("{:.1} {:.1}, {:.1} {:.1}", a.x, a.y, b.x, b.y);
        let start =
            format!("M {:.1} {:.1} C {:.1} {:.1}, {}", first.0.x, first.0.y, first.1.x, first.1.y, pair(second));
        let curve = rest.iter().fold(start, |curve, point| format!("{curve} S {}", pair(point)));
        path.iter().for_each(|(a, b)| {
            self.grow(a.x, a.y);
            self.grow(b.x, b.y);
        });
        self.lines.push_str(&format!("<path class=\"{}\" d=\"{curve}\"/>\n", class.unwrap_or_default()));
        if let Some((control, tip)) = path.last().filter(|_| head.1) {
            self.lines.push_str(&tip_of(*control, *tip));
        }
        if head.0 {
            self.lines.push_str(&tip_of(first.1, first.0));
        }
    }

    fn create_clip(&mut self, _: Point, _: Point, _: usize) -> ClipHandle {
        0
    }
}

/// The head of an arrow that comes from `control`.
fn tip_of(control: Point, tip: Point) -> String {
    let (dx, dy) = (tip.x - control.x, tip.y - control.y);
    let length = dx.hypot(dy).max(0.1);
    let (ux, uy) = (dx / length, dy / length);
    let back = |side: f64| (tip.x - 9.0 * ux + side * uy, tip.y - 9.0 * uy - side * ux);
    let ((ax, ay), (bx, by)) = (back(4.0), back(-4.0));
    format!("<path class=\"head\" d=\"M {:.1} {:.1} L {ax:.1} {ay:.1} L {bx:.1} {by:.1} Z\"/>\n", tip.x, tip.y)
}
