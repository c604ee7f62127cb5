//! What `up` plans, on stacks that fit a few lines.

use crate::finding::Code;
use crate::name::ContainerId;
use crate::plan::Needs;
use crate::plan::images::{PushOptions, push};
use crate::plan::lab::{Lab, assert_plan, change, service};
use crate::plan::up::{Reach, Recreate};
use crate::state::desired::labels;
use crate::state::observed::{ContainerState, ObservedNetwork};

#[test]
fn a_replaced_network_restarts_what_it_stopped() {
    let lab = Lab::load("services: {web: {image: busybox, networks: [front]}}\nnetworks: {front: {internal: true}}");
    let before = lab.up().observed();
    assert_plan(
        &lab.edit("internal: true", "internal: false").up_from(&before),
        "
        1           stop web.1              network front differs: internal (true, declared false)
        2  after 1  disconnect web.1 front
        3  after 2  remove network front
        4  after 3  create network front
        5  after 4  connect web.1 front
        6  after 5  start web.1             stopped by 1
        ",
    );
}

/// Connecting gives no MAC, creating does: measured on Engine 20.10.24 and 28.5.2.
#[test]
fn a_container_with_a_mac_is_replaced_with_its_network() {
    let text = "services: {web: {image: busybox, networks: {front: {mac_address: '02:42:0a:00:00:05'}}}}
networks: {front: {internal: true}}";
    let lab = Lab::load(text);
    let before = lab.up().observed();
    assert_plan(
        &lab.edit("internal: true", "internal: false").up_from(&before),
        "
        1           stop old web.1              network front differs: internal (true, declared false)
        2  after 1  disconnect old web.1 front
        3  after 2  remove network front
        4  after 3  create network front
        5  after 4  create web.1
        6  after 5  remove old web.1
        7  after 6  rename web.1 test-web-1
        8  after 7  start web.1
        ",
    );
}

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
fn a_lost_alias_is_mended_without_a_new_container() {
    let lab =
        Lab::load("services: {web: {image: busybox, networks: {front: {aliases: [shop]}}}}\nnetworks: {front: {}}");
    let mut observed = lab.up().observed();
    change(&mut observed, "web.1", |c| _ = c.endpoints[0].settings.aliases.remove("shop"));
    assert_plan(
        &lab.up_from(&observed),
        "
        1           disconnect web.1 front  differs: networks.front.aliases (test-web-1 web, declared shop test-web-1 web)
        2  after 1  connect web.1 front
        ",
    );
}

#[test]
fn a_lost_network_is_connected_again() {
    let lab = Lab::load("services: {web: {image: busybox, networks: [a, b]}}\nnetworks: {a: {}, b: {}}");
    let mut observed = lab.up().observed();
    change(&mut observed, "web.1", |c| _ = c.endpoints.shift_remove("test_b"));
    assert_plan(
        &lab.up_from(&observed),
        "1    connect web.1 b  differs: networks.b (not connected, declared connected)",
    );
}

#[test]
fn an_older_engine_connects_each_further_network_before_the_start() {
    let lab = Lab::load("services: {web: {image: busybox, networks: [a, b, c]}}\nnetworks: {a: {}, b: {}, c: {}}");
    assert_plan(
        &lab.api(1, 41).up(),
        "
        1              create network a  missing
        2              create network b  missing
        3              create network c  missing
        4  after 1     create web.1
        5  after 2, 4  connect web.1 b
        6  after 3, 5  connect web.1 c
        7  after 6     start web.1
        ",
    );
}

#[test]
fn who_lives_in_a_replaced_namespace_is_replaced_after_it() {
    let lab = Lab::load(
        "
        services:
          side: {image: busybox, network_mode: 'service:web'}
          web: {image: busybox, command: old, network_mode: none}
        ",
    );
    let planned = lab.edit("command: old", "command: new").up_from(&lab.up().observed());
    assert_plan(
        &planned,
        "
         1              create web.1         differs: command (old, declared new)
         2  after 1     create side.1        lives in the network of web
         3  after 2     stop old side.1
         4  after 3     stop old web.1       differs: command (old, declared new)
         5  after 4     remove old web.1
         6  after 5     rename web.1 test-web-1
         7  after 6     start web.1
         8  after 3     remove old side.1
         9  after 8     rename side.1 test-side-1
        10  after 7, 9  start side.1
        ",
    );
    assert!(lab.edit("command: old", "command: new").up_from(&planned.observed()).plan.is_empty());
}

#[test]
fn who_links_to_a_replaced_container_of_the_default_bridge_is_replaced_too() {
    let lab = Lab::load(
        "
        services:
          web: {image: busybox, command: old, network_mode: bridge}
          cli: {image: busybox, network_mode: bridge, links: ['web:shop']}
        ",
    );
    let before = lab.up().observed();
    assert_eq!(before.containers[0].legacy_links.len(), 3);
    let planned = lab.edit("command: old", "command: new").up_from(&before);
    let cause = planned.plan.steps().find(|(_, s)| s.operation.to_string() == "create cli.1").unwrap().1.cause.clone();
    assert_eq!(cause.to_string(), "depends on web");
    assert!(lab.edit("command: old", "command: new").up_from(&planned.observed()).plan.is_empty());
}

#[test]
fn a_container_that_was_taken_off_the_default_bridge_is_replaced() {
    let lab = Lab::load("services: {web: {image: busybox, network_mode: bridge}}");
    let mut observed = lab.up().observed();
    let bridge = ObservedNetwork { name: "bridge".to_owned(), driver: "bridge".to_owned(), ..Default::default() };
    observed.networks.push(bridge);
    assert!(lab.up_from(&observed).plan.is_empty());
    observed.containers[0].endpoints.clear();
    let planned = lab.up_from(&observed);
    let cause = planned.plan.steps().find(|(_, s)| s.operation.to_string() == "create web.1").unwrap().1.cause.clone();
    assert_eq!(cause.to_string(), "differs: network_mode (bridge, not connected, declared bridge)");
    assert!(lab.up_from(&planned.observed()).plan.is_empty());
}

#[test]
fn who_is_to_restart_with_a_dependency_stops_before_it_and_starts_after_it() {
    let lab = Lab::load(
        "
        services:
          db: {image: busybox, command: old, network_mode: none}
          web: {image: busybox, network_mode: none, depends_on: {db: {condition: service_started, restart: true}}}
          other: {image: busybox, network_mode: none, depends_on: [db]}
        ",
    );
    assert_plan(
        &lab.edit("command: old", "command: new").up_from(&lab.up().observed()),
        "
        1           create db.1            differs: command (old, declared new)
        2  after 1  stop web.1             depends on db
        3  after 2  stop old db.1          differs: command (old, declared new)
        4  after 3  remove old db.1
        5  after 4  rename db.1 test-db-1
        6  after 5  start db.1
        7  after 6  start web.1            stopped by 2
        ",
    );
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
    assert_eq!(planned.plan.desired().containers[0].settings.labels.get(labels::IMAGE), None);
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
fn an_external_network_is_used_and_never_made_or_changed() {
    let lab =
        Lab::load("services: {web: {image: busybox, networks: [out]}}\nnetworks: {out: {external: true, name: lan}}");
    assert_eq!(lab.up().operations(), ["create web.1", "start web.1"]);
}

#[test]
fn networks_that_swap_their_subnets_are_made_when_both_are_gone() {
    let text = "
        services: {web: {image: busybox, networks: [a, b]}}
        networks:
          a: {ipam: {config: [{subnet: 10.1.0.0/24}]}}
          b: {ipam: {config: [{subnet: 10.2.0.0/24}]}}
        ";
    let before = Lab::load(text).up().observed();
    let swapped = text.replace("10.1.", "10.9.").replace("10.2.", "10.1.").replace("10.9.", "10.2.");
    assert_plan(
        &Lab::load(&swapped).up_from(&before),
        "
        1              stop web.1          network a differs: ipam.config.subnet (10.1.0.0/24, declared 10.2.0.0/24)
        2  after 1     disconnect web.1 a
        3  after 2     remove network a
        4  after 2     disconnect web.1 b  network b differs: ipam.config.subnet (10.2.0.0/24, declared 10.1.0.0/24)
        5  after 4     remove network b
        6  after 3, 5  create network a
        7  after 3, 5  create network b
        8  after 6     connect web.1 a
        9  after 7, 8  connect web.1 b
       10  after 9     start web.1         stopped by 1
        ",
    );
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

#[test]
fn who_shares_with_a_service_without_a_container_is_told_the_way_out_and_nothing_is_planned() {
    for share in ["network_mode: 'service:db'", "ipc: 'service:db'", "pid: 'service:db'", "volumes_from: [db]"] {
        let text = format!("services: {{db: {{image: busybox, scale: 0}}, web: {{image: busybox, {share}}}}}");
        let planned = Lab::load(&text).up();
        assert!(planned.plan.is_empty(), "{share}\n{}", planned.plan);
        let finding = planned.findings.iter().next().unwrap();
        assert_eq!(finding.code, Code::LenderMissing);
        assert!(finding.at.is_some() && finding.help.as_ref().unwrap().contains("--scale db=1"), "{finding:?}");

        let lab = Lab::load(&text.replace(", scale: 0", ""));
        let alone = lab.options(|o| (o.up.services, o.up.reach) = (vec![service("web")], Reach::Named));
        let planned = alone.up();
        assert!(planned.findings.iter().next().unwrap().help.as_ref().unwrap().contains("--no-deps"));
        assert!(alone.up_from(&lab.up().observed()).findings.is_empty(), "who is there is shared with");
        let gone = lab.options(|o| _ = o.with.scale.insert(service("db"), 0)).up_from(&lab.up().observed());
        assert!(gone.plan.is_empty() && gone.findings.has_errors(), "{share}\n{}", gone.plan);
    }
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
fn who_starts_first_runs_and_is_healthy_before_the_other_stops() {
    let lab = Lab::load(
        "
        services:
          web:
            image: busybox
            command: old
            networks: [front]
            healthcheck: {test: [CMD, 'true']}
            deploy: {update_config: {order: start-first}}
        networks: {front: {}}
        ",
    );
    let before = lab.up().observed();
    assert_plan(
        &lab.edit("old", "new").up_from(&before),
        "
        1              create web.1         differs: command (old, declared new)
        2  after 1     start web.1
        3  after 2     await web healthy    asked for: deploy.update_config
        4  after 3     stop old web.1       differs: command (old, declared new)
        5  after 4     remove old web.1
        6  after 5     rename web.1 test-web-1
        ",
    );
}

#[test]
fn what_only_one_can_have_forbids_to_start_first_and_is_told() {
    for (only, why) in [
        ("networks: [front], ports: ['8080:80']", "host port 8080 goes to one container"),
        ("networks: [front], container_name: only", "`only` is the name of one container"),
        ("networks: {front: {ipv4_address: 10.3.0.9}}", "10.3.0.9 on front is the address of one container"),
        (
            "networks: {front: {mac_address: '02:42:0a:00:00:01'}}",
            "02:42:0a:00:00:01 on front is the MAC of one container",
        ),
        ("network_mode: host", "it is in the host's network namespace"),
    ] {
        let lab = Lab::load(&format!(
            "services: {{web: {{image: busybox, command: old, {only}, deploy: {{update_config: {{order: start-first}}}}}}}}
networks: {{front: {{ipam: {{config: [{{subnet: 10.3.0.0/24}}]}}}}}}"
        ));
        let planned = lab.edit("old", "new").up_from(&lab.up().observed());
        assert!(planned.plan.to_string().contains(&format!("not start-first: {why}")), "{}", planned.plan);
        let operations = planned.operations();
        let place = |what: &str| operations.iter().position(|o| o == what).unwrap();
        assert!(place("stop web.1") < place("start web.1"), "{}", planned.plan);
    }
}

#[test]
fn what_may_have_to_come_back_is_kept_until_the_next_one_holds() {
    let lab = Lab::load(
        "
        services:
          web: {image: busybox, command: old, network_mode: none, deploy: {update_config: {failure_action: rollback}}}
        ",
    );
    assert_plan(
        &lab.edit("old", "new").up_from(&lab.up().observed()),
        "
        1              create web.1       differs: command (old, declared new)
        2  after 1     stop old web.1
        3  after 2     start web.1
        4  after 3     await web running  asked for: deploy.update_config
        5  after 4     remove old web.1   differs: command (old, declared new)
        6  after 5     rename web.1 test-web-1
        ",
    );
}

#[test]
fn an_image_that_is_too_old_or_for_another_platform_is_pulled() {
    let lab = Lab::load(
        "
        services:
          day: {image: far/day, network_mode: none, pull_policy: daily}
          week: {image: far/week, network_mode: none, pull_policy: weekly}
          arm: {image: far/arm, network_mode: none, platform: linux/arm64}
          amd: {image: far/amd, network_mode: none, platform: linux/amd64/v2}
        ",
    );
    let mut engine = lab.engine();
    let two_days = std::time::Duration::from_secs(2 * 86_400);
    engine.images.values_mut().flatten().for_each(|image| image.age = Some(two_days));
    let planned = lab.up_from(&engine);
    let pulls: Vec<_> = planned.operations().into_iter().filter(|o| o.starts_with("pull")).collect();
    assert_eq!(pulls, ["pull far/day", "pull far/arm for linux/arm64"]);
    assert!(planned.plan.to_string().contains("asked for: pull_policy: daily"), "{}", planned.plan);
    let missing = lab.options(|o| o.up.pull = Some("missing".to_owned())).up_from(&engine);
    assert!(!missing.operations().contains(&"pull far/day".to_owned()), "a flag goes before the file");
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
