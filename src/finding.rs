//! What is wrong, or worth knowing, about the user's files and the user's world: collected, never thrown.

use std::collections::BTreeSet;
use std::fmt;

use indexmap::IndexSet;

use crate::source::Span;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing will fail.
    Note,
    /// What is written may not do what is meant.
    Warning,
    /// It cannot work.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

macro_rules! codes {
    ($($variant:ident = $text:literal, $about:literal;)*) => {
        /// What kind of finding it is: stable, searchable, the same in every format.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $about] $variant,)* }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The word that is printed in brackets.
            pub fn text(self) -> &'static str {
                match self { $(Code::$variant => $text,)* }
            }

            /// One sentence that says what it means.
            pub fn about(self) -> &'static str {
                match self { $(Code::$variant => $about,)* }
            }
        }
    };
}

// The one table of codes. Grouped by the stage that finds them; add a row where it belongs.
codes! {
    // reading
    FileNotFound = "file-not-found", "A file that was named, or that had to be there, is not.";
    FileUnreadable = "file-unreadable", "A file is there and cannot be read as text.";
    AmbiguousFile = "ambiguous-file", "Several files of the names that are searched for lie side by side.";
    YamlSyntax = "yaml-syntax", "The text is not YAML.";
    DuplicateKey = "duplicate-key", "A mapping has the same key twice.";
    BadKey = "bad-key", "A key is not text, or has white space in it that cannot be seen.";
    YamlBudget = "yaml-budget", "Aliases, nesting, ranges or variables would grow beyond what a stack can need.";
    BadMerge = "bad-merge", "A merge key (`<<`) has a value that cannot be merged.";
    BadAnchor = "bad-anchor", "An alias names no anchor, or its own.";
    BadTag = "bad-tag", "A value is not what its tag says.";
    DotenvSyntax = "dotenv-syntax", "A line of an environment file cannot be read.";
    // interpolation
    BadInterpolation = "bad-interpolation", "A `$` is followed by what is not a variable.";
    RequiredVariable = "required-variable", "A variable that the file requires is not set.";
    UnsetVariable = "unset-variable", "A variable is not set and became a blank string.";
    // structure
    UnknownKey = "unknown-key", "The Compose Specification has no such key here.";
    WrongType = "wrong-type", "The value has another shape than the attribute takes.";
    BadValue = "bad-value", "The value cannot be understood.";
    NotSupported = "not-supported", "bowline does not do this yet, and does not pretend to.";
    NoEffect = "no-effect", "The attribute speaks to Swarm or to Windows, and does nothing here.";
    MissingKey = "missing-key", "An attribute that is needed is not there.";
    Obsolete = "obsolete", "The attribute has no effect any more.";
    BadName = "bad-name", "A name has characters that are not allowed.";
    BadExtends = "bad-extends", "What is extended is not there, or extends itself.";
    BadInclude = "bad-include", "What is included cannot be.";
    // all of them
    TooMany = "too-many", "There are more findings of a severity than are listed.";
    // consistency
    UndefinedReference = "undefined-reference", "Something is named that the file does not define.";
    DependencyCycle = "dependency-cycle", "Services wait for each other in a circle.";
    Conflict = "conflict", "Two attributes contradict each other.";
    NotPlaced = "not-placed", "A service is to run on no host, or on two.";
    AcrossHosts = "across-hosts", "What one host keeps to itself is to reach over to another.";
    NoProject = "no-project", "There is no stack file, or it defines no service.";
    // lint: what the Engine would refuse, or do otherwise than meant
    BadSubnet = "bad-subnet", "A subnet, range, gateway or auxiliary address does not fit.";
    SubnetOverlap = "subnet-overlap", "Two networks claim the same addresses.";
    AddressOutside = "address-outside", "A static address lies in no subnet of its network.";
    AddressTaken = "address-taken", "An address is given twice, or is the gateway's.";
    AddressReserved = "address-reserved", "An address is the network's, the broadcast's or reserved.";
    NoSubnet = "no-subnet", "A static address needs a subnet that the file declares.";
    PoolTooSmall = "pool-too-small", "A network has fewer addresses than its services need.";
    BadMac = "bad-mac", "A MAC address cannot be given to an interface.";
    MacTaken = "mac-taken", "A MAC address is given twice on one wire.";
    PortTaken = "port-taken", "A host port is published twice, or is held already.";
    PortsDiscarded = "ports-discarded", "Ports are published where nothing can be.";
    NameTaken = "name-taken", "A container, network or volume name is used twice.";
    AliasAmbiguous = "alias-ambiguous", "A name means several services on one network.";
    DeadLink = "dead-link", "A link can never resolve.";
    NeverHealthy = "never-healthy", "Somebody waits for a health that is never reported.";
    BadParent = "bad-parent", "The parent of a macvlan or ipvlan network cannot be one.";
    ParentShared = "parent-shared", "Several networks hang on one parent, and share its wire.";
    BadVlan = "bad-vlan", "A VLAN id or the name of its link does not fit.";
    BadDriverOption = "bad-driver-option", "A driver option is unknown, or its value is.";
    NameTooLong = "name-too-long", "A link name has more than 15 bytes.";
    BadVerifyRule = "bad-verify-rule", "A rule of x-verify cannot be read, or contradicts the file.";
    BadWatch = "bad-watch", "An entry of develop.watch cannot be followed.";
    PublicSubnet = "public-subnet", "A subnet of public addresses hides real hosts.";
    // planning: what is there and stays
    Orphan = "orphan", "A container of the project belongs to no service of the file.";
    LenderMissing = "lender-missing", "A service shares the namespace or the volumes of one that has no container.";
    OtherDirectory = "other-directory", "A container that is to go was brought up from another directory of the same name.";
    StillUsed = "still-used", "A network or a volume stays, because somebody who stays uses it.";
    VolumeDiffers = "volume-differs", "A volume is not as declared, and is kept for what is in it.";
    // preflight: what this Engine and this host would refuse
    ImageMissing = "image-missing", "An image is not there, and could not be had.";
    NetworkMissing = "network-missing", "An external network is not there.";
    VolumeMissing = "volume-missing", "An external volume is not there.";
    ContainerMissing = "container-missing", "A container outside the project is needed and is not there.";
    ForeignResource = "foreign-resource", "A name is held by something that is not of this project.";
    ApiTooOld = "api-too-old", "The Engine's API is older than an attribute needs.";
    SourceMissing = "source-missing", "The source of a bind mount is not there.";
    SourceKind = "source-kind", "The source of a bind mount is a file where a directory is meant, or the other way round.";
    ParentMissing = "parent-missing", "The host has no link of the parent's name.";
    ParentAuto = "parent-auto", "What `parent: auto` of a trunk comes to on the Engine's host.";
    ParentDown = "parent-down", "The parent link is down.";
    ParentBusy = "parent-busy", "The parent link is a port of another, or has children of another kind.";
    SwarmNeeded = "swarm-needed", "An overlay network needs a Swarm manager.";
    ParentWireless = "parent-wireless", "The parent of a macvlan network is wireless.";
    ParentFiltered = "parent-filtered", "The network behind a parent takes no frames of MACs that it did not give out.";
    LanMismatch = "lan-mismatch", "A network has other addresses than the wire that its parent leads to.";
    GatewaySilent = "gateway-silent", "Nobody on a parent's wire answers for the gateway of a network.";
    ParentPromiscuous = "parent-promiscuous", "The parent takes other frames than the file says.";
    PortPrivileged = "port-privileged", "A port is below those that an Engine without root may open.";
    PoolsExhausted = "pools-exhausted", "The Engine has no subnet left for a network that declares none.";
    BridgeTaken = "bridge-taken", "The name of a bridge is held by another network or link.";
    BadMtu = "bad-mtu", "Packets would be larger than the host's link takes.";
    NoIpv6 = "no-ipv6", "A network asks for IPv6, which this Engine or its host does not give.";
    HostFirewall = "host-firewall", "A firewall of the Engine's host, or the lack of one, is not what the file counts on.";
    KernelSetting = "kernel-setting", "A setting of the host's kernel defeats what the file asks for.";
    MemoryShort = "memory-short", "The file asks for more memory than the Engine's host has.";
    DiskShort = "disk-short", "The Engine's disk has less room than the file asks for, or next to none.";
    PlatformMismatch = "platform-mismatch", "An image is for another processor or system.";
    DeviceMissing = "device-missing", "A device is not there.";
    DriverMissing = "driver-missing", "The Engine or the kernel has no such driver.";
}

impl Code {
    /// Whether it says that a value could not be read, or its variables not be replaced.
    fn is_of_reading(self) -> bool {
        matches!(self, Self::BadKey | Self::BadAnchor | Self::BadTag | Self::BadInterpolation | Self::RequiredVariable)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// One finding: what, where, where else, and the way out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Finding {
    /// Its kind.
    pub code: Code,
    /// How grave.
    pub severity: Severity,
    /// One lowercase sentence without a full stop, with the names in it.
    pub message: String,
    /// The place that is cited first.
    pub at: Option<Span>,
    /// What the first place is labelled with.
    pub label: Option<String>,
    /// Further places, each with its label.
    pub also: Vec<(Span, String)>,
    /// The way out, concrete.
    pub help: Option<String>,
    /// A replacement of a span that would mend it.
    pub patch: Option<(Span, String)>,
}

impl Finding {
    /// A finding without a place yet.
    pub fn new(severity: Severity, code: Code, message: impl Into<String>) -> Self {
        Self { code, severity, message: message.into(), at: None, label: None, also: vec![], help: None, patch: None }
    }

    /// An error.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// A warning.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// A note.
    pub fn note(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, message)
    }

    /// Cites `span`.
    pub fn at(mut self, span: Span) -> Self {
        self.at = Some(span);
        self
    }

    /// Cites `span` when there is one.
    pub fn maybe_at(mut self, span: Option<Span>) -> Self {
        self.at = span;
        self
    }

    /// Says something at the cited place.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Cites a further place.
    pub fn also(mut self, span: Span, label: impl Into<String>) -> Self {
        self.also.push((span, label.into()));
        self
    }

    /// Says the way out.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Offers a replacement of the text at `span`.
    pub fn patch(mut self, span: Span, text: impl Into<String>) -> Self {
        self.patch = Some((span, text.into()));
        self
    }
}

/// How many findings of one severity are kept: more than a person reads, and a file made to fail cannot fill the memory.
pub const FINDING_LIMIT: usize = 1000;

/// Findings in the order in which they were made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    all: IndexSet<Finding>,
    counts: [usize; 3],
}

impl Findings {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one, unless the very same is there already, or [`FINDING_LIMIT`] are.
    pub fn push(&mut self, finding: Finding) {
        let severity = finding.severity;
        if self.is_full(severity) || !self.all.insert(finding) {
            return;
        }
        self.counts[severity as usize] += 1;
        if self.is_full(severity) {
            let message = format!("{FINDING_LIMIT} {severity}s were found; if there are more, they are not listed");
            self.all.insert(Finding::note(Code::TooMany, message));
        }
    }

    /// Whether further findings of a severity are dropped: what is costly to say need not be looked for.
    pub fn is_full(&self, severity: Severity) -> bool {
        self.counts[severity as usize] >= FINDING_LIMIT
    }

    /// Adds all of another's.
    pub fn append(&mut self, other: Findings) {
        other.all.into_iter().for_each(|f| self.push(f));
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.counts[Severity::Error as usize] > 0
    }

    /// Sorts by place: file, then byte; those without a place come last; stable otherwise.
    pub fn sort(&mut self) {
        self.all.sort_by(|a, b| (a.at.is_none(), a.at).cmp(&(b.at.is_none(), b.at)));
    }

    /// The codes of the errors.
    pub fn errors(&self) -> BTreeSet<Code> {
        self.all.iter().filter(|f| f.severity == Severity::Error).map(|f| f.code).collect()
    }

    /// Whether an error lies within a place.
    pub fn has_error_within(&self, place: Span) -> bool {
        self.all.iter().any(|f| f.severity == Severity::Error && f.at.is_some_and(|at| at.is_within(place)))
    }

    /// Drops errors about the shape or the content of a value that was wrong before it had one: what an alias of nothing,
    /// a variable that is not set, or a key that is no text left behind.
    pub fn drop_consequences(&mut self) {
        let is_cause = |f: &&Finding| f.severity == Severity::Error && f.code.is_of_reading();
        let mut causes: Vec<Span> = self.all.iter().filter(is_cause).filter_map(|f| f.at).collect();
        causes.sort();
        let touches = |at: Span| {
            let from = causes.partition_point(|c| c.start < at.start);
            let within = causes[from..].iter().take_while(|c| c.start <= at.end).any(|c| c.is_within(at));
            within || causes[..from].last().is_some_and(|c| at.is_within(*c))
        };
        let of_shape = |code| matches!(code, Code::WrongType | Code::BadValue | Code::MissingKey | Code::BadMerge);
        let outer = |at: Span, code| code == Code::BadKey && causes.iter().any(|c| at.is_within(*c) && *c != at);
        self.retain(|f| f.at.is_none_or(|at| !(of_shape(f.code) && touches(at) || outer(at, f.code))));
    }

    /// Drops the errors, for a command that none of them stands in the way of.
    pub fn drop_errors(&mut self) {
        self.retain(|f| f.severity != Severity::Error);
    }

    fn retain(&mut self, stays: impl Fn(&Finding) -> bool) {
        self.all.retain(stays);
        self.counts = [0; 3];
        self.all.iter().for_each(|f| self.counts[f.severity as usize] += 1);
    }

    /// All of them.
    pub fn iter(&self) -> indexmap::set::Iter<'_, Finding> {
        self.all.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = indexmap::set::IntoIter<Finding>;
    fn into_iter(self) -> Self::IntoIter {
        self.all.into_iter()
    }
}

/// How many candidates are looked at, and how many bytes a word may have.
const CANDIDATES: usize = 2000;
const WORD: usize = 100;

/// The candidate that is nearest to a mistyped `word`, when one is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > WORD {
        return None;
    }
    let word: Vec<char> = word.to_lowercase().chars().collect();
    let mut limit = (word.len() / 3).clamp(1, 3);
    let mut rows = Rows::default();
    let mut best = None;
    for candidate in candidates.into_iter().take(CANDIDATES).filter(|c| c.len() <= WORD) {
        let Some(distance) = rows.distance(&word, candidate, limit) else { continue };
        best = Some(candidate);
        if distance == 0 {
            break;
        }
        limit = distance - 1;
    }
    best
}

/// The rows of the table of distances, used again for each candidate.
#[derive(Default)]
struct Rows {
    candidate: Vec<char>,
    before: Vec<usize>,
    above: Vec<usize>,
    row: Vec<usize>,
}

impl Rows {
    /// The number of insertions, deletions, replacements and swaps of neighbours between two words, case ignored; none where
    /// it is above the limit, which most pairs show after a row or two.
    fn distance(&mut self, word: &[char], candidate: &str, limit: usize) -> Option<usize> {
        let Self { candidate: b, before, above, row } = self;
        b.clear();
        b.extend(candidate.chars().flat_map(char::to_lowercase));
        if word.len().abs_diff(b.len()) > limit {
            return None;
        }
        above.clear();
        above.extend(0..=b.len());
        for (i, &c) in word.iter().enumerate() {
            row.clear();
            row.push(i + 1);
            for (j, &d) in b.iter().enumerate() {
                let replaced = above[j] + usize::from(c != d);
                let least = replaced.min(above[j + 1] + 1).min(row[j] + 1);
                let swap = i > 0 && j > 0 && c == b[j - 1] && word[i - 1] == d;
                row.push(if swap { least.min(before[j - 1] + 1) } else { least });
            }
            if row.iter().all(|distance| *distance > limit) {
                return None; // no row has less than the one above it
            }
            std::mem::swap(before, above);
            std::mem::swap(above, row);
        }
        above.last().copied().filter(|distance| *distance <= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_offered_and_a_far_one_is_not() {
        let keys = ["image", "ports", "networks", "network_mode"];
        assert_eq!(nearest("netwroks", keys), Some("networks"));
        assert_eq!(nearest("imgae", keys), Some("image"));
        assert_eq!(nearest("volumes", keys), None);
    }

    #[test]
    fn every_code_has_a_text_of_its_own() {
        let texts: std::collections::BTreeSet<_> = Code::ALL.iter().map(|c| c.text()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
    }
}
