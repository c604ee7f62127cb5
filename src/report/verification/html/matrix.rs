//! Who reaches whom: a cell a pair, with its rule, what was seen and when, by hover or focus.

use super::super::{Entry, Outcome, Pair, Report};
use super::checks::facts;
use super::{class, sign};
use crate::report::markup::escaped;

pub(super) fn section(report: &Report) -> String {
    let names = parties(report);
    if names.is_empty() {
        return String::new();
    }
    let head: Vec<String> = names.iter().map(|name| format!("<th scope=\"col\">{}</th>", escaped(name))).collect();
    let rows: Vec<String> = names.iter().map(|from| row(report, from, &names)).collect();
    format!(
        "<h2>Who reaches whom</h2>\n<p class=\"soft\" id=\"key\">From the left to the top: → is expected to reach, ⊘ not to, ~ the file does not say; ✓ proved, ✗ refuted, ? not proved. \
         Point at a cell, or go to it by Tab, for its rule, what was seen and when.</p>\n\
         <div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"matrix\">\n<table aria-describedby=\"key\">\n\
         <thead><tr><th scope=\"col\">from \\ to</th>{}</tr></thead>\n<tbody>\n{}</tbody>\n</table>\n</div>\n",
        head.concat(),
        rows.concat()
    )
}

/// Rows and columns: in the order of the file, the host last.
fn parties(report: &Report) -> Vec<&str> {
    let mut names: Vec<&str> = vec![];
    for name in report.matrix.iter().flat_map(|pair| [pair.from.as_str(), pair.to.as_str()]) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.sort_by_key(|name| *name == "host");
    names
}

fn row(report: &Report, from: &str, names: &[&str]) -> String {
    let cells = names.iter().map(|to| {
        let pair = report.matrix.iter().find(|pair| pair.from == from && pair.to == *to);
        pair.map_or_else(|| "<td></td>".to_owned(), |pair| cell(report, pair))
    });
    format!("<tr><th scope=\"row\">{}</th>{}</tr>\n", escaped(from), cells.collect::<String>())
}

fn cell(report: &Report, pair: &Pair) -> String {
    let checks = of_pair(report, pair);
    let verdict = worst(&checks);
    let (expected, word) = match pair.expected.as_str() {
        "reach" => ("→", "reaches"),
        "block" => ("⊘", "does not reach"),
        _ => ("~", "may reach"),
    };
    let seen: Vec<String> = checks.iter().map(|entry| facts(entry)).collect();
    let (from, to, rule) = (escaped(&pair.from), escaped(&pair.to), escaped(&pair.rule));
    let tip = format!(
        "<p><b>{from} {word} {to}</b> <span class=\"soft\">{rule}: {}</span></p>{}",
        escaped(&pair.why),
        seen.concat()
    );
    format!(
        "<td class=\"{}\"><div class=\"c\" tabindex=\"0\" aria-label=\"{from} {word} {to}\">{expected} {}<small>{rule}</small></div>\
         <div class=\"tip\">{tip}</div></td>",
        class(verdict),
        sign(verdict)
    )
}

/// The checks of a pair, in either family.
fn of_pair<'a>(report: &'a Report, pair: &Pair) -> Vec<&'a Entry> {
    let arrow = format!("{}->{}", pair.from, pair.to);
    let ids: Vec<String> = ["reach", "isolated", "undeclared"]
        .iter()
        .flat_map(|kind| [format!("{kind}/{arrow}"), format!("{kind}/{arrow}/ipv6")])
        .collect();
    report.checks.iter().filter(|entry| ids.contains(&entry.id)).collect()
}

fn worst(checks: &[&Entry]) -> Option<Outcome> {
    let weight = |outcome: &Outcome| match outcome {
        Outcome::Proved => 0,
        Outcome::Unproved => 1,
        Outcome::Refuted => 2,
    };
    checks.iter().filter_map(|entry| entry.verdict).max_by_key(weight)
}
