//! The program's parsers, which are pure, compiled here as well: examples of what they read, and whatever else may come.
//!
//! The law of all of them: any bytes end in a value or in none, soon, without a panic.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{answer, question};

#[path = "program/arp.rs"]
mod arp;
#[path = "program/dns.rs"]
mod dns;
#[path = "program/http.rs"]
mod http;
#[path = "program/icmp.rs"]
mod icmp;
#[path = "program/netfilter.rs"]
mod netfilter;
#[path = "program/netlink.rs"]
mod netlink;
#[path = "program/proc.rs"]
mod proc;
#[path = "program/rtnetlink.rs"]
mod rtnetlink;
#[path = "program/tables.rs"]
mod tables;
#[path = "program/text.rs"]
mod text;
#[path = "program/udp.rs"]
mod udp;

use answer::Transport;
use http::{Response, State};
use question::Family;

fn names(index: u32) -> String {
    format!("link{index}")
}

/// Whether a text can be printed on a terminal as it is.
fn harmless(text: &str) -> bool {
    !text.contains(|c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
}

mod netlink_messages {
    use super::*;

    /// The body of an `RTM_NEWLINK` for a macvlan child, as Linux 6.18 sent it: header, name, MAC, MTU, link, state, kind, mode.
    fn macvlan() -> Vec<u8> {
        let header = [0u8, 0, 1, 0, 7, 0, 0, 0, 0x43, 0x10, 1, 0, 0, 0, 0, 0];
        let request = netlink::Request::new(16, 0, &header)
            .attribute(3, b"eth0\0")
            .attribute(1, &[2, 0x42, 0xac, 0x11, 0, 2])
            .attribute(4, &1500u32.to_ne_bytes())
            .attribute(5, &1306u32.to_ne_bytes())
            .attribute(37, &0u32.to_ne_bytes())
            .attribute(16, &[6])
            .attribute(33, &[1])
            .nested(18, |i| i.attribute(1, b"macvlan\0").nested(2, |d| d.attribute(1, &4u32.to_ne_bytes())));
        request.finish(9)
    }

    #[test]
    fn a_chain_of_the_firewall_tells_its_hook_and_what_it_does_with_the_rest() {
        let chain = |policy: u32, hook: Option<u32>| {
            let request =
                netlink::Request::new(0x0a03, 0, &[1, 0, 0, 0]).attribute(1, b"filter\0").attribute(3, b"forward\0");
            let request = match hook {
                Some(hook) => {
                    request.nested(4, |inner| inner.attribute(1, &hook.to_be_bytes()).attribute(2, &0u32.to_be_bytes()))
                }
                None => request,
            };
            let bytes = request.attribute(5, &policy.to_be_bytes()).finish(1);
            netfilter::chain(netlink::messages(&bytes).next().unwrap().body)
        };
        let dropping = chain(0, Some(2)).unwrap();
        let words = [&dropping.family, &dropping.table, &dropping.name, &dropping.hook].map(String::as_str);
        assert_eq!((words, dropping.drops), (["inet", "filter", "forward", "forward"], true));
        assert!(!chain(1, Some(1)).unwrap().drops);
        assert_eq!(chain(0, None), None, "packets come to it by way of another");
    }

    #[test]
    fn a_macvlan_child_shows_its_parent_and_mode() {
        let bytes = macvlan();
        let message = netlink::messages(&bytes).next().unwrap();
        assert_eq!((message.kind, message.sequence), (16, 9));
        let link = rtnetlink::link(message.body).unwrap();
        assert_eq!((link.index, link.name.as_str(), link.kind.as_deref()), (7, "eth0", Some("macvlan")));
        assert_eq!((link.parent, link.parent_namespace, link.mtu), (Some(1306), Some(0), 1500));
        assert_eq!(link.mac.as_deref(), Some("02:42:ac:11:00:02"));
        assert_eq!(link.macvlan_mode.as_deref(), Some("bridge"));
        assert!(link.up && !link.loopback && link.state == "up" && link.carrier == Some(true));
    }

    #[test]
    fn a_default_route_of_two_ways_is_two_routes() {
        let hop = |index: u8, last: u8| {
            let mut hop = vec![16, 0, 0, 0, index, 0, 0, 0];
            hop.extend([8, 0, 5, 0, 10, 0, 0, last]);
            hop
        };
        let header = [2u8, 0, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0];
        let bytes = netlink::Request::new(24, 0, &header).attribute(9, &[hop(2, 1), hop(3, 2)].concat()).finish(1);
        let routes = rtnetlink::routes(netlink::messages(&bytes).next().unwrap().body, &names);
        let ways: Vec<_> = routes.iter().map(|r| (r.device.as_deref(), r.gateway.unwrap().to_string())).collect();
        assert_eq!(ways, [(Some("link2"), "10.0.0.1".to_owned()), (Some("link3"), "10.0.0.2".to_owned())]);
        assert!(routes.iter().all(|r| r.prefix == 0 && r.destination.is_unspecified()));
    }

    #[test]
    fn an_address_that_another_has_is_marked() {
        let header = [2u8, 24, 0x80, 0, 2, 0, 0, 0];
        let request = netlink::Request::new(20, 0, &header).attribute(2, &[10, 0, 0, 5]);
        let bytes = request.attribute(8, &0x48u32.to_ne_bytes()).finish(1);
        let found = rtnetlink::address(netlink::messages(&bytes).next().unwrap().body, &names).unwrap();
        assert_eq!(
            (found.address.to_string().as_str(), found.prefix, found.scope.as_str()),
            ("10.0.0.5", 24, "global")
        );
        assert!(found.duplicate && found.tentative);
    }

    #[test]
    fn an_acknowledgement_is_no_error() {
        assert_eq!(netlink::error_number(&0i32.to_ne_bytes()), Some(0));
        assert_eq!(netlink::error_number(&(-101i32).to_ne_bytes()), Some(101));
        assert_eq!(netlink::error_number(&i32::MIN.to_ne_bytes()), Some(i32::MIN));
        assert_eq!(netlink::error_number(&[0, 0]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_messages_or_none(bytes in vec(any::<u8>(), 0..300)) {
            for message in netlink::messages(&bytes) {
                let to = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
                let link = rtnetlink::link(message.body);
                prop_assert!(link.is_none_or(|l| harmless(&l.name)));
                let _ = rtnetlink::address(message.body, &names);
                let _ = netfilter::chain(message.body);
                let _ = rtnetlink::routes(message.body, &names);
                let _ = rtnetlink::route_lookup(to, message.body, &names);
                let _ = rtnetlink::neighbour(message.body, &names);
            }
        }

        #[test]
        fn a_message_that_is_cut_or_bent_is_no_panic(at in 0usize..120, to in any::<u8>(), cut in 0usize..120) {
            let mut bytes = macvlan();
            if let Some(byte) = bytes.get_mut(at) {
                *byte = to;
            }
            bytes.truncate(cut);
            for message in netlink::messages(&bytes) {
                let _ = rtnetlink::link(message.body);
                let _ = rtnetlink::routes(message.body, &names);
            }
        }
    }
}

mod names_by_dns {
    use super::*;

    /// An answer to `query` with these records: owner, type, data.
    fn answered(query: &[u8], flags: u16, records: &[(&[u8], u16, Vec<u8>)]) -> Vec<u8> {
        let mut packet = query.to_vec();
        packet[2..4].copy_from_slice(&flags.to_be_bytes());
        packet[6..8].copy_from_slice(&(records.len() as u16).to_be_bytes());
        for (owner, kind, data) in records {
            packet.extend_from_slice(owner);
            packet.extend(kind.to_be_bytes());
            packet.extend([0, 1, 0, 0, 0, 60]);
            packet.extend((data.len() as u16).to_be_bytes());
            packet.extend(data);
        }
        packet
    }

    const QUESTION: &[u8] = &[0xc0, 12];

    #[test]
    fn an_alias_is_followed_to_its_addresses() {
        let query = dns::query(7, "db", Family::V4).unwrap();
        let target = b"\x02pg\x00".to_vec();
        let packet = answered(
            &query,
            0x8180,
            &[(b"\x02PG\x00", 1, vec![10, 0, 0, 9]), (QUESTION, 5, target), (b"\x01x\x00", 1, vec![1, 2, 3, 4])],
        );
        let reply = dns::reply(&packet, &query, Family::V4).unwrap();
        assert_eq!(reply.aliases, ["pg"]);
        assert_eq!(reply.addresses, ["10.0.0.9".parse::<std::net::IpAddr>().unwrap()]);
    }

    #[test]
    fn codes_are_kept_apart_and_cut_answers_marked() {
        let query = dns::query(7, "nope.", Family::V6).unwrap();
        let code = |flags| dns::reply(&answered(&query, flags, &[]), &query, Family::V6).unwrap();
        assert_eq!(code(0x8183).code, 3);
        assert_eq!(code(0x8182).code, 2);
        assert!(code(0x8380).truncated);
    }

    #[test]
    fn an_answer_to_another_question_is_none() {
        let query = dns::query(7, "web", Family::V4).unwrap();
        let other = dns::query(7, "wob", Family::V4).unwrap();
        let id = dns::query(8, "web", Family::V4).unwrap();
        let family = dns::query(7, "web", Family::V6).unwrap();
        for wrong in [other, id, family] {
            assert_eq!(dns::reply(&answered(&wrong, 0x8180, &[]), &query, Family::V4), None);
        }
        assert_eq!(dns::reply(&query, &query, Family::V4), None, "a query is no answer");
    }

    #[test]
    fn a_name_that_points_at_itself_ends() {
        let query = dns::query(7, "web", Family::V4).unwrap();
        let own = query.len() as u8;
        assert_eq!(
            dns::reply(&answered(&query, 0x8180, &[(&[0xc0, own], 1, vec![1, 2, 3, 4])]), &query, Family::V4),
            None
        );
        let forward = answered(&query, 0x8180, &[(&[0xc0, own + 2], 1, vec![1, 2, 3, 4])]);
        assert_eq!(dns::reply(&forward, &query, Family::V4), None);
    }

    #[test]
    fn what_is_no_host_name_is_not_asked() {
        for name in ["", "a..b", "a b", "ü", &"x".repeat(64), &"abcdefg.".repeat(40)] {
            assert!(dns::query(1, name, Family::V4).is_err(), "{name}");
        }
        assert!(dns::query(1, "_dmarc.example.org.", Family::V4).is_ok());
    }

    proptest! {
        #[test]
        fn any_packet_is_an_answer_or_none(packet in vec(any::<u8>(), 0..200)) {
            let query = dns::query(0, "a", Family::V4).unwrap();
            let _ = dns::reply(&packet, &query, Family::V4);
            // and with a head that is ours
            let mut ours = answered(&query, 0x8180, &[]);
            ours[7] = 9;
            ours.extend(packet);
            if let Some(reply) = dns::reply(&ours, &query, Family::V4) {
                prop_assert!(reply.aliases.iter().all(|a| harmless(a)) && reply.aliases.len() <= 16);
            }
        }
    }
}

mod http_answers {
    use super::*;

    fn read(pieces: &[&[u8]]) -> (State, Option<u16>, String) {
        let mut response = Response::default();
        for piece in pieces {
            response.feed(piece);
        }
        (response.close(), response.status(), response.body())
    }

    #[test]
    fn a_body_ends_by_length_by_chunks_or_by_closing() {
        let whole = |text: &str| read(&[text.as_bytes()]);
        let hello = (State::Whole, Some(200), "hello".to_owned());
        assert_eq!(whole("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more"), hello);
        assert_eq!(whole("HTTP/1.0 200 OK\n\nhello"), hello);
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nT: 1\r\n\r\n";
        assert_eq!(whole(chunked), hello);
        let bytes: Vec<&[u8]> = chunked.as_bytes().chunks(1).collect();
        assert_eq!(read(&bytes), hello);
        assert_eq!(
            whole("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n"),
            (State::Whole, Some(204), String::new())
        );
    }

    #[test]
    fn what_breaks_off_or_is_no_http_says_so() {
        let state = |text: &str| read(&[text.as_bytes()]).0;
        assert_eq!(state("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello"), State::Broken);
        assert_eq!(state("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), State::Broken);
        assert_eq!(state("SSH-2.0-OpenSSH_9.6\r\n"), State::Broken);
        assert_eq!(state("HTTP/1.1 20 OK\r\n\r\n"), State::Broken);
        assert_eq!(state(&"x".repeat(20_000)), State::Broken);
    }

    #[test]
    fn a_body_without_end_is_kept_to_its_limit() {
        let mut response = Response::default();
        response.feed(b"HTTP/1.1 200 OK\r\n\r\n");
        let mut pieces = 0;
        while response.feed(&[b'x'; 4096]) == State::More {
            pieces += 1;
        }
        assert_eq!((response.feed(b"more"), pieces, response.body().len()), (State::Full, 16, 64 * 1024));
    }

    #[test]
    fn a_hostile_body_cannot_move_the_cursor() {
        let body = read(&[b"HTTP/1.1 200 OK\r\n\r\n\x1b[2Ja\nb\xff\xe2\x80\xae"]).2;
        assert_eq!(body, "\\u{1b}[2Ja\nb\\xff\\u{202e}");
    }

    proptest! {
        #[test]
        fn any_pieces_end(pieces in vec(vec(any::<u8>(), 0..60), 0..10), chunked in any::<bool>()) {
            let mut response = Response::default();
            let head = if chunked { "Transfer-Encoding: chunked" } else { "Content-Length: 30" };
            response.feed(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").as_bytes());
            for piece in &pieces {
                response.feed(piece);
            }
            prop_assert!(response.close() != State::More);
            let mut bare = Response::default();
            for piece in &pieces {
                bare.feed(piece);
            }
            prop_assert!(bare.close() != State::More);
        }

        #[test]
        fn how_it_is_cut_does_not_matter(cuts in vec(1usize..9, 1..40)) {
            let text = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
            let (mut response, mut rest) = (Response::default(), &text[..]);
            for cut in cuts.iter().cycle() {
                let (piece, after) = rest.split_at((*cut).min(rest.len()));
                response.feed(piece);
                rest = after;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!((response.close(), response.body()), (State::Whole, "hello world".to_owned()));
        }
    }
}

mod packets {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    #[test]
    fn an_echo_is_ours_by_its_nonce_with_or_without_an_ip_header() {
        let nonce = *b"12345678";
        let mut reply = icmp::echo_request(true, 1, 1, nonce);
        assert!(!icmp::is_reply(true, &reply, nonce), "our own request on lo is no reply");
        reply[0] = 0;
        assert!(icmp::is_reply(true, &reply, nonce));
        let with_header = [vec![0x45; 20], reply.clone()].concat();
        assert!(icmp::is_reply(true, &with_header, nonce));
        assert!(!icmp::is_reply(true, &reply, *b"87654321"));
        reply[0] = 129;
        assert!(icmp::is_reply(false, &reply, nonce));
    }

    #[test]
    fn a_queued_error_tells_who_said_what() {
        // cmsghdr, then sock_extended_err of port unreachable, then the offender's sockaddr_in
        let mut control = 48u64.to_ne_bytes().to_vec();
        control.extend(0i32.to_ne_bytes());
        control.extend(11i32.to_ne_bytes());
        control.extend(111u32.to_ne_bytes());
        control.extend([2, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        control.extend([2, 0, 0, 0, 172, 18, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0]);
        let found = icmp::queued_error(&control).unwrap();
        assert_eq!((found.errno, found.message), (111, Some((3, 3))));
        assert_eq!(found.by, Some(IpAddr::V4(Ipv4Addr::new(172, 18, 0, 3))));
    }

    #[test]
    fn arp_replies_and_advertisements_name_their_owner() {
        let (own, target) = ([2, 0, 0, 0, 0, 1], Ipv4Addr::new(10, 0, 0, 9));
        let mut packet = arp::request(own, Ipv4Addr::UNSPECIFIED, target);
        assert_eq!(packet.len(), 28);
        assert_eq!(arp::reply(&packet, target), None, "a request is no reply");
        packet[7] = 2;
        packet[8..14].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
        packet[14..18].copy_from_slice(&target.octets());
        assert_eq!(arp::reply(&packet, target), Some([2, 0, 0, 0, 0, 9]));
        assert_eq!(arp::reply(&packet, Ipv4Addr::new(10, 0, 0, 8)), None);

        let target = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0x1234, 0x5678);
        assert_eq!(arp::solicited_node(target).to_string(), "ff02::1:ff34:5678");
        let mut packet = arp::solicitation(own, target);
        assert_eq!(arp::advertisement(&packet, target), None);
        packet[0] = 136;
        packet[24] = 2;
        assert_eq!(arp::advertisement(&packet, target), Some(own));
    }

    proptest! {
        #[test]
        fn any_packet_is_read_or_not(bytes in vec(any::<u8>(), 0..120)) {
            let _ = icmp::is_reply(true, &bytes, [0; 8]);
            let _ = icmp::is_reply(false, &bytes, [0; 8]);
            let _ = icmp::queued_error(&bytes);
            let _ = arp::reply(&bytes, Ipv4Addr::LOCALHOST);
            let _ = arp::advertisement(&bytes, Ipv6Addr::LOCALHOST);
            let mut ours = vec![136, 0, 0, 0, 0, 0, 0, 0];
            ours.extend(Ipv6Addr::LOCALHOST.octets());
            ours.extend(&bytes);
            let _ = arp::advertisement(&ours, Ipv6Addr::LOCALHOST);
            let mut control = 40u64.to_ne_bytes().to_vec();
            control.extend([0, 0, 0, 0, 11, 0, 0, 0]);
            control.extend(bytes);
            let _ = icmp::queued_error(&control);
        }
    }
}

mod text_files {
    use super::*;

    #[test]
    fn sockets_that_listen_are_read_with_their_addresses() {
        let tcp =
            "   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000   999        0 4242 1 0 100 0";
        let found = tables::socket(tcp, Transport::Tcp).unwrap();
        assert_eq!((found.address.to_string().as_str(), found.port), ("127.0.0.1", 8080));
        assert_eq!((found.inode, found.uid), (4242, 999));
        let six =
            "   0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 7 1";
        assert_eq!(tables::socket(six, Transport::Tcp).unwrap().address.to_string(), "::1");
        assert_eq!(tables::socket(&tcp.replace(" 0A ", " 01 "), Transport::Tcp), None, "a connection does not listen");
        assert_eq!(tables::socket("  sl  local_address rem_address   st tx_queue", Transport::Tcp), None);
    }

    #[test]
    fn hosts_lines_are_read_without_comments_and_blanks() {
        let file = b"# head\n127.0.0.1\tlocalhost\n\n172.17.0.2  nasa1515 7881267cb8e1 web-nasa # link\n\x1b[2J x\nfe80::1%eth0 r";
        let lines = tables::hosts(file);
        assert_eq!(lines[1].text, "172.17.0.2 nasa1515 7881267cb8e1 web-nasa");
        assert_eq!(lines[1].names, ["nasa1515", "7881267cb8e1", "web-nasa"]);
        assert_eq!((lines[2].address, lines[2].text.as_str()), (None, "\\u{1b}[2J x"));
        assert_eq!(lines[3].address.unwrap().to_string(), "fe80::1");
    }

    #[test]
    fn resolv_conf_tells_servers_search_and_what_docker_adds() {
        let file = b"# Generated by Docker Engine.\nnameserver 127.0.0.11\nsearch a.org b.org\noptions ndots:0 edns0\n\n# ExtServers: [host(10.0.0.1)]\nnameserver x\n";
        let found = tables::resolver(file);
        assert_eq!(found.servers, ["127.0.0.11".parse::<std::net::IpAddr>().unwrap()]);
        assert_eq!(
            (found.search.len(), found.options.as_slice()),
            (2, &["ndots:0".to_owned(), "edns0".to_owned()][..])
        );
        assert_eq!(found.comments[1], "ExtServers: [host(10.0.0.1)]");
    }

    #[test]
    fn a_setting_cannot_lead_out_of_proc_sys() {
        assert_eq!(tables::sysctl_path("net.ipv4.ip_forward").as_deref(), Some("/proc/sys/net/ipv4/ip_forward"));
        let dotted = "net.ipv4.conf.eth0/10.rp_filter";
        assert_eq!(tables::sysctl_path(dotted).as_deref(), Some("/proc/sys/net/ipv4/conf/eth0.10/rp_filter"));
        for bad in ["", "net..x", "net.//.x", "a b", "net/\u{0}", "/.net", "//"] {
            assert_eq!(tables::sysctl_path(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_file_is_read(bytes in vec(any::<u8>(), 0..400), line in "\\PC{0,80}") {
            prop_assert!(tables::hosts(&bytes).iter().all(|l| harmless(&l.text)));
            let resolver = tables::resolver(&bytes);
            prop_assert!(resolver.comments.iter().chain(&resolver.search).all(|c| harmless(c)));
            let _ = tables::socket(&line, Transport::Udp);
            if let Some(path) = tables::sysctl_path(&line) {
                prop_assert!(path.starts_with("/proc/sys/") && !path.contains("/../"));
            }
        }

        #[test]
        fn text_from_outside_is_harmless_and_good_text_is_kept(bytes in vec(any::<u8>(), 0..100), good in "[ -~ä-ü]{0,30}") {
            prop_assert!(harmless(&text::printable(&bytes)));
            prop_assert_eq!(text::printable(good.as_bytes()), good);
        }
    }
}

mod udp_packets {
    use super::*;

    /// A packet as a raw socket gives it: an IPv4 header, then the message.
    fn packet(message: &[u8]) -> Vec<u8> {
        let length = (20 + message.len()) as u16;
        let mut packet = vec![0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        packet[2..4].copy_from_slice(&length.to_be_bytes());
        packet.extend(message);
        packet
    }

    #[test]
    fn a_question_to_the_port_is_recognized_and_nothing_else() {
        let ask = |port, payload: &[u8]| udp::asked(&packet(&udp::message(4000, port, payload)), 53);
        let asked = ask(53, b"bowline? 0123").unwrap();
        assert_eq!((asked.from, asked.nonce.as_slice()), (([10, 0, 0, 1].into(), 4000), b"0123".as_slice()));
        assert_eq!(ask(54, b"bowline? 0123"), None);
        assert_eq!(ask(53, b"bowline! 0123"), None);
        assert_eq!(ask(53, b"bowline? "), None);
        let mut tcp = packet(&udp::message(4000, 53, b"bowline? 0123"));
        tcp[9] = 6;
        assert_eq!(udp::asked(&tcp, 53), None);
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_a_question_or_none(bytes in vec(any::<u8>(), 0..64), port: u16) {
            let _ = udp::asked(&bytes, port);
            let _ = udp::asked(&packet(&bytes), port);
        }
    }
}

mod processes {
    use super::*;

    #[test]
    fn a_line_of_mountinfo_is_a_mount() {
        let line =
            b"612 590 254:0 /srv/data\\040x//deleted /app/key rw,relatime master:1 - ext4 /dev/vda ro,errors=continue";
        let mount = proc::mount(line).unwrap();
        assert_eq!((mount.target.as_str(), mount.root.as_str()), ("/app/key", "/srv/data x//deleted"));
        assert_eq!((mount.kind.as_str(), mount.source.as_str(), mount.read_only), ("ext4", "/dev/vda", true));
        assert!(!proc::mount(b"1 2 0:3 / / rw - tmpfs tmpfs rw").unwrap().read_only);
    }

    #[test]
    fn users_are_told_as_they_are_inside() {
        let status = b"Name:\tsh\nUid:\t100033\t100033\t1\t2\nGid:\t7\t8\t8\t8\n";
        assert_eq!(proc::identity(status, "Uid"), Some(100_033));
        assert_eq!(proc::identity(status, "Gid"), Some(8));
        let rights = b"CapBnd:\t00000000a80425fb\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n";
        assert_eq!(
            ["CapBnd", "NoNewPrivs", "Seccomp", "CapEff"].map(|key| proc::bits(rights, key)),
            [Some(0xa804_25fb), Some(1), Some(2), None]
        );
        assert_eq!(proc::inside(b"         0     100000      65536\n", 100_033), 33);
        assert_eq!(proc::inside(b"         0          0 4294967295\n", 33), 33);
    }

    #[test]
    fn cgroups_are_looked_for_where_either_kind_of_hierarchy_has_them() {
        let old = b"5:cpuset:/\n4:memory:/docker/f00\n1:cpu,cpuacct:/docker/f00\n0::/\n";
        let directories = |cgroup: &[u8], controller| -> Vec<String> {
            proc::cgroups(cgroup, controller).iter().flat_map(|cgroup| cgroup.directories(controller)).collect()
        };
        assert_eq!(directories(old, "memory").first().unwrap(), "/sys/fs/cgroup/memory/docker/f00");
        assert_eq!(directories(old, "cpu")[1], "/sys/fs/cgroup/cpu/docker/f00");
        assert!(directories(old, "cpuset").is_empty(), "the root is no container's");
        assert_eq!(directories(b"0::/docker/f00\n", "pids"), ["/sys/fs/cgroup/docker/f00"]);
        assert!(directories(b"0::/../f00\n", "pids").is_empty());
    }

    #[test]
    fn a_cgroup_is_read_inside_only_where_it_is_the_containers_own() {
        let mounts =
            |lines: &[&str]| -> Vec<_> { lines.iter().map(|line| proc::mount(line.as_bytes()).unwrap()).collect() };
        let target = |cgroup: &[u8], lines: &[&str]| {
            let mounts = mounts(lines);
            let cgroups = proc::cgroups(cgroup, "memory");
            cgroups[0].mounted("memory", &mounts).map(|mount| mount.target.clone())
        };
        let old = b"4:memory:/docker/f00\n".as_slice();
        let own = "9 8 0:30 /docker/f00 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory";
        let host = "9 8 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory";
        assert_eq!(target(old, &[own]).unwrap(), "/sys/fs/cgroup/memory");
        assert_eq!(target(old, &[host]), None, "/sys of the host is mounted");
        assert_eq!(target(old, &[own, host]), None, "and mounted over the container's");
        assert_eq!(target(old, &["9 8 0:31 /docker/f00 /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids"]), None);
        let one = b"0::/docker/f00\n".as_slice();
        assert_eq!(
            target(one, &["9 8 0:30 /docker/f00 /sys/fs/cgroup ro - cgroup2 cgroup rw"]).unwrap(),
            "/sys/fs/cgroup"
        );
        assert_eq!(target(one, &["9 8 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup rw"]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in vec(any::<u8>(), 0..300)) {
            if let Some(mount) = proc::mount(&bytes) {
                prop_assert!(harmless(&mount.target) && harmless(&mount.root) && harmless(&mount.kind));
            }
            proc::identity(&bytes, "Uid");
            proc::bits(&bytes, "Uid");
            proc::inside(&bytes, 7);
            proc::cgroups(&bytes, "memory");
        }
    }
}
