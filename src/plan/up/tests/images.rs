//! Images that are pulled, built, had anew or pushed.

use super::*;
use crate::plan::Operation;
use crate::plan::images::{PushOptions, push};
use crate::plan::lab::Planned;

#[test]
fn a_missing_image_is_pulled_once_and_never_where_that_is_said() {
    let lab = Lab::load(
        "
        services:
          a: {image: 'far/away', network_mode: none}
          b: {image: 'far/away', network_mode: none}
          c: {image: 'not/there', network_mode: none, pull_policy: never}
        ",
    );
    let mut engine = lab.engine();
    engine.images.values_mut().for_each(|image| *image = None);
    let planned = lab.up_from(&engine);
    let pulls: Vec<_> = planned.operations().into_iter().filter(|o| o.starts_with("pull")).collect();
    assert_eq!(pulls, ["pull far/away"]);
    let known = |planned: &Planned| {
        let operations = planned.plan.steps().map(|(_, step)| &step.operation);
        let made = operations.filter_map(|operation| match operation {
            Operation::CreateContainer(new) => Some(new.image.is_some()),
            _ => None,
        });
        made.collect::<Vec<_>>()
    };
    assert_eq!(known(&planned), [false, false, false]);
    assert_eq!(known(&lab.up()), [true, true, true]);
}

#[test]
fn an_image_that_is_to_be_had_anew_is_a_step_of_its_own_until_it_was() {
    let lab = Lab::load(
        "
        services:
          web: {build: ., image: mine, network_mode: none}
          db: {image: far/away, network_mode: none, pull_policy: always}
        ",
    );
    let before = lab.up_from(&lab.options(|o| o.up.refreshed = true).up().observed());
    assert_plan(
        &before,
        "1  pull far/away  asked for: pull_policy: always; what runs on it is replaced where it comes out anew",
    );
    let both = lab.options(|o| o.up.build = Some(true));
    let first = both.up();
    assert_eq!(
        first.operations(),
        ["build web", "pull far/away", "create web.1", "start web.1", "create db.1", "start db.1"]
    );
    assert!(lab.options(|o| o.up.refreshed = true).up_from(&both.up().observed()).plan.is_empty());
}

#[test]
fn services_that_build_the_same_image_share_one_build() {
    let lab = Lab::load(
        "
        services:
          db: {build: ./db, image: mine, network_mode: none}
          migrate: {build: ./db, image: mine, network_mode: none, command: [migrate]}
          other: {build: {context: ./db, target: other}, image: theirs, network_mode: none}
        ",
    );
    let built = lab.options(|o| o.up.build = Some(true)).up();
    let builds: Vec<_> = built.operations().into_iter().filter(|o| o.starts_with("build")).collect();
    assert_eq!(builds, ["build db", "build other"]);
    let text =
        built.plan.lines().iter().map(|line| format!("{} {:?}\n", line.operation, line.after)).collect::<String>();
    assert!(text.contains("create migrate.1 [StepId(0)]"), "{text}");
    assert!(lab.up_from(&built.observed()).plan.is_empty());
}

#[test]
fn an_image_that_is_too_old_or_for_another_platform_is_pulled() {
    let lab = Lab::load(
        "
        services:
          day: {image: far/day, network_mode: none, pull_policy: daily}
          week: {image: far/week, network_mode: none, pull_policy: weekly}
          after: {image: far/after, network_mode: none, pull_policy: refresh, pull_refresh_after: 47h}
          later: {image: far/later, network_mode: none, pull_policy: refresh, pull_refresh_after: 3d}
          arm: {image: far/arm, network_mode: none, platform: linux/arm64}
          amd: {image: far/amd, network_mode: none, platform: linux/amd64/v2}
        ",
    );
    let mut engine = lab.engine();
    let two_days = std::time::Duration::from_secs(2 * 86_400);
    engine.images.values_mut().flatten().for_each(|image| image.age = Some(two_days));
    let planned = lab.up_from(&engine);
    let pulls: Vec<_> = planned.operations().into_iter().filter(|o| o.starts_with("pull")).collect();
    assert_eq!(pulls, ["pull far/day", "pull far/after", "pull far/arm for linux/arm64"]);
    assert!(planned.plan.to_string().contains("asked for: pull_policy: daily"), "{}", planned.plan);
    let missing = lab.options(|o| o.up.pull = Some("missing".to_owned())).up_from(&engine);
    assert!(!missing.operations().contains(&"pull far/day".to_owned()), "a flag goes before the file");
}

#[test]
fn a_container_is_replaced_for_another_platform_that_the_file_says() {
    let stack = |platform: &str| {
        Lab::load(&format!("services: {{a: {{image: far/a, network_mode: none, {platform} command: sleep 1}}}}"))
    };
    let before = stack("").up().observed();
    assert!(stack("platform: x86_64,").up_from(&before).plan.is_empty(), "the same by another name");
    let planned = stack("platform: linux/arm64,").up_from(&before);
    let said = planned.plan.to_string();
    assert!(said.contains("pull far/a for linux/arm64"), "{said}");
    assert!(said.contains("platform (linux/amd64, declared linux/arm64)"), "{said}");
    let standing = stack("platform: linux/arm64,").up().observed();
    assert!(stack("platform: linux/arm64,").up_from(&standing).plan.is_empty(), "made from this file");
}

#[test]
fn what_is_pushed_is_built_here_and_has_a_name_of_its_own() {
    let lab = Lab::load(
        "
        services:
          web: {build: {context: ., tags: ['far/web:2']}, image: 'far/web:1', depends_on: [db]}
          db: {build: ., image: far/db}
          local: {build: .}
          other: {image: far/other}
        ",
    );
    let pushed = |services: &[&str], reach| {
        let services = services.iter().map(|name| service(name)).collect();
        let options = PushOptions { services, reach, ignore_failures: false };
        let plan = push(lab.desired(), &lab.engine(), &options).unwrap();
        plan.steps().map(|(_, step)| step.operation.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(pushed(&[], Reach::Named), ["push far/web:1", "push far/web:2", "push far/db"]);
    assert_eq!(pushed(&["web"], Reach::Named), ["push far/web:1", "push far/web:2"]);
    assert_eq!(pushed(&["web"], Reach::Dependencies).len(), 3);
}
