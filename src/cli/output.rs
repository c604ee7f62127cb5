//! Where a command writes. Nothing here panics when the reader of a pipe goes away, as `println!` would.

use std::io::Write;

use bowline::finding::Findings;
use bowline::report::{self, findings::Color};
use bowline::source::Files;

use anstyle::{AnsiColor, Style};

use super::exit::Failure;

/// The colours of messages; `anstream` drops them where the terminal, `NO_COLOR` or `--ansi never` says so.
const ERROR: Style = AnsiColor::Red.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default().bold();

/// Writes an answer to standard output, whole, and ends it with a newline where it has none.
///
/// # Errors
/// What the operating system says; a closed pipe among it, which `main` takes for a good end.
pub fn answer(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    if !text.is_empty() && !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

/// Writes to standard error. What cannot be said there cannot be said anywhere: errors are dropped.
pub fn remark(text: &str) {
    drop(writeln!(anstream::stderr().lock(), "{text}"));
}

/// A failure with its hints.
pub fn failure(failure: &Failure) {
    let code = failure.code.map_or(String::new(), |code| format!("[{code}]"));
    remark(&format!("{ERROR}error{code}{ERROR:#}: {failure}"));
    let explained = failure.code.map(|code| format!("`bowline explain {code}` tells more"));
    for hint in explained.iter().chain(&failure.hints) {
        remark(&format!("{HELP}help{HELP:#}: {hint}"));
    }
}

/// How many lines of findings fit a screen together with the line that closes them.
const SCREEN: usize = 22;

/// What was found, on one screen; with `-v` all of it.
pub fn findings(files: &Files, findings: &Findings, verbose: bool) {
    let text = if verbose {
        report::findings::text(files, findings, Color::Ansi)
    } else {
        report::brief::text(files, findings, Color::Ansi, SCREEN)
    };
    if !text.is_empty() {
        remark(text.trim_end());
    }
}

/// Has an answer that is long and has no colours written to a file, or to standard output where no file is named.
///
/// # Errors
/// What the operating system says, with the file's name.
pub fn stream_to(
    file: Option<&std::path::Path>,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let Some(path) = file else {
        let mut out = std::io::stdout().lock();
        write(&mut out)?;
        return Ok(out.flush()?);
    };
    let named = |e: std::io::Error| std::io::Error::new(e.kind(), format!("cannot write {}: {e}", path.display()));
    Ok(std::fs::File::create(path).and_then(|mut file| write(&mut file)).map_err(named)?)
}

/// Writes an answer to a file, or to standard output where no file is named.
///
/// # Errors
/// What the operating system says, with the file's name.
pub fn answer_to(file: Option<&std::path::Path>, text: &str) -> Result<(), Failure> {
    let Some(path) = file else { return answer(text) };
    let named = |e: std::io::Error| std::io::Error::new(e.kind(), format!("cannot write {}: {e}", path.display()));
    Ok(std::fs::write(path, text).map_err(named)?)
}

/// The columns of the terminal that standard output is, else 100.
pub fn width() -> usize {
    #[cfg(target_os = "linux")]
    if let Ok(size) = rustix::termios::tcgetwinsize(std::io::stdout())
        && size.ws_col > 0
    {
        return usize::from(size.ws_col);
    }
    100
}
