//! What makes a project fit to live beside others of the same file: names, ports and subnets of its own. Pure.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};

use crate::compose::model::{Pool, Project};
use crate::name::ProjectName;
use crate::source::Spanned;

/// Where subnets are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubnetPool {
    /// The whole.
    pub within: Ipv4Net,
    /// The prefix length of each.
    pub size: u8,
}

impl std::str::FromStr for SubnetPool {
    type Err = String;

    /// `10.200.0.0/16`, whose subnets are /28, or `10.200.0.0/16/24`.
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is no pool: 10.200.0.0/16, or 10.200.0.0/16/24 for subnets of /24");
        let (within, size) = match text.split('/').collect::<Vec<_>>().as_slice() {
            [address, length] => (format!("{address}/{length}"), 28),
            [address, length, size] => (format!("{address}/{length}"), size.parse().map_err(|_| bad())?),
            _ => return Err(bad()),
        };
        let within: Ipv4Net = within.parse().map_err(|_| bad())?;
        match (within.prefix_len()..=29).contains(&size) {
            true => Ok(Self { within: within.trunc(), size }),
            false => Err(format!("`{text}` is no pool: its subnets are from /{} to /29", within.prefix_len())),
        }
    }
}

impl SubnetPool {
    /// A free subnet: looked for from a place that `seed` chooses, so that several who look at once find different ones.
    fn free(self, taken: &[IpNet], seed: u64) -> Option<Ipv4Net> {
        let count = 1u64 << (self.size - self.within.prefix_len());
        let first = u32::from(self.within.network());
        let step = 1u64 << (32 - self.size);
        let overlaps = |one: &Ipv4Net, other: &IpNet| match other {
            IpNet::V4(other) => one.contains(&other.network()) || other.contains(&one.network()),
            IpNet::V6(_) => false,
        };
        let at = |number: u64| {
            let address = u64::from(first) + (seed.wrapping_add(number) % count) * step;
            Ipv4Net::new(Ipv4Addr::from(u32::try_from(address).ok()?), self.size).ok()
        };
        (0..count).filter_map(at).find(|subnet| !taken.iter().any(|other| overlaps(subnet, other)))
    }
}

/// Every host port is the Engine's choice. Rules of `x-verify` that name the one of the file mean that one then.
pub fn ephemeral_ports(project: &mut Project) {
    for port in project.services.values_mut().flat_map(|service| &mut service.ports) {
        port.value.given_up = port.value.published.take();
    }
}

/// Names that the file fixes get the project's in front. A container is still known by the fixed one on its networks.
pub fn own_names(project: &mut Project) {
    for service in project.services.values_mut() {
        if let Some(name) = service.container_name.take() {
            service.networks.values_mut().for_each(|endpoint| endpoint.aliases.push(name.clone()));
        }
    }
    let own = |key: &str| format!("{}_{key}", project.name);
    for network in project.networks.values_mut().filter(|network| !network.external) {
        network.name = own(network.key.as_str());
    }
    for volume in project.volumes.values_mut().filter(|volume| !volume.external) {
        volume.name = own(volume.key.as_str());
    }
}

/// Whether a project's name is one that nobody else has: it ends with a hyphen and eight hexadecimal digits.
pub fn is_own_name(project: &ProjectName) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    project.as_str().rsplit_once('-').is_some_and(|(_, digits)| digits.len() == 8 && digits.bytes().all(is_digit))
}

/// Every bridge that is made gets a subnet of the pool; addresses that the file fixes keep their place within it.
///
/// # Errors
/// When the pool has none left, or an address has no place in so small a subnet.
pub fn subnets(project: &mut Project, pool: SubnetPool, taken: &[IpNet], seed: u64) -> Result<(), String> {
    let mut taken = taken.to_vec();
    let mut moved: BTreeMap<String, (Option<Ipv4Net>, Ipv4Net)> = BTreeMap::new();
    for network in
        project.networks.values_mut().filter(|network| !network.external && network.driver_name() == "bridge")
    {
        let free = pool.free(&taken, seed.wrapping_add(moved.len() as u64));
        let new = free.ok_or_else(|| format!("no subnet of {}/{} is free", pool.within, pool.size))?;
        taken.push(IpNet::V4(new));
        let old = network.ipam.pools.iter().find_map(|pool| match pool.subnet.as_ref()?.value {
            IpNet::V4(old) => Some(old),
            IpNet::V6(_) => None,
        });
        let Some(span) = network.ipam.pools.first().map(|pool| pool.span).or(network.span) else { continue };
        network.ipam.pools.retain(|pool| matches!(&pool.subnet, Some(Spanned { value: IpNet::V6(_), .. })));
        let subnet = Some(Spanned { value: IpNet::V4(new), span });
        let only = Pool { span, subnet, ip_range: None, gateway: None, aux_addresses: Default::default() };
        network.ipam.pools.insert(0, only);
        moved.insert(network.key.to_string(), (old, new));
    }
    for service in project.services.values_mut() {
        for (key, endpoint) in &mut service.networks {
            let (Some((old, new)), Some(address)) = (moved.get(key.as_str()), &mut endpoint.ipv4_address) else {
                continue;
            };
            address.value = old.and_then(|old| place(old, *new, address.value)).ok_or_else(|| {
                format!("{} of {} has no place in {new}: a larger subnet is needed", address.value, service.name)
            })?;
        }
    }
    Ok(())
}

/// The address at the same distance from the beginning.
fn place(old: Ipv4Net, new: Ipv4Net, address: Ipv4Addr) -> Option<Ipv4Addr> {
    let distance = u32::from(address).checked_sub(u32::from(old.network()))?;
    let there = Ipv4Addr::from(u32::from(new.network()).checked_add(distance)?);
    (new.contains(&there) && there != new.broadcast()).then_some(there)
}

/// The address at which a published port is reached from here: one that stands for every address is this machine's own.
pub fn reachable(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(any) if any.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(any) if any.is_unspecified() => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(text: &str) -> Project {
        crate::compose::load_text("compose.yaml", text).project.unwrap()
    }

    const FIXED: &str = "name: p\nservices: {web: {image: busybox, container_name: fixed, ports: ['8080:80', '9000-9001:90'], networks: {n: {ipv4_address: 10.9.0.7}}}}\n\
        networks: {n: {name: shared, ipam: {config: [{subnet: 10.9.0.0/24, gateway: 10.9.0.1}]}}, there: {external: true}}\nvolumes: {v: {name: data}}";

    #[test]
    fn names_ports_and_subnets_are_the_project_s_own() {
        let mut project = project(FIXED);
        ephemeral_ports(&mut project);
        own_names(&mut project);
        let pool: SubnetPool = "10.200.0.0/24".parse().unwrap();
        let taken = ["10.200.0.0/25".parse().unwrap(), "10.200.0.128/28".parse().unwrap()];
        subnets(&mut project, pool, &taken, 0).unwrap();
        let web = project.services.values().next().unwrap();
        assert!(web.container_name.is_none() && web.ports.iter().all(|port| port.published.is_none()));
        let endpoint = web.networks.values().next().unwrap();
        assert_eq!(endpoint.aliases[0].value, "fixed");
        assert_eq!(endpoint.ipv4_address.as_ref().unwrap().value, Ipv4Addr::new(10, 200, 0, 151));
        let network = &project.networks.values().next().unwrap();
        assert_eq!(network.name, "p_n");
        assert_eq!(network.ipam.pools[0].subnet.as_ref().unwrap().value, "10.200.0.144/28".parse::<IpNet>().unwrap());
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let full = ["10.200.0.0/24".parse().unwrap()];
        let pool: SubnetPool = "10.200.0.0/24/28".parse().unwrap();
        let why = subnets(&mut project(FIXED), pool, &full, 3).unwrap_err();
        assert_eq!(why, "no subnet of 10.200.0.0/24/28 is free");
        let far = FIXED.replace("10.9.0.7", "10.9.0.77");
        let why = subnets(&mut project(&far), pool, &[], 3).unwrap_err();
        assert!(why.starts_with("10.9.0.77 of web has no place in 10.200.0.48/28"), "{why}");
        for bad in ["10.0.0.0", "10.0.0.0/16/30", "10.0.0.0/24/20", "x/16"] {
            assert!(bad.parse::<SubnetPool>().is_err(), "{bad}");
        }
    }
}
