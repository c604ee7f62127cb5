//! Scenarios on the hosts of the lab (`scripts/lab`): Engines that are remote, on one wire that carries VLAN tags, with kernels that have
//! 802.1Q and ipvlan.
//!
//! `scripts/test` runs them inside the lab, with `BOWLINE_TEST_LAB` set to the number of its hosts; without that they are skipped. Each
//! test has a host to itself, and leaves it as it found it.

mod broken;
mod own;
mod refused;
mod spread;
mod wires;

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::time::Duration;

use bowline::state::observed::ContainerState;

use crate::examples::Example;
use crate::stack::{Ran, Stack, eventually, speak_to};

/// How long a command on a host may take: programs run five to ten times as long as on the machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// A host of the lab that is one test's alone; its Engine is the one that the test speaks to.
pub struct Host {
    number: u8,
    links: BTreeSet<String>,
    _alone: File,
}

impl Host {
    /// The first one that is free; none after saying that the test is skipped.
    pub fn take() -> Option<Self> {
        let Ok(count) = std::env::var("BOWLINE_TEST_LAB") else {
            eprintln!("SKIPPED, no lab: scripts/test boots it, scripts/lab does by hand");
            return None;
        };
        let count: u8 = count.parse().unwrap();
        let (number, alone) =
            eventually(Duration::from_secs(600), || (1..=count).find_map(free).ok_or("all are taken"));
        let mut host = Self { number, links: BTreeSet::new(), _alone: alone };
        host.speak();
        host.links = host.links();
        Some(host)
    }

    /// Runs a script on the host, as root, and gives what it printed.
    ///
    /// # Panics
    /// Where a command of it fails.
    pub fn run(&self, script: &str) -> String {
        self.shell().run(script)
    }

    /// Its shell, for an [`Example`] that looks from there.
    pub fn shell(&self) -> Shell {
        Shell { number: self.number }
    }

    /// Makes its Engine the one that the test speaks to.
    pub fn speak(&self) {
        speak_to(Some(format!("tcp://10.99.1.{}:2375", self.number)));
    }

    /// The frames that the host's links carry while busybox runs a command in a container's network namespace: of each kind ten bytes behind the
    /// addresses, in hexadecimal. What leaves a card has its tags in it.
    pub fn frames(&self, example: &Example, service: &str, command: &str) -> String {
        let ContainerState::Running { pid, .. } = example.container(service).state else { panic!("{service} runs") };
        let listen = "socket(S,17,3,768) or die $!; system(@ARGV); \
                      while (defined recv(S,my $f,2048,0x40)) { $s{unpack(\"H*\",substr($f,12,10))}++ } print \"$_\\n\" for sort keys %s";
        self.run(&format!("perl -e '{listen}' nsenter -t {pid} -n busybox {command}"))
    }

    /// Runs a command of the host inside a container's network namespace.
    pub fn inside(&self, example: &Example, service: &str, command: &str) {
        let ContainerState::Running { pid, .. } = example.container(service).state else { panic!("{service} runs") };
        self.run(&format!("nsenter -t {pid} -n {command}"));
    }

    /// The names of its links.
    pub fn links(&self) -> BTreeSet<String> {
        self.run("ls /sys/class/net").split_whitespace().map(str::to_owned).collect()
    }

    /// Sees that its Engine holds no container, a sidecar of a killed command's neither.
    pub fn has_no_container(&self) {
        eventually(Duration::from_secs(30), || match self.run("docker ps -aq --no-trunc").as_str() {
            "" => Ok(()),
            left => Err(left.to_owned()),
        });
    }

    /// Sees that no link is there that was not there before the test: the Engine took away what it had made.
    pub fn has_its_links_only(&self) {
        eventually(Duration::from_secs(10), || match self.links() {
            links if links == self.links => Ok(()),
            links => Err(links),
        });
    }
}

/// The shell of a host, for root.
#[derive(Clone, Copy)]
pub struct Shell {
    number: u8,
}

impl Shell {
    /// Runs a script and gives what it printed.
    ///
    /// # Panics
    /// Where a command of it fails.
    pub fn run(self, script: &str) -> String {
        let mut shell = TcpStream::connect((Ipv4Addr::new(10, 99, 1, self.number), 2222)).unwrap();
        shell.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(shell, "exec 2>&1; set -e\n{script}\necho; echo all of it ran\n").unwrap();
        shell.shutdown(Shutdown::Write).unwrap();
        let mut said = String::new();
        let read = shell.read_to_string(&mut said);
        let done = said.strip_suffix("\nall of it ran\n");
        done.unwrap_or_else(|| panic!("host {}: {script}: {read:?}\n{said}", self.number)).trim().to_owned()
    }

    /// Runs bowline on the host itself, beside its Engine, in the directory of a stack of the machine's: the direct way into its
    /// namespaces, which makes no sidecars. The machine's files are there, below /.machine.
    pub fn bowline(self, stack: &Stack, environment: &[(&str, String)], arguments: &str) -> Ran {
        // under a name of its own, for a guest reads a file that it has read before from its memory
        let program = stack.directory.join("bowline");
        if !program.exists() {
            std::fs::copy(env!("CARGO_BIN_EXE_bowline"), &program).unwrap();
        }
        let variables: String = environment.iter().map(|(name, value)| format!("{name}='{value}' ")).collect();
        let said = self.run(&format!(
            "cd /.machine{}; code=0; {variables}./bowline -p {} {arguments} 2>/run/said || code=$?; echo; echo code $code; cat /run/said",
            stack.directory.display(),
            stack.name,
        ));
        // what a command printed may be nothing
        let said = format!("\n{said}");
        let (out, rest) = said.rsplit_once("\ncode ").unwrap();
        let (code, err) = rest.split_once('\n').unwrap_or((rest, ""));
        Ran { code: code.parse().ok(), out: out.to_owned(), err: err.to_owned() }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        speak_to(None);
    }
}

/// The lock of host `number`, where nobody has it.
fn free(number: u8) -> Option<(u8, File)> {
    let lock = File::create(std::env::temp_dir().join(format!("bowline-lab-{number}.lock"))).unwrap();
    match lock.try_lock() {
        Ok(()) => Some((number, lock)),
        Err(TryLockError::WouldBlock) => None,
        Err(TryLockError::Error(why)) => panic!("{why}"),
    }
}
