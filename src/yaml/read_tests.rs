//! The reader, by small documents, and by anything at all.

use proptest::prelude::*;

use super::*;
use crate::yaml::{Tag, Value};

fn load(text: &str) -> (Files, Vec<Node>, Findings) {
    let mut files = Files::new();
    let id = files.add("c.yaml", None, text);
    let mut findings = Findings::new();
    let documents = read(&files, id, &mut findings);
    (files, documents, findings)
}

fn clean(text: &str) -> Node {
    let (_, mut documents, findings) = load(text);
    assert!(findings.is_empty(), "{findings:?}");
    documents.remove(0)
}

/// `place code` of every finding.
fn complaints(text: &str) -> Vec<String> {
    let (files, _, findings) = load(text);
    findings.iter().map(|f| format!("{} {}", f.at.map(|s| files.place(s)).unwrap_or_default(), f.code)).collect()
}

/// A compact picture of a tree: `{a: 1, b: [x, null]}` with strings in quotes.
fn picture(node: &Node) -> String {
    match &node.data {
        Data::Null => "null".into(),
        Data::Scalar(Scalar { value: Value::Str(s), .. }) => format!("{s:?}"),
        Data::Scalar(s) => s.value.to_string(),
        Data::Seq(items) => format!("[{}]", items.iter().map(picture).collect::<Vec<_>>().join(", ")),
        Data::Map(map) => {
            let pairs: Vec<_> = map.iter().map(|(k, e)| format!("{k}: {}", picture(&e.value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
    }
}

#[test]
fn scalars_are_what_docker_compose_makes_of_them() {
    // measured with docker compose 2.40.3 on an `x-` list
    let cases = [
        ("0644", "420"),
        ("0o644", "420"),
        ("0x1F", "31"),
        ("0b101", "5"),
        ("-0x10", "-16"),
        ("1_000", "1000"),
        ("+12", "12"),
        ("0o8", "\"0o8\""),
        ("0888", "888"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e3", "1000"),
        ("12e03", "12000"),
        ("685_230.15", "685230.15"),
        ("1.10", "1.1"),
        ("1e400", "\"1e400\""),
        ("18446744073709551615", "18446744073709551615"),
        ("18446744073709551616", "1.8446744073709552e+19"),
        ("1:30", "\"1:30\""),
        ("190:20:30", "\"190:20:30\""),
        (".inf", "+Inf"),
        ("yes", "\"yes\""),
        ("on", "\"on\""),
        ("y", "\"y\""),
        ("True", "true"),
        ("FALSE", "false"),
        ("Null", "null"),
        ("~", "null"),
        ("2001-12-14", "\"2001-12-14\""),
        ("!foo 12", "\"12\""),
        ("! 12", "12"),
        ("!!int \"12\"", "12"),
        ("!!float 1", "1"),
        ("!!str 0644", "\"0644\""),
        ("!!binary aGVsbG8=", "\"hello\""),
        ("0B101", "5"),
        ("0X1F", "31"),
        ("0O17", "15"),
        ("+0x10", "16"),
        ("1_", "1"),
        ("1__0", "10"),
        ("0_1", "1"),
        (".5_0", "0.5"),
        (".5e3", "500"),
        ("-.5", "-0.5"),
        ("0x", "\"0x\""),
        ("0b2", "\"0b2\""),
        ("-0b11", "-3"),
        ("-0o17", "-15"),
        ("+18446744073709551615", "1.8446744073709552e+19"),
        ("-9223372036854775809", "-9.223372036854776e+18"),
        ("0xFFFFFFFFFFFFFFFFF", "\"0xFFFFFFFFFFFFFFFFF\""),
        ("1e21", "1e+21"),
        ("1000000.0", "1e+06"),
        ("0.0001", "0.0001"),
        ("0.00001", "1e-05"),
        ("-0", "0"),
        ("-0.0", "-0"),
        ("00", "0"),
        ("08.5", "8.5"),
        ("1.e3", "1000"),
        (".e3", "\".e3\""),
        ("1e", "\"1e\""),
        ("0x1p4", "\"0x1p4\""),
        ("=", "\"=\""),
        ("+", "\"+\""),
        ("0o", "\"0o\""),
        ("!!str", "\"\""),
        ("!foo", "\"\""),
        ("!foo [1]", "[1]"),
        ("!!null ''", "null"),
        ("\"12\"", "\"12\""),
        ("'true'", "\"true\""),
        ("-9223372036854775808", "-9223372036854775808"),
    ];
    for (written, expected) in cases {
        assert_eq!(picture(&clean(&format!("- {written}\n"))), format!("[{expected}]"), "{written}");
    }
}

#[test]
fn a_tag_that_the_value_contradicts_is_an_error() {
    for written in ["!!int abc", "!!bool yes", "!!float x", "!!null x", "!!timestamp foo", "!!binary '%%'", "!!int 1.5"]
    {
        assert_eq!(complaints(&format!("a: {written}\n")), ["c.yaml:1:4 bad-tag"], "{written}");
    }
}

#[test]
fn the_raw_text_and_the_quotes_are_kept() {
    let node = clean("a: 1.10\nb: '0644'\nc: |\n  x\n");
    let scalar = |key: &str| node.get(key).and_then(Node::as_scalar).cloned().unwrap();
    assert_eq!((&*scalar("a").raw(), scalar("a").style), ("1.10", Style::Plain));
    assert_eq!((&*scalar("b").raw(), scalar("b").style), ("0644", Style::Single));
    assert_eq!((&*scalar("c").raw(), scalar("c").style), ("x\n", Style::Block));
}

#[test]
fn every_node_knows_its_bytes() {
    let text = "a:\n  - x\n  - {b: \"c d\"}\ne:\nf: |\n  some\n  text\n\n";
    let (files, documents, _) = load(text);
    let at = |node: &Node| files.text(node.span).to_owned();
    let top = &documents[0];
    assert_eq!(at(top.get("a").unwrap()), "- x\n  - {b: \"c d\"}");
    assert_eq!(at(&top.get("a").unwrap().as_seq().unwrap()[1]), "{b: \"c d\"}");
    assert_eq!(at(top.get("e").unwrap()), "e", "nothing is cited by its key");
    assert_eq!(at(top.get("f").unwrap()), "some\n  text");
    assert_eq!(files.place(top.as_map().unwrap().0.get("f").unwrap().key), "c.yaml:5:1");
}

#[test]
fn merge_keys_add_what_a_mapping_does_not_have() {
    let node = clean(
        "base: &base {a: 1, b: 2}\nmore: &more {<<: *base, b: 3, c: 4}\none: {a: 0, <<: *more}\n\
         two: {<<: [*base, *more]}\nthree: {<<: {<<: *base, z: 9}}\n\"<<\": 5\n",
    );
    let shown = |key: &str| picture(node.get(key).unwrap());
    assert_eq!(shown("one"), "{a: 0, b: 3, c: 4}");
    assert_eq!(shown("two"), "{a: 1, b: 2, c: 4}");
    assert_eq!(shown("three"), "{z: 9, a: 1, b: 2}");
    assert_eq!(shown("<<"), "5", "a quoted one is a plain key");
}

#[test]
fn a_merge_key_that_cannot_be_merged_is_an_error() {
    assert_eq!(complaints("a: {<<: 5}\n"), ["c.yaml:1:5 bad-merge"]);
    assert_eq!(complaints("a: &a [1]\nb: {<<: *a}\n"), ["c.yaml:2:5 bad-merge"]);
    assert_eq!(complaints("a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a\n"), ["c.yaml:4:3 duplicate-key"]);
}

#[test]
fn tags_of_compose_are_kept_also_through_aliases_and_merges() {
    let node = clean("a: !reset null\nb: &b {x: !override [1], y: !reset}\nc: *b\nd: {<<: *b}\ne: !other 1\n");
    assert_eq!(node.get("a").unwrap().tag, Some(Tag::Reset));
    for key in ["b", "c", "d"] {
        assert_eq!(node.get(key).unwrap().get("x").unwrap().tag, Some(Tag::Override), "{key}");
        assert_eq!(node.get(key).unwrap().get("y").unwrap().tag, Some(Tag::Reset), "{key}");
    }
    assert_eq!(node.get("e").unwrap().tag, None);
}

#[test]
fn a_key_twice_is_refused_with_both_places() {
    let (files, documents, findings) = load("a:\n  image: x\n  image: y\n");
    let finding = findings.iter().next().unwrap();
    assert_eq!(files.place(finding.at.unwrap()), "c.yaml:3:3");
    assert_eq!(files.place(finding.also[0].0), "c.yaml:2:3");
    assert_eq!(picture(&documents[0]), "{a: {image: \"x\"}}");
}

#[test]
fn keys_have_to_be_text() {
    assert_eq!(complaints("1: a\n"), ["c.yaml:1:1 bad-key"]);
    assert_eq!(complaints("true: a\n"), ["c.yaml:1:1 bad-key"]);
    assert_eq!(complaints("~: a\n"), ["c.yaml:1:1 bad-key"]);
    assert_eq!(complaints("? [a, b]\n: c\n"), ["c.yaml:1:3 bad-key"]);
    assert_eq!(
        picture(&clean("\"1\": a\n!!str 2: b\n2001-01-01: c\n&x k: d\nv: *x\n")),
        "{1: \"a\", 2: \"b\", 2001-01-01: \"c\", k: \"d\", v: \"k\"}"
    );
}

#[test]
fn aliases_that_lead_nowhere_or_back_are_errors() {
    assert_eq!(complaints("a: *nope\n"), ["c.yaml:1:4 bad-anchor"]);
    assert_eq!(complaints("a: &a\n  b: *a\n"), ["c.yaml:2:6 bad-anchor"]);
    let help = |text: &str| load(text).2.iter().next().unwrap().help.clone().unwrap();
    assert_eq!(help("x: &common 1\na: *comon\n"), "did you mean `*common`?");
    assert!(help("a: *late\nb: &late 1\n").contains("above"));
    assert_eq!(complaints("a: &a 1\n---\nb: *a\n"), ["c.yaml:3:4 bad-anchor"], "anchors end with their document");
}

#[test]
fn several_documents_are_read_past_a_broken_one() {
    let (_, documents, findings) = load("a: 1\n---\nb: [\n---\nc: 3\n...\nd: 4\n");
    assert_eq!(documents.iter().map(picture).collect::<Vec<_>>(), ["{a: 1}", "{c: 3}", "{d: 4}"]);
    assert_eq!(findings.len(), 1);
    assert!(load("").1.is_empty());
    assert!(load("# nothing\n").1.is_empty());
    assert_eq!(load("---\n").1.iter().map(picture).collect::<Vec<_>>(), ["null"]);
    assert!(load("key:value\nb: c\n").1.is_empty(), "a broken document is not half read");
}

#[test]
fn byte_order_mark_and_carriage_returns_are_no_part_of_values() {
    let node = clean("\u{feff}a: b\r\nc: |\r\n  foo\r\n  bar\r\nd: e\r\n");
    assert_eq!(picture(&node), "{a: \"b\", c: \"foo\\nbar\\n\", d: \"e\"}");
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = String::from("x-0: &x0 [a, a, a, a, a, a, a, a, a, a]\n");
    for level in 1..10 {
        let items = vec![format!("*x{}", level - 1); 10].join(", ");
        text += &format!("x-{level}: &x{level} [{items}]\n");
    }
    assert_eq!(complaints(&text), ["c.yaml:6:16 yaml-budget"]);
}

#[test]
fn deep_nesting_is_refused() {
    assert_eq!(complaints(&format!("a: {}", "[".repeat(100_000))), ["c.yaml:1:104 yaml-budget"]);
    assert_eq!(complaints(&"- ".repeat(50_000)), ["c.yaml:1:201 yaml-budget"]);
    let chain: String = (1..5000).map(|i| format!("a{i}: &a{i} [*a{}]\n", i - 1)).collect();
    assert_eq!(complaints(&format!("a0: &a0 [x]\n{chain}"))[0].split(' ').nth(1), Some("yaml-budget"));
}

#[test]
fn a_file_of_nothing_but_errors_is_not_listed_without_end() {
    let text = "- *a\n".repeat(50_000);
    assert_eq!(load(&text).2.len(), FINDING_LIMIT + 1);
}

#[test]
fn control_characters_are_named() {
    assert_eq!(complaints("a: b\u{0}c\n"), ["c.yaml:1:5 yaml-syntax"]);
    assert_eq!(complaints("a: \"\\x1b[0m\"\n"), Vec::<String>::new());
}

#[test]
fn syntax_errors_stand_where_the_mistake_is() {
    let cases = [
        ("a: b: c\n", "1:5"),
        ("a:\n\tb: c\n", "2:1"),
        ("a: \"abc\nb: d\n", "1:4"),
        ("a: 'it''s\nb: d\n", "1:4"),
        ("a: [1, 2\nb: 3\n", "2:2"),
        ("a: [1, 2}\n", "1:4"),
        ("a: @x\n", "1:4"),
        ("a:\n   b: 1\n  c: 2\n", "3:3"),
        ("a: \"x\\qy\"\n", "1:6"),
        ("a: 'x' y\n", "1:8"),
        ("a: ]\n", "1:4"),
        ("a: - b\n", "1:4"),
        ("a: b\nc\n", "2:1"),
        ("- a\nb: c\n", "2:1"),
        ("a: \"x\"#y\n", "1:7"),
    ];
    for (text, place) in cases {
        assert_eq!(complaints(text), [format!("c.yaml:{place} yaml-syntax")], "{text}");
    }
}

#[test]
fn the_bracket_that_is_not_closed_is_shown() {
    let (files, _, findings) = load("[1, 웹: é: x]");
    let also: Vec<&str> = findings.iter().flat_map(|f| &f.also).map(|(span, _)| files.text(*span)).collect();
    assert_eq!(also, ["["], "{findings:?}");
}

/// Pieces that, strung together, come near YAML.
fn piece() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "a",
        "b:",
        ": ",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "\"",
        "'",
        "&x ",
        "*x",
        "<<: ",
        "|\n",
        ">-\n",
        "!reset ",
        "!!int ",
        "? ",
        "# c",
        "\t",
        "---\n",
        "...\n",
        "0644",
        "~",
        "%YAML 1.2\n",
        "\u{feff}",
        "\r\n",
        "웹",
        "\\",
        "@",
        "services:\n",
        "!<",
        "&",
        "*",
        "\u{85}",
        "\u{2028}",
        "1e400",
    ];
    prop_oneof![8 => prop::sample::select(PIECES).prop_map(str::to_owned), 1 => ".{0,4}"]
}

/// Every span of a tree lies in the text, on character boundaries.
fn check_spans(files: &Files, node: &Node) {
    let text = &files.get(node.span.file).text;
    assert!(text.get(node.span.range()).is_some(), "{:?}", node.span);
    match &node.data {
        Data::Seq(items) => items.iter().for_each(|n| check_spans(files, n)),
        Data::Map(map) => map.iter().for_each(|(_, e)| {
            assert!(text.get(e.key.range()).is_some());
            check_spans(files, &e.value);
        }),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_and_every_span_can_be_cited(pieces in prop::collection::vec(piece(), 0..40)) {
        let (files, documents, findings) = load(&pieces.concat());
        documents.iter().for_each(|d| check_spans(&files, d));
        for finding in findings.iter() {
            for span in finding.at.iter().chain(finding.also.iter().map(|(s, _)| s)) {
                prop_assert!(files.get(span.file).text.get(span.range()).is_some(), "{:?}", finding);
            }
        }
    }

    #[test]
    fn what_reads_cleanly_reads_like_yaml_serde(pieces in prop::collection::vec(piece(), 0..12)) {
        // YAML 1.2 has no line breaks beyond CR and LF; yaml_serde takes a byte order mark for text
        let text = pieces.concat().replace(['\u{85}', '\u{2028}', '\u{feff}'], "");
        // `&name:` is an anchor with a colon in its name by YAML 1.2, and one before a key without a name by libyaml
        let colon = |word: &str| word.split_once('&').is_some_and(|(_, name)| name.contains(':'));
        prop_assume!(!text.split_whitespace().any(colon));
        let (_, documents, findings) = load(&text);
        // where both read one document, both see the same shape (scalars follow other rules by intention)
        if let (1, true, Ok(value)) = (documents.len(), findings.is_empty(), serde_yaml::from_str::<serde_yaml::Value>(&text)) {
            let same = matches!(
                (&documents[0].data, &value),
                (Data::Map(_), serde_yaml::Value::Mapping(_)) | (Data::Seq(_), serde_yaml::Value::Sequence(_))
                | (Data::Null | Data::Scalar(_), _)
            ) || matches!(value, serde_yaml::Value::Tagged(_));
            prop_assert!(same, "{:?} {:?}", documents[0], value);
        }
    }
}
