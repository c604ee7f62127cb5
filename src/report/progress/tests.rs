//! Events of a small plan, and what is written for them.

use std::time::{Duration, Instant};

use super::*;
use crate::name::{ContainerId, Replica};
use crate::plan::{Cause, Needs, PlanBuilder};
use crate::run::Kind;
use crate::state::desired::Desired;
use crate::state::observed::{ContainerState, Observed, ObservedContainer};

/// 1 stops `lab-web-1`, 2 removes it.
fn plan() -> (Plan, StepId, StepId) {
    let (id, name) = (ContainerId::from_engine("c0ffee"), "lab-web-1".to_owned());
    let replica = Replica::new("web".parse().unwrap(), 1);
    let state = ContainerState::Running { pid: 1, health: None, started_at: String::new() };
    let found = ObservedContainer::named(id.clone(), &name, replica.clone(), state);
    let observed = Observed { containers: vec![found], ..Observed::default() };
    let web = Target::Existing { id, name, replica };
    let mut builder = PlanBuilder::new();
    let stop = builder.step(Operation::Stop { container: web.clone(), timeout: None }, Cause::Orphaned);
    let remove = builder.step(Operation::Remove { container: web, volumes: false }, Cause::Orphaned);
    builder.needs(remove, stop, Needs::Stopped);
    let plan = builder.finish(Desired::nothing("lab".parse().unwrap()), &observed).unwrap();
    let ids: Vec<StepId> = plan.steps().map(|(id, _)| id).collect();
    (plan, ids[0], ids[1])
}

fn broken() -> Fate {
    let mut error = StepError::new(Kind::Refused, "the Engine is out of paper");
    error.details.push("tray 2".into());
    Fate::Failed(error)
}

#[test]
fn plain_lines_are_docker_composes_and_failures_have_their_details() {
    let (plan, stop, remove) = plan();
    let said = |event: &Event<'_>| plain(&plan, event).join("\n");
    assert_eq!(said(&Event::Began(stop)), " Container lab-web-1  Stopping");
    assert_eq!(said(&Event::Ended(stop, &Fate::Done(Duration::ZERO))), " Container lab-web-1  Stopped");
    assert_eq!(
        said(&Event::Ended(stop, &broken())),
        " Container lab-web-1  Error: the Engine is out of paper\n   tray 2"
    );
    let skipped = Fate::Skipped { because: stop };
    assert_eq!(said(&Event::Ended(remove, &skipped)), " Container lab-web-1  Skipped: cannot stop web.1");
}

#[test]
fn json_lines_keep_docker_composes_keys() {
    let (plan, stop, _) = plan();
    let said = |event: &Event<'_>| json(&plan, event).join("\n");
    assert_eq!(said(&Event::Began(stop)), r#"{"id":"Container lab-web-1","status":"Stopping","step":1}"#);
    assert_eq!(
        said(&Event::Ended(stop, &Fate::Done(Duration::from_millis(250)))),
        r#"{"id":"Container lab-web-1","status":"Stopped","step":1,"seconds":0.25}"#
    );
    assert_eq!(
        said(&Event::Ended(stop, &broken())),
        r#"{"id":"Container lab-web-1","status":"Error","step":1,"error":"the Engine is out of paper","details":["tray 2"],"tolerated":false}"#
    );
}

#[test]
fn the_board_has_one_line_a_resource() {
    let (plan, stop, remove) = plan();
    let (mut board, now) = (Board::default(), Instant::now());
    let second = now + Duration::from_secs(1);
    board.hear(&plan, &Event::Began(stop), now);
    board.hear(&plan, &Event::Ended(stop, &Fate::Done(Duration::from_secs(1))), second);
    board.hear(&plan, &Event::Began(remove), second);
    let drawn = |board: &Board| {
        let lines = board.draw(second, 80, 24);
        lines.iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(drawn(&board), "[+] Running 0/1\n ⠋ Container lab-web-1  Removing  0.0s");
    board.hear(&plan, &Event::Ended(remove, &broken()), second);
    assert_eq!(drawn(&board), "[+] Running 0/1\n ✘ Container lab-web-1  the Engine is out of paper  0.0s");
}
