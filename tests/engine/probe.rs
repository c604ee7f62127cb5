//! The probe in namespaces of real containers, on the host and beside it, by both ways.

use std::net::{IpAddr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bowline::engine::Engine;
use bowline::name::ContainerId;
use bowline::probe::{Address, Answer, Attempt, Link, Listening, Outcome, ProbeError, Question, Scope, carried};
use bowline::vantage::{Options, Target, Vantage, Vantages, Way};

use crate::stack::{block_on, engine, eventually};

const LONG: Duration = Duration::from_secs(5);
const SHORT: Duration = Duration::from_millis(500);

fn docker(arguments: &[&str]) -> String {
    let ran = Command::new("docker").args(arguments).output().unwrap();
    assert!(ran.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap().trim().to_owned()
}

/// Containers of one test on a network of its own; removed when dropped.
struct Containers {
    name: String,
    ids: Vec<String>,
}

impl Containers {
    /// So many that sleep.
    fn new(topic: &str, count: usize) -> Self {
        let name = format!("bwp-{topic}-{}", std::process::id());
        docker(&["network", "create", &name]);
        let mut containers = Self { name, ids: Vec::new() };
        for _ in 0..count {
            containers.run(&[], &["sleep", "600"]);
        }
        containers
    }

    /// One more.
    fn run(&mut self, options: &[&str], command: &[&str]) -> &str {
        let own = format!("{}-{}", self.name, self.ids.len() + 1);
        let network: &[&str] = if options.contains(&"--network") { &[] } else { &["--network", &self.name] };
        let first = ["run", "-d", "--init", "--name", &own];
        self.ids.push(docker(&[&first, network, options, &["busybox:latest"], command].concat()));
        &self.ids[self.ids.len() - 1]
    }

    fn inspect(&self, at: usize, format: &str) -> String {
        docker(&["inspect", "-f", format, &self.ids[at]])
    }

    fn target(&self, at: usize) -> Target {
        Target {
            id: ContainerId::from_engine(self.ids[at].clone()),
            pid: self.inspect(at, "{{.State.Pid}}").parse().ok(),
            sandbox: Some(self.inspect(at, "{{.NetworkSettings.SandboxKey}}")).filter(|key| !key.is_empty()),
            shares_host: false,
        }
    }

    fn vantage(&self, at: usize) -> Vantage {
        Vantage::Container(self.target(at))
    }

    fn address(&self, at: usize) -> IpAddr {
        self.inspect(at, "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}").parse().unwrap()
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        let ids: Vec<&str> = self.ids.iter().map(String::as_str).collect();
        let _ = Command::new("docker").args([&["rm", "-f"][..], &ids].concat()).output();
        let _ = Command::new("docker").args(["network", "rm", &self.name]).output();
    }
}

/// Sidecars that share the namespace of a container of this test.
fn sidecars_of(containers: &Containers) -> Vec<String> {
    let listed = docker(&["ps", "-aq", "--filter", "label=bowline.probe"]);
    let modes = listed.lines().map(|id| Command::new("docker").args(["inspect", id]).output().unwrap().stdout);
    modes
        .map(|json| String::from_utf8_lossy(&json).into_owned())
        .filter(|json| containers.ids.iter().any(|id| json.contains(&format!("container:{id}"))))
        .collect()
}

async fn open(engine: &Engine, vantages: Vec<Vantage>, way: Way) -> Vantages {
    Vantages::open(engine, vantages, Options { way, ..Options::default() }).await
}

/// Asks the first vantage.
async fn ask(vantages: &mut Vantages, questions: Vec<Question>) -> Vec<Answer> {
    vantages.ask(&[(0, questions)]).await.remove(0).unwrap()
}

fn connect(to: SocketAddr, greeting: bool) -> Question {
    Question::Connect { to, device: None, greeting, within: LONG, tries: 1 }
}

fn listen(label: &str) -> Question {
    Question::Listen { port: 0, scope: Scope::Any, label: label.to_owned() }
}

fn attempt(answer: &Answer) -> &Attempt {
    match answer {
        Answer::Attempt(attempt) => attempt,
        other => panic!("{other:?}"),
    }
}

fn listening(answer: &Answer) -> &Listening {
    match answer {
        Answer::Listening(listening) => listening,
        other => panic!("{other:?}"),
    }
}

fn inode(answers: &[Answer]) -> u64 {
    match &answers[0] {
        Answer::Namespace(namespace) => namespace.inode,
        other => panic!("{other:?}"),
    }
}

/// Whether the direct way is to be had; says so where not.
fn direct_is_possible(engine: &Engine) -> bool {
    let possible = rustix::process::geteuid().is_root() && engine.address().to_string().starts_with("unix:");
    if !possible {
        eprintln!("SKIPPED: the direct way needs root and an Engine on this machine");
    }
    possible
}

async fn two_containers_meet(way: Way) {
    let Some(engine) = engine().await else { return };
    if way == Way::Direct && !direct_is_possible(&engine) {
        return;
    }
    let containers = Containers::new(&format!("meet-{way}"), 2);
    let mut both = open(&engine, vec![containers.vantage(0), containers.vantage(1)], way).await;
    for (vantage, taken) in both.ways() {
        assert_eq!(taken.unwrap(), way, "{vantage:?}");
    }
    let facts = vec![Question::Namespace {}, Question::Hosts {}, Question::Resolver {}];
    let first = both.ask(&[(0, facts), (1, vec![listen("second")])]).await;
    let own = first[0].as_ref().unwrap();
    let [Answer::Namespace(namespace), Answer::Hosts(hosts), Answer::Resolver(resolver)] = &own[..] else {
        panic!("{own:?}")
    };
    // the container's own files, not those of the image or of this machine
    assert_eq!(namespace.hostname.as_deref(), Some(&containers.ids[0][..12]));
    assert!(hosts.iter().any(|l| l.address == Some(containers.address(0))), "{hosts:?}");
    assert_eq!(resolver.servers, ["127.0.0.11".parse::<IpAddr>().unwrap()]);
    let port = listening(&first[1].as_ref().unwrap()[0]).port;
    let address = containers.address(1);
    let to = SocketAddr::new(address, port);
    let name = format!("{}-2", containers.name);
    let lookup = |name: &str| Question::Lookup {
        name: name.to_owned(),
        family: bowline::probe::Family::V4,
        server: None,
        within: LONG,
        tries: 3,
    };
    let found = ask(
        &mut both,
        vec![
            connect(to, true),
            connect(SocketAddr::new(address, 1), false),
            Question::Datagram { to, device: None, payload: None, within: LONG, tries: 3 },
            Question::Echo { to: address, device: None, within: LONG, tries: 3 },
            lookup(&name),
            lookup("bwp-nobody"),
        ],
    )
    .await;
    assert_eq!(attempt(&found[0]).greeting.as_deref(), Some("second"), "{found:?}");
    assert_eq!(attempt(&found[1]).outcome, Outcome::Refused, "{found:?}");
    assert_eq!(attempt(&found[2]).greeting.as_deref(), Some("second"), "{found:?}");
    assert_eq!(attempt(&found[3]).outcome, Outcome::Answered, "{found:?}");
    let (Answer::Lookup(known), Answer::Lookup(unknown)) = (&found[4], &found[5]) else { panic!("{found:?}") };
    assert_eq!(known.asked[0].addresses, [address], "{known:?}");
    assert!(unknown.asked[0].addresses.is_empty(), "{unknown:?}");
    both.close().await.unwrap();
    assert_eq!(sidecars_of(&containers), [""; 0]);
}

#[test]
fn two_containers_meet_by_sidecars() {
    block_on(two_containers_meet(Way::Sidecar));
}

#[test]
fn two_containers_meet_directly() {
    block_on(two_containers_meet(Way::Direct));
}

#[test]
fn both_ways_lead_to_the_same_namespace() {
    block_on(async {
        let Some(engine) = engine().await else { return };
        let mut containers = Containers::new("same", 1);
        let shared = format!("container:{}", containers.ids[0]);
        containers.run(&["--network", &shared], &["sleep", "600"]);
        // a container that shares a namespace has no sandbox of its own: its owner's is the proof
        let owner = containers.target(0);
        let sharer = Target { sandbox: owner.sandbox.clone(), ..containers.target(1) };
        let mut inodes = Vec::new();
        for way in [Way::Sidecar, Way::Auto] {
            let vantages = vec![Vantage::Container(owner.clone()), Vantage::Container(sharer.clone())];
            let mut both = open(&engine, vantages, way).await;
            let asked = vec![Question::Namespace {}];
            let answers = both.ask(&[(0, asked.clone()), (1, asked)]).await;
            inodes.extend(answers.iter().map(|a| inode(a.as_ref().unwrap())));
            both.close().await.unwrap();
        }
        assert_eq!(inodes, [inodes[0]; 4]);
        // without the proof there is no direct way
        let unproved = Target { sandbox: Some("/proc/self/ns/net".to_owned()), ..containers.target(0) };
        let refused = open(&engine, vec![Vantage::Container(unproved)], Way::Direct).await;
        let why = refused.ways().next().unwrap().1.unwrap_err().clone();
        assert!(matches!(why, ProbeError::NoWay(_)), "{why:?}");
    });
}

async fn the_host_has_the_other_ends(way: Way) {
    let Some(engine) = engine().await else { return };
    if way == Way::Direct && !direct_is_possible(&engine) {
        return;
    }
    let containers = Containers::new(&format!("host-{way}"), 1);
    let mut both = open(&engine, vec![Vantage::Host, containers.vantage(0)], way).await;
    let asked = vec![Question::Links {}, Question::Addresses {}];
    let answers = both.ask(&[(0, asked.clone()), (1, asked)]).await;
    let tables = |at: usize| -> (&Vec<Link>, &Vec<Address>) {
        match answers[at].as_deref().unwrap() {
            [Answer::Links(links), Answer::Addresses(addresses)] => (links, addresses),
            other => panic!("{other:?}"),
        }
    };
    let ((of_host, host_addresses), (of_container, _)) = (tables(0), tables(1));
    let network = docker(&["network", "inspect", "-f", "{{.Id}}", &containers.name]);
    let gateway = "{{range .IPAM.Config}}{{.Gateway}}{{end}}";
    let gateway: IpAddr = docker(&["network", "inspect", "-f", gateway, &containers.name]).parse().unwrap();
    let bridge = of_host.iter().find(|l| l.name == format!("br-{}", &network[..12])).unwrap();
    assert!(host_addresses.iter().any(|a| a.index == bridge.index && a.address == gateway));
    let inside = of_container.iter().find(|l| l.name == "eth0").unwrap();
    let end = of_host.iter().find(|l| Some(l.index) == inside.parent).unwrap();
    assert_eq!((end.parent, end.master), (Some(inside.index), Some(bridge.index)), "{end:?}");

    let refused = both.ask(&[(0, vec![listen("host")])]).await.remove(0);
    assert!(matches!(refused, Err(ProbeError::NotAsked(_))), "{refused:?}");
    let own = Question::Listen { port: 0, scope: Scope::Loopback, label: "host".to_owned() };
    assert!(matches!(ask(&mut both, vec![own]).await[0], Answer::Listening(_)));
    both.close().await.unwrap();
}

#[test]
fn the_host_has_the_other_ends_seen_by_a_sidecar() {
    block_on(the_host_has_the_other_ends(Way::Sidecar));
}

#[test]
fn the_host_has_the_other_ends_seen_directly() {
    block_on(the_host_has_the_other_ends(Way::Direct));
}

#[test]
fn a_machine_beside_the_host_reaches_what_is_published_and_nothing_else() {
    block_on(async {
        let Some(engine) = engine().await else { return };
        if !direct_is_possible(&engine) {
            return;
        }
        let mut containers = Containers::new("beside", 0);
        let serve = "mkdir /w; echo knot > /w/index.html; httpd -f -p 80 -h /w";
        containers.run(&["-p", "80"], &["sh", "-c", serve]);
        let published = r#"{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}"#;
        let published: u16 = containers.inspect(0, published).parse().unwrap();
        let options = Options { outside_pool: "198.18.44.0/28".to_owned(), ..Options::default() };
        let mut outside = Vantages::open(&engine, vec![Vantage::Outside], options).await;
        let routes = ask(&mut outside, vec![Question::Routes {}]).await;
        let Answer::Routes(routes) = &routes[0] else { panic!("{routes:?}") };
        let host = routes.iter().find(|r| r.prefix == 0 && r.gateway.is_some()).unwrap().gateway.unwrap();
        let get = Question::Http {
            host: "knot.example".to_owned(),
            port: published,
            to: Some(host),
            path: "/".to_owned(),
            within: LONG,
        };
        let limit = Instant::now() + LONG;
        loop {
            let answers = ask(&mut outside, vec![get.clone()]).await;
            match &answers[0] {
                Answer::Http(http) if http.status == Some(200) && http.body == "knot\n" => break,
                other => assert!(Instant::now() < limit, "{other:?}"),
            }
        }
        // the container's own address: Engine 28 drops what does not come over its bridge. Before it the target port of what is
        // published is open to neighbours who know the way, and every other where the host forwarded before the Engine came
        let mut inside = open(&engine, vec![containers.vantage(0)], Way::Auto).await;
        let port = listening(&ask(&mut inside, vec![listen("inside")]).await[0]).port;
        let lost = |port| Question::Connect {
            to: SocketAddr::new(containers.address(0), port),
            device: None,
            greeting: false,
            within: SHORT,
            tries: 2,
        };
        let closed = connect(SocketAddr::new(host, 1), false);
        let found = ask(&mut outside, vec![lost(port), closed, lost(80)]).await;
        assert_eq!(attempt(&found[1]).outcome, Outcome::Refused, "{found:?}");
        if engine.facts().major() < 28 {
            assert_eq!(attempt(&found[2]).outcome, Outcome::Answered, "{found:?}");
        } else {
            assert_eq!(attempt(&found[0]).outcome, Outcome::TimedOut, "{found:?}");
            assert_eq!(attempt(&found[2]).outcome, Outcome::TimedOut, "{found:?}");
        }
        let itself = SocketAddr::new(containers.address(0), port);
        outside.close().await.unwrap();
        let mut from_host = open(&engine, vec![Vantage::Host], Way::Auto).await;
        let greeted = ask(&mut from_host, vec![connect(itself, true)]).await;
        assert_eq!(attempt(&greeted[0]).greeting.as_deref(), Some("inside"), "the positive control: {greeted:?}");
        from_host.close().await.unwrap();
        inside.close().await.unwrap();
    });
}

#[test]
fn a_sidecar_may_do_what_its_questions_need_and_no_more() {
    block_on(async {
        let Some(engine) = engine().await else { return };
        let containers = Containers::new("least", 2);
        let target = containers.address(1);
        let solicit = Question::Solicit { target, device: None, sender: None, within: LONG, tries: 5 };
        for layer2 in [false, true] {
            let options = Options { way: Way::Sidecar, layer2, ..Options::default() };
            let mut one = Vantages::open(&engine, vec![containers.vantage(0)], options).await;
            let answers = ask(&mut one, vec![solicit.clone()]).await;
            match (&answers[0], layer2) {
                (Answer::Failure(failure), false) => assert_eq!(failure.errno, Some(1), "{failure:?}"),
                (Answer::Heard(heard), true) => assert_eq!(heard.macs.len(), 1, "{heard:?}"),
                other => panic!("{other:?}"),
            }
            // what takes more than it has is a failure, not silence
            let echo = Question::Echo { to: target, device: None, within: LONG, tries: 3 };
            let forget = Question::Forget { addresses: vec![target] };
            ask(&mut one, vec![echo]).await;
            let refused = ask(&mut one, vec![forget]).await;
            assert!(matches!(&refused[0], Answer::Failure(f) if f.errno == Some(1)), "{refused:?}");
            let own = sidecars_of(&containers);
            let said: serde_json::Value = serde_json::from_str(&own[0]).unwrap();
            let (config, host) = (&said[0]["Config"], &said[0]["HostConfig"]);
            assert_eq!(host["CapDrop"], serde_json::json!(["ALL"]));
            let added = if layer2 { serde_json::json!(["NET_RAW"]) } else { serde_json::json!([]) };
            assert!(host["CapAdd"] == added || !layer2 && host["CapAdd"].is_null(), "{}", host["CapAdd"]);
            assert_eq!(host["ReadonlyRootfs"], true);
            assert_eq!(host["SecurityOpt"], serde_json::json!(["no-new-privileges"]));
            assert!(host["PidsLimit"].as_i64() > Some(0) && host["Memory"].as_i64() > Some(0));
            assert_eq!(host["PidMode"], "");
            assert_eq!(config["User"], if layer2 { "" } else { "65534:65534" });
            assert_eq!(config["Image"], carried::image());
            one.close().await.unwrap();
        }
    });
}

#[test]
fn a_paused_container_can_be_asked_and_an_ended_one_cannot() {
    block_on(async {
        let Some(engine) = engine().await else { return };
        let mut containers = Containers::new("state", 2);
        containers.run(&[], &["true"]);
        docker(&["pause", &containers.ids[1]]);
        docker(&["wait", &containers.ids[2]]);
        let vantages = vec![containers.vantage(1), containers.vantage(2)];
        for way in [Way::Sidecar, Way::Auto] {
            let mut both = open(&engine, vantages.clone(), way).await;
            let asked = vec![Question::Namespace {}];
            let answers = both.ask(&[(0, asked.clone()), (1, asked)]).await;
            assert!(answers[0].is_ok(), "{way}: {answers:?}");
            let why = answers[1].as_ref().unwrap_err();
            assert!(matches!(why, ProbeError::NotStarted(words) if words.contains("running")), "{way}: {why:?}");
            both.close().await.unwrap();
        }
        docker(&["unpause", &containers.ids[1]]);
    });
}

#[test]
fn nothing_stays_of_a_run_that_is_dropped() {
    block_on(async {
        let Some(engine) = engine().await else { return };
        let containers = Containers::new("drop", 1);
        drop(open(&engine, vec![containers.vantage(0)], Way::Sidecar).await);
        eventually(LONG, || match sidecars_of(&containers) {
            none if none.is_empty() => Ok(()),
            left => Err(left),
        });
    });
}

/// What [`nothing_stays_of_a_run_that_is_killed`] kills: holds every way open until then.
#[test]
#[ignore = "a part of another test"]
fn hold_open() {
    block_on(async {
        let Some(engine) = engine().await else { return };
        let id = ContainerId::from_engine(std::env::var("BWP_TARGET").unwrap());
        let target = Target { id, pid: None, sandbox: None, shares_host: false };
        let options = Options { outside_pool: "198.18.45.0/30".to_owned(), ..Options::default() };
        let all = vec![Vantage::Container(target), Vantage::Host, Vantage::Outside];
        let held = Vantages::open(&engine, all, options).await;
        let ways: Vec<String> =
            held.ways().map(|(_, way)| way.map_or_else(|e| e.to_string(), |w| w.to_string())).collect();
        eprintln!("HELD {}", ways.join(", "));
        std::thread::sleep(Duration::from_secs(60));
    });
}

#[test]
fn nothing_stays_of_a_run_that_is_killed() {
    use std::io::{BufRead, BufReader};
    block_on(async {
        let Some(engine) = engine().await else { return };
        let containers = Containers::new("kill", 1);
        let mut held = Command::new(std::env::current_exe().unwrap())
            .args(["probe::hold_open", "--exact", "--ignored", "--nocapture"])
            .env("BWP_TARGET", &containers.ids[0])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let told = BufReader::new(held.stderr.take().unwrap())
            .lines()
            .find_map(|line| line.unwrap().split_once("HELD ").map(|(_, ways)| ways.to_owned()));
        let ways = told.unwrap();
        assert!(ways.starts_with("sidecar, "), "{ways}");
        assert_eq!(sidecars_of(&containers).len(), 1);
        held.kill().unwrap();
        held.wait().unwrap();
        eventually(Duration::from_secs(20), || match sidecars_of(&containers) {
            none if none.is_empty() => Ok(()),
            left => Err(left),
        });
        if ways.contains("direct, direct") {
            let limit = Instant::now() + LONG;
            loop {
                let mut host = open(&engine, vec![Vantage::Host], Way::Direct).await;
                let answers = ask(&mut host, vec![Question::Addresses {}]).await;
                host.close().await.unwrap();
                let Answer::Addresses(addresses) = &answers[0] else { panic!("{answers:?}") };
                if !addresses.iter().any(|a| a.address.to_string().starts_with("198.18.45.")) {
                    break;
                }
                assert!(Instant::now() < limit, "{addresses:?}");
            }
        }
    });
}

/// How long a run over many namespaces takes, by both ways: told, not judged, for it depends on the machine.
#[test]
#[ignore = "measures: cargo test --release --test engine -- --ignored probe::measure --nocapture"]
fn measure() {
    block_on(async {
        let Some(engine) = engine().await else { return };
        let count = std::env::var("BWP_COUNT").ok().and_then(|c| c.parse().ok()).unwrap_or(20);
        let containers = Containers::new("measure", count);
        let vantages: Vec<Vantage> = (0..count).map(|at| containers.vantage(at)).collect();
        let addresses: Vec<IpAddr> = (0..count).map(|at| containers.address(at)).collect();
        let every = |questions: Vec<Question>| -> Vec<(usize, Vec<Question>)> {
            (0..count).map(|at| (at, questions.clone())).collect()
        };
        for way in [Way::Direct, Way::Direct, Way::Direct, Way::Sidecar] {
            let started = Instant::now();
            let mut all = open(&engine, vantages.clone(), way).await;
            let opened = started.elapsed();
            let facts = vec![listen("x"), Question::Links {}, Question::Addresses {}, Question::Routes {}];
            let ports: Vec<u16> =
                all.ask(&every(facts)).await.iter().map(|a| listening(&a.as_ref().unwrap()[0]).port).collect();
            let listened = started.elapsed();
            let targets: Vec<Question> = addresses
                .iter()
                .zip(&ports)
                .flat_map(|(address, port)| {
                    let to = SocketAddr::new(*address, *port);
                    let datagram = Question::Datagram { to, device: None, payload: None, within: LONG, tries: 3 };
                    [connect(to, true), datagram, Question::Echo { to: *address, device: None, within: LONG, tries: 3 }]
                })
                .collect();
            let answers = all.ask(&every(targets)).await;
            let asked = started.elapsed();
            let mut outcomes = std::collections::BTreeMap::new();
            for found in answers.iter().flat_map(|a| a.as_ref().unwrap()).map(attempt) {
                *outcomes.entry((found.outcome.as_str(), found.errno)).or_insert(0) += 1;
            }
            let reached = answers.iter().flat_map(|a| a.as_ref().unwrap());
            let reached = reached.filter(|a| attempt(a).outcome == Outcome::Answered).count();
            all.close().await.unwrap();
            let closed = started.elapsed();
            eprintln!(
                "{way}: {count} namespaces, {reached} of {} reached; open {opened:?}, facts and listeners {listened:?}, \
                 matrix {asked:?}, closed {closed:?}; {outcomes:?}",
                count * count * 3
            );
        }
    });
}

#[test]
fn runs_that_import_the_image_at_once_do_not_disturb_each_other() {
    block_on(async {
        let Some(engine) = engine().await else { return };
        let containers = Containers::new("image", 1);
        let opened = futures_util::future::join_all((0..4).map(|_| {
            let (engine, vantage) = (engine.clone(), containers.vantage(0));
            async move { open(&engine, vec![vantage], Way::Sidecar).await }
        }))
        .await;
        for run in opened {
            run.ways().for_each(|(_, way)| assert_eq!(way.unwrap(), Way::Sidecar));
            run.close().await.unwrap();
        }
        let named = docker(&[
            "images",
            "-q",
            "--filter",
            "label=bowline.probe",
            "--filter",
            &format!("reference={}", carried::image()),
        ]);
        assert_eq!(named.lines().count(), 1, "{named}");
    });
}
