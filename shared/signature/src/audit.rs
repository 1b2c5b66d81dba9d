//! What marks give away of destination addresses that someone has rewritten.
//!
//! Several tools write the destination, or part of it, into fields that anonymisers leave alone; whoever gets the
//! rewritten capture can compute those fields backwards. [`LEAKS`] says how. A value computed backwards means something
//! only where it agrees with itself over more packets than chance allows, which [`Audit`] finds out for an input.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::packet::{Kind, Kinds, Packet};
use crate::pattern::{Divisor, Pool};
use crate::rules;

/// One way in which packets tell their true destination.
#[derive(Debug)]
pub struct Leak {
    /// The rule whose relation is turned around, or another name where none is.
    pub rule: &'static str,
    /// What is told, for people.
    pub tells: &'static str,
    /// Bits of the destination that a packet tells.
    pub bits: u32,
    /// Whether the value is told up to a constant that one known address reveals.
    pub masked: bool,
    kinds: Kinds,
    /// Whether a packet looks as the tool's do: what is left to tell it by when the relation no longer holds.
    looks: fn(&Packet) -> bool,
    /// What packets of one run of one source share besides.
    run: fn(&Packet) -> u32,
    /// The value that the packet tells, in the lower bits, the destination's order kept.
    value: fn(&Packet) -> u32,
    /// The same of the destination as it stands.
    of_dst: fn(u32) -> u32,
}

/// Every relation that gives part of an IPv4 destination away.
pub static LEAKS: &[Leak] = &[
    Leak {
        rule: "masscan-ip-id",
        tells: "the low 16 bits of dst_ip: ip_id ^ dst_port ^ tcp_seq",
        bits: 16,
        masked: false,
        kinds: Kinds::of(&[Kind::Syn4]),
        looks: |p| p.ttl_from_255() && p.plain_ip() && p.ack == 0 && matches!(p.win, 0 | 1024 | 1025),
        run: |p| p.win.into(),
        value: |p| rules::masscan_low_bits(p).into(),
        of_dst: |dst| dst & 0xffff,
    },
    Leak {
        rule: "masscan-udp",
        tells: "the low 16 bits of dst_ip: ip_id ^ dst_port ^ the payload's cookie",
        bits: 16,
        masked: false,
        kinds: Kinds::of(&[Kind::Udp4]),
        looks: |p| p.ttl_from_255() && p.plain_ip() && rules::masscan_udp_cookie(p).is_some(),
        run: |p| p.sport.into(),
        value: |p| (p.id ^ p.dport ^ rules::masscan_udp_cookie(p).unwrap_or(0)).into(),
        of_dst: |dst| dst & 0xffff,
    },
    Leak {
        rule: "mirai-seq",
        tells: "dst_ip: tcp_seq",
        bits: 32,
        masked: false,
        kinds: Kinds::of(&[Kind::Syn4]),
        looks: |p| p.bare() && p.ttl_from_64() && p.plain_ip() && p.ack == 0 && p.sport >= 1024,
        // A scanner process keeps both.
        run: |p| u32::from(p.sport) << 16 | u32::from(p.win),
        value: |p| p.seq,
        of_dst: |dst| dst,
    },
    Leak {
        rule: "unicornscan-key",
        tells: "dst_ip, exclusive or a constant of the run: tcp_seq ^ ports, octets swapped",
        bits: 32,
        masked: true,
        kinds: Kinds::of(&[Kind::Syn4]),
        looks: |p| p.df && p.ttl_from_64() && p.ack == 0,
        run: |p| p.win.into(),
        value: |p| (rules::unicornscan_key(p) ^ p.dst4().swap_bytes()).swap_bytes(),
        of_dst: |dst| dst,
    },
    Leak {
        rule: "yarrp-sport",
        tells: "the 16-bit Internet checksum of dst_ip: src_port",
        bits: 16,
        masked: false,
        kinds: Kinds::of(&[Kind::Syn4, Kind::Tcp4, Kind::Udp4]),
        looks: |p| p.ttl > 0 && p.ttl <= 32 && u16::from(p.ttl) <= p.id & 0xff && p.id & 0xff <= 32,
        run: |p| (p.id >> 8).into(),
        value: |p| p.sport.into(),
        of_dst: |dst| rules::yarrp_checksum(IpAddr::V4(dst.into())).swap_bytes().into(),
    },
    Leak {
        rule: "yarrp-ack",
        tells: "dst_ip: tcp_ack with octets swapped",
        bits: 32,
        masked: false,
        kinds: Kinds::of(&[Kind::Tcp4]),
        looks: |p| p.flags.letters() == "A" && p.ttl <= 32 && p.bare(),
        run: |p| p.win.into(),
        value: |p| p.ack.swap_bytes(),
        of_dst: |dst| dst,
    },
];

/// Why a told value is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It is the destination as it stands: that part of the address was not rewritten.
    Unchanged,
    /// It differs from the destination as it stands by one constant: the addresses were masked.
    Masked,
    /// Several packets to one rewritten destination tell the same value, and no others tell it.
    Repeated,
    /// The values of different destinations share their upper bits, as addresses of one network do.
    Network,
}

impl How {
    /// As a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Masked => "masked",
            Self::Repeated => "repeated",
            Self::Network => "network",
        }
    }
}

/// What one relation gives away of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// Why it is believed.
    pub how: How,
    /// Sources whose packets tell.
    pub sources: u64,
    /// Packets that tell.
    pub packets: u64,
    /// Destinations, as they stand, that are told.
    pub dsts: u64,
    /// The told values' first.
    pub value: u32,
    /// How many upper bits of it all told values share.
    pub shared: u32,
}

/// Bits of agreement that chance must be beaten by: 2^-40, for a million runs.
const ENOUGH: u32 = 40;
/// Upper bits that the addresses of a network are expected to share at least.
const NETWORK: u32 = 8;
/// Values remembered per run.
const TARGETS: usize = 512;
/// Runs remembered; packets of further ones are counted as not looked at.
const RUNS: usize = 1 << 16;

/// Looks through packets for values that give rewritten destinations away. Memory: about 10 KiB for each source that
/// sends what looks like one of these tools, at most 65536 of them.
#[derive(Debug, Default)]
pub struct Audit {
    runs: BTreeMap<(usize, IpAddr, u32), Run>,
    quotes: Quotes,
    pools: BTreeMap<IpAddr, Pool>,
    input: Divisor,
    /// Packets that were not looked at for want of memory.
    pub passed_over: u64,
}

/// What one run of one source has told.
#[derive(Debug)]
struct Run {
    packets: u64,
    first: u32,
    last: u32,
    /// Bits in which values differ from the first.
    differing: u32,
    /// Difference between value and destination as it stands, of the first packet.
    mask: u32,
    same_mask: u64,
    unchanged: u64,
    /// The destination, as it stands, of each value: if values are true destinations, rewriting has made one of each.
    targets: BTreeMap<u32, Target>,
    repeated: u64,
    contradicted: u64,
    /// Packets whose value is less than that of the one before.
    falls: u64,
}

/// The packet that told a value first.
#[derive(Debug)]
struct Target {
    dst: u32,
    copy_mark: u16,
}

impl Run {
    fn new(value: u32, mask: u32) -> Self {
        Self {
            packets: 0,
            first: value,
            last: value,
            differing: 0,
            mask,
            same_mask: 0,
            unchanged: 0,
            targets: BTreeMap::new(),
            repeated: 0,
            contradicted: 0,
            falls: 0,
        }
    }

    fn see(&mut self, packet: &Packet, value: u32, mask: u32) {
        let (dst, copy_mark) = (packet.dst4(), packet.copy_mark());
        self.packets += 1;
        self.differing |= value ^ self.first;
        self.same_mask += u64::from(mask == self.mask);
        self.unchanged += u64::from(mask == 0);
        self.falls += u64::from(value < self.last);
        self.last = value;
        match self.targets.get(&value) {
            Some(told) if told.dst != dst => self.contradicted += 1,
            // The same packet once more tells nothing new.
            Some(told) => self.repeated += u64::from(told.copy_mark != copy_mark),
            None if self.targets.len() < TARGETS => {
                self.targets.insert(value, Target { dst, copy_mark });
            }
            None => {}
        }
    }

    fn how(&self, leak: &Leak) -> Option<How> {
        let enough = |count: u64, bits: u32| count.saturating_mul(bits.into()) >= ENOUGH.into();
        if self.unchanged * 10 >= self.packets * 9 && enough(self.unchanged, leak.bits) && !leak.masked {
            return Some(How::Unchanged);
        }
        let values = self.targets.len() as u64;
        if values < 3 || self.contradicted * 10 > self.packets {
            return None;
        }
        let masked = self.same_mask * 10 >= self.packets * 9;
        if masked && enough(self.same_mask.saturating_sub(1), leak.bits) {
            return Some(How::Masked);
        }
        let shared = self.shared(leak);
        // As many bits as a value has beyond those that tell which of the values it repeats.
        let beyond = leak.bits - values.ilog2().min(leak.bits);
        if enough(self.repeated, beyond) && (leak.bits < 32 || shared >= NETWORK) {
            return Some(How::Repeated);
        }
        // Counters share their upper bits too, but they only rise.
        let is_counter = self.falls * 8 < self.packets;
        (shared >= NETWORK && enough(values - 1, shared) && !is_counter).then_some(How::Network)
    }

    /// Upper bits that all values share.
    fn shared(&self, leak: &Leak) -> u32 {
        (self.differing.leading_zeros() + leak.bits).saturating_sub(32)
    }
}

impl Audit {
    /// Takes a packet in.
    pub fn see(&mut self, packet: &Packet) {
        let dst = packet.dst4();
        if packet.dst.is_ipv4() {
            self.input.see(dst);
        }
        if rules::may_be_pool(packet) && (self.pools.len() < RUNS || self.pools.contains_key(&packet.src())) {
            self.pools.entry(packet.src()).or_default().see(dst);
        }
        for (number, leak) in LEAKS.iter().enumerate() {
            if !leak.kinds.has(packet.kind) || !(leak.looks)(packet) {
                continue;
            }
            let value = (leak.value)(packet);
            let mask = value ^ (leak.of_dst)(dst);
            let key = (number, packet.src(), (leak.run)(packet));
            if self.runs.len() >= RUNS && !self.runs.contains_key(&key) {
                self.passed_over += 1;
                continue;
            }
            self.runs.entry(key).or_insert_with(|| Run::new(value, mask)).see(packet, value, mask);
        }
    }

    /// Takes in an ICMP error to `dst` that quotes a packet from `quoted_src`: the same address, unless only one of
    /// the two was rewritten.
    pub fn see_quote(&mut self, dst: IpAddr, quoted_src: IpAddr) {
        if dst == quoted_src {
            self.quotes.alike += 1;
        } else {
            self.quotes.unlike += 1;
        }
    }

    /// Sources that are one of a pool by the destinations as they stand, and the size of the pool: the remainder of
    /// every destination modulo this size was not rewritten, and tells which source was to probe it.
    pub fn pools(&self) -> BTreeMap<u32, u64> {
        let mut sizes = BTreeMap::new();
        for size in self.pools.values().filter_map(|pool| pool.size(&self.input)) {
            *sizes.entry(size).or_insert(0) += 1;
        }
        sizes
    }

    /// ICMP errors by whether they quote the address they were sent to.
    pub fn quotes(&self) -> Quotes {
        self.quotes
    }

    /// What each relation gives away, by why it is believed.
    pub fn findings(&self) -> Vec<(&'static Leak, Finding)> {
        let mut sums: BTreeMap<(usize, How), Sum> = BTreeMap::new();
        for ((number, src, _), run) in &self.runs {
            if let Some(how) = run.how(&LEAKS[*number]) {
                let first = Sum { value: run.first, ..Sum::default() };
                sums.entry((*number, how)).or_insert(first).add(*src, run);
            }
        }
        sums.into_iter()
            .map(|((number, how), sum)| (&LEAKS[number], sum.finding(how, &LEAKS[number])))
            .collect()
    }
}

/// ICMP errors by whether they quote the address they were sent to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quotes {
    /// Those that do.
    pub alike: u64,
    /// Those that quote another address.
    pub unlike: u64,
}

impl Quotes {
    /// Whether the quotes were left as they were while the headers were rewritten: routers that translate addresses
    /// forget a quote now and then, but not most of them.
    pub fn give_away(self) -> bool {
        self.unlike >= 3 && self.unlike > self.alike
    }
}

/// What the runs of one relation tell together.
#[derive(Debug, Default)]
struct Sum {
    packets: u64,
    sources: BTreeSet<IpAddr>,
    dsts: BTreeSet<u32>,
    value: u32,
    differing: u32,
}

impl Sum {
    fn add(&mut self, src: IpAddr, run: &Run) {
        self.packets += run.packets;
        self.sources.insert(src);
        self.dsts.extend(run.targets.values().map(|target| target.dst));
        self.differing |= run.differing | (run.first ^ self.value);
    }

    fn finding(&self, how: How, leak: &Leak) -> Finding {
        Finding {
            how,
            sources: self.sources.len() as u64,
            packets: self.packets,
            dsts: self.dsts.len() as u64,
            value: self.value,
            shared: (self.differing.leading_zeros() + leak.bits).saturating_sub(32),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector;

    fn audit(texts: &[String]) -> Vec<(&'static str, How, u32)> {
        let mut audit = Audit::default();
        texts.iter().for_each(|text| audit.see(&vector::packet(text)));
        audit.findings().into_iter().map(|(leak, f)| (leak.rule, f.how, f.shared)).collect()
    }

    /// Masscan's probes to 198.18.1.0/24, with each destination put through `map` afterwards.
    fn masscan(map: fn(u32) -> u32) -> Vec<String> {
        let mut seq = 12_345u32;
        let probe = |i: u32| {
            seq = seq.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (dst, port) = (0xc612_0100 + i % 40, 80u16);
            let id = dst as u16 ^ port ^ seq as u16;
            let dst = std::net::Ipv4Addr::from(map(dst));
            format!("tcp 192.0.2.1 40000 > {dst} {port} S len=40 ttl=240 id={id} seq={seq} win=1024")
        };
        (0..60).map(probe).collect()
    }

    #[test]
    fn masks_do_not_hide() {
        assert_eq!(audit(&masscan(|dst| dst)), [("masscan-ip-id", How::Unchanged, 10)]);
        assert_eq!(audit(&masscan(|dst| dst ^ 0x1234_5678)), [("masscan-ip-id", How::Masked, 10)]);
        assert_eq!(
            audit(&masscan(|dst| dst.wrapping_mul(2_654_435_761))),
            [("masscan-ip-id", How::Repeated, 10)]
        );
    }

    /// Packets that look like a tool's but carry something else give nothing away.
    #[test]
    fn others_tell_nothing() {
        let constant =
            |i: u32| format!("tcp 192.0.2.1 40000 > 10.0.0.{i} 80 S len=40 ttl=64 id=7 seq=99 win=1024");
        assert_eq!(audit(&(0..100).map(constant).collect::<Vec<_>>()), []);
        let counting = |i: u32| {
            let port = 40_000 + i;
            format!("tcp 192.0.2.1 {port} > 10.0.0.{i} 80 S len=40 ttl=64 id={i} seq={i} win=65534")
        };
        assert_eq!(audit(&(0..100).map(counting).collect::<Vec<_>>()), []);
    }
}
