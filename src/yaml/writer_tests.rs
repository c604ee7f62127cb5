//! What docker compose wrote, and what reads back.

use proptest::prelude::*;

use super::*;
use crate::finding::Findings;
use crate::source::{FileId, Files, Span};
use crate::yaml;

fn span() -> Span {
    Span::new(FileId(0), 0, 0)
}

fn list(texts: &[&str]) -> Node {
    Node::seq(span(), texts.iter().map(|t| Node::str(span(), *t)).collect())
}

fn map(pairs: Vec<(&str, Node)>) -> Node {
    let mut mapping = Mapping::new();
    pairs.into_iter().for_each(|(key, value)| mapping.insert(key, span(), value));
    Node::map(span(), mapping)
}

/// What a text reads as.
fn read(text: &str) -> Node {
    let mut files = Files::new();
    let id = files.add("c.yaml", None, text);
    let mut findings = Findings::new();
    let documents = yaml::read(&files, id, &mut findings);
    assert!(findings.is_empty(), "{text}\n{findings:?}");
    documents.into_iter().next().unwrap_or_else(|| panic!("{text:?}"))
}
/// How one string is written as a list's item.
fn written(text: &str) -> String {
    let out = write(&list(&[text]));
    out.strip_prefix("- ").and_then(|o| o.strip_suffix('\n')).unwrap_or_else(|| panic!("{out}")).to_owned()
}

// the expectations of the next four tests are what `docker compose config` 2.40.3 wrote

#[test]
#[rustfmt::skip]
fn strings_that_read_as_something_else_are_double_quoted() {
    let quoted = [
        "yes", "on", "y", "N", "no", "null", "", "0644", "1:30", "22:22", "1:59", "-1:30", "1_0:5", "1:2:3.5", "~", "true", "TRUE",
        ".5", "5.", "1e3", ".inf", ".nan", "+1", "0x1F", "0b1", "0o7", "1_000", "2001-12-14", "2001-12-14T00:00:00Z",
        "2001-12-14 21:59:43", "2001-1-4", "2001-01-04T1:2:3Z", "2001-12-14t21:59:43.10-05:00", "0", "00", "-0", "1.0", "1.", "-.5",
        "12e03", "Null", "off", "Y", "1.10", "0755", "08", "9", "1:30.5", "<<",
    ];
    for text in quoted {
        assert_eq!(written(text), format!("\"{text}\""));
    }
    let plain = [
        "8080:80", "1:60", "?x", ":x", "a :b", "x#y", "a,b", "a]", "-x", "--", ".", "..", "=", "tRue", "1e400", "2001-13-14", "it's",
        "a\"b", "a\\b", "nUll", "e1", "1e", "0x", "$$x", "oFF", "yEs", "a|b", "0.0.0.0", "::1", "0o8", "1,000", "12h", "<1", "==", "()",
        ";", "^", "~a", "+", ".a", "/", "1:a", "é", "웹", "\u{a0}", "http://x:80/y",
    ];
    for text in plain {
        assert_eq!(written(text), text);
    }
}

#[test]
#[rustfmt::skip]
fn strings_that_would_break_the_syntax_are_single_quoted() {
    let quoted = [
        "a: b", "# x", " lead", "trail ", "-", "@a", "*x", "&x", "!x", "|", ">", "%a", "`x`", "?", "? x", ":", "a:", "x #y", "[a]", "{a}",
        "}", ",x", "- x", "---", "--- a", "...a", "\"q\"", "null ", "y ", "*.txt", ">=1", "{}", "[", " ", "1:",
    ];
    for text in quoted {
        assert_eq!(written(text), format!("'{text}'"));
    }
    assert_eq!(written("'q'"), "'''q'''");
}

#[test]
#[rustfmt::skip]
fn what_cannot_be_seen_is_escaped() {
    let cases = [
        ("a\tb", r#""a\tb""#), ("a \nb", r#""a \nb""#), ("a\nb ", r#""a\nb ""#), ("a\r\nb", r#""a\r\nb""#), ("\u{1}", r#""\x01""#),
        ("\u{7f}", r#""\x7F""#), ("\u{85}", r#""\N""#), ("😀", r#""\U0001F600""#), ("\u{feff}a", r#""\uFEFF\x61""#),
        ("a\0b", r#""a\0b""#), ("\u{1b}[0m", r#""\e[0m""#), ("a\u{feff}b", r#""a\uFEFFb""#),
    ];
    for (text, expected) in cases {
        assert_eq!(written(text), expected);
    }
}

#[test]
#[rustfmt::skip]
fn several_lines_are_a_block() {
    let cases = [
        ("a\nb", "|-\n  a\n  b"), ("a\nb\n", "|\n  a\n  b"), ("a\nb\n\n", "|+\n  a\n  b\n"), ("\na", "|2-\n\n  a"), ("\n", "|2+\n"),
        (" a\nb", "|2-\n   a\n  b"), ("a\n\nb", "|-\n  a\n\n  b"), ("a\n\tb", "|-\n  a\n  \tb"), ("a: b\nc", "|-\n  a: b\n  c"),
    ];
    for (text, expected) in cases {
        assert_eq!(written(text), expected, "{text:?}");
    }
}

#[test]
fn collections_are_indented_as_docker_compose_indents_them() {
    let numbers = vec![Node::float(span(), 1e6), Node::int(span(), 1), Node::bool(span(), true)];
    let inner = map(vec![("a", list(&["b"])), ("c", list(&["d\ne"]))]);
    let tree = map(vec![
        ("empty", map(vec![])),
        ("none", list(&[])),
        ("null", Node::null(span())),
        ("numbers", Node::seq(span(), numbers)),
        ("nested", Node::seq(span(), vec![inner, list(&["x", "y"])])),
        ("a\nb", Node::str(span(), "a\nb")),
    ]);
    let expected = [
        "empty: {}",
        "none: []",
        "\"null\": null",
        "numbers:",
        "  - 1e+06",
        "  - 1",
        "  - true",
        "nested:",
        "  - a:",
        "      - b",
        "    c:",
        "      - |-",
        "        d",
        "        e",
        "  - - x",
        "    - \"y\"",
        "? |-",
        "  a",
        "  b",
        ": |-",
        "  a",
        "  b",
        "",
    ];
    assert_eq!(write(&tree), expected.join("\n"));
    assert_eq!(write(&map(vec![])), "{}\n");
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ab10:#,'\"\\n\\t\\[\\]{}&*!|>%@`?.=~_+\\\\éx -]{0,8}",
        "[0-9.:_eExob+-]{0,8}",
        "yes|no|null|true|~|<<|=|\\PC{0,6}|.{0,4}",
    ]
}

fn tree() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        4 => text().prop_map(|t| Node::str(span(), t)),
        1 => any::<i64>().prop_map(|n| Node::int(span(), n)),
        1 => any::<bool>().prop_map(|b| Node::bool(span(), b)),
        1 => Just(Node::null(span())),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| Node::seq(span(), items)),
            prop::collection::btree_map(text(), inner, 0..4).prop_map(|pairs| {
                let pairs: Vec<(String, Node)> = pairs.into_iter().collect();
                map(pairs.iter().map(|(k, v)| (k.as_str(), v.clone())).collect())
            }),
        ]
    })
}

/// Whether two trees differ in nothing but the way they were written.
fn alike(a: &Node, b: &Node) -> bool {
    match (&a.data, &b.data) {
        (Data::Scalar(a), Data::Scalar(b)) => a.value == b.value,
        (Data::Seq(a), Data::Seq(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| alike(a, b)),
        (Data::Map(a), Data::Map(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|((k, a), (l, b))| k == l && alike(&a.value, &b.value))
        }
        (a, b) => a == b,
    }
}

#[test]
fn a_key_that_ends_with_what_cannot_be_seen_is_quoted() {
    let tree = map(vec![("+\u{a0}", Node::null(span()))]);
    assert_eq!(write(&tree), "\"+\u{a0}\": null\n");
    assert!(alike(&read(&write(&tree)), &tree));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_back(tree in tree()) {
        let out = write(&tree);
        prop_assert!(alike(&read(&out), &tree), "{out}");
    }

    #[test]
    fn a_word_at_the_first_look_is_plain_at_a_closer_one(text in "[a-zA-Z/][a-zA-Z0-9/.:@=,_-]{0,8}|y|no|On|null|True|FALSE") {
        if is_word(&text) {
            prop_assert!(!reads_as_other(&text) && Shape::of(&text).plain_allowed(), "{text}");
        }
    }

    #[test]
    fn a_float_reads_back_to_the_same_value(f in any::<f64>()) {
        let back = read(&write(&Node::float(span(), f)));
        let value = match &back.as_scalar().unwrap().value {
            Value::Float(g) => *g,
            Value::Int(n) => *n as f64,
            Value::UInt(n) => *n as f64,
            other => panic!("{other:?}"),
        };
        prop_assert!(value == f || value.is_nan() && f.is_nan());
    }
}
