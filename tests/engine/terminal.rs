//! A real terminal around a program: keys go in, and what stands on the screen is asked.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::stack::eventually;

/// A pseudo-terminal (`script` makes it) with a program in it; what it writes is read all the time, as a terminal reads it.
pub struct Terminal {
    script: Child,
    keys: ChildStdin,
    seen: Arc<Mutex<Seen>>,
    /// The program's process.
    pub pid: u32,
    device: String,
}

struct Seen {
    screen: vt100::Parser,
    raw: Vec<u8>,
}

impl Terminal {
    /// Runs `command` (its program, arguments, directory and variables) in a terminal of this size.
    pub fn open(command: &Command, rows: u16, columns: u16) -> Self {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let line = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect::<Vec<_>>().join(" ");
        // the program's end, and how it left the terminal, are told behind it
        let line = format!(
            "stty rows {rows} cols {columns}; sh -c 'echo at $$ $(tty) .; exec \"$0\" \"$@\"' {line}; echo code $? .; stty -a"
        );
        let mut script = Command::new("script");
        script.args(["-qfec", &line, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        script.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        script.env("TERM", "xterm-256color").current_dir(command.get_current_dir().unwrap());
        let mut script = script.spawn().unwrap();
        let seen = Arc::new(Mutex::new(Seen {
            screen: vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0),
            raw: vec![],
        }));
        let (mut out, into) = (script.stdout.take().unwrap(), Arc::clone(&seen));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = out.read(&mut buffer) {
                let mut seen = into.lock().unwrap();
                seen.screen.process(&buffer[..count]);
                seen.raw.extend_from_slice(&buffer[..count]);
            }
        });
        let keys = script.stdin.take().unwrap();
        let mut terminal = Self { script, keys, seen, pid: 0, device: String::new() };
        (terminal.pid, terminal.device) = eventually(Duration::from_secs(20), || {
            let raw = terminal.raw();
            let mut words = raw.split_once("at ").map(|(_, rest)| rest.split_whitespace()).ok_or(raw.clone())?;
            match (words.next().and_then(|pid| pid.parse().ok()), words.next(), words.next()) {
                (Some(pid), Some(device), Some(".")) => Ok((pid, device.to_owned())),
                _ => Err(raw.clone()),
            }
        });
        terminal
    }

    /// Types.
    pub fn keys(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, rows: u16, columns: u16) {
        self.seen.lock().unwrap().screen.screen_mut().set_size(rows.try_into().unwrap(), columns.try_into().unwrap());
        let (rows, columns) = (rows.to_string(), columns.to_string());
        let set = Command::new("stty").args(["-F", &self.device, "rows", &rows, "cols", &columns]).status().unwrap();
        assert!(set.success());
    }

    /// What stands on the screen, a line a row.
    pub fn screen(&self) -> String {
        self.seen.lock().unwrap().screen.screen().contents()
    }

    /// Everything that was written to the terminal.
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap().raw).into_owned()
    }

    /// Waits until all of these stand on the screen.
    pub fn sees(&self, all: &[&str]) -> String {
        self.becomes(|screen| all.iter().all(|words| screen.contains(words)), &format!("{all:?}"))
    }

    /// Waits until the screen is as wanted.
    pub fn becomes(&self, is_so: impl Fn(&str) -> bool, wanted: &str) -> String {
        eventually(Duration::from_secs(60), || {
            let screen = self.screen();
            if is_so(&screen) { Ok(screen) } else { Err(Wanted { wanted: wanted.to_owned(), screen }) }
        })
    }

    /// Sends the program a signal.
    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([&format!("-{name}"), &self.pid.to_string()]).status().unwrap().success());
    }

    /// Waits for the program's end: its exit code. The terminal must be as it was: the first screen, a cursor, lines, echo.
    pub fn ended(mut self) -> i32 {
        let end = |raw: &str| raw.rsplit_once("code ").map(|(_, end)| end.to_owned());
        let told = eventually(Duration::from_secs(60), || {
            let raw = self.raw();
            end(&raw).filter(|end| end.contains("iexten")).ok_or(raw)
        });
        {
            let seen = self.seen.lock().unwrap();
            let screen = seen.screen.screen();
            assert!(!screen.alternate_screen() && !screen.hide_cursor(), "the screen was not given back");
        }
        assert!(told.contains("isig icanon iexten echo ") && !told.contains("-isig"), "{told}");
        self.script.wait().unwrap();
        told.split(' ').next().unwrap().trim().parse().unwrap()
    }

    /// How much of a processor the program has used, in hundredths of a second.
    pub fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

/// A screen that is not as wanted, readable in the message of a panic.
struct Wanted {
    wanted: String,
    screen: String,
}

impl std::fmt::Debug for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "wanted {}; on the screen:\n{}", self.wanted, self.screen)
    }
}
