//! What the probe says and hears: names, HTTP, files, and everything that would like to hold it up.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bowline::probe::{
    Answer, Asked, Failure, Family, Http, Lookup, NameOutcome, Outcome, ProbeError, Question, Scope, Transport,
};

use crate::namespace::{Net, Probe, possible, program};
use crate::stack::eventually;

const LONG: Duration = Duration::from_secs(5);
const SHORT: Duration = Duration::from_millis(300);
const SERVER: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 2);

/// A namespace with a name server at 198.18.0.2, and nobody at 198.18.0.3.
fn with_name_server() -> Option<Net> {
    possible().then(|| {
        let net = Net::new();
        for address in ["198.18.0.1/24", "198.18.0.2/24"] {
            net.ip(&format!("addr add {address} dev lo"));
        }
        // an address that swallows everything
        net.ip("addr add 198.18.0.3/24 dev lo");
        net.run("iptables -A INPUT -d 198.18.0.3 -j DROP");
        let bind = || (UdpSocket::bind((SERVER, 53)).unwrap(), TcpListener::bind((SERVER, 53)).unwrap());
        net.serve(bind, |(udp, tcp)| {
            std::thread::spawn(move || serve_tcp(&tcp));
            serve_udp(&udp);
        });
        net
    })
}

/// The first label of the name that a query asks for, and the query's end.
fn asked(query: &[u8]) -> (String, usize) {
    let length = usize::from(query[12]);
    let end = query[12..].iter().position(|&b| b == 0).unwrap() + 12 + 5;
    (String::from_utf8_lossy(&query[13..13 + length]).into_owned(), end)
}

/// An answer with a code, flags, and addresses for A.
fn answer(query: &[u8], code: u8, cut: bool, addresses: &[[u8; 4]]) -> Vec<u8> {
    let (_, end) = asked(query);
    let mut packet = query[..end].to_vec();
    packet[2] = 0x81 | if cut { 2 } else { 0 };
    packet[3] = 0x80 | code;
    let v4 = packet[end - 3] == 1;
    let addresses = if v4 { addresses } else { &[] };
    packet[7] = addresses.len() as u8;
    for address in addresses {
        packet.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        packet.extend(address);
    }
    packet
}

fn serve_udp(socket: &UdpSocket) {
    let mut buffer = [0; 512];
    while let Ok((count, from)) = socket.recv_from(&mut buffer) {
        let query = &buffer[..count];
        let replies: Vec<Vec<u8>> = match asked(query).0.as_str() {
            "web" => vec![answer(query, 0, false, &[[198, 18, 0, 1], [198, 18, 0, 2]])],
            "nope" => vec![answer(query, 3, false, &[])],
            "broken" => vec![answer(query, 2, false, &[])],
            "secret" => vec![answer(query, 5, false, &[])],
            "long" => vec![answer(query, 0, true, &[])],
            "noise" => vec![vec![0xff; 40]],
            "spoofed" => {
                let mut wrong = answer(query, 0, false, &[[1, 2, 3, 4]]);
                wrong[0] ^= 0xff;
                vec![wrong, answer(query, 0, false, &[[198, 18, 0, 9]])]
            }
            _ => vec![],
        };
        for reply in replies {
            let _ = socket.send_to(&reply, from);
        }
    }
}

fn serve_tcp(listener: &TcpListener) {
    while let Ok((mut stream, _)) = listener.accept() {
        let mut buffer = [0; 512];
        let count = stream.read(&mut buffer).unwrap_or_default();
        let reply = answer(&buffer[2..count], 0, false, &[[10, 0, 0, 1]; 20]);
        let _ = stream.write_all(&(reply.len() as u16).to_be_bytes());
        // in two pieces
        let _ = stream.write_all(&reply[..30]).and_then(|()| stream.write_all(&reply[30..]));
    }
}

fn lookup(probe: &mut Probe, name: &str, family: Family, server: Option<Ipv4Addr>) -> Lookup {
    let server = server.map(IpAddr::from);
    let within =
        if name == "silent" || name == "noise" || server == Some([198, 18, 0, 3].into()) { SHORT } else { LONG };
    match probe.ask_one(Question::Lookup { name: name.to_owned(), family, server, within, tries: 2 }) {
        Answer::Lookup(lookup) => lookup,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_name_is_found_unknown_refused_or_lost() {
    let Some(net) = with_name_server() else { return };
    let mut probe = net.probe();
    let mut one = |name: &str| -> Asked { lookup(&mut probe, name, Family::V4, Some(SERVER)).asked.remove(0) };
    let web = one("web");
    assert_eq!((web.outcome, web.transport), (NameOutcome::Found, Transport::Udp));
    assert_eq!(web.addresses, [IpAddr::from([198, 18, 0, 1]), IpAddr::from([198, 18, 0, 2])]);
    assert_eq!(one("spoofed").addresses, [IpAddr::from([198, 18, 0, 9])], "the wrong id is passed over");
    let long = one("long");
    assert_eq!(
        (long.outcome, long.transport, long.addresses.len()),
        (NameOutcome::Found, Transport::Tcp, 20),
        "{long:?}"
    );
    for (name, outcome, code) in [
        ("nope", NameOutcome::NoSuchName, Some(3)),
        ("broken", NameOutcome::ServerFailure, Some(2)),
        ("secret", NameOutcome::Declined, Some(5)),
        ("silent", NameOutcome::TimedOut, None),
        ("noise", NameOutcome::Malformed, None),
    ] {
        let found = one(name);
        assert_eq!((found.outcome, found.code), (outcome, code), "{name}: {found:?}");
    }
    let empty = lookup(&mut probe, "web", Family::V6, Some(SERVER));
    assert_eq!(empty.asked[0].outcome, NameOutcome::Empty);
    let nobody = lookup(&mut probe, "web", Family::V4, Some(Ipv4Addr::new(198, 18, 0, 1)));
    assert_eq!((nobody.asked[0].outcome, nobody.asked[0].errno), (NameOutcome::NoServer, Some(111)));
    let away = lookup(&mut probe, "web", Family::V4, Some(Ipv4Addr::new(203, 0, 113, 1)));
    assert_eq!(away.asked[0].outcome, NameOutcome::Unreachable);
}

/// A directory with etc/hosts and etc/resolv.conf; removed when dropped.
struct Root(PathBuf);

impl Root {
    fn new(hosts: &str, resolver: &str) -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("bwp-root-{}-{number}", std::process::id()));
        std::fs::create_dir_all(path.join("etc")).unwrap();
        std::fs::write(path.join("etc/hosts"), hosts).unwrap();
        std::fs::write(path.join("etc/resolv.conf"), resolver).unwrap();
        Self(path)
    }

    fn probe(&self, net: &Net) -> Probe {
        net.probe_with(&["--root", self.0.to_str().unwrap()]).unwrap()
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn servers_are_asked_in_order_until_one_knows() {
    let Some(net) = with_name_server() else { return };
    let servers = "nameserver 198.18.0.3\nnameserver 198.18.0.1\nnameserver 198.18.0.2\nnameserver 198.18.0.3\n";
    let root = Root::new("198.18.0.77 web other # x\n", servers);
    let mut probe = root.probe(&net);
    let question =
        Question::Lookup { name: "web".to_owned(), family: Family::V4, server: None, within: SHORT, tries: 2 };
    let Answer::Lookup(found) = probe.ask_one(question) else { panic!() };
    let outcomes: Vec<NameOutcome> = found.asked.iter().map(|a| a.outcome).collect();
    assert_eq!(outcomes, [NameOutcome::TimedOut, NameOutcome::NoServer, NameOutcome::Found]);
    assert_eq!(found.hosts, [IpAddr::from([198, 18, 0, 77])]);
    let Answer::Resolver(resolver) = probe.ask_one(Question::Resolver {}) else { panic!() };
    assert_eq!(resolver.servers.len(), 4);
}

#[test]
fn a_container_s_files_lead_nowhere_else() {
    if !possible() {
        return;
    }
    let net = Net::new();
    let root = Root::new("127.0.0.1 localhost\n", "");
    let secret = root.0.join("secret");
    std::fs::write(&secret, "198.18.0.66 stolen\n").unwrap();
    let hosts = root.0.join("etc/hosts");
    let read = |what: &str| {
        let answer = root.probe(&net).ask_one(Question::Hosts {});
        match answer {
            Answer::Hosts(lines) => Ok(lines.first().map(|l| l.text.clone()).unwrap_or_default()),
            Answer::Failure(Failure { errno, .. }) => Err(errno),
            other => panic!("{what}: {other:?}"),
        }
    };
    assert_eq!(read("itself"), Ok("127.0.0.1 localhost".to_owned()));
    let replace = |target: &str| {
        std::fs::remove_file(&hosts).unwrap();
        std::os::unix::fs::symlink(target, &hosts).unwrap();
    };
    // a link inside is followed as the container would; one that climbs or starts at / stays inside
    replace("../secret");
    assert_eq!(read("inside"), Ok("198.18.0.66 stolen".to_owned()));
    replace("../../../../../../etc/hostname");
    assert_eq!(read("climbing"), Err(Some(2)));
    replace("/proc/self/environ");
    assert_eq!(read("from the top"), Err(Some(2)));
    std::fs::remove_file(&hosts).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(&hosts).status().unwrap();
    assert!(pipe.success());
    let started = Instant::now();
    assert_eq!(read("a pipe"), Err(None));
    assert!(started.elapsed() < LONG, "a pipe without a writer holds nobody up");
    std::fs::remove_file(&hosts).unwrap();
    std::fs::write(&hosts, vec![b'a'; 2 * 1024 * 1024]).unwrap();
    assert_eq!(read("too long"), Err(None));
}

fn get(host: &str, port: u16, to: Option<Ipv4Addr>, within: Duration) -> Question {
    Question::Http { host: host.to_owned(), port, to: to.map(IpAddr::from), path: "/x".to_owned(), within }
}

#[test]
fn http_answers_are_read_by_name_and_by_address() {
    let Some(net) = with_name_server() else { return };
    net.serve(
        || TcpListener::bind((SERVER, 80)).unwrap(),
        |listener| {
            while let Ok((mut stream, _)) = listener.accept() {
                let mut buffer = [0; 1024];
                let count = stream.read(&mut buffer).unwrap_or_default();
                let head = String::from_utf8_lossy(&buffer[..count]).into_owned();
                let host = head.lines().find_map(|l| l.strip_prefix("Host: ")).unwrap_or("none");
                let status = if head.starts_with("GET /x HTTP/1.1") { "200 OK" } else { "404 Not Found" };
                let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{host}", host.len());
            }
        },
    );
    let root = Root::new("198.18.0.2 alias\n", "nameserver 198.18.0.2\n");
    let mut probe = root.probe(&net);
    let mut ask = |question| match probe.ask_one(question) {
        Answer::Http(http) => http,
        other => panic!("{other:?}"),
    };
    let told = |http: &Http| (http.status, http.body.clone(), http.resolved_by.clone());
    let by = |how: &str, host: &str| (Some(200), host.to_owned(), Some(how.to_owned()));
    assert_eq!(told(&ask(get("alias", 80, None, LONG))), by("hosts", "alias"));
    assert_eq!(told(&ask(get("other.example", 80, Some(SERVER), LONG))), by("given", "other.example"));
    assert_eq!(told(&ask(get("198.18.0.2", 80, None, LONG))), by("literal", "198.18.0.2"));
    let by_dns = ask(get("web", 80, None, LONG));
    assert_eq!(
        (by_dns.to, by_dns.attempt.outcome),
        (Some(([198, 18, 0, 1], 80).into()), Outcome::Refused),
        "{by_dns:?}"
    );
    let unknown = ask(get("nope", 80, None, LONG));
    assert_eq!((unknown.attempt.outcome, unknown.to), (Outcome::Unreachable, None), "{unknown:?}");
    let lost = ask(get("silent", 80, None, SHORT));
    assert_eq!(lost.attempt.outcome, Outcome::Failed, "no server said that there is no such name: {lost:?}");
}

#[test]
fn no_server_holds_the_probe_up() {
    let Some(net) = with_name_server() else { return };
    // 81 never answers, 82 drips, 83 never ends, 84 speaks another language, 85 hangs up
    for port in 81..=85u16 {
        net.serve(
            move || TcpListener::bind((SERVER, port)).unwrap(),
            move |listener| {
                while let Ok((stream, _)) = listener.accept() {
                    std::thread::spawn(move || annoy(stream, port));
                }
            },
        );
    }
    let mut probe = net.probe();
    let started = Instant::now();
    let questions: Vec<Question> = (81..=85).map(|port| get("x", port, Some(SERVER), Duration::from_secs(1))).collect();
    let answers: Vec<Http> = probe
        .ask(&questions)
        .into_iter()
        .map(|a| match a {
            Answer::Http(http) => http,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(started.elapsed() < LONG, "{:?}", started.elapsed());
    assert!(answers.iter().all(|a| a.attempt.outcome == Outcome::Answered && a.truncated), "{answers:?}");
    let statuses: Vec<Option<u16>> = answers.iter().map(|a| a.status).collect();
    assert_eq!(statuses, [None, None, Some(200), None, None]);
    assert_eq!(answers[2].body.len(), 64 * 1024);
    assert!(answers[0].attempt.message.as_ref().unwrap().contains("timed out"), "{:?}", answers[0]);
}

fn annoy(mut stream: TcpStream, port: u16) {
    let mut buffer = [0; 1024];
    let _ = stream.read(&mut buffer);
    match port {
        81 => std::thread::sleep(Duration::from_secs(20)),
        82 => {
            while stream.write_all(b"H").is_ok() {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        83 => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            while stream.write_all(&[b'x'; 8192]).is_ok() {}
        }
        84 => {
            let _ = stream.write_all(b"220 mail.example ESMTP\r\n");
        }
        _ => {}
    }
}

#[test]
fn a_listener_is_not_held_up_by_who_says_nothing() {
    let Some(net) = with_name_server() else { return };
    let (mut listener, mut asker) = (net.probe(), net.probe());
    let question = Question::Listen { port: 0, scope: Scope::Any, label: "a\u{1b}[2J b".to_owned() };
    let Answer::Listening(listening) = listener.ask_one(question) else { panic!() };
    let to = SocketAddr::from((SERVER, listening.port));
    net.serve(|| (), |()| ());
    let held: Vec<Question> =
        (0..200).map(|_| Question::Connect { to, device: None, greeting: true, within: LONG, tries: 1 }).collect();
    let greeted = asker.ask(&held);
    let expected = |a: &Answer| matches!(a, Answer::Attempt(a) if a.greeting.as_deref() == Some("a[2Jb"));
    assert!(greeted.iter().all(expected), "{:?}", greeted.iter().find(|a| !expected(a)));
    // what is not asked for is not answered
    let foreign = Question::Datagram { to, device: None, payload: Some("hello".to_owned()), within: SHORT, tries: 1 };
    let Answer::Attempt(silent) = asker.ask_one(foreign) else { panic!() };
    assert_eq!(silent.outcome, Outcome::TimedOut);
    // the port is taken now
    let again = Question::Listen { port: listening.port, scope: Scope::Any, label: "b".to_owned() };
    assert!(matches!(asker.ask_one(again), Answer::Failure(_)));
    // on loopback only, others do not reach it
    let own = Question::Listen { port: 0, scope: Scope::Loopback, label: "own".to_owned() };
    let Answer::Listening(own) = listener.ask_one(own) else { panic!() };
    let connect = |address: [u8; 4]| Question::Connect {
        to: (address, own.port).into(),
        device: None,
        greeting: true,
        within: LONG,
        tries: 1,
    };
    let Answer::Attempt(there) = asker.ask_one(connect([198, 18, 0, 2])) else { panic!() };
    let Answer::Attempt(here) = asker.ask_one(connect([127, 0, 0, 1])) else { panic!() };
    assert_eq!((there.outcome, here.outcome), (Outcome::Refused, Outcome::Answered));
}

#[test]
fn all_questions_run_at_once_up_to_a_bound() {
    let Some(net) = with_name_server() else { return };
    let mut probe = net.probe();
    let lost = |port| Question::Connect {
        to: ([198, 18, 0, 3], port).into(),
        device: None,
        greeting: false,
        within: Duration::from_secs(1),
        tries: 1,
    };
    let started = Instant::now();
    let answers = probe.ask(&(1..=256).map(lost).collect::<Vec<_>>());
    let took = started.elapsed();
    assert!(answers.iter().all(|a| matches!(a, Answer::Attempt(a) if a.outcome == Outcome::TimedOut)));
    assert!(took > Duration::from_secs(2) && took < Duration::from_secs(4), "two waves of 128: {took:?}");
}

#[test]
fn what_is_no_question_is_told_so_and_an_endless_line_ends_it() {
    let Some(net) = with_name_server() else { return };
    let mut probe = net.probe();
    probe.say("\n\n");
    assert!(matches!(probe.ask_one(Question::Hosts {}), Answer::Hosts(_)));
    let mut child = Command::new(program()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"7 what is this\n8 connect 1.2.3.4\n").unwrap();
    let out = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let told: Vec<bool> = out.lines().skip(1).map(|line| line.contains("not a question")).collect();
    assert_eq!(told, [true, true], "{out}");
    let mut other = net.probe();
    // it may be gone before all of it is written
    let _ = other.try_say(&"x".repeat(256 * 1024));
    assert_eq!(other.end(), Some(0));
}

#[test]
fn another_namespace_than_the_expected_one_is_not_entered() {
    if !possible() {
        return;
    }
    let net = Net::new();
    let inode = net.probe().namespace().inode;
    assert_eq!(net.probe_with(&["--inode", &inode.to_string()]).unwrap().namespace().inode, inode);
    let refused = net.probe_with(&["--inode", &(inode + 1).to_string()]);
    assert!(matches!(refused, Err(ProbeError::NotStarted(_))));
    let nowhere = Probe::start(&["--namespace", "/run/netns/bwp-nowhere"]);
    assert!(matches!(nowhere, Err(ProbeError::NotStarted(why)) if why.contains("bwp-nowhere")));
}

/// The links beside a host, seen from it.
fn beside(host: &Net) -> Vec<String> {
    let Answer::Links(links) = host.probe().ask_one(Question::Links {}) else { panic!() };
    links.into_iter().filter(|l| l.name.starts_with("bwl-")).map(|l| l.name).collect()
}

#[test]
fn a_place_beside_the_host_comes_and_goes_with_its_program() {
    let Some(host) = with_name_server() else { return };
    let outside = || host.probe_with(&["--outside", "198.51.100.0/29"]);
    let mut listener = host.probe();
    let listen = Question::Listen { port: 0, scope: Scope::Any, label: "host".to_owned() };
    let (mut first, second) = (outside().unwrap(), outside().unwrap());
    assert!(matches!(outside(), Err(ProbeError::NotStarted(why)) if why.contains("free")), "a /29 holds two");
    assert_eq!(beside(&host).len(), 2);
    assert_ne!(first.namespace().inode, host.probe().namespace().inode);
    let Answer::Listening(listening) = listener.ask_one(listen) else { panic!() };
    let Answer::Routes(routes) = first.ask_one(Question::Routes {}) else { panic!() };
    let gateway = routes.iter().find(|r| r.prefix == 0 && r.destination.is_ipv4()).unwrap().gateway.unwrap();
    for address in [gateway, SERVER.into()] {
        let to = SocketAddr::new(address, listening.port);
        let question = Question::Connect { to, device: None, greeting: true, within: LONG, tries: 5 };
        let Answer::Attempt(found) = first.ask_one(question) else { panic!() };
        assert_eq!(found.greeting.as_deref(), Some("host"), "{found:?}");
    }
    // an orderly end takes the links along at once
    assert_eq!(first.end(), Some(0));
    assert_eq!(beside(&host).len(), 1);
    // and so does, a little later, the kernel after a kill
    let mut second = second;
    second.child.kill().unwrap();
    second.child.wait().unwrap();
    eventually(LONG, || match beside(&host) {
        none if none.is_empty() => Ok(()),
        left => Err(left),
    });
}
