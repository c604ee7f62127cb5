//! The rules that say, from the file alone, who reaches whom (reference `network.md` 4.4).

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! rules {
    ($($variant:ident = $text:literal, $about:literal;)*) => {
        /// A rule of the reachability matrix. Its text is printed behind every cell and every verdict that it gives.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule { $(#[doc = $about] $variant,)* }

        impl Rule {
            /// Every rule, in order.
            pub const ALL: &'static [Rule] = &[$(Rule::$variant,)*];

            /// `R2a`.
            pub fn text(self) -> &'static str {
                match self { $(Rule::$variant => $text,)* }
            }

            /// One sentence.
            pub fn about(self) -> &'static str {
                match self { $(Rule::$variant => $about,)* }
            }
        }
    };
}

rules! {
    R0 = "R0", "One network namespace: everything in it reaches everything in it.";
    R1 = "R1", "`network_mode: none` has no link but lo: it reaches nobody, and nobody reaches it.";
    R2a = "R2a", "Members of one bridge reach each other on every port.";
    R2b = "R2b", "`enable_icc: false` parts the members of a bridge above layer 2.";
    R2c = "R2c", "Macvlan children of one network: mode bridge joins them, private parts them, vepa leaves it to the switch.";
    R2d = "R2d", "Ipvlan children of one network reach each other, unless the flag is private or vepa.";
    R2e = "R2e", "Members of one overlay reach each other, on every node.";
    R2f = "R2f", "Several common networks: one that carries is enough.";
    R3a = "R3a", "Two bridges are parted by the Engine's firewall.";
    R3c = "R3c", "An internal network has no way out, and no way in.";
    R3d = "R3d", "Between a bridge and a macvlan or ipvlan network stands a gateway that the file does not know.";
    R3e = "R3e", "Networks on one parent without a VLAN share its wire: layer 2 joins them, layer 3 needs a router.";
    R3f = "R3f", "VLANs of one trunk are parted at layer 2; a router may join them at layer 3.";
    R3g = "R3g", "Different parents: the cables and switches behind them are not in the file.";
    R4 = "R4", "From a service to the host: a bridge leads there, a macvlan or ipvlan child never does.";
    R5 = "R5", "From the host to a service: every bridge is open to it, a macvlan or ipvlan child never is.";
    R6 = "R6", "From outside: published ports answer, container addresses do not.";
    R7 = "R7", "To the internet: only where the file declares it.";
    R8 = "R8", "Names are known to the members of a network, and link aliases to their owner.";
    Unknown = "R?", "The network's driver or options are not in the file.";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}
