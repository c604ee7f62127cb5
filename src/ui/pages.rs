//! What stands in each pane, as lines of a width.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::model::{Extent, Model, Overlay};
use super::text::{cut, fold};
use crate::report::standing::Mark;
use crate::report::verification::{Entry, Outcome, Summary};

/// Colours, or none where they are not wanted: then signs and words say it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Palette {
    /// The terminal's own sixteen.
    Colours,
    /// Bold and reversed text only.
    Plain,
}

/// The colours of names in front of output, in turn.
const NAMES: [Color; 6] = [Color::Cyan, Color::Yellow, Color::Green, Color::Magenta, Color::Blue, Color::LightRed];

impl Palette {
    /// Text in a colour.
    pub fn paint(self, colour: Color) -> Style {
        match self {
            Self::Colours => Style::new().fg(colour),
            Self::Plain => Style::new(),
        }
    }

    /// What matters less.
    pub fn dim(self) -> Style {
        self.paint(Color::DarkGray)
    }

    fn mark(self, mark: Mark) -> Style {
        self.paint(match mark {
            Mark::Well => Color::Green,
            Mark::Waiting => Color::Yellow,
            Mark::Bad => Color::Red,
        })
    }

    /// A verdict's sign and style.
    pub fn verdict(self, verdict: Option<Outcome>) -> (&'static str, Style) {
        match verdict {
            Some(Outcome::Proved) => ("✓", self.paint(Color::Green)),
            Some(Outcome::Refuted) => ("✗", self.paint(Color::Red).add_modifier(Modifier::BOLD)),
            Some(Outcome::Unproved) => ("?", self.paint(Color::Yellow)),
            None => ("·", self.dim()),
        }
    }
}

/// A row a service, "all" before them; the chosen one is reversed.
pub fn services(model: &Model, width: usize, palette: Palette) -> Vec<Line<'static>> {
    let Some(seen) = &model.seen else { return vec![Line::styled("  looking …", palette.dim())] };
    let widest = |cell: fn(&crate::report::standing::Row) -> &str| {
        seen.services.iter().map(|row| cell(row).width()).max().unwrap_or_default()
    };
    let name_width = widest(|row| &row.service).max(3).min(width / 3);
    let ports_width = widest(|row| &row.ports);
    let beside = width.saturating_sub(4 + name_width + 2);
    // ports stand in a column of their own where every state has room beside them
    let state_width = widest(|row| &row.state);
    let shows_ports = ports_width > 0 && state_width + 2 + 5 <= beside;
    let row = |is_chosen: bool, mark: Span<'static>, name: &str, state: &str, ports: &str| {
        let pointer = if is_chosen { "▸" } else { " " };
        let room = if shows_ports { state_width } else { beside };
        let mut text = format!(" {:name_width$}  {:room$}", cut(name, name_width), cut(state, room));
        if shows_ports {
            text += &format!("  {}", cut(ports, beside.saturating_sub(room + 2)));
        }
        let style = if is_chosen { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() };
        let pad = width.saturating_sub(2 + text.width());
        Line::from(vec![Span::raw(pointer), mark, Span::styled(text + &" ".repeat(pad), style)])
    };
    let all = summary(&seen.services.iter().map(|row| row.mark).collect::<Vec<_>>());
    let mut lines = vec![row(model.chosen.is_none(), Span::raw(" "), "all", &all, "")];
    lines.extend(seen.services.iter().map(|service| {
        let mark = Span::styled(service.mark.sign(), palette.mark(service.mark));
        let is_chosen = model.chosen.as_ref() == Some(&service.service);
        row(is_chosen, mark, &service.service, &service.state, &service.ports)
    }));
    lines
}

/// `3 well, 1 waiting, 1 in trouble`.
fn summary(marks: &[Mark]) -> String {
    let words = [(Mark::Bad, "in trouble"), (Mark::Waiting, "waiting"), (Mark::Well, "well")];
    let count = |wanted: Mark| marks.iter().filter(|mark| **mark == wanted).count();
    let told = words.iter().filter(|(mark, _)| count(*mark) > 0);
    told.map(|(mark, word)| format!("{} {word}", count(*mark))).collect::<Vec<_>>().join(", ")
}

/// Each network with what it is like, and who is on it.
pub fn networks(model: &Model, width: usize, palette: Palette) -> Vec<Line<'static>> {
    let Some(seen) = &model.seen else { return vec![] };
    if seen.networks.is_empty() {
        return vec![Line::styled("  none yet", palette.dim())];
    }
    let mut lines = vec![];
    for network in &seen.networks {
        let name = Span::styled(format!(" {}", network.name), Style::new().add_modifier(Modifier::BOLD));
        let kind = cut(&network.kind, width.saturating_sub(network.name.width() + 3));
        lines.push(Line::from(vec![name, Span::styled(format!("  {kind}"), palette.dim())]));
        let widest = network.members.iter().map(|(name, _)| name.width()).max().unwrap_or_default().min(width / 2);
        for (member, addresses) in &network.members {
            let (member, room) = (cut(member, widest), width.saturating_sub(widest + 5));
            lines.push(Line::raw(format!("   {member:widest$}  {}", cut(addresses, room))));
        }
    }
    lines
}

/// What is refuted and what could not be told, with the reason; what is proved where that is asked for.
pub fn verdicts(model: &Model, width: usize, palette: Palette) -> Vec<Line<'static>> {
    let mut lines = vec![Line::from(verdicts_in_short(model, palette))];
    if let Some(why) = &model.verdicts.failed {
        lines.extend(folded(why, 1, width, palette.paint(Color::Red)));
    }
    if let Some(trouble) = model.seen.as_ref().and_then(|seen| seen.trouble.as_deref()) {
        lines.extend(folded(trouble, 1, width, palette.paint(Color::Red)));
    }
    let differences = model.seen.as_ref().and_then(|seen| seen.differences.as_ref().filter(|_| seen.is_up));
    if let Some(differences) = differences.filter(|differences| !differences.is_empty()) {
        lines.push(Line::styled(" It differs from its file; u mends it:", palette.paint(Color::Yellow)));
        differences.iter().for_each(|difference| lines.extend(folded(difference, 3, width, Style::new())));
    }
    let Some((report, _)) = &model.verdicts.last else { return lines };
    let mut wanted = vec![Outcome::Refuted, Outcome::Unproved];
    wanted.extend(model.verdicts.all.then_some(Outcome::Proved));
    for verdict in wanted {
        let shown = report.checks.iter().filter(|entry| entry.verdict == Some(verdict) && is_shown(model, entry));
        shown.for_each(|entry| lines.extend(entry_lines(entry, width, palette)));
    }
    lines
}

fn is_shown(model: &Model, entry: &Entry) -> bool {
    model.chosen.as_ref().is_none_or(|chosen| entry.service.as_ref() == Some(chosen))
}

/// One line that says how the verdicts stand.
fn verdicts_in_short(model: &Model, palette: Palette) -> Vec<Span<'static>> {
    let mut spans = vec![Span::raw(" ")];
    match &model.verdicts.last {
        None if model.verdicts.under_way => {}
        None => spans.push(Span::styled("nothing is proved yet: v does it", palette.dim())),
        Some((report, at)) => {
            let mut summary = Summary::default();
            report.checks.iter().filter(|entry| is_shown(model, entry)).for_each(|entry| match entry.verdict {
                Some(Outcome::Proved) => summary.proved += 1,
                Some(Outcome::Refuted) => summary.refuted += 1,
                Some(Outcome::Unproved) => summary.unproved += 1,
                None => {}
            });
            spans.extend(counts(&summary, palette));
            let age = if model.verdicts.stale { ", before the last change" } else { "" };
            spans.push(Span::styled(format!(" at {at}{age}"), palette.dim()));
        }
    }
    if model.verdicts.under_way {
        let blank = if spans.len() > 1 { "  " } else { "" };
        spans.push(Span::styled(format!("{blank}proving …"), palette.paint(Color::Cyan)));
    }
    spans
}

/// `✗ 2 refuted, ? 1 not told, ✓ 19 proved`.
pub fn counts(summary: &Summary, palette: Palette) -> Vec<Span<'static>> {
    let kinds = [
        (Outcome::Refuted, summary.refuted, "refuted"),
        (Outcome::Unproved, summary.unproved, "not told"),
        (Outcome::Proved, summary.proved, "proved"),
    ];
    let mut spans: Vec<Span<'static>> = vec![];
    for (outcome, count, word) in kinds.into_iter().filter(|(_, count, _)| *count > 0) {
        if !spans.is_empty() {
            spans.push(Span::raw(", "));
        }
        let (sign, style) = palette.verdict(Some(outcome));
        spans.push(Span::styled(format!("{sign} {count} {word}"), style));
    }
    if spans.is_empty() {
        spans.push(Span::raw("no checks"));
    }
    spans
}

fn entry_lines(entry: &Entry, width: usize, palette: Palette) -> Vec<Line<'static>> {
    let (sign, style) = palette.verdict(entry.verdict);
    let mut lines = vec![];
    for (at, piece) in fold(&entry.says, width.saturating_sub(3)).into_iter().enumerate() {
        let sign = if at == 0 { sign } else { " " };
        lines.push(Line::from(vec![Span::styled(format!(" {sign} "), style), Span::raw(piece)]));
    }
    let told = [("expected", &entry.expected), ("found", &entry.found), ("why", &entry.why), ("help", &entry.help)];
    for (word, text) in told {
        let Some(text) = text else { continue };
        for (at, piece) in fold(text, width.saturating_sub(14)).into_iter().enumerate() {
            let word = if at == 0 { word } else { "" };
            lines.push(Line::from(vec![Span::styled(format!("     {word:8} "), palette.dim()), Span::raw(piece)]));
        }
    }
    if entry.verdict == Some(Outcome::Proved) {
        entry.evidence.iter().for_each(|seen| lines.extend(folded(seen, 5, width, palette.dim())));
    }
    lines
}

fn folded(text: &str, indent: usize, width: usize, style: Style) -> Vec<Line<'static>> {
    let line = |piece| Line::styled(format!("{}{piece}", " ".repeat(indent)), style);
    fold(text, width.saturating_sub(indent)).into_iter().map(line).collect()
}

/// The end of the output, so far back as it is scrolled: as many lines as there is room for, each service in a colour of its own.
pub fn logs(model: &Model, width: usize, room: usize, palette: Palette) -> (Vec<Line<'static>>, Extent) {
    let names: Vec<&str> = model.seen.iter().flat_map(|seen| &seen.services).map(|row| row.service.as_str()).collect();
    let mut shown = model.lines.iter().rev().filter(|line| model.chosen.as_ref().is_none_or(|c| *c == line.service));
    let name_width = model.lines.iter().map(|line| line.name.width()).max().unwrap_or_default().min(width / 4);
    let scroll = model.scroll[super::model::Pane::Logs as usize];
    let mut backwards: Vec<Line<'static>> = vec![];
    while backwards.len() < scroll + room
        && let Some(line) = shown.next()
    {
        let at = names.iter().position(|name| *name == line.service).unwrap_or_default();
        let style = if line.is_remark { palette.dim() } else { palette.paint(NAMES[at % NAMES.len()]) };
        let pieces = fold(&line.text, width.saturating_sub(name_width + 4));
        backwards.extend(pieces.into_iter().enumerate().rev().map(|(at, piece)| {
            let name = if at == 0 { cut(&line.name, name_width) } else { String::new() };
            let text = if line.is_remark { Span::styled(piece, palette.dim()) } else { Span::raw(piece) };
            Line::from(vec![Span::styled(format!(" {name:name_width$} │ "), style), text])
        }));
    }
    let lines = backwards.len() + shown.count();
    // with less than was scrolled over, its beginning is shown
    let scroll = scroll.min(backwards.len().saturating_sub(room));
    let mut seen: Vec<Line<'static>> = backwards.into_iter().skip(scroll).take(room).collect();
    seen.reverse();
    (seen, Extent { lines, room })
}

/// The keys and what they do.
const KEYS: &[(&str, &str)] = &[
    ("↑ ↓ j k", "choose, or scroll"),
    ("Tab 1-4", "the next pane, or that one"),
    ("Enter", "its output, and back"),
    ("Esc", "all services again"),
    ("r", "restart what is chosen"),
    ("s", "stop it"),
    ("t", "start it"),
    ("u", "up: as its file declares"),
    ("v", "verify: prove it again"),
    ("a", "show what is proved, too"),
    ("Ctrl-C", "interrupt, else leave"),
    ("Ctrl-Z", "to the shell; fg returns"),
    ("Ctrl-L", "look and draw again"),
    ("q", "leave; the stack goes on"),
];

/// What lies over the panes: its title and its lines.
pub fn overlay(model: &Model, width: usize, palette: Palette) -> Option<(String, Vec<Line<'static>>)> {
    match &model.overlay {
        Overlay::None | Overlay::Ask(..) => None,
        Overlay::Help => {
            let mut lines = vec![];
            for (keys, what) in KEYS {
                for (at, piece) in fold(what, width.saturating_sub(10)).into_iter().enumerate() {
                    let keys = if at == 0 { *keys } else { "" };
                    let keys = Span::styled(format!(" {keys:8} "), palette.paint(Color::Cyan));
                    lines.push(Line::from(vec![keys, Span::raw(piece)]));
                }
            }
            Some(("keys".to_owned(), lines))
        }
        Overlay::Failed(what, words) => {
            let lines = words.iter().flat_map(|line| folded(line, 1, width, Style::new())).collect();
            Some((what.clone(), lines))
        }
    }
}
