//! What the probe answers.
//!
//! Shared with the static program, which writes these as JSON. Text that came from outside (hosts files, DNS, HTTP) has no control
//! character and no mark of writing direction in it: they are written out as `\u{1b}`; only an HTTP body keeps line feed and tab.
//! Times are microseconds. MAC addresses are lower-case pairs with colons.

use std::net::{IpAddr, SocketAddr};

use super::question::Family;

tagged! {
    /// An answer.
    Answer {
        /// To `Question::Namespace`.
        Namespace(Namespace) = "namespace",
        /// To `Question::Links`.
        Links(Vec<Link>) = "links",
        /// To `Question::Addresses`.
        Addresses(Vec<Address>) = "addresses",
        /// To `Question::Routes`.
        Routes(Vec<Route>) = "routes",
        /// To `Question::RouteTo`.
        Route(RouteLookup) = "route",
        /// To `Question::Neighbours`.
        Neighbours(Vec<Neighbour>) = "neighbours",
        /// To `Question::Forget`: how many there were.
        Forgotten(u32) = "forgotten",
        /// To `Question::Kind`.
        Known(bool) = "known",
        /// To `Question::MakeShim`, `RemoveShim`, `MakeVlan` and `RemoveVlan`: whether anything was changed.
        Done(bool) = "done",
        /// To `Question::Sockets`.
        Sockets(Vec<Socket>) = "sockets",
        /// To `Question::Processes`.
        Processes(Vec<Process>) = "processes",
        /// To `Question::Confines`.
        Confines(Confines) = "confines",
        /// To `Question::Chains`.
        Chains(Vec<Chain>) = "chains",
        /// To `Question::Machine`.
        Machine(Machine) = "machine",
        /// To `Question::Hosts`.
        Hosts(Vec<HostsLine>) = "hosts",
        /// To `Question::Resolver`.
        Resolver(Resolver) = "resolver",
        /// To `Question::Sysctl`.
        Sysctl(Sysctl) = "sysctl",
        /// To `Question::Lookup`.
        Lookup(Lookup) = "lookup",
        /// To `Question::Connect`, `Datagram` and `Echo`.
        Attempt(Attempt) = "attempt",
        /// To `Question::Solicit`.
        Heard(Heard) = "heard",
        /// To `Question::Http`.
        Http(Http) = "http",
        /// To `Question::Listen` and `Overhear`.
        Listening(Listening) = "listening",
        /// To any question that could not be asked: it says nothing about the network.
        Failure(Failure) = "failure",
    }
}

record! {
    /// A question could not be asked.
    Failure {
        /// The system's number, where a call failed.
        errno: Option<i32>,
        /// What was tried, and why it failed.
        message: String,
    }
}

record! {
    /// A network namespace.
    Namespace {
        /// The inode of its file: equal for containers that share it.
        inode: u64,
        /// What /etc/hostname says.
        hostname: Option<String>,
    }
}

record! {
    /// A link.
    #[derive(Default)]
    Link {
        /// Its number.
        index: u32,
        /// Its name.
        name: String,
        /// `IFLA_INFO_KIND`: `veth`, `bridge`, `macvlan`, `ipvlan`, `vlan`, `vxlan`, …; none for hardware and lo.
        kind: Option<String>,
        /// `IFLA_LINK`: the number of the parent or of the other end.
        parent: Option<u32>,
        /// `IFLA_LINK_NETNSID`: set where `parent` is a number of another namespace.
        parent_namespace: Option<i32>,
        /// `IFLA_MASTER`: the number of the bridge or bond it is a port of.
        master: Option<u32>,
        /// Its hardware address.
        mac: Option<String>,
        /// `IFLA_IFALIAS`: what somebody has written on it.
        label: Option<String>,
        /// Bytes.
        mtu: u32,
        /// `IFF_*`.
        flags: u32,
        /// `IFF_UP`: someone has set it up.
        up: bool,
        /// `IFF_LOOPBACK`.
        loopback: bool,
        /// `up`, `down`, `lower-layer-down`, `unknown`, `dormant`, `not-present`, `testing`.
        state: String,
        /// Whether there is a carrier; none where the kernel does not say.
        carrier: Option<bool>,
        /// How many want it promiscuous.
        promiscuity: u32,
        /// `bridge`, `private`, `vepa`, `passthru`, `source`.
        macvlan_mode: Option<String>,
        /// `l2`, `l3`, `l3s`.
        ipvlan_mode: Option<String>,
        /// The id of a VLAN.
        vlan: Option<u16>,
        /// The EtherType of its tag.
        tag: Option<u16>,
        /// The id of a VXLAN.
        vxlan: Option<u32>,
        /// Whether there is a wireless device behind it.
        wireless: bool,
    }
}

record! {
    /// An address of a link.
    Address {
        /// The link's number.
        index: u32,
        /// The link's name.
        device: String,
        /// The address.
        address: IpAddr,
        /// Its prefix length.
        prefix: u8,
        /// `global`, `site`, `link`, `host`.
        scope: String,
        /// Not yet usable: duplicate detection is under way.
        tentative: bool,
        /// Not usable: another machine has it.
        duplicate: bool,
    }
}

record! {
    /// A route, or one way of a route with several.
    Route {
        /// The destination, unspecified (`0.0.0.0`, `::`) with prefix 0 for the default route.
        destination: IpAddr,
        /// Its prefix length.
        prefix: u8,
        /// The next hop.
        gateway: Option<IpAddr>,
        /// The link.
        device: Option<String>,
        /// The source address that is preferred.
        source: Option<IpAddr>,
        /// The metric.
        metric: Option<u32>,
        /// The table: 254 is the main one.
        table: u32,
        /// `unicast`, `blackhole`, `unreachable`, `prohibit`, `throw`, `nat`.
        kind: String,
    }
}

record! {
    /// The route that a packet would take.
    RouteLookup {
        /// Where to.
        to: IpAddr,
        /// Why there is none.
        errno: Option<i32>,
        /// `unicast`, `local`, …
        kind: Option<String>,
        /// The next hop.
        gateway: Option<IpAddr>,
        /// The link.
        device: Option<String>,
        /// The source address.
        source: Option<IpAddr>,
    }
}

record! {
    /// A neighbour, as the kernel remembers it.
    Neighbour {
        /// The link's name.
        device: String,
        /// Its address.
        address: IpAddr,
        /// Its hardware address.
        mac: Option<String>,
        /// `reachable`, `stale`, `delay`, `probe`, `incomplete`, `failed`, `permanent`, `noarp`, `none`.
        state: String,
    }
}

words! {
    /// A transport protocol.
    Transport {
        /// TCP.
        Tcp = "tcp",
        /// UDP.
        Udp = "udp",
    }
}

record! {
    /// A TCP socket that listens or a UDP socket that is bound.
    Socket {
        /// TCP or UDP.
        transport: Transport,
        /// The address it is bound to; unspecified: all.
        address: IpAddr,
        /// The port.
        port: u16,
        /// Its inode.
        inode: u64,
        /// The user it belongs to.
        uid: u32,
        /// Its process, where asked for and seen.
        owner: Option<Process>,
    }
}

record! {
    /// A process.
    Process {
        /// Its id in the program's process namespace.
        pid: u32,
        /// Its parent's.
        parent: u32,
        /// Its `comm`.
        name: String,
        /// Its command line, at most 64 arguments of 256 bytes.
        arguments: Vec<String>,
    }
}

record! {
    /// What a process is confined to.
    Confines {
        /// Its id on the Engine's host.
        pid: u32,
        /// Its user's number inside the container.
        user: u32,
        /// Its group's.
        group: u32,
        /// Its mounts, in their order: a later one lies over an earlier one.
        mounts: Vec<Mount>,
        /// The limits of its cgroup, as far as they can be seen.
        limits: Vec<Limit>,
        /// What it may do.
        rights: Rights,
    }
}

record! {
    /// What a process may do, by /proc/PID/status. Capabilities are bits, by the numbers of include/uapi/linux/capability.h.
    Rights {
        /// The capabilities that it or a program that it runs can have at all.
        bounding: u64,
        /// Those that it has now.
        effective: u64,
        /// Those that this program can have: what the machine gives.
        ours: u64,
        /// Whether no program that it runs gives it more.
        no_new_privileges: bool,
        /// Whether a filter stands before its system calls; none where the kernel does not tell.
        filtered: Option<bool>,
    }
}

record! {
    /// A chain of the firewall that packets come to by themselves.
    Chain {
        /// `ip`, `ip6`, `inet`, or another family by its number.
        family: String,
        /// Its table.
        table: String,
        /// Its name.
        name: String,
        /// Where: `prerouting`, `input`, `forward`, `output`, `postrouting`, or another by its number.
        hook: String,
        /// Whether it drops what its rules do not decide.
        drops: bool,
    }
}

record! {
    /// What a machine says that it is (SMBIOS); empty where it says nothing.
    Machine {
        /// `/sys/class/dmi/id/sys_vendor`.
        vendor: String,
        /// `/sys/class/dmi/id/product_name`.
        product: String,
    }
}

record! {
    /// A mount.
    Mount {
        /// The path.
        target: String,
        /// The path that lies there, within its file system; `//deleted` at its end where that is gone.
        root: String,
        /// The kind of file system.
        kind: String,
        /// What that was mounted from.
        source: String,
        /// Whether it cannot be written.
        read_only: bool,
    }
}

record! {
    /// A file of a cgroup.
    Limit {
        /// Its name: `memory.max`.
        name: String,
        /// What stands in it.
        value: String,
    }
}

record! {
    /// A line of /etc/hosts that is neither empty nor a comment.
    HostsLine {
        /// The line without its comment, blanks made one.
        text: String,
        /// Its address, where it is one.
        address: Option<IpAddr>,
        /// The names, in order.
        names: Vec<String>,
    }
}

record! {
    /// What /etc/resolv.conf says.
    #[derive(Default)]
    Resolver {
        /// `nameserver`, in order.
        servers: Vec<IpAddr>,
        /// `search`, the last one.
        search: Vec<String>,
        /// `options`, all.
        options: Vec<String>,
        /// Comments: Docker tells there which servers it forwards to.
        comments: Vec<String>,
    }
}

record! {
    /// A kernel setting.
    Sysctl {
        /// Its name as asked.
        name: String,
        /// Its value; none where the kernel does not have it.
        value: Option<String>,
    }
}

words! {
    /// What became of a DNS query to one server.
    NameOutcome {
        /// There are addresses.
        Found = "found",
        /// The name exists, without addresses of this family.
        Empty = "empty",
        /// NXDOMAIN.
        NoSuchName = "no-such-name",
        /// SERVFAIL.
        ServerFailure = "server-failure",
        /// REFUSED, or another code that is no answer.
        Declined = "declined",
        /// Nothing came.
        TimedOut = "timed-out",
        /// Nothing listens at the server's port.
        NoServer = "no-server",
        /// The server cannot be reached.
        Unreachable = "unreachable",
        /// What came is not an answer.
        Malformed = "malformed",
        /// Our own side failed.
        Failed = "failed",
    }
}

record! {
    /// A query to one server.
    Asked {
        /// The server.
        server: IpAddr,
        /// What the answer came by.
        transport: Transport,
        /// What became of it.
        outcome: NameOutcome,
        /// The code in the answer.
        code: Option<u8>,
        /// The addresses, in the answer's order.
        addresses: Vec<IpAddr>,
        /// The names that the name is an alias of (CNAME), in order.
        aliases: Vec<String>,
        /// The system's number, where a call failed.
        errno: Option<i32>,
        /// Until the answer.
        micros: u64,
    }
}

record! {
    /// A name, looked up.
    Lookup {
        /// The name.
        name: String,
        /// A or AAAA.
        family: Family,
        /// What /etc/hosts says about it, in this family: looked at first by most resolvers, whatever DNS says.
        hosts: Vec<IpAddr>,
        /// The servers that were asked, in order; the last one's answer counts.
        asked: Vec<Asked>,
    }
}

words! {
    /// What became of an attempt to reach something.
    Outcome {
        /// Connected, or an answer came.
        Answered = "answered",
        /// Reached, and nothing listens there: RST, or ICMP port unreachable.
        Refused = "refused",
        /// Nothing came back.
        TimedOut = "timed-out",
        /// No route here, or a router or our own kernel says that it cannot be reached.
        Unreachable = "unreachable",
        /// Forbidden by a rule here or by a router that says so.
        Prohibited = "prohibited",
        /// Our own side failed: says nothing about the network.
        Failed = "failed",
    }
}

record! {
    /// An attempt to reach something.
    Attempt {
        /// What became of it.
        outcome: Outcome,
        /// The system's number, where a call failed.
        errno: Option<i32>,
        /// From the last try's start to its end.
        micros: u64,
        /// How many tries.
        tries: u8,
        /// The source address and port of the last try.
        from: Option<SocketAddr>,
        /// Who said that it cannot be reached, where an ICMP message tells.
        by: Option<IpAddr>,
        /// The type and code of that ICMP message.
        icmp: Option<Icmp>,
        /// The label of the listener of ours that answered.
        greeting: Option<String>,
        /// Our side's trouble, in words.
        message: Option<String>,
    }
}

record! {
    /// An ICMP message's kind.
    Icmp {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
    }
}

record! {
    /// Who answered at layer 2.
    Heard {
        /// The address that was looked for.
        target: IpAddr,
        /// The link.
        device: String,
        /// The hardware addresses that claim it, in the order heard; more than one is a conflict, none is silence.
        macs: Vec<String>,
        /// How many requests were sent.
        tries: u8,
        /// Until the first answer, or the whole wait.
        micros: u64,
    }
}

record! {
    /// An HTTP answer.
    Http {
        /// The connection.
        attempt: Attempt,
        /// The address and port that was asked, once the name was resolved.
        to: Option<SocketAddr>,
        /// What gave the address: `given`, `literal`, `hosts`, `dns`.
        resolved_by: Option<String>,
        /// The status, where an HTTP answer came.
        status: Option<u16>,
        /// The body's text, at most 64 KiB.
        body: String,
        /// Whether there was more, or the end did not come in time.
        truncated: bool,
    }
}

record! {
    /// A listener.
    Listening {
        /// The port, the same for TCP and UDP.
        port: u16,
        /// The addresses that UDP answers at.
        addresses: Vec<IpAddr>,
        /// Whether IPv6 is listened on, too.
        ipv6: bool,
    }
}

record! {
    /// An answer on its way.
    Envelope {
        /// The number that the question came with; 0 for the greeting at the start.
        id: u32,
        /// How long it took, waiting in the queue included.
        micros: u64,
        /// The answer.
        answer: Answer,
    }
}
