//! Ports that are published, and ports that are said to be open.

use super::{Draft, Origin, called, replicas};
use crate::compose::model::{Port, Service};
use crate::verify::check::{Expectation, Side};

pub(super) fn derive(draft: &mut Draft<'_>, service: &Service) {
    if can_publish(draft, service) {
        for port in &service.ports {
            published(draft, service, &port.value, port.span);
        }
    }
    if !draft.has_own_links(&service.name) {
        return;
    }
    for replica in replicas(service) {
        for &(port, protocol) in &service.expose {
            let who = called(service, &replica);
            draft.add(
                format!("listens/{who}:{port}/{protocol}"),
                format!("{who} listens on {port}/{protocol}"),
                Origin::attribute(&service.name, "expose", service.span),
                Expectation::Listens { replica: replica.clone(), port, protocol },
            );
        }
    }
}

/// Whether the Engine publishes ports of this service at all: it needs a bridge that is not internal. Lint says so otherwise.
fn can_publish(draft: &Draft<'_>, service: &Service) -> bool {
    let ends = draft.topology.ends(&service.name);
    let own = draft.has_own_links(&service.name);
    own && ends.iter().any(|(_, w)| !w.internal && !w.is_child_of_parent())
}

/// `8080->80/tcp`, `127.0.0.1:8080->80/tcp`, `8000-8010->80/tcp`.
pub(super) fn port_text(port: &Port) -> String {
    let published = match port.published {
        None => String::new(),
        Some((first, last)) if first == last => format!("{first}->"),
        Some((first, last)) => format!("{first}-{last}->"),
    };
    let host = port.host_ip.map(|ip| if ip.is_ipv6() { format!("[{ip}]:") } else { format!("{ip}:") });
    format!("{}{published}{}/{}", host.unwrap_or_default(), port.target, port.protocol)
}

fn published(draft: &mut Draft<'_>, service: &Service, port: &Port, span: crate::source::Span) {
    let (name, text) = (&service.name, port_text(port));
    let origin = || Origin::attribute(name, "ports", span);
    let expectation = |from| Expectation::Published { service: name.clone(), port: port.clone(), from };
    draft.add(
        format!("published/{name}:{text}"),
        format!("{name} answers the host at {text}"),
        origin(),
        expectation(Side::Host),
    );
    if port.host_ip.is_some_and(|ip| ip.is_loopback()) {
        let expectation = Expectation::NotPublished { service: name.clone(), port: port.clone() };
        let says = format!("{name} does not answer from outside at {text}");
        draft.add(format!("unpublished/{name}:{text}"), says, origin(), expectation);
    } else {
        let says = format!("{name} answers from outside at {text}");
        draft.add(format!("outside/{name}:{text}"), says, origin(), expectation(Side::Outside));
    }
}
