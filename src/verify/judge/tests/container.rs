use super::*;
use crate::probe::{Confines, Failure, Limit, Mount, Rights};
use crate::verify::facet::Facet;
use crate::verify::scene::Content;

const STACK: &str = "
services:
  a:
    image: x
    environment: {MODE: fast, KEY: hush}
    user: '1000:1000'
    mem_limit: 64m
    pids_limit: 50
    cpus: 0.5
    healthcheck: {interval: 5s}
    volumes: ['data:/data', '/srv/key:/key:ro']
    configs: [{source: app, target: /app.conf}]
    secrets: [{source: pin, uid: '1'}]
volumes: {data: }
configs: {app: {content: hello}}
secrets: {pin: {file: ./pin}}
";

/// The container as it is when nobody has touched it.
fn world() -> World {
    made_of(STACK)
}

fn made_of(text: &str) -> World {
    let mut world = World::new(text, &[]);
    let settings = world.desired.containers[&replica("a")].settings.clone();
    world.container("a").settings = settings;
    world
}

fn mount(target: &str, root: &str, read_only: bool) -> Mount {
    let (kind, source) = ("ext4".to_owned(), "/dev/vda".to_owned());
    Mount { target: target.to_owned(), root: root.to_owned(), kind, source, read_only }
}

/// What the kernel shows of it.
fn confines() -> Confines {
    let limit = |name: &str, value: &str| Limit { name: name.to_owned(), value: value.to_owned() };
    Confines {
        pid: 100,
        user: 1000,
        group: 1000,
        mounts: vec![mount("/data", "/lib/volumes/p_data/_data", false), mount("/key", "/srv/key", true)],
        limits: vec![
            limit("memory.limit_in_bytes", "67108864"),
            limit("pids.max", "50"),
            limit("cpu.cfs_quota_us", "50000"),
            limit("cpu.cfs_period_us", "100000"),
        ],
        rights: Rights { bounding: USUAL, effective: 0, ours: EVERY, no_new_privileges: false, filtered: Some(true) },
    }
}

/// The capabilities that an Engine gives by itself.
const USUAL: u64 = 0xa804_25fb;
/// Those of a machine.
const EVERY: u64 = 0x1ff_ffff_ffff;

fn has(facet: Facet) -> Expectation {
    Expectation::Has { replica: replica("a"), facet }
}

fn at_path(path: &str) -> Expectation {
    has(Facet::Mount(path.to_owned()))
}

/// The verdict where the kernel shows this.
fn judged(world: &World, expectation: Expectation, confines: &Confines) -> Verdict {
    world.judge(expectation, &|_, question| {
        matches!(question, Question::Confines {}).then(|| Answer::Confines(confines.clone()))
    })
}

#[test]
fn a_container_that_nobody_touched_is_proved_by_the_engine_and_by_the_kernel() {
    let mut world = world();
    world.facts.files.insert((replica("a"), "/app.conf".to_owned()), Content::Same(5));
    let said = |facet| proved(&judged(&world, has(facet), &confines()));
    assert_eq!(said(Facet::Environment), "2 variables, by the Engine's word");
    assert_eq!(said(Facet::User), "process 100 of p-a-1 runs as 1000:1000");
    assert!(said(Facet::Limits).contains("memory 67108864 in the kernel's cgroup\npids 50"), "{}", said(Facet::Limits));
    assert_eq!(said(Facet::Mount("/data".to_owned())), "/data is volume p_data");
    assert_eq!(said(Facet::Mount("/key".to_owned())), "/key is /srv/key of ext4 /dev/vda, read-only");
    assert_eq!(said(Facet::File("/app.conf".to_owned())), "/app.conf has those 5 bytes");
    said(Facet::HealthCheck);
    // a sidecar does not see it
    for facet in [Facet::User, Facet::Limits, Facet::Mount("/data".to_owned())] {
        assert!(proved(&world.judge(has(facet), &none)).contains("by the Engine's word"));
    }
}

#[test]
fn what_the_engine_tells_otherwise_is_refuted_and_no_value_of_a_variable_is_shown() {
    let mut world = world();
    let settings = &mut world.container("a").settings;
    settings.environment.insert("KEY".to_owned(), Some("loud".to_owned()));
    settings.environment.remove("MODE");
    settings.resources.memory = 128 << 20;
    settings.user = Some("0".to_owned());
    settings.mounts[0].kind = crate::state::settings::MountKind::Bind {
        source: "/elsewhere".to_owned(),
        create_host_path: true,
        propagation: None,
        selinux: None,
        recursive: None,
    };
    let said = |facet| refuted(&judged(&world, has(facet), &confines()));
    let environment = said(Facet::Environment);
    assert_eq!(environment, "KEY has another value\nMODE is not set");
    assert!(said(Facet::Limits).starts_with("mem_limit 134217728"));
    assert!(said(Facet::User).starts_with("user 0"));
    assert!(said(Facet::Mount("/data".to_owned())).contains("volumes./data /elsewhere"));
    assert!(judged(&world, at_path("/key"), &confines()).is_proved(), "the other mount is as declared");
}

#[test]
fn what_was_done_past_the_engine_is_seen_by_the_kernel() {
    let world = world();
    let with = |change: &dyn Fn(&mut Confines), expectation: Expectation| {
        let mut seen = confines();
        change(&mut seen);
        refuted(&judged(&world, expectation, &seen))
    };
    let limits = || has(Facet::Limits);
    let limit = |at: usize, value: &'static str| move |c: &mut Confines| value.clone_into(&mut c.limits[at].value);
    assert!(
        with(&limit(0, "134217728"), limits())
            .starts_with("memory 134217728 in the kernel's cgroup\nthe Engine tells otherwise")
    );
    assert!(with(&limit(1, "max"), limits()).starts_with("pids no limit in the kernel's cgroup"));
    assert!(with(&limit(2, "100000"), limits()).starts_with("cpu.cfs_quota_us 100000"));
    let page = judged(&world, limits(), &{
        let mut seen = confines();
        "67104768".clone_into(&mut seen.limits[0].value);
        seen
    });
    assert!(page.is_proved(), "the kernel counts pages");
    assert!(with(&|c| c.user = 0, has(Facet::User)).contains("process 100 of p-a-1 runs as 0:1000"));
    assert!(with(&|c| _ = c.mounts.remove(0), at_path("/data")).starts_with("nothing is"));
    let over = |c: &mut Confines| c.mounts.push(Mount { kind: "tmpfs".to_owned(), ..mount("/data", "/", false) });
    assert_eq!(with(&over, at_path("/data")), "memory is mounted over it\n");
    let other = |c: &mut Confines| c.mounts[0].root = "/lib/volumes/q_data/_data".to_owned();
    assert!(with(&other, at_path("/data")).starts_with("volume q_data"));
    let deleted = |c: &mut Confines| c.mounts[1].root = "/srv/key//deleted".to_owned();
    assert!(with(&deleted, at_path("/key")).starts_with("a file that is deleted: /srv/key was replaced since"));
    assert!(with(&|c| c.mounts[1].read_only = false, at_path("/key")).contains("can be written at /key"));
}

#[test]
fn what_an_enclosing_mount_brought_along_hides_nothing() {
    let stack =
        "services: {a: {image: x, tmpfs: [/dev/shm], volumes: ['/dev:/dev', 'data:/dev/data']}}\nvolumes: {data: }";
    let mut world = World::new(stack, &[]);
    let settings = world.desired.containers[&replica("a")].settings.clone();
    world.container("a").settings = settings;
    let memory = |path| Mount { kind: "tmpfs".to_owned(), ..mount(path, "/", false) };
    let said = |path: &str, mounts: Vec<Mount>| {
        let mut seen = confines();
        seen.mounts = mounts;
        judged(&world, at_path(path), &seen)
    };
    let brought = said("/dev/shm", vec![memory("/dev"), memory("/dev/shm"), memory("/dev/shm")]);
    assert!(brought.is_proved(), "the host's lies under the declared one");
    let data = |root| mount("/dev/data", root, false);
    let volume = || data("/lib/volumes/p_data/_data");
    assert!(said("/dev/data", vec![memory("/dev"), data("/srv"), volume()]).is_proved());
    let hidden = said("/dev/data", vec![memory("/dev"), volume(), memory("/dev/data")]);
    assert_eq!(refuted(&hidden), "memory is mounted over it\n");
    let swapped = said("/dev/shm", vec![memory("/dev"), memory("/dev/shm"), mount("/dev/shm", "/srv", false)]);
    assert_eq!(refuted(&swapped), "/srv of ext4 /dev/vda is mounted over it\n");
}

#[test]
fn a_path_that_leads_over_a_link_is_found_where_it_ends() {
    let mut seen = confines();
    seen.mounts[0].target = "/var/lib/data".to_owned();
    let said = proved(&judged(&world(), at_path("/data"), &seen));
    assert!(said.contains("by way of /var/lib/data"), "{said}");
}

#[test]
fn a_limit_that_the_engine_dropped_is_no_limit() {
    let mut world = world();
    world.container("a").settings.resources.pids_limit = 0;
    // the container is what the file was made of: its label says so
    let hash = world.desired.containers[&replica("a")].config_hash(&Default::default());
    world.container("a").settings.labels.insert("com.docker.compose.config-hash".to_owned(), hash);
    let said = refuted(&judged(&world, has(Facet::Limits), &confines()));
    assert!(said.contains("pids_limit none") && said.contains("its kernel cannot keep it"), "{said}");
}

#[test]
fn a_file_that_was_copied_in_is_compared_and_who_changed_it_is_told() {
    let file = || has(Facet::File("/app.conf".to_owned()));
    let with = |content: Content| {
        let mut world = world();
        world.facts.files.insert((replica("a"), "/app.conf".to_owned()), content);
        world
    };
    let told = refuted(&with(Content::Other).judge(file(), &none));
    assert!(told.contains("/app.conf has other contents\nsomebody wrote to it in the container"), "{told}");
    let mut older = with(Content::Other);
    older.container("a").settings.labels.insert("bowline.content./app.conf".to_owned(), "0".to_owned());
    assert!(refuted(&older.judge(file(), &none)).contains("its source was changed since it was copied in"));
    assert!(refuted(&with(Content::Missing).judge(file(), &none)).contains("/app.conf is not there"));
    let untold = with(Content::Untold("busy".to_owned())).judge(file(), &none);
    assert!(open(&untold).text().contains("could not be read: busy"));
    assert!(open(&world().judge(file(), &none)).text().contains("was not read"));
    let pin = world().judge(has(Facet::File("/run/secrets/pin".to_owned())), &none);
    assert!(open(&pin).text().contains("its source cannot be read"), "{pin:?}");
}

#[test]
fn nothing_is_said_of_a_container_that_does_not_run() {
    let mut world = world();
    world.container("a").state = ContainerState::Created;
    for facet in [Facet::Environment, Facet::Limits, Facet::Mount("/data".to_owned())] {
        assert!(matches!(open(&world.judge(has(facet), &none)), Why::NotRunning(_)));
    }
    let failed =
        |_: &Vantage, _: &Question| Some(Answer::Failure(Failure { errno: None, message: "not from here".to_owned() }));
    world.container("a").state = running(1);
    assert!(world.judge(has(Facet::User), &failed).is_proved(), "the Engine's word is left");
}

/// What is said where the file says this of `a`, and the kernel shows the rights as changed.
fn allowed(says: &str, change: &dyn Fn(&mut Rights)) -> Verdict {
    let world = made_of(&format!("services: {{a: {{image: x, {says}}}}}"));
    let mut seen = confines();
    change(&mut seen.rights);
    judged(&world, has(Facet::Rights), &seen)
}

#[test]
fn what_a_container_may_do_is_read_from_the_kernel() {
    let bounding = |set: u64| move |rights: &mut Rights| rights.bounding = set;
    let said = |says: &str, set: u64| proved(&allowed(says, &bounding(set)));
    let refused = |says: &str, set: u64| refuted(&allowed(says, &bounding(set)));
    assert_eq!(said("cap_drop: [ALL]", 0), "process 100 can have no capability");
    assert_eq!(
        said("cap_drop: [all], cap_add: [CAP_NET_ADMIN]", 1 << 12),
        "process 100 can have NET_ADMIN\nit has none of them now, as user 1000"
    );
    said("cap_drop: [NET_RAW], cap_add: [NET_RAW]", USUAL);
    said("privileged: true", EVERY);
    said("cap_add: [ALL], cap_drop: [CHOWN]", EVERY & !1);
    assert!(
        refused("cap_drop: [NET_RAW]", USUAL)
            .starts_with("process 100 of p-a-1 can have NET_RAW\nthe Engine tells otherwise")
    );
    assert!(
        refused("cap_drop: [ALL], cap_add: [KILL]", USUAL)
            .contains("can have CHOWN, DAC_OVERRIDE, FOWNER, FSETID, SETGID and 8 more")
    );
    assert!(refused("cap_add: [SYS_TIME]", USUAL).contains("cannot have SYS_TIME"));
    assert!(refused("cap_add: [ALL], cap_drop: [CHOWN]", EVERY).contains("can have CHOWN"));
    assert!(refused("privileged: true", EVERY & !(1 << 21)).contains("cannot have SYS_ADMIN"));
    // a capability that the machine does not give is none that the Engine could
    let poor = |rights: &mut Rights| (rights.bounding, rights.ours) = (EVERY & !(1 << 24), EVERY & !(1 << 24));
    proved(&allowed("privileged: true", &poor));

    let sealed = |written: &str, no_new: bool| {
        allowed(&format!("security_opt: [{written}]"), &|rights| rights.no_new_privileges = no_new)
    };
    assert!(proved(&sealed("no-new-privileges:true", true)).contains("no program that it runs gives it more"));
    for written in ["no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"] {
        assert!(refuted(&sealed(written, false)).contains("may gain them"), "{written}");
    }
    proved(&sealed("no-new-privileges:false", false));
    let filter = |written: &str, filtered| {
        allowed(&format!("security_opt: ['{written}']"), &|rights| rights.filtered = filtered)
    };
    proved(&filter("seccomp=unconfined", Some(false)));
    proved(&filter("seccomp=builtin", None));
    assert!(refuted(&filter("seccomp=builtin", Some(false))).contains("has none"));
}

#[test]
fn a_root_that_can_be_written_is_no_read_only_one() {
    let world = || made_of("services: {a: {image: x, read_only: true, cap_drop: [ALL]}}");
    let with_root = |read_only| {
        let mut seen = confines();
        seen.mounts.insert(0, Mount { kind: "overlay".to_owned(), ..mount("/", "/", read_only) });
        judged(&world(), has(Facet::ReadOnly), &seen)
    };
    assert_eq!(proved(&with_root(true)), "/ is overlay, read-only");
    assert!(refuted(&with_root(false)).starts_with("/ of p-a-1 is overlay, and can be written\nthe Engine made it"));

    let mut other = world();
    let settings = &mut other.container("a").settings;
    (settings.read_only, settings.privileged) = (false, true);
    settings.cap_drop.clear();
    assert!(refuted(&judged(&other, has(Facet::ReadOnly), &confines())).starts_with("read_only false"));
    let rights = refuted(&judged(&other, has(Facet::Rights), &confines()));
    assert!(rights.contains("privileged true") && rights.contains("cap_drop"), "{rights}");
    for facet in [Facet::ReadOnly, Facet::Rights] {
        assert!(proved(&world().judge(has(facet.clone()), &none)).contains("by the Engine's word"));
        let mut ended = world();
        ended.container("a").state = ContainerState::Created;
        assert!(matches!(open(&ended.judge(has(facet), &none)), Why::NotRunning(_)));
    }
}
