use std::time::Duration;

use super::*;
use crate::compose::load_text;
use crate::report::verification::{Outcome, Report};
use crate::verify::check::{Basis, Check, Expectation, Verdict};
use crate::verify::fixture;
use crate::verify::gather::{Proof, Settled};
use crate::verify::matrix::Matrix;
use crate::verify::topology::Topology;

fn drawing(text: &str) -> Drawing {
    let loaded = load_text("compose.yaml", text);
    Drawing::of(&loaded.project.unwrap_or_else(|| panic!("{:#?}", loaded.findings)))
}

const SHOP: &str = "name: shop
services:
  web:
    image: busybox
    ports: ['127.0.0.1:8080:80', '53/udp']
    networks: {front: {ipv4_address: 172.30.0.5, aliases: [www]}}
    depends_on: {db: {condition: service_healthy}}
  db: {image: 'postgres:16', networks: [front], healthcheck: {test: pg_isready}}
  probe: {image: busybox, network_mode: host}
networks: {front: {internal: false, ipam: {config: [{subnet: 172.30.0.0/24}]}}}
";

#[test]
fn a_stack_is_drawn_with_addresses_ports_and_waits() {
    assert_eq!(
        dot(&drawing(SHOP)),
        r#"digraph "shop" {
  rankdir=LR; node [fontname="sans-serif"]; edge [fontname="sans-serif", fontsize=10];
  n_front [shape=ellipse, label="front\nbridge\n172.30.0.0/24"];
  s_web [shape=box, style=rounded, label="web\nbusybox"];
  s_db [shape=box, style=rounded, label="db\npostgres:16"];
  s_probe [shape=box, style=rounded, label="probe\nbusybox"];
  x_the_20_host_27_s_20_ports [shape=box, style=dashed, label="the host's ports"];
  x_the_20_host_27_s_20_network [shape=box, style=dashed, label="the host's network"];
  s_web -> n_front [dir=none, label="172.30.0.5\nas www"];
  x_the_20_host_27_s_20_ports -> s_web [style=bold, label="127.0.0.1:8080 → 80\nany → 53/udp"];
  s_web -> s_db [style=dashed, constraint=false, label="after it is healthy"];
  s_db -> n_front [dir=none];
  s_probe -> x_the_20_host_27_s_20_network [dir=none, label="shares"];
}
"#
    );
}

#[test]
fn mermaid_draws_the_same_and_escapes_what_has_a_meaning() {
    let text = mermaid(&drawing(SHOP));
    assert!(text.starts_with("---\ntitle: shop\n---\nflowchart LR\n"), "{text}");
    assert!(text.contains("  s_web(\"web<br/>busybox\")\n"), "{text}");
    assert!(text.contains("  s_web -.->|\"after it is healthy\"| s_db\n"), "{text}");
    let odd = mermaid(&drawing("services: {a: {image: 'x', networks: {n: {aliases: ['<b>\"']}}}}\nnetworks: {n: {}}"));
    assert!(odd.contains("as #lt;b#gt;#quot;"), "{odd}");
}

#[test]
fn names_that_differ_only_in_signs_are_two_boxes() {
    let drawing = drawing("services: {a-b: {image: x}, a_b: {image: x}, a.b: {image: x}}");
    let ids: std::collections::BTreeSet<_> = drawing.nodes.iter().map(|node| &node.id).collect();
    assert_eq!(ids.len(), drawing.nodes.len());
}

#[test]
fn a_parent_stands_beside_its_network() {
    let text = "services: {a: {image: x, networks: [lan]}}
networks: {lan: {driver: macvlan, driver_opts: {parent: eth0.10}}}";
    let drawn = dot(&drawing(text));
    assert!(drawn.contains("n_lan -> x_link_20_eth0_2e_10 [dir=none];"), "{drawn}");
    assert!(drawn.contains("x_link_20_eth0_2e_10 -> x_link_20_eth0 [dir=none, label=\"VLAN 10\"];"), "{drawn}");
}

/// A verification of `web` that came to this.
fn report(verdicts: Vec<(&str, Verdict)>) -> Report {
    let loaded = fixture::load(TWO);
    let matrix = Matrix::of(&Topology::of(loaded.project.as_ref().unwrap()));
    let check = |id: &str| {
        let (service, basis) = ("web".parse().ok(), Basis::Attribute(String::new()));
        let expectation = Expectation::Undeclared { why: String::new() };
        Check { id: id.to_owned(), service, says: String::new(), basis, span: None, expectation }
    };
    let settled = |(id, verdict)| Settled { check: check(id), verdict, after: Duration::ZERO };
    let proof = Proof {
        verdicts: verdicts.into_iter().map(settled).collect(),
        ways: Default::default(),
        engine: String::new(),
        containers: 2,
        took: Duration::ZERO,
        leftovers: vec![],
    };
    Report::of("p", proof, &matrix, &loaded.files)
}

const TWO: &str = "services:
  web: {image: x, scale: 2, networks: [n], depends_on: [db]}
  db: {image: x, networks: [n]}
  many: {image: x, scale: 7, networks: [n]}
networks: {n: {}}";

#[test]
fn each_container_has_a_box_unless_there_are_too_many() {
    let drawn = dot(&drawing(TWO));
    for line in ["s_web_23_1 -> n_n", "s_web_23_2 -> n_n", "s_web_23_1 -> s_db", "label=\"web#2\\nx\"", "many × 7"] {
        assert!(drawn.contains(line), "{line}: {drawn}");
    }
    assert!(!drawn.contains("s_web_23_2 -> s_db"), "who waits for whom is drawn once: {drawn}");
}

#[test]
fn a_verified_drawing_shows_which_container_it_is_and_the_addresses_that_were_seen() {
    let mut drawing = drawing(TWO);
    drawing.verify(&report(vec![
        ("address/web#1@n", Verdict::Proved(vec!["eth0 has 10.0.0.2/24, fd00::2/64".to_owned()])),
        ("address/web#2@n", Verdict::refuted("10.0.0.3/24", "eth0 has 10.0.0.9/24")),
    ]));
    let node = |name: &str| drawing.nodes.iter().find(|node| node.lines[0] == name).unwrap().verdict;
    assert_eq!((node("web#1"), node("web#2"), node("db")), (Some(Outcome::Proved), Some(Outcome::Refuted), None));
    let edge = |from: &str| drawing.edges.iter().find(|edge| edge.from == from && edge.to == "n_n").unwrap();
    assert_eq!(edge("s_web_23_1").lines, ["10.0.0.2", "fd00::2"]);
    assert!(edge("s_web_23_2").lines.is_empty(), "what is refuted is not drawn as if it were so");
}

#[test]
fn a_picture_shows_names_addresses_and_verdicts_and_nothing_of_a_name_is_markup() {
    let mut shop = drawing(SHOP);
    shop.edges[0].verdict = Some(Outcome::Refuted);
    let picture = svg(&shop).unwrap();
    for text in
        ["<svg ", "role=\"img\"", ">web</text>", "✗ 172.30.0.5</text>", "class=\"wire r\"", "127.0.0.1:8080 → 80"]
    {
        assert!(picture.contains(text), "{text}: {picture}");
    }
    for foreign in ["http://", "https://", "url(", "@import"] {
        assert!(!picture.replace("http://www.w3.org/2000/svg", "").contains(foreign), "{foreign}: {picture}");
    }
    let odd =
        drawing("services: {a: {image: 'x', networks: {n: {aliases: ['</text><script>\"']}}}}\nnetworks: {n: {}}");
    let picture = svg(&odd).unwrap();
    assert!(picture.contains("as &lt;/text&gt;&lt;script&gt;&quot;") && !picture.contains("<script"), "{picture}");
}

#[test]
fn two_lines_between_two_boxes_and_circles_are_drawn() {
    let text = "services: {a: {image: x, network_mode: bridge, links: ['b:c', 'b:d'], depends_on: {b: {condition: service_healthy}}},
b: {image: x, network_mode: bridge, healthcheck: {test: 'true'}}}";
    let picture = svg(&drawing(text)).unwrap();
    for label in ["link c", "link d", "after it is healthy"] {
        assert!(picture.contains(&format!(">{label}</text>")), "{label}: {picture}");
    }
}
