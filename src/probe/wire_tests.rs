//! The two sides of the wire, held against each other.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,12}", "\\PC{0,8}", Just(String::new()), Just("-".to_owned()), Just("%\u{1b}\n\"\\".to_owned())]
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<u32>().prop_map(|a| IpAddr::V4(Ipv4Addr::from(a))),
        any::<u128>().prop_map(|a| IpAddr::V6(Ipv6Addr::from(a)))
    ]
}

fn socket() -> impl Strategy<Value = SocketAddr> {
    (address(), any::<u16>()).prop_map(|(a, p)| SocketAddr::new(a, p))
}

fn within() -> impl Strategy<Value = Duration> {
    any::<u32>().prop_map(|ms| Duration::from_micros(u64::from(ms)))
}

fn word<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    proptest::sample::select(all)
}

fn question() -> impl Strategy<Value = Question> {
    let device = || proptest::option::of(text());
    prop_oneof![
        Just(Question::Links {}),
        Just(Question::Confines {}),
        Just(Question::Chains {}),
        Just(Question::Machine {}),
        proptest::collection::vec(address(), 0..4).prop_map(|addresses| Question::Forget { addresses }),
        word(LinkKind::ALL).prop_map(|kind| Question::Kind { kind }),
        (text(), text(), text(), address(), proptest::collection::vec(address(), 0..3)).prop_map(
            |(name, label, parent, address, to)| {
                let routes = to.iter().map(|to| format!("{to}/24")).collect();
                Question::MakeShim { name, label, parent, address, routes }
            }
        ),
        (text(), text()).prop_map(|(name, label)| Question::RemoveShim { name, label }),
        (text(), text(), text(), text(), 1..4095_u16, any::<u16>(), proptest::option::of(any::<u32>())).prop_map(
            |(name, draft, label, parent, id, protocol, mtu)| Question::MakeVlan {
                name,
                draft,
                label,
                parent,
                id,
                protocol,
                mtu
            }
        ),
        (text(), text()).prop_map(|(name, label)| Question::RemoveVlan { name, label }),
        address().prop_map(|to| Question::RouteTo { to }),
        any::<bool>().prop_map(|owners| Question::Sockets { owners }),
        text().prop_map(|name| Question::Sysctl { name }),
        (text(), word(Family::ALL), proptest::option::of(address()), within(), any::<u8>())
            .prop_map(|(name, family, server, within, tries)| Question::Lookup { name, family, server, within, tries }),
        (socket(), device(), any::<bool>(), within(), any::<u8>()).prop_map(|(to, device, greeting, within, tries)| {
            Question::Connect { to, device, greeting, within, tries }
        }),
        (socket(), device(), device(), within(), any::<u8>())
            .prop_map(|(to, device, payload, within, tries)| Question::Datagram { to, device, payload, within, tries }),
        (address(), device(), proptest::option::of(any::<u32>().prop_map(Ipv4Addr::from)), within(), any::<u8>())
            .prop_map(|(target, device, sender, within, tries)| Question::Solicit {
                target,
                device,
                sender,
                within,
                tries
            }),
        (text(), any::<u16>(), proptest::option::of(address()), text(), within())
            .prop_map(|(host, port, to, path, within)| Question::Http { host, port, to, path, within }),
        (any::<u16>(), word(Scope::ALL), text()).prop_map(|(port, scope, label)| Question::Listen {
            port,
            scope,
            label
        }),
        (any::<u16>(), text()).prop_map(|(port, label)| Question::Overhear { port, label }),
    ]
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let number = || proptest::option::of(any::<i32>());
    let icmp = (any::<u8>(), any::<u8>()).prop_map(|(kind, code)| Icmp { kind, code });
    (
        word(Outcome::ALL),
        number(),
        any::<u64>(),
        any::<u8>(),
        proptest::option::of(socket()),
        proptest::option::of(address()),
        proptest::option::of(icmp),
        proptest::option::of(text()),
        proptest::option::of(text()),
    )
        .prop_map(|(outcome, errno, micros, tries, from, by, icmp, greeting, message)| Attempt {
            outcome,
            errno,
            micros,
            tries,
            from,
            by,
            icmp,
            greeting,
            message,
        })
}

fn asked() -> impl Strategy<Value = Asked> {
    let addresses = proptest::collection::vec(address(), 0..3);
    let aliases = proptest::collection::vec(text(), 0..3);
    (address(), word(Transport::ALL), word(NameOutcome::ALL), proptest::option::of(any::<u8>()), addresses, aliases)
        .prop_map(|(server, transport, outcome, code, addresses, aliases)| Asked {
            server,
            transport,
            outcome,
            code,
            addresses,
            aliases,
            errno: None,
            micros: 1,
        })
}

fn answer() -> impl Strategy<Value = Answer> {
    let link = (any::<u32>(), text(), proptest::option::of(text()), proptest::option::of(any::<i32>()), any::<bool>())
        .prop_map(|(index, name, kind, parent_namespace, up)| Link {
            index,
            name,
            kind,
            parent_namespace,
            up,
            ..Link::default()
        });
    prop_oneof![
        proptest::collection::vec(link, 0..3).prop_map(Answer::Links),
        attempt().prop_map(Answer::Attempt),
        (text(), word(Family::ALL), proptest::collection::vec(asked(), 0..3))
            .prop_map(|(name, family, asked)| { Answer::Lookup(Lookup { name, family, hosts: Vec::new(), asked }) }),
        (attempt(), proptest::option::of(socket()), proptest::option::of(any::<u16>()), text()).prop_map(
            |(attempt, to, status, body)| {
                Answer::Http(Http { attempt, to, resolved_by: None, status, body, truncated: true })
            }
        ),
        (any::<u64>(), text()).prop_map(|(inode, name)| Answer::Namespace(Namespace { inode, hostname: Some(name) })),
        (proptest::option::of(any::<i32>()), text())
            .prop_map(|(errno, message)| Answer::Failure(Failure { errno, message })),
    ]
}

proptest! {
    #[test]
    fn a_question_survives_its_line(question in question()) {
        let line = question.to_string();
        prop_assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
        prop_assert_eq!(line.parse::<Question>(), Ok(question));
    }

    #[test]
    fn any_line_is_a_question_or_an_error(line in "\\PC{0,40}") {
        let _ = line.parse::<Question>();
    }

    #[test]
    fn an_answer_written_by_hand_reads_back_by_serde(id in any::<u32>(), micros in any::<u64>(), answer in answer()) {
        let envelope = Envelope { id, micros, answer };
        let line = envelope.to_json();
        prop_assert!(!line.contains(|c: char| c.is_ascii_control()), "{line:?}");
        prop_assert_eq!(serde_json::from_str::<Envelope>(&line).unwrap(), envelope);
    }

    #[test]
    fn serde_writes_what_the_hand_writes(answer in answer()) {
        let by_hand: serde_json::Value = serde_json::from_str(&answer.to_json()).unwrap();
        prop_assert_eq!(by_hand, serde_json::to_value(&answer).unwrap());
    }
}
