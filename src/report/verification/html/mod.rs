//! A verification as one page: the picture, the matrix, what is not proved, everything else. No script and no request to anywhere; what
//! the stack, its containers and its Engine said is text, never markup.

mod checks;
mod matrix;

use super::{Outcome, Report};
use crate::report::markup::escaped;
use crate::verify::rule::Rule;

const STYLE: &str = include_str!("style.css");

/// The page. `picture` is the drawing of the stack, as [`crate::report::graph::svg`] makes it.
pub fn html(report: &Report, picture: Option<&str>) -> String {
    let title = format!("{} - {}", report.project, outcome(report));
    let body = [head(report), drawing(picture), sections(report)];
    page(&title, &body.concat())
}

/// The matrix, what is not proved, everything else, the rules.
pub(in crate::report) fn sections(report: &Report) -> String {
    [matrix::section(report), checks::open(report), checks::all(report), foot(report)].concat()
}

/// A page of ours around `body`, which is markup.
pub(in crate::report) fn page(title: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
}

/// What it comes to, in words.
fn outcome(report: &Report) -> &'static str {
    match report.outcome {
        Some(Outcome::Proved) => "all proved",
        Some(Outcome::Refuted) => "refuted",
        Some(Outcome::Unproved) => "not all proved",
        None => "what the file says",
    }
}

/// The class of a verdict, which gives its colour.
fn class(verdict: Option<Outcome>) -> &'static str {
    match verdict {
        Some(Outcome::Proved) => "p",
        Some(Outcome::Refuted) => "r",
        Some(Outcome::Unproved) => "u",
        None => "n",
    }
}

/// The sign of a verdict with its word for those who hear the page.
fn sign(verdict: Option<Outcome>) -> &'static str {
    match verdict {
        Some(Outcome::Proved) => "<span class=\"sign\" role=\"img\" aria-label=\"proved\">✓</span>",
        Some(Outcome::Refuted) => "<span class=\"sign\" role=\"img\" aria-label=\"refuted\">✗</span>",
        Some(Outcome::Unproved) => "<span class=\"sign\" role=\"img\" aria-label=\"not proved\">?</span>",
        None => "",
    }
}

fn head(report: &Report) -> String {
    let engine = report.engine.as_ref().map(|version| format!("on Engine {}, ", escaped(version))).unwrap_or_default();
    let took = report.took_ms.map(|ms| format!(" in {:.1} s", ms as f64 / 1000.0)).unwrap_or_default();
    let summary = report.summary;
    let part = |class: &str, number: usize, what: &str| format!("<li class=\"{class}\"><b>{number}</b> {what}</li>\n");
    let counts = match report.outcome {
        Some(_) => [
            part("p", summary.proved, "✓ proved"),
            part("r", summary.refuted, "✗ refuted"),
            part("u", summary.unproved, "? not proved"),
        ]
        .concat(),
        None => part("n", summary.checks, "checks; nothing was asked"),
    };
    let project = escaped(&report.project);
    format!(
        "<h1>{project}: {}</h1>\n<p class=\"soft\">bowline verify {engine}{} checks{took}</p>\n<ul class=\"sum\">\n{counts}</ul>\n",
        outcome(report),
        summary.checks
    )
}

fn drawing(picture: Option<&str>) -> String {
    let Some(picture) = picture else { return String::new() };
    format!(
        "<h2>The stack</h2>\n<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"picture of the stack\">\n{picture}</div>\n"
    )
}

/// The rules that were used, and the way into each place.
fn foot(report: &Report) -> String {
    let used = Rule::ALL.iter().filter(|rule| report.matrix.iter().any(|pair| pair.rule == rule.text()));
    let rules: Vec<String> =
        used.map(|rule| format!("<dt>{}</dt><dd>{}</dd>\n", rule.text(), escaped(rule.about()))).collect();
    let way = |(place, way): (&String, &String)| format!("<dt>{}</dt><dd>{}</dd>\n", escaped(place), escaped(way));
    let places: Vec<String> = report.places.iter().map(way).collect();
    let mut out = format!("<h2>The rules</h2>\n<dl>\n{}</dl>\n", rules.concat());
    if !places.is_empty() {
        out.push_str(&format!("<h2>Where it was looked from</h2>\n<dl>\n{}</dl>\n", places.concat()));
    }
    out
}
