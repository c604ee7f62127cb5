//! `bowline ui`: the loop around [`bowline::ui`]. Keys, the Engine's events, the output of containers and the words of an action come in as
//! they happen; nothing is asked on a clock.

mod keys;
mod screen;
mod session;
mod source;
mod work;

use std::time::Duration;

use bowline::ui::model::Head;
use bowline::ui::view::Palette;
use bowline::ui::{Event, Key, Model, Wish};
use clap::Args;
use tokio::time::Instant;

use super::args::{Ansi, Global};
use super::engine::{Purpose, connect, environment};
use super::exit::{Exit, Failure};
use super::signals::Signals;
use super::{block_on, output, standing, terminal};
use keys::Keys;
use screen::Screen;
use session::{End, Session};
use source::Source;
use work::{Heard, Work};

/// Show the stack live: services, networks, verdicts, output
///
/// It changes as the stack does, and proves it again after every change. Keys restart, stop and start services, bring the stack up
/// and verify it; `?` lists them. Where the output is no terminal it prints what `bowline` alone prints.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Prove the stack only when the key is pressed.
    #[arg(long)]
    no_verify: bool,
}

/// Frames are at least so far apart.
const FRAME: Duration = Duration::from_millis(33);
/// Between two tries to reach an Engine that is gone.
const AGAIN: Duration = Duration::from_secs(1);

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let is_capable = environment("TERM").is_some_and(|name| name != "dumb");
    if !terminal::is_whole() || !is_capable || standing::is_nothing_to_show(global)? {
        return standing::run(global);
    }
    let source = Source::load(global)?;
    block_on(async {
        let engine = connect(global, Purpose::Write).await?;
        let head =
            Head { project: source.name.to_string(), engine: engine.facts().version.clone(), from: source.from() };
        let signals = Signals::with_hangup()?;
        let mut live = Live {
            global,
            proves: !arguments.no_verify,
            model: Model::new(head),
            keys: Keys::new(),
            signals,
            work: None,
            drawn: None,
            dirty: true,
            palette: palette(global),
            screen: Screen::take()?,
        };
        let mut session = Session::new(std::rc::Rc::new(source));
        let mut engine = engine;
        let exit = loop {
            match session.run(&mut live, &engine).await? {
                End::Left(exit) => break exit,
                End::Lost(why) => match live.reconnect(&why).await? {
                    Ok(again) => engine = again,
                    Err(exit) => break exit,
                },
            }
        };
        live.leave().await?;
        Ok(exit)
    })
}

fn palette(global: &Global) -> Palette {
    let unwanted = environment("NO_COLOR").is_some_and(|value| !value.is_empty());
    match global.ansi {
        Ansi::Never => Palette::Plain,
        Ansi::Auto if unwanted => Palette::Plain,
        Ansi::Auto | Ansi::Always => {
            // what the terminal's library decides for itself is decided here
            crossterm::style::force_color_output(true);
            Palette::Colours
        }
    }
}

/// What lives on while the Engine comes and goes.
struct Live<'a> {
    global: &'a Global,
    /// Whether every change is followed by a proof.
    proves: bool,
    model: Model,
    keys: Keys,
    signals: Signals,
    work: Option<Work>,
    drawn: Option<Instant>,
    /// Whether something happened that is not drawn yet.
    dirty: bool,
    palette: Palette,
    screen: Screen,
}

impl Live<'_> {
    /// Takes an event in; what is asked for then and the screen and the action can do, is done. The rest is the caller's.
    fn happens(&mut self, event: Event) -> Result<Option<Wish>, Failure> {
        self.dirty = true;
        match self.model.update(event) {
            Some(Wish::Suspend) => self.screen.suspend()?,
            Some(Wish::Interrupt) => self.work.iter().for_each(Work::interrupt),
            Some(Wish::Act(action, service)) => {
                let (work, what) = Work::begin(self.global, action, service.as_deref())?;
                self.work = Some(work);
                self.model.update(Event::Began(what));
            }
            wish => return Ok(wish),
        }
        Ok(None)
    }

    /// A key or a new size.
    fn typed(&mut self, key: Option<Key>) -> Result<Option<Wish>, Failure> {
        self.dirty = true;
        match key {
            Some(Key::Redraw) => {
                self.screen.clear()?;
                self.happens(Event::Key(Key::Redraw))
            }
            Some(key) => self.happens(Event::Key(key)),
            None => Ok(None),
        }
    }

    /// What an action said; whether it has ended.
    fn heard(&mut self, heard: Heard) -> Result<bool, Failure> {
        match heard {
            Heard::Said(words) => self.happens(Event::Said(words)).map(|_| false),
            Heard::Ended(code) => {
                self.work = None;
                self.happens(Event::Ended(code)).map(|_| true)
            }
        }
    }

    /// Draws, where something happened and the last frame is old enough; else when it will be.
    fn draw(&mut self) -> Result<Option<Instant>, Failure> {
        if !self.dirty {
            return Ok(None);
        }
        let due = self.drawn.map(|drawn| drawn + FRAME).filter(|due| *due > Instant::now());
        if due.is_none() {
            self.screen.draw(&mut self.model, self.palette)?;
            (self.dirty, self.drawn) = (false, Some(Instant::now()));
        }
        Ok(due)
    }

    /// Tries until the Engine answers again, or somebody leaves.
    async fn reconnect(&mut self, why: &str) -> Result<Result<bowline::engine::Engine, Exit>, Failure> {
        self.happens(Event::Lost(format!("the Engine is gone, tried again each second: {why}")))?;
        let mut attempt = std::pin::pin!(again(self.global));
        loop {
            let frame = self.draw()?;
            tokio::select! {
                engine = &mut attempt => {
                    self.happens(Event::Back)?;
                    return Ok(Ok(engine));
                }
                key = self.keys.next() => {
                    if self.typed(key?)? == Some(Wish::Quit) {
                        return Ok(Err(Exit::Ok));
                    }
                }
                heard = work::next(&mut self.work) => { self.heard(heard?)?; }
                () = at(frame) => {}
                () = self.signals.next() => return Ok(Err(Exit::Interrupted)),
            }
        }
    }

    /// Gives the terminal back. An action that is under way is told to end, and waited for.
    async fn leave(self) -> Result<(), Failure> {
        let Self { screen, keys, mut work, mut signals, model, .. } = self;
        drop(screen);
        drop(keys);
        if let Some(running) = &work {
            let what = model.work.map(|work| work.what).unwrap_or_default();
            output::remark(&format!("{what}: interrupted; what is under way ends (Ctrl-C leaves it at once)"));
            running.interrupt();
        }
        while work.is_some() {
            tokio::select! {
                heard = work::next(&mut work) => match heard? {
                    Heard::Said(words) => output::remark(&words),
                    Heard::Ended(_) => break,
                },
                () = signals.next() => work.iter().for_each(Work::interrupt),
            }
        }
        Ok(())
    }
}

/// Asks the Engine again and again.
async fn again(global: &Global) -> bowline::engine::Engine {
    loop {
        tokio::time::sleep(AGAIN).await;
        if let Ok(engine) = connect(global, Purpose::Write).await {
            return engine;
        }
    }
}

/// Waits for a moment; for ever where there is none.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
