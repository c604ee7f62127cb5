//! The texts that a project is made of: read once, limited in size, with the place that asked in every complaint.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

use crate::finding::{Code, Finding, Findings, nearest};
use crate::source::{FileId, Files, Span};

/// The largest file that is read: 16 MiB. A stack of 2,000 services has one.
pub const SIZE_LIMIT: u64 = 16 << 20;

/// How many files one project may consist of.
pub const COUNT_LIMIT: usize = 10_000;

/// Reads files and keeps them.
#[derive(Debug, Default)]
pub struct Sources {
    files: Files,
    current_dir: PathBuf,
    stdin: Option<Vec<u8>>,
    /// What was read, by cleaned absolute path; none where it could not be.
    known: BTreeMap<PathBuf, Option<FileId>>,
}

/// Who asked for a file: what to call it, and where it is named.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// "the stack file", "the file to extend from" …
    pub what: &'a str,
    /// Where a file names it.
    pub at: Option<Span>,
}

impl Sources {
    /// For a process that stands in `current_dir`; `stdin` takes the place of its standard input.
    pub fn new(current_dir: impl Into<PathBuf>, stdin: Option<Vec<u8>>) -> Self {
        Self { current_dir: current_dir.into(), stdin, ..Self::default() }
    }

    /// All texts that were read so far.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// The texts, to add one that no file holds.
    pub fn files_mut(&mut self) -> &mut Files {
        &mut self.files
    }

    /// The texts, when nothing more will be read.
    pub fn into_files(self) -> Files {
        self.files
    }

    /// The absolute path without `.` and `..`; relative ones start from the current directory.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        clean(&self.current_dir.join(path))
    }

    /// Reads a file; the second time it costs nothing. None after a finding.
    pub fn read(&mut self, path: &Path, asked: Asked<'_>, findings: &mut Findings) -> Option<FileId> {
        let absolute = self.absolute(path);
        if let Some(Some(id)) = self.known.get(&absolute) {
            return Some(*id);
        }
        let name = self.shown(&absolute);
        let bytes = match self.bytes(&absolute) {
            Ok(bytes) => bytes,
            Err(error) => {
                findings.push(unreadable(&absolute, &name, &error, asked));
                self.known.insert(absolute, None);
                return None;
            }
        };
        let id = self.add(name, Some(&absolute), bytes, asked, findings);
        self.known.insert(absolute, id);
        id
    }

    /// Reads a file that need not be there.
    pub fn read_optional(&mut self, path: &Path, asked: Asked<'_>, findings: &mut Findings) -> Option<FileId> {
        if self.absolute(path).exists() { self.read(path, asked, findings) } else { None }
    }

    /// Reads standard input.
    pub fn read_stdin(&mut self, findings: &mut Findings) -> Option<FileId> {
        let key = PathBuf::from("-");
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let asked = Asked { what: "the stack file", at: None };
        let bytes = match self.stdin.take() {
            Some(bytes) => Ok(bytes),
            None => limited(std::io::stdin().lock()),
        };
        let id = match bytes {
            Ok(bytes) => self.add("<stdin>".to_owned(), None, bytes, asked, findings),
            Err(error) => {
                findings.push(unreadable(&key, "<stdin>", &error, asked));
                None
            }
        };
        self.known.insert(key, id);
        id
    }

    fn bytes(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        if self.known.len() >= COUNT_LIMIT {
            return Err(std::io::Error::other(format!("more than {COUNT_LIMIT} files are read already")));
        }
        if path.is_dir() {
            return Err(ErrorKind::IsADirectory.into());
        }
        limited(File::open(path)?)
    }

    fn add(
        &mut self,
        name: String,
        path: Option<&Path>,
        bytes: Vec<u8>,
        asked: Asked<'_>,
        findings: &mut Findings,
    ) -> Option<FileId> {
        let bytes = match decode_utf16(bytes) {
            Ok(text) => return Some(self.files.add(name, path, text)),
            Err(bytes) => bytes,
        };
        match String::from_utf8(bytes) {
            Ok(text) => Some(self.files.add(name, path, text)),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let byte = error.as_bytes().get(valid).copied().unwrap_or_default();
                let lossy = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let id = self.files.add(name, path, lossy);
                let finding =
                    Finding::error(Code::FileUnreadable, format!("{} is not UTF-8: byte 0x{byte:02x}", asked.what))
                        .at(Span::new(id, valid, valid + char::REPLACEMENT_CHARACTER.len_utf8()))
                        .help("save it as UTF-8; a binary file cannot be read here");
                findings.push(match asked.at {
                    Some(at) => finding.also(at, "asked for here"),
                    None => finding,
                });
                None
            }
        }
    }

    /// The path as a person in the current directory would write it.
    pub fn shown(&self, path: &Path) -> String {
        if let Ok(inside) = path.strip_prefix(&self.current_dir) {
            return inside.display().to_string();
        }
        let up = self.current_dir.ancestors().skip(1).take(2).enumerate();
        for (levels, ancestor) in up.filter(|(_, a)| a.parent().is_some()) {
            if let Ok(beside) = path.strip_prefix(ancestor) {
                return format!("{}{}", "../".repeat(levels + 1), beside.display());
            }
        }
        path.display().to_string()
    }
}

fn limited(reader: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![];
    reader.take(SIZE_LIMIT + 1).read_to_end(&mut bytes)?;
    bytes.shrink_to_fit();
    if bytes.len() as u64 > SIZE_LIMIT {
        return Err(std::io::Error::new(ErrorKind::FileTooLarge, format!("it has more than {} MiB", SIZE_LIMIT >> 20)));
    }
    Ok(bytes)
}

/// The text of UTF-16 with a byte order mark, which some editors write and docker compose reads; else the bytes again.
fn decode_utf16(bytes: Vec<u8>) -> Result<String, Vec<u8>> {
    let unit: fn([u8; 2]) -> u16 = match bytes.get(..2) {
        Some([0xff, 0xfe]) => u16::from_le_bytes,
        Some([0xfe, 0xff]) => u16::from_be_bytes,
        _ => return Err(bytes),
    };
    let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    String::from_utf16(&units).map_err(|_| bytes)
}

fn unreadable(path: &Path, name: &str, error: &std::io::Error, asked: Asked<'_>) -> Finding {
    let what = asked.what;
    let finding = match error.kind() {
        ErrorKind::NotFound => {
            let help = match near_file(path) {
                Some(near) => format!("did you mean `{near}`?"),
                None => match path.ancestors().skip(1).find(|a| a.is_dir()) {
                    Some(there) if Some(there) != path.parent() => {
                        format!("its directory is not there either; the path leads as far as {}", there.display())
                    }
                    _ => "check the name and the directory that it starts from".to_owned(),
                },
            };
            Finding::error(Code::FileNotFound, format!("{what} {name} is not there")).help(help)
        }
        ErrorKind::IsADirectory => {
            Finding::error(Code::FileUnreadable, format!("{what} {name} is a directory")).help("name a file in it")
        }
        ErrorKind::PermissionDenied => Finding::error(Code::FileUnreadable, format!("{what} {name} may not be read"))
            .help("its permissions, or those of a directory above it, forbid it"),
        _ => Finding::error(Code::FileUnreadable, format!("{what} {name} cannot be read: {error}")),
    };
    finding.maybe_at(asked.at)
}

/// A file beside the missing one whose name is nearly the same.
fn near_file(path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_string_lossy();
    let mut names: Vec<String> = std::fs::read_dir(path.parent()?)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .take(1000)
        .collect();
    names.sort();
    nearest(&wanted, names.iter().map(String::as_str)).map(str::to_owned)
}

/// An absolute path without `.` and `..`. Symbolic links are not followed: `a/../b` is `b` as docker compose has it.
pub fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                cleaned.pop();
            }
            other => cleaned.push(other),
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Asked<'static> = Asked { what: "the stack file", at: None };

    #[test]
    fn a_file_is_read_once_and_a_missing_one_names_its_neighbour() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("compose.yaml"), "a: 1\n").unwrap();
        let mut sources = Sources::new(dir.path(), None);
        let mut findings = Findings::new();
        let first = sources.read(Path::new("compose.yaml"), ASKED, &mut findings);
        assert_eq!(first, sources.read(Path::new("./x/../compose.yaml"), ASKED, &mut findings));
        assert_eq!(sources.files().get(first.unwrap()).name, "compose.yaml");
        assert!(findings.is_empty());
        assert_eq!(sources.read(Path::new("compose.yml"), ASKED, &mut findings), None);
        let finding = findings.iter().next().unwrap();
        assert_eq!(finding.message, "the stack file compose.yml is not there");
        assert_eq!(finding.help.as_deref(), Some("did you mean `compose.yaml`?"));
    }

    #[test]
    fn what_is_no_text_is_refused_where_it_ends_to_be_text() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a"), b"ok\nx\xff").unwrap();
        std::fs::create_dir(dir.path().join("d")).unwrap();
        let mut sources = Sources::new(dir.path(), None);
        let mut findings = Findings::new();
        assert_eq!(sources.read(Path::new("a"), ASKED, &mut findings), None);
        assert_eq!(sources.read(Path::new("d"), ASKED, &mut findings), None);
        let said: Vec<String> = findings.iter().map(|f| f.message.clone()).collect();
        assert_eq!(said, ["the stack file is not UTF-8: byte 0xff", "the stack file d is a directory"]);
        assert_eq!(sources.files().place(findings.iter().next().unwrap().at.unwrap()), "a:2:2");
    }

    #[test]
    fn utf16_and_standard_input_are_texts_too() {
        let dir = tempfile::tempdir().unwrap();
        let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain("ä: 1".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        std::fs::write(dir.path().join("a"), utf16).unwrap();
        let mut sources = Sources::new(dir.path(), Some(b"b: 2".to_vec()));
        let mut findings = Findings::new();
        let id = sources.read(Path::new("a"), ASKED, &mut findings).unwrap();
        assert_eq!(sources.files().get(id).text, "ä: 1");
        let stdin = sources.read_stdin(&mut findings).unwrap();
        assert_eq!(sources.files().get(stdin).text, "b: 2");
        assert_eq!(sources.read_stdin(&mut findings), Some(stdin));
        assert!(findings.is_empty());
    }

    #[test]
    fn too_large_a_file_is_refused_without_reading_it_all() {
        let mut sources = Sources::new("/", None);
        let mut findings = Findings::new();
        assert_eq!(sources.read(Path::new("/dev/zero"), ASKED, &mut findings), None);
        assert!(findings.iter().next().unwrap().message.contains("more than 16 MiB"));
    }

    #[test]
    fn paths_are_shown_as_a_person_there_would_write_them() {
        let sources = Sources::new("/home/me/app", None);
        let shown = |path: &str| sources.shown(Path::new(path));
        assert_eq!(shown("/home/me/app/sub/c.yaml"), "sub/c.yaml");
        assert_eq!(shown("/home/me/c.yaml"), "../c.yaml");
        assert_eq!(shown("/home/c.yaml"), "../../c.yaml");
        assert_eq!(shown("/etc/c.yaml"), "/etc/c.yaml");
    }
}
