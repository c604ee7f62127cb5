//! What the Engine says late, in the codes of what preflight says before: a port may be taken between the look and the start.

use crate::finding::Code;

/// Parts of the Engine's messages, of 20.10 to 28.5, and the code of the same trouble. The first row that fits counts; every part of
/// a row has to be there.
const MESSAGES: &[(&[&str], Code)] = &[
    (&["port is already allocated"], Code::PortTaken),
    (&["bind", "address already in use"], Code::PortTaken),
    (&["userland proxy", "address already in use"], Code::PortTaken),
    (&["bind", "cannot assign requested address"], Code::PortTaken),
    (&["cannot expose privileged port"], Code::PortPrivileged),
    (&["port publishing and the container type network mode"], Code::PortsDiscarded),
    (&["conflicting options", "the network mode"], Code::Conflict),
    (&["conflicting options", "the container type network mode"], Code::Conflict),
    (&["conflicting options", "UTS mode"], Code::Conflict),
    (&["not allowed in host network namespace"], Code::Conflict),
    (&["not attached to default bridge network"], Code::DeadLink),
    (&["Cannot link to", "does not belong to the default network"], Code::DeadLink),
    (&["MAC to", "address already in use"], Code::MacTaken),
    // two at once on one parent: both have the address by the time that one of them is set up
    (&["failed to set link up", "address already in use"], Code::MacTaken),
    (&["MAC to", "cannot assign requested address"], Code::BadMac),
    (&["Pool overlaps with other one"], Code::SubnetOverlap),
    (&["predefined address pools have been fully subnetted"], Code::PoolsExhausted),
    (&["non-overlapping IPv4 address pool"], Code::PoolsExhausted),
    (&["non-overlapping IPv6 address pool"], Code::NoIpv6),
    (&["no available IPv4 addresses"], Code::PoolTooSmall),
    (&["no available addresses on this pool"], Code::PoolTooSmall),
    (&["no configured subnet", "contain"], Code::AddressOutside),
    (&["does not belong to any of this network's subnets"], Code::AddressOutside),
    (&["user specified IP address is supported"], Code::NoSubnet),
    (&["no matching subnet for"], Code::BadSubnet),
    (&["parent subnet", "doesn't contain"], Code::BadSubnet),
    (&["Requested address is out of range"], Code::BadSubnet),
    (&["must belong to the master pool"], Code::BadSubnet),
    (&["invalid subnet : invalid CIDR"], Code::NoSubnet),
    (&["Invalid subnet  : invalid CIDR"], Code::NoSubnet),
    (&["invalid subnet"], Code::BadSubnet),
    (&["Invalid subnet"], Code::BadSubnet),
    (&["Address already in use"], Code::AddressTaken),
    (&["vlan id must be between"], Code::BadVlan),
    (&["unable to parse a valid vlan id"], Code::BadVlan),
    (&["required interface name format is: name.vlan_id"], Code::BadVlan),
    (&["loopback interface is not a valid", "parent link"], Code::BadParent),
    (&["requested", "mode", "is not valid", "mode is the"], Code::BadDriverOption),
    (&["numerical result out of range"], Code::NameTooLong),
    (&["invalid subinterface vlan name"], Code::ParentMissing),
    (&["parent interface", "not found"], Code::ParentMissing),
    (&["not manually attachable"], Code::SwarmNeeded),
    (&["network with name", "already exists"], Code::ForeignResource),
    (&["network", "is ambiguous"], Code::NameTaken),
    (&["vlan link", "operation not supported"], Code::DriverMissing),
    (&["failed to create the", "port", "operation not supported"], Code::DriverMissing),
    (&["failed to create the", "port", "device or resource busy"], Code::ParentBusy),
    (&["failed to create the macvlan port", "invalid argument"], Code::ParentBusy),
    (&["only one instance of"], Code::Conflict),
    (&["get: no such volume"], Code::Conflict),
    (&["invalid reference format"], Code::BadName),
    (&["nvalid isolation"], Code::BadValue),
    (&["already using parent interface"], Code::ParentShared),
    (&["networks have same bridge name"], Code::BridgeTaken),
    (&["existing interface", "is not a bridge"], Code::BridgeTaken),
    (&["No such image"], Code::ImageMissing),
    (&["pull access denied"], Code::ImageMissing),
    (&["manifest unknown"], Code::ImageMissing),
    (&["is already in use by container"], Code::NameTaken),
    (&["non running container"], Code::ContainerMissing),
    (&["No such container"], Code::ContainerMissing),
    (&["network", "not found"], Code::NetworkMissing),
    (&["bind source path does not exist"], Code::SourceMissing),
    (&["failed to mount local volume", "no such file or directory"], Code::SourceMissing),
    (&["failed to mount local volume", "not a directory"], Code::SourceKind),
    (&["Are you trying to mount a directory onto a file"], Code::SourceKind),
    (&["mkdir", "not a directory"], Code::SourceKind),
    (&["error gathering device information"], Code::DeviceMissing),
    (&["so it can never be healthy"], Code::NeverHealthy),
    (&["is still in use"], Code::StillUsed),
    (&["exec format error"], Code::PlatformMismatch),
    (&["not a swarm manager"], Code::SwarmNeeded),
];

/// The code of what the Engine said; none where preflight has no such rule.
pub fn code(message: &str) -> Option<Code> {
    let fits = |(parts, _): &&(&[&str], Code)| parts.iter().all(|part| message.contains(part));
    MESSAGES.iter().find(fits).map(|(_, code)| *code)
}

/// Codes that the Engine has one sentence for.
const ALIKE: &[&[Code]] =
    &[&[Code::AddressTaken, Code::AddressReserved], &[Code::ParentMissing, Code::BadVlan, Code::NameTooLong]];

/// What else the Engine's sentence for a code may mean.
pub fn alike(code: Code) -> &'static [Code] {
    ALIKE.iter().find(|codes| codes.contains(&code)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_engines_were_seen_to_say_has_its_code() {
        let said = [
            ("Bind for 0.0.0.0:18080 failed: port is already allocated", Code::PortTaken),
            ("failed to bind host port for 0.0.0.0:18099:172.17.0.6:80/tcp: address already in use", Code::PortTaken),
            ("listen tcp4 0.0.0.0:8080: bind: address already in use", Code::PortTaken),
            (
                "failed to bind host port for 192.0.2.77:80:10.0.0.2:80/tcp: cannot assign requested address",
                Code::PortTaken,
            ),
            (
                "error setting interface \"veth6a2780e\" MAC to \"02:42:0a:00:00:02\": address already in use",
                Code::MacTaken,
            ),
            (
                "failed to add interface veth25a0d02 to sandbox: failed to set link up: address already in use",
                Code::MacTaken,
            ),
            ("invalid reference format: repository name must be lowercase", Code::BadName),
            ("Invalid isolation: \"hyperv\" - linux only supports 'default'", Code::BadValue),
            ("invalid isolation (hyperv): linux only supports 'default'", Code::BadValue),
            ("invalid pool request: Pool overlaps with other one on this address space", Code::SubnetOverlap),
            ("failed to set up container networking: Address already in use", Code::AddressTaken),
            ("no configured subnet or ip-range contain the IP address 10.98.2.5", Code::AddressOutside),
            ("failed to create the ipvlan port: operation not supported", Code::DriverMissing),
            ("failed to create the macvlan port: device or resource busy", Code::ParentBusy),
            ("failed to create the macvlan port: invalid argument", Code::ParentBusy),
            ("only one instance of \"host\" network is allowed", Code::Conflict),
            ("-o parent interface was not found on the host: nope0", Code::ParentMissing),
            ("conflicts with network 5d7 (docker0): networks have same bridge name", Code::BridgeTaken),
            (
                "cannot join network namespace of a non running container: container n2 is exited",
                Code::ContainerMissing,
            ),
            ("failed to set up container networking: network nv-nope not found", Code::NetworkMissing),
            ("auxiliary address: (a:10.0.2.1) must belong to the master pool: 10.0.1.0/24", Code::BadSubnet),
            ("failed to allocate gateway (10.0.2.1): Requested address is out of range", Code::BadSubnet),
            ("network x is ambiguous (2 matches found on name)", Code::NameTaken),
            ("Could not attach to network x: not manually attachable", Code::SwarmNeeded),
            ("numerical result out of range", Code::NameTooLong),
        ];
        for (message, wanted) in said {
            assert_eq!(code(message), Some(wanted), "{message}");
        }
        assert_eq!(code("exec: \"nosuch\": executable file not found in $PATH"), None);
    }
}
