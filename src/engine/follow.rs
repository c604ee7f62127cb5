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
    /// Which of the service's containers it is, where its labels say so.
    pub number: Option<u32>,
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
    project: ProjectName,
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
    /// Containers that were started again while their last reading was not at its end yet.
    started: BTreeSet<String>,
    /// Containers whose reading is to go on after the last line that was read.
    anew: VecDeque<Origin>,
    /// An event that came and is not dealt with yet: dealing with it takes time, in which the caller may give up.
    pending: Option<Event>,
}

/// How many outputs are taken from one container before another has its turn.
const AT_ONCE: usize = 1000;

type Reading<'a> = Pin<Box<dyn Future<Output = (Reader, Result<Option<(Channel, Bytes)>, Error>)> + 'a>>;

/// One container's logs, and the line that is not whole yet.
struct Reader {
    origin: Origin,
    logs: Logs,
    partial: [Vec<u8>; 2],
    /// Whether anything came.
    heard: bool,
}

/// The lines that a container wrote, one after the other.
pub struct Lines {
    reader: Reader,
    ready: VecDeque<Line>,
    ended: bool,
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
            project: project.clone(),
            events: Some(self.turns(project.as_str(), None).await?),
            chosen: Box::new(chosen),
            readers: FuturesUnordered::new(),
            open: BTreeSet::new(),
            last: BTreeMap::new(),
            since: since.map(|seconds| seconds.to_string()),
            ready: VecDeque::new(),
            started: BTreeSet::new(),
            anew: VecDeque::new(),
            pending: None,
        })
    }
}

impl Engine {
    /// The lines that a container wrote, as far as `options` choose them; following is not asked for. None where there is no such container.
    ///
    /// # Errors
    /// What the log driver refuses.
    pub async fn lines(&self, origin: Origin, options: &LogOptions) -> Result<Option<Lines>, Error> {
        let Some(life) = self.life(&origin.id).await? else { return Ok(None) };
        let options = LogOptions { timestamps: true, follow: false, ..options.clone() };
        let logs = self.logs(&origin.id, &options, life.terminal).await?;
        Ok(Some(Lines { reader: Reader::new(origin, logs), ready: VecDeque::new(), ended: false }))
    }

    /// All of [`Engine::lines`].
    ///
    /// # Errors
    /// What the log driver refuses; a broken connection.
    pub async fn read_lines(&self, origin: Origin, options: &LogOptions) -> Result<Vec<Line>, Error> {
        let Some(mut reading) = self.lines(origin, options).await? else { return Ok(vec![]) };
        let mut lines = vec![];
        while let Some(line) = reading.next().await? {
            lines.push(line);
        }
        Ok(lines)
    }
}

impl Lines {
    /// The next one; none at the end.
    ///
    /// # Errors
    /// [`Error::Stream`] when the connection broke.
    pub async fn next(&mut self) -> Result<Option<Line>, Error> {
        while self.ready.is_empty() && !self.ended {
            match self.reader.logs.next().await? {
                Some((channel, piece)) => self.ready.extend(self.reader.lines(channel, &piece)),
                None => {
                    self.ended = true;
                    self.ready.extend(self.reader.rest());
                }
            }
        }
        Ok(self.ready.pop_front())
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
        self.readers.push(Box::pin(next_piece(Reader::new(origin, logs))));
        Ok(())
    }

    /// Reads on after the last line that was read, or from where new containers are read.
    async fn read_on(&mut self, origin: Origin) -> Result<(), Error> {
        let since = self.last.get(&origin.id).map(|time| after(time)).or_else(|| self.since.clone());
        self.read(origin, &LogOptions { follow: true, since, ..LogOptions::default() }).await
    }

    /// Takes up the thread where the Engine was away: what the containers wrote meanwhile comes next.
    ///
    /// # Errors
    /// What the Engine says; one that [`Error::is_lost`] where it is still away: then everything is as it was.
    pub async fn resume(&mut self) -> Result<(), Error> {
        let events = self.engine.turns(self.project.as_str(), None).await?;
        let listed = self.engine.list(&self.project).await?;
        self.events = Some(events);
        self.readers = FuturesUnordered::new();
        self.open.clear();
        self.started.clear();
        self.pending = None;
        let origins = listed.iter().filter(|container| !container.one_off).map(Origin::from);
        self.anew = origins.filter(|origin| (self.chosen)(origin)).collect();
        Ok(())
    }

    /// Whether any container is read at the moment.
    pub fn is_reading(&self) -> bool {
        !self.open.is_empty()
    }

    /// What has come already and was not given out yet.
    pub fn at_hand(&mut self) -> Option<Output> {
        self.ready.pop_front()
    }

    /// The next thing that happens; none when nothing is read and no event can come any more. It can be given up and taken up
    /// again.
    ///
    /// # Errors
    /// [`Error::Stream`] when the events break, see [`Follower::resume`]; a single container's logs that break are read on.
    pub async fn next(&mut self) -> Result<Option<Output>, Error> {
        loop {
            if let Some(output) = self.ready.pop_front() {
                return Ok(Some(output));
            }
            if let Some(origin) = self.anew.front().cloned() {
                self.read_on(origin).await?;
                self.anew.pop_front();
                continue;
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
            if self.events.is_none() && self.readers.is_empty() && self.ready.is_empty() && self.anew.is_empty() {
                return Ok(None);
            }
        }
    }

    fn heard(&mut self, mut reader: Reader, piece: Result<Option<(Channel, Bytes)>, Error>) {
        let mut piece = match piece {
            Ok(Some(piece)) => Some(piece),
            ended => return self.ended(reader, ended.is_err()),
        };
        reader.heard = true;
        while let Some((channel, bytes)) = piece {
            let lines = reader.lines(channel, &bytes);
            if let Some(line) = lines.last() {
                self.last.insert(line.origin.id.clone(), line.time.clone());
            }
            self.ready.extend(lines.into_iter().map(Output::Line));
            // what came in one go is given out in one go; not without end, so that others have their turn
            piece = (self.ready.len() < AT_ONCE).then(|| reader.logs.at_hand()).flatten();
        }
        self.readers.push(Box::pin(next_piece(reader)));
    }

    /// A reading has come to its end, or it broke.
    fn ended(&mut self, mut reader: Reader, broke: bool) {
        self.open.remove(&reader.origin.id);
        if broke && reader.heard {
            // the line that was cut comes again, whole
            return self.anew.push_back(reader.origin);
        }
        self.ready.extend(reader.rest().map(Output::Line));
        match self.started.remove(&reader.origin.id) {
            true => self.anew.push_back(reader.origin),
            false => self.ready.push_back(Output::Silent(reader.origin)),
        }
    }

    /// Deals with an event; begun anew where it was given up.
    async fn happened(&mut self, event: Event) -> Result<(), Error> {
        let attribute = |name: &str| event.attributes.get(name).cloned().unwrap_or_default();
        let service = attribute("com.docker.compose.service");
        let number = attribute("com.docker.compose.container-number").parse().ok();
        let origin = Origin { id: event.id.clone(), name: attribute("name"), service, number };
        if !(self.chosen)(&origin) || attribute("com.docker.compose.oneoff") == "True" {
            return Ok(());
        }
        match event.action.as_str() {
            "start" => {
                match self.open.contains(&origin.id) {
                    true => _ = self.started.insert(origin.id.clone()),
                    false => self.read_on(origin.clone()).await?,
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

    /// Reads on until the logs of a container that has ended are at their end, so that its last lines come before its end. Of the
    /// others no more than a piece each is taken meanwhile.
    async fn drain(&mut self, id: &str) {
        // the logs of an ended container end at once; one that was started again meanwhile goes on
        let limit = std::time::Duration::from_millis(500);
        let mut others = vec![];
        let _ = tokio::time::timeout(limit, async {
            while self.open.contains(id)
                && let Some((reader, piece)) = self.readers.next().await
            {
                match reader.origin.id == id {
                    true => self.heard(reader, piece),
                    false => others.push((reader, piece)),
                }
            }
        })
        .await;
        for (reader, piece) in others {
            self.heard(reader, piece);
        }
    }
}

async fn next_piece(mut reader: Reader) -> (Reader, Result<Option<(Channel, Bytes)>, Error>) {
    let piece = reader.logs.next().await;
    (reader, piece)
}

impl Reader {
    fn new(origin: Origin, logs: Logs) -> Self {
        Self { origin, logs, partial: [vec![], vec![]], heard: false }
    }

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

/// A line with its time in front, taken apart. The Engine keeps a long line in parts and puts a time in front of each: that of the
/// first is the line's.
fn stamped(origin: &Origin, channel: Channel, line: &[u8]) -> Line {
    let end = line.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
    let line = &line[..end];
    let start = line.iter().position(|&byte| byte == b' ').map_or(end, |blank| blank + 1);
    let (time, mut rest) = (line[..start].trim_ascii_end(), &line[start..]);
    let mut text = vec![];
    while rest.len() >= PART + STAMP && is_stamp(&rest[PART..]) {
        text.extend_from_slice(&rest[..PART]);
        rest = &rest[PART + STAMP..];
    }
    text.extend_from_slice(rest);
    let text = String::from_utf8_lossy(&text).into_owned();
    Line { origin: origin.clone(), channel, time: String::from_utf8_lossy(time).into_owned(), text }
}

/// In parts of how many bytes the Engine keeps a long line (moby, daemon/logger/copier.go).
const PART: usize = 16 * 1024;
/// A time with nine digits of a second, and a blank.
const STAMP: usize = "2026-11-21T18:24:22.000000009Z ".len();

/// Whether a time stands at the beginning.
fn is_stamp(bytes: &[u8]) -> bool {
    bytes.get(..STAMP - 1).is_some_and(|time| time.ends_with(b"Z") && bytes[STAMP - 1] == b' ' && time[10] == b'T')
        && std::str::from_utf8(&bytes[..STAMP - 1]).is_ok_and(|time| time.parse::<jiff::Timestamp>().is_ok())
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
        Self {
            id: container.id.as_str().to_owned(),
            name: container.name.clone(),
            service: container.service.clone(),
            number: container.replica.as_ref().map(|replica| replica.number),
        }
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
        let origin = Origin { id: "a".into(), name: "p-web-1".into(), service: "web".into(), number: Some(1) };
        let line = stamped(&origin, Channel::Output, b"2026-11-21T18:24:22.1Z hello  world\r\n");
        assert_eq!((line.time.as_str(), line.text.as_str()), ("2026-11-21T18:24:22.1Z", "hello  world"));
        assert_eq!(stamped(&origin, Channel::Output, b"2026-11-21T18:24:22.1Z \n").text, "");
        assert_eq!(stamped(&origin, Channel::Output, b"2026-11-21T18:24:22.1Z").text, "");
    }

    #[test]
    fn a_long_line_is_one_line_with_one_time() {
        let origin = Origin { id: "a".into(), name: "p-web-1".into(), service: "web".into(), number: None };
        let stamp = "2026-11-21T18:24:22.000000009Z ";
        let part = "x".repeat(PART);
        let line = stamped(&origin, Channel::Output, format!("{stamp}{part}{stamp}{part}{stamp}end\n").as_bytes());
        assert_eq!((line.time.as_str(), line.text), (stamp.trim(), format!("{part}{part}end")));
        // what only looks like it stays
        let line =
            stamped(&origin, Channel::Output, format!("{stamp}{part}{}end\n", stamp.replace('T', "t")).as_bytes());
        assert_eq!(line.text.len(), PART + STAMP + 3);
    }
}
