//! The small languages: `${…}`, environment files, ports, volumes, durations, sizes, command lines.

use bowline::compose::dotenv::{self, Format};
use bowline::compose::environment::Environment;
use bowline::compose::interpolate::Interpolator;
use bowline::compose::template::{self, Part};
use bowline::compose::value;
use bowline::finding::Findings;
use bowline::source::Files;
use bowline::yaml;

use crate::stack;

/// What these texts are made of.
pub const WORDS: &[&str] = &[
    "${",
    "}",
    "$$",
    "${A:-",
    "${A-",
    "${NO:?",
    "${NO:+",
    "${A:+",
    "$A",
    "$EMPTY",
    "NO",
    "A=",
    "export ",
    "\\n",
    "\\\"",
    "\\0101",
    " #",
    "\n",
    "\r\n",
    "\"",
    "'",
    "`",
    "$(",
    ")",
    "127.0.0.1:",
    "[::1]:",
    "8080-8081",
    "65535",
    "65536",
    ":80",
    "/udp",
    "/tcp",
    "/sctp",
    "-",
    "C:\\",
    "C:/",
    "~/",
    "./",
    "../",
    "/..",
    ":ro",
    ":rw,z",
    "nocopy",
    "rslave",
    ":/d",
    "1h",
    "30m",
    "1.5",
    ".5s",
    "9999999999",
    "µs",
    "ns",
    "w",
    "d",
    "ms",
    "+",
    "1e3",
    "1_0",
    "k",
    "kb",
    "MiB",
    "gib",
    "p",
    ";",
    "&&",
    "|",
    ">",
    "2>",
    "\\ ",
    "웹",
];

fn variables() -> Environment {
    [("A", "a"), ("EMPTY", ""), ("DOLLAR", "$A ${A}"), ("LINES", "x\ny: \"z\"")].into_iter().collect()
}

/// What is said of a template stands in it; a `$` doubled is a `$`; and in a YAML file too every place is one of the file.
pub fn template(text: &str) {
    let variables = variables();
    let lookup = |name: &str| variables.get(name).map(str::to_owned);
    let mut troubles = vec![];
    template::expand(text, &lookup, &mut troubles);
    for (range, trouble) in &troubles {
        assert!(text.get(range.clone()).is_some(), "{range:?} {trouble:?}");
    }
    for part in template::parts(text).flatten() {
        if let Part::Variable(reference) = part {
            assert!(text[reference.range].starts_with('$'));
        }
    }
    troubles.clear();
    assert_eq!(template::expand(&text.replace('$', "$$"), &lookup, &mut troubles), text);
    assert!(troubles.is_empty(), "{troubles:?}");

    let mut files = Files::new();
    let id = files.add("compose.yaml", None, text);
    let mut findings = Findings::new();
    for mut document in yaml::read(&files, id, &mut findings) {
        Interpolator::new(&variables).tree(&files, &mut document, &mut findings);
    }
    stack::check_findings(&files, &findings);
}

/// Every place is one of the file, and in the raw format what was read can be written again.
pub fn dotenv(text: &str) {
    let (outer, mut files) = (variables(), Files::new());
    let id = files.add(".env", None, text);
    for format in [Format::Compose, Format::Raw] {
        let mut findings = Findings::new();
        let read = dotenv::read(&files, id, format, &[&outer], &mut findings);
        stack::check_findings(&files, &findings);
        for (name, variable) in read.iter() {
            assert!(!name.is_empty());
            let origin = variable.origin.expect("what a file sets has a place");
            assert!(text.get(origin.range()).is_some(), "{name}: {origin:?}");
        }
        // a name alone may have brought a value of several lines along
        let is_a_line = |value: &str| !value.ends_with('\r') && !value.contains('\n');
        if format == Format::Raw && read.iter().all(|(_, v)| is_a_line(&v.value)) {
            let lines: String = read.iter().map(|(name, v)| format!("\n{name}={}", v.value)).collect();
            let again = files.add("again.env", None, lines); // a byte order mark that begins a name does not begin the file
            let back = dotenv::read(&files, again, format, &[], &mut Findings::new());
            let pairs = |e: &Environment| e.iter().map(|(n, v)| (n.to_owned(), v.value.clone())).collect::<Vec<_>>();
            assert_eq!(pairs(&back), pairs(&read));
        }
    }
}

/// A port written in full is that port.
pub fn port(text: &str) {
    let _ = (
        value::port::range(text),
        value::port::parse_exposed(text),
        value::host::parse(text),
        value::link::parse(text),
    );
    let Ok(ports) = value::port::parse(text) else { return };
    assert_eq!(ports.each().count(), ports.count());
    let host_ip = ports.host_ip.as_deref().map(|ip| format!("[{ip}]:")).unwrap_or_default();
    let published = ports.published.map(|(first, last)| format!("{first}-{last}:")).unwrap_or_default();
    let separator = if ports.published.is_none() && ports.host_ip.is_some() { ":" } else { "" };
    let (first, last) = ports.targets;
    let whole = format!("{host_ip}{published}{separator}{first}-{last}/{}", ports.protocol);
    assert_eq!(value::port::parse(&whole), Ok(ports), "{whole}");
}

/// A volume written in full is that volume; one with a backslash may have become one of Windows, and in one with `${` a
/// colon may have lost what kept it from parting.
pub fn volume(text: &str) {
    let _ = value::device::parse(text);
    let cleaned = value::volume::clean(text);
    assert_eq!(value::volume::clean(&cleaned), cleaned);
    let Ok(volume) = value::volume::parse(text) else { return };
    assert!(volume.source.as_deref() != Some("") && !volume.target.is_empty());
    assert_eq!(volume.is_bind, volume.source.as_deref().is_some_and(value::volume::is_path));
    // an option that is a path makes a drive of what stands before it, where it comes first: `C:/x:,/y` and `C:/x:/y`
    let is_odd = text.contains('\\') || text.contains("${") || volume.unknown.iter().any(|o| o.starts_with('/'));
    let Some(source) = volume.source.as_ref().filter(|_| !is_odd) else { return };
    let options = [(volume.read_only, "ro"), (volume.no_copy, "nocopy")];
    let mut options: Vec<String> = options.iter().filter(|(is, _)| *is).map(|(_, name)| (*name).to_owned()).collect();
    options.extend(volume.propagation.iter().cloned().chain(volume.selinux.map(String::from)));
    options.extend(volume.unknown.iter().cloned());
    let options = if options.is_empty() { String::new() } else { format!(":{}", options.join(",")) };
    let whole = format!("{source}:{}{options}", volume.target);
    if let Ok(again) = value::volume::parse(&whole) {
        assert_eq!(again, volume, "{whole}");
    }
}

/// A duration printed is that duration, as far as a float's fraction is exact.
pub fn duration(text: &str) {
    let Ok(duration) = value::duration::parse(text) else { return };
    assert!(duration.as_nanos() <= i64::MAX as u128);
    let again = value::duration::parse(&value::duration::format(duration)).expect("what is printed can be read");
    assert!(again.abs_diff(duration).as_nanos() <= duration.as_nanos() >> 52, "{duration:?} {again:?}");
}

/// A size printed is that size.
pub fn bytes(text: &str) {
    let Ok(bytes) = value::bytes::parse(text) else { return };
    assert!(bytes >= 0);
    let again = value::bytes::parse(&bytes.to_string()).expect("what is printed can be read");
    assert!(again.abs_diff(bytes) <= bytes as u64 >> 52, "{bytes} {again}");
}

/// Words in quotes are those words; where a line is cut, an operator stands.
pub fn words(text: &str) {
    let Ok(split) = value::words::split(text) else { return };
    if let Some(cut) = split.cut {
        assert!(text[cut..].starts_with([';', '&', '|', '<', '>']), "{cut}");
    }
    if split.words.iter().all(|word| !word.contains('\'')) {
        let quoted: Vec<String> = split.words.iter().map(|word| format!("'{word}'")).collect();
        assert_eq!(value::words::split(&quoted.join(" ")).expect("quotes are closed").words, split.words);
    }
}
