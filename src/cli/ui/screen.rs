//! The terminal while the view has it: another screen, every key as it is, no cursor. It is given back whatever happens.

use std::io::{self, Stdout};
use std::sync::atomic::{AtomicBool, Ordering};

use bowline::ui::Model;
use bowline::ui::view::{Palette, draw};
use crossterm::cursor::{Hide, Show};
use crossterm::execute;
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

/// Whether the view has the terminal: given back a second time, it would put the cursor where it stood before the words of a panic.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Taken until it is dropped. A panic gives it back before it says what went wrong, so that it can be read.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// Where there is none.
    pub fn take() -> io::Result<Self> {
        let before = std::panic::take_hook();
        let ours = std::thread::current().id();
        std::panic::set_hook(Box::new(move |why| {
            // one of another thread does not end the view
            if std::thread::current().id() == ours {
                give_back();
            }
            before(why);
        }));
        enter()?;
        match Terminal::new(CrosstermBackend::new(io::stdout())) {
            Ok(terminal) => Ok(Self { terminal }),
            Err(why) => {
                give_back();
                Err(why)
            }
        }
    }

    /// Draws what the model is now; it learns how much room there was.
    pub fn draw(&mut self, model: &mut Model, palette: Palette) -> io::Result<()> {
        let mut extents = None;
        self.terminal.draw(|frame| extents = Some(draw(model, frame, palette)))?;
        extents.into_iter().for_each(|extents| model.drawn(extents));
        Ok(())
    }

    /// Forgets what stands there, so that all of it is drawn.
    pub fn clear(&mut self) -> io::Result<()> {
        // ratatui's own asks the terminal where its cursor is, and keys that are typed meanwhile may be taken for the answer
        execute!(io::stdout(), Clear(ClearType::All))?;
        self.terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        Ok(())
    }

    /// Gives the terminal to the shell, and takes it again when that says to go on.
    pub fn suspend(&mut self) -> io::Result<()> {
        give_back();
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TSTP)?;
        enter()?;
        self.clear()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::Relaxed);
    execute!(io::stdout(), EnterAlternateScreen, Hide).inspect_err(|_| give_back())
}

/// A terminal that is gone cannot be given back: errors are dropped.
fn give_back() {
    if !TAKEN.swap(false, Ordering::Relaxed) {
        return;
    }
    drop(execute!(io::stdout(), Show, LeaveAlternateScreen));
    drop(disable_raw_mode());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    /// Run by the test below, in a terminal.
    #[test]
    #[ignore = "needs a terminal: the next test gives it one"]
    fn falls_over() {
        let screen = Screen::take().unwrap();
        assert!(screen.terminal.size().is_err(), "the stack fell over");
    }

    #[test]
    fn a_panic_gives_the_terminal_back_and_can_be_read() {
        let ours = std::env::current_exe().unwrap();
        let fall = format!("{} --ignored --exact --nocapture cli::ui::screen::tests::falls_over", ours.display());
        let line = format!("stty rows 24 cols 100; {fall}; stty -a");
        let mut script = Command::new("script");
        // a backtrace would fill the screen
        script.args(["-qec", &line, "/dev/null"]).env("RUST_BACKTRACE", "0").stdin(Stdio::null());
        let ran = script.output().unwrap();
        let mut screen = vt100::Parser::new(24.try_into().unwrap(), 100.try_into().unwrap(), 0);
        screen.process(&ran.stdout);
        let (screen, raw) = (screen.screen(), String::from_utf8_lossy(&ran.stdout));
        assert!(raw.contains("\x1b[?1049h"), "it took the other screen: {raw}");
        assert!(!screen.alternate_screen() && !screen.hide_cursor(), "it gave it back: {raw}");
        assert!(screen.contents().contains("the stack fell over"), "{}", screen.contents());
        assert!(screen.contents().contains("isig icanon iexten echo "), "{}", screen.contents());
    }
}
