//! What docker compose and bowline do to two stacks of one file, command by command: exit code, output, and how the containers stand.

use std::process::Command;

use crate::compose::has_compose;
use crate::stack::{Ran, Stack, program};

const STACK: &str = "
services:
  web: {image: busybox, command: [sh, -c, 'echo hello; exec sleep 1000'], init: true, stop_grace_period: 1s, depends_on: [db]}
  db: {image: busybox, command: sleep 1000, init: true, stop_grace_period: 1s, volumes: ['data:/data']}
  job: {image: busybox, command: [sh, -c, 'sleep 6; exit 4'], profiles: [jobs]}
  built: {build: {context: ., dockerfile_inline: \"FROM busybox\\nLABEL a=b\\n\"}, image: '$NAME-built', command: 'true', profiles: [built]}
volumes: {data: {}}
";

/// What is done, one after the other; words are parted by blanks, and `_` stands for a blank in a word. After `!` the two end in different
/// codes, or bowline says what docker compose passes over: `64/0` is bowline's code and docker compose's. Of several, parted by `;`, the
/// last is looked at.
const STEPS: &[&str] = &[
    "create",
    "start web",
    "up -d",
    "pause web",
    "unpause web",
    "stop web",
    "stop web",
    "start web",
    "start",
    "restart -t 0 db",
    "scale web=3",
    "exec -T --index 2 web hostname -s",
    "scale --no-deps web=1",
    "exec -T web echo hi",
    "exec -T web sh -c exit_3",
    "exec -T -e A=b -w /tmp -u 65534 web sh -c echo_$A;pwd;id_-u",
    "exec -T web /no/such",
    "exec -d web touch /there",
    "attach nosuch ! 64/1",
    "export -o web.tar web",
    "export nosuch ! 64/1",
    "commit -m message -a author -c LABEL_x=y web $NAME:one",
    "commit nosuch ! 64/1",
    "pull --policy missing ! 0/1",
    "pull -q web",
    "pull --ignore-pull-failures web",
    "--profile built pull --ignore-buildable built",
    "pull nosuch ! 65/1",
    "push web",
    "top nosuch ! 64/0",
    "exec -T nosuch true ! 64/1",
    "kill -s USR1 nosuch ! 64/0",
    "pause nosuch ! 64/0",
    "scale nosuch=2 ! 65/1",
    "unpause web ! 0/1",
    "--profile jobs run --rm job sh -c exit_4",
    "--profile jobs up -d job",
    "--profile jobs wait job",
    "--profile jobs up -d job ; --profile jobs attach --no-stdin job",
    "--profile jobs rm -f job",
    "kill web",
    "kill",
    "kill",
    "rm -f -s -v db",
    "up -d --no-start",
    "rm -f",
    "start",
    "stop",
    "--profile built build -q built",
    "--profile built build built",
    "--profile built push built",
    "--profile built push -q --ignore-push-failures built",
    "--profile built up --no-build built",
    "--profile built down",
    "up -d --wait",
    "restart --no-deps web",
    "stop -t 0 db",
    "start db",
    "down -v --remove-orphans",
    "down",
    "ps",
];

/// What a step came to: code, output in order of its lines, containers; names of the project and ids are not told apart.
fn step(mut command: Command, stack: &Stack) -> (Option<i32>, Vec<String>, Vec<String>) {
    let ran = Ran::from(command.output().unwrap());
    let told = |text: &str| {
        let is_id = |word: &str| [12, 64].contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let line = |line: &str| {
            let words: Vec<&str> =
                line.split_whitespace().filter(|word| !is_id(word.trim_start_matches("sha256:"))).collect();
            words.join(" ").replace(&stack.name, "NAME")
        };
        let mut lines: Vec<String> = text.lines().map(line).filter(|line| !line.is_empty()).collect();
        lines.sort();
        lines
    };
    let listed = stack.docker("ps -a --filter {p} --format {{.Names}}|{{.State}}");
    (ran.code, told(&ran.out), told(&listed))
}

#[test]
fn each_command_does_what_docker_compose_does() {
    let (Some(ours), Some(theirs)) = (Stack::new("sidesa", STACK), Stack::new("sidesb", STACK)) else { return };
    if !has_compose() {
        return;
    }
    let mut wrong = vec![];
    for written in STEPS {
        let (line, codes) = written.split_once(" ! ").unwrap_or((written, "same"));
        let last = |begin: &dyn Fn() -> Command, stack: &Stack| {
            let commands = line.split(" ; ").map(|line| {
                let words = line.split(' ').map(|word| word.replace('_', " ").replace("$NAME", &stack.name));
                let mut command = begin();
                command.args(words);
                command
            });
            commands.map(|command| step(command, stack)).last().unwrap()
        };
        let own = last(&|| ours.bowline(""), &ours);
        let other = last(&|| theirs.compose(""), &theirs);
        let expected = match codes.split_once('/') {
            Some((own, other)) => (own.parse().ok(), other.parse().ok()),
            None => (other.0, other.0),
        };
        // docker compose says what it removes where it did not ask; `wait` tells the id there, the name here; progress of builds is the builder's
        let quiet =
            ["rm", "wait", "build", "--no-build", "run"].iter().any(|word| line.split(' ').any(|other| other == *word));
        let same_output = quiet || own.1 == other.1;
        if (own.0, other.0) != expected
            || !same_output
            || (own.2 != other.2 && !["pause nosuch", "attach"].iter().any(|word| line.contains(word)))
        {
            wrong.push(format!("{written}\n   bowline {own:?}\n   compose {other:?}"));
        }
    }
    for stack in [&ours, &theirs] {
        let _ = program("docker")
            .args(["image", "rm", "-f", &format!("{}-built", stack.name), &format!("{}:one", stack.name)])
            .output();
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), STEPS.len(), wrong.join("\n"));
    assert_eq!((ours.remains(), theirs.remains()), (String::new(), String::new()));
}
