//! Lines of output as `logs` and an attached `up` show them: docker compose's prefix, a colour a service.

use anstyle::{AnsiColor, Style};
use indexmap::IndexMap;
use unicode_width::UnicodeWidthStr;

use crate::engine::{Line, Origin};

/// The colours, in turn.
const COLOURS: [AnsiColor; 12] = [
    AnsiColor::Cyan,
    AnsiColor::Yellow,
    AnsiColor::Green,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::BrightCyan,
    AnsiColor::BrightYellow,
    AnsiColor::BrightGreen,
    AnsiColor::BrightMagenta,
    AnsiColor::BrightBlue,
    AnsiColor::BrightRed,
    AnsiColor::BrightWhite,
];

/// What a line of output is shown with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Without the name in front.
    pub no_prefix: bool,
    /// With the time in front.
    pub timestamps: bool,
    /// Without colours.
    pub no_color: bool,
}

/// Writes lines; remembers who has which colour, and how wide the names are.
#[derive(Debug)]
pub struct Printer {
    project: String,
    look: Look,
    styles: IndexMap<String, Style>,
    width: usize,
}

impl Printer {
    /// A printer for the containers of a project.
    pub fn new(project: &str, look: Look) -> Self {
        Self { project: format!("{project}-"), look, styles: IndexMap::new(), width: 0 }
    }

    /// Makes room for a name, so that the column does not move when it first writes.
    pub fn expect(&mut self, container: &str) {
        let name = self.short(container).to_owned();
        self.width = self.width.max(name.width());
        self.style(&name);
    }

    /// `web-1  | text`.
    pub fn line(&mut self, line: &Line) -> String {
        let time = if self.look.timestamps { format!("{} ", line.time) } else { String::new() };
        format!("{}{time}{}", self.prefix(&line.origin), line.text)
    }

    /// `web-1 exited with code 0`.
    pub fn ended(&mut self, origin: &Origin, code: i64, again: bool) -> String {
        self.expect(&origin.name);
        let name = self.short(&origin.name);
        format!("{name} exited with code {code}{}", if again { " (restarting)" } else { "" })
    }

    fn prefix(&mut self, origin: &Origin) -> String {
        if self.look.no_prefix {
            return String::new();
        }
        self.expect(&origin.name);
        let name = self.short(&origin.name).to_owned();
        let style = self.style(&name);
        let pad = " ".repeat(self.width - name.width());
        format!("{style}{name}{pad}  | {style:#}")
    }

    /// A container's name without the project's.
    fn short<'a>(&self, container: &'a str) -> &'a str {
        container.strip_prefix(self.project.as_str()).unwrap_or(container)
    }

    fn style(&mut self, name: &str) -> Style {
        if self.look.no_color {
            return Style::new();
        }
        let next = COLOURS[self.styles.len() % COLOURS.len()].on_default();
        *self.styles.entry(name.to_owned()).or_insert(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Channel;

    fn line(name: &str, text: &str) -> Line {
        let origin = Origin { id: name.into(), name: name.into(), service: String::new(), number: None };
        Line { origin, channel: Channel::Output, time: "T".into(), text: text.into() }
    }

    #[test]
    fn names_stand_in_one_column_without_the_project() {
        let mut printer = Printer::new("lab", Look { no_color: true, ..Look::default() });
        printer.expect("lab-database-1");
        assert_eq!(printer.line(&line("lab-web-1", "hi")), "web-1       | hi");
        assert_eq!(printer.line(&line("own_name", "hi")), "own_name    | hi");
        assert_eq!(printer.ended(&line("lab-web-1", "").origin, 3, false), "web-1 exited with code 3");
    }

    #[test]
    fn each_name_keeps_its_colour() {
        let mut printer = Printer::new("lab", Look { timestamps: true, ..Look::default() });
        let (first, second) = (printer.line(&line("lab-a", "x")), printer.line(&line("lab-b", "x")));
        assert!(first.starts_with("\u{1b}[36ma") && second.starts_with("\u{1b}[33mb"), "{first:?} {second:?}");
        assert!(first.ends_with("T x"));
        assert_eq!(printer.line(&line("lab-a", "x")), first);
    }
}
