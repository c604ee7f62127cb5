//! `bowline ui` in a real terminal.

use crate::stack::Stack;
use crate::terminal::Terminal;

const STACK: &str = "
services:
  web:
    image: busybox
    command: sh -c 'printf \"\\033[31mcoloured words\\033[0m\\n\"; exec sleep 1000'
    init: true
    healthcheck: {test: 'true', interval: 1s}
    networks: [front]
  client: {image: busybox, command: sleep 1000, init: true, networks: [front]}
networks: {front: {ipam: {config: [{subnet: 10.79.SUB.0/28}]}}}
";

fn stack(topic: &str, subnet: &str) -> Option<Stack> {
    let stack = Stack::new(topic, &STACK.replace("SUB", subnet))?;
    stack.run("up -d", 0);
    Some(stack)
}

#[test]
fn a_terminal_shows_the_stack_as_it_changes_and_keys_change_it() {
    let Some(stack) = stack("ui", "31") else { return };
    let mut terminal = Terminal::open(&stack.bowline("ui"), 24, 80);
    let first =
        terminal.sees(&["running, healthy", "10.79.31.", "proved at ", "coloured words", "as declared", "q quit"]);
    assert!(first.lines().next().unwrap().starts_with(&format!(" {} on Engine", stack.name)), "{first}");
    assert!(!first.contains("[31m"), "{first}");

    let sawn_off = format!("network disconnect {}_front {}-client-1", stack.name, stack.name);
    stack.docker(&sawn_off);
    terminal.sees(&["refuted", "differs from its file", "✗ "]);
    terminal.keys("u");
    terminal.sees(&["up all: ", "as declared"]);
    terminal.becomes(|screen| screen.contains("proved at") && !screen.contains("refuted"), "all proved again");

    let started = |service: &str| stack.inspect(service, "{{.State.StartedAt}}");
    let before = (started("client"), started("web"));
    terminal.keys("jjr");
    terminal.sees(&["restart client: done", "logs of client", "ended with "]);
    assert!(started("client") != before.0 && started("web") == before.1);
    terminal.keys("s");
    terminal.sees(&["stop client? y does it"]);
    terminal.keys("n");
    terminal.becomes(|screen| !screen.contains("y does it"), "no question");
    terminal.keys("sy");
    terminal.sees(&["stop client: done", "in trouble"]);
    terminal.keys("t");
    terminal.sees(&["start client: done", "as declared"]);

    terminal.resize(20, 40);
    let narrow = terminal.sees(&["networks verdicts logs", "? help  q quit", "client-1 │"]);
    assert!(narrow.lines().all(|line| line.chars().count() <= 40), "{narrow}");
    terminal.keys("2");
    terminal.sees(&["10.79.31."]);
    terminal.resize(40, 120);
    terminal.becomes(|screen| screen.lines().nth(1).is_some_and(|line| line.contains("logs of client")), "two columns");
    terminal.keys("?");
    terminal.sees(&["any key closes"]);
    terminal.keys("x\x1bv");
    terminal.becomes(|screen| screen.contains("proved at") && !screen.contains("proving"), "proved anew");

    // nothing happens, and soon nothing is done
    let busy = || {
        let before = terminal.ticks();
        std::thread::sleep(std::time::Duration::from_secs(2));
        terminal.ticks() - before
    };
    let mut seen = vec![];
    while seen.last().is_none_or(|ticks| *ticks > 4) {
        assert!(seen.len() < 8, "it worked for these hundredths of seconds, each time in two: {seen:?}");
        seen.push(busy());
    }
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    stack.run("down -t 0", 0);
    assert_eq!(stack.remains(), "");
}

#[test]
fn a_terminal_is_given_back_whatever_ends_the_view() {
    let Some(stack) = stack("uiend", "32") else { return };
    for (ending, code) in [("TERM", 130), ("INT", 130), ("HUP", 130), ("\x03", 0)] {
        let mut command = stack.bowline("ui --no-verify");
        command.env("NO_COLOR", "1");
        let mut terminal = Terminal::open(&command, 24, 80);
        terminal.sees(&["running, healthy", "nothing is proved yet: v does it"]);
        match ending {
            "\x03" => terminal.keys(ending),
            name => terminal.signal(name),
        }
        let raw = terminal.raw();
        assert_eq!(terminal.ended(), code, "{ending:?}");
        let coloured = |sequence: &str| {
            let codes = sequence.split_once('m').map_or("", |(codes, _)| codes);
            codes
                .split(';')
                .any(|code| code.parse().is_ok_and(|code: u32| matches!(code, 30..=38 | 40..=48 | 90..=107)))
        };
        let bad: Vec<&str> = raw.split("\x1b[").skip(1).filter(|sequence| coloured(sequence)).collect();
        assert!(bad.is_empty(), "colours in spite of NO_COLOR: {bad:?}");
    }
    // Ctrl-Z gives the terminal to the shell, and `fg` takes it again
    let mut shell = std::process::Command::new("bash");
    shell.args(["--norc", "-i"]).current_dir(&stack.directory);
    let mut terminal = Terminal::open(&shell, 24, 80);
    let bowline = stack.bowline("ui --no-verify");
    let words = std::iter::once(bowline.get_program()).chain(bowline.get_args());
    let line = words.map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ");
    terminal.keys(&format!("{line}\n"));
    terminal.sees(&["running, healthy"]);
    terminal.keys("\x1a");
    terminal.becomes(|screen| screen.contains("Stopped") && !screen.contains("running, healthy"), "the shell");
    terminal.keys("fg\n");
    terminal.sees(&["running, healthy", "q quit"]);
    terminal.keys("q");
    terminal.becomes(|screen| !screen.contains("running, healthy"), "the shell");
    terminal.keys("exit\n");
    assert_eq!(terminal.ended(), 0);
    // where there is no terminal it is said plainly
    assert_eq!(stack.run("ui", 0).out, stack.run("", 0).out);
    stack.run("down -t 0", 0);
    assert_eq!(stack.remains(), "");
    // a stack that is not there is brought up by a key, and a failure can be read
    stack.write("services: {web: {image: 'no-such-image-of-ours:1', pull_policy: never}}");
    let mut terminal = Terminal::open(&stack.bowline("ui"), 24, 80);
    terminal.sees(&["not there", "nothing is up: u"]);
    terminal.keys("u");
    terminal.sees(&["up all failed", "no-such-image-of-ours"]);
    terminal.keys("xq");
    assert_eq!(terminal.ended(), 0);
    stack.run("down -t 0", 0);
    assert_eq!(stack.remains(), "");
}
