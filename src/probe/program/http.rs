//! HTTP/1.1 answers, read as they come (RFC 9112). Pure, and bounded in both parts.

use super::text::printable_lines;

/// The head may be so long.
const LONGEST_HEAD: usize = 16 * 1024;
/// So much of the body is kept.
const LONGEST_BODY: usize = 64 * 1024;

/// How the body's end is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
    UntilClosed,
}

/// An answer under way.
#[derive(Debug, Default)]
pub struct Response {
    head: Vec<u8>,
    body: Vec<u8>,
    parsed: Option<(u16, Framing)>,
    /// What is left of the chunk, while one is read.
    chunk: Option<usize>,
    /// A line of chunked framing under way.
    line: Vec<u8>,
    after_last: bool,
    state: State,
}

/// Whether more is needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Yes.
    #[default]
    More,
    /// All of it is there.
    Whole,
    /// The body is longer than what is kept.
    Full,
    /// It is no HTTP answer, or the framing breaks off.
    Broken,
}

impl Response {
    /// Takes what came.
    pub fn feed(&mut self, bytes: &[u8]) -> State {
        let mut rest = bytes;
        while self.state == State::More && !rest.is_empty() {
            rest = if self.parsed.is_some() { self.feed_body(rest) } else { self.feed_head(rest) };
        }
        self.state
    }

    /// The other side closed: the end of a body without another.
    pub fn close(&mut self) -> State {
        if self.state == State::More {
            self.state = match self.parsed {
                Some((_, Framing::UntilClosed)) => State::Whole,
                _ => State::Broken,
            };
        }
        self.state
    }

    /// The status, once the head is there.
    pub fn status(&self) -> Option<u16> {
        self.parsed.map(|(status, _)| status)
    }

    /// The body so far.
    pub fn body(&self) -> String {
        printable_lines(&self.body)
    }

    /// Takes from the head, to its empty line; gives back what is behind it.
    fn feed_head<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let from = self.head.len().saturating_sub(3);
        let room = (LONGEST_HEAD - self.head.len()).min(bytes.len());
        let before = self.head.len();
        self.head.extend_from_slice(&bytes[..room]);
        let Some((end, skip)) = end_of_head(&self.head, from) else {
            if self.head.len() >= LONGEST_HEAD {
                self.state = State::Broken;
            }
            return &bytes[room..];
        };
        match parse_head(&self.head[..end]) {
            Some((status, _)) if (100..200).contains(&status) && status != 101 => {}
            Some((status, framing)) => {
                self.parsed = Some((status, framing));
                if matches!(status, 101 | 204 | 304) || framing == Framing::Length(0) {
                    self.state = State::Whole;
                }
            }
            None => self.state = State::Broken,
        }
        self.head.clear();
        &bytes[(end + skip).saturating_sub(before)..]
    }

    /// Takes from the body.
    fn feed_body<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let framing = self.parsed.map(|(_, framing)| framing);
        match (framing, self.chunk) {
            (Some(Framing::Chunked), None) => self.feed_chunk_line(bytes),
            (Some(Framing::Chunked), Some(left)) => {
                let take = left.min(bytes.len());
                self.keep(&bytes[..take]);
                self.chunk = (take < left).then_some(left - take);
                &bytes[take..]
            }
            (Some(Framing::Length(length)), _) => {
                let take = length.saturating_sub(self.body.len()).min(bytes.len());
                self.keep(&bytes[..take]);
                if self.body.len() >= length && self.state == State::More {
                    self.state = State::Whole;
                }
                &[]
            }
            _ => {
                self.keep(bytes);
                &[]
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = (LONGEST_BODY - self.body.len()).min(bytes.len());
        self.body.extend_from_slice(&bytes[..room]);
        if room < bytes.len() {
            self.state = State::Full;
        }
    }

    /// Takes a line of the chunked framing: a size, the end of a chunk, or a trailer.
    fn feed_chunk_line<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let end = bytes.iter().position(|&b| b == b'\n');
        self.line.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
        if self.line.len() > 1024 {
            self.state = State::Broken;
        }
        let Some(end) = end else { return &[] };
        let line = std::mem::take(&mut self.line);
        let line = line.trim_ascii();
        if self.after_last {
            if line.is_empty() {
                self.state = State::Whole;
            }
        } else if !line.is_empty() {
            let digits = line.split(|&b| b == b';').next().unwrap_or_default();
            let size = std::str::from_utf8(digits).ok().and_then(|d| usize::from_str_radix(d.trim(), 16).ok());
            match size {
                Some(0) => self.after_last = true,
                Some(size) => self.chunk = Some(size),
                None => self.state = State::Broken,
            }
        }
        &bytes[end + 1..]
    }
}

/// Where the head ends, and how long its empty line is; `from`: nothing before can be it.
fn end_of_head(head: &[u8], from: usize) -> Option<(usize, usize)> {
    let tail = &head[from..];
    let strict = tail.windows(4).position(|w| w == b"\r\n\r\n").map(|at| (from + at, 4));
    let lenient = tail.windows(2).position(|w| w == b"\n\n").map(|at| (from + at, 2));
    [strict, lenient].into_iter().flatten().min()
}

/// The status and the framing that a head tells.
fn parse_head(head: &[u8]) -> Option<(u16, Framing)> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.lines();
    let mut words = lines.next()?.split(' ');
    if !matches!(words.next()?, "HTTP/1.1" | "HTTP/1.0") {
        return None;
    }
    let digits = words.next()?;
    let status = digits.parse().ok().filter(|s| digits.len() == 3 && (100..1000).contains(s))?;
    let mut framing = Framing::UntilClosed;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        if name.eq_ignore_ascii_case("transfer-encoding") && value.to_ascii_lowercase().ends_with("chunked") {
            framing = Framing::Chunked;
        } else if name.eq_ignore_ascii_case("content-length") && framing != Framing::Chunked {
            framing = Framing::Length(value.parse().ok()?);
        }
    }
    Some((status, framing))
}
