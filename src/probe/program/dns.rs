//! DNS messages (RFC 1035): queries built, answers read. Pure; a hostile answer ends in `None` or in an answer that is bounded by its
//! own length.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::question::Family;
use super::text::printable;

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The response code.
    pub code: u8,
    /// Whether the answer was cut: it must be asked for by TCP.
    pub truncated: bool,
    /// The addresses of the name, aliases followed.
    pub addresses: Vec<IpAddr>,
    /// The aliases, in order.
    pub aliases: Vec<String>,
}

/// A query; the error says what is wrong with the name.
pub fn query(id: u16, name: &str, family: Family) -> Result<Vec<u8>, String> {
    let mut packet = Vec::with_capacity(name.len() + 18);
    packet.extend(id.to_be_bytes());
    // recursion desired; one question
    packet.extend([0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]);
    let bare = name.strip_suffix('.').unwrap_or(name);
    for label in bare.split('.') {
        let length = u8::try_from(label.len()).ok().filter(|l| (1..=63).contains(l));
        let sound = label.bytes().all(|b| b.is_ascii_graphic());
        packet
            .push(length.filter(|_| sound).ok_or_else(|| format!("`{}` is no host name", printable(name.as_bytes())))?);
        packet.extend(label.bytes());
    }
    packet.push(0);
    if bare.len() > 253 {
        return Err("a name of more than 253 characters".to_owned());
    }
    packet.extend([0, record_type(family), 0, 1]);
    Ok(packet)
}

fn record_type(family: Family) -> u8 {
    match family {
        Family::V4 => 1,
        Family::V6 => 28,
    }
}

/// Reads what came; `None` where it is not an answer to `query`.
pub fn reply(packet: &[u8], query: &[u8], family: Family) -> Option<Reply> {
    let flags = u16_at(packet, 2)?;
    let (questions, answers) = (u16_at(packet, 4)?, u16_at(packet, 6)?);
    let ours = packet.get(..2)? == query.get(..2)? && flags & 0xf800 == 0x8000 && questions <= 1;
    if !ours {
        return None;
    }
    let (asked, after_name) = name_at(query, 12)?;
    let mut at = 12;
    if questions == 1 {
        let (echoed, after) = name_at(packet, at)?;
        if !echoed.eq_ignore_ascii_case(&asked)
            || packet.get(after..after + 4)? != query.get(after_name..after_name + 4)?
        {
            return None;
        }
        at = after + 4;
    }
    let mut records = Vec::new();
    for _ in 0..answers {
        // a cut answer is read as far as it goes: it is asked for again by TCP
        match record_at(packet, at) {
            Some((record, next)) => {
                records.push(record);
                at = next;
            }
            None if flags & 0x0200 != 0 => break,
            None => return None,
        }
    }
    let (addresses, aliases) = follow(asked, &records, family);
    Some(Reply { code: (flags & 0xf) as u8, truncated: flags & 0x0200 != 0, addresses, aliases })
}

/// One resource record.
struct Record {
    owner: String,
    kind: u16,
    data: RecordData,
}

enum RecordData {
    Address(IpAddr),
    Alias(String),
    Other,
}

fn record_at(packet: &[u8], at: usize) -> Option<(Record, usize)> {
    let (owner, at) = name_at(packet, at)?;
    let (kind, class) = (u16_at(packet, at)?, u16_at(packet, at + 2)?);
    let length = usize::from(u16_at(packet, at + 8)?);
    let data = packet.get(at + 10..at + 10 + length)?;
    let read = match (class, kind) {
        (1, 1) => RecordData::Address(Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).into()),
        (1, 28) => RecordData::Address(Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).into()),
        (1, 5) => RecordData::Alias(name_at(packet, at + 10)?.0),
        _ => RecordData::Other,
    };
    Some((Record { owner, kind, data: read }, at + 10 + length))
}

/// The addresses of `name` in `records`, through at most 16 aliases.
fn follow(name: String, records: &[Record], family: Family) -> (Vec<IpAddr>, Vec<String>) {
    let mut current = name;
    let mut aliases: Vec<String> = Vec::new();
    for _ in 0..16 {
        let alias = records.iter().find_map(|record| match &record.data {
            RecordData::Alias(target) if record.owner.eq_ignore_ascii_case(&current) => Some(target.clone()),
            _ => None,
        });
        match alias {
            Some(alias) => {
                aliases.push(alias.clone());
                current = alias;
            }
            None => break,
        }
    }
    let wanted = u16::from(record_type(family));
    let addresses = records.iter().filter_map(|record| match record.data {
        RecordData::Address(a) if record.kind == wanted && record.owner.eq_ignore_ascii_case(&current) => Some(a),
        _ => None,
    });
    (addresses.collect(), aliases)
}

/// The name at `at`, and where the bytes after it begin. Compression may only point backwards, so that it ends.
fn name_at(packet: &[u8], at: usize) -> Option<(String, usize)> {
    let mut labels: Vec<String> = Vec::new();
    let mut length = 0;
    let (mut cursor, mut after) = (at, None);
    loop {
        let first = *packet.get(cursor)?;
        match first >> 6 {
            0 if first == 0 => {
                return Some((labels.join("."), after.unwrap_or(cursor + 1)));
            }
            0 => {
                let end = cursor + 1 + usize::from(first);
                labels.push(printable(packet.get(cursor + 1..end)?));
                length += usize::from(first) + 1;
                cursor = end;
            }
            3 => {
                let target = usize::from(u16_at(packet, cursor)? & 0x3fff);
                after.get_or_insert(cursor + 2);
                if target >= cursor {
                    return None;
                }
                cursor = target;
            }
            _ => return None,
        }
        if length > 255 {
            return None;
        }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}
