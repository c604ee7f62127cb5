//! The names of images, in the grammar of the registries (distribution/reference).

use crate::compose::model::{MountSource, Project, is_registry};
use crate::finding::{Code, Finding, Findings};

/// Bytes of a name without tag and digest.
const LONGEST: usize = 255;

/// A name that the Engine takes for no image's (`invalid reference format`), most often for want of a variable.
pub(super) fn check_names(project: &Project, findings: &mut Findings) {
    for service in project.services.values() {
        let run = service.image.iter().map(|image| (image.as_str(), image.span));
        let mounted = service.mounts.iter().filter_map(|mount| match &mount.value.source {
            MountSource::Image { source, .. } => Some((source.as_str(), mount.span)),
            _ => None,
        });
        for (image, at) in run.chain(mounted).filter(|(image, _)| !image.is_empty()) {
            let Some(why) = fault(image) else { continue };
            let message = format!("{} has the image `{image}`, which cannot be one: {why}", service.name);
            let finding = Finding::error(Code::BadName, message).at(at);
            findings
                .push(finding.help("[HOST[:PORT]/]NAME[:TAG][@DIGEST], as in `registry.example:5000/team/app:1.2`"));
        }
    }
}

/// What is wrong with a reference.
fn fault(text: &str) -> Option<&'static str> {
    let hexadecimal = |text: &str| text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if text.strip_prefix("sha256:").is_some_and(hexadecimal) {
        return None;
    }
    if hexadecimal(text) {
        return None;
    }
    let (rest, digest) = text.split_once('@').map_or((text, None), |(rest, digest)| (rest, Some(digest)));
    if !digest.is_none_or(is_digest) {
        return Some("after `@` comes a digest, as in `sha256:0123…`");
    }
    // a colon before the last slash is a port's
    let end = rest.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match rest[end..].find(':') {
        Some(colon) => (&rest[..end + colon], Some(&rest[end + colon + 1..])),
        None => (rest, None),
    };
    match tag {
        Some("") => return Some("nothing follows the `:` before its tag"),
        Some(tag) if !is_tag(tag) => {
            return Some(
                "its tag has other characters than letters, digits, `_`, `.` and `-`, begins with one of the last two, or is longer than 128",
            );
        }
        _ => {}
    }
    let (host, path) = match name.split_once('/') {
        Some((host, path)) if is_registry(host) => (Some(host), path),
        _ => (None, name),
    };
    if host.is_some_and(|host| !is_host(host)) {
        return Some("what stands before the first `/` is no host");
    }
    if name.len() > LONGEST {
        return Some("it has more than 255 characters");
    }
    if path.split('/').any(str::is_empty) {
        return Some("a part of its name is empty");
    }
    if path.bytes().any(|b| b.is_ascii_uppercase()) {
        return Some("its name has capitals");
    }
    (!path.split('/').all(is_component)).then_some(
        "its name has other characters than letters and digits, parted by one `.`, one or two `_`, or any `-`",
    )
}

fn is_host(text: &str) -> bool {
    let (host, port) = match text.rfind(':').filter(|colon| !text[*colon..].contains(']')) {
        Some(colon) => (&text[..colon], Some(&text[colon + 1..])),
        None => (text, None),
    };
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let named = |label: &str| {
        let ends = [label.bytes().next(), label.bytes().last()];
        ends.iter().all(|end| end.is_some_and(|b| b.is_ascii_alphanumeric()))
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
        && address.map_or_else(
            || host.split('.').all(named),
            |address| address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':'),
        )
}

fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
}

/// `algorithm:hexadecimal`, of at least 32 digits.
fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, digits)| {
        let word = |part: &str| {
            part.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
                && part.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        algorithm.split(['-', '_', '+', '.']).all(word)
            && digits.len() >= 32
            && digits.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

/// Letters and digits, with `.`, `_`, `__` or any number of `-` between them.
fn is_component(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_digit() || b.is_ascii_lowercase();
    let between: Vec<&str> =
        text.split(|c: char| c.is_ascii() && word(c as u8)).filter(|part| !part.is_empty()).collect();
    let ends = [text.bytes().next(), text.bytes().last()];
    ends.iter().all(|end| end.is_some_and(word))
        && between.iter().all(|part| matches!(*part, "." | "_" | "__") || part.bytes().all(|b| b == b'-'))
}

#[cfg(test)]
mod tests {
    use super::fault;
    use crate::compose::load_text;

    #[test]
    fn what_a_registry_or_an_engine_can_have_is_taken() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        for text in [
            "busybox",
            "busybox:1.36",
            "library/busybox",
            "localhost/x",
            "localhost:5000/team/app:V1.2_3-rc",
            "REGISTRY/app",
            "registry.example/a__b/c---d.e_f:1",
            "[fd00::1]:5000/x",
            "10.0.0.1:80/x",
            &format!("x@{digest}"),
            &format!("x.y:5/z:1@{digest}"),
            &digest,
            &"0a".repeat(32),
            "0a0a",
            "x:_y",
        ] {
            assert_eq!(fault(text), None, "{text}");
        }
    }

    #[test]
    fn what_none_can_have_is_told_with_its_reason() {
        for (text, why) in [
            ("app:", "nothing follows"),
            ("localhost:5000/app:", "nothing follows"),
            ("app:a b", "its tag"),
            ("app:-1", "its tag"),
            ("app@sha256:12", "a digest"),
            ("App", "capitals"),
            ("team/App:1", "capitals"),
            ("/app", "empty"),
            ("a//b", "empty"),
            ("a.b:/c", "no host"),
            ("-.b/c", "no host"),
            ("a___b", "other characters"),
            ("a/.b", "other characters"),
            ("a b", "other characters"),
            ("é", "other characters"),
            (&"a".repeat(256), "255"),
        ] {
            assert!(fault(text).is_some_and(|told| told.contains(why)), "{text}: {:?}", fault(text));
        }
    }

    #[test]
    fn it_is_told_with_its_place() {
        let loaded = load_text("c.yaml", "services: {a: {image: 'x/y:${NO_SUCH_TAG}'}, b: {build: ., image: z}}");
        let told: Vec<_> = loaded.findings.iter().map(|f| (f.code.to_string(), f.at.is_some())).collect();
        assert_eq!(told, [("bad-name".to_owned(), true), ("unset-variable".to_owned(), true)]);
    }
}
