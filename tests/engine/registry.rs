//! Images that are given and taken: against a registry of the test's own on the loopback, which Engines speak plain HTTP to.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};

use crate::compose::has_compose;
use crate::stack::{Built, Ran, Stack};

/// Blobs and manifests by their path, and what was asked.
#[derive(Default)]
struct Store {
    things: BTreeMap<String, (String, Vec<u8>)>,
    asked: Vec<String>,
}

/// A registry: as much of the distribution API as push and pull need. It goes with the test's process.
#[derive(Clone)]
struct Registry {
    store: Arc<Mutex<Store>>,
    address: String,
}

impl Registry {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let registry = Self { store: Arc::default(), address: listener.local_addr().unwrap().to_string() };
        let shared = registry.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let registry = shared.clone();
                std::thread::spawn(move || registry.answer(stream));
            }
        });
        registry
    }

    /// How often something was asked for whose method and path begin so.
    fn count(&self, start: &str) -> usize {
        self.store.lock().unwrap().asked.iter().filter(|line| line.starts_with(start)).count()
    }

    /// One request, one answer. Engines try TLS first: what is not HTTP is closed.
    fn answer(&self, stream: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let mut words = line.split_whitespace();
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let (mut length, mut chunked, mut expects, mut kind) = (0, false, false, String::new());
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            let Some((name, value)) = header.trim().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().ok()?,
                "transfer-encoding" => chunked = value == "chunked",
                "content-type" => kind = value.to_owned(),
                "expect" => expects = true,
                _ => {}
            }
        }
        if expects {
            (&stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
        }
        let body = body(&mut reader, length, chunked)?;
        let (head, content) = self.reply(&method, &target, kind, body);
        let text = format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n");
        (&stream).write_all(text.as_bytes()).ok()?;
        (&stream).write_all(&content).ok()
    }

    fn reply(&self, method: &str, target: &str, kind: String, body: Vec<u8>) -> (String, Vec<u8>) {
        let store = &mut *self.store.lock().unwrap();
        store.asked.push(format!("{method} {target}"));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let digest = |bytes: &[u8]| {
            let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            format!("sha256:{hex}")
        };
        match method {
            "POST" => (format!("202 Accepted\r\nLocation: {path}{}\r\nContent-Length: 0", store.asked.len()), vec![]),
            "PATCH" => {
                let count = body.len().max(1) - 1;
                store.things.insert(path.to_owned(), (String::new(), body));
                (format!("202 Accepted\r\nLocation: {path}\r\nRange: 0-{count}\r\nContent-Length: 0"), vec![])
            }
            "PUT" if path.contains("/blobs/uploads/") => {
                let sent = store.things.remove(path).unwrap_or_default().1;
                let bytes = if sent.is_empty() { body } else { sent };
                let (repository, _) = path.split_once("/blobs/").unwrap();
                let name = digest(&bytes);
                assert!(query.contains(&name.replace(':', "%3A")) || query.contains(&name), "{query} is not {name}");
                store.things.insert(format!("{repository}/blobs/{name}"), (String::new(), bytes));
                (format!("201 Created\r\nLocation: {repository}/blobs/{name}\r\nContent-Length: 0"), vec![])
            }
            "PUT" => {
                let (repository, _) = path.split_once("/manifests/").unwrap();
                let name = digest(&body);
                store.things.insert(format!("{repository}/manifests/{name}"), (kind.clone(), body.clone()));
                store.things.insert(path.to_owned(), (kind, body));
                (format!("201 Created\r\nDocker-Content-Digest: {name}\r\nContent-Length: 0"), vec![])
            }
            _ if path == "/v2/" => ("200 OK\r\nContent-Length: 2".to_owned(), b"{}".to_vec()),
            _ => match store.things.get(path) {
                None => ("404 Not Found\r\nContent-Length: 0".to_owned(), vec![]),
                Some((kind, bytes)) => {
                    let kind = if kind.is_empty() { "application/octet-stream" } else { kind };
                    let length = bytes.len();
                    let name = digest(bytes);
                    let head = format!(
                        "200 OK\r\nContent-Type: {kind}\r\nDocker-Content-Digest: {name}\r\nContent-Length: {length}"
                    );
                    (head, if method == "HEAD" { vec![] } else { bytes.clone() })
                }
            },
        }
    }
}

fn body(reader: &mut impl BufRead, length: usize, chunked: bool) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes).ok()?;
    if !chunked {
        return Some(bytes);
    }
    loop {
        let mut size = String::new();
        reader.read_line(&mut size).ok()?;
        let mut chunk = vec![0; usize::from_str_radix(size.trim(), 16).ok()? + 2];
        reader.read_exact(&mut chunk).ok()?;
        if chunk.len() == 2 {
            return Some(bytes);
        }
        bytes.extend_from_slice(&chunk[..chunk.len() - 2]);
    }
}

/// The image goes with the test.
struct Image(String);

impl Drop for Image {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["image", "rm", "-f", &self.0]).output();
    }
}

#[test]
fn what_is_built_is_pushed_and_pulled_again_by_policy() {
    let Some(stack) = Stack::new("registry", "services: {}").map(Built) else { return };
    let registry = Registry::new();
    let image = Image(format!("{}/{}/web:1", registry.address, stack.name));
    let build = "build: {context: ., dockerfile_inline: 'FROM busybox'}";
    stack.write(&format!(
        "services:\n  web: {{image: '{}', {build}, command: sleep 1000, init: true}}\n  local: {{{build}}}\n",
        image.0
    ));
    stack.run("build web", 0);
    let pushed = stack.run("push", 0);
    assert!(pushed.err.contains(&format!("Image {}  Pushed", image.0)), "{}", pushed.err);
    assert!(!pushed.err.contains("local"), "an image without a name of its own is nobody's\n{}", pushed.err);
    assert_eq!(registry.count(&format!("PUT /v2/{}/web/manifests/1", stack.name)), 1);

    for builder in ["0", "1"] {
        let puts = || registry.count(&format!("PUT /v2/{}/web/manifests/1", stack.name));
        let before = puts();
        let built = stack.bowline("build --push").env("DOCKER_BUILDKIT", builder).output().unwrap();
        assert_eq!(built.status.code(), Some(0), "{built:?}");
        assert_eq!(puts(), before + 1, "DOCKER_BUILDKIT={builder}: {built:?}");
        assert_eq!(registry.count(&format!("PUT /v2/{}-local/manifests/latest", stack.name)), 0);
    }

    for flag in ["--resolve-image-digests", "--lock-image-digests"] {
        let own = stack.run(&format!("config {flag}"), 0).out;
        assert!(own.contains(&format!("image: {}@sha256:", image.0)), "{own}");
        assert_eq!(own.contains("networks:"), flag == "--resolve-image-digests", "{own}");
        if has_compose() {
            let theirs = Ran::from(stack.compose(&format!("config {flag}")).output().unwrap());
            assert_eq!(own, theirs.out, "{flag}: {}", theirs.err);
        }
    }

    // what BuildKit built on an Engine of 20.10 has no time of its own
    stack.docker(&format!("tag {0} {0}", image.0));
    let manifest = format!("/v2/{}/web/manifests/", stack.name);
    let asked = || registry.count(&format!("GET {manifest}")) + registry.count(&format!("HEAD {manifest}"));
    let plain = format!("services: {{web: {{image: '{}', command: sleep 1000, init: true", image.0);
    for (policy, pulls) in [("missing", false), ("weekly", false), ("every_0s", true), ("always", true)] {
        stack.write(&format!("{plain}, pull_policy: {policy}}}}}"));
        let before = asked();
        let planned = stack.run("--dry-run up -d", 0);
        assert_eq!(planned.out.contains(&format!("pull {}", image.0)), pulls, "{policy}\n{}", planned.out);
        stack.run("up -d -t 2", 0);
        assert_eq!(asked() > before, pulls, "{policy}");
        assert_eq!(stack.run("plan", if pulls { 2 } else { 0 }).out.contains("pull"), pulls, "{policy}");
    }
    stack.run("down -t 2", 0);
    stack.docker(&format!("image rm -f {}", image.0));
    stack.run("up -d", 0);
    assert_eq!(stack.inspect("web", "{{.Config.Image}}"), image.0);
    stack.run("down -t 2", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn what_cannot_be_pushed_says_why_and_can_be_ignored() {
    let Some(stack) = Stack::new("refused", "services: {}").map(Built) else { return };
    // nobody listens at port 9
    let image = Image(format!("127.0.0.1:9/{}/web:1", stack.name));
    stack.write(&format!("services: {{web: {{image: '{}', build: {{dockerfile_inline: FROM busybox}}}}}}", image.0));
    stack.run("build", 0);
    let failed = stack.run("push", 1);
    assert!(failed.err.contains("cannot push") && failed.err.contains("127.0.0.1:9"), "{}", failed.err);
    stack.run("push --ignore-push-failures", 0);
}
