//! The page of `verify --format html` in a browser: it runs nothing, asks nobody, and can be read on a narrow screen, in the dark, in print
//! and with the keyboard alone. Where no Chromium is here, this says so and passes; in CI it must be.

#![expect(clippy::unwrap_used, reason = "a test says what it found by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bowline::compose::load_text;
use bowline::finding::Findings;
use bowline::report::graph::{Drawing, svg};
use bowline::report::verification::{Report, html};
use bowline::verify::check::{Verdict, Why};
use bowline::verify::derive;
use bowline::verify::gather::{Proof, Settled};
use bowline::verify::matrix::Matrix;
use bowline::verify::topology::Topology;

use crate::browser::Browser;

/// What a name may hold that would like to be markup.
const ODD: &str = "name: odd
services:
  web: {image: busybox, networks: {front: {aliases: ['<img src=x onerror=\"document.title=1\">', '</svg><script>document.title=2</script>']}}}
  db: {image: busybox, networks: [front, back]}
networks: {front: {}, back: {internal: true}}
";

/// The page that the program writes of [`ODD`].
fn odd(directory: &Path) -> PathBuf {
    std::fs::write(directory.join("compose.yaml"), ODD).unwrap();
    let bowline = Command::new(env!("CARGO_BIN_EXE_bowline"))
        .args(["verify", "--offline", "--format", "html"])
        .current_dir(directory)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&bowline.stdout);
    assert!(bowline.status.success() && text.contains("<svg "), "{text}{}", String::from_utf8_lossy(&bowline.stderr));
    written(directory, "odd.html", &text)
}

/// The page of a stack of nine services, of which every third check is refuted and every fifth not proved, at length.
fn full(directory: &Path) -> PathBuf {
    let services: String = (0..9)
        .map(|n| {
            format!(
                "  service-with-a-long-name-{n}: {{image: busybox, networks: [{}]}}\n",
                if n < 5 { "a" } else { "b" }
            )
        })
        .collect();
    let text = format!("name: full\nservices:\n{services}networks: {{a: {{}}, b: {{}}}}\n");
    let loaded = load_text("compose.yaml", &text);
    let project = loaded.project.unwrap();
    let topology = Topology::of(&project);
    let checks = derive(&project, &topology, &Default::default(), &mut Findings::new());
    let long = "10.0.0.2:5432/tcp-".repeat(12);
    let verdict = |at: usize| match at {
        at if at % 3 == 0 => Verdict::refuted(&long, "nothing came back").seen(&long).help("ip route get 10.0.0.2"),
        at if at % 5 == 0 => Verdict::Unproved(Why::NoControl(long.clone())),
        _ => Verdict::Proved(vec![long.clone()]),
    };
    let settled = |(at, check)| Settled { check, verdict: verdict(at), after: Duration::from_millis(at as u64) };
    let proof = Proof {
        verdicts: checks.into_iter().enumerate().map(settled).collect(),
        ways: Default::default(),
        engine: "28.5.2".to_owned(),
        containers: 9,
        took: Duration::from_millis(900),
        leftovers: vec![],
    };
    let report = Report::of("full", proof, &Matrix::of(&topology), &loaded.files);
    let mut drawing = Drawing::of(&project);
    drawing.verify(&report);
    written(directory, "full.html", &html(&report, svg(&drawing).as_deref()))
}

fn written(directory: &Path, name: &str, text: &str) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// What can be read: each element with words of its own, and how its colour stands out from what lies under it (WCAG 2.2, 1.4.3: 4.5 or
/// more). Gives those that do not.
const PALE: &str = "(() => {
  const parts = (colour) => colour.match(/[0-9.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = parts(colour).map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const under = (e) => {
    for (; e; e = e.parentElement) {
      const back = getComputedStyle(e).backgroundColor;
      if ((parts(back)[3] ?? 1) > 0) return back;
    }
    return 'rgb(255,255,255)';
  };
  const words = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  const pale = [];
  for (const e of document.body.querySelectorAll('*')) {
    if (e.closest('svg') || !words(e)) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(under(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) pale.push(`${e.tagName}.${e.className} ${ratio.toFixed(2)}: ${e.textContent.slice(0, 40)}`);
  }
  return pale;
})()";

/// Elements that stick out to the right of the screen, but for those in a box of their own that scrolls.
const WIDE: &str = "[...document.body.querySelectorAll('*')].filter((e) => !e.closest('.wide') && !e.closest('.tip')
  && e.getBoundingClientRect().right > innerWidth + 1).map((e) => `${e.tagName}.${e.className}`).slice(0, 5)
  .concat(document.documentElement.scrollWidth > innerWidth ? [`the page has ${document.documentElement.scrollWidth}`] : [])";

/// What has the focus, whether that can be seen, and what it shows.
const FOCUS: &str = "(() => {
  const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
  const tip = e.nextElementSibling?.classList.contains('tip') ? e.nextElementSibling : null;
  const low = tip && getComputedStyle(tip).display === 'block' ? tip.getBoundingClientRect().top : innerHeight;
  return {what: e.className || e.tagName.toLowerCase(), ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0,
    visible: box.bottom > 0 && box.top < low, told: tip ? tip.textContent.length > 20 && low < innerHeight : null};
})()";

#[test]
fn a_browser_shows_the_page_and_runs_nothing_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let pages = [odd(directory.path()), full(directory.path())];
    let Some(mut browser) = Browser::start(directory.path()) else { return };
    let asked = browser.show(&pages[0], 1280, "light");
    assert_eq!(asked, [format!("file://{}", pages[0].display())], "the page asks for nothing but itself");
    assert_eq!(browser.value("document.title"), "odd - what the file says");
    assert_eq!(browser.value("document.querySelectorAll('script,img,iframe,link,object').length"), 0);
    assert_eq!(browser.value("document.body.textContent.includes('as <img src=x')"), true, "it is text");

    for (scheme, dark) in [("light", false), ("dark", true)] {
        for width in [320, 1280] {
            let asked = browser.show(&pages[1], width, scheme);
            assert_eq!(asked, [format!("file://{}", pages[1].display())]);
            let nothing = serde_json::json!([]);
            assert_eq!(browser.value(WIDE), nothing, "{scheme}, {width} wide");
            assert_eq!(browser.value(PALE), nothing, "{scheme}, {width} wide");
            let paper = browser.value("getComputedStyle(document.body).backgroundColor");
            let paper: u32 = paper
                .as_str()
                .unwrap()
                .split(|c: char| !c.is_ascii_digit())
                .filter_map(|n| n.parse::<u32>().ok())
                .sum();
            assert_eq!(paper < 3 * 64, dark, "{scheme}");
        }
    }
    with_the_keyboard_alone(&mut browser);
    // in print everything is open, and nothing lies over anything
    browser.ask("Emulation.setEmulatedMedia", serde_json::json!({"media": "print"}));
    let hidden = browser.value(
        "[...document.querySelectorAll('details li')].filter((e) => e.getBoundingClientRect().height === 0).length",
    );
    assert_eq!(hidden, 0, "checks that print does not show");
    assert_eq!(
        browser.value(
            "[...document.querySelectorAll('.tip')].filter((e) => getComputedStyle(e).display !== 'none').length"
        ),
        0
    );
}

/// Tab goes through the picture, every cell of the matrix and every service; each is seen to have the focus, a cell tells what it knows,
/// and Enter opens a service.
fn with_the_keyboard_alone(browser: &mut Browser) {
    let (cells, groups) = (
        browser.value("document.querySelectorAll('.c').length"),
        browser.value("document.querySelectorAll('summary').length"),
    );
    let all = cells.as_u64().unwrap() + groups.as_u64().unwrap() + 2;
    let mut found = std::collections::BTreeMap::<String, u64>::new();
    for _ in 0..all {
        browser.press("Tab", 9, "");
        let focus = browser.value(FOCUS);
        assert!(focus["ring"] == true && focus["visible"] == true && focus["told"] != false, "{focus}");
        *found.entry(focus["what"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    let expected = [("c", cells.as_u64().unwrap()), ("summary", groups.as_u64().unwrap()), ("wide", 2)];
    assert_eq!(found, expected.map(|(what, count)| (what.to_owned(), count)).into());
    assert_eq!(browser.value("document.activeElement.parentElement.open"), false);
    browser.press("Enter", 13, "\r");
    assert_eq!(browser.value("document.activeElement.parentElement.open"), true, "Enter opens a service");
}
