//! A headless Chromium, spoken to by its DevTools protocol over two pipes: no port is opened, and nothing but the pages is loaded.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test says what it found by panicking")]

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// A browser with one page. Ended when dropped, and by itself after a minute.
pub struct Browser {
    child: Child,
    to: File,
    from: BufReader<File>,
    session: Option<String>,
    sent: u64,
    /// Addresses that were asked for since the last look.
    requests: Vec<String>,
    is_loaded: bool,
}

/// The program, or none after saying so: Debian calls it `chromium`.
///
/// # Panics
/// In CI, where somebody must look at the page.
fn program() -> Option<&'static str> {
    let there =
        |name: &&str| Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(there);
    if found.is_none() {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "no chromium, and CI must look at the page");
        eprintln!("SKIPPED, no chromium: nobody has looked at the page of `verify --format html` in this run");
    }
    found
}

impl Browser {
    /// Starts one that keeps its things in `directory`.
    pub fn start(directory: &Path) -> Option<Self> {
        let program = program()?;
        let path = |name: &str| directory.join(name);
        let made = Command::new("mkfifo").args([path("to"), path("from")]).status().unwrap();
        assert!(made.success());
        // the browser reads at 3 and writes at 4
        let child = Command::new("sh")
            .args(["-c", "exec timeout -k 5 60 \"$@\" 3<to 4>from", "sh", program])
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", path("profile").display()))
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(path("log")).unwrap())
            .spawn()
            .unwrap();
        let to = OpenOptions::new().write(true).open(path("to")).unwrap();
        let from = BufReader::new(File::open(path("from")).unwrap());
        let mut browser = Self { child, to, from, session: None, sent: 0, requests: vec![], is_loaded: false };
        let page = browser.ask("Target.createTarget", json!({"url": "about:blank"}));
        let attached = browser.ask("Target.attachToTarget", json!({"targetId": page["targetId"], "flatten": true}));
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Network", "Runtime"] {
            browser.ask(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    /// Asks, and gives the answer; what happens meanwhile is noted.
    pub fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.sent += 1;
        let mut message = json!({"id": self.sent, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        self.to.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let heard = self.hear();
            if heard["id"] == self.sent {
                assert!(heard["error"].is_null(), "{method}: {heard}");
                return heard["result"].clone();
            }
        }
    }

    /// The next message.
    fn hear(&mut self) -> Value {
        let mut bytes = vec![];
        self.from.read_until(0, &mut bytes).unwrap();
        assert_eq!(bytes.pop(), Some(0), "the browser has ended");
        let heard: Value = serde_json::from_slice(&bytes).unwrap();
        match heard["method"].as_str() {
            Some("Network.requestWillBeSent") => {
                self.requests.push(heard["params"]["request"]["url"].as_str().unwrap_or_default().to_owned());
            }
            Some("Page.loadEventFired") => self.is_loaded = true,
            _ => {}
        }
        heard
    }

    /// Shows a file on a screen so many points wide, and gives every address that was asked for.
    pub fn show(&mut self, page: &Path, width: u32, scheme: &str) -> Vec<String> {
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        self.ask("Emulation.setEmulatedMedia", json!({"media": "", "features": [feature]}));
        let screen = json!({"width": width, "height": 720, "deviceScaleFactor": 1, "mobile": width < 600});
        self.ask("Emulation.setDeviceMetricsOverride", screen);
        (self.is_loaded, self.requests) = (false, vec![]);
        self.ask("Page.navigate", json!({"url": format!("file://{}", page.display())}));
        while !self.is_loaded {
            self.hear();
        }
        std::mem::take(&mut self.requests)
    }

    /// What an expression of JavaScript comes to in the page.
    pub fn value(&mut self, expression: &str) -> Value {
        let answer = self.ask("Runtime.evaluate", json!({"expression": expression, "returnByValue": true}));
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Presses a key and lets it go.
    pub fn press(&mut self, key: &str, code: u32, text: &str) {
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let key = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
            self.ask("Input.dispatchKeyEvent", key);
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
