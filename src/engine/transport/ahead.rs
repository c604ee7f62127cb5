//! Many reads of an Engine on this machine, asked before the answers to those before have come (HTTP/1.1 pipelining, RFC 9112, 9.3.2; hyper does
//! not do it). Neither side then sleeps and wakes between two of them, which costs more than to answer does: fifty inspections over two
//! connections take 7.6 ms when each waits for its answer, and 5.0 ms so (two cores, Engine 28.5).
//!
//! This is a shorter road, and never the only one: what does not come back whole is the caller's to ask on the usual one, which also
//! tells what went wrong.

use std::io;
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use futures_util::future::join_all;
use http::Method;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::{Exchange, Transport};
use crate::engine::Address;

/// Connections side by side. Three and four were no quicker on two cores, and each is to be made.
const ROADS: usize = 2;
/// Requests that are written before the first answer is read: what the Engine's buffer of 4 KiB and a socket's take without
/// waiting for a reader.
const AHEAD: usize = 32;
/// How long one answer may take, before the usual road is tried, which is patient.
const PATIENCE: Duration = Duration::from_secs(10);
/// Room for reading.
const ROOM: usize = 16 * 1024;
/// More headers than an Engine sends.
const HEADERS: usize = 32;

impl Transport {
    /// Asks for `paths`, and has each answer of status 200 at its place, as `decode` makes it. None for another status or an answer
    /// that is no JSON of this kind, and for all where there is no such road: elsewhere than on this machine, and where a gate
    /// is to see each request or headers go with it.
    pub(in crate::engine) async fn ahead<T: DeserializeOwned, U>(
        &self,
        paths: &[String],
        decode: impl Fn(T) -> U,
    ) -> Vec<Option<U>> {
        let mut answers: Vec<Option<U>> = paths.iter().map(|_| None).collect();
        let (Address::Unix(socket), None) = (&self.address, &self.options.gate) else { return answers };
        if !self.options.headers.is_empty() {
            return answers;
        }
        let roads = (0..ROADS.min(paths.len())).map(|road| {
            let own = paths.iter().enumerate().skip(road).step_by(ROADS);
            let decode = &decode;
            async move {
                let mut got = vec![];
                // an end that comes too early leaves the rest to the usual road
                let _ = self
                    .one_road(socket, own, |place, text| got.push((place, serde_json::from_str(text).ok().map(decode))))
                    .await;
                got
            }
        });
        for (place, answer) in join_all(roads).await.into_iter().flatten() {
            answers[place] = answer;
        }
        answers
    }

    /// Asks all on one connection; `got` has the text of each answer of status 200.
    async fn one_road<'a>(
        &self,
        socket: &std::path::Path,
        paths: impl Iterator<Item = (usize, &'a String)>,
        mut got: impl FnMut(usize, &str),
    ) -> io::Result<()> {
        let mut road = Road { stream: UnixStream::connect(socket).await?, unread: BytesMut::new(), body: vec![] };
        let mut paths = paths.peekable();
        while paths.peek().is_some() {
            let asked: Vec<(usize, String)> =
                paths.by_ref().take(AHEAD).map(|(place, path)| (place, self.versioned(path))).collect();
            let requests: String =
                asked.iter().map(|(_, path)| format!("GET {path} HTTP/1.1\r\nhost: engine\r\n\r\n")).collect();
            let started = Instant::now();
            road.stream.write_all(requests.as_bytes()).await?;
            for (place, path) in asked {
                let status = tokio::time::timeout(PATIENCE, road.answer()).await??;
                if let Some(log) = &self.options.log {
                    log(&Exchange { method: Method::GET, path, outcome: Ok(status), took: started.elapsed() });
                }
                if let (200, Ok(text)) = (status, std::str::from_utf8(&road.body)) {
                    got(place, text);
                }
            }
        }
        Ok(())
    }
}

/// One connection, and what was read of it.
struct Road {
    stream: UnixStream,
    unread: BytesMut,
    /// The body of the last answer.
    body: Vec<u8>,
}

impl Road {
    /// Reads the next answer; its body is in `self.body` then.
    async fn answer(&mut self) -> io::Result<u16> {
        let (status, length) = loop {
            if let Some((size, status, length)) = head(&self.unread)? {
                self.unread.advance(size);
                break (status, length);
            }
            self.more().await?;
        };
        self.body.clear();
        match length {
            Length::Known(length) => self.take(length).await?,
            Length::Chunks => self.chunks().await?,
        }
        Ok(status)
    }

    /// The chunks of a body (RFC 9112, 7.1).
    async fn chunks(&mut self) -> io::Result<()> {
        loop {
            let parsed = httparse::parse_chunk_size(&self.unread).map_err(|_| bad("a chunk without its size"))?;
            let httparse::Status::Complete((start, size)) = parsed else {
                self.more().await?;
                continue;
            };
            self.unread.advance(start);
            self.take(usize::try_from(size).map_err(io::Error::other)?).await?;
            // the line's end; an Engine sends no trailers
            while self.unread.len() < 2 {
                self.more().await?;
            }
            if !self.unread.starts_with(b"\r\n") {
                return Err(bad("a chunk that does not end"));
            }
            self.unread.advance(2);
            if size == 0 {
                return Ok(());
            }
        }
    }

    /// Moves so many bytes into the body.
    async fn take(&mut self, mut left: usize) -> io::Result<()> {
        loop {
            let size = left.min(self.unread.len());
            self.body.extend_from_slice(&self.unread[..size]);
            self.unread.advance(size);
            left -= size;
            if left == 0 {
                return Ok(());
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> io::Result<()> {
        self.unread.reserve(ROOM);
        match self.stream.read_buf(&mut self.unread).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// How long a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Known(usize),
    Chunks,
}

/// The size of an answer's head, its status, and what follows it; none where it is not whole yet.
fn head(bytes: &[u8]) -> io::Result<Option<(usize, u16, Length)>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut answer = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(size) = answer.parse(bytes).map_err(io::Error::other)? else { return Ok(None) };
    let value = |name: &str| {
        let header = answer.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        header.map(|header| String::from_utf8_lossy(header.value))
    };
    let length = match (value("transfer-encoding"), value("content-length")) {
        (Some(coding), _) if coding.eq_ignore_ascii_case("chunked") => Length::Chunks,
        (None, Some(length)) => Length::Known(length.trim().parse().map_err(io::Error::other)?),
        _ => return Err(bad("an answer without its length")),
    };
    Ok(Some((size, answer.code.unwrap_or_default(), length)))
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::super::tests::block_on;
    use super::*;

    const CHUNKS: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1a;x=y\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n";
    const KNOWN: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\ngone";

    /// What is read where the Engine sends `parts`, one after the other, and closes.
    async fn read(parts: &[&str], answers: usize) -> Vec<io::Result<(u16, String)>> {
        let (stream, mut engine) = UnixStream::pair().unwrap();
        let mut road = Road { stream, unread: BytesMut::new(), body: vec![] };
        let writes = async move {
            for part in parts {
                engine.write_all(part.as_bytes()).await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let reads = async {
            let mut all = vec![];
            for _ in 0..answers {
                let status = road.answer().await;
                all.push(status.map(|status| (status, String::from_utf8(road.body.clone()).unwrap())));
            }
            all
        };
        futures_util::join!(writes, reads).1
    }

    #[test]
    fn answers_are_told_apart_wherever_they_are_cut() {
        let whole = format!("{CHUNKS}{KNOWN}");
        for cut in 0..whole.len() {
            let read: Vec<_> =
                block_on(read(&[&whole[..cut], &whole[cut..]], 2)).into_iter().map(Result::unwrap).collect();
            assert_eq!(read[0], (200, "helloabcdefghijklmnopqrstuvwxyz".to_owned()), "cut at {cut}");
            assert_eq!(read[1], (404, "gone".to_owned()), "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_whole_answer_is_an_error() {
        for (sent, kind) in [
            (&CHUNKS[..CHUNKS.len() - 3], io::ErrorKind::UnexpectedEof),
            (&KNOWN[..KNOWN.len() - 1], io::ErrorKind::UnexpectedEof),
            ("HTTP/1.1 200 OK\r\n\r\nto the end", io::ErrorKind::InvalidData),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", io::ErrorKind::InvalidData),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", io::ErrorKind::InvalidData),
            ("SSH-2.0-OpenSSH\r\n\r\n", io::ErrorKind::Other),
        ] {
            let read = block_on(read(&[sent], 1)).remove(0);
            assert_eq!(read.unwrap_err().kind(), kind, "{sent}");
        }
    }
}
