//! The probe: a static program of std alone, which answers questions about the network namespace it runs in.
//!
//! `probe [--namespace PATH --inode N] [--root PATH] [--outside PREFIX] [--life SECONDS]`
//!
//! In: a line a question, `ID QUESTION` (see `question.rs`). Out: a JSON line an answer (see `answer.rs`), in the order in which they
//! come, after a greeting with id 0 that says which namespace this is, or why it could not be entered (then the exit code is 3).
//! When its input ends it answers what it was asked and ends. Everything in it is bounded: questions, threads, time, output.

#![deny(unsafe_op_in_unsafe_fn)]

#[macro_use]
#[path = "../json.rs"]
mod json;
#[path = "../answer.rs"]
mod answer;
#[path = "../question.rs"]
mod question;

mod arp;
mod ask;
mod attempt;
mod confines;
mod dns;
mod dump;
mod echo;
mod files;
mod get;
mod http;
mod icmp;
mod listen;
mod lookup;
mod netfilter;
mod netlink;
mod outside;
mod overhear;
mod pool;
mod proc;
mod process;
mod rtnetlink;
mod shim;
mod solicit;
mod sys;
mod tables;
mod text;
mod udp;
mod vlan;

use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use answer::{Answer, Failure};

/// A line longer than this is no question.
const LONGEST_LINE: usize = 64 * 1024;

/// What the command line asks for.
#[derive(Default)]
struct Arguments {
    namespace: Option<String>,
    inode: Option<u64>,
    root: Option<String>,
    outside: Option<String>,
    life: Option<u64>,
}

fn main() -> ExitCode {
    let started = Instant::now();
    let (entered, life) = match arguments() {
        Ok(arguments) => (enter(&arguments), arguments.life.unwrap_or(600)),
        Err(message) => (Err(Failure { errno: None, message }), 0),
    };
    let link = match entered {
        Ok(link) => link,
        Err(failure) => {
            pool::say(0, started, Answer::Failure(failure));
            return ExitCode::from(3);
        }
    };
    pool::say(0, started, files::namespace());
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(life));
        std::process::exit(4);
    });
    converse();
    drop(link);
    ExitCode::SUCCESS
}

/// Reads the command line.
fn arguments() -> Result<Arguments, String> {
    let mut found = Arguments::default();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or(format!("{word} needs a value"))?;
        let number = || value.parse().map_err(|_| format!("{word} needs a number"));
        match word.as_str() {
            "--inode" => found.inode = Some(number()?),
            "--life" => found.life = Some(number()?),
            "--namespace" => found.namespace = Some(value),
            "--root" => found.root = Some(value),
            "--outside" => found.outside = Some(value),
            _ => return Err(format!("unknown argument {word}")),
        }
    }
    Ok(found)
}

/// Goes where the questions are to be answered, before any thread exists: the whole program is there from then on.
fn enter(arguments: &Arguments) -> Result<Option<outside::Link>, Failure> {
    if let Some(root) = &arguments.root {
        files::use_root(root).map_err(|e| sys::failure(&format!("cannot open {root}"), &e))?;
        confines::use_root(root);
    }
    if let Some(path) = &arguments.namespace {
        let trouble = |e: io::Error| sys::failure(&format!("cannot enter {path}"), &e);
        let file = std::fs::File::open(path).map_err(trouble)?;
        let inode = file.metadata().map_err(trouble)?.ino();
        if arguments.inode.is_some_and(|expected| expected != inode) {
            return Err(Failure { errno: None, message: format!("{path} is another namespace by now") });
        }
        sys::enter_network_namespace(&file).map_err(trouble)?;
    }
    arguments.outside.as_deref().map(outside::Link::make).transpose()
}

/// Answers every line until the input ends, and waits for the last answers.
fn converse() {
    let pool = pool::Pool::new();
    let mut input = io::stdin().lock();
    let mut pending: Vec<u8> = Vec::new();
    let mut buffer = [0u8; 16 * 1024];
    loop {
        let count = match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        pending.extend_from_slice(&buffer[..count]);
        if let Some(end) = pending.iter().rposition(|&b| b == b'\n') {
            pool.take(&String::from_utf8_lossy(&pending[..end]));
            pending.drain(..=end);
        }
        if pending.len() > LONGEST_LINE {
            break;
        }
    }
    pool.finish();
}
