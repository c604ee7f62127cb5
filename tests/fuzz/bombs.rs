//! Texts made to take all time and all memory there is: each has its answer within what one text may cost.

use std::fmt::Write;

use bowline::compose::{self, Loaded};

use crate::bound::within;
use crate::stack;

/// What is said of a text, after it was found to cost no more than a text may.
fn said(text: &str) -> Vec<String> {
    within("load", text, load).findings.iter().map(|f| format!("{}: {}", f.code, f.message)).collect()
}

fn load(text: &str) -> Loaded {
    let loaded = compose::load_text("compose.yaml", text);
    stack::check_findings(&loaded.files, &loaded.findings);
    loaded
}

/// Asserts that one of the findings begins so, and gives their number.
#[track_caller]
fn refused(text: &str, beginning: &str) -> usize {
    let said = said(text);
    assert!(
        said.iter().any(|s| s.starts_with(beginning)),
        "{beginning}: {:?}",
        said.iter().take(5).collect::<Vec<_>>()
    );
    said.len()
}

#[track_caller]
fn accepted(text: &str) {
    let said = said(text);
    assert_eq!(said.iter().take(5).collect::<Vec<_>>(), Vec::<&String>::new());
}

/// `line` for each number, one below the other.
fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, n| {
        let _ = writeln!(text, "{}", line(n));
        text
    })
}

/// Nine levels of ten: 10⁹ values.
fn billion(before: &str) -> String {
    let level = |n: usize| match n {
        0 => "x-0: &l0 [a, a, a, a, a, a, a, a, a, a]".to_owned(),
        n => format!("x-{n}: &l{n} [{}]", vec![format!("*l{}", n - 1); 10].join(", ")),
    };
    format!("{}{before}", lines(9, level))
}

#[test]
fn aliases_of_aliases_are_refused_wherever_they_stand() {
    refused(&billion("services: {a: {image: x}}\n"), "yaml-budget");
    refused(&billion("services: {a: {image: x, command: *l8}}\n"), "yaml-budget");
    let merged = lines(9, |n| match n {
        0 => "x-0: &m0 {a: 1, b: 2}".to_owned(),
        n => format!("x-{n}: &m{n} {{<<: *m{0}, c{n}: *m{0}, d{n}: *m{0}, e{n}: *m{0}, f{n}: *m{0}}}", n - 1),
    });
    refused(&format!("{merged}services: {{a: {{image: x, labels: *m8}}}}\n"), "yaml-budget");
}

#[test]
fn what_nests_without_end_is_refused() {
    refused(&"[".repeat(100_000), "yaml-budget");
    refused(&format!("a: {}", "{a: ".repeat(100_000)), "yaml-budget");
    refused(&lines(3000, |n| format!("{}a:", " ".repeat(n))), "yaml-budget");
    refused(&format!("a: {}x", "- ".repeat(3000)), "yaml-");
    refused(&"- ".repeat(50_000), "yaml-budget");
    refused(&"- *a\n".repeat(50_000), "bad-anchor");
    refused(
        &format!("services: {{a: {{image: \"{}{}\"}}}}", "${A:-".repeat(50_000), "}".repeat(50_000)),
        "bad-interpolation",
    );
}

#[test]
fn large_texts_are_read() {
    accepted(&format!("services: {{a: {{image: x}}}}\nx-a: {}\n", "word ".repeat(200_000)));
    accepted(&format!("services: {{a: {{image: x}}}}\nx-a:\n{}", lines(100_000, |n| format!("  - {n}"))));
    accepted(&format!("services: {{a: {{image: x}}}}\nx-{}: 1\n", "k".repeat(1000)));
    refused(&format!("services: {{a: {{image: x}}}}\n{}: 1\n", "k".repeat(1_000_000)), "");
    accepted(&format!("services: {{a: {{image: x}}}}\n\"x-{}\": 1\n", "k".repeat(1000)));
    accepted(&format!("services: {{a: {{image: x}}}}\n? x-{}\n: 1\n", "k".repeat(1_000_000)));
    accepted(&format!(
        "services:\n{}",
        lines(2000, |n| format!("  s{n}: {{image: x, environment: [A={n}], ports: [{}:80]}}", n + 1000))
    ));
}

#[test]
fn many_faults_cost_no_more_than_one_each() {
    let services = |line: fn(usize) -> String| format!("services:\n{}", lines(5000, line));
    refused(&services(|n| format!("  s{n}: {{image: x, prots: [80]}}")), "unknown-key");
    refused(&services(|n| format!("  s{n}: {{image: x, networks: [n{n}]}}")), "undefined-reference");
    let defined = format!("networks:\n{}", lines(5000, |n| format!("  net{n}: {{}}")));
    refused(
        &format!("{}{defined}", services(|n| format!("  s{n}: {{image: x, networks: [met{n}]}}"))),
        "undefined-reference",
    );
    refused(&services(|n| format!("  s{n}: {{image: x, depends_on: [t{n}]}}")), "undefined-reference");
    refused(&services(|n| format!("  s{n}: {{image: x, extends: t{n}}}")), "bad-extends");
    refused(&lines(5000, |n| format!("a{n}: *b{n}")), "bad-anchor");
    refused(&lines(5000, |_| "a: 1".to_owned()), "duplicate-key");
    refused(&services(|n| format!("  s{n}: {{image: \"${{N{n}}}\"}}")), "unset-variable");
    refused(&services(|n| format!("  s{n}: {{image: x, ports: [\"8{n}0:80:80:80\"]}}")), "bad-value");
    refused(&format!("services: {{a: {{image: x, security_opt: [{}]}}}}", "A, ".repeat(20_000)), "duplicate-key");
    refused(&format!("services: {{a: {{image: [{}]}}}}", "[".repeat(90) + &"]".repeat(90)), "wrong-type");
    refused(&format!("services: {{a: {{image: x, {}}}}}", "zz: 1, ".repeat(20_000)), "duplicate-key");
}

#[test]
fn long_lists_are_compared_without_comparing_all_with_all() {
    let service = |key: &str, count: usize, item: fn(usize) -> String| {
        let items: Vec<String> = (0..count).map(item).collect();
        format!("services: {{a: {{image: x, {key}: [{}]}}}}", items.join(", "))
    };
    accepted(&service("cap_add", 20_000, |n| format!("C{n}")));
    accepted(&service("security_opt", 20_000, |n| format!("C{n}")));
    accepted(&service("extra_hosts", 20_000, |n| format!("h{n}=10.0.0.1")));
    accepted(&service("volumes", 5_000, |n| format!("/a:/d{n}")));
    accepted(&service("environment", 20_000, |n| format!("V{n}=1")));
    accepted(&service("ports", 5_000, |n| format!("{}:80", n + 1)));
    let hosts = service("extra_hosts", 10_000, |n| format!("h{n}=10.0.0.1"));
    accepted(&format!("{hosts}\n---\n{hosts}"));
    let pools: Vec<String> = (0..5_000).map(|n| format!("{{subnet: 10.{}.{}.0/24}}", n / 250, n % 250)).collect();
    let network = format!(
        "services: {{a: {{image: x, networks: [n]}}}}\nnetworks: {{n: {{ipam: {{config: [{}]}}}}}}",
        pools.join(", ")
    );
    said(&format!("{network}\n---\n{network}"));
}

#[test]
fn a_port_range_is_no_bomb() {
    accepted("services: {a: {image: x, ports: ['1-65535']}}");
    let ranges: Vec<String> = (0..200).map(|n| format!("'127.0.0.{n}:1-65535:1-65535'")).collect();
    refused(&format!("services: {{a: {{image: x, ports: [{}]}}}}", ranges.join(", ")), "yaml-budget");
    let exposed: Vec<String> = (0..200).map(|n| format!("'{}-65535'", n + 1)).collect();
    refused(&format!("services: {{a: {{image: x, expose: [{}]}}}}", exposed.join(", ")), "yaml-budget");
    let both = "{image: x, network_mode: host, expose: ['1-65535']}";
    refused(&format!("services: {{a: {both}, b: {both}}}"), "port-taken");
    let addresses: Vec<String> = (0..20_000).map(|n| format!("'127.1.{}.{}:80:80'", n / 250, n % 250)).collect();
    accepted(&format!("services: {{a: {{image: x, ports: [{}]}}}}", addresses.join(", ")));
}

#[test]
fn chains_are_followed_to_their_end() {
    let chain =
        |count: usize, line: fn(usize) -> String| format!("services:\n  s0: {{image: x}}\n{}", lines(count, line));
    accepted(&chain(100, |n| format!("  s{}: {{extends: s{n}}}", n + 1)));
    refused(&chain(20_000, |n| format!("  s{}: {{extends: s{n}}}", n + 1)), "bad-extends");
    refused(&chain(2_000, |n| format!("  t{}: {{extends: t{}}}", 2_000 - n, 1_999 - n)), "bad-extends");
    accepted(&chain(10_000, |n| format!("  s{}: {{image: x, depends_on: [s{n}]}}", n + 1)));
    let labels: Vec<String> = (0..2_000).map(|n| format!("l{n}=1")).collect();
    let base = format!("  base: {{image: x, labels: [{}]}}", labels.join(", "));
    refused(&format!("services:\n{base}\n{}", lines(2_000, |n| format!("  s{n}: {{extends: base}}"))), "yaml-budget");
    let ring = lines(10_000, |n| format!("  s{n}: {{image: x, depends_on: [s{}]}}", (n + 1) % 10_000));
    refused(&format!("services:\n{ring}"), "dependency-cycle");
    let ring = lines(2_000, |n| format!("  s{n}: {{image: x, extends: s{}}}", (n + 1) % 2_000));
    refused(&format!("services:\n{ring}"), "bad-extends");
    let all: Vec<String> = (0..300).map(|n| format!("s{n}")).collect();
    let dense = lines(300, |n| format!("  s{n}: {{image: x, depends_on: [{}]}}", all[n + 1..].join(", ")));
    accepted(&format!("services:\n{dense}"));
}

#[test]
fn texts_that_repeat_texts_are_refused() {
    let long = format!("services: {{a: {{image: x}}}}\nx-a: &a {}\n", "word ".repeat(100_000));
    refused(&format!("{long}x-b: [{}]", vec!["*a"; 100_000].join(", ")), "yaml-budget");
    refused(&format!("{long}x-b: [{}]", vec!["*a"; 100].join(", ")), "yaml-budget");
    let image = lines(100, |n| format!("  s{n}: {{image: \"{}\"}}", "$COMPOSE_PROJECT_NAME".repeat(5000)));
    said(&format!("name: {}\nservices:\n{image}", "n".repeat(60)));
    refused(
        &format!(
            "name: {}\nservices: {{a: {{image: \"{}\"}}}}",
            "n".repeat(60),
            "$COMPOSE_PROJECT_NAME".repeat(50_000)
        ),
        "yaml-budget",
    );
    let key = "k".repeat(500_000);
    refused(&format!("services: {{? {key}\n : {{{}}}}}", lines(10_000, |n| format!(" k{n}: 1,"))), "unknown-key");
    refused(&lines(20_000, |_| "---\nservices: {a: {image: x, ports: [1]}}".to_owned()), "yaml-budget");
}

#[test]
fn templates_are_read_once() {
    let image = |text: &str| format!("services: {{a: {{image: x}}}}\nx-a: |\n{text}");
    said(&image(&lines(50_000, |_| "  ${A:-{}".to_owned())));
    said(&image(&format!("  {}\n", "${A:-{}".repeat(50_000))));
    said(&image(&format!("  {}\n", "$A ".repeat(100_000))));
    said(&image(&lines(50_000, |n| format!("  ${{A{n}}}"))));
    said(&image(&format!("  {}{}\n", "${A:-".repeat(30).repeat(1000), "}".repeat(30_000))));
}
