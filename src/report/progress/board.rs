//! One live line a resource.

use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use indexmap::IndexMap;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{skipped, subjects};
use crate::plan::Plan;
use crate::run::{Event, Fate};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const BUSY: Style = AnsiColor::Yellow.on_default();
const TIME: Style = AnsiColor::Blue.on_default();
const SPINNER: [char; 8] = ['⠋', '⠙', '⠹', '⠸', '⠴', '⠦', '⠧', '⠇'];

/// What a terminal shows of a run: fed with events, drawn as often as one likes.
#[derive(Debug, Default)]
pub struct Board {
    lines: IndexMap<String, Line>,
}

#[derive(Debug)]
struct Line {
    mark: Mark,
    word: String,
    note: String,
    since: Instant,
    took: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Busy,
    Good,
    Bad,
    Left,
}

impl Board {
    /// Takes in an event that happened `now`.
    pub fn hear(&mut self, plan: &Plan, event: &Event<'_>, now: Instant) {
        let (Event::Began(step) | Event::Transfer(step, _) | Event::Note(step, _) | Event::Ended(step, _)) = event;
        for subject in subjects(plan, *step) {
            let fresh = || Line { mark: Mark::Busy, word: String::new(), note: String::new(), since: now, took: None };
            let line = self.lines.entry(subject.id).or_insert_with(fresh);
            match event {
                Event::Began(_) => line.begin(subject.doing, now),
                Event::Transfer(_, progress) => line.note = progress.to_string(),
                Event::Note(_, text) => (*text).clone_into(&mut line.note),
                Event::Ended(_, Fate::Done(_)) => line.end(Mark::Good, subject.done.to_owned(), now),
                Event::Ended(_, Fate::Failed(error) | Fate::Tolerated(error)) => {
                    line.end(Mark::Bad, error.message.clone(), now);
                }
                Event::Ended(_, Fate::Skipped { because }) => line.end(Mark::Left, skipped(plan, *because), now),
                Event::Ended(_, Fate::NotReached) if line.word.is_empty() => {
                    line.end(Mark::Left, "Not reached".into(), now)
                }
                Event::Ended(_, Fate::NotReached) => line.end(Mark::Left, "Interrupted".into(), now),
            }
        }
    }

    /// The board as it looks `now`: its head, and as many lines as fit on a screen of so many columns and rows; those that are
    /// busy or broken go before those that are done.
    pub fn draw(&self, now: Instant, columns: usize, rows: usize) -> Vec<String> {
        if self.lines.is_empty() {
            return vec![];
        }
        let done = self.lines.values().filter(|line| line.mark == Mark::Good).count();
        let mut drawn = vec![format!("[+] Running {done}/{}", self.lines.len())];
        let room = rows.saturating_sub(2).max(1);
        let mut surplus = self.lines.len().saturating_sub(room);
        let widest = self.lines.keys().map(|id| id.width()).max().unwrap_or_default();
        for (id, line) in &self.lines {
            if surplus > 0 && line.mark == Mark::Good {
                surplus -= 1;
                continue;
            }
            drawn.push(line.draw(id, widest, now, columns));
        }
        drawn.truncate(room + 1);
        drawn
    }
}

impl Line {
    fn begin(&mut self, word: &str, now: Instant) {
        *self = Self { mark: Mark::Busy, word: word.to_owned(), note: String::new(), since: now, took: None };
    }

    fn end(&mut self, mark: Mark, word: String, now: Instant) {
        (self.mark, self.word, self.took) = (mark, word, Some(now - self.since));
        self.note.clear();
    }

    fn draw(&self, id: &str, widest: usize, now: Instant, columns: usize) -> String {
        let took = self.took.unwrap_or(now - self.since);
        let (mark, style) = match self.mark {
            Mark::Busy => (SPINNER[(took.as_millis() / 100) as usize % SPINNER.len()], BUSY),
            Mark::Good => ('✔', GOOD),
            Mark::Bad => ('✘', BAD),
            Mark::Left => ('-', Style::new()),
        };
        let time = format!("{:.1}s", took.as_secs_f64());
        let note = if self.note.is_empty() { String::new() } else { format!(" ({})", self.note) };
        let pad = " ".repeat(widest - id.width());
        // mark, blanks and time take so many columns of their own
        let room = columns.saturating_sub(widest + time.len() + 7);
        let words = clip(&format!("{}{note}", self.word), room);
        format!(" {style}{mark}{style:#} {id}{pad}  {words}  {TIME}{time}{TIME:#}")
    }
}

/// As much of one line as fits in so many columns.
fn clip(text: &str, columns: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.width() <= columns {
        return line.to_owned();
    }
    let mut width = 0;
    let fits = |character: &char| {
        width += character.width().unwrap_or_default();
        width < columns
    };
    line.chars().take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_clipped_to_the_columns_it_has() {
        assert_eq!(clip("Started", 10), "Started");
        assert_eq!(clip("a long error of the Engine", 10), "a long er…");
        assert_eq!(clip("웹서버가 없다", 5), "웹서…");
        assert_eq!(clip("two\nlines", 10), "two");
    }

    #[test]
    fn a_busy_line_spins_and_a_done_one_tells_its_time() {
        let start = Instant::now();
        let mut line = Line { mark: Mark::Busy, word: String::new(), note: String::new(), since: start, took: None };
        line.begin("Starting", start);
        line.note = "health: starting".into();
        let later = start + Duration::from_millis(250);
        let shown = anstream::adapter::strip_str(&line.draw("Container web-1", 17, later, 80)).to_string();
        assert_eq!(shown, " ⠹ Container web-1    Starting (health: starting)  0.2s");
        line.end(Mark::Good, "Started".into(), later);
        let shown = line.draw("Container web-1", 17, later + Duration::from_secs(9), 80);
        assert_eq!(anstream::adapter::strip_str(&shown).to_string(), " ✔ Container web-1    Started  0.2s");
    }
}
