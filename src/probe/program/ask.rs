//! One question, answered.

use crate::answer::{Answer, Failure};
use crate::question::Question;
use crate::{attempt, confines, dump, echo, files, get, listen, lookup, overhear, process, shim, solicit, sys, vlan};

/// Answers, in the time that the question gives at the longest.
pub fn answer(question: &Question) -> Answer {
    match question {
        Question::Namespace {} => files::namespace(),
        Question::Links {} => dump::answer("links", |kernel| kernel.links().map(Answer::Links)),
        Question::Addresses {} => dump::answer("addresses", |kernel| kernel.addresses().map(Answer::Addresses)),
        Question::Routes {} => dump::answer("routes", |kernel| kernel.routes().map(Answer::Routes)),
        Question::RouteTo { to } => dump::answer("route", |kernel| kernel.route_to(*to).map(Answer::Route)),
        Question::Neighbours {} => dump::answer("neighbours", |kernel| kernel.neighbours().map(Answer::Neighbours)),
        Question::Forget { addresses } => {
            dump::answer("neighbours", |kernel| kernel.forget(addresses).map(Answer::Forgotten))
        }
        Question::Kind { kind } => dump::answer("kind", |kernel| kernel.knows(kind.as_str()).map(Answer::Known)),
        Question::MakeShim { name, label, parent, address, routes } => {
            shim::make(name, label, parent, *address, routes).map_or_else(Answer::Failure, Answer::Done)
        }
        Question::RemoveShim { name, label } => shim::remove(name, label).map_or_else(Answer::Failure, Answer::Done),
        Question::MakeVlan { name, draft, label, parent, id, protocol, mtu } => {
            let wanted = vlan::Wanted { name, draft, label, parent, id: *id, protocol: *protocol, mtu: *mtu };
            vlan::make(&wanted).map_or_else(Answer::Failure, Answer::Done)
        }
        Question::RemoveVlan { name, label } => vlan::remove(name, label).map_or_else(Answer::Failure, Answer::Done),
        Question::Sockets { owners } => files::sockets(*owners),
        Question::Processes { name } => match process::named(name) {
            Ok(found) => Answer::Processes(found),
            Err(e) => Answer::Failure(sys::failure("cannot read /proc", &e)),
        },
        Question::Confines {} => confines::answer(),
        Question::Chains {} => match dump::Kernel::chains() {
            Ok(chains) => Answer::Chains(chains),
            Err(e) => Answer::Failure(sys::failure("cannot read the firewall", &e)),
        },
        Question::Machine {} => Answer::Machine(files::machine()),
        Question::Hosts {} => files::hosts().map_or_else(Answer::Failure, Answer::Hosts),
        Question::Resolver {} => files::resolver().map_or_else(Answer::Failure, Answer::Resolver),
        Question::Sysctl { name } => files::sysctl(name),
        Question::Lookup { name, family, server, within, tries } => {
            lookup::lookup(name, *family, *server, *within, *tries).map_or_else(Answer::Failure, Answer::Lookup)
        }
        Question::Connect { to, device, greeting, within, tries } => {
            Answer::Attempt(attempt::connect(*to, device.as_deref(), *greeting, *within, *tries))
        }
        Question::Datagram { to, device, payload, within, tries } => {
            Answer::Attempt(attempt::datagram(*to, device.as_deref(), payload.as_deref(), *within, *tries))
        }
        Question::Echo { to, device, within, tries } => {
            Answer::Attempt(echo::echo(*to, device.as_deref(), *within, *tries))
        }
        Question::Solicit { target, device, sender, within, tries } => {
            solicit::solicit(*target, device.as_deref(), *sender, *within, *tries)
                .map_or_else(Answer::Failure, Answer::Heard)
        }
        Question::Http { host, port, to, path, within } => get::get(host, *port, *to, path, *within),
        Question::Listen { port, scope, label } => match listen::listen(*port, *scope, label) {
            Ok(listening) => Answer::Listening(listening),
            Err(e) => Answer::Failure(Failure { errno: e.raw_os_error(), message: format!("cannot listen: {e}") }),
        },
        Question::Overhear { port, label } => match overhear::overhear(*port, label) {
            Ok(listening) => Answer::Listening(listening),
            Err(e) => Answer::Failure(sys::failure("cannot hear raw packets", &e)),
        },
    }
}
