//! Answers without an end: events and logs.

use bytes::{Buf, Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::call::{Call, segment};
use super::{Engine, Error};
use crate::name::ContainerId;

/// Bytes that come in pieces. Waiting for the next piece can be given up and taken up again.
pub(super) struct Pieces {
    body: Incoming,
    buffer: BytesMut,
}

impl Pieces {
    pub(super) fn new(body: Incoming) -> Self {
        Self { body, buffer: BytesMut::new() }
    }

    /// The next line; the last one may lack its newline. None at the end.
    pub(super) async fn line(&mut self) -> Result<Option<BytesMut>, Error> {
        loop {
            if let Some(end) = self.buffer.iter().position(|&byte| byte == b'\n') {
                return Ok(Some(self.buffer.split_to(end + 1)));
            }
            if !self.more().await? {
                return Ok((!self.buffer.is_empty()).then(|| self.buffer.split()));
            }
        }
    }

    /// What came since the last question, or comes next, as it is; none at the end.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, Error> {
        while self.buffer.is_empty() {
            if !self.more().await? {
                return Ok(None);
            }
        }
        Ok(Some(self.buffer.split().freeze()))
    }

    /// Waits for more; false at the end.
    async fn more(&mut self) -> Result<bool, Error> {
        match self.body.frame().await {
            None => Ok(false),
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    self.buffer.extend_from_slice(data);
                }
                Ok(true)
            }
            Some(Err(error)) => Err(Error::Stream(Arc::new(std::io::Error::other(error)))),
        }
    }
}

/// What happens to a container after which it may be in another state. Its health checks alone make three other events each time they run.
const TURNS: [&str; 7] = ["start", "die", "destroy", "stop", "pause", "unpause", "health_status"];

/// Something that happened: to a container, a network, the Engine itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// `container`, `network`, `daemon`.
    pub kind: String,
    /// `start`, `die`, `health_status: healthy` …
    pub action: String,
    /// The container or network.
    pub id: String,
    /// Labels, `name`, `image`, `exitCode`; of a network its `name` and `type`.
    pub attributes: BTreeMap<String, String>,
    /// Nanoseconds since 1970, by the Engine's clock.
    pub time: i64,
}

#[derive(Deserialize)]
struct RawEvent {
    #[serde(rename = "Type", default)]
    kind: String,
    #[serde(rename = "Action", default)]
    action: String,
    #[serde(rename = "Actor", default)]
    actor: RawActor,
    #[serde(rename = "timeNano", default)]
    time: i64,
}

#[derive(Default, Deserialize)]
struct RawActor {
    #[serde(rename = "ID", default)]
    id: String,
    #[serde(rename = "Attributes", default)]
    attributes: Option<BTreeMap<String, String>>,
}

impl Event {
    /// Whether a container may be in another state since.
    pub fn is_turn(&self) -> bool {
        TURNS.contains(&self.action.split(':').next().unwrap_or_default())
    }
}

/// Events of the Engine, as they happen.
pub struct Events(Pieces);

impl Events {
    /// The next one; none when the Engine ended the stream. A line that cannot be read is passed over.
    ///
    /// # Errors
    /// [`Error::Stream`] when the connection broke.
    pub async fn next(&mut self) -> Result<Option<Event>, Error> {
        while let Some(line) = self.0.line().await? {
            if let Ok(RawEvent { kind, action, actor, time }) = serde_json::from_slice(&line) {
                let attributes = actor.attributes.unwrap_or_default();
                return Ok(Some(Event { kind, action, id: actor.id, attributes, time }));
            }
        }
        Ok(None)
    }
}

/// Which stream of a container a piece of output came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Standard output, and everything of a container with a terminal.
    Output,
    /// Standard error.
    Error,
}

/// What is wanted of a container's logs.
#[derive(Clone, Debug, Default)]
pub struct LogOptions {
    /// Stay, and show what comes.
    pub follow: bool,
    /// Only the last lines.
    pub tail: Option<u64>,
    /// Not before this time: seconds since 1970 with a fraction, as the API has it.
    pub since: Option<String>,
    /// Not after this time.
    pub until: Option<String>,
    /// With the time in front of each line.
    pub timestamps: bool,
}

/// The output of one container.
pub struct Logs {
    pieces: Pieces,
    terminal: bool,
}

impl Logs {
    /// The next piece; none at the end. Pieces are what the Engine read at once, not lines.
    ///
    /// # Errors
    /// [`Error::Stream`] when the connection broke.
    pub async fn next(&mut self) -> Result<Option<(Channel, Bytes)>, Error> {
        loop {
            if let Some(piece) = take_piece(&mut self.pieces.buffer, self.terminal) {
                return Ok(Some(piece));
            }
            if !self.pieces.more().await? {
                let rest = self.pieces.buffer.split().freeze();
                return Ok((!rest.is_empty()).then_some((Channel::Output, rest)));
            }
        }
    }

    /// A further piece that has come already.
    pub fn at_hand(&mut self) -> Option<(Channel, Bytes)> {
        take_piece(&mut self.pieces.buffer, self.terminal)
    }
}

/// A whole frame of the buffer: 4 bytes that name the stream, 4 that count, and so many bytes (Engine API, "Attach"). With a
/// terminal there are no frames.
fn take_piece(buffer: &mut BytesMut, terminal: bool) -> Option<(Channel, Bytes)> {
    if terminal {
        return (!buffer.is_empty()).then(|| (Channel::Output, buffer.split().freeze()));
    }
    let header: [u8; 8] = buffer.get(..8)?.try_into().ok()?;
    let [channel, _, _, _, a, b, c, d] = header;
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if buffer.len() < 8 + length {
        return None;
    }
    buffer.advance(8);
    let channel = if channel == 2 { Channel::Error } else { Channel::Output };
    Some((channel, buffer.split_to(length).freeze()))
}

impl Engine {
    /// `GET /events` of one project's containers, from now on: those of which [`Event::is_turn`] holds, and maybe others. `since` (seconds by the Engine's
    /// clock) also gives what happened after it.
    ///
    /// # Errors
    /// What the Engine says.
    pub async fn turns(&self, project: &str, since: Option<i64>) -> Result<Events, Error> {
        let label = format!("com.docker.compose.project={project}");
        let mut filters = serde_json::json!({ "type": ["container"], "label": [label] });
        // Podman filters by words of its own
        if !self.facts.podman {
            filters["event"] = TURNS.into();
        }
        self.listen(&filters, since).await
    }

    /// `GET /events` of every network that is made, from now on, whoever makes it.
    ///
    /// # Errors
    /// What the Engine says.
    pub async fn networks_made(&self) -> Result<Events, Error> {
        self.listen(&serde_json::json!({ "type": ["network"], "event": ["create"] }), None).await
    }

    /// `GET /events` of one project's containers, of a span of time: seconds since 1970 with a fraction. Without an end it stays.
    ///
    /// # Errors
    /// What the Engine says.
    pub async fn events_between(
        &self,
        project: &str,
        since: Option<&str>,
        until: Option<&str>,
    ) -> Result<Events, Error> {
        let label = format!("com.docker.compose.project={project}");
        let filters = serde_json::json!({ "type": ["container"], "label": [label] });
        let mut call = Call::get("/events").query("filters", &filters.to_string());
        for (name, time) in [("since", since), ("until", until)] {
            if let Some(time) = time {
                call = call.query(name, time);
            }
        }
        let body = self.head(call, Bytes::new()).await?.into_body();
        Ok(Events(Pieces::new(body)))
    }

    /// `GET /events` of every container, every network and the Engine itself, from now on.
    ///
    /// # Errors
    /// What the Engine says.
    pub async fn events_of_all(&self) -> Result<Events, Error> {
        self.listen(&serde_json::json!({ "type": ["container", "network", "daemon"] }), None).await
    }

    async fn listen(&self, filters: &serde_json::Value, since: Option<i64>) -> Result<Events, Error> {
        let mut call = Call::get("/events").query("filters", &filters.to_string());
        if let Some(since) = since {
            call = call.query("since", &since.to_string());
        }
        let body = self.head(call, Bytes::new()).await?.into_body();
        Ok(Events(Pieces::new(body)))
    }

    /// `GET /containers/{id}/logs`. `terminal` is whether the container was made with one (`Config.Tty`).
    ///
    /// # Errors
    /// [`Error::NotFound`], and what the log driver refuses.
    pub async fn logs(&self, id: &str, options: &LogOptions, terminal: bool) -> Result<Logs, Error> {
        let mut call =
            Call::get(&format!("/containers/{}/logs", segment(id))).query("stdout", "1").query("stderr", "1");
        for (name, wanted) in [("follow", options.follow), ("timestamps", options.timestamps)] {
            if wanted {
                call = call.query(name, "1");
            }
        }
        let tail = options.tail.map(|count| count.to_string());
        for (name, value) in [("tail", &tail), ("since", &options.since), ("until", &options.until)] {
            if let Some(value) = value {
                call = call.query(name, value);
            }
        }
        let body = self.head(call, Bytes::new()).await?.into_body();
        Ok(Logs { pieces: Pieces::new(body), terminal })
    }

    /// The last lines that a container wrote, both streams in the order of their coming; empty where they cannot be had.
    pub async fn last_lines(&self, id: &ContainerId, count: u64, terminal: bool) -> Vec<String> {
        let options = LogOptions { tail: Some(count), ..LogOptions::default() };
        let Ok(mut logs) = self.logs(id.as_str(), &options, terminal).await else { return vec![] };
        let mut text = Vec::new();
        while let Ok(Some((_, piece))) = logs.next().await {
            text.extend_from_slice(&piece);
        }
        let text = String::from_utf8_lossy(&text);
        text.lines().map(|line| line.trim_end_matches('\r').to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_taken_apart_when_they_are_whole() {
        let mut buffer = BytesMut::from(&b"\x01\0\0\0\0\0\0\x03out\x02\0\0\0\0\0\0\x04e"[..]);
        assert_eq!(take_piece(&mut buffer, false), Some((Channel::Output, Bytes::from_static(b"out"))));
        assert_eq!(take_piece(&mut buffer, false), None);
        buffer.extend_from_slice(b"rr\n");
        assert_eq!(take_piece(&mut buffer, false), Some((Channel::Error, Bytes::from_static(b"err\n"))));
        assert_eq!(take_piece(&mut buffer, false), None);
    }

    #[test]
    fn a_terminal_has_no_frames() {
        let mut buffer = BytesMut::from(&b"\x01\x02$ "[..]);
        assert_eq!(take_piece(&mut buffer, true), Some((Channel::Output, Bytes::from_static(b"\x01\x02$ "))));
        assert_eq!(take_piece(&mut buffer, true), None);
    }
}
