//! The words of the probe and session rows.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every value, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word that rows carry.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

words! {
    /// What a flow is to the one who watches.
    Class {
        /// An unsolicited attempt to learn something.
        Scan = "scan",
        /// A reply to something the telescope never sent.
        Backscatter = "backscatter",
        /// Sent by the telescope, or a reply to it.
        Response = "response",
        /// Neither: mid-stream data, transit, link-local noise.
        Other = "other",
    }
}

words! {
    /// How a scan probes. The TCP names are those of Nmap's manual, chapter "Port Scanning Techniques".
    Technique {
        /// A SYN whose handshake was not completed: half-open, or a closed port.
        Syn = "syn",
        /// A SYN whose three-way handshake was completed.
        Connect = "connect",
        /// FIN alone.
        Fin = "fin",
        /// FIN, PSH and URG.
        Xmas = "xmas",
        /// No flag at all.
        Null = "null",
        /// FIN and ACK (Uriel Maimon, Phrack 49).
        Maimon = "maimon",
        /// ACK alone; the window scan is the same on the wire.
        Ack = "ack",
        /// A combination that RFC 9293 never sends.
        OddFlags = "odd-flags",
        /// A UDP datagram that is no known reply.
        Udp = "udp",
        /// ICMP or ICMPv6 echo request.
        IcmpEcho = "icmp-echo",
        /// ICMP timestamp request.
        IcmpTimestamp = "icmp-timestamp",
        /// ICMP address mask request.
        IcmpMask = "icmp-mask",
        /// ICMP information request.
        IcmpInfo = "icmp-info",
        /// SCTP INIT chunk.
        SctpInit = "sctp-init",
        /// SCTP COOKIE ECHO chunk.
        SctpCookieEcho = "sctp-cookie-echo",
        /// Any other IP protocol.
        IpProto = "ip-proto",
    }
}

words! {
    /// What became of a three-way handshake (RFC 9293 §3.5) that a SYN began.
    Handshake {
        /// Nothing came back.
        None = "none",
        /// SYN/ACK, then RST from the source: the true half-open scan.
        Reset = "reset",
        /// SYN/ACK, then nothing in time.
        Unanswered = "unanswered",
        /// SYN/ACK, then ACK.
        Completed = "completed",
        /// RST from the other side.
        Refused = "refused",
    }
}

words! {
    /// Who made the SYN, as far as its options tell.
    SynStack {
        /// The option layout of an operating system's own connect().
        Os = "os",
        /// No options, or MSS alone: crafted by a scanner.
        Raw = "raw",
    }
}

words! {
    /// The shape of a session.
    Geometry {
        /// One address, one port.
        Point = "point",
        /// Several addresses, one port.
        Horizontal = "horizontal",
        /// One address, several ports.
        Vertical = "vertical",
        /// Several addresses and several ports.
        Block = "block",
    }
}

words! {
    /// Why a session ended.
    ClosedBy {
        /// Its anchored or aligned window was over.
        Window = "window",
        /// No probe for the gap.
        Gap = "gap",
        /// It had lasted as long as is allowed.
        MaxAge = "max_age",
        /// The input ended while it could still have grown.
        Eof = "eof",
        /// Memory was needed for others.
        Evicted = "evicted",
    }
}

words! {
    /// Evidence for a class, and marks that a reader may filter by. In the order in which rows list them.
    Reason {
        /// To a multicast or broadcast address.
        Multicast = "multicast",
        /// From or to a link-local or unspecified address.
        LinkLocal = "link-local",
        /// Neither from nor to the telescope.
        Transit = "transit",
        /// The header that would tell was not captured.
        NoHeader = "no-header",
        /// SYN/ACK without a SYN.
        SynAck = "syn-ack",
        /// RST without a flow.
        Rst = "rst",
        /// By the rules asked for (`--backscatter`): TCP that is no SYN, and so a reply.
        NotSyn = "not-syn",
        /// Flags of an established connection, without its beginning.
        MidStream = "mid-stream",
        /// A payload, or an answer that a scan does not get.
        Conversation = "conversation",
        /// DNS response (RFC 1035 §4.1.1).
        DnsReply = "dns-reply",
        /// NTP server, control or private response (RFC 5905 §7.3, RFC 9327 §2).
        NtpReply = "ntp-reply",
        /// NetBIOS name service response (RFC 1002 §4.2.1.1).
        NetbiosReply = "netbios-reply",
        /// SSDP search response (UPnP device architecture).
        SsdpReply = "ssdp-reply",
        /// SIP response (RFC 3261 §7.2).
        SipReply = "sip-reply",
        /// IKE message with a responder's SPI (RFC 7296 §3.1).
        IkeReply = "ike-reply",
        /// SNMP response (RFC 3416 §4.2.4).
        SnmpReply = "snmp-reply",
        /// ONC RPC reply (RFC 5531 §9).
        RpcReply = "rpc-reply",
        /// memcached reply.
        MemcachedReply = "memcached-reply",
        /// STUN response (RFC 8489 §5).
        StunReply = "stun-reply",
        /// Character generator, which sends only in reply (RFC 864).
        ChargenReply = "chargen-reply",
        /// Quote of the day, which sends only in reply (RFC 865).
        QotdReply = "qotd-reply",
        /// ICMP reply without a request.
        IcmpReply = "icmp-reply",
        /// As the flow itself: an ICMP error about a packet nobody here sent. On a scan: an ICMP error answered it.
        IcmpError = "icmp-error",
        /// Router and neighbour discovery, multicast listener reports and the like.
        IcmpControl = "icmp-control",
        /// SCTP reply chunk without a request.
        SctpReply = "sctp-reply",
        /// A regular SYN behind an irregular one (Spoki, USENIX Security 2022).
        TwoPhase = "two-phase",
        /// A SYN with data.
        Payload = "payload",
        /// Source or destination port 0.
        PortZero = "port-zero",
        /// Source and destination are the same address.
        SrcIsDst = "src-is-dst",
        /// The source cannot be on the Internet (RFC 6890).
        BogonSrc = "bogon-src",
        /// An ICMP error answered this scan.
        AnsweredByIcmpError = "icmp-error",
        /// Written while it still went on, for its age.
        MaxAge = "max-age",
        /// Written while it still went on, for the memory.
        Evicted = "evicted",
    }
}

/// A set of [`Reason`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reasons(u64);

impl Reasons {
    /// Adds one.
    pub fn add(&mut self, reason: Reason) {
        self.0 |= 1 << reason as u32;
    }

    /// Adds one if the condition holds.
    pub fn add_if(&mut self, condition: bool, reason: Reason) {
        self.0 |= u64::from(condition) << reason as u32;
    }

    /// Takes one away.
    pub fn remove(&mut self, reason: Reason) {
        self.0 &= !(1 << reason as u32);
    }

    /// Whether it is in the set.
    pub fn has(self, reason: Reason) -> bool {
        self.0 >> reason as u32 & 1 == 1
    }

    /// A bit for each, the lowest for the first.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The words, in order.
    pub fn iter(self) -> impl Iterator<Item = Reason> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let next = left.trailing_zeros();
            left &= left.wrapping_sub(1);
            Reason::ALL.get(next as usize).copied()
        })
    }

    /// Appends the words joined by `;`.
    pub fn write(self, out: &mut Vec<u8>) {
        for (i, reason) in self.iter().enumerate() {
            if i > 0 {
                out.push(b';');
            }
            out.extend_from_slice(reason.name().as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_in_order() {
        let mut reasons = Reasons::default();
        reasons.add(Reason::Evicted);
        reasons.add(Reason::Multicast);
        reasons.add_if(false, Reason::Payload);
        let mut text = Vec::new();
        reasons.write(&mut text);
        assert_eq!(text, b"multicast;evicted");
        assert!(reasons.has(Reason::Evicted) && !reasons.has(Reason::Payload));
        assert!(Reason::ALL.len() <= 64);
        for (i, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, i);
        }
    }
}
