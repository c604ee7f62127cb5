//! `volumes` in their short form: `[SOURCE:]TARGET[:OPTION,…]`, measured with docker compose 2.40.3.
//!
//! One rule differs on purpose: a letter before a colon is a Windows drive only where a path and a target follow
//! (`C:\data:/data`, `C:/data:/data`). docker compose takes the named volume of `v:/data` for a drive, and makes an
//! anonymous volume at "v:/data" of it.

use super::BadValue;

/// A mount in short form, paths as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShortVolume {
    /// A path of the host or the name of a volume; none: an anonymous volume.
    pub source: Option<String>,
    /// The path in the container, cleaned: `/a/../b/` is `/b`.
    pub target: String,
    /// Whether the source is a path of the host.
    pub is_bind: bool,
    /// `ro`.
    pub read_only: bool,
    /// `nocopy`.
    pub no_copy: bool,
    /// `rprivate`, `private`, `rshared`, `shared`, `rslave` or `slave`.
    pub propagation: Option<String>,
    /// `z` or `Z`.
    pub selinux: Option<char>,
    /// Options that mean nothing, here or to docker compose.
    pub unknown: Vec<String>,
}

/// Reads a short form.
///
/// # Errors
/// When a part is empty or there are too many.
pub fn parse(text: &str) -> Result<ShortVolume, BadValue> {
    let help = "the forms are `/path`, `name:/path`, `./host:/path` and `name:/path:ro`";
    let parts = sections(text);
    if parts.iter().any(|p| p.is_empty()) {
        return Err(BadValue::new(format!("a part of the volume `{text}` is empty"), help));
    }
    let (source, target, options) = match *parts.as_slice() {
        [target] => (None, target, ""),
        [source, target] => (Some(source), target, ""),
        [source, target, options] => (Some(source), target, options),
        _ => return Err(BadValue::new(format!("the volume `{text}` has too many colons"), help)),
    };
    let is_bind = source.is_some_and(is_path);
    let source = source.map(str::to_owned);
    let mut volume = ShortVolume { source, target: clean(target), is_bind, ..ShortVolume::default() };
    for option in options.split(',').filter(|o| !o.is_empty()) {
        match option {
            "ro" => volume.read_only = true,
            "rw" => volume.read_only = false,
            "nocopy" => volume.no_copy = true,
            "rprivate" | "private" | "rshared" | "shared" | "rslave" | "slave" => {
                volume.propagation = Some(option.to_owned())
            }
            "z" => volume.selinux = Some('z'),
            "Z" => volume.selinux = Some('Z'),
            _ => volume.unknown.push(option.to_owned()),
        }
    }
    Ok(volume)
}

/// Whether a source is a path of the host and not a volume's name: it begins with `.`, `/`, `~`, `\\` or a drive.
pub fn is_path(source: &str) -> bool {
    source.starts_with(['.', '/', '~']) || source.starts_with("\\\\") || begins_with_drive(source)
}

/// `C:\` or `C:/`.
fn begins_with_drive(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':' && matches!(bytes[2], b'\\' | b'/')
}

/// The parts between colons; the colon of a drive parts nothing, nor does one within `${…}`.
fn sections(text: &str) -> Vec<&str> {
    let mut parts = vec![];
    let mut rest = text;
    loop {
        let from = if is_drive_here(rest) { 2 } else { 0 };
        match colon(&rest[from..]) {
            Some(at) => {
                parts.push(&rest[..from + at]);
                rest = &rest[from + at + 1..];
            }
            None => {
                parts.push(rest);
                return parts;
            }
        }
    }
}

/// Where the first colon outside of `${…}` stands; such variables are there where they are not to be replaced.
fn colon(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut open = 0usize;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' if at > 0 && bytes[at - 1] == b'$' => open += 1,
            b'}' => open = open.saturating_sub(1),
            b':' if open == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// Whether the section that begins here begins with a drive: always before a backslash; before a slash where a further
/// section that is a path follows, or where the target of a drive stands last (`C:/a:D:/b`).
fn is_drive_here(rest: &str) -> bool {
    if !begins_with_drive(rest) {
        return false;
    }
    if rest.as_bytes()[2] == b'\\' {
        return true;
    }
    let next = rest[2..].split_once(':').map(|(_, next)| next);
    next.is_some_and(|n| n.starts_with(['/', '\\']) || begins_with_drive(n))
}

/// A path without doubled slashes, `.` and `..` that can be taken back, and a slash at the end (Go's `path.Clean`).
pub fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = vec![];
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        let v = parse(text).unwrap_or_else(|p| panic!("{text}: {}", p.message));
        let kind = if v.is_bind { "bind" } else { "volume" };
        let mut out = format!("{kind} {} {}", v.source.as_deref().unwrap_or("-"), v.target);
        for (is, name) in [(v.read_only, " ro"), (v.no_copy, " nocopy")] {
            out.push_str(if is { name } else { "" });
        }
        v.propagation.into_iter().chain(v.selinux.map(String::from)).for_each(|o| out.push_str(&format!(" {o}")));
        v.unknown.iter().for_each(|o| out.push_str(&format!(" ignored:{o}")));
        out
    }

    #[test]
    fn short_forms_are_read_as_docker_compose_reads_them() {
        let cases = [
            ("/d", "volume - /d"),
            ("vol:/d", "volume vol /d"),
            ("vol:/d:ro", "volume vol /d ro"),
            ("vol:/d:ro,z", "volume vol /d ro z"),
            ("vol:/d:nocopy", "volume vol /d nocopy"),
            ("vol:/d:foo", "volume vol /d ignored:foo"),
            ("vol:/d:ro,rw", "volume vol /d"),
            ("./x:/d", "bind ./x /d"),
            ("~/x:/d", "bind ~/x /d"),
            ("..:/d", "bind .. /d"),
            ("/x:/d:ro,rslave", "bind /x /d ro rslave"),
            ("/x:/d:shared,slave", "bind /x /d slave"),
            ("/x:/d:Z,ro", "bind /x /d ro Z"),
            ("C:\\x:/d", "bind C:\\x /d"),
            ("C:/x:/d", "bind C:/x /d"),
            ("c:\\x:D:\\y:ro", "bind c:\\x D:\\y ro"),
            ("\\\\srv\\share:/d", "bind \\\\srv\\share /d"),
            ("vol:./d", "volume vol d"),
            ("vol:/d/", "volume vol /d"),
            ("vol:/d/../e", "volume vol /e"),
            ("/x//y:/d//e", "bind /x//y /d/e"),
            ("/x/../y:/d", "bind /x/../y /d"),
            ("/x:/d:ro,", "bind /x /d ro"),
            ("n.a:/d", "volume n.a /d"),
            (".x:/d", "bind .x /d"),
            ("vol:/", "volume vol /"),
            ("./d", "volume - d"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn a_volume_of_one_letter_is_a_volume() {
        assert_eq!(shown("v:/d"), "volume v /d");
        assert_eq!(shown("v:/d:ro"), "volume v /d ro");
        assert_eq!(shown("é:/d"), "volume é /d");
    }

    #[test]
    fn empty_parts_and_too_many_are_refused() {
        for text in ["", "::", ":/d", "/x:", "/x:/d:", "vol:/d:ro:rw"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a-cC:/\\\\.~,roé]{0,16}|.*") {
            let _ = parse(&text);
        }

        #[test]
        fn a_clean_path_stays(path in "[a-c./]{0,12}") {
            prop_assert_eq!(clean(&clean(&path)), clean(&path));
        }
    }
}
