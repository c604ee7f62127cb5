//! Reports of verdicts given as data.

use super::*;
use crate::report::findings::Color;
use crate::verify::check::{Expectation, Why};
use crate::verify::rule::Rule;
use crate::verify::topology::Topology;

fn report() -> Report {
    let text = "services: {web: {networks: [x]}, bot: {networks: [y]}}\nnetworks: {x: {}, y: {}}\n";
    let loaded = crate::verify::fixture::load(text);
    let project = loaded.project.unwrap();
    let matrix = Matrix::of(&Topology::of(&project));
    let check = |id: &str, service: &str, says: &str, basis| Check {
        id: id.to_owned(),
        service: service.parse().ok(),
        says: says.to_owned(),
        basis,
        span: Some(project.services["web"].span),
        expectation: Expectation::Undeclared { why: String::new() },
    };
    let isolated = Verdict::refuted("bot does not reach web", "bot -> web (10.0.0.2): TCP answered in 0.2 ms")
        .seen("bot is on x, where the file does not put it")
        .help("docker network disconnect p_x p-bot-1");
    let why = Why::NoControl("it answers nobody else <either>".to_owned());
    let file = || Basis::Attribute("services.web".to_owned());
    let verdicts = vec![
        (
            check("running/web", "web", "web runs", file()),
            Verdict::Proved(vec!["p-web-1 runs as process 7".to_owned()]),
        ),
        (
            check(
                "isolated/bot->web",
                "bot",
                "bot does not reach web",
                Basis::Rule(Rule::R3a, "no common network: y and x are two bridges".to_owned()),
            ),
            isolated,
        ),
        (
            check("no-name/bot:web", "bot", "bot does not resolve web", Basis::Declared("names: bot: web".to_owned())),
            Verdict::Unproved(why),
        ),
    ];
    let settled = |(check, verdict)| Settled { check, verdict, after: std::time::Duration::from_millis(40) };
    let verdicts = verdicts.into_iter().map(settled).collect();
    let proof = Proof {
        verdicts,
        ways: [(crate::verify::scene::Vantage::Outside, Err("needs root".to_owned()))].into(),
        engine: "28.5.2".to_owned(),
        containers: 2,
        took: std::time::Duration::from_millis(1234),
        leftovers: vec![],
    };
    Report::of("p", proof, &matrix, &loaded.files)
}

fn look(width: usize, detail: Detail) -> Look {
    Look { color: Color::Plain, width, detail }
}

#[test]
fn the_text_is_quiet_about_the_proved_and_full_about_the_rest() {
    insta::assert_snapshot!(text(&report(), look(80, Detail::Counts)), @r"
    p on Engine 28.5.2: 3 checks in 1.2 s

    web            1 proved
    bot            1 refuted, 1 not proved
      ✗ bot does not reach web                                     compose.yaml:1:12
          expected bot does not reach web
          found    bot -> web (10.0.0.2): TCP answered in 0.2 ms
          seen     bot is on x, where the file does not put it
          help     docker network disconnect p_x p-bot-1
          promised R3a: no common network: y and x are two bridges
                   [isolated/bot->web]
      ? bot does not resolve web                                   compose.yaml:1:12
          why      it answers nobody else <either>
          promised x-verify: names: bot: web [no-name/bot:web]

    note: outside could not be looked into: needs root
    1 proved, 1 refuted, 1 not proved
    ");
}

#[test]
fn all_shows_what_was_seen_of_the_proved() {
    let text = text(&report(), look(80, Detail::All));
    assert!(text.contains("  ✓ web runs"), "{text}");
    assert!(text.contains("      p-web-1 runs as process 7"), "{text}");
}

#[test]
fn no_line_is_wider_than_the_page_unless_one_word_is() {
    for width in [40, 60, 100] {
        for line in text(&report(), look(width, Detail::All)).lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
    }
}

#[test]
fn what_does_not_run_is_one_line_however_many_checks_need_it() {
    let mut report = report();
    let last = report.checks.pop().unwrap();
    for (id, why) in
        [("a", "web has no container"), ("b", "db has no address: it does not run"), ("c", "web has no container")]
    {
        let (id, why) = (id.to_owned(), Some(why.to_owned()));
        report.checks.push(Entry { id, why, reason: Some(Reason::NotRunning), ..last.clone() });
    }
    let shown = text(&report, look(120, Detail::Counts));
    assert!(
        shown.contains("? 3 checks could not be told: web has no container; db has no address: it does not run\n"),
        "{shown}"
    );
}

#[test]
fn without_a_container_the_text_says_so_and_how_to_get_one() {
    let report = Report { containers: Some(0), ..report() };
    let shown = text(&report, look(80, Detail::Counts));
    assert!(shown.contains("no container of p is there") && shown.contains("bowline up -d"), "{shown}");
    assert!(!shown.contains("bot does not reach web"), "{shown}");
    assert!(text(&report, look(80, Detail::All)).contains("bot does not reach web"));
}

#[test]
fn nothing_to_prove_is_not_all_proved() {
    let report = Report { outcome: None, checks: vec![], summary: Summary::default(), ..report() };
    assert!(text(&report, look(80, Detail::Counts)).contains("nothing to prove"));
}

#[test]
fn colours_are_an_argument() {
    let plain = text(&report(), look(80, Detail::All));
    let styled = text(&report(), Look { color: Color::Ansi, ..look(80, Detail::All) });
    assert!(!plain.contains('\u{1b}') && styled.contains('\u{1b}'));
    assert_eq!(anstream::adapter::strip_str(&styled).to_string(), plain);
}

#[test]
fn the_matrix_shows_every_cell_with_its_rule() {
    insta::assert_snapshot!(matrix_text(&report(), look(80, Detail::Counts)), @r"
    from \ to  web     bot     host
    web        ·       ✗ R3a   ? R4
    bot        ✗ R3a   ·       ? R4
    host       ✓ R5    ✓ R5    ·

    R3a  Two bridges are parted by the Engine's firewall.
    R4   From a service to the host: a bridge leads there, a macvlan or ipvlan child
         never does.
    R5   From the host to a service: every bridge is open to it, a macvlan or ipvlan
         child never is.
    ✓ reaches, ✗ does not, ? the file does not say: declare it in `x-verify`
    ");
}

#[test]
fn refuted_outweighs_unproved_and_unproved_outweighs_proved() {
    assert_eq!(report().outcome, Some(Outcome::Refuted));
    let only = |outcome: Outcome| {
        let mut report = report();
        report.checks.retain(|c| c.verdict != Some(outcome));
        let checks = report.checks;
        let text = "services: {web: {}}";
        let matrix = Matrix::of(&Topology::of(&crate::verify::fixture::project(text)));
        Report::assembled("p", checks, &matrix).outcome
    };
    assert_eq!(only(Outcome::Refuted), Some(Outcome::Unproved));
}

#[test]
fn junit_has_a_case_a_check_and_an_error_for_what_could_not_be_told() {
    let xml = junit(&report()).unwrap();
    assert!(xml.contains(r#"tests="3" skipped="0" failures="1" errors="1""#), "{xml}");
    assert!(
        xml.contains(r#"<testcase name="isolated/bot-&gt;web" classname="R3a" file="compose.yaml" line="1""#),
        "{xml}"
    );
    assert!(xml.contains("it answers nobody else &lt;either&gt;"), "{xml}");
}

/// The schema in the repository is that of the types.
#[test]
fn generated_files_are_current() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/report.json");
    let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if std::env::var_os("BOWLINE_WRITE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let current = std::fs::read_to_string(&path).unwrap();
    assert!(current == text, "`BOWLINE_WRITE=1 cargo test generated_files_are_current` writes it anew");
}

#[test]
fn the_json_holds_to_its_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let report = report();
    let value: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
    let errors: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(value["checks"][1]["verdict"], "refuted");
}

#[test]
fn tap_has_a_point_for_each_check_and_says_why_one_is_not_ok() {
    let mut report = report();
    report.checks[0].says = "a#b \\ c\nnot ok 9".to_owned();
    insta::assert_snapshot!(tap(&report), @r#"
    TAP version 14
    1..3
    ok 1 - a\#b \\ c not ok 9 [running/web]
    not ok 2 - bot does not reach web [isolated/bot->web]
      ---
      verdict: refuted
      service: "bot"
      rule: "R3a"
      basis: "no common network: y and x are two bridges"
      at: "compose.yaml:1:12"
      expected: "bot does not reach web"
      found: "bot -> web (10.0.0.2): TCP answered in 0.2 ms"
      help: "docker network disconnect p_x p-bot-1"
      seen:
        - "bot is on x, where the file does not put it"
      ...
    not ok 3 - bot does not resolve web [no-name/bot:web]
      ---
      verdict: unproved
      service: "bot"
      rule: "x-verify"
      basis: "names: bot: web"
      at: "compose.yaml:1:12"
      why: "it answers nobody else <either>"
      ...
    "#);
    let offline = Report { outcome: None, checks: vec![Entry { verdict: None, ..report.checks[0].clone() }], ..report };
    assert!(tap(&offline).contains("ok 1 - a\\#b"), "{}", tap(&offline));
    assert!(tap(&offline).contains(" # SKIP nothing was asked\n"));
}

#[test]
fn annotations_stand_at_their_line_and_nothing_in_them_is_a_command() {
    let mut report = report();
    report.checks[1].found = Some("100%\n::error::x".to_owned());
    report.checks[2].says = "a, b: c".to_owned();
    let text = github(&report, "deploy");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            "::error file=deploy/compose.yaml,line=1,col=12,title=bot does not reach web::expected bot does not reach web%0Afound \
         100%25%0A::error::x%0Aseen bot is on x, where the file does not put it%0Ahelp: docker network disconnect p_x p-bot-1%0AR3a: \
         no common network: y and x are two bridges [isolated/bot->web]",
            "::warning file=deploy/compose.yaml,line=1,col=12,title=a%2C b%3A c::it answers nobody else <either>%0Ax-verify: names: bot: \
         web [no-name/bot:web]",
            "bowline verify p: 1 proved, 1 refuted, 1 not proved",
        ]
    );
    assert!(github(&report, "").contains("::error file=compose.yaml,line=1,col=12,"));
}

#[test]
fn only_verdicts_that_changed_are_told() {
    let before = report();
    let mut after = before.clone();
    assert!(changes(Some(&before), &after, "t").is_empty());
    assert_eq!(changes(None, &after, "t").len(), 3);
    after.checks[1].verdict = Some(Outcome::Proved);
    after.checks.pop();
    let lines: Vec<String> = changes(Some(&before), &after, "t").iter().map(Change::line).collect();
    let plain = |line: &String| anstream::adapter::strip_str(line).to_string();
    assert_eq!(
        lines.iter().map(plain).collect::<Vec<_>>(),
        [
            "✓ bot does not reach web [isolated/bot->web]",
            "· bot does not resolve web: not asked any more [no-name/bot:web]",
        ]
    );
    let json: serde_json::Value = serde_json::from_str(&changes(Some(&after), &before, "t")[0].json()).unwrap();
    assert_eq!((&json["was"], &json["verdict"], &json["time"]), (&"proved".into(), &"refuted".into(), &"t".into()));
    assert_eq!(json["id"], "isolated/bot->web");
}

#[test]
fn a_page_asks_nobody_for_anything_and_what_the_stack_says_is_no_markup() {
    let mut report = report();
    let evil = "</style><script>alert(1)</script><img src=//x onerror=alert(1)>\u{202e}\" onfocus=\"x";
    for entry in &mut report.checks {
        (entry.says, entry.basis, entry.id) = (evil.to_owned(), evil.to_owned(), evil.to_owned());
        (entry.found, entry.help, entry.why) = (Some(evil.to_owned()), Some(evil.to_owned()), Some(evil.to_owned()));
        (entry.service, entry.place, entry.evidence) =
            (Some(evil.to_owned()), Some(evil.to_owned()), vec![evil.to_owned()]);
    }
    report.matrix[0].from = evil.to_owned();
    (report.project, report.engine) = (evil.to_owned(), Some(evil.to_owned()));
    report.places.insert(evil.to_owned(), evil.to_owned());
    let page = html(&report, None);
    for mark in ["<script", "<img", "\u{202e}", "onfocus=\"", "<link", "@import", "url(", "href", "src="] {
        let harmless = page.replace("src=//x", "");
        assert!(!harmless.contains(mark), "{mark}: {page}");
    }
    assert_eq!(page.matches("</style>").count(), 1);
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn a_page_has_the_matrix_the_findings_with_their_places_and_the_times() {
    let page = html(&report(), Some("<svg></svg>"));
    for text in [
        "<h1>p: refuted</h1>",
        "<svg></svg>",
        "<th scope=\"row\">bot</th>",
        "<b>bot does not reach web</b>",
        "<td class=\"r\"><div class=\"c\" tabindex=\"0\"",
        "<code>compose.yaml:1:12</code>",
        "it answers nobody else &lt;either&gt;",
        "after 40 ms",
        "<dt>R3a</dt>",
        "needs root",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
}
