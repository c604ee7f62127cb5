//! Host ports that the file names and that were given up for the Engine's choice (`--ephemeral-ports`).

use std::borrow::Cow;
use std::net::IpAddr;

use crate::name::Protocol;
use crate::verify::check::{How, Path, Spot};
use crate::verify::scene::Scene;

/// The path with the host port that the Engine chose, where its own was given up. What leads to a container is left as it is: there
/// the number is the container's.
pub(super) fn as_bound<'a>(scene: Scene<'_>, path: &'a Path) -> Cow<'a, Path> {
    let mut ends = scene.observed.containers.iter().flat_map(|c| c.endpoints.values());
    let mut no_container =
        |ip: IpAddr| !ends.any(|end| [end.ipv4, end.ipv6].iter().flatten().any(|net| net.addr() == ip));
    let of_the_host = match &path.to {
        Spot::Host => true,
        Spot::Address(ip) => no_container(*ip),
        Spot::Name(name) => name == "localhost" || name.parse().is_ok_and(no_container),
        _ => false,
    };
    let (port, protocol) = match path.how {
        How::Port(port, protocol) if of_the_host => (port, protocol),
        How::Http { port, .. } if of_the_host => (port, Protocol::Tcp),
        _ => return Cow::Borrowed(path),
    };
    let Some(chosen) = chosen(scene, port, protocol) else { return Cow::Borrowed(path) };
    let mut path = path.clone();
    match &mut path.how {
        How::Port(port, _) | How::Http { port, .. } => *port = chosen,
        _ => {}
    }
    Cow::Owned(path)
}

/// The port in the place of one that was given up: of a range for several containers, each has its own in turn.
fn chosen(scene: Scene<'_>, port: u16, protocol: Protocol) -> Option<u16> {
    scene.project.services.iter().find_map(|(name, service)| {
        let names = |(first, last): (u16, u16)| (first..=last).contains(&port);
        let declared = service.ports.iter().map(|p| &p.value);
        let given_up = declared.filter(|p| p.protocol == protocol).find(|p| p.given_up.is_some_and(names))?;
        let place = usize::from(port - given_up.given_up?.0);
        let containers = scene.observed.containers.iter().filter(|c| c.replica.service == *name);
        let bound = containers.flat_map(|c| &c.bound).filter(|b| b.target == given_up.target && b.protocol == protocol);
        // an address of each family has a binding of its own
        let mut ports: Vec<u16> = bound.map(|b| b.published).collect();
        ports.dedup();
        ports.get(place).or(ports.first()).copied()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::desired::{DesiredOptions, desired};
    use crate::state::observed::{BoundPort, ContainerState, Observed, ObservedContainer};
    use crate::verify::fixture::project;
    use crate::verify::topology::Topology;

    #[test]
    fn a_port_that_was_given_up_is_the_one_that_the_engine_chose() {
        let mut project = project("services: {web: {ports: ['8080-8081:80', '53:53/udp'], scale: 2}}");
        for port in project.services.values_mut().flat_map(|service| &mut service.ports) {
            port.value.given_up = port.value.published.take();
        }
        let topology = Topology::of(&project);
        let desired = desired(&project, &DesiredOptions::default());
        let mut observed = Observed::default();
        for (number, published) in [(1, 40001), (2, 40002)] {
            let id = crate::name::ContainerId::from_engine(format!("{number:064x}"));
            let replica = crate::name::Replica::new("web".parse().unwrap(), number);
            let mut container =
                ObservedContainer::named(id, format!("p-web-{number}"), replica, ContainerState::Created);
            let bound = |protocol, target, published| {
                let host_ip = [IpAddr::from([0, 0, 0, 0]), IpAddr::from([0; 16])];
                host_ip.map(|host_ip| BoundPort { target, protocol, host_ip, published })
            };
            container.bound.extend(bound(Protocol::Tcp, 80, published));
            container.bound.extend(bound(Protocol::Udp, 53, published + 10));
            observed.containers.push(container);
        }
        let scene = Scene { project: &project, topology: &topology, desired: &desired, observed: &observed };
        let asked = |to: Spot, how: How| {
            let path = Path { from: Spot::Host, to, how, via: vec![], family: None };
            match &as_bound(scene, &path).how {
                How::Port(port, _) | How::Http { port, .. } => *port,
                _ => 0,
            }
        };
        let page = |port| How::Http { port, path: "/".to_owned(), status: None, text: None };
        assert_eq!(asked(Spot::Address([127, 0, 0, 1].into()), page(8080)), 40001);
        assert_eq!(asked(Spot::Name("localhost".to_owned()), page(8081)), 40002);
        assert_eq!(asked(Spot::Host, How::Port(53, Protocol::Udp)), 40011);
        assert_eq!(asked(Spot::Host, How::Port(53, Protocol::Tcp)), 53, "another protocol");
        assert_eq!(asked(Spot::Service("web".parse().unwrap(), None), How::Port(8080, Protocol::Tcp)), 8080);
    }
}
