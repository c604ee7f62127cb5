//! Progress on standard error: a live board in a terminal, plain or JSON lines elsewhere.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::time::Instant;

use bowline::plan::{Operation, Plan};
use bowline::report::progress::{self, Board};
use bowline::run::{Event, Fate, Outcomes};

use super::args::{Ansi, Global, Progress};

/// How progress is shown, and what of it stands on the screen.
pub struct Display {
    mode: Mode,
    /// Whether nothing is said of how far a pull is.
    quiet_pull: bool,
    /// Whether a builder's words are kept back.
    quiet_build: bool,
    screen: RefCell<Screen>,
    /// What plain lines said of steps that were skipped: of one container these may be many, and for one reason.
    skipped: RefCell<BTreeSet<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Live,
    Plain,
    Json,
    Quiet,
}

#[derive(Default)]
struct Screen {
    board: Board,
    /// How many lines of the board stand above the cursor.
    drawn: usize,
}

impl Display {
    /// The display that the options ask for; by default live lines where standard error is a terminal.
    pub fn new(global: &Global) -> Self {
        let mode = match global.progress {
            Progress::Tty => Mode::Live,
            Progress::Plain => Mode::Plain,
            Progress::Json => Mode::Json,
            Progress::Quiet => Mode::Quiet,
            Progress::Auto if global.ansi != Ansi::Never && std::io::stderr().is_terminal() => Mode::Live,
            Progress::Auto => Mode::Plain,
        };
        Self { mode, quiet_pull: false, quiet_build: false, screen: RefCell::default(), skipped: RefCell::default() }
    }

    /// The same, without a word of how far a pull is where that is asked for (`--quiet-pull`).
    pub fn quiet_pull(self, quiet_pull: bool) -> Self {
        Self { quiet_pull, ..self }
    }

    /// The same, without a builder's words where that is asked for (`--quiet-build`). One that fails is told with its last words.
    pub fn quiet_build(self, quiet_build: bool) -> Self {
        Self { quiet_build, ..self }
    }

    /// Whether the screen changes with time.
    pub fn is_live(&self) -> bool {
        self.mode == Mode::Live
    }

    /// Shows an event.
    pub fn hear(&self, plan: &Plan, event: &Event<'_>) {
        let is_builder = |step| matches!(plan.step(step).operation, Operation::Build(_));
        match event {
            Event::Transfer(..) if self.quiet_pull => return,
            Event::Note(step, _) if self.quiet_build && is_builder(*step) => return,
            _ => {}
        }
        let lines = match self.mode {
            Mode::Live => {
                self.screen.borrow_mut().board.hear(plan, event, Instant::now());
                return self.redraw();
            }
            Mode::Plain => {
                let mut lines = progress::plain(plan, event);
                if let Event::Ended(_, Fate::Skipped { .. }) = event {
                    lines.retain(|line| self.skipped.borrow_mut().insert(line.clone()));
                }
                lines
            }
            Mode::Json => progress::json(plan, event),
            Mode::Quiet => return,
        };
        let mut out = anstream::stderr().lock();
        for line in lines {
            let _ = writeln!(out, "{line}");
        }
    }

    /// Says something that is no event; not where a program reads, or nobody does.
    pub fn remark(&self, text: &str) {
        if matches!(self.mode, Mode::Live | Mode::Plain) {
            super::output::remark(text);
        }
    }

    /// Draws the board as it looks now over the one that stands there.
    pub fn redraw(&self) {
        if self.mode != Mode::Live {
            return;
        }
        let screen = &mut *self.screen.borrow_mut();
        let (columns, rows) = size();
        let lines = screen.board.draw(Instant::now(), columns, rows);
        let mut text = erase(screen.drawn);
        for line in &lines {
            text.push_str(line);
            text.push('\n');
        }
        screen.drawn = lines.len();
        let _ = anstream::stderr().lock().write_all(text.as_bytes());
    }

    /// Takes the board off the screen, so that something else can be written; the next [`Display::redraw`] puts it back.
    pub fn clear(&self) {
        let screen = &mut *self.screen.borrow_mut();
        if screen.drawn > 0 {
            let _ = anstream::stderr().lock().write_all(erase(screen.drawn).as_bytes());
            screen.drawn = 0;
        }
    }

    /// Leaves what stands on the screen there for good, and says in full what a board has no room for: why steps failed.
    pub fn finish(&self, plan: &Plan, outcomes: &Outcomes) {
        self.redraw();
        self.screen.replace(Screen::default());
        self.skipped.take();
        if self.mode != Mode::Live {
            return;
        }
        for (id, fate) in outcomes.of(plan) {
            if let Fate::Failed(error) | Fate::Tolerated(error) = fate
                && !error.details.is_empty()
            {
                progress::plain(plan, &Event::Ended(id, fate)).iter().for_each(|line| super::output::remark(line));
            }
        }
    }
}

/// Up so many lines, to the first column, and nothing below.
fn erase(lines: usize) -> String {
    if lines == 0 { String::new() } else { format!("\x1b[{lines}A\r\x1b[J") }
}

/// Columns and rows of the terminal.
fn size() -> (usize, usize) {
    #[cfg(target_os = "linux")]
    if let Ok(size) = rustix::termios::tcgetwinsize(std::io::stderr())
        && size.ws_col > 0
    {
        return (size.ws_col.into(), size.ws_row.into());
    }
    (80, 24)
}
