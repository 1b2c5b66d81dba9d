//! From a packet's fields to the octets of its Ethernet frame, lengths and checksums right.

use std::net::IpAddr;

/// One packet to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet {
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    /// TTL or hop limit as seen.
    pub(crate) ttl: u8,
    /// IPv4 only.
    pub(crate) id: u16,
    pub(crate) df: bool,
    pub(crate) body: Body,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Body {
    Tcp(Tcp),
    Udp(Udp),
    Icmp(Icmp),
    /// An ICMP error: type and code in IPv4, and the packet it quotes, which went from the error's destination.
    Error {
        kind: u8,
        code: u8,
        quoted: Quoted,
    },
    /// SCTP INIT with this tag, window, and numbers of streams.
    Init {
        src_port: u16,
        dst_port: u16,
        tag: u32,
        tsn: u32,
    },
    /// Another protocol, with so many zero octets behind the IP header.
    Other {
        proto: u8,
        len: u8,
    },
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tcp {
    pub(crate) src_port: u16,
    pub(crate) dst_port: u16,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) flags: u8,
    pub(crate) window: u16,
    pub(crate) options: Options,
    pub(crate) payload: &'static [u8],
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Udp {
    pub(crate) src_port: u16,
    pub(crate) dst_port: u16,
    /// The first two octets of the payload, where they are not those of `payload`.
    pub(crate) head: Option<u16>,
    pub(crate) payload: &'static [u8],
    /// Without a checksum, as IPv4 allows (RFC 768).
    pub(crate) unsummed: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Icmp {
    /// Type in IPv4.
    pub(crate) kind: u8,
    pub(crate) id: u16,
    pub(crate) seq: u16,
    pub(crate) payload: &'static [u8],
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Quoted {
    pub(crate) dst: IpAddr,
    pub(crate) src_port: u16,
    pub(crate) dst_port: u16,
    pub(crate) udp: bool,
    pub(crate) word: u32,
}

/// TCP flags (RFC 9293 section 3.1).
pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const PSH: u8 = 8;
pub(crate) const ACK: u8 = 16;
pub(crate) const URG: u8 = 32;

/// The TCP options of those who send SYNs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Options {
    #[default]
    None,
    Mss(u16),
    /// mss, sok, ts, nop, ws.
    Linux {
        mss: u16,
        val: u32,
        echo: u32,
        scale: u8,
    },
    /// mss, nop, ws, nop, nop, sok.
    Windows {
        scale: u8,
    },
    /// mss, nop, nop, sok, nop, ws, nop, nop, ts: Unicornscan's default, after OpenBSD.
    OpenBsd {
        val: u32,
    },
    /// nop, nop, ts: behind the handshake.
    Stamp {
        val: u32,
        echo: u32,
    },
}

impl Options {
    fn write(self, out: &mut Vec<u8>) {
        let [m0, m1] = match self {
            Self::Mss(mss) | Self::Linux { mss, .. } => mss.to_be_bytes(),
            Self::OpenBsd { .. } => 1436_u16.to_be_bytes(),
            _ => 1460_u16.to_be_bytes(),
        };
        match self {
            Self::None => {}
            Self::Mss(_) => out.extend_from_slice(&[2, 4, m0, m1]),
            Self::Linux { val, echo, scale, .. } => {
                out.extend_from_slice(&[2, 4, m0, m1, 4, 2, 8, 10]);
                out.extend_from_slice(&val.to_be_bytes());
                out.extend_from_slice(&echo.to_be_bytes());
                out.extend_from_slice(&[1, 3, 3, scale]);
            }
            Self::Windows { scale } => out.extend_from_slice(&[2, 4, m0, m1, 1, 3, 3, scale, 1, 1, 4, 2]),
            Self::OpenBsd { val } => {
                out.extend_from_slice(&[2, 4, m0, m1, 1, 1, 4, 2, 1, 3, 3, 0, 1, 1, 8, 10]);
                out.extend_from_slice(&val.to_be_bytes());
                out.extend_from_slice(&[0; 4]);
            }
            Self::Stamp { val, echo } => {
                out.extend_from_slice(&[1, 1, 8, 10]);
                out.extend_from_slice(&val.to_be_bytes());
                out.extend_from_slice(&echo.to_be_bytes());
            }
        }
    }
}

/// Locally administered, and readable in a dump: 02 "SYNTH". Every frame says what it is.
const TO: [u8; 6] = *b"\x02SYNTH";
const FROM: [u8; 6] = *b"\x02PSIM\x01";

/// Writes the frame, without padding or check sequence, as captures hold them.
pub(crate) fn write(packet: &Packet, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(&TO);
    out.extend_from_slice(&FROM);
    let (protocol, transport) = match (packet.src, packet.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let df = if packet.df { 0x40 } else { 0 };
            let protocol = protocol(&packet.body, false);
            let [id0, id1] = packet.id.to_be_bytes();
            out.extend_from_slice(&[8, 0, 0x45, 0, 0, 0, id0, id1, df, 0, packet.ttl, protocol, 0, 0]);
            out.extend_from_slice(&src.octets());
            out.extend_from_slice(&dst.octets());
            (protocol, out.len())
        }
        (src, dst) => {
            let protocol = protocol(&packet.body, true);
            out.extend_from_slice(&[0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, protocol, packet.ttl]);
            for address in [src, dst] {
                let IpAddr::V6(address) = address else { unreachable!("both ends are of one family") };
                out.extend_from_slice(&address.octets());
            }
            (protocol, out.len())
        }
    };
    let v6 = packet.src.is_ipv6();
    body(packet, v6, out);
    let length = (out.len() - transport) as u16;
    if v6 {
        out[18..20].copy_from_slice(&length.to_be_bytes());
    } else {
        out[16..18].copy_from_slice(&(length + 20).to_be_bytes());
        let header = !fold(sum(&out[14..34], 0));
        out[24..26].copy_from_slice(&header.to_be_bytes());
    }
    // Pseudo-header: addresses, length and protocol (RFC 9293 section 3.1, RFC 8200 section 8.1).
    let addresses = if v6 { 22..54 } else { 26..34 };
    let pseudo = sum(&out[addresses], u64::from(length) + u64::from(protocol));
    let field = match (&packet.body, v6) {
        (Body::Tcp(_), _) => Some((16, pseudo)),
        (Body::Udp(udp), _) if !udp.unsummed => Some((6, pseudo)),
        (Body::Icmp(_) | Body::Error { .. }, false) => Some((2, 0)),
        (Body::Icmp(_) | Body::Error { .. }, true) => Some((2, pseudo)),
        _ => None,
    };
    if let Some((offset, start)) = field {
        let mut value = !fold(sum(&out[transport..], start));
        // A UDP checksum that comes out as zero is sent as all ones.
        if value == 0 && protocol == 17 {
            value = 0xffff;
        }
        out[transport + offset..transport + offset + 2].copy_from_slice(&value.to_be_bytes());
    }
    if matches!(packet.body, Body::Init { .. }) {
        // CRC32c, least significant octet first (RFC 9260 appendix A).
        let crc = crc32c(&out[transport..]);
        out[transport + 8..transport + 12].copy_from_slice(&crc.to_le_bytes());
    }
}

fn protocol(body: &Body, v6: bool) -> u8 {
    match body {
        Body::Tcp(_) => 6,
        Body::Udp(_) => 17,
        Body::Icmp(_) | Body::Error { .. } => {
            if v6 {
                58
            } else {
                1
            }
        }
        Body::Init { .. } => 132,
        Body::Other { proto, .. } => *proto,
    }
}

fn body(packet: &Packet, v6: bool, out: &mut Vec<u8>) {
    match &packet.body {
        Body::Tcp(tcp) => segment(tcp, out),
        Body::Udp(udp) => {
            out.extend_from_slice(&udp.src_port.to_be_bytes());
            out.extend_from_slice(&udp.dst_port.to_be_bytes());
            out.extend_from_slice(&(8 + udp.payload.len() as u16).to_be_bytes());
            out.extend_from_slice(&[0; 2]);
            let start = out.len();
            out.extend_from_slice(udp.payload);
            if let Some(head) = udp.head {
                out[start..start + 2].copy_from_slice(&head.to_be_bytes());
            }
        }
        Body::Icmp(icmp) => {
            let kind = match (icmp.kind, v6) {
                (8, true) => 128,
                (0, true) => 129,
                (kind, _) => kind,
            };
            out.extend_from_slice(&[kind, 0, 0, 0]);
            out.extend_from_slice(&icmp.id.to_be_bytes());
            out.extend_from_slice(&icmp.seq.to_be_bytes());
            out.extend_from_slice(icmp.payload);
        }
        Body::Error { kind, code, quoted } => error(packet, *kind, *code, quoted, v6, out),
        Body::Init { src_port, dst_port, tag, tsn } => {
            out.extend_from_slice(&src_port.to_be_bytes());
            out.extend_from_slice(&dst_port.to_be_bytes());
            // Verification tag 0, checksum, chunk INIT of 20 octets (RFC 9260 section 3.3.2).
            out.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 20]);
            out.extend_from_slice(&tag.to_be_bytes());
            out.extend_from_slice(&[0, 0, 0x80, 0, 0, 10, 8, 0]);
            out.extend_from_slice(&tsn.to_be_bytes());
        }
        Body::Other { len, .. } => out.resize(out.len() + usize::from(*len), 0),
    }
}

fn segment(tcp: &Tcp, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&tcp.src_port.to_be_bytes());
    out.extend_from_slice(&tcp.dst_port.to_be_bytes());
    out.extend_from_slice(&tcp.seq.to_be_bytes());
    out.extend_from_slice(&tcp.ack.to_be_bytes());
    let [w0, w1] = tcp.window.to_be_bytes();
    out.extend_from_slice(&[0, tcp.flags, w0, w1, 0, 0, 0, 0]);
    tcp.options.write(out);
    out[start + 12] = (((out.len() - start) / 4) << 4) as u8;
    out.extend_from_slice(tcp.payload);
}

/// The error and what it quotes: the IP header and eight octets (RFC 792); IPv6 as much, which RFC 4443 allows.
fn error(packet: &Packet, kind: u8, code: u8, quoted: &Quoted, v6: bool, out: &mut Vec<u8>) {
    let (kind, code) = match (kind, code) {
        _ if !v6 => (kind, code),
        (3, 3) => (1, 4),
        (3, _) => (1, 0),
        (kind, _) => (if kind == 11 { 3 } else { kind }, 0),
    };
    out.extend_from_slice(&[kind, code, 0, 0, 0, 0, 0, 0]);
    let protocol = if quoted.udp { 17 } else { 6 };
    let length: u16 = if quoted.udp { 8 + 20 } else { 20 };
    let start = out.len();
    match (packet.dst, quoted.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let [l0, l1] = (length + 20).to_be_bytes();
            let [_, _, i0, i1] = quoted.word.to_be_bytes();
            out.extend_from_slice(&[0x45, 0, l0, l1, i0, i1, 0, 0, 1, protocol, 0, 0]);
            out.extend_from_slice(&src.octets());
            out.extend_from_slice(&dst.octets());
            let header = !fold(sum(&out[start..], 0));
            out[start + 10..start + 12].copy_from_slice(&header.to_be_bytes());
        }
        (src, dst) => {
            let [l0, l1] = length.to_be_bytes();
            out.extend_from_slice(&[0x60, 0, 0, 0, l0, l1, protocol, 1]);
            for address in [src, dst] {
                let IpAddr::V6(address) = address else { unreachable!("both ends are of one family") };
                out.extend_from_slice(&address.octets());
            }
        }
    }
    out.extend_from_slice(&quoted.src_port.to_be_bytes());
    out.extend_from_slice(&quoted.dst_port.to_be_bytes());
    if quoted.udp {
        out.extend_from_slice(&[0, length as u8, 0, 0]);
    } else {
        out.extend_from_slice(&quoted.word.to_be_bytes());
    }
}

/// The sum of the 16-bit words, not yet folded (RFC 1071).
#[inline]
fn sum(octets: &[u8], start: u64) -> u64 {
    let mut sum = start;
    let mut words = octets.chunks_exact(4);
    for word in &mut words {
        sum += u64::from(u32::from_be_bytes([word[0], word[1], word[2], word[3]]));
    }
    let mut rest = [0; 4];
    rest[..words.remainder().len()].copy_from_slice(words.remainder());
    sum + u64::from(u32::from_be_bytes(rest))
}

#[inline]
fn fold(mut sum: u64) -> u16 {
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

const CRC: [u32; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
};

fn crc32c(octets: &[u8]) -> u32 {
    !octets.iter().fold(!0, |crc, octet| CRC[usize::from(crc as u8 ^ octet)] ^ crc >> 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_of_the_catalogue() {
        assert_eq!(
            crc32c(b"123456789"),
            0xe306_9283,
            "RFC 3720 appendix B.4 and every catalogue of checksums"
        );
    }

    #[test]
    fn sum_of_rfc_1071() {
        // Section 3: the words 0001 f203 f4f5 f6f7 add up to ddf2.
        assert_eq!(fold(sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7], 0)), 0xddf2);
    }
}
