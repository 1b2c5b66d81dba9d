//! What a rule is.

use probeline_record::{Field, Proto, field};

use crate::packet::{Facts, Kinds, Packet};
use crate::tool::Tool;
use crate::traits::Traits;

/// One mark of one tool: everything that is known about it, in one entry of the [table](crate::RULES).
#[derive(Debug)]
pub struct Rule {
    /// Its name in `tool_rule`: lower-case words joined by `-`, the tool's first.
    pub id: &'static str,
    /// The tool that leaves it.
    pub tool: Tool,
    /// What is tested.
    pub test: Test,
    /// What a match is worth.
    pub weight: Weight,
    /// Kinds of packet that can be asked.
    pub kinds: Kinds,
    /// Traits of every packet that can match: of a rule with a condition, of every packet that satisfies it; of a rule
    /// about two packets, of both. No other packets are asked.
    pub of: Traits,
    /// The test in words and in the names of the columns.
    pub says: &'static str,
    /// Columns without which it cannot be asked, beside addresses and protocol.
    pub needs: &'static [&'static Field],
    /// Versions of the tool that leave the mark, for people.
    pub versions: &'static str,
    /// What a match tells about the version, for `tool_version`.
    pub tells: Option<&'static str>,
    /// How far it has been checked.
    pub basis: Basis,
    /// Where the mark comes from: source file of the tool at a commit, or a paper.
    pub source: &'static str,
    /// Packets of one source that match: each, or the last one where the rule needs several. Written
    /// `[@ts] proto src [port] > dst [port] [FLAGS] name=value …`; what is not given is 0 or absent, and
    /// `payload=length:octets` gives the length by the header and the octets captured; `a|b|c` stands for a packet with
    /// each in turn.
    pub positive: &'static [&'static str],
    /// The same for packets that do not match, though nearly.
    pub near_miss: &'static [&'static str],
}

/// How a rule looks at packets.
#[derive(Clone, Copy, Debug)]
pub enum Test {
    /// At one packet alone.
    Packet(fn(&Packet) -> bool),
    /// At one packet alone, and only at packets of which the first function holds.
    PacketIf(fn(&Packet) -> bool, fn(&Packet) -> bool),
    /// At a packet and the one of the source right before it, both of one kind, of which the first function holds.
    Pair(fn(&Facts, &Facts) -> bool, fn(&Facts, &Facts) -> bool),
    /// At a value that all packets of one run share.
    Key(Key),
    /// At what many packets of a source have in common in another way.
    Source(Pattern),
}

/// A value that all packets of one run share, and others by chance only.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The value of a packet; `None` where the rule does not apply to it.
    pub value: fn(&Facts) -> Option<u64>,
    /// What must differ between two packets for them to count as two.
    pub differs: fn(&Facts) -> u64,
    /// Bits of the value: two unrelated packets share it with a chance of 2 to the minus this.
    pub bits: u32,
}

/// Patterns over many packets of a source that need state of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Time to live drawn anew for each packet from a narrow range.
    TtlSpread,
    /// Destinations that leave one remainder: the share of one address of a pool of sources.
    Pool,
    /// Successive values of the C library's random numbers from a seed that is the second of the start.
    RandStream,
    /// A source port made of the time of the start.
    StartPort,
    /// Masscan's relation, missed by one value in the packets of several sources.
    Moved,
    /// The source port of packets that carry a mark, on packets that have no room for it.
    SamePort,
}

/// What a match is worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Weight {
    /// A relation that unrelated packets satisfy by chance only: the chance, for fields that are uniform.
    Mark(f64),
    /// Fields as the tool sets them, which others may set alike. Names the tool only as `possible`; as `probable`
    /// where a number of packets is given, and the source has sent so many that match.
    Shape(Option<u32>),
    /// Says more about a packet that another rule has named, and names nothing itself.
    Detail,
}

/// How far a rule has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// On packets captured from the tool.
    Packets,
    /// Read in the tool's source only.
    Source,
    /// Observed or documented by others.
    Literature,
}

impl Basis {
    /// As a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Packets => "packets",
            Self::Source => "source",
            Self::Literature => "literature",
        }
    }
}

impl Rule {
    /// What it looks at: `packet`, `pair` or `session`.
    pub fn scope(&self) -> &'static str {
        match self.test {
            Test::Packet(_) | Test::PacketIf(..) => "packet",
            Test::Pair(..) => "pair",
            Test::Key(_) | Test::Source(_) => "session",
        }
    }

    /// The columns without which it finds nothing: those it reads, and the one that tells its kind of packet.
    pub fn columns(&self) -> impl Iterator<Item = &'static Field> {
        let kind = match self.kinds.transport() {
            Some(Proto::TCP) => Some(&field::TCP_FLAGS),
            Some(Proto::ICMP) => Some(&field::ICMP_TYPE),
            _ => None,
        };
        let kind = kind.filter(|kind| self.needs.iter().all(|field| field.name != kind.name));
        kind.into_iter().chain(self.needs.iter().copied())
    }

    /// Chance that an unrelated packet (or pair) matches; `None` for what is no matter of chance.
    pub fn chance(&self) -> Option<f64> {
        match (self.weight, self.test) {
            (_, Test::Key(key)) => Some(2f64.powi(-(key.bits as i32))),
            (Weight::Mark(chance), _) => Some(chance),
            _ => None,
        }
    }
}

/// 2 to the minus `bits`.
pub(crate) const fn bits(bits: u32) -> f64 {
    1.0 / (1u64 << bits) as f64
}
