//! Network namespaces of a test's own, and the probe's program inside of them, without an Engine.

use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use bowline::probe::{Answer, Conversation, Namespace, ProbeError, Question, carried};

/// Whether namespaces can be made here; says so where not.
pub fn possible() -> bool {
    let root = rustix::process::geteuid().is_root();
    let tool = |name: &str| Command::new(name).arg("-V").output().is_ok_and(|o| o.status.success());
    let possible = root && tool("ip") && tool("iptables");
    if !possible {
        eprintln!("SKIPPED: network namespaces need root, ip and iptables");
    }
    possible
}

/// A namespace; removed when dropped.
pub struct Net(pub String);

impl Net {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("bwp-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        ip(&format!("netns add {name}"));
        let net = Self(name);
        net.ip("link set lo up");
        net
    }

    /// `ip -n NAMESPACE …`.
    pub fn ip(&self, arguments: &str) {
        ip(&format!("-n {} {arguments}", self.0));
    }

    /// A command inside.
    pub fn run(&self, command: &str) {
        let ran = self.command(command).output().unwrap();
        assert!(ran.status.success(), "{command}: {}", String::from_utf8_lossy(&ran.stderr));
    }

    /// A command inside, to be started.
    pub fn command(&self, command: &str) -> Command {
        let mut inside = Command::new("ip");
        inside.args(["netns", "exec", &self.0]).args(command.split_whitespace());
        inside
    }

    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/run/netns/{}", self.0))
    }

    /// Joins this one (`DEVICE` with `own`) and another by a pair of links. Addresses as `198.18.0.1/24`.
    pub fn join(&self, device: &str, own: &str, other: &Self, other_device: &str, others: &str) {
        let peer = format!("peer name {other_device} netns {}", other.0);
        self.ip(&format!("link add {device} type veth {peer}"));
        for (net, device, address) in [(self, device, own), (other, other_device, others)] {
            net.ip(&format!("addr add {address} dev {device}"));
            net.ip(&format!("link set {device} up"));
        }
    }

    /// Runs a closure on a thread that is inside, in the background: a server of the test.
    pub fn serve<T: Send + 'static>(&self, prepare: impl FnOnce() -> T + Send, serve: impl FnOnce(T) + Send + 'static) {
        let file = std::fs::File::open(self.path()).unwrap();
        let inside = std::thread::scope(|scope| {
            let prepared = scope.spawn(|| {
                let kind = Some(rustix::thread::LinkNameSpaceType::Network);
                rustix::thread::move_into_link_name_space(file.as_fd(), kind).unwrap();
                // sockets stay in the namespace that they were opened in
                prepare()
            });
            prepared.join().unwrap()
        });
        std::thread::spawn(move || serve(inside));
    }

    /// The program inside.
    pub fn probe(&self) -> Probe {
        self.probe_with(&[]).unwrap()
    }

    /// The program inside with more arguments.
    pub fn probe_with(&self, arguments: &[&str]) -> Result<Probe, ProbeError> {
        let path = self.path();
        Probe::start(&[&["--namespace", path.to_str().unwrap()], arguments].concat())
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).output();
    }
}

fn ip(arguments: &str) {
    let Output { status, stderr, .. } = Command::new("ip").args(arguments.split_whitespace()).output().unwrap();
    assert!(status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&stderr));
}

/// The program, as a file that can be started; it stays in the build's own directory for temporary files.
pub fn program() -> &'static PathBuf {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        use std::os::unix::fs::PermissionsExt;
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("probe-{}", carried::tag()));
        if !path.exists() {
            // another process of this test may do the same: the last to rename wins, and all are equal
            let fresh = path.with_extension(std::process::id().to_string());
            std::fs::write(&fresh, carried::program().unwrap()).unwrap();
            std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(0o755)).unwrap();
            std::fs::rename(&fresh, &path).unwrap();
        }
        path
    })
}

/// A program that runs.
pub struct Probe {
    pub child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    conversation: Conversation,
}

impl Probe {
    pub fn start(arguments: &[&str]) -> Result<Self, ProbeError> {
        let mut command = Command::new(program());
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        // another test's fork may hold the fresh file open for writing for a moment
        let mut child = loop {
            match command.spawn() {
                Err(e) if e.kind() == std::io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
                other => break other.unwrap(),
            }
        };
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let mut probe = Self { child, input, output, conversation: Conversation::new() };
        while probe.conversation.namespace().is_none() {
            probe.take()?;
        }
        Ok(probe)
    }

    pub fn namespace(&self) -> &Namespace {
        self.conversation.namespace().unwrap()
    }

    fn take(&mut self) -> Result<Vec<(usize, Answer)>, ProbeError> {
        let mut line = Vec::new();
        let count = self.output.read_until(b'\n', &mut line).unwrap();
        assert!(count > 0, "the probe ended");
        self.conversation.take(&line)
    }

    /// Asks, and waits for every answer.
    pub fn ask(&mut self, questions: &[Question]) -> Vec<Answer> {
        let lines = self.conversation.ask(questions);
        self.say(&lines);
        let mut answers = vec![None; questions.len()];
        while !self.conversation.is_complete() {
            for (place, answer) in self.take().unwrap() {
                answers[place] = Some(answer);
            }
        }
        answers.into_iter().map(Option::unwrap).collect()
    }

    /// Asks one.
    pub fn ask_one(&mut self, question: Question) -> Answer {
        self.ask(&[question]).remove(0)
    }

    /// Writes lines as they are.
    pub fn say(&mut self, lines: &str) {
        self.try_say(lines).unwrap();
    }

    /// The same, as far as it is read.
    pub fn try_say(&mut self, lines: &str) -> std::io::Result<()> {
        self.input.as_mut().unwrap().write_all(lines.as_bytes())
    }

    /// Ends its input and waits for its end; the exit code.
    pub fn end(mut self) -> Option<i32> {
        drop(self.input.take());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
