//! Signatures of a SYN in the notations that others use.

use probeline_record::text::write_uint;

use crate::packet::{Facts, Kind, Lacks};

/// A notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// p0f v3 (its README, "Signature format"): `ver:ittl:olen:mss:wsize,scale:olayout:quirks:pclass`.
    P0f,
    /// MuonFP: `window:options:mss:scale`.
    MuonFp,
}

/// Appends the signature of a packet with these options (kinds joined by `-`), and returns whether there is one: only a
/// SYN whose options were captured has.
pub fn write_signature(facts: &Facts, options: &[u8], notation: Notation, out: &mut Vec<u8>) -> bool {
    let is_syn = matches!(facts.kind, Kind::Syn4 | Kind::Syn6);
    let is_whole = facts.lacks == Lacks::default() && !(options.is_empty() && facts.room() > 0);
    if !is_syn || !is_whole {
        return false;
    }
    match notation {
        Notation::P0f => p0f(facts, options, out),
        Notation::MuonFp => muonfp(facts, options, out),
    }
    true
}

/// The kinds in order.
fn kinds(options: &[u8]) -> impl Iterator<Item = u64> {
    options.split(|b| *b == b'-').filter_map(probeline_record::text::parse_uint)
}

fn p0f(f: &Facts, options: &[u8], out: &mut Vec<u8>) {
    let known: u32 = kinds(options).map(octets).sum();
    // What is left of the room is padding where the options end with kind 0, else IP options or extension headers.
    let left = f.room().saturating_sub(known);
    let padded = kinds(options).any(|kind| kind == 0);
    out.push(if f.dst.is_ipv4() { b'4' } else { b'6' });
    out.push(b':');
    write_uint(initial_ttl(f.ttl).into(), out);
    out.push(b':');
    write_uint(if padded { 0 } else { left.into() }, out);
    out.push(b':');
    write_uint(f.mss.unwrap_or(0).into(), out);
    out.push(b':');
    write_uint(f.win.into(), out);
    out.push(b',');
    write_uint(f.wscale.unwrap_or(0).into(), out);
    out.push(b':');
    for (i, kind) in kinds(options).enumerate() {
        if i > 0 {
            out.push(b',');
        }
        match kind {
            0 => {
                out.extend_from_slice(b"eol+");
                write_uint(left.into(), out);
                break;
            }
            1 => out.extend_from_slice(b"nop"),
            2 => out.extend_from_slice(b"mss"),
            3 => out.extend_from_slice(b"ws"),
            4 => out.extend_from_slice(b"sok"),
            5 => out.extend_from_slice(b"sack"),
            8 => out.extend_from_slice(b"ts"),
            _ => {
                out.push(b'?');
                write_uint(kind, out);
            }
        }
    }
    out.push(b':');
    quirks(f, out);
    out.push(b':');
    out.push(if f.payload_len == 0 { b'0' } else { b'+' });
}

/// Octets of an option on a SYN: a SACK has no blocks there, and of unknown ones only kind and length are counted.
fn octets(kind: u64) -> u32 {
    match kind {
        0 | 1 => 1,
        2 => 4,
        3 => 3,
        8 => 10,
        _ => 2,
    }
}

/// The usual initial value at or above the one seen.
fn initial_ttl(ttl: u8) -> u8 {
    match ttl {
        0..=32 => 32,
        33..=64 => 64,
        65..=128 => 128,
        129.. => 255,
    }
}

/// Quirks, in p0f's order, as far as the columns of a row tell them: not the must-be-zero bit, the flow label, the
/// urgent pointer, the echoed timestamp and what stands behind the end of options.
fn quirks(f: &Facts, out: &mut Vec<u8>) {
    let v4 = f.dst.is_ipv4();
    let flag = |letter: char| f.flags.letters().contains(letter);
    let ecn = f.tos & 3 != 0 || flag('E') || flag('C');
    let own_timestamp_zero = f.tsval == Some(0);
    let scale_too_large = f.wscale.is_some_and(|scale| scale > 14);
    let found = [
        (v4 && f.df, "df"),
        (v4 && f.df && f.id != 0, "id+"),
        (v4 && !f.df && f.id == 0, "id-"),
        (ecn, "ecn"),
        (f.seq == 0, "seq-"),
        (f.ack != 0, "ack+"),
        (own_timestamp_zero, "ts1-"),
        (scale_too_large, "exws"),
    ];
    for (i, (_, quirk)) in found.iter().filter(|(holds, _)| *holds).enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.extend_from_slice(quirk.as_bytes());
    }
}

fn muonfp(f: &Facts, options: &[u8], out: &mut Vec<u8>) {
    write_uint(f.win.into(), out);
    out.push(b':');
    // Kind 0 ends the list.
    let end = kinds(options).position(|kind| kind == 0).map_or(usize::MAX, |at| at + 1);
    for (i, kind) in kinds(options).take(end).enumerate() {
        if i > 0 {
            out.push(b'-');
        }
        write_uint(kind, out);
    }
    out.push(b':');
    f.mss.into_iter().for_each(|mss| write_uint(mss.into(), out));
    out.push(b':');
    f.wscale.into_iter().for_each(|scale| write_uint(scale.into(), out));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector;

    fn signature(text: &str, options: &str, notation: Notation) -> Option<String> {
        let mut out = Vec::new();
        let packet = vector::packet(text);
        let is = write_signature(packet.facts(), options.as_bytes(), notation, &mut out);
        is.then(|| String::from_utf8(out).unwrap())
    }

    /// The signatures that the laboratory's captures have, as p0f's syntax gives them.
    #[test]
    fn p0f_signatures() {
        for (packet, options, expected) in [
            (
                "tcp 198.18.0.1 45193 > 198.18.1.235 80 S len=52 ttl=54 id=21661 seq=1 win=65535 opts=2-1-3-1-1-4 mss=1460 ws=8",
                "2-1-3-1-1-4",
                "4:64:0:1460:65535,8:mss,nop,ws,nop,nop,sok::0",
            ),
            (
                "tcp 198.18.0.1 45193 > 198.18.1.235 80 S len=64 ttl=54 id=21661 seq=1 win=65535 opts=2-1-3-1-1-8-4-0 mss=1460 ws=6 tsval=9",
                "2-1-3-1-1-8-4-0",
                "4:64:0:1460:65535,6:mss,nop,ws,nop,nop,ts,sok,eol+1::0",
            ),
            (
                "tcp 198.18.0.1 2752 > 198.18.2.5 80 S len=40 ttl=64 id=27977 seq=1975252899 ack=2137123257 win=512",
                "",
                "4:64:0:0:512,0::ack+:0",
            ),
            (
                "tcp 198.18.0.1 56028 > 198.18.2.6 199 S len=60 ttl=64 df=1 id=41848 seq=2942207570 win=64240 opts=2-4-8-1-3 mss=1460 ws=10 tsval=1510834103",
                "2-4-8-1-3",
                "4:64:0:1460:64240,10:mss,sok,ts,nop,ws:df,id+:0",
            ),
            (
                "tcp 2001:db8:f::1 16384 > 2001:db8:d::60 22 S len=64 ttl=250 win=4096 payload=4:00",
                "",
                "6:255:0:0:4096,0::seq-:+",
            ),
        ] {
            assert_eq!(signature(packet, options, Notation::P0f).as_deref(), Some(expected));
        }
    }

    #[test]
    fn muonfp_signatures() {
        let nmap = "tcp 198.18.0.1 62170 > 198.18.2.5 143 S len=44 ttl=49 seq=1 win=1024 opts=2 mss=1460";
        assert_eq!(signature(nmap, "2", Notation::MuonFp).as_deref(), Some("1024:2:1460:"));
        let bare = "tcp 198.18.0.1 62170 > 198.18.2.5 143 S len=40 ttl=49 seq=1 win=1024";
        assert_eq!(signature(bare, "", Notation::MuonFp).as_deref(), Some("1024:::"));
        let bsd = "tcp 192.0.2.1 1 > 198.18.1.2 80 S len=64 ttl=4 win=9 opts=2-1-3-1-1-8-4-0-0 mss=1460 ws=6 tsval=9";
        assert_eq!(
            signature(bsd, "2-1-3-1-1-8-4-0-0", Notation::MuonFp).as_deref(),
            Some("9:2-1-3-1-1-8-4-0:1460:6")
        );
    }

    #[test]
    fn what_was_not_captured_has_none() {
        let cut = "tcp 198.18.0.1 62170 > 198.18.2.5 143 S len=60 ttl=49 seq=1 win=1024";
        assert_eq!(signature(cut, "", Notation::P0f), None);
        let ack = "tcp 198.18.0.1 62170 > 198.18.2.5 143 A len=40 ttl=49 seq=1 win=1024";
        assert_eq!(signature(ack, "", Notation::P0f), None);
    }
}
