//! The page of `verify --format html` in a browser. Where no Chromium is here, this says so and passes: in CI the tests of the
//! library hold the page to its structure.

use std::process::{Command, Stdio};

/// What a name may hold that would like to be markup.
const STACK: &str = "name: odd
services:
  web: {image: busybox, networks: {front: {aliases: ['<img src=x onerror=\"document.title=1\">', '</svg><script>document.title=2</script>']}}}
  db: {image: busybox, networks: [front, back]}
networks: {front: {}, back: {internal: true}}
";

fn chromium() -> Option<&'static str> {
    let there =
        |name: &&str| Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find(there)
}

#[test]
fn a_browser_shows_the_page_and_runs_nothing_of_it() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("compose.yaml"), STACK).unwrap();
    let bowline = Command::new(env!("CARGO_BIN_EXE_bowline"))
        .args(["verify", "--offline", "--format", "html"])
        .current_dir(directory.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&bowline.stdout);
    assert!(bowline.status.success() && text.contains("<svg "), "{text}{}", String::from_utf8_lossy(&bowline.stderr));
    let page = directory.path().join("page.html");
    std::fs::write(&page, &bowline.stdout).unwrap();
    let Some(chromium) = chromium() else {
        eprintln!("SKIPPED, no chromium: nobody has looked at the page of `verify --format html` in this run");
        return;
    };
    let profile = directory.path().join("profile");
    let shown = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "--virtual-time-budget=2000"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let document = String::from_utf8_lossy(&shown.stdout);
    assert!(document.contains("<title>odd - what the file says</title>"), "{document}");
    assert!(document.contains("as &lt;img src=x"), "{document}");
    for mark in ["<script", "<img"] {
        assert!(!document.contains(mark), "{mark}: {document}");
    }
}
