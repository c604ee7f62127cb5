//! `watch` and `up --watch`: driven by changes of files, awaited by what the containers hold.

use std::fmt::Debug;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::compose::has_compose;
use crate::stack::{Ran, Stack, eventually};

const LONG: Duration = Duration::from_secs(40);

const STACK: &str = "
services:
  web:
    image: busybox
    command: sh -c 'echo begun; exec sleep 1000'
    init: true
    user: '1000'
    stop_grace_period: 0s
    develop:
      watch:
        - {path: ./src, action: sync, target: /app, ignore: [tmp], initial_sync: true}
        - {path: ./conf, action: sync+restart, target: /conf}
        - {path: ./hooks, action: sync+exec, target: /hooks, exec: {command: cat /hooks/h}}
        - {path: ./flag, action: restart}
  other: {image: busybox, command: sleep 1000, init: true, stop_grace_period: 0s}
";

/// A program that watches, and what it has written so far.
struct Watch {
    child: Child,
    said: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Watch {
    /// Waits until it watches.
    fn begin(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let out: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        let reader = |stream| {
            let said = said.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    said.lock().unwrap().push_str(&format!("{line}\n"));
                }
            })
        };
        let readers = out.into_iter().map(reader).collect();
        let watch = Self { child, said, readers };
        watch.says("Watch enabled", 1);
        watch
    }

    /// Waits until it has said something so often.
    fn says(&self, words: &str, times: usize) {
        self.until(|| {
            let said = self.said.lock().unwrap().clone();
            if said.matches(words).count() >= times { Ok(()) } else { Err(said) }
        });
    }

    /// Asks until the answer is `Ok`, and shows what it said where that does not come.
    fn until<T, E: Debug>(&self, mut check: impl FnMut() -> Result<T, E>) -> T {
        let ask = || check().map_err(|why| format!("{why:?}, having said:\n{}", self.said.lock().unwrap()));
        eventually(LONG, ask)
    }

    /// Ctrl-C, and what it ends with, once everything that it said has come.
    fn interrupt(mut self) -> i32 {
        let id = rustix::process::Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// What a line prints in the container of `web`, which may not be there just now.
fn web(stack: &Stack, line: &str) -> Result<String, String> {
    let name = format!("{}-web-1", stack.name);
    let ran = Ran::from(Command::new("docker").args(["exec", &name, "sh", "-c", line]).output().unwrap());
    if ran.code == Some(0) { Ok(ran.out) } else { Err(format!("{ran:?}")) }
}

fn shows(stack: &Stack, line: &str, wanted: &str) -> Result<(), String> {
    let found = web(stack, line)?;
    if found.trim() == wanted { Ok(()) } else { Err(format!("{line}: {found}")) }
}

fn write(stack: &Stack, path: &str, text: &str) {
    let path = stack.directory.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn what_changes_here_changes_in_the_container() {
    let Some(stack) = Stack::new("watch", STACK) else { return };
    write(&stack, "src/a", "1");
    write(&stack, "src/deep/b", "1");
    let watch = Watch::begin(stack.bowline("watch web"));
    watch.until(|| shows(&stack, "cat /app/a /app/deep/b", "11"));
    write(&stack, "src/tmp/x", "1");
    write(&stack, "src/new/c", "3");
    write(&stack, "src/a", "2");
    watch.until(|| shows(&stack, "cat /app/a /app/new/c; stat -c %u /app/new/c", "231000"));
    assert!(web(&stack, "ls /app/tmp").is_err(), "it is ignored");
    std::fs::remove_dir_all(stack.directory.join("src/deep")).unwrap();
    std::fs::rename(stack.directory.join("src/new"), stack.directory.join("src/moved")).unwrap();
    watch.until(|| shows(&stack, "cd /app; ls -R", ".:\na\nmoved\n\n./moved:\nc"));
    std::fs::remove_file(stack.directory.join("src/a")).unwrap();
    write(&stack, "src/a/file", "now it is a directory");
    watch.until(|| shows(&stack, "cat /app/a/file", "now it is a directory"));
    assert_eq!(stack.docker("ps -aq --filter {p}").lines().count(), 1, "only what was named is up");
    assert_eq!(watch.interrupt(), 130);
    assert_eq!(stack.docker("ps -q --filter {p}").lines().count(), 1, "it stays up");
}

#[test]
fn containers_restart_and_commands_run_when_their_sources_change() {
    let Some(stack) = Stack::new("watchdo", STACK) else { return };
    let watch = Watch::begin(stack.bowline("watch"));
    let started = || stack.inspect("web", "{{.State.StartedAt}}");
    let first = started();
    write(&stack, "conf/c", "conf");
    watch.says("service(s) [\"web\"] restarted", 1);
    watch.until(|| shows(&stack, "cat /conf/c", "conf"));
    let second = started();
    assert_ne!(first, second);
    write(&stack, "hooks/h", "said by the hook");
    watch.says("said by the hook", 1);
    assert_eq!(started(), second);
    write(&stack, "flag", "");
    watch.says("service(s) [\"web\"] restarted", 2);
    assert_ne!(started(), second);
    std::fs::remove_file(stack.directory.join("hooks/h")).unwrap();
    watch.says("error: `exec` in", 1);
    write(&stack, "hooks/h", "it goes on");
    watch.says("it goes on", 1);
    assert_eq!(watch.interrupt(), 130);
}

#[test]
fn an_image_is_built_anew_and_a_failed_build_ends_nothing() {
    let yaml = "
services:
  web:
    build: {context: .}
    init: true
    stop_grace_period: 0s
    develop: {watch: [{path: ./Dockerfile, action: rebuild}]}
";
    let Some(stack) = Stack::new("watchbuild", yaml) else { return };
    let dockerfile =
        |text: &str| write(&stack, "Dockerfile", &format!("FROM busybox\n{text}\nCMD [\"sleep\", \"1000\"]\n"));
    dockerfile("RUN echo one > /made");
    let watch = Watch::begin(stack.bowline("watch --quiet"));
    watch.until(|| shows(&stack, "cat /made", "one"));
    dockerfile("RUN echo said by the build && exit 3");
    watch.says("said by the build", 1);
    watch.says("error: cannot build web", 1);
    shows(&stack, "cat /made", "one").unwrap();
    dockerfile("RUN echo two > /made");
    watch.says("successfully built", 1);
    watch.until(|| shows(&stack, "cat /made", "two"));
    watch.until(|| match stack.docker("images -q --filter {p} --filter dangling=true") {
        nothing if nothing.is_empty() => Ok(()),
        left => Err(left),
    });
    assert_eq!(watch.interrupt(), 130);
    stack.run("down --rmi local", 0);
}

#[test]
fn an_attached_up_watches_beside_the_logs() {
    let Some(stack) = Stack::new("watchup", STACK) else { return };
    write(&stack, "src/a", "1");
    let watch = Watch::begin(stack.bowline("up --watch"));
    watch.says("web-1    | begun\n", 1);
    write(&stack, "src/a", "2");
    watch.until(|| shows(&stack, "cat /app/a", "2"));
    write(&stack, "flag", "");
    watch.says("web-1    | begun\n", 2);
    let said = watch.said.clone();
    assert_eq!(watch.interrupt(), 130);
    assert_eq!(stack.docker("ps -q --filter {p}"), "", "all are stopped");
    assert!(!said.lock().unwrap().contains("killing"), "one Ctrl-C counts once: {}", said.lock().unwrap());
}

#[test]
fn what_cannot_be_watched_is_told_before_anything_is_done() {
    let Some(stack) = Stack::new("watchnot", "services: {web: {image: busybox}}") else { return };
    assert!(stack.run("watch", 65).err.contains("no service says what is to follow from a change"));
    stack.write("services: {web: {image: busybox, develop: {watch: [{path: ., action: rebuild}]}}}");
    let refused = stack.run("watch", 65);
    assert!(
        refused.err.contains("error[bad-watch]") && refused.err.contains("`rebuild` needs a `build`"),
        "{}",
        refused.err
    );
    stack.write(STACK);
    assert!(stack.run("--dry-run watch", 0).out.contains("web: sync+restart on a change of "));
    assert_eq!(stack.remains(), "");
}

/// What is done to the sources, and what the container holds afterwards; the words of the program about it.
fn changed_by(stack: &Stack, command: Command) -> (String, Vec<String>) {
    write(stack, "src/a", "1");
    let watch = Watch::begin(command);
    write(stack, "src/new/b", "1");
    watch.until(|| shows(stack, "cat /app/new/b", "1"));
    write(stack, "src/a", "2");
    watch.until(|| shows(stack, "cat /app/a", "2"));
    std::fs::remove_file(stack.directory.join("src/a")).unwrap();
    watch.until(|| web(stack, "test ! -e /app/a"));
    let tree = watch.until(|| web(stack, "cd /app; find . | sort; stat -c '%n %u %g %a' new new/b"));
    write(stack, "conf/c", "1");
    watch.says("restarted", 1);
    let said = watch.said.lock().unwrap().clone();
    assert_eq!(watch.interrupt(), 130);
    let of_watch =
        |line: &&str| line.contains("Watch enabled") || line.contains("Syncing") || line.contains("service(s)");
    // how many changes there were depends on when they came
    let words = |line: &str| line.split(" after ").next().unwrap_or_default().to_owned();
    let mut words: Vec<String> = said.lines().filter(of_watch).map(words).collect();
    words.dedup();
    (tree, words)
}

#[test]
fn watching_is_docker_composes() {
    if !has_compose() {
        return;
    }
    let yaml = STACK.replace(", initial_sync: true", "").replace("user: '1000'", "");
    let (Some(ours), Some(theirs)) = (Stack::new("watchours", &yaml), Stack::new("watchtheirs", &yaml)) else { return };
    let found = changed_by(&ours, ours.bowline("watch"));
    assert_eq!(found, changed_by(&theirs, theirs.compose("watch")));
}
