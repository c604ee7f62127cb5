//! The short form of a mount: `[source:]target[:options]`.

use super::BadValue;

/// What a short form stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShortVolume {
    /// The host's path or the volume's key; none for a volume without a name.
    pub source: Option<String>,
    /// The path in the container, cleaned.
    pub target: String,
    /// Whether the source is a path of the host.
    pub is_bind: bool,
    /// `ro`.
    pub read_only: bool,
    /// `nocopy`.
    pub no_copy: bool,
    /// `z` or `Z`.
    pub selinux: Option<char>,
    /// `rprivate`, `shared` …
    pub propagation: Option<String>,
    /// Options that mean nothing.
    pub unknown: Vec<String>,
}

const HELP: &str = "write `target`, `source:target` or `source:target:ro`";

/// Reads a short form.
///
/// # Errors
/// When a part is empty, or there are more than three.
pub fn parse(text: &str) -> Result<ShortVolume, BadValue> {
    let bad = |why: &str| BadValue::new(format!("`{text}` is not a mount: {why}"), HELP);
    if text.is_empty() {
        return Err(bad("it is empty"));
    }
    let parts = split(text);
    if parts.iter().any(|part| part.is_empty()) {
        return Err(bad("nothing stands between two colons"));
    }
    let (source, target, options) = match parts[..] {
        [target] => (None, target, ""),
        [source, target] => (Some(source), target, ""),
        [source, target, options] => (Some(source), target, options),
        _ => return Err(bad("it has too many colons")),
    };
    let mut volume =
        ShortVolume { target: clean(target), is_bind: source.is_some_and(is_path), ..ShortVolume::default() };
    volume.source = source.map(str::to_owned);
    for option in options.split(',').filter(|o| !o.is_empty()) {
        match option {
            "ro" => volume.read_only = true,
            "rw" => volume.read_only = false,
            "nocopy" => volume.no_copy = true,
            "z" => volume.selinux = Some('z'),
            "Z" => volume.selinux = Some('Z'),
            "private" | "rprivate" | "shared" | "rshared" | "slave" | "rslave" => {
                volume.propagation = Some(option.into())
            }
            other => volume.unknown.push(other.into()),
        }
    }
    Ok(volume)
}

/// Parts between colons; the colon of a Windows drive is not one of them.
///
/// A single letter before the first colon is a drive where a backslash follows, or where a path with `/` is followed by
/// another path: `C:/data:/data`. Else it is a volume's key: `v:/data`, `v:/data:ro`.
fn split(text: &str) -> Vec<&str> {
    let drive = text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) && text.as_bytes().get(1) == Some(&b':');
    let after = text.get(2..).filter(|_| drive);
    let is_drive = after.is_some_and(|after| {
        let target = after.split_once(':').map(|(_, target)| target);
        after.starts_with('\\') || after.starts_with('/') && target.is_some_and(|t| t.starts_with('/'))
    });
    if !is_drive {
        return text.split(':').collect();
    }
    match after.and_then(|after| after.find(':')) {
        Some(colon) => std::iter::once(&text[..colon + 2]).chain(text[colon + 3..].split(':')).collect(),
        None => vec![text],
    }
}

/// Whether a source is a path of the host: it starts with `.`, `/`, `~`, a backslash or a drive.
pub fn is_path(source: &str) -> bool {
    let bytes = source.as_bytes();
    matches!(bytes.first(), Some(b'.' | b'/' | b'~' | b'\\'))
        || bytes.first().is_some_and(u8::is_ascii_alphabetic) && bytes.get(1) == Some(&b':')
}

/// A path of the container without `.`, `..`, double and trailing slashes.
pub fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = vec![];
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => drop(parts.pop()),
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_read_in_every_short_form() {
        let show = |text: &str| {
            let v = parse(text).unwrap_or_else(|e| panic!("{}", e.message));
            let kind = if v.is_bind { "bind" } else { "volume" };
            format!("{kind} {}->{}{}", v.source.unwrap_or_default(), v.target, if v.read_only { " ro" } else { "" })
        };
        for (text, expected) in [
            ("/data", "volume ->/data"),
            ("/data/../x/", "volume ->/x"),
            ("name:/data", "volume name->/data"),
            ("v:/d", "volume v->/d"),
            ("v:/d:ro", "volume v->/d ro"),
            ("./a/:/z//q", "bind ./a/->/z/q"),
            ("~/x:/h:ro", "bind ~/x->/h ro"),
            ("/a:/b:rw,ro", "bind /a->/b ro"),
            (r"C:\data:/data:ro", r"bind C:\data->/data ro"),
            ("C:/data:/data", "bind C:/data->/data"),
        ] {
            assert_eq!(show(text), expected, "{text}");
        }
    }

    #[test]
    fn options_are_told_apart() {
        let v = parse("n:/e:z,rshared,nocopy,foo").unwrap();
        assert_eq!((v.selinux, v.propagation.as_deref(), v.no_copy), (Some('z'), Some("rshared"), true));
        assert_eq!(v.unknown, ["foo"]);
    }

    #[test]
    fn what_is_no_mount_is_refused_with_a_reason() {
        for (text, why) in [("", "empty"), (":/a", "between two colons"), ("a::ro", "between"), ("a:b:c:d", "too many")]
        {
            let error = parse(text).unwrap_err().message;
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
