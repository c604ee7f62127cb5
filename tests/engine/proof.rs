//! What `verify` makes of jobs, `up --verify`, and `verify --watch`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::stack::{Stack, eventually};

/// Everything that ends, and a server beside it. `$END` is how the job that nobody waits for ends.
const JOBS: &str = "
services:
  migrate: {image: busybox, command: 'true', networks: [net]}
  seed: {image: busybox, command: 'true', networks: [net]}
  once: {image: busybox, command: $END, networks: [net], restart: 'no'}
  web:
    image: busybox
    command: sleep 1000
    stop_signal: SIGKILL
    networks: [net]
    depends_on:
      migrate: {condition: service_completed_successfully}
      seed: {condition: service_started}
      once: {condition: service_started}
networks: {net: {ipam: {config: [{subnet: 10.30.31.0/26}]}}}
x-verify: {jobs: [seed]}
";

#[test]
fn a_stack_with_jobs_is_proved_by_one_command_and_refuted_when_one_of_them_fails() {
    let Some(stack) = Stack::new("jobs-proved", &JOBS.replace("$END", "'true'")) else { return };
    let up = stack.run("up --verify", 0);
    assert!(up.out.contains("all proved"), "{}{}", up.out, up.err);
    let report: serde_json::Value = serde_json::from_str(&stack.run("verify --format json", 0).out).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let ids: Vec<&str> = checks.iter().filter_map(|check| check["id"].as_str()).collect();
    for job in ["migrate", "seed", "once"] {
        let own: Vec<_> = ids.iter().filter(|id| id.contains(job)).collect();
        assert_eq!(own, [&format!("completed/{job}")], "{ids:?}");
    }
    stack.write(&JOBS.replace("$END", "sh -c 'exit 3'"));
    let up = stack.run("up --verify", 71);
    assert!(up.out.contains("once-1 ended with 3"), "{}", up.out);
    // nobody says of it that it may end
    stack.write(&JOBS.replace("$END", "'true'").replace(", restart: 'no'", ""));
    let up = stack.run("up -d --verify", 73);
    assert!(up.out.contains("x-verify: {jobs: [once]}"), "{}", up.out);
    assert!(!up.out.contains("refuted"), "{}", up.out);
    stack.run("down", 0);
}

const WATCHED: &str = "
services:
  web: {image: busybox, command: sleep 1000, stop_signal: SIGKILL, networks: {net: {aliases: [www]}}}
  client: {image: busybox, command: sleep 1000, stop_signal: SIGKILL, networks: [net]}
networks: {net: {ipam: {config: [{subnet: 10.30.31.64/26}]}}}
x-verify: {timeout: 1s}
";

/// `verify --watch` as it runs, with the last verdict of each check. Killed when dropped.
struct Watch(Child, Arc<Mutex<BTreeMap<String, String>>>);

impl Watch {
    fn new(stack: &Stack) -> Self {
        let mut child = stack.bowline("verify --watch --format json").stdout(Stdio::piped()).spawn().unwrap();
        let (out, verdicts) = (child.stdout.take().unwrap(), Arc::default());
        let known: Arc<Mutex<BTreeMap<String, String>>> = Arc::clone(&verdicts);
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines() {
                let change: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
                let word = |key: &str| change[key].as_str().unwrap_or_default().to_owned();
                known.lock().unwrap().insert(word("id"), word("verdict"));
            }
        });
        Self(child, verdicts)
    }

    /// Waits until what was said comes to this.
    fn says(&self, what: &str, holds: impl Fn(&BTreeMap<String, String>) -> bool) {
        eventually(Duration::from_secs(60), || {
            let known = self.1.lock().unwrap();
            holds(&known).then_some(()).ok_or_else(|| (what.to_owned(), known.clone()))
        });
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_watcher_sees_what_somebody_breaks_and_what_is_mended_and_ends_with_the_last_verdict() {
    let Some(stack) = Stack::new("watched", WATCHED) else { return };
    stack.run("up -d", 0);
    let mut watch = Watch::new(&stack);
    let proved = |known: &BTreeMap<String, String>| !known.is_empty() && known.values().all(|v| v == "proved");
    watch.says("all proved", proved);
    let disconnect = ["network", "disconnect", &format!("{}_net", stack.name), &format!("{}-web-1", stack.name)];
    assert!(Command::new("docker").args(disconnect).status().unwrap().success());
    let refuted = |known: &BTreeMap<String, String>| {
        ["address/web@net", "reach/client->web", "name/client:www"].iter().all(|id| known[*id] == "refuted")
    };
    watch.says("web is off its network", refuted);
    stack.run("up -d", 0);
    watch.says("all proved again", proved);
    let pid = i32::try_from(watch.0.id()).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::INT).unwrap();
    assert_eq!(watch.0.wait().unwrap().code(), Some(0));
    stack.run("down", 0);
}
