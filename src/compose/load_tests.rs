use super::*;
use crate::compose::model::{Condition, MountSource, NetworkMode, Restart};

/// The project of a text that has nothing wrong with it.
fn project(text: &str) -> Project {
    let loaded = load_text("compose.yaml", text);
    let findings: Vec<String> = loaded.findings.iter().map(|f| format!("{}: {}", f.code, f.message)).collect();
    loaded.project.unwrap_or_else(|| panic!("{findings:#?}"))
}

#[test]
fn a_simple_stack_becomes_a_project() {
    let project = project(
        "services:
  web:
    image: busybox
    command: httpd -f -p 80
    ports: ['127.0.0.1:8080:80', 9000-9001/udp]
    environment: [A=1, B=]
    networks: {front: {ipv4_address: 172.30.0.5, aliases: [www]}}
    volumes: ['data:/data:ro', ./src:/src]
    restart: on-failure:3
    depends_on: {db: {condition: service_healthy}}
  db: {image: postgres, healthcheck: {test: pg_isready, interval: 1s}, network_mode: host, scale: 2}
networks: {front: {ipam: {config: [{subnet: 172.30.0.0/24}]}}}
volumes: {data: {}}
",
    );
    let web = &project.services["web"];
    assert_eq!(web.command.as_deref(), Some(&["httpd", "-f", "-p", "80"].map(str::to_owned)[..]));
    assert_eq!(web.ports.len(), 3);
    assert_eq!(web.ports[0].published, Some((8080, 8080)));
    assert_eq!(web.environment["B"].as_deref(), Some(""));
    assert_eq!(web.networks["front"].ipv4_address.as_ref().map(|ip| ip.to_string()).as_deref(), Some("172.30.0.5"));
    assert_eq!(web.restart.as_deref(), Some(&Restart::OnFailure(Some(3))));
    assert_eq!(web.depends_on["db"].condition, Condition::Healthy);
    assert!(web.mounts[0].read_only && matches!(web.mounts[0].source, MountSource::Volume { .. }));
    let MountSource::Bind(bind) = &web.mounts[1].source else { panic!("{:?}", web.mounts[1]) };
    assert_eq!(bind.source, Path::new("/test/src"));
    let db = &project.services["db"];
    assert_eq!((db.network_mode.as_deref(), db.scale.value), (Some(&NetworkMode::Host), 2));
    assert_eq!(project.networks["front"].name, "test_front");
    assert_eq!(project.volumes["data"].name, "test_data");
}

#[test]
fn a_service_that_names_no_network_joins_the_default_one() {
    let project = project("services: {a: {image: x}, b: {image: y, networks: [default]}}");
    assert!(project.services["a"].networks.contains_key("default"));
    assert_eq!(project.networks["default"].name, "test_default");
}

#[test]
fn everything_that_is_wrong_is_found_at_once() {
    let text = "services: {a: {image: 5, prots: [80]}, b: {image: y, networks: [nope], tty: maybe}}\nvolmes: {}\n";
    let loaded = load_text("compose.yaml", text);
    let found: Vec<String> = loaded.findings.iter().map(|f| f.message.clone()).collect();
    assert!(loaded.project.is_none());
    for part in ["services.a.image", "`prots`", "`nope`", "`maybe`", "`volmes`"] {
        assert!(found.iter().any(|f| f.contains(part)), "{part}: {found:#?}");
    }
}
