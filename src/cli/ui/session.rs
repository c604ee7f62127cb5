//! One connection to the Engine: its events, its containers' output, looks and proofs, until somebody leaves or it breaks.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use bowline::engine::{Engine, LogOptions, Origin, Output};
use bowline::report::verification::Report;
use bowline::ui::model::Line;
use bowline::ui::{Event, Seen, Wish};
use tokio::time::Instant;

use super::super::exit::{Exit, Failure};
use super::source::Source;
use super::{Live, at, work};

/// Events come in flocks: so long nothing more must have come before the next look.
const QUIET: Duration = Duration::from_millis(100);
/// But no longer than this, where they do not end.
const LONGEST: Duration = Duration::from_secs(1);
/// How many lines of what a container wrote before are shown.
const TAIL: u64 = 200;

/// How a connection ends.
pub enum End {
    /// Somebody left.
    Left(Exit),
    /// The Engine does not answer any more.
    Lost(String),
}

type Future<'a, T> = Pin<Box<dyn std::future::Future<Output = Result<T, Failure>> + 'a>>;

/// What is known from one connection to the next.
pub struct Session {
    source: Rc<Source>,
    /// The time of the last line of each container: what was shown is not shown again.
    shown: BTreeMap<String, String>,
}

/// When to look and whether to prove.
struct Agenda {
    look: Option<Instant>,
    /// When the first event came that no look has followed yet.
    first: Option<Instant>,
    prove: bool,
}

impl Agenda {
    /// Something happened: a look when nothing more comes.
    fn touched(&mut self) {
        let first = *self.first.get_or_insert_with(Instant::now);
        self.look = Some((first + LONGEST).min(Instant::now() + QUIET));
    }

    fn now(&mut self) {
        self.look = Some(Instant::now());
    }
}

impl Session {
    /// For a project that was not looked at yet.
    pub fn new(source: Rc<Source>) -> Self {
        Self { source, shown: BTreeMap::new() }
    }

    /// Shows the stack until somebody leaves, or the Engine is lost.
    ///
    /// # Errors
    /// A terminal that is gone.
    pub async fn run(&mut self, live: &mut Live<'_>, engine: &Engine) -> Result<End, Failure> {
        match self.show(live, engine).await {
            Err(failure) if failure.kind == Exit::Unreachable => Ok(End::Lost(failure.to_string())),
            end => end,
        }
    }

    async fn show(&mut self, live: &mut Live<'_>, engine: &Engine) -> Result<End, Failure> {
        // before the first look, so that nothing that happens during it is missed
        let mut events = engine.events_of_all().await?;
        let mut follower = engine.follow(&self.source.name, engine.clock(), |_| true).await?;
        for container in engine.list(&self.source.name).await?.iter().filter(|container| !container.one_off) {
            let options = LogOptions { follow: true, tail: Some(TAIL), ..LogOptions::default() };
            follower.read(Origin::from(container), &options).await?;
        }
        let global = live.global;
        let mut agenda = Agenda { look: Some(Instant::now()), first: None, prove: live.proves };
        let mut looking: Option<Future<'_, (Rc<Source>, Seen)>> = None;
        let mut proving: Option<Future<'_, Report>> = None;
        loop {
            let frame = live.draw()?;
            let wish = tokio::select! {
                key = live.keys.next() => live.typed(key?)?,
                () = live.signals.next() => return Ok(End::Left(Exit::Interrupted)),
                event = events.next() => match event? {
                    None => return Ok(End::Lost("it ended the stream of events".to_owned())),
                    Some(event) => {
                        if self.source.concerns(&event) {
                            agenda.touched();
                            agenda.prove |= live.proves && self.source.is_touched_by(&event);
                        }
                        None
                    }
                },
                output = follower.next() => match output? {
                    None => return Ok(End::Lost("it ended the stream of events".to_owned())),
                    Some(output) => match self.line(output) {
                        Some(line) => live.happens(Event::Wrote(line))?,
                        None => None,
                    },
                },
                heard = work::next(&mut live.work) => {
                    if live.heard(heard?)? {
                        agenda.now();
                    }
                    None
                }
                () = at(agenda.look), if looking.is_none() => {
                    (agenda.look, agenda.first) = (None, None);
                    looking = Some(Box::pin(self.source.clone().look(global, engine)));
                    None
                }
                seen = one(&mut looking) => {
                    looking = None;
                    match seen {
                        Ok((source, seen)) => {
                            self.source = source;
                            live.happens(Event::Looked(seen))?
                        }
                        Err(failure) if failure.kind == Exit::Unreachable => return Err(failure),
                        // it does not tell of something that is just going
                        Err(_) => {
                            agenda.look = Some(Instant::now() + LONGEST);
                            None
                        }
                    }
                }
                report = one(&mut proving) => {
                    proving = None;
                    match report {
                        Ok(report) => {
                            let clock = jiff::Zoned::now().strftime("%H:%M:%S").to_string();
                            live.happens(Event::Proved(Box::new(report), clock))?
                        }
                        Err(failure) => live.happens(Event::NotProved(failure.to_string()))?,
                    }
                }
                () = at(frame) => None,
            };
            match wish {
                Some(Wish::Quit) => return Ok(End::Left(Exit::Ok)),
                Some(Wish::Look) => agenda.now(),
                Some(Wish::Verify) => {
                    agenda.prove = true;
                    agenda.now();
                }
                _ => {}
            }
            // of what is half done nothing is proved
            let is_settled = agenda.look.is_none() && looking.is_none() && live.work.is_none();
            let is_up = live.model.seen.as_ref().is_some_and(|seen| seen.is_up);
            if agenda.prove && is_settled && proving.is_none() {
                agenda.prove = false;
                if is_up && self.source.has_file() || wish == Some(Wish::Verify) {
                    live.happens(Event::Proving)?;
                    proving = Some(Box::pin(self.source.clone().prove(engine)));
                }
            }
        }
    }

    /// What is shown of what a container does; nothing twice.
    fn line(&mut self, output: Output) -> Option<Line> {
        let remark =
            |origin: Origin, text: String| Line { service: origin.service, name: origin.name, text, is_remark: true };
        match output {
            Output::Line(line) => {
                let before = self.shown.get(&line.origin.id);
                if before.is_some_and(|before| *before >= line.time) {
                    return None;
                }
                self.shown.insert(line.origin.id, line.time);
                Some(Line { service: line.origin.service, name: line.origin.name, text: line.text, is_remark: false })
            }
            Output::Ended { origin, code, .. } => Some(remark(origin, format!("ended with {code}"))),
            Output::Started(origin) => Some(remark(origin, "started".to_owned())),
            Output::Silent(_) => None,
        }
    }
}

/// The answer of what is under way; for ever nothing where nothing is.
async fn one<T>(future: &mut Option<Future<'_, T>>) -> Result<T, Failure> {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
