//! Random stacks, drawn from the table of attributes: what holds for all of them.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use super::attributes::{Accepts, Form, Merge, Place};
use super::budget::{self, Budget};
use super::canonical::{self, Variables};
use super::merge::merge;
use super::print::{self, Dollars};
use super::{Request, cast, load_text, load_text_with};
use crate::compose::environment::Environment;
use crate::finding::Findings;
use crate::source::Files;
use crate::yaml::{self, Node, json};

/// Attributes that name files, other services, or each other: what is random there is not a stack.
const LEFT_OUT: &[&str] = &[
    "extends",
    "env_file",
    "label_file",
    "network_mode",
    "ipc",
    "pid",
    "uts",
    "cgroup",
    "links",
    "volumes_from",
    "container_name",
    "scale",
    "profiles",
    "mem_limit",
    "mem_reservation",
    "cpus",
    "pids_limit",
    "x-verify",
    "provider",
];

/// Texts that YAML would rather read as something else.
fn texts() -> BoxedStrategy<Value> {
    let odd = [
        "a",
        "b c",
        "$$x",
        "$${x}",
        "1",
        "1.0",
        "true",
        "~",
        "null",
        "x: y",
        "x #y",
        "é",
        "- a",
        "<<",
        "0x1",
        "1:30",
        "2001-12-14",
        "a\nb",
        "a\n\n b\n",
        " a",
        "a ",
        "'",
        "\"",
        "\\",
        "{}",
        "[",
        "&a",
        "*a",
        "!a",
        "@",
        "%",
        "`",
        "=",
        "|",
        "on",
        "\t",
        "\u{85}",
        "\u{feff}",
        "웹",
        "🐳",
    ];
    select(odd.map(|text| json!(text)).to_vec()).boxed()
}

fn one_of(values: &[Value]) -> BoxedStrategy<Value> {
    select(values.to_vec()).boxed()
}

/// A value for an attribute, in any of the forms that it can have.
fn value(path: &'static str, place: Place) -> BoxedStrategy<Value> {
    if let Some(known) = known(path) {
        return known;
    }
    let Some(row) = place.attribute() else { return texts() };
    if !row.words.is_empty() && !row.form.accepts().has(Accepts::LIST) {
        return one_of(&row.words.iter().map(|word| json!(word)).collect::<Vec<_>>());
    }
    match row.form {
        Form::Flag => one_of(&[json!(true), json!(false), json!("true"), json!("no")]),
        Form::StrictFlag => any::<bool>().prop_map(Value::from).boxed(),
        Form::TextOrFlag => one_of(&[json!(true), json!("mode=max")]),
        Form::Whole | Form::WholeOrMap => one_of(&[json!(0), json!(7), json!("12")]),
        Form::StrictWhole | Form::StrictNumber => (0..100i64).prop_map(Value::from).boxed(),
        Form::Number | Form::Microseconds | Form::Count => one_of(&[json!(1), json!("2")]),
        Form::Decimal => one_of(&[json!(0.5), json!("1.25"), json!(2)]),
        Form::Bytes | Form::WholeBytes => one_of(&[json!(4096), json!("64m"), json!("1gb")]),
        Form::BytesText => one_of(&[json!("64m"), json!("1gb")]),
        Form::Duration => one_of(&[json!("1m30s"), json!("500ms"), json!("2h")]),
        Form::Mode => one_of(&[json!("0440"), json!(288)]),
        Form::WholeAsText => one_of(&[json!(8080), json!("8080"), json!("8000-8010")]),
        Form::Words => prop_oneof![Just(json!("run 'two words'")), vec(texts(), 0..3).prop_map(Value::from)].boxed(),
        Form::Test => one_of(&[json!("true"), json!(["CMD", "a b"]), json!(["NONE"]), json!(["CMD-SHELL", "a && b"])]),
        Form::Texts | Form::TextsOrNumbers => distinct(texts(), 3),
        Form::OneOrMore => prop_oneof![texts(), distinct(texts(), 3)].boxed(),
        Form::Pairs | Form::Variables => prop_oneof![
            pairs(prop_oneof![texts(), one_of(&[json!(1), json!(true), json!(1.5), Value::Null])].boxed()),
            distinct(one_of(&[json!("A=b"), json!("C=d=e"), json!("E="), json!("F=$$G")]), 3),
        ]
        .boxed(),
        Form::Options | Form::Settings | Form::Texted => pairs(texts()),
        Form::Hosts => {
            one_of(&[json!(["h:10.0.0.1", "i=::1"]), json!({"h": "10.0.0.1", "j": ["10.0.0.2", "10.0.0.3"]})])
        }
        Form::List | Form::TextOrList => vec(value("", place.item()), 0..3).prop_map(Value::from).boxed(),
        form if form.accepts().has(Accepts::MAP) && place.takes_names() => pairs(value("", place.key("*"))),
        form if form.accepts().has(Accepts::MAP) => record(place),
        _ => texts(),
    }
}

/// Attributes whose values follow rules of their own.
fn known(path: &str) -> Option<BoxedStrategy<Value>> {
    let values: &[Value] = match path {
        "ports" => &[json!(["80", "8080:80/udp"]), json!([{"target": 80, "published": "8000-8010"}]), json!([90])],
        "volumes" => &[
            json!(["./a:/a:ro", "data:/d", "/anonymous"]),
            json!([{"type": "bind", "source": "./b", "target": "/b", "bind": {"propagation": "rshared"}}]),
            json!([{"type": "tmpfs", "target": "/t", "tmpfs": {"size": "64m", "mode": 511}}]),
            json!([{"type": "volume", "source": "data", "target": "/d", "volume": {"nocopy": true}}]),
        ],
        "devices" => &[json!(["/dev/a:/dev/b:r"]), json!([{"source": "/dev/a"}])],
        "depends_on" => &[json!(["other"]), json!({"other": {"condition": "service_healthy", "restart": true}})],
        "networks" => &[json!(["front"]), json!({"front": {"aliases": ["x"], "priority": 5}, "back": null}), json!({})],
        "configs" => &[json!(["c"]), json!([{"source": "c", "target": "/x", "mode": "0400"}])],
        "secrets" => &[json!(["s"]), json!([{"source": "s", "uid": "1"}])],
        "models" => &[json!(["m"]), json!({"m": {"endpoint_var": "U"}})],
        "gpus" => &[json!("all"), json!([{"capabilities": ["gpu"], "count": 2}])],
        "build" => &[json!("."), json!({"context": "./b", "args": ["A=1"], "ssh": ["default"], "tags": ["t"]})],
        "develop" => &[json!({"watch": [{"path": ".", "action": "sync", "target": "/x", "ignore": ["a"]}]})],
        "deploy" => {
            &[json!({"replicas": 2, "labels": ["a=b"], "resources": {"limits": {"cpus": "0.5", "memory": "1g"}}})]
        }
        "tmpfs" => &[json!("/run"), json!(["/run:size=1m", "/tmp"])],
        "restart" => &[json!("always"), json!("on-failure:3"), json!("no")],
        "pull_policy" => &[json!("always"), json!("if_not_present"), json!("every_12h")],
        "expose" => &[json!([80, "90/udp"])],
        "external_links" => &[json!(["a", "b:c"])],
        "mac_address" => &[json!("02:42:ac:11:00:02")],
        "credential_spec" => &[json!({"file": "x"})],
        "storage_opt" => &[json!({"size": "1G"})],
        _ => return None,
    };
    Some(one_of(values))
}

fn distinct(item: BoxedStrategy<Value>, most: usize) -> BoxedStrategy<Value> {
    let once = |items: Vec<Value>| items.into_iter().collect::<indexmap::IndexSet<_>>().into_iter().collect::<Vec<_>>();
    vec(item, 0..most).prop_map(move |items| Value::from(once(items))).boxed()
}

fn pairs(value: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    vec((select(vec!["a", "B", "c.d", "e-f", "x-g"]), value), 0..3)
        .prop_map(|pairs| Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
        .boxed()
}

/// Some keys of a mapping, with those that it must have.
fn record(place: Place) -> BoxedStrategy<Value> {
    let required = place.attribute().map_or(&[][..], |row| row.required);
    let fields: Vec<&'static str> = place.fields().collect();
    let must = required.to_vec();
    let count = fields.len().min(3);
    subsequence(fields, 0..=count)
        .prop_flat_map(move |mut chosen| {
            chosen.extend(must.iter().filter(|key| !chosen.contains(key)).copied().collect::<Vec<_>>());
            let values: Vec<_> = chosen.iter().map(|key| value("", place.key(key))).collect();
            (Just(chosen), values)
        })
        .prop_map(|(keys, values)| Value::Object(keys.into_iter().map(str::to_owned).zip(values).collect()))
        .boxed()
}

/// A service with up to six attributes.
fn service() -> BoxedStrategy<Value> {
    let place = Place::of("services.*");
    let fields: Vec<&'static str> = place.fields().filter(|field| !LEFT_OUT.contains(field)).collect();
    subsequence(fields, 1..=6)
        .prop_flat_map(move |chosen| {
            let values: Vec<_> = chosen.iter().map(|key| value(key, place.key(key))).collect();
            (Just(chosen), values)
        })
        .prop_map(|(keys, values)| {
            let mut map: Map<String, Value> = keys.into_iter().map(str::to_owned).zip(values).collect();
            map.entry("image").or_insert_with(|| json!("busybox"));
            Value::Object(map)
        })
        .boxed()
}

fn stack() -> impl Strategy<Value = String> {
    (service(), service()).prop_map(|(one, two)| {
        let stack = json!({
            "services": {"one": one, "two": two, "other": {"image": "busybox", "healthcheck": {"test": "true"}}},
            "networks": {"front": {}, "back": {"internal": true}}, "volumes": {"data": {}},
            "configs": {"c": {"content": "$$text"}}, "secrets": {"s": {"file": "./s"}}, "models": {"m": {"model": "x"}},
        });
        stack.to_string()
    })
}

/// A canonical document of one service.
fn document(service: &Value) -> Node {
    let mut files = Files::new();
    let id = files.add("c.yaml", None, json!({"services": {"one": service}}).to_string());
    let mut findings = Findings::new();
    let mut document = yaml::read(&files, id, &mut findings).remove(0);
    cast::cast(&mut document, &mut findings);
    canonical::canonical(&mut document, Variables::Replaced, &mut Budget::of(budget::BYTES), &mut findings);
    document
}

/// Whether joining by the rules of a place, and of all below it, is associative: pools stand alone where subnets differ,
/// options of logging where drivers do.
fn is_associative(field: &str) -> bool {
    let row = Place::of("services.*").key(field).attribute();
    row.is_none_or(|row| !matches!(row.merge, Merge::Pools | Merge::Logging))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_global_rejects: 3000, ..ProptestConfig::default() })]

    #[test]
    fn what_config_prints_of_a_random_stack_loads_to_the_same(text in stack()) {
        let loaded = load_text("random.yaml", &text);
        prop_assume!(loaded.tree.is_some());
        let tree = loaded.tree.expect("it was looked at");
        for format in [print::Format::Yaml, print::Format::Json] {
            let shown = |tree: &Node| {
                let printed = print::printed(tree.clone(), format, Dollars::Doubled);
                if format == print::Format::Yaml { yaml::write(&printed) } else { json::write(&printed) }
            };
            let text = shown(&tree);
            // JSON has no models, as docker compose's has none, and so a service that uses one is not whole
            if format == print::Format::Json && text.contains("\"models\"") {
                continue;
            }
            let again = load_text_with("printed.yaml", &text, &Environment::new(), &Request::default());
            prop_assert!(again.tree.is_some(), "{text}\n{:#?}", again.findings);
            prop_assert_eq!(shown(&again.tree.expect("it was looked at")), text);
        }
    }

    #[test]
    fn merging_is_associative(one in service(), two in service(), three in service()) {
        let [mut one, mut two, mut three] = [one, two, three];
        for service in [&mut one, &mut two, &mut three] {
            service.as_object_mut().expect("it is a mapping").retain(|field, _| is_associative(field));
        }
        let [one, two, three] = [&one, &two, &three].map(document);
        let root = Place::root();
        let left = merge(merge(Some(one.clone()), two.clone(), root), three.clone(), root);
        let right = merge(Some(one), merge(Some(two), three, root).expect("nothing is reset"), root);
        let shown = |tree: Option<Node>| tree.map(|tree| yaml::write(&tree));
        prop_assert_eq!(shown(left), shown(right));
    }
}
