//! The transport against a server of a few lines, which answers as it is told.

use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use super::*;
use crate::engine::{Engine, Options};

const PING: &str = "HTTP/1.1 200 OK\r\nApi-Version: 1.99\r\nServer: Docker/99.1 (linux)\r\nDate: Sat, 21 Nov 2026 18:24:22 GMT\r\nContent-Length: 2\r\n\r\nOK";
const EMPTY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";

/// What the server does with one request.
#[derive(Clone, Copy)]
enum Play {
    /// Answers.
    Say(&'static str),
    /// Closes the connection without an answer.
    Hang,
}

/// A socket whose server plays `plays` in order, one a request, whatever the connection; and the request lines it saw, with headers of
/// somebody's own behind them.
struct Server {
    path: std::path::PathBuf,
    seen: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
}

impl Server {
    fn start(name: &str, plays: &[Play]) -> Self {
        let path = std::env::temp_dir().join(format!("bowline-transport-{name}-{}.sock", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        let (seen, connections) = (Arc::new(Mutex::new(vec![])), Arc::new(Mutex::new(0)));
        let plays = Arc::new(Mutex::new(plays.iter().copied().collect::<std::collections::VecDeque<_>>()));
        let (saw, opened) = (seen.clone(), connections.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *opened.lock().unwrap() += 1;
                tokio::spawn(serve(stream, plays.clone(), saw.clone()));
            }
        });
        Self { path, seen, connections }
    }

    async fn open(&self, options: Options) -> Result<Engine, Error> {
        Engine::open(Address::Unix(self.path.clone()), options).await
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn serve(
    mut stream: UnixStream,
    plays: Arc<Mutex<std::collections::VecDeque<Play>>>,
    seen: Arc<Mutex<Vec<String>>>,
) {
    let mut head = Vec::new();
    while let Ok(byte) = stream.read_u8().await {
        head.push(byte);
        if !head.ends_with(b"\r\n\r\n") {
            continue;
        }
        let text = String::from_utf8_lossy(&head).into_owned();
        let told = text.lines().enumerate().filter(|(at, line)| *at == 0 || line.starts_with("x-"));
        let told: Vec<&str> = told.map(|(_, line)| line.trim_end_matches(" HTTP/1.1")).collect();
        seen.lock().unwrap().push(told.join(", "));
        head.clear();
        let play = plays.lock().unwrap().pop_front().unwrap_or(Play::Hang);
        match play {
            Play::Say(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
            Play::Hang => return,
        }
    }
}

pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn a_version_in_front_is_taken_off_and_nothing_else() {
    assert_eq!(without_version("/v1.53/containers/json?all=1"), "/containers/json?all=1");
    assert_eq!(without_version("/volumes/v1.2"), "/volumes/v1.2");
    assert_eq!(without_version("/version"), "/version");
    assert_eq!(without_version("/_ping"), "/_ping");
}

#[test]
fn the_negotiated_version_is_in_every_path_and_one_connection_serves_all() {
    block_on(async {
        let server = Server::start("version", &[Play::Say(PING), Play::Say(EMPTY), Play::Say(EMPTY)]);
        let engine = server.open(Options::default()).await.unwrap();
        assert_eq!((engine.api(), engine.facts().version.as_str()), ((1, 51), "99.1"));
        assert_eq!(engine.clock(), Some(1_795_285_462));
        engine.networks().await.unwrap();
        engine.networks().await.unwrap();
        assert_eq!(server.seen(), ["GET /_ping", "GET /v1.51/networks", "GET /v1.51/networks"]);
        assert_eq!(*server.connections.lock().unwrap(), 1);
    });
}

#[test]
fn what_is_foreseen_is_asked_once_and_its_failure_is_no_answer() {
    const INFO: &str = "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"MemTotal\":7}";
    const REFUSED: &str = "HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\n{}";
    block_on(async {
        for (name, plays, seen) in [
            ("foreseen", &[Play::Say(INFO), Play::Say(INFO)][..], [2, 3]),
            ("mistaken", &[Play::Say(REFUSED), Play::Say(INFO), Play::Say(INFO)], [3, 4]),
        ] {
            let server = Server::start(name, &[&[Play::Say(PING)], plays].concat());
            let engine = server.open(Options::default()).await.unwrap();
            engine.foresee_facts().await;
            for seen in seen {
                assert_eq!(engine.all_facts().await.unwrap().memory, Some(7), "{name}");
                assert_eq!(server.seen().len(), seen, "{name}: the second answer is a new one");
            }
        }
    });
}

#[test]
fn whether_a_list_lacks_something_is_known_once_it_is_there() {
    const ONE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 33\r\n\r\n[{\"Id\":\"a\",\"Labels\":{\"of\":\"me\"}}]";
    block_on(async {
        // whatever the order in which three lists are asked for: what is no list of this kind is an error
        let server = Server::start("lacks", &[Play::Say(PING), Play::Say(ONE), Play::Say(ONE), Play::Say(ONE)]);
        let engine = server.open(Options::default()).await.unwrap();
        let mut survey = engine.survey();
        assert!(!survey.lacks(|_| false), "nothing is known yet");
        while !survey.lacks(|labels| labels.get("of").is_some_and(|of| of == "you")) {
            survey.send().await;
        }
        assert!(!survey.lacks(|labels| labels.get("of").is_some_and(|of| of == "me")));
    });
}

#[test]
fn headers_go_with_every_request() {
    block_on(async {
        let server = Server::start("headers", &[Play::Say(PING), Play::Say(EMPTY), Play::Hang]);
        let headers = [("x-meta".parse().unwrap(), "mine".parse().unwrap())].into_iter().collect();
        let engine = server.open(Options { headers, ..Options::default() }).await.unwrap();
        engine.networks().await.unwrap();
        let asked = engine.transport.ahead(&["/networks".to_owned()], |answer: serde_json::Value| answer).await;
        assert_eq!(asked, [None], "the shorter road has no headers");
        assert_eq!(server.seen(), ["GET /_ping, x-meta: mine", "GET /v1.51/networks, x-meta: mine"]);
    });
}

#[test]
fn a_version_that_the_user_asks_for_is_used() {
    block_on(async {
        let server = Server::start("asked", &[Play::Say(PING), Play::Say(EMPTY)]);
        let engine = server.open(Options { api: Some((1, 45)), ..Options::default() }).await.unwrap();
        engine.networks().await.unwrap();
        assert_eq!(server.seen()[1], "GET /v1.45/networks");
        let old = Server::start("old", &[Play::Say(PING)]);
        let old = old.open(Options { api: Some((1, 24)), ..Options::default() }).await;
        assert!(matches!(old, Err(Error::TooOld { has: (1, 24), .. })), "{old:?}");
    });
}

#[test]
fn a_read_that_a_closed_connection_swallowed_is_sent_once_more() {
    block_on(async {
        let plays = [Play::Say(PING), Play::Hang, Play::Say(EMPTY), Play::Hang, Play::Hang, Play::Hang];
        let server = Server::start("again", &plays);
        let engine = server.open(Options::default()).await.unwrap();
        engine.networks().await.unwrap();
        assert_eq!(server.seen().len(), 3);
        let lost = engine.networks().await.unwrap_err();
        assert!(matches!(&lost, Error::Broken { request, .. } if request == "GET /v1.51/networks"), "{lost:?}");
        assert_eq!(server.seen().len(), 5);
    });
}

#[test]
fn a_write_is_never_sent_twice() {
    block_on(async {
        let server = Server::start("write", &[Play::Say(PING), Play::Hang, Play::Say(EMPTY)]);
        let engine = server.open(Options::default()).await.unwrap();
        let lost = engine.start_container("x").await.unwrap_err();
        assert!(matches!(lost, Error::Broken { .. }), "{lost:?}");
        assert_eq!(server.seen().len(), 2);
    });
}

#[test]
fn an_engine_that_is_opened_for_reading_gets_no_write() {
    block_on(async {
        let server = Server::start("read", &[Play::Say(PING), Play::Say(EMPTY)]);
        let engine = server.open(Options { read_only: true, ..Options::default() }).await.unwrap();
        assert!(matches!(engine.start_container("x").await, Err(Error::ReadOnly(_))));
        assert!(matches!(engine.put_archive("x", "/", Bytes::new()).await, Err(Error::ReadOnly(_))));
        assert_eq!(server.seen().len(), 1);
    });
}

#[test]
fn the_gate_breaks_what_it_is_told_to_and_the_log_hears_of_it() {
    block_on(async {
        let server = Server::start("gate", &[Play::Say(PING), Play::Say(EMPTY)]);
        let heard = Arc::new(Mutex::new(vec![]));
        let hear = heard.clone();
        let options = Options {
            gate: Some(Arc::new(|method, _| match *method {
                Method::DELETE => Err(io::ErrorKind::ConnectionReset.into()),
                _ => Ok(()),
            })),
            log: Some(Arc::new(move |exchange: &Exchange| {
                hear.lock().unwrap().push(format!("{} {} {:?}", exchange.method, exchange.path, exchange.outcome));
            })),
            ..Options::default()
        };
        let engine = server.open(options).await.unwrap();
        assert!(matches!(engine.remove_network("n").await, Err(Error::Broken { .. })));
        let heard = heard.lock().unwrap().clone();
        assert_eq!(heard, ["GET /_ping Ok(200)", "DELETE /v1.51/networks/n Err(\"connection reset\")"]);
    });
}

#[test]
fn nobody_at_the_address_is_told_with_the_address() {
    block_on(async {
        let nobody = Engine::open(Address::Unix("/nonexistent/d.sock".into()), Options::default()).await.unwrap_err();
        assert!(nobody.is_unreachable());
        let told = nobody.to_string();
        assert!(told.contains("unix:///nonexistent/d.sock") && told.contains("No such file"), "{told}");
    });
}

const NOT_THERE: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 16\r\n\r\n{\"message\":\"no\"}";
const NO_JSON: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n<p>\r\n0\r\n\r\n";
const CHUNKS: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n2;x=y\r\n7]\r\n0\r\n\r\n";

#[test]
fn what_is_asked_ahead_is_answered_at_its_place_or_left() {
    block_on(async {
        let ahead = async |name: &str, options: Options, plays: &[Play], paths: usize| {
            let server = Server::start(name, &[&[Play::Say(PING)], plays].concat());
            let engine = server.open(options).await.unwrap();
            let paths: Vec<String> = (0..paths).map(|n| format!("/containers/{n}/json")).collect();
            let answers = engine.transport.ahead(&paths, |seen: Vec<u8>| seen).await;
            assert_eq!(answers.len(), paths.len());
            (answers.into_iter().flatten().collect::<Vec<_>>(), server.seen())
        };
        let plain = Options::default;
        let (answers, seen) = ahead("ahead", plain(), &[Play::Say(CHUNKS); 100], 100).await;
        assert_eq!((answers, seen.len()), (vec![vec![7]; 100], 101));
        assert!((0..100).all(|n| seen.contains(&format!("GET /v1.51/containers/{n}/json"))), "{seen:?}");
        let mixed = [EMPTY, NOT_THERE, NO_JSON, CHUNKS].map(Play::Say);
        let (answers, _) = ahead("mixed", plain(), &mixed, 4).await;
        assert_eq!(answers.iter().map(Vec::len).sum::<usize>(), 1, "two are answered, with nothing and with a 7");
        assert_eq!(answers.len(), 2);
        // a connection that ends leaves what it was asked; what was answered before stays
        let (answers, _) = ahead("cut", plain(), &[Play::Say(CHUNKS); 5], 9).await;
        assert_eq!(answers, vec![vec![7]; 5]);
        let gate: Gate = Arc::new(|_, _| Ok(()));
        let (answers, seen) = ahead("gated", Options { gate: Some(gate), ..plain() }, &[Play::Say(EMPTY); 9], 9).await;
        assert_eq!((answers.len(), seen.len()), (0, 1), "a gate sees each request, so none goes this way");
    });
}

#[test]
fn each_answer_ahead_is_at_the_place_of_its_question() {
    block_on(async {
        let socket = std::env::temp_dir().join(format!("bowline-transport-place-{}.sock", std::process::id()));
        let listener = UnixListener::bind(&socket).unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while let Ok(byte) = stream.read_u8().await {
                        head.push(byte);
                        if head.ends_with(b"\r\n\r\n") {
                            let number = String::from_utf8_lossy(&head).split(['/', ' ']).nth(2).unwrap().to_owned();
                            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{number}", number.len());
                            stream.write_all(answer.as_bytes()).await.unwrap();
                            head.clear();
                        }
                    }
                });
            }
        });
        let transport = Transport::new(Address::Unix(socket.clone()), Options::default()).unwrap();
        let paths: Vec<String> = (0..75).map(|number| format!("/{number}")).collect();
        let answers = transport.ahead(&paths, |number: usize| number).await;
        let _ = std::fs::remove_file(&socket);
        assert_eq!(answers, (0..75).map(Some).collect::<Vec<_>>());
    });
}
