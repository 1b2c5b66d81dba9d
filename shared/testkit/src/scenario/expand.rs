//! From the entries of a scenario file to its packets.

use std::net::IpAddr;

use super::Stamped;
use super::model::{Entry, From, Id, IdWord, Model, Ports, Proto, Seq, SeqWord, Sweep, Then};
use crate::packet::hex;
use crate::{Packet, TcpOption, addresses, ports};

/// All packets in order of time; the sort is stable, so the file decides between those of one instant.
pub(super) fn packets(model: &Model) -> Vec<Stamped> {
    let mut out = Vec::new();
    for (number, entry) in model.packets.iter().chain(&model.scan).enumerate() {
        expand(model, number as u64, entry, &mut out);
    }
    out.sort_by_key(|packet| packet.nanos);
    out
}

/// One probe of an entry: who to whom, and the numbers that its packets carry.
struct Probe {
    src: IpAddr,
    dst: IpAddr,
    src_port: u16,
    dst_port: u16,
    seq: u32,
    id: u16,
    answer_seq: u32,
}

fn expand(model: &Model, number: u64, entry: &Entry, out: &mut Vec<Stamped>) {
    let start = model.start.0 + entry.at.0;
    if let Some(digits) = &entry.hex {
        let bytes = hex(digits);
        for round in 0..u64::from(entry.times) {
            out.push(stamped(start + round * entry.every.0, bytes.clone(), entry.cut, None));
        }
        return;
    }
    let mut index = 0;
    for round in 0..u64::from(entry.times) {
        let mut at = start + round * entry.every.0;
        for (src, dst, dst_port) in targets(entry) {
            let probe = probe(entry, number, index, src, dst, dst_port);
            let packet = build(entry, &probe).link(model.link);
            let mut push = |at: u64, packet: &Packet| {
                out.push(stamped(at, packet.bytes(), entry.cut, Some(packet.clone())));
            };
            if !entry.unseen {
                push(at, &packet);
                for delay in &entry.retransmit {
                    push(at + delay.0, &packet);
                }
            }
            let mut conversation = Conversation::after(entry, &probe);
            for then in entry.then.iter().filter(|then| concerns(then, &probe)) {
                push(at + then.after.0, &conversation.next(entry, then, &probe, &packet).link(model.link));
            }
            index += 1;
            at += entry.interval.0;
        }
    }
}

fn stamped(nanos: u64, mut bytes: Vec<u8>, cut: Option<usize>, packet: Option<Packet>) -> Stamped {
    let wire_len = bytes.len();
    bytes.truncate(cut.unwrap_or(wire_len));
    Stamped { nanos, bytes, wire_len, packet }
}

/// Every (source, destination, port) of an entry: source by source, then in the order of the sweep.
fn targets(entry: &Entry) -> Vec<(IpAddr, IpAddr, u16)> {
    let side = |list: &Option<String>, name| {
        addresses(list.as_deref().unwrap_or_else(|| panic!("an entry without '{name}' and without 'hex'")))
    };
    let (srcs, dsts) = (side(&entry.src, "src"), side(&entry.dst, "dst"));
    let dst_ports = port_list(entry.dst_port.as_ref(), 0);
    let mut out = Vec::new();
    for src in &srcs {
        match entry.sweep {
            Sweep::Addresses => {
                out.extend(dst_ports.iter().flat_map(|port| dsts.iter().map(move |dst| (*src, *dst, *port))));
            }
            Sweep::Ports => {
                out.extend(dsts.iter().flat_map(|dst| dst_ports.iter().map(move |port| (*src, *dst, *port))));
            }
        }
    }
    out
}

fn port_list(list: Option<&Ports>, default: u16) -> Vec<u16> {
    match list {
        None => vec![default],
        Some(Ports::One(port)) => vec![*port],
        Some(Ports::List(list)) => ports(list),
    }
}

fn probe(entry: &Entry, number: u64, index: u64, src: IpAddr, dst: IpAddr, dst_port: u16) -> Probe {
    let src_ports = port_list(entry.src_port.as_ref(), 40000);
    let seq = match &entry.seq {
        Some(Seq::Number(seq)) => *seq,
        Some(Seq::Word(SeqWord::Dst)) => low_word(dst),
        None => mix(number << 33 | index << 1),
    };
    let id = match &entry.id {
        Some(Id::Number(id)) => *id,
        Some(Id::Word(IdWord::Masscan)) => (low_word(dst) ^ u32::from(dst_port) ^ seq) as u16,
        Some(Id::Word(IdWord::Counter)) => index as u16,
        None => 0,
    };
    let src_port = src_ports[usize::try_from(index).unwrap() % src_ports.len()];
    Probe { src, dst, src_port, dst_port, seq, id, answer_seq: mix(number << 33 | index << 1 | 1) }
}

fn low_word(ip: IpAddr) -> u32 {
    match ip {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => u128::from(v6) as u32,
    }
}

/// A number that looks random and is always the same: the finaliser of SplitMix64.
fn mix(number: u64) -> u32 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) as u32
}

fn build(entry: &Entry, probe: &Probe) -> Packet {
    let (src, dst) = (probe.src, probe.dst);
    let mut packet = match &entry.proto {
        Proto::Number(number) => Packet::ip(src, dst, *number),
        Proto::Name(name) => match name.as_str() {
            "tcp" => {
                let mut packet = Packet::tcp(src, probe.src_port, dst, probe.dst_port)
                    .flags(entry.flags.as_deref().unwrap_or("S"))
                    .seq(probe.seq)
                    .ack(entry.ack.unwrap_or(0))
                    .win(entry.win.unwrap_or(1024));
                if let Some(options) = &entry.options {
                    packet = packet.options(TcpOption::list(options));
                }
                packet
            }
            "udp" => Packet::udp(src, probe.src_port, dst, probe.dst_port),
            "icmp" => {
                let [kind, code] = entry.icmp.unwrap_or([if src.is_ipv4() { 8 } else { 128 }, 0]);
                Packet::icmp(src, dst, kind, code)
                    .icmp_id(entry.icmp_id.unwrap_or(0))
                    .icmp_seq(entry.icmp_seq.unwrap_or(0))
            }
            "sctp" => Packet::sctp(src, probe.src_port, dst, probe.dst_port, entry.chunk.unwrap_or(1)),
            other => panic!("'{other}' is none of tcp, udp, icmp, sctp and no number"),
        },
    };
    packet = packet.id(probe.id);
    if entry.false_checksum {
        packet = packet.false_checksum();
    }
    if let Some(vlan) = entry.vlan {
        packet = packet.vlan(vlan);
    }
    packet = common(packet, entry.ttl, entry.tos, entry.df);
    // A fragment never carries the don't-fragment bit, so this comes after `df`.
    if let Some(fragment) = &entry.fragment {
        packet = packet.fragment(fragment.offset, fragment.more);
    }
    match payload(entry.payload.as_deref(), entry.payload_hex.as_deref()) {
        Some(payload) => packet.payload(payload),
        None => packet,
    }
}

fn common(mut packet: Packet, ttl: Option<u8>, tos: Option<u8>, df: Option<bool>) -> Packet {
    if let Some(ttl) = ttl {
        packet = packet.ttl(ttl);
    }
    if let Some(tos) = tos {
        packet = packet.tos(tos);
    }
    if let Some(df) = df {
        packet = packet.df(df);
    }
    packet
}

fn payload(text: Option<&str>, digits: Option<&str>) -> Option<Vec<u8>> {
    match (text, digits) {
        (Some(_), Some(_)) => panic!("a payload is text or hexadecimal digits, not both"),
        (Some(text), None) => Some(text.as_bytes().to_vec()),
        (None, Some(digits)) => Some(hex(digits)),
        (None, None) => None,
    }
}

fn concerns(then: &Then, probe: &Probe) -> bool {
    then.ports.as_deref().is_none_or(|list| ports(list).contains(&probe.dst_port))
        && then.dsts.as_deref().is_none_or(|list| addresses(list).contains(&probe.dst))
}

/// The next sequence number of either side, so that what follows a probe is a true TCP conversation.
struct Conversation {
    src_next: u32,
    dst_next: u32,
}

impl Conversation {
    fn after(entry: &Entry, probe: &Probe) -> Self {
        let payload = payload(entry.payload.as_deref(), entry.payload_hex.as_deref()).unwrap_or_default();
        let flags = entry.flags.as_deref().unwrap_or("S");
        Self { src_next: advance(probe.seq, flags, payload.len()), dst_next: probe.answer_seq }
    }

    fn next(&mut self, entry: &Entry, then: &Then, probe: &Probe, first: &Packet) -> Packet {
        let reply = then.from == From::Dst;
        let (src, dst) = if reply { (probe.dst, probe.src) } else { (probe.src, probe.dst) };
        let (src_port, dst_port) =
            if reply { (probe.dst_port, probe.src_port) } else { (probe.src_port, probe.dst_port) };
        let src = then.sender.as_deref().map_or(src, |sender| addresses(sender)[0]);
        let payload = payload(then.payload.as_deref(), then.payload_hex.as_deref());
        let mut packet = if let Some([kind, code]) = then.icmp {
            let packet = Packet::icmp(src, dst, kind, code);
            if is_icmp_error(src, kind) {
                // RFC 1812 §4.3.2.3: as much as fits without the error exceeding 576 bytes; RFC 4443: 1280.
                packet.quoting(first, if src.is_ipv4() { 548 } else { 1232 })
            } else {
                packet.icmp_id(entry.icmp_id.unwrap_or(0)).icmp_seq(entry.icmp_seq.unwrap_or(0))
            }
        } else if matches!(&entry.proto, Proto::Name(name) if name == "udp") {
            Packet::udp(src, src_port, dst, dst_port)
        } else {
            let flags = then.flags.as_deref().expect("what follows a TCP probe has 'flags' or 'icmp'");
            let (mine, other) =
                if reply { (&mut self.dst_next, self.src_next) } else { (&mut self.src_next, self.dst_next) };
            // A reset that answers a segment without ACK has sequence number 0 (RFC 9293 §3.10.7.1).
            let answers_syn = reply && flags.contains('R') && flags.contains('A');
            let seq = if answers_syn { 0 } else { *mine };
            *mine = advance(*mine, flags, payload.as_ref().map_or(0, Vec::len));
            let mut packet = Packet::tcp(src, src_port, dst, dst_port).flags(flags).seq(seq);
            if flags.contains('A') {
                packet = packet.ack(other);
            }
            if let Some(options) = &then.options {
                packet = packet.options(TcpOption::list(options));
            }
            packet.win(then.win.unwrap_or(if flags.contains('R') { 0 } else { 64240 }))
        };
        packet = common(packet, then.ttl, then.tos, then.df);
        match payload {
            Some(payload) => packet.payload(payload),
            None => packet,
        }
    }
}

fn advance(seq: u32, flags: &str, payload: usize) -> u32 {
    let counted = u32::from(flags.contains('S')) + u32::from(flags.contains('F'));
    seq.wrapping_add(counted).wrapping_add(payload as u32)
}

/// Whether the message carries the packet it is about: RFC 792 types 3, 4, 5, 11, 12; RFC 4443 types below
/// 128.
fn is_icmp_error(src: IpAddr, kind: u8) -> bool {
    if src.is_ipv4() { matches!(kind, 3 | 4 | 5 | 11 | 12) } else { kind < 128 }
}
