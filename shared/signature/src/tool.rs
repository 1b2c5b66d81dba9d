//! The tools that packets are attributed to.

use std::fmt;

macro_rules! tools {
    ($($(#[$doc:meta])* $tool:ident = $name:literal,)*) => {
        /// A scanning tool, or what stands in for one.
        ///
        /// The order decides between tools whose marks are equally good on the same packet: it is the order that gave
        /// no wrong answer on captures of every tool here, from marks that no other tool can make to those that many
        /// can.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Tool { $($(#[$doc])* $tool,)* }

        impl Tool {
            /// Every value, in order.
            pub const ALL: &[Self] = &[$(Self::$tool),*];

            /// The name that rows carry.
            pub fn name(self) -> &'static str {
                match self { $(Self::$tool => $name),* }
            }
        }
    };
}

tools! {
    /// The Mirai worm and the many built from its scanner.
    Mirai = "mirai",
    /// Unicornscan.
    Unicornscan = "unicornscan",
    /// Yarrp, a traceroute of whole address spaces.
    Yarrp = "yarrp",
    /// XMap.
    Xmap = "xmap",
    /// ZMap.
    Zmap = "zmap",
    /// Masscan.
    Masscan = "masscan",
    /// hping3.
    Hping3 = "hping3",
    /// Nmap with packets of its own; `-sT` cannot be told from any other connect().
    Nmap = "nmap",
    /// naabu with packets of its own.
    Naabu = "naabu",
    /// dublin-traceroute.
    DublinTraceroute = "dublin-traceroute",
    /// Angry IP Scanner.
    AngryIp = "angryip",
    /// A script on Scapy that left its defaults.
    Scapy = "scapy",
    /// Nping.
    Nping = "nping",
    /// fi6s.
    Fi6s = "fi6s",
    /// scanssh.
    Scanssh = "scanssh",
    /// An operating system's own connect(): any program may be behind it.
    OsStack = "os-stack",
    /// Looked, cannot tell.
    Unknown = "unknown",
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
