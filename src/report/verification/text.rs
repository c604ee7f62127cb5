//! A verification as a person reads it: the proved counted, the rest in full.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use indexmap::IndexSet;
use unicode_width::UnicodeWidthStr;

use super::{Entry, Outcome, Reason, Report};
use crate::report::findings::Color;
use crate::verify::rule::Rule;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const OPEN: Style = AnsiColor::Yellow.on_default().bold();
const NAME: Style = Style::new().bold();
const QUIET: Style = Style::new().dimmed();
const HELP: Style = AnsiColor::Cyan.on_default();

/// How much is shown of what is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// How many.
    Counts,
    /// Each, with what was seen.
    All,
}

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Colours.
    pub color: Color,
    /// Columns that lines are broken at.
    pub width: usize,
    /// How much is shown.
    pub detail: Detail,
}

/// Writes with a look.
struct Page {
    out: String,
    look: Look,
}

/// The verification.
pub fn text(report: &Report, look: Look) -> String {
    let mut page = Page { out: String::new(), look };
    page.head(report);
    let nothing_there = report.containers == Some(0) && !report.checks.is_empty();
    if nothing_there {
        let help = page.painted(HELP, "help");
        page.line(&format!("no container of {} is there, so that nothing of it could be proved", report.project));
        page.line(&format!(
            "{help}: `bowline up -d` makes the stack; `bowline verify --offline` shows what it promises"
        ));
    }
    if !nothing_there || look.detail == Detail::All {
        for (service, entries) in by_service(report) {
            page.service(&service, &entries);
        }
    }
    page.foot(report);
    page.out
}

/// The checks of each service in order; those of no service come last, under the stack's name.
fn by_service(report: &Report) -> Vec<(String, Vec<&Entry>)> {
    let mut groups: Vec<(String, Vec<&Entry>)> = vec![];
    for entry in &report.checks {
        let name = entry.service.clone().unwrap_or_else(|| "the stack".to_owned());
        match groups.iter_mut().find(|(group, _)| *group == name) {
            Some((_, entries)) => entries.push(entry),
            None => groups.push((name, vec![entry])),
        }
    }
    groups
}

/// So many checks of one service that could not be told for one reason are one line.
const MANY: usize = 3;
/// So many sentences of why are told in such a line.
const MOST_REASONS: usize = 3;

/// What makes checks that could not be told one group: that something does not run, whatever it is; else the very sentence.
fn group(entry: &Entry) -> Option<&str> {
    match entry.reason {
        Some(Reason::NotRunning) => Some(""),
        _ => entry.why.as_deref(),
    }
}

fn shares_its_reason(entry: &Entry, entries: &[&Entry]) -> bool {
    entry.why.is_some() && entries.iter().filter(|e| group(e) == group(entry)).count() >= MANY
}

impl Page {
    fn painted(&self, style: Style, text: &str) -> String {
        match self.look.color {
            Color::Ansi => format!("{style}{text}{style:#}"),
            Color::Plain => text.to_owned(),
        }
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn head(&mut self, report: &Report) {
        let engine = report.engine.as_ref().map(|e| format!(" on Engine {e}")).unwrap_or_default();
        let count = report.summary.checks;
        let took = report.took_ms.map(|ms| format!(" in {:.1} s", ms as f64 / 1000.0)).unwrap_or_default();
        let checks = if count == 1 { "1 check".to_owned() } else { format!("{count} checks") };
        let name = self.painted(NAME, &report.project);
        self.line(&format!("{name}{engine}: {checks}{took}"));
        self.line("");
    }

    /// One service: a line with counts, then what is not proved, in full.
    fn service(&mut self, name: &str, entries: &[&Entry]) {
        let count = |o: Option<Outcome>| entries.iter().filter(|e| e.verdict == o).count();
        let parts = [
            (count(Some(Outcome::Proved)), GOOD, "proved"),
            (count(Some(Outcome::Refuted)), BAD, "refuted"),
            (count(Some(Outcome::Unproved)), OPEN, "not proved"),
            (count(None), QUIET, "to be asked"),
        ];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(n, ..)| *n > 0)
            .map(|(n, style, word)| self.painted(*style, &format!("{n} {word}")))
            .collect();
        let padded = format!("{name}{}", " ".repeat(14usize.saturating_sub(name.width())));
        let name = self.painted(NAME, &padded);
        self.line(&format!("{name} {}", parts.join(", ")));
        let all = self.look.detail == Detail::All;
        let (many, single): (Vec<&Entry>, Vec<&Entry>) =
            entries.iter().partition(|e| !all && shares_its_reason(e, entries));
        for entry in single.iter().filter(|e| all || e.verdict.is_some_and(|v| v != Outcome::Proved)) {
            self.entry(entry);
        }
        let groups: IndexSet<&str> = many.iter().filter_map(|e| group(e)).collect();
        for name in groups {
            self.untold(many.iter().filter(|e| group(e) == Some(name)).copied().collect());
        }
    }

    /// Checks that could not be told for one reason, in one line.
    fn untold(&mut self, entries: Vec<&Entry>) {
        let whys: IndexSet<&str> = entries.iter().filter_map(|e| e.why.as_deref()).collect();
        let told: Vec<&str> = whys.iter().take(MOST_REASONS).copied().collect();
        let more = match whys.len().saturating_sub(MOST_REASONS) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let sign = self.painted(OPEN, "?");
        let text = format!("{} checks could not be told: {}{more}", entries.len(), told.join("; "));
        self.wrapped(&format!("  {sign} "), 4, &text);
    }

    fn entry(&mut self, entry: &Entry) {
        let (sign, style) = match entry.verdict {
            Some(Outcome::Proved) => ("✓", GOOD),
            Some(Outcome::Refuted) => ("✗", BAD),
            Some(Outcome::Unproved) => ("?", OPEN),
            None => ("·", QUIET),
        };
        let sign = self.painted(style, sign);
        let place = entry.place.as_deref().unwrap_or_default();
        let room = self.look.width.saturating_sub(4 + entry.says.width());
        if room > place.width() + 1 && !place.is_empty() {
            let gap = " ".repeat(room - place.width());
            let place = self.painted(QUIET, place);
            self.line(&format!("  {sign} {}{gap}{place}", entry.says));
        } else {
            self.wrapped(&format!("  {sign} "), 4, &entry.says);
            if !place.is_empty() {
                self.wrapped("      ", 6, place);
            }
        }
        match entry.verdict {
            Some(Outcome::Proved) | None => {
                for line in &entry.evidence {
                    self.field("", QUIET, line);
                }
            }
            Some(Outcome::Refuted) => self.refuted(entry),
            Some(Outcome::Unproved) => {
                self.field("why", QUIET, entry.why.as_deref().unwrap_or_default());
                self.reason(entry);
            }
        }
    }

    fn refuted(&mut self, entry: &Entry) {
        self.field("expected", QUIET, entry.expected.as_deref().unwrap_or_default());
        self.field("found", BAD, entry.found.as_deref().unwrap_or_default());
        for line in &entry.evidence {
            self.field("seen", QUIET, line);
        }
        if let Some(help) = &entry.help {
            self.field("help", HELP, help);
        }
        self.reason(entry);
    }

    /// Why it is a promise, and the name that tests and tickets use.
    fn reason(&mut self, entry: &Entry) {
        let basis = match entry.rule.as_str() {
            "file" => entry.basis.clone(),
            rule => format!("{rule}: {}", entry.basis),
        };
        self.field("promised", QUIET, &format!("{basis} [{}]", entry.id));
    }

    /// A labelled paragraph under a check.
    fn field(&mut self, label: &str, style: Style, text: &str) {
        if label.is_empty() {
            return self.wrapped("      ", 6, text);
        }
        let padded = format!("{label:<9}");
        let label = self.painted(style, &padded);
        self.wrapped(&format!("      {label}"), 15, text);
    }

    /// Text broken at blanks to the page's width; lines after the first are indented.
    fn wrapped(&mut self, first: &str, indent: usize, text: &str) {
        let room = self.look.width.saturating_sub(indent).max(20);
        let mut lines: Vec<String> = vec![String::new()];
        for word in text.split(' ') {
            let last = lines.last_mut().filter(|l| l.is_empty() || l.width() + 1 + word.width() <= room);
            match last {
                Some(line) if line.is_empty() => line.push_str(word),
                Some(line) => {
                    line.push(' ');
                    line.push_str(word);
                }
                None => lines.push(word.to_owned()),
            }
        }
        for (number, line) in lines.iter().enumerate() {
            let lead = if number == 0 { first.to_owned() } else { " ".repeat(indent) };
            self.line(&format!("{lead}{line}"));
        }
    }

    fn foot(&mut self, report: &Report) {
        let blind: Vec<(&String, &String)> =
            report.places.iter().filter(|(_, way)| !matches!(way.as_str(), "direct" | "sidecar")).collect();
        self.line("");
        for (place, why) in blind {
            let note = self.painted(QUIET, "note");
            self.wrapped(&format!("{note}: "), 6, &format!("{place} could not be looked into: {why}"));
        }
        let verdict = self.verdict(report);
        self.line(&verdict);
    }

    /// What it comes to.
    fn verdict(&self, report: &Report) -> String {
        let summary = report.summary;
        match report.outcome {
            Some(Outcome::Proved) => self.painted(GOOD, "all proved"),
            Some(Outcome::Refuted | Outcome::Unproved) => {
                let mut parts = vec![format!("{} proved", summary.proved)];
                if summary.refuted > 0 {
                    parts.push(self.painted(BAD, &format!("{} refuted", summary.refuted)));
                }
                if summary.unproved > 0 {
                    parts.push(self.painted(OPEN, &format!("{} not proved", summary.unproved)));
                }
                parts.join(", ")
            }
            None if summary.checks == 0 => "nothing to prove: the file promises nothing about it".to_owned(),
            None => format!("{} to be asked of an Engine: `bowline verify`", summary.checks),
        }
    }
}

/// What a verification comes to, in colours: `all proved`, or how many of each.
pub fn counts(report: &Report) -> String {
    Page { out: String::new(), look: LINE }.verdict(report)
}

/// The sign of a verdict, in its colour; `·` where there is none.
pub(super) fn sign(verdict: Option<Outcome>) -> String {
    let (sign, style) = match verdict {
        Some(Outcome::Proved) => ("✓", GOOD),
        Some(Outcome::Refuted) => ("✗", BAD),
        Some(Outcome::Unproved) => ("?", OPEN),
        None => ("·", QUIET),
    };
    Page { out: String::new(), look: LINE }.painted(style, sign)
}

/// For what is a line alone.
const LINE: Look = Look { color: Color::Ansi, width: 100, detail: Detail::Counts };

/// Who reaches whom by the file alone, with the rule behind each cell and the rules' sentences.
pub fn matrix_text(report: &Report, look: Look) -> String {
    let mut page = Page { out: String::new(), look };
    let mut names: Vec<&String> = vec![];
    for pair in &report.matrix {
        for name in [&pair.from, &pair.to] {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    // the host stands last, wherever it was named first
    names.sort_by_key(|n| n.as_str() == "host");
    let side = names.iter().map(|n| n.width()).max().unwrap_or(0).max("from \\ to".len());
    let column = |name: &str| name.width().max(6) + 2;
    let mut head = format!("{:<side$}", "from \\ to");
    for name in &names {
        let _ = write!(head, "  {name}{}", " ".repeat(column(name).saturating_sub(name.width() + 2)));
    }
    page.line(&head);
    for from in &names {
        let mut line = format!("{from}{}", " ".repeat(side.saturating_sub(from.width())));
        for to in &names {
            let pair = report.matrix.iter().find(|p| p.from == **from && p.to == **to);
            let (plain, styled) = match pair {
                None => ("·".to_owned(), page.painted(QUIET, "·")),
                Some(pair) => {
                    let (sign, style) = match pair.expected.as_str() {
                        "reach" => ("✓", GOOD),
                        "block" => ("✗", BAD),
                        _ => ("?", OPEN),
                    };
                    (format!("{sign} {}", pair.rule), format!("{} {}", page.painted(style, sign), pair.rule))
                }
            };
            let _ = write!(line, "  {styled}{}", " ".repeat(column(to).saturating_sub(plain.width() + 2)));
        }
        page.line(&line);
    }
    page.line("");
    for rule in Rule::ALL.iter().filter(|r| report.matrix.iter().any(|p| p.rule == r.text())) {
        page.wrapped(&format!("{:<4} ", rule.text()), 5, rule.about());
    }
    page.line("✓ reaches, ✗ does not, ? the file does not say: declare it in `x-verify`");
    page.out
}
