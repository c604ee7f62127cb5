//! Drawing: where each pane stands at this size, and what stands in it.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear, Paragraph};
use unicode_width::UnicodeWidthStr;

use super::model::{Action, Extent, Model, Overlay, Pane};
pub use super::pages::Palette;
use super::pages::{self, counts};
use super::text::cut;

/// From so many columns and rows on the output stands beside the rest.
const WIDE: (u16, u16) = (100, 20);
/// The rows that output and verdicts need to be of use, titles among them.
const LEAST: u16 = 5;

/// Draws everything. How many lines each pane has, and room for.
pub fn draw(model: &Model, frame: &mut Frame<'_>, palette: Palette) -> [Extent; 4] {
    let status = status(model, palette);
    let lines = if status.is_some() { 2 } else { 1 };
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(lines)]).areas(frame.area());
    frame.render_widget(head_line(model, head.width, palette), head);
    let extents = panes(model, frame, body, palette);
    let [above, keys] = Layout::vertical([Constraint::Length(lines - 1), Constraint::Length(1)]).areas(foot);
    status.into_iter().for_each(|status| frame.render_widget(status, above));
    frame.render_widget(keys_line(keys.width, palette), keys);
    if let Some((title, lines)) = pages::overlay(model, usize::from(body.width.saturating_sub(4)), palette) {
        lay_over(frame, body, &title, lines);
    }
    extents
}

/// `bowline  shop on Engine 28.5.2, from compose.yaml        ✓ 22 proved`.
fn head_line(model: &Model, width: u16, palette: Palette) -> Line<'static> {
    let right = match (&model.lost, &model.verdicts.last) {
        (Some(_), _) => vec![Span::styled("no Engine", palette.paint(Color::Red).add_modifier(Modifier::BOLD))],
        (None, Some((report, _))) => counts(&report.summary, palette),
        (None, None) => vec![],
    };
    let under_way = model.verdicts.under_way && model.lost.is_none();
    let right = if under_way { vec![Span::styled("proving …", palette.paint(Color::Cyan))] } else { right };
    let taken: usize = right.iter().map(Span::width).sum();
    let head = &model.head;
    let room = usize::from(width).saturating_sub(taken + 3);
    let project = cut(&head.project, room);
    let about = cut(&format!(" on Engine {}, {}", head.engine, head.from), room.saturating_sub(project.width()));
    let pad = usize::from(width).saturating_sub(taken + 2 + project.width() + about.width());
    let mut spans = vec![
        Span::styled(format!(" {project}"), palette.paint(Color::Cyan).add_modifier(Modifier::BOLD)),
        Span::styled(about + &" ".repeat(pad), palette.dim()),
    ];
    spans.extend(right);
    Line::from(spans)
}

/// What is under way, what is asked, what the last action came to; none where there is nothing to say.
fn status(model: &Model, palette: Palette) -> Option<Line<'static>> {
    let (text, style) = match (&model.overlay, &model.lost, &model.work, &model.note) {
        (Overlay::Ask(action, service), ..) => {
            let what = service.clone().unwrap_or_else(|| "every service".to_owned());
            (format!("{} {what}? y does it, any other key does not", action.word()), palette.paint(Color::Yellow))
        }
        (_, Some(why), ..) => (why.clone(), palette.paint(Color::Red)),
        (_, _, Some(work), _) => {
            let last = work.words.back().map(|words| words.trim()).unwrap_or_default();
            let word = if work.interrupted { "interrupted" } else { last };
            (format!("{} … {word}", work.what), palette.paint(Color::Cyan))
        }
        (.., Some(note)) => (note.clone(), Style::new()),
        _ => return None,
    };
    Some(Line::styled(format!(" {text}"), style))
}

/// As many of the keys as there is room for, what matters most first; help and leaving always.
fn keys_line(width: u16, palette: Palette) -> Line<'static> {
    let words = [Action::Restart, Action::Stop, Action::Start, Action::Up].map(Action::word);
    let middle = [("r", words[0]), ("v", "verify"), ("s", words[1]), ("t", words[2]), ("u", words[3]), ("Tab", "pane")];
    let ends = [("?", "help"), ("q", "quit")];
    let long = |(key, word): &(&str, &str)| key.width() + word.width() + 3;
    let mut left = usize::from(width).saturating_sub(ends.iter().map(long).sum());
    let fits = |key: &&(&str, &str)| {
        let fits = long(key) <= left;
        left = left.saturating_sub(long(key));
        fits
    };
    let shown: Vec<&(&str, &str)> = middle.iter().take_while(fits).chain(&ends).collect();
    let spans = shown.into_iter().flat_map(|(key, word)| {
        [
            Span::styled(format!(" {key}"), Style::new().add_modifier(Modifier::BOLD)),
            Span::styled(format!(" {word} "), palette.dim()),
        ]
    });
    Line::from(spans.collect::<Vec<_>>())
}

/// Beside each other where it is wide, below each other where it is high, else the services and one of the others.
fn panes(model: &Model, frame: &mut Frame<'_>, body: Rect, palette: Palette) -> [Extent; 4] {
    let mut extents = [Extent::default(); 4];
    let mut fill = |frame: &mut Frame<'_>, pane: Pane, area: Rect, title: Line<'static>| {
        extents[pane as usize] = fill(model, frame, pane, area, title, palette);
    };
    let title = |pane| title(model, pane, palette);
    let is_wide = (body.width, body.height) >= WIDE && body.height >= WIDE.1;
    let width = usize::from(if is_wide { body.width * 9 / 20 } else { body.width });
    let rows = |lines: usize| u16::try_from(lines + 1).unwrap_or(u16::MAX);
    let services = rows(pages::services(model, width, palette).len());
    let networks = rows(pages::networks(model, width, palette).len());
    if is_wide {
        let columns = [Constraint::Length(body.width * 9 / 20), Constraint::Length(1), Constraint::Fill(1)];
        let [left, _, right] = Layout::horizontal(columns).areas(body);
        let third = left.height / 3;
        let heights = [services.min(third.max(4)), networks.min(third)].map(Constraint::Length);
        let [top, middle, bottom] = Layout::vertical([heights[0], heights[1], Constraint::Fill(1)]).areas(left);
        fill(frame, Pane::Services, top, title(Pane::Services));
        fill(frame, Pane::Networks, middle, title(Pane::Networks));
        fill(frame, Pane::Verdicts, bottom, title(Pane::Verdicts));
        fill(frame, Pane::Logs, right, title(Pane::Logs));
    } else if services.saturating_add(networks) + 2 * LEAST <= body.height {
        let verdicts = rows(pages::verdicts(model, width, palette).len());
        let left = body.height - services - networks;
        let verdicts = verdicts.min(left / 2);
        let heights = [services, networks, verdicts].map(Constraint::Length);
        let [first, second, third, fourth] =
            Layout::vertical([heights[0], heights[1], heights[2], Constraint::Fill(1)]).areas(body);
        for (pane, area) in Pane::ALL.into_iter().zip([first, second, third, fourth]) {
            fill(frame, pane, area, title(pane));
        }
    } else {
        let heights = [Constraint::Length(services.min(body.height / 2)), Constraint::Fill(1)];
        let [top, bottom] = Layout::vertical(heights).areas(body);
        fill(frame, Pane::Services, top, title(Pane::Services));
        fill(frame, model.shown, bottom, tabs(model, palette));
    }
    extents
}

/// The pane's content below its title; scrolled as the model says.
fn fill(
    model: &Model,
    frame: &mut Frame<'_>,
    pane: Pane,
    area: Rect,
    title: Line<'static>,
    palette: Palette,
) -> Extent {
    let mut block = Block::new().borders(Borders::TOP).border_style(palette.dim()).title(title);
    if let Some(right) = beside_title(model, pane, palette) {
        block = block.title(right.right_aligned());
    }
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let (width, room) = (usize::from(inner.width), usize::from(inner.height));
    let (lines, extent, scroll) = match pane {
        Pane::Logs => {
            let (lines, extent) = pages::logs(model, width, room, palette);
            (lines, extent, 0)
        }
        Pane::Services => {
            let lines = pages::services(model, width, palette);
            let at = model.chosen.as_ref().and_then(|chosen| {
                model.seen.iter().flat_map(|seen| &seen.services).position(|row| row.service == *chosen)
            });
            // the chosen one is always seen
            let scroll = at.map_or(0, |at| (at + 2).saturating_sub(room));
            let extent = Extent { lines: lines.len(), room };
            (lines, extent, scroll)
        }
        Pane::Networks | Pane::Verdicts => {
            let page = if pane == Pane::Networks { pages::networks } else { pages::verdicts };
            let lines = page(model, width, palette);
            let extent = Extent { lines: lines.len(), room };
            let scroll = model.scroll[pane as usize].min(lines.len().saturating_sub(room));
            (lines, extent, scroll)
        }
    };
    let visible: Vec<Line<'static>> = lines.into_iter().skip(scroll).take(room).collect();
    frame.render_widget(Paragraph::new(visible), inner);
    extent
}

/// A pane's title; where the keys go it is marked.
fn title(model: &Model, pane: Pane, palette: Palette) -> Line<'static> {
    let mut style = Style::new().add_modifier(Modifier::BOLD);
    let name = match (&model.chosen, pane) {
        (Some(chosen), Pane::Verdicts | Pane::Logs) => format!("{} of {chosen}", pane.title()),
        _ => pane.title().to_owned(),
    };
    if model.focus == pane {
        style = style.patch(palette.paint(Color::Cyan));
        return Line::styled(format!("▸ {name} "), style);
    }
    Line::styled(format!("─ {name} "), style)
}

/// The three panes of which one is shown.
fn tabs(model: &Model, palette: Palette) -> Line<'static> {
    let mut spans = vec![Span::raw(if model.focus == Pane::Services { "─ " } else { "▸ " })];
    for pane in [Pane::Networks, Pane::Verdicts, Pane::Logs] {
        let style = match pane == model.shown {
            true => palette.paint(Color::Cyan).add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            false => palette.dim(),
        };
        spans.push(Span::styled(pane.title(), style));
        spans.push(Span::raw(" "));
    }
    Line::from(spans)
}

/// What stands at the right end of a pane's title.
fn beside_title(model: &Model, pane: Pane, palette: Palette) -> Option<Line<'static>> {
    let seen = model.seen.as_ref()?;
    let (text, style) = match pane {
        Pane::Services if seen.trouble.is_some() => ("the file is wrong".to_owned(), palette.paint(Color::Red)),
        Pane::Services => match &seen.differences {
            Some(_) if !seen.is_up => ("nothing is up: u".to_owned(), palette.paint(Color::Yellow)),
            Some(differences) if differences.is_empty() => ("as declared".to_owned(), palette.paint(Color::Green)),
            Some(_) => ("differs from its file: u".to_owned(), palette.paint(Color::Yellow)),
            None => return None,
        },
        Pane::Logs if model.scroll[pane as usize] > 0 => {
            (format!("{} below: End", model.scroll[pane as usize]), palette.paint(Color::Yellow))
        }
        _ => return None,
    };
    Some(Line::styled(format!(" {text} "), style))
}

fn lay_over(frame: &mut Frame<'_>, body: Rect, title: &str, lines: Vec<Line<'static>>) {
    let width = lines.iter().map(Line::width).max().unwrap_or_default().max(title.width() + 4) + 3;
    let width = u16::try_from(width).unwrap_or(u16::MAX).min(body.width);
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(body.height);
    let area = Rect { x: body.x + (body.width - width) / 2, y: body.y + (body.height - height) / 2, width, height };
    let block = Block::bordered().title(format!(" {title} ")).title_bottom(" any key closes ");
    let room = usize::from(block.inner(area).height);
    // of more words than fit, the last are what matters
    let skipped = if title == "keys" { 0 } else { lines.len().saturating_sub(room) };
    let visible: Vec<Line<'static>> = lines.into_iter().skip(skipped).collect();
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(visible).block(block), area);
}
