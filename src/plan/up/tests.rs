//! What `up` plans, on stacks that fit a few lines.

mod company;
mod files;
mod images;
mod networks;
mod updates;

use crate::finding::Code;
use crate::name::ContainerId;
use crate::plan::Needs;
use crate::plan::lab::{Lab, assert_plan, change, service};
use crate::plan::up::{Reach, Recreate};
use crate::state::observed::{ContainerState, ObservedNetwork};

#[test]
fn a_first_up_makes_what_is_missing_in_parallel() {
    let lab = Lab::load(
        "
        services:
          db: {image: busybox, networks: [back], volumes: ['data:/data'], healthcheck: {test: [CMD, 'true']}}
          web: {image: busybox, networks: [front, back], depends_on: {db: {condition: service_healthy}}}
        networks: {front: {}, back: {ipam: {config: [{subnet: 10.5.0.0/24}]}}}
        volumes: {data: {}}
        ",
    );
    let planned = lab.up();
    assert_plan(
        &planned,
        "
        1              create network back   missing
        2  after 1     create network front
        3              create volume data    missing
        4  after 1, 3  create db.1
        5  after 4     start db.1
        6  after 2     create web.1
        7  after 5     await db healthy      web waits for it
        8  after 6, 7  start web.1
        ",
    );
    assert!(lab.up_from(&planned.observed()).plan.is_empty());
}

#[test]
fn a_drifted_container_is_replaced_when_the_next_is_ready() {
    let lab = Lab::load("services: {web: {image: busybox, command: sleep 1}}");
    let before = lab.up().observed();
    let planned = lab.edit("sleep 1", "sleep 2").up_from(&before);
    let id = before.containers[0].id.short();
    assert_plan(
        &planned,
        "
        1           create web.1             differs: command (sleep 1, declared sleep 2)
        2  after 1  stop old web.1
        3  after 2  remove old web.1
        4  after 3  rename web.1 test-web-1
        5  after 4  start web.1
        ",
    );
    assert_eq!(planned.after(1).containers[1].name, "test-web-1");
    assert_eq!(planned.after(1).containers[0].name, format!("{id}_test-web-1"));
    assert_eq!(planned.observed().containers[0].name, "test-web-1");
}

#[test]
fn what_does_not_run_is_started_and_what_is_frozen_thawed() {
    let lab = Lab::load("services: {a: {image: busybox, network_mode: none}, b: {image: busybox, network_mode: none}}");
    let mut observed = lab.up().observed();
    let code = 137;
    change(&mut observed, "a.1", |c| {
        c.state = ContainerState::Exited { code, oom_killed: false, finished_at: String::new() };
    });
    change(&mut observed, "b.1", |c| c.state = ContainerState::Paused);
    assert_plan(
        &lab.up_from(&observed),
        "
        1    start a.1    ended with 137
        2    unpause b.1  paused
        ",
    );
    assert!(lab.options(|o| o.up.no_start = true).up_from(&observed).plan.is_empty());
}

#[test]
fn a_job_that_ended_runs_again_and_nobody_who_runs_waits_for_it() {
    let lab = Lab::load(
        "
        services:
          job: {image: busybox, network_mode: none}
          web: {image: busybox, network_mode: none, depends_on: {job: {condition: service_completed_successfully}}}
        ",
    );
    let before = lab.up().observed();
    assert_plan(&lab.up_from(&before), "1    start job.1  ended with 0");
}

#[test]
fn fewer_containers_take_away_those_with_the_highest_numbers() {
    let lab = Lab::load("services: {web: {image: busybox, network_mode: none, scale: 3}}");
    let before = lab.up().observed();
    assert_plan(
        &lab.edit("scale: 3", "scale: 2").up_from(&before),
        "
        1           stop web.3    one too many
        2  after 1  remove web.3
        ",
    );
    assert_eq!(lab.edit("scale: 3", "scale: 0").up_from(&before).observed().containers.len(), 0);
}

#[test]
fn of_two_with_one_number_the_right_one_stays() {
    let lab = Lab::load("services: {web: {image: busybox, network_mode: none}}");
    let mut observed = lab.up().observed();
    let mut twin = observed.containers[0].clone();
    twin.id = ContainerId::from_engine("f".repeat(64));
    twin.name = "0123456789ab_test-web-1".to_owned();
    observed.containers.insert(0, twin);
    assert_plan(
        &lab.up_from(&observed),
        "
        1           stop web.1    one too many
        2  after 1  remove web.1
        ",
    );
    observed.containers.pop();
    assert_plan(
        &lab.up_from(&observed),
        "1    rename web.1 test-web-1  differs: container_name (0123456789ab_test-web-1, declared test-web-1)",
    );
}

#[test]
fn two_services_that_swap_names_and_ports_both_get_theirs() {
    let text = "
        services:
          a: {image: busybox, container_name: one, ports: ['80:80']}
          b: {image: busybox, container_name: two, ports: ['81:80']}
        ";
    let lab = Lab::load(text);
    let swapped = text.replace("one", "x").replace("two", "one").replace("x,", "two,");
    let swapped = Lab::load(&swapped.replace("'80:", "'8x:").replace("'81:", "'80:").replace("'8x:", "'81:"));
    let planned = swapped.up_from(&lab.up().observed());
    let after = planned.observed();
    let named = |name: &str| after.containers.iter().find(|c| c.name == name).unwrap();
    assert_eq!((named("two").replica.to_string(), named("one").replica.to_string()), ("a.1".into(), "b.1".into()));
    assert!(swapped.up_from(&after).plan.is_empty());
    let (place, plan) = (|text: &str| planned.operations().iter().position(|o| o == text).unwrap(), &planned.plan);
    let start = plan.steps().nth(place("start a.1")).unwrap().0;
    assert!(
        plan.predecessors(start)
            .any(|(id, why)| why == Needs::Gone && plan.step(id).operation.to_string() == "stop b.1")
    );
}

#[test]
fn a_name_that_an_orphan_keeps_is_an_error_that_says_the_way_out() {
    let lab = Lab::load("services: {web: {image: busybox, container_name: shop}}");
    let renamed = Lab::load("services: {www: {image: busybox, container_name: shop}}");
    let before = lab.up().observed();
    let planned = renamed.up_from(&before);
    assert!(planned.plan.is_empty());
    let error = planned.findings.iter().find(|f| f.code == Code::NameTaken).unwrap();
    assert_eq!(error.message, "container name `shop` is held by web.1, which stays");
    let removed = renamed.options(|o| o.up.remove_orphans = true).up_from(&before);
    assert_eq!(removed.observed().containers.len(), 1);
}

#[test]
fn an_orphan_is_named_and_left_alone_unless_it_is_to_go() {
    let lab = Lab::load("services: {a: {image: busybox, network_mode: none}, b: {image: busybox, network_mode: none}}");
    let before = lab.up().observed();
    let less = Lab::load("services: {a: {image: busybox, network_mode: none}}");
    let planned = less.up_from(&before);
    assert!(planned.plan.is_empty());
    assert_eq!(
        planned.findings.iter().next().unwrap().message,
        "container `test-b-1` belongs to no service of the file"
    );
    assert_plan(
        &less.options(|o| o.up.remove_orphans = true).up_from(&before),
        "
        1           stop b.1    no service of the file
        2  after 1  remove b.1
        ",
    );
}

#[test]
fn chosen_services_come_with_what_they_need_and_nothing_else() {
    let lab = Lab::load(
        "
        services:
          db: {image: busybox, networks: [back]}
          web: {image: busybox, networks: [back], depends_on: [db]}
          other: {image: busybox, networks: [front]}
        networks: {front: {}, back: {}}
        ",
    );
    let web = lab.options(|o| o.up.services = vec![service("web")]);
    let all = ["create network back", "create db.1", "start db.1", "create web.1", "start web.1"];
    assert_eq!(web.up().operations(), all);
    let alone = web.options(|o| o.up.reach = Reach::Named);
    assert_eq!(alone.up().operations(), ["create network back", "create web.1", "start web.1"]);
}

#[test]
fn flags_say_what_is_replaced() {
    let lab = Lab::load(
        "
        services:
          db: {image: busybox, network_mode: none}
          web: {image: busybox, command: old, network_mode: none, depends_on: [db]}
        ",
    );
    let before = lab.up().observed();
    let created = |lab: &Lab| {
        let all = lab.up_from(&before).operations();
        all.into_iter().filter_map(|o| o.strip_prefix("create ").map(str::to_owned)).collect::<Vec<_>>().join(" ")
    };
    let web = lab.edit("old", "new").options(|o| o.up.services = vec![service("web")]);
    assert_eq!(created(&web), "web.1");
    assert_eq!(created(&web.options(|o| o.up.recreate = Recreate::Never)), "");
    assert_eq!(created(&web.options(|o| o.up.recreate = Recreate::Always)), "web.1");
    assert_eq!(created(&web.options(|o| o.up.always_recreate_deps = true)), "db.1 web.1");
    assert_eq!(created(&lab.options(|o| o.up.recreate = Recreate::Always)), "db.1 web.1");
}

#[test]
fn waiting_ends_with_every_service_healthy_or_running() {
    let lab = Lab::load(
        "
        services:
          job: {image: busybox, network_mode: none}
          db: {image: busybox, network_mode: none, healthcheck: {test: [CMD, 'true']}}
          web: {image: busybox, network_mode: none, depends_on: {job: {condition: service_completed_successfully}}}
        ",
    )
    .options(|o| o.up.wait = true);
    let planned = lab.up();
    let waits = planned.operations().into_iter().filter(|o| o.starts_with("await")).collect::<Vec<_>>();
    assert_eq!(waits, ["await job completed", "await db healthy", "await web running"]);
    assert_eq!(lab.up_from(&planned.observed()).operations(), ["start job.1", "await job completed"]);
}

#[test]
fn a_volume_without_a_name_goes_on_in_the_next_container() {
    let lab = Lab::load("services: {db: {image: with-volume, network_mode: none, command: old, volumes: [/anon]}}");
    let before = lab.up().observed();
    let paths = |o: &crate::state::observed::Observed| o.containers[0].volumes.clone();
    assert_eq!(paths(&before).keys().collect::<Vec<_>>(), ["/anon", "/image"]);
    let next = lab.edit("old", "new");
    assert_eq!(paths(&next.up_from(&before).observed()), paths(&before));
    let renewed = next.options(|o| o.up.renew_anonymous_volumes = true);
    assert_ne!(paths(&renewed.up_from(&before).observed()), paths(&before));
}

#[test]
fn a_volume_that_differs_is_kept_and_said() {
    let lab =
        Lab::load("services: {db: {image: busybox, volumes: ['data:/d']}}\nvolumes: {data: {driver_opts: {a: x}}}");
    let planned = lab.edit("a: x", "a: y").up_from(&lab.up().observed());
    assert!(planned.plan.is_empty());
    let message = &planned.findings.iter().next().unwrap().message;
    assert_eq!(message, "volume data differs and is kept: driver_opts.a (x, declared y)");
}

#[test]
fn hooks_run_after_the_start_and_before_the_stop_in_their_place() {
    let lab = Lab::load(
        "services:
          db: {image: busybox, command: old, network_mode: none, post_start: [{command: [a]}, {command: [b]}], pre_stop: [{command: [c]}]}
          web: {image: busybox, network_mode: none, depends_on: [db]}",
    );
    let first = lab.up();
    assert_plan(
        &first,
        "
        1              create db.1               missing
        2  after 1     start db.1
        3              create web.1              missing
        4  after 2     run post_start 1 in db.1
        5  after 4     run post_start 2 in db.1
        6  after 3, 5  start web.1
        ",
    );
    let next = lab.edit("old", "new").up_from(&first.observed());
    let operations = next.operations();
    let place =
        |what: &str| operations.iter().position(|o| o == what).unwrap_or_else(|| panic!("{what}\n{}", next.plan));
    assert!(place("create db.1") < place("run pre_stop 1 in db.1"), "{}", next.plan);
    assert!(place("run pre_stop 1 in db.1") < place("stop db.1"), "{}", next.plan);
    let down = lab.down_from(&first.observed());
    assert!(down.operations().contains(&"run pre_stop 1 in db.1".to_owned()), "{}", down.plan);
    assert!(!lab.down_without_file(&first.observed()).plan.to_string().contains("pre_stop"));
}

/// A network whose host has a link of its own on the wire.
const HOST_ACCESS: &str = "services: {web: {image: busybox, networks: {lan: {ipv4_address: 10.0.0.2}}}}\n\
    networks: {lan: {ipam: {config: [{subnet: 10.0.0.0/24}]}}}\n\
    x-trunks: {up: {parent: eth0, host_access: 10.0.0.9, vlans: {lan: native}}}";

#[test]
fn the_hosts_own_link_comes_after_its_network_and_goes_before_it() {
    let lab = Lab::load(HOST_ACCESS);
    let up = lab.up();
    assert_eq!(up.operations(), ["create network lan", "make the host's link on lan", "create web.1", "start web.1"]);
    let seen = up.observed();
    let shim = seen.shims[0].name.clone();
    let moved = lab.edit("host_access: 10.0.0.9", "host_access: 10.0.0.8").up_from(&seen).operations();
    let place =
        |words: &str| moved.iter().position(|line| line == words).unwrap_or_else(|| panic!("{words}: {moved:?}"));
    let gone = place(&format!("remove the host's link {shim}"));
    assert!(gone < place("remove network lan") && place("remove network lan") < place("create network lan"));
    assert!(place("create network lan") < place("make the host's link on lan"));
    let without = lab.edit("host_access: 10.0.0.9, ", "").up_from(&seen);
    assert!(without.observed().shims.is_empty());
    for down in [lab.down_from(&seen), lab.down_without_file(&seen)] {
        let words = down.operations();
        let place = |text: &str| words.iter().position(|line| line.starts_with(text)).unwrap();
        assert!(place("remove the host's link") < place("remove network"), "{words:?}");
    }
}

#[test]
fn a_kill_leaves_nothing_of_the_hosts_link_that_the_next_plan_does_not_clear() {
    let lab = Lab::load(HOST_ACCESS);
    let (first, other) = (lab.up(), lab.edit("host_access: 10.0.0.9", "host_access: 10.0.0.8"));
    let changed = other.up_from(&first.observed());
    let kills = (0..=changed.plan.len())
        .map(|count| changed.after(count))
        .chain((0..=first.plan.len()).map(|count| first.after(count)));
    for seen in kills {
        let mended = lab.up_from(&seen).observed();
        assert_eq!(lab.up_from(&mended).operations(), Vec::<String>::new());
        assert_eq!(mended.shims.len(), 1);
        assert!(lab.down_from(&seen).observed().shims.is_empty());
    }
    // half made, with nothing on it; or its network is gone
    let mut half = first.observed();
    half.shims[0].addresses.clear();
    half.shims[0].label.clear();
    assert_eq!(lab.up_from(&half).operations().len(), 2);
    half.networks.clear();
    half.containers.clear();
    assert!(lab.down_from(&half).observed().shims.is_empty());
}

/// Two networks within one outer tag, the links of which are ours.
const WITHIN: &str = "services: {web: {image: busybox, networks: [blue, green]}}\n\
    networks: {blue: {ipam: {config: [{subnet: 10.0.0.0/24}]}}, green: {ipam: {config: [{subnet: 10.0.1.0/24}]}}}\n\
    x-trunks: {up: {parent: eth0, vlans: {blue: {id: 10, within: 100}, green: {id: 20, within: 100}}}}";

/// Where a line of a plan stands.
fn place(lines: &[String], words: &str) -> usize {
    lines.iter().position(|line| line == words).unwrap_or_else(|| panic!("{words}: {lines:?}"))
}

#[test]
fn vlan_links_of_our_own_come_before_their_networks_and_go_after_them() {
    let lab = Lab::load(WITHIN);
    let up = lab.up();
    let made = up.operations();
    let (outer, inner) =
        (place(&made, "make the VLAN link eth0-ad100"), place(&made, "make the VLAN link eth0-ad100-10"));
    assert!(outer < inner && inner < place(&made, "create network blue"), "{made:?}");
    assert_eq!(
        made.iter().filter(|line| line.contains("VLAN link")).count(),
        3,
        "the outer one is made once: {made:?}"
    );
    let seen = up.observed();
    assert_eq!(lab.up_from(&seen).operations(), Vec::<String>::new());
    for down in [lab.down_from(&seen), lab.down_without_file(&seen)] {
        let gone = down.operations();
        let (inner, outer) =
            (place(&gone, "remove the VLAN link eth0-ad100-20"), place(&gone, "remove the VLAN link eth0-ad100"));
        assert!(place(&gone, "remove network green") < inner && inner < outer, "{gone:?}");
        assert!(down.observed().vlans.is_empty());
    }
}

#[test]
fn a_vlan_link_that_changes_takes_its_networks_along_and_no_others() {
    let lab = Lab::load(WITHIN);
    let seen = lab.up().observed();
    let moved = lab.edit("blue: {id: 10,", "blue: {id: 11,").up_from(&seen);
    let lines = moved.operations();
    let gone = place(&lines, "remove the VLAN link eth0-ad100-10");
    assert!(place(&lines, "remove network blue") < gone && gone < place(&lines, "make the VLAN link eth0-ad100-11"));
    assert!(!lines.iter().any(|line| line.contains("green") || line.ends_with("eth0-ad100")), "{lines:?}");
    assert_eq!(moved.observed().vlans.len(), 3);
    // the same VLAN under another name: the kernel has room for one
    let named = lab.edit("blue: {id: 10,", "blue: {id: 10, name: blue0,").up_from(&seen).operations();
    assert!(place(&named, "remove the VLAN link eth0-ad100-10") < place(&named, "make the VLAN link blue0"));
    // somebody has set another MTU, or taken the link away
    let short = lab.edit("blue: {id: 10,", "blue: {id: 10, mtu: 1400,");
    let mut meddled = short.up_from(&seen).observed();
    meddled.vlans.iter_mut().find(|vlan| vlan.name == "eth0-ad100-10").unwrap().mtu = 1300;
    let mended = short.up_from(&meddled);
    assert!(mended.plan.to_string().contains("eth0-ad100-10.mtu (1300, declared 1400)"), "{}", mended.plan);
    meddled.vlans.clear();
    assert_eq!(short.up_from(&meddled).observed().vlans.len(), 3);
}

#[test]
fn vlan_links_of_others_are_taken_as_they_are_and_left() {
    let lab = Lab::load(WITHIN);
    let mut seen = lab.up().observed();
    seen.vlans.iter_mut().for_each(|vlan| vlan.label.clear());
    let mut before = seen.clone();
    before.networks.clear();
    before.containers.clear();
    assert!(!lab.up_from(&before).operations().iter().any(|line| line.contains("VLAN link")));
    assert_eq!(lab.down_from(&seen).observed().vlans.len(), 3);
}

#[test]
fn the_last_network_on_a_vlan_link_takes_it_away_whoever_made_it() {
    let lab = Lab::load(WITHIN);
    let mut seen = lab.up().observed();
    // another project's network on one of the links: that one and the one below it stay
    let mut other = seen.networks.iter().find(|network| network.name.ends_with("blue")).unwrap().clone();
    other.labels.insert("com.docker.compose.project".to_owned(), "other".to_owned());
    (other.name, other.id) = ("other_blue".to_owned(), Some(crate::name::NetworkId::from_engine("feedfeedfeed")));
    seen.networks.push(other);
    let left = lab.down_from(&seen).observed();
    let names: Vec<&str> = left.vlans.iter().map(|vlan| vlan.name.as_str()).collect();
    assert_eq!(names, ["eth0-ad100", "eth0-ad100-10"]);
    // and the last one to leave takes them
    let mut theirs = lab.up().observed();
    theirs.vlans.iter_mut().for_each(|vlan| vlan.label = "bowline other/vlan".to_owned());
    assert!(lab.down_from(&theirs).observed().vlans.is_empty());
}

#[test]
fn a_kill_leaves_no_vlan_link_that_the_next_plan_does_not_clear() {
    let lab = Lab::load(WITHIN);
    let (first, other) = (lab.up(), lab.edit("within: 100}, green", "within: 101}, green"));
    let changed = other.up_from(&first.observed());
    let kills = (0..=changed.plan.len())
        .map(|count| changed.after(count))
        .chain((0..=first.plan.len()).map(|count| first.after(count)));
    for seen in kills {
        let mended = lab.up_from(&seen).observed();
        assert_eq!(lab.up_from(&mended).operations(), Vec::<String>::new());
        assert_eq!(mended.vlans.len(), 3);
        assert!(lab.down_from(&seen).observed().vlans.is_empty());
        assert!(lab.down_without_file(&seen).observed().vlans.is_empty());
    }
    // a draft, on which nothing stands written yet
    let mut half = first.observed();
    let draft = lab.up().plan.desired().vlans["eth0-ad100-10"].draft.clone();
    let mut found = half.vlans[0].clone();
    (found.name, found.label, found.id) = (draft, String::new(), 4000);
    half.vlans.push(found);
    assert_eq!(lab.up_from(&half).observed().vlans.len(), 3);
    assert!(lab.down_from(&half).observed().vlans.is_empty());
}
