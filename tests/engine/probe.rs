//! The probe in namespaces of real containers, by both ways.

use std::time::Duration;

use bowline::engine::Engine;
use bowline::name::ContainerId;
use bowline::probe::{Answer, Attempt, Outcome, Question, Scope};
use bowline::vantage::{Options, Target, Vantage, Vantages, Way};

use crate::stack::{block_on, engine};

const SECOND: Duration = Duration::from_secs(1);

/// Containers of one test on a network of its own; removed when dropped.
struct Containers {
    name: String,
    ids: Vec<String>,
}

fn docker(arguments: &[&str]) -> String {
    let ran = std::process::Command::new("docker").args(arguments).output().unwrap();
    assert!(ran.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap().trim().to_owned()
}

impl Containers {
    fn new(topic: &str, count: usize) -> Self {
        let name = format!("bwp-{topic}-{}", std::process::id());
        docker(&["network", "create", &name]);
        let mut containers = Self { name, ids: Vec::new() };
        for number in 1..=count {
            let own = format!("{}-{number}", containers.name);
            let run = ["run", "-d", "--init", "--name", &own, "--network", &containers.name, "busybox:latest"];
            let id = docker(&[&run[..], &["sleep", "600"]].concat());
            containers.ids.push(id);
        }
        containers
    }

    async fn vantage(&self, engine: &Engine, at: usize) -> Vantage {
        let found = engine.inspect(&self.ids[at]).await.unwrap();
        let pid = docker(&["inspect", "-f", "{{.State.Pid}}", &self.ids[at]]).parse().ok();
        let sandbox = docker(&["inspect", "-f", "{{.NetworkSettings.SandboxKey}}", &self.ids[at]]);
        drop(found);
        let id = ContainerId::from_engine(self.ids[at].clone());
        Vantage::Container(Target { id, pid, sandbox: Some(sandbox), shares_host: false })
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        for id in &self.ids {
            let _ = std::process::Command::new("docker").args(["rm", "-f", id]).output();
        }
        let _ = std::process::Command::new("docker").args(["network", "rm", &self.name]).output();
    }
}

fn connect(to: std::net::SocketAddr) -> Question {
    Question::Connect { to, device: None, greeting: true, within: SECOND, tries: 2 }
}

fn attempt(answer: &Answer) -> &Attempt {
    match answer {
        Answer::Attempt(attempt) => attempt,
        other => panic!("{other:?}"),
    }
}

async fn two_containers_meet(way: Way) {
    let Some(engine) = engine().await else { return };
    let containers = Containers::new(&format!("meet-{way}"), 2);
    let vantages = vec![containers.vantage(&engine, 0).await, containers.vantage(&engine, 1).await];
    let started = std::time::Instant::now();
    let mut open = Vantages::open(&engine, vantages, Options { way, ..Options::default() }).await;
    for (vantage, taken) in open.ways() {
        assert_eq!(taken.unwrap(), way, "{vantage:?}");
    }
    eprintln!("{way}: open {:?}", started.elapsed());
    let listen = Question::Listen { port: 0, scope: Scope::Any, label: "second".to_owned() };
    let facts = vec![Question::Namespace {}, Question::Addresses {}, Question::Hosts {}];
    let first = open.ask(&[(0, facts.clone()), (1, [vec![listen], facts].concat())]).await;
    let [Answer::Listening(listening), Answer::Namespace(_), Answer::Addresses(addresses), Answer::Hosts(_)] =
        first[1].as_deref().unwrap()
    else {
        panic!("{first:?}")
    };
    let address = addresses.iter().find(|a| a.device == "eth0" && a.address.is_ipv4()).unwrap().address;
    let to = std::net::SocketAddr::new(address, listening.port);
    let nobody = std::net::SocketAddr::new(address, 1);
    let datagram = Question::Datagram { to, device: None, payload: None, within: SECOND, tries: 2 };
    let echo = Question::Echo { to: address, device: None, within: SECOND, tries: 2 };
    let second = open.ask(&[(0, vec![connect(to), connect(nobody), datagram, echo])]).await;
    let found = second[0].as_deref().unwrap();
    assert_eq!(attempt(&found[0]).outcome, Outcome::Answered, "{found:?}");
    assert_eq!(attempt(&found[0]).greeting.as_deref(), Some("second"), "{found:?}");
    assert_eq!(attempt(&found[1]).outcome, Outcome::Refused, "{found:?}");
    assert_eq!(attempt(&found[2]).greeting.as_deref(), Some("second"), "{found:?}");
    assert_eq!(attempt(&found[3]).outcome, Outcome::Answered, "{found:?}");
    open.close().await.unwrap();
    eprintln!("{way}: all {:?}", started.elapsed());
    let left =
        docker(&["ps", "-aq", "--filter", "label=bowline.probe", "--filter", &format!("name={}", containers.name)]);
    assert_eq!(left, "");
}

#[test]
fn two_containers_meet_by_sidecars() {
    block_on(two_containers_meet(Way::Sidecar));
}

#[test]
fn two_containers_meet_directly() {
    block_on(two_containers_meet(Way::Direct));
}
