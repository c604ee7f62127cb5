//! The output of a project's containers as it comes, also of those that are started, or started again, meanwhile.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::pin::Pin;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::list::Listed;
use super::stream::{Channel, Event, Events, LogOptions, Logs};
use super::{Engine, Error};
use crate::name::ProjectName;

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// A line that a container wrote.
    Line(Line),
    /// A container's logs are at their end: it does not run.
    Silent(Origin),
    /// A container was started.
    Started(Origin),
    /// A container ended.
    Ended {
        /// Which one.
        origin: Origin,
        /// What with.
        code: i64,
        /// Whether the Engine starts it again by itself.
        again: bool,
    },
}

/// Where output comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The container's id.
    pub id: String,
    /// The container's name.
    pub name: String,
    /// Its service.
    pub service: String,
}

/// A line that a container wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Who.
    pub origin: Origin,
    /// On which stream.
    pub channel: Channel,
    /// When, as the Engine tells it (RFC 3339 with nanoseconds).
    pub time: String,
    /// What, without the end of the line.
    pub text: String,
}

/// Follows the output of those containers of a project that are chosen.
pub struct Follower<'a> {
    engine: &'a Engine,
    events: Option<Events>,
    chosen: Box<dyn Fn(&Origin) -> bool + 'a>,
    readers: FuturesUnordered<Reading<'a>>,
    /// Containers that are read at the moment.
    open: BTreeSet<String>,
    /// The time of the last line of each container: where a next reading begins.
    last: BTreeMap<String, String>,
    /// Where the reading of a container that was never read begins; none: with its first line.
    since: Option<String>,
    ready: VecDeque<Output>,
    /// An event that came and is not dealt with yet: dealing with it takes time, in which the caller may give up.
    pending: Option<Event>,
}

type Reading<'a> = Pin<Box<dyn Future<Output = (Reader, Result<Option<(Channel, Bytes)>, Error>)> + 'a>>;

/// One container's logs, and the line that is not whole yet.
struct Reader {
    origin: Origin,
    logs: Logs,
    partial: [Vec<u8>; 2],
}

impl Engine {
    /// Begins to follow `project`. What containers wrote before is read by [`Follower::read`]; those that are started from now
    /// on are read by themselves, from `since` (seconds since 1970 by the Engine's clock), or from their first line.
    ///
    /// # Errors
    /// What the Engine says.
    pub async fn follow<'a>(
        &'a self,
        project: &ProjectName,
        since: Option<i64>,
        chosen: impl Fn(&Origin) -> bool + 'a,
    ) -> Result<Follower<'a>, Error> {
        Ok(Follower {
            engine: self,
            events: Some(self.events(project.as_str(), None).await?),
            chosen: Box::new(chosen),
            readers: FuturesUnordered::new(),
            open: BTreeSet::new(),
            last: BTreeMap::new(),
            since: since.map(|seconds| seconds.to_string()),
            ready: VecDeque::new(),
            pending: None,
        })
    }
}

impl Engine {
    /// The lines that a container wrote, as far as `options` choose them; following is not asked for.
    ///
    /// # Errors
    /// What the log driver refuses; a broken connection.
    pub async fn read_lines(&self, origin: Origin, options: &LogOptions) -> Result<Vec<Line>, Error> {
        let Some(life) = self.life(&origin.id).await? else { return Ok(vec![]) };
        let options = LogOptions { timestamps: true, follow: false, ..options.clone() };
        let logs = self.logs(&origin.id, &options, life.terminal).await?;
        let mut reader = Reader { origin, logs, partial: [vec![], vec![]] };
        let mut lines = vec![];
        while let Some((channel, piece)) = reader.logs.next().await? {
            lines.extend(reader.lines(channel, &piece));
        }
        lines.extend(reader.rest());
        Ok(lines)
    }
}

impl Follower<'_> {
    /// Reads a container's logs; `options` say from where, and whether to stay.
    ///
    /// # Errors
    /// What the log driver refuses.
    pub async fn read(&mut self, origin: Origin, options: &LogOptions) -> Result<(), Error> {
        let Some(life) = self.engine.life(&origin.id).await? else { return Ok(()) };
        let options = LogOptions { timestamps: true, ..options.clone() };
        let logs = self.engine.logs(&origin.id, &options, life.terminal).await?;
        self.open.insert(origin.id.clone());
        self.readers.push(Box::pin(next_piece(Reader { origin, logs, partial: [vec![], vec![]] })));
        Ok(())
    }

    /// Whether any container is read at the moment.
    pub fn is_reading(&self) -> bool {
        !self.open.is_empty()
    }

    /// The next thing that happens; none when nothing is read and no event can come any more. It can be given up and taken up
    /// again.
    ///
    /// # Errors
    /// [`Error::Stream`] when the events break; a single container's logs that break only end.
    pub async fn next(&mut self) -> Result<Option<Output>, Error> {
        loop {
            if let Some(output) = self.ready.pop_front() {
                return Ok(Some(output));
            }
            if let Some(event) = self.pending.clone() {
                self.happened(event).await?;
                self.pending = None;
                continue;
            }
            let event = async {
                match &mut self.events {
                    Some(events) => events.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                Some((reader, piece)) = self.readers.next() => self.heard(reader, piece),
                event = event => match event? {
                    Some(event) => self.pending = Some(event),
                    None => self.events = None,
                },
                else => return Ok(None),
            }
            if self.events.is_none() && self.readers.is_empty() && self.ready.is_empty() {
                return Ok(None);
            }
        }
    }

    fn heard(&mut self, mut reader: Reader, piece: Result<Option<(Channel, Bytes)>, Error>) {
        let Ok(Some((channel, piece))) = piece else {
            self.ready.extend(reader.rest().map(Output::Line));
            self.open.remove(&reader.origin.id);
            self.ready.push_back(Output::Silent(reader.origin));
            return;
        };
        for line in reader.lines(channel, &piece) {
            self.last.insert(line.origin.id.clone(), line.time.clone());
            self.ready.push_back(Output::Line(line));
        }
        self.readers.push(Box::pin(next_piece(reader)));
    }

    /// Deals with an event; begun anew where it was given up.
    async fn happened(&mut self, event: Event) -> Result<(), Error> {
        let attribute = |name: &str| event.attributes.get(name).cloned().unwrap_or_default();
        let service = attribute("com.docker.compose.service");
        let origin = Origin { id: event.id.clone(), name: attribute("name"), service };
        if !(self.chosen)(&origin) || attribute("com.docker.compose.oneoff") == "True" {
            return Ok(());
        }
        match event.action.as_str() {
            "start" => {
                if !self.open.contains(&origin.id) {
                    let since = self.last.get(&origin.id).map(|time| after(time)).or_else(|| self.since.clone());
                    self.read(origin.clone(), &LogOptions { follow: true, since, ..LogOptions::default() }).await?;
                }
                self.ready.push_back(Output::Started(origin));
            }
            "die" => {
                let code = attribute("exitCode").parse().unwrap_or_default();
                let life = self.engine.life(&origin.id).await?;
                let again = life.is_some_and(|life| {
                    matches!(life.state, crate::state::observed::ContainerState::Restarting { .. })
                        || life.state.is_running()
                });
                self.drain(&origin.id).await;
                self.ready.push_back(Output::Ended { origin, code, again });
            }
            _ => {}
        }
        Ok(())
    }

    /// Reads on until the logs of a container that has ended are at their end, so that its last lines come before its end.
    async fn drain(&mut self, id: &str) {
        // the logs of an ended container end at once; one that was started again meanwhile goes on
        let limit = std::time::Duration::from_millis(500);
        let _ = tokio::time::timeout(limit, async {
            while self.open.contains(id)
                && let Some((reader, piece)) = self.readers.next().await
            {
                self.heard(reader, piece);
            }
        })
        .await;
    }
}

async fn next_piece(mut reader: Reader) -> (Reader, Result<Option<(Channel, Bytes)>, Error>) {
    let piece = reader.logs.next().await;
    (reader, piece)
}

impl Reader {
    /// The whole lines that a piece completes.
    fn lines(&mut self, channel: Channel, piece: &[u8]) -> Vec<Line> {
        let partial = &mut self.partial[usize::from(channel == Channel::Error)];
        partial.extend_from_slice(piece);
        let mut lines = vec![];
        while let Some(end) = partial.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = partial.drain(..=end).collect();
            lines.push(stamped(&self.origin, channel, &line));
        }
        lines
    }

    /// What is left without an end of line.
    fn rest(&mut self) -> impl Iterator<Item = Line> + use<> {
        let origin = self.origin.clone();
        let channels = [Channel::Output, Channel::Error].into_iter().zip(std::mem::take(&mut self.partial));
        channels.filter(|(_, rest)| !rest.is_empty()).map(move |(channel, rest)| stamped(&origin, channel, &rest))
    }
}

/// A line with its time in front, taken apart.
fn stamped(origin: &Origin, channel: Channel, line: &[u8]) -> Line {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end_matches(['\n', '\r']);
    let (time, text) = text.split_once(' ').unwrap_or((text, ""));
    Line { origin: origin.clone(), channel, time: time.to_owned(), text: text.to_owned() }
}

/// The moment after `time` (RFC 3339) as the API takes it: seconds, a dot, nanoseconds.
fn after(time: &str) -> String {
    match time.parse::<jiff::Timestamp>() {
        Ok(time) => {
            let next = time.as_nanosecond() + 1;
            format!("{}.{:09}", next.div_euclid(1_000_000_000), next.rem_euclid(1_000_000_000))
        }
        Err(_) => "0".to_owned(),
    }
}

/// Where the output of a listed container comes from.
impl From<&Listed> for Origin {
    fn from(container: &Listed) -> Self {
        Self { id: container.id.as_str().to_owned(), name: container.name.clone(), service: container.service.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_reading_begins_after_the_last_line() {
        assert_eq!(after("2026-11-21T18:24:22.000000009Z"), "1795285462.000000010");
        assert_eq!(after("2026-11-21T18:24:22.999999999Z"), "1795285463.000000000");
    }

    #[test]
    fn a_line_is_taken_apart_from_its_time() {
        let origin = Origin { id: "a".into(), name: "p-web-1".into(), service: "web".into() };
        let line = stamped(&origin, Channel::Output, b"2026-11-21T18:24:22.1Z hello  world\r\n");
        assert_eq!((line.time.as_str(), line.text.as_str()), ("2026-11-21T18:24:22.1Z", "hello  world"));
        assert_eq!(stamped(&origin, Channel::Output, b"2026-11-21T18:24:22.1Z \n").text, "");
    }
}
