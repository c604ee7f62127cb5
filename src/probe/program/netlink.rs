//! Netlink's frames: messages built and taken apart. Pure; every length is checked, whatever the bytes say.

/// A message that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// `RTM_NEWLINK` and so on.
    pub kind: u16,
    /// `NLM_F_*`.
    pub flags: u16,
    /// The number of the request.
    pub sequence: u32,
    /// What follows the header.
    pub body: &'a [u8],
}

/// The messages in a datagram, up to the first that is cut or impossible.
pub fn messages(bytes: &[u8]) -> impl Iterator<Item = Message<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = usize::try_from(u32_at(rest, 0)?).ok()?;
        let body = rest.get(16..length)?;
        let message = Message { kind: u16_at(rest, 4)?, flags: u16_at(rest, 6)?, sequence: u32_at(rest, 8)?, body };
        rest = rest.get(padded(length)..).unwrap_or_default();
        Some(message)
    })
}

/// The attributes in `bytes`, by number without the flags for nesting and byte order, up to the first that is cut.
pub fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = usize::from(u16_at(rest, 0)?);
        let value = rest.get(4..length)?;
        let kind = u16_at(rest, 2)? & 0x3fff;
        rest = rest.get(padded(length)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// A request under construction.
pub struct Request(Vec<u8>);

impl Request {
    /// Begins one with the fixed part of its body.
    pub fn new(kind: u16, flags: u16, fixed: &[u8]) -> Self {
        let mut bytes = vec![0; 16];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&flags.to_ne_bytes());
        bytes.extend_from_slice(fixed);
        Self(bytes)
    }

    /// Adds an attribute.
    pub fn attribute(self, kind: u16, value: &[u8]) -> Self {
        self.nested(kind, |inner| inner.raw(value))
    }

    /// Adds an attribute that holds what `fill` adds.
    pub fn nested(mut self, kind: u16, fill: impl FnOnce(Self) -> Self) -> Self {
        let start = self.0.len();
        self.0.extend([0; 2]);
        self.0.extend(kind.to_ne_bytes());
        let mut filled = fill(self);
        let length = (filled.0.len() - start) as u16;
        filled.0[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        filled.0.resize(padded(filled.0.len()), 0);
        filled
    }

    /// Adds bytes as they are.
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// The finished message.
    pub fn finish(mut self, sequence: u32) -> Vec<u8> {
        let length = self.0.len() as u32;
        self.0[..4].copy_from_slice(&length.to_ne_bytes());
        self.0[8..12].copy_from_slice(&sequence.to_ne_bytes());
        self.0
    }
}

/// The errno in an `NLMSG_ERROR`; 0: an acknowledgement. `None` when it is cut.
pub fn error_number(body: &[u8]) -> Option<i32> {
    Some((u32_at(body, 0)? as i32).wrapping_neg())
}

/// A number of 16 bits at `at`.
pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// A number of 32 bits at `at`.
pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// A text, up to its closing zero.
pub fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    super::text::printable(&bytes[..end])
}

fn padded(length: usize) -> usize {
    (length + 3) & !3
}
