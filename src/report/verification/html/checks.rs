//! Every check: those that are not proved in full, with their places; the proved by service, with what was seen and when.

use super::super::{Entry, Outcome, Report};
use super::{class, sign};
use crate::report::markup::escaped;

/// What is refuted or not proved.
pub(super) fn open(report: &Report) -> String {
    let open = report.checks.iter().filter(|entry| !matches!(entry.verdict, Some(Outcome::Proved) | None));
    let articles: Vec<String> = open.map(article).collect();
    match (articles.is_empty(), report.outcome) {
        (true, None) => String::new(),
        (true, Some(_)) => "<h2>What is not proved</h2>\n<p>Nothing: every promise of the file holds.</p>\n".to_owned(),
        (false, _) => format!("<h2>What is not proved</h2>\n{}", articles.concat()),
    }
}

fn article(entry: &Entry) -> String {
    let place = entry.place.as_deref().map(|place| format!(" <code>{}</code>", escaped(place))).unwrap_or_default();
    format!(
        "<article class=\"{}\">\n<h3>{} {}{place}</h3>\n{}</article>\n",
        class(entry.verdict),
        sign(entry.verdict),
        escaped(&entry.says),
        facts(entry)
    )
}

/// What is known of a check: expected, found, seen, the way out, why it is a promise, when it was settled.
pub(super) fn facts(entry: &Entry) -> String {
    let mut out = String::from("<dl>\n");
    let mut fact = |name: &str, text: &str| out.push_str(&format!("<dt>{name}</dt><dd>{}</dd>\n", escaped(text)));
    let named = [("expected", &entry.expected), ("found", &entry.found), ("why", &entry.why)];
    named
        .iter()
        .filter_map(|(name, text)| text.as_ref().map(|text| (name, text)))
        .for_each(|(name, text)| fact(name, text));
    entry.evidence.iter().for_each(|line| fact("seen", line));
    entry.help.iter().for_each(|help| fact("help", help));
    fact("promised by", &format!("{}: {} [{}]", entry.rule, entry.basis, entry.id));
    entry.after_ms.iter().for_each(|ms| fact("settled", &format!("after {ms} ms")));
    out.push_str("</dl>\n");
    out
}

/// Every check, service by service.
pub(super) fn all(report: &Report) -> String {
    let mut services: Vec<Option<&str>> = vec![];
    for entry in &report.checks {
        if !services.contains(&entry.service.as_deref()) {
            services.push(entry.service.as_deref());
        }
    }
    let longest = report.checks.iter().filter_map(|entry| entry.after_ms).max().unwrap_or(0).max(1);
    let part = |service: Option<&str>| {
        let own: Vec<&Entry> = report.checks.iter().filter(|entry| entry.service.as_deref() == service).collect();
        let proved = own.iter().filter(|entry| entry.verdict == Some(Outcome::Proved)).count();
        let name = escaped(service.unwrap_or("the stack"));
        let rows: Vec<String> = own.iter().map(|entry| row(entry, longest)).collect();
        format!(
            "<details>\n<summary>{name}: {proved} of {} proved</summary>\n<ul>\n{}</ul>\n</details>\n",
            own.len(),
            rows.concat()
        )
    };
    let parts: Vec<String> = services.into_iter().map(part).collect();
    format!("<h2>Every check, and when it was settled</h2>\n{}", parts.concat())
}

/// One line, and under it a bar as long as it took.
fn row(entry: &Entry, longest: u64) -> String {
    let seen: Vec<String> =
        entry.evidence.iter().map(|line| format!("<br><span class=\"soft\">{}</span>", escaped(line))).collect();
    let time = entry.after_ms.map(|ms| {
        let width = ms * 100 / longest;
        format!(" <span class=\"soft\">{ms} ms</span><span class=\"bar\" style=\"width:{width}%\"></span>")
    });
    let (says, time) = (escaped(&entry.says), time.unwrap_or_default());
    format!("<li class=\"{}\">{} {says}{}{time}</li>\n", class(entry.verdict), sign(entry.verdict), seen.concat())
}
