//! The live view without a terminal: what is drawn at which size, and what keys do.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

use super::model::{Head, Line, Overlay, Pane};
use super::pages::Palette;
use super::view::draw;
use super::{Action, Event, Key, Model, Seen, Wish};
use crate::plan::lab::{Lab, change};
use crate::report::standing::Standing;
use crate::report::verification::{Entry, Outcome, Report, Summary};
use crate::state::observed::Observed;

const STACK: &str = "services:
  web: {image: busybox, ports: ['8080:80'], healthcheck: {test: 'true'}}
  db: {image: busybox, scale: 2}
";

fn seen(lab: &Lab, observed: &Observed) -> Event {
    let planned = lab.up_from(observed);
    let (desired, observed, plan) = (lab.desired(), &planned.before, Some(&planned.plan));
    Event::Looked(Seen::of(&Standing { desired, observed, plan, call: "bowline", watches: false }))
}

fn entry(service: &str, says: &str, verdict: Outcome) -> Entry {
    let refuted = |text: &str| (verdict == Outcome::Refuted).then(|| text.to_owned());
    Entry {
        id: says.to_owned(),
        service: Some(service.to_owned()),
        says: says.to_owned(),
        rule: "file".to_owned(),
        basis: String::new(),
        place: None,
        verdict: Some(verdict),
        expected: refuted("web answers"),
        found: refuted("nothing listens at 80"),
        evidence: vec!["seen".to_owned()],
        help: refuted("bowline logs web"),
        why: None,
        reason: None,
        after_ms: None,
    }
}

fn report(checks: Vec<Entry>) -> Event {
    let count = |wanted| checks.iter().filter(|entry| entry.verdict == Some(wanted)).count();
    let (proved, refuted) = (count(Outcome::Proved), count(Outcome::Refuted));
    let report = Report {
        format: 1,
        project: "test".to_owned(),
        engine: None,
        outcome: None,
        summary: Summary { checks: checks.len(), proved, refuted, unproved: 0 },
        containers: None,
        took_ms: None,
        places: Default::default(),
        checks,
        matrix: vec![],
    };
    Event::Proved(Box::new(report), "12:03:11".to_owned())
}

fn wrote(service: &str, text: &str) -> Event {
    let name = format!("test-{service}-1");
    Event::Wrote(Line { service: service.to_owned(), name, text: text.to_owned(), is_remark: false })
}

/// A stack that is up, proved but for one check, and has written something.
fn model() -> Model {
    let head = Head { project: "test".into(), engine: "28.5.2".into(), from: "from compose.yaml".into() };
    let mut model = Model::new(head);
    let lab = Lab::load(STACK);
    model.update(seen(&lab, &lab.up().observed()));
    model.update(report(vec![
        entry("web", "web runs", Outcome::Proved),
        entry("web", "web answers the host at 8080->80/tcp", Outcome::Refuted),
        entry("db", "db runs", Outcome::Proved),
    ]));
    model.update(wrote("web", "\x1b[32mlistening\x1b[0m on 80"));
    model.update(wrote("db", "ready to accept connections"));
    model
}

fn backend(model: &mut Model, width: u16, height: u16, palette: Palette) -> TestBackend {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let mut extents = None;
    terminal.draw(|frame| extents = Some(draw(model, frame, palette))).unwrap();
    model.drawn(extents.unwrap());
    terminal.backend().clone()
}

/// The screen as text, no blanks at the ends of lines.
fn screen(model: &mut Model, width: u16, height: u16) -> String {
    let backend = backend(model, width, height, Palette::Colours);
    let cells = backend.buffer().content();
    let rows = cells.chunks(usize::from(width).max(1));
    let row = |cells: &[ratatui::buffer::Cell]| {
        cells.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned()
    };
    rows.map(row).collect::<Vec<_>>().join("\n")
}

fn key(model: &mut Model, c: char) -> Option<Wish> {
    model.update(Event::Key(Key::Char(c)))
}

#[test]
fn eighty_columns_show_everything_below_each_other() {
    let shown = screen(&mut model(), 80, 24);
    let head = shown.lines().next().unwrap();
    assert!(
        head.starts_with(" test on Engine 28.5.2, from compose.yaml  ") && head.ends_with("✗ 1 refuted, ✓ 2 proved")
    );
    let order =
        ["▸ services", "▸  all", "web", "db", "─ networks", " default", "db-1", "─ verdicts", "─ logs", " r restart"];
    let mut from = 0;
    for words in order {
        let at = shown[from..].find(words).unwrap_or_else(|| panic!("`{words}` does not come then:\n{shown}"));
        from += at;
    }
    assert!(shown.contains(" ✗ web answers the host at 8080->80/tcp\n     expected web answers\n"), "{shown}");
    assert!(shown.contains(" web-1 │ listening on 80\n"), "escape sequences are gone:\n{shown}");
    assert!(!shown.contains("db runs"), "what is proved is not listed:\n{shown}");
}

#[test]
fn a_wide_terminal_has_the_output_beside_the_rest() {
    let shown = screen(&mut model(), 120, 40);
    let first = shown.lines().nth(1).unwrap();
    assert!(first.starts_with("▸ services") && first.contains("─ logs"), "{shown}");
}

#[test]
fn forty_columns_show_one_pane_below_the_services() {
    let mut model = model();
    let shown = screen(&mut model, 40, 12);
    assert!(shown.contains("networks verdicts logs") && shown.contains("│ listening on 80"), "{shown}");
    assert!(shown.lines().last().unwrap().ends_with("? help  q quit"), "{shown}");
    key(&mut model, '2');
    assert!(screen(&mut model, 40, 12).contains(" default"));
    key(&mut model, '3');
    assert!(
        screen(&mut model, 40, 12).contains(" ✗ web answers the host at 8080->80/tcp\n     expected web answers\n")
    );
    let shown = screen(&mut model, 32, 14);
    assert!(shown.contains("✗ web answers the host at\n   8080->80/tcp"), "it is folded:\n{shown}");
    key(&mut model, '?');
    let help = screen(&mut model, 40, 20);
    assert!(help.contains("leave; the stack goes on"), "all keys have room:\n{help}");
}

#[test]
fn no_size_is_too_small() {
    let mut model = model();
    for overlay in [Overlay::None, Overlay::Help, Overlay::Failed("up all failed".into(), vec!["why ".repeat(50)])] {
        model.overlay = overlay;
        for width in [1, 2, 5, 13, 39, 100, 300] {
            for height in [1, 2, 3, 4, 7, 19, 60] {
                screen(&mut model, width, height);
            }
        }
    }
}

#[test]
fn without_colours_nothing_has_one() {
    let mut model = model();
    for palette in [Palette::Plain, Palette::Colours] {
        let backend = backend(&mut model, 100, 30, palette);
        let coloured = backend.buffer().content().iter().any(|cell| (cell.fg, cell.bg) != (Color::Reset, Color::Reset));
        assert_eq!(coloured, palette == Palette::Colours);
    }
}

#[test]
fn what_takes_services_away_asks_first() {
    let mut model = model();
    assert_eq!(key(&mut model, 'r'), None);
    assert!(screen(&mut model, 80, 24).contains("restart every service? y does it, any other key does not"));
    assert_eq!(key(&mut model, 'n'), None);
    assert_eq!(model.overlay, Overlay::None);
    assert_eq!(key(&mut model, 'j'), None);
    assert_eq!(key(&mut model, 'r'), Some(Wish::Act(Action::Restart, Some("web".into()))), "one is only restarted");
    assert_eq!(key(&mut model, 's'), None);
    assert_eq!(key(&mut model, 'y'), Some(Wish::Act(Action::Stop, Some("web".into()))));
    assert_eq!(key(&mut model, 'u'), Some(Wish::Act(Action::Up, Some("web".into()))));
}

#[test]
fn one_action_at_a_time_and_ctrl_c_interrupts_it() {
    let mut model = model();
    model.update(Event::Began("restart web".into()));
    model.update(Event::Said(" Container test-web-1  Restarting".into()));
    assert!(screen(&mut model, 80, 24).contains(" restart web … Container test-web-1  Restarting\n"));
    assert_eq!(key(&mut model, 'u'), None);
    assert!(model.note.as_ref().unwrap().contains("restart web is under way"));
    assert_eq!(model.update(Event::Key(Key::Interrupt)), Some(Wish::Interrupt));
    model.update(Event::Ended(Some(130)));
    assert_eq!(model.note.as_deref(), Some("restart web: interrupted"));
    assert_eq!(model.update(Event::Key(Key::Interrupt)), Some(Wish::Quit), "with nothing under way it leaves");
}

#[test]
fn an_action_that_failed_shows_its_words() {
    let mut model = model();
    model.update(Event::Began("up all".into()));
    model.update(Event::Said("error[port-taken]: port 80 is held".into()));
    model.update(Event::Ended(Some(66)));
    let shown = screen(&mut model, 80, 24);
    assert!(shown.contains(" up all failed ") && shown.contains("error[port-taken]: port 80 is held"), "{shown}");
    assert_eq!(key(&mut model, 'x'), None);
    assert!(!screen(&mut model, 80, 24).contains("port-taken"), "any key closes it");
}

#[test]
fn a_chosen_service_narrows_verdicts_and_output() {
    let mut model = model();
    model.update(Event::Key(Key::End));
    assert_eq!(model.chosen.as_deref(), Some("db"));
    let shown = screen(&mut model, 80, 24);
    assert!(shown.contains("verdicts of db") && shown.contains(" ✓ 1 proved at 12:03:11\n"), "{shown}");
    assert!(shown.contains("ready to accept") && !shown.contains("listening"), "{shown}");
    let lab = Lab::load(&STACK.replace("db:", "other:"));
    model.update(seen(&lab, &lab.engine()));
    assert_eq!(model.chosen, None, "it is gone");
}

#[test]
fn who_reads_further_up_goes_on_reading_there() {
    let mut model = model();
    (0..50).for_each(|number| _ = model.update(wrote("web", &format!("line {number:02}"))));
    model.update(Event::Key(Key::Enter));
    assert_eq!(model.focus, Pane::Logs);
    assert!(screen(&mut model, 80, 24).contains("line 49"));
    model.update(Event::Key(Key::PageUp));
    let before = screen(&mut model, 80, 24);
    assert!(!before.contains("line 49") && before.contains("below: End"), "{before}");
    model.update(wrote("web", "line 50"));
    let after = screen(&mut model, 80, 24);
    let lines =
        |shown: &str| shown.lines().filter(|line| line.contains("│ line")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&before), lines(&after));
    model.update(Event::Key(Key::End));
    assert!(screen(&mut model, 80, 24).contains("line 50"));
    model.update(Event::Key(Key::Home));
    assert!(screen(&mut model, 80, 24).contains("listening on 80"));
}

#[test]
fn verdicts_say_that_they_are_older_than_the_last_change() {
    let mut model = model();
    let lab = Lab::load(STACK);
    let mut observed = lab.up().observed();
    change(&mut observed, "web.1", |web| web.state = crate::state::observed::ContainerState::Paused);
    model.update(seen(&lab, &observed));
    let shown = screen(&mut model, 80, 24);
    assert!(
        shown.contains("at 12:03:11, before the last change") && shown.contains("differs from its file"),
        "{shown}"
    );
    model.update(Event::Proving);
    assert!(screen(&mut model, 80, 24).lines().next().unwrap().ends_with("proving …"));
}

#[test]
fn an_engine_that_is_gone_is_told() {
    let mut model = model();
    model.update(Event::Lost("it hung up".into()));
    let shown = screen(&mut model, 80, 24);
    assert!(shown.lines().next().unwrap().ends_with("no Engine") && shown.contains("it hung up"), "{shown}");
    model.update(Event::Back);
    assert!(!screen(&mut model, 80, 24).contains("it hung up"));
}
