//! A road to the Engine on which one call goes wrong: a proxy between bowline and the Engine's socket that counts requests.
//!
//! It knows as much of HTTP/1.1 as it takes to tell requests apart: heads, bodies by length or in chunks, connections that
//! become something else (101). Everything else is passed as it comes.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::oneshot;

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The Engine is not asked, and the answer is 500.
    Refused,
    /// The connection ends before the Engine is asked.
    CutBefore,
    /// The Engine does it, and the connection ends before its answer.
    CutAfter,
    /// The call arrives late.
    Late,
    /// The Engine is asked, and bowline is killed.
    Killed,
    /// The Engine is not asked, and the answer is 404, as for a container that it is just making.
    Unknown,
}

impl Fault {
    /// Every one that may meet any call.
    pub const ALL: [Self; 5] = [Self::Refused, Self::CutBefore, Self::CutAfter, Self::Late, Self::Killed];
}

/// What the answer 500 says.
pub const WORDS: &str = "refused on purpose, for a test";
/// How late a late call is: more than a container takes to start.
const DELAY: Duration = Duration::from_millis(700);

/// Which call goes wrong, and what was seen.
#[derive(Debug, Default)]
struct Seen {
    /// The calls so far, as `GET /path`.
    calls: Vec<String>,
    /// The number of the call that goes wrong, from 1 on.
    at: Option<(usize, Fault)>,
    /// That call.
    struck: Option<String>,
}

/// A proxy that lives until it is dropped.
pub struct Proxy {
    socket: PathBuf,
    shared: Arc<Shared>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

struct Shared {
    engine: PathBuf,
    seen: Mutex<Seen>,
    victim: AtomicI32,
}

impl Proxy {
    /// A proxy at `socket` before the Engine at `engine`, where `at` says which call goes wrong, and how.
    pub fn new(socket: &Path, engine: &Path, at: Option<(usize, Fault)>) -> Self {
        let seen = Mutex::new(Seen { at, ..Seen::default() });
        let shared = Arc::new(Shared { engine: engine.to_owned(), seen, victim: AtomicI32::new(0) });
        let (end, ended) = oneshot::channel();
        let (ready, listens) = std::sync::mpsc::channel();
        let (path, own) = (socket.to_owned(), shared.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = UnixListener::bind(path).unwrap();
                ready.send(()).unwrap();
                tokio::select! {
                    () = serve(listener, own) => {}
                    _ = ended => {}
                }
            });
        });
        listens.recv().unwrap();
        Self { socket: socket.to_owned(), shared, end: Some(end), thread: Some(thread) }
    }

    /// `DOCKER_HOST` for whoever is to take this road.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Counts anew, and from now on this call goes wrong.
    pub fn strike(&self, at: Option<(usize, Fault)>) {
        *self.shared.seen.lock().unwrap() = Seen { at, ..Seen::default() };
        self.shared.victim.store(0, Ordering::SeqCst);
    }

    /// Who is killed by [`Fault::Killed`].
    pub fn victim(&self, process: u32) {
        self.shared.victim.store(process.try_into().unwrap(), Ordering::SeqCst);
    }

    /// The calls so far.
    pub fn calls(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().calls.clone()
    }

    /// The call that went wrong, if it came to that.
    pub fn struck(&self) -> Option<String> {
        self.shared.seen.lock().unwrap().struck.clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.end.take());
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
        let _ = std::fs::remove_file(&self.socket);
    }
}

impl Shared {
    /// Counts a call, and says what happens to it.
    fn count(&self, head: &[u8]) -> Option<Fault> {
        let line = String::from_utf8_lossy(head);
        let call = line.split(" HTTP/").next().unwrap_or_default().to_owned();
        let mut seen = self.seen.lock().unwrap();
        seen.calls.push(call.clone());
        let fault = seen.at.filter(|(number, _)| *number == seen.calls.len()).map(|(_, fault)| fault)?;
        seen.struck = Some(call);
        Some(fault)
    }

    /// Kills whoever is to be killed, as soon as it is known who that is.
    async fn kill(&self) {
        loop {
            if let Some(pid) = rustix::process::Pid::from_raw(self.victim.load(Ordering::SeqCst)) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

async fn serve(listener: UnixListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        // an end that comes too early is what this is for
        drop(tokio::spawn(connection(stream, shared.clone())));
    }
}

/// One end of a connection, with what was read of it and not used.
struct Reader {
    half: OwnedReadHalf,
    buffer: BytesMut,
}

impl Reader {
    /// Reads more; false at the end. It may be given up at any time.
    async fn more(&mut self) -> io::Result<bool> {
        Ok(self.half.read_buf(&mut self.buffer).await? > 0)
    }

    /// Returns when the other side has closed, and keeps what it sends until then.
    async fn gone(&mut self) {
        while matches!(self.more().await, Ok(true)) {}
    }

    /// The head of a message, with its empty line.
    async fn head(&mut self) -> io::Result<Option<BytesMut>> {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                return Ok(Some(self.buffer.split_to(end + 4)));
            }
            if !self.more().await? {
                return Ok(None);
            }
        }
    }

    /// The body of a message, passed on to `to`, where there is one, as it comes.
    async fn body(&mut self, body: Body, mut to: Option<&mut OwnedWriteHalf>) -> io::Result<()> {
        let mut left = match body {
            Body::Length(length) => Left::Bytes(length),
            Body::Chunks => Left::Chunks(Chunk::Size(0, false)),
            Body::ToTheEnd => Left::Everything,
        };
        loop {
            let (take, ended) = left.take(&self.buffer);
            if let Some(to) = &mut to {
                to.write_all(&self.buffer[..take]).await?;
            }
            self.buffer.advance(take);
            if ended {
                return Ok(());
            }
            if !self.more().await? {
                return if matches!(left, Left::Everything) {
                    Ok(())
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                };
            }
        }
    }
}

/// How long a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    Length(usize),
    Chunks,
    ToTheEnd,
}

/// What is still to come of a body.
enum Left {
    Bytes(usize),
    Chunks(Chunk),
    Everything,
}

/// Where in a body of chunks we are (RFC 9112, 7.1).
#[derive(Clone, Copy)]
enum Chunk {
    /// In the line of a size; whether its digits are over.
    Size(usize, bool),
    /// In a chunk, with its line end.
    Data(usize),
    /// After the last chunk: how much of the empty line was seen.
    Last(usize),
}

impl Left {
    /// How many of these bytes belong to the body, and whether it ends with them.
    fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        match self {
            Self::Everything => (bytes.len(), false),
            Self::Bytes(left) => {
                let take = bytes.len().min(*left);
                *left -= take;
                (take, *left == 0)
            }
            Self::Chunks(state) => {
                for (place, byte) in bytes.iter().enumerate() {
                    *state = match *state {
                        Chunk::Size(0, _) if *byte == b'\n' => Chunk::Last(0),
                        Chunk::Size(size, _) if *byte == b'\n' => Chunk::Data(size + 2),
                        Chunk::Size(size, false) => match (*byte as char).to_digit(16) {
                            Some(digit) => Chunk::Size(size * 16 + digit as usize, false),
                            None => Chunk::Size(size, true),
                        },
                        Chunk::Size(size, true) => Chunk::Size(size, true),
                        Chunk::Data(1) => Chunk::Size(0, false),
                        Chunk::Data(left) => Chunk::Data(left - 1),
                        Chunk::Last(1) if *byte == b'\n' => return (place + 1, true),
                        Chunk::Last(_) => Chunk::Last(usize::from(*byte == b'\r')),
                    };
                }
                (bytes.len(), false)
            }
        }
    }
}

/// The value of a header, in lower case.
fn header(head: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    text.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim().to_owned()))
}

/// What follows the head of a request.
fn request_body(head: &[u8]) -> Body {
    match header(head, "content-length").and_then(|length| length.parse().ok()) {
        Some(length) => Body::Length(length),
        None if header(head, "transfer-encoding").is_some() => Body::Chunks,
        None => Body::Length(0),
    }
}

/// What follows the head of the answer to `request`; none where the connection is no longer HTTP's.
fn answer_body(request: &[u8], head: &[u8]) -> Option<Body> {
    let status = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    match status {
        b"101" => None,
        b"204" | b"304" => Some(Body::Length(0)),
        _ if request.starts_with(b"HEAD ") => Some(Body::Length(0)),
        _ if header(head, "transfer-encoding").is_some() => Some(Body::Chunks),
        _ => Some(match header(head, "content-length").and_then(|length| length.parse().ok()) {
            Some(length) => Body::Length(length),
            None => Body::ToTheEnd,
        }),
    }
}

/// One connection of bowline's, with one of our own behind it.
async fn connection(stream: UnixStream, shared: Arc<Shared>) -> io::Result<()> {
    let (half, mut to_client) = stream.into_split();
    let mut client = Reader { half, buffer: BytesMut::new() };
    let (half, mut to_engine) = UnixStream::connect(&shared.engine).await?.into_split();
    let mut engine = Reader { half, buffer: BytesMut::new() };
    while let Some(request) = client.head().await? {
        let fault = shared.count(&request);
        match fault {
            Some(fault @ (Fault::Refused | Fault::Unknown)) => {
                client.body(request_body(&request), None).await?;
                let status = if fault == Fault::Refused { "500 Internal Server Error" } else { "404 Not Found" };
                let body = serde_json::json!({ "message": WORDS }).to_string();
                let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json");
                to_client
                    .write_all(format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes())
                    .await?;
                continue;
            }
            Some(Fault::CutBefore) => return Ok(()),
            Some(Fault::Late) => tokio::time::sleep(DELAY).await,
            Some(Fault::CutAfter | Fault::Killed) | None => {}
        }
        to_engine.write_all(&request).await?;
        client.body(request_body(&request), Some(&mut to_engine)).await?;
        if fault == Some(Fault::Killed) {
            shared.kill().await;
            client.gone().await;
            return Ok(());
        }
        // whoever is gone does not wait for an answer, and the Engine sees that as it would without us
        let answer = tokio::select! {
            answer = engine.head() => answer?,
            () = client.gone() => return Ok(()),
        };
        let Some(answer) = answer else { return Ok(()) };
        let body = answer_body(&request, &answer);
        if fault == Some(Fault::CutAfter) {
            if let Some(body @ (Body::Length(_) | Body::Chunks)) = body
                && !is_endless(&request)
            {
                engine.body(body, None).await?;
            }
            return Ok(());
        }
        to_client.write_all(&answer).await?;
        match body {
            Some(body) => tokio::select! {
                passed = engine.body(body, Some(&mut to_client)) => passed?,
                () = client.gone() => return Ok(()),
            },
            None => return both_ways(client, to_client, engine, to_engine).await,
        }
        if body == Some(Body::ToTheEnd) {
            return Ok(());
        }
    }
    Ok(())
}

/// Whether the answer to a request goes on until somebody has enough.
fn is_endless(request: &[u8]) -> bool {
    let line = String::from_utf8_lossy(request.split(|byte| *byte == b'\r').next().unwrap_or_default()).into_owned();
    line.contains("/events") || line.contains("follow=")
}

/// Passes bytes in both directions, each to its own end.
async fn both_ways(
    mut client: Reader,
    mut to_client: OwnedWriteHalf,
    mut engine: Reader,
    mut to_engine: OwnedWriteHalf,
) -> io::Result<()> {
    let there = async {
        client.body(Body::ToTheEnd, Some(&mut to_engine)).await?;
        to_engine.shutdown().await
    };
    let back = async {
        engine.body(Body::ToTheEnd, Some(&mut to_client)).await?;
        to_client.shutdown().await
    };
    tokio::try_join!(there, back).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_of_chunks_ends_where_it_ends() {
        let whole = b"5\r\nhello\r\n1a;x=y\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\nHTTP";
        for cut in 0..whole.len() - 4 {
            let mut left = Left::Chunks(Chunk::Size(0, false));
            let (first, ended) = left.take(&whole[..cut]);
            assert_eq!((first, ended), (cut, false));
            assert_eq!(left.take(&whole[cut..]), (whole.len() - 4 - cut, true), "cut at {cut}");
        }
    }
}
