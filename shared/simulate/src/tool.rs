//! The marks that scanners leave in headers.
//!
//! Written from the tools' own sources and from captures of them, independently of the crate that recognises
//! them, so that each is a witness of the other.

use std::net::IpAddr;

use crate::frame::{ACK, Body, FIN, Icmp, Options, PSH, Packet, SYN, Tcp, URG, Udp};
use crate::place::Home;
use crate::random::{Random, mix};

/// Who sends a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// 2.1.1: identification 54321, no options.
    Zmap2,
    /// 3.0.0: the same with MSS.
    Zmap3,
    /// 4.3 with its default options, after Windows; any identification.
    Zmap4,
    /// 4.3 with the options of Linux; its time stamp is the start in Unix seconds.
    Zmap4Linux,
    /// 1.0.1: window 0.
    Masscan1,
    /// 1.3.2: window 1024.
    Masscan13,
    /// Since November 2023: window 1025, MSS, two ports.
    MasscanGit,
    Mirai,
    /// 7.93.
    Nmap,
    Unicornscan,
    Hping3,
    Xmap,
    Naabu,
    Scapy,
    Nping,
    Fi6s,
    Scanssh,
    /// connect() on Linux.
    Linux,
    /// connect() on Windows.
    Windows,
    /// A program of its own that crafts SYNs without a mark.
    Raw,
}

impl Tool {
    /// The tool's name, as the rows of `fingerprint` spell it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Zmap2 | Self::Zmap3 | Self::Zmap4 | Self::Zmap4Linux => "zmap",
            Self::Masscan1 | Self::Masscan13 | Self::MasscanGit => "masscan",
            Self::Mirai => "mirai",
            Self::Nmap => "nmap",
            Self::Unicornscan => "unicornscan",
            Self::Hping3 => "hping3",
            Self::Xmap => "xmap",
            Self::Naabu => "naabu",
            Self::Scapy => "scapy",
            Self::Nping => "nping",
            Self::Fi6s => "fi6s",
            Self::Scanssh => "scanssh",
            Self::Linux | Self::Windows => "os-stack",
            Self::Raw => "unknown",
        }
    }

    /// Its version, or the system whose stack it is.
    pub(crate) fn version(self) -> &'static str {
        match self {
            Self::Zmap2 => "2.1.1",
            Self::Zmap3 => "3.0.0",
            Self::Zmap4 | Self::Zmap4Linux => "4.3.4",
            Self::Masscan1 => "1.0.1",
            Self::Masscan13 => "1.3.2",
            Self::MasscanGit => "git",
            Self::Nmap => "7.93",
            Self::Unicornscan => "0.4.7",
            Self::Linux => "linux",
            Self::Windows => "windows",
            _ => "",
        }
    }

    /// Whether it opens sockets, so that what answers is answered.
    pub(crate) fn connects(self) -> bool {
        matches!(self, Self::Linux | Self::Windows)
    }
}

/// What stays the same from packet to packet of one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// The run's secret: keys, masks, constants.
    pub(crate) key: u32,
    /// Unix seconds at its start.
    pub(crate) start: u32,
    pub(crate) port: u16,
    window: u16,
    /// Packets sent, to wherever: the telescope sees a part of them.
    sent: u32,
    stream: Option<Box<GlibcRand>>,
}

impl Run {
    pub(crate) fn new(tool: Tool, start: u32, random: &mut Random) -> Self {
        let mut run = Self { key: random.u32(), start, ..Self::default() };
        match tool {
            // Its default source port is the time it was started at.
            Tool::Masscan1 | Tool::Masscan13 | Tool::MasscanGit => {
                run.port = 40_000 + (start % 20_000) as u16;
            }
            Tool::Mirai => {
                run.port = random.within(1024, 65_535) as u16;
                run.window = random.u16().max(1);
            }
            Tool::Nmap => run.port = random.within(33_000, 65_000) as u16,
            Tool::Naabu => run.port = random.within(32_768, 60_999) as u16,
            Tool::Scapy => run.port = 20,
            Tool::Nping => {
                run.port = random.within(1024, 65_000) as u16;
                run.window = random.u16();
            }
            Tool::Hping3 => {
                let mut stream = Box::new(GlibcRand::new(start));
                run.port = 1024 + (stream.next() % 2000) as u16;
                run.stream = Some(stream);
            }
            _ => run.port = random.within(1024, 65_535) as u16,
        }
        run
    }

    /// The SYN of a probe; `again` is how often it was sent before by a tool that changes it then.
    pub(crate) fn syn(
        &mut self,
        tool: Tool,
        home: &Home,
        target: (IpAddr, u16),
        now: u32,
        again: u32,
        random: &mut Random,
    ) -> Packet {
        let (dst, dst_port) = target;
        let low = low32(dst);
        // Keyed by the target, as scanners without state do it: the same probe has the same numbers.
        let cookie = mix(u64::from(low) << 16 ^ u64::from(dst_port) ^ u64::from(self.key) << 32);
        let mut tcp = Tcp { dst_port, flags: SYN, ..Tcp::default() };
        let (mut ttl, mut df, mut id) = (64, false, random.u16());
        match tool {
            Tool::Zmap2 | Tool::Zmap3 | Tool::Zmap4 | Tool::Zmap4Linux => {
                tcp.seq = cookie as u32;
                tcp.src_port = 32_768 + ((cookie >> 32) % 28_233) as u16;
                tcp.window = 65_535;
                match tool {
                    Tool::Zmap2 => (ttl, id) = (255, 54_321),
                    Tool::Zmap3 => {
                        (ttl, id) = (255, 54_321);
                        tcp.options = Options::Mss(1460);
                    }
                    Tool::Zmap4 => {
                        id = (cookie >> 48) as u16;
                        tcp.options = Options::Windows { scale: 8 };
                    }
                    _ => {
                        id = (cookie >> 48) as u16;
                        tcp.options = Options::Linux { mss: 1460, val: self.start, echo: 0, scale: 7 };
                    }
                }
            }
            Tool::Masscan1 | Tool::Masscan13 | Tool::MasscanGit => {
                tcp.seq = cookie as u32;
                tcp.src_port = self.port;
                ttl = 255;
                match tool {
                    Tool::Masscan1 => {}
                    Tool::Masscan13 => tcp.window = 1024,
                    _ => {
                        tcp.window = 1025;
                        tcp.options = Options::Mss(1460);
                        tcp.src_port += (cookie >> 36) as u16 & 16;
                    }
                }
                id = low as u16 ^ dst_port ^ tcp.seq as u16;
            }
            Tool::Mirai => {
                tcp.seq = low;
                (tcp.src_port, tcp.window) = (self.port, self.window);
            }
            Tool::Nmap => {
                // The number of the try stands in bits 1 to 7; both halves of the sequence number carry it.
                let value = again << 1;
                tcp.seq = self.key ^ (value * 0x1_0001);
                tcp.src_port = self.port + value as u16;
                tcp.window = 1024;
                tcp.options = Options::Mss(1460);
                ttl = random.within(37, 59) as u8;
            }
            Tool::Unicornscan => {
                tcp.src_port = random.within(4096, 65_535) as u16;
                let ports = u32::from(dst_port) << 16 | u32::from(tcp.src_port);
                tcp.seq = self.key ^ low.swap_bytes() ^ ports;
                tcp.window = 16_384;
                tcp.options = Options::OpenBsd { val: self.key.rotate_left(9) };
                df = true;
            }
            Tool::Hping3 => {
                tcp.window = 512;
                tcp.src_port = self.port.wrapping_add(self.sent as u16);
                if let Some(stream) = &mut self.stream {
                    (tcp.seq, tcp.ack) = (stream.next(), stream.next());
                    id = stream.next() as u16;
                }
                self.sent += 1;
            }
            Tool::Xmap => {
                tcp.seq = cookie as u32;
                tcp.src_port = 32_768 + (tcp.seq as u16).swap_bytes() % 28_233;
                tcp.window = 65_535;
                (ttl, id) = (255, 54_321);
            }
            Tool::Naabu => {
                tcp.seq = self.sent;
                self.sent += 1 + random.below(300) as u32;
                tcp.src_port = self.port;
                tcp.window = 1024;
                tcp.options = Options::Mss(1460);
                df = true;
            }
            Tool::Scapy => {
                id = 1;
                tcp.src_port = self.port;
                tcp.window = 8192;
            }
            Tool::Nping => {
                (tcp.seq, id) = (self.key, self.window);
                tcp.src_port = self.port;
                tcp.window = 1480;
            }
            Tool::Fi6s => {
                tcp.seq = self.key & !(1 << 12);
                tcp.src_port = random.u16().max(16_384);
                tcp.window = 4096;
            }
            Tool::Scanssh => {
                tcp.src_port = random.within(1024, 65_535) as u16;
                tcp.seq = random.u32();
                tcp.window = 32_768;
                df = true;
            }
            Tool::Linux => {
                tcp.src_port = random.within(32_768, 60_999) as u16;
                tcp.seq = random.u32();
                tcp.window = 64_240;
                // Milliseconds since some time that differs by host.
                let val = self.key.wrapping_add(now.wrapping_mul(1000));
                tcp.options = Options::Linux { mss: 1460, val, echo: 0, scale: 7 };
                df = true;
            }
            Tool::Windows => {
                tcp.src_port = random.within(49_152, 65_535) as u16;
                tcp.seq = random.u32();
                tcp.window = 64_240;
                tcp.options = Options::Windows { scale: 8 };
                (ttl, df) = (128, true);
            }
            Tool::Raw => {
                tcp.src_port = random.within(1024, 65_535) as u16;
                tcp.seq = random.u32();
                tcp.window = 14_600 + (self.key % 40_000) as u16;
                (ttl, df) = (128, self.key >> 20 & 1 == 1);
            }
        }
        packet(home, dst, ttl, id, df, Body::Tcp(tcp))
    }

    /// Nmap's TCP probes other than a SYN.
    pub(crate) fn flags(&self, home: &Home, target: (IpAddr, u16), flags: u8, random: &mut Random) -> Packet {
        let (dst, dst_port) = target;
        let mut tcp = Tcp { dst_port, flags, src_port: self.port, window: 1024, ..Tcp::default() };
        if flags == ACK {
            tcp.ack = self.key;
        } else {
            tcp.seq = self.key;
        }
        packet(home, dst, random.within(37, 59) as u8, random.u16(), false, Body::Tcp(tcp))
    }

    /// A UDP probe with what is customary on the port.
    pub(crate) fn udp(&self, tool: Tool, home: &Home, target: (IpAddr, u16), random: &mut Random) -> Packet {
        let (dst, dst_port) = target;
        let low = low32(dst);
        let cookie = mix(u64::from(low) << 16 ^ u64::from(dst_port) ^ u64::from(self.key) << 32);
        let mut udp =
            Udp { src_port: self.port, dst_port, head: None, payload: payload(dst_port), unsummed: false };
        let (mut ttl, mut df, mut id) = (64, false, random.u16());
        match tool {
            Tool::Masscan13 | Tool::MasscanGit => {
                ttl = 255;
                id = low as u16 ^ dst_port ^ cookie as u16;
                if matches!(dst_port, 53 | 137) {
                    // The transaction number is the part of the cookie that goes into the identification.
                    udp.head = Some(cookie as u16);
                }
            }
            Tool::Zmap2 => {
                (ttl, id) = (255, 54_321);
                udp.src_port = 32_768 + ((cookie >> 32) % 28_233) as u16;
                udp.unsummed = dst.is_ipv4();
            }
            Tool::Windows => (ttl, df) = (128, false),
            Tool::Linux => df = true,
            _ => {}
        }
        packet(home, dst, ttl, id, df, Body::Udp(udp))
    }

    /// An echo request.
    pub(crate) fn echo(&self, tool: Tool, home: &Home, dst: IpAddr, random: &mut Random) -> Packet {
        let (mut id, mut seq, mut ttl, mut df) = (self.key as u16, 1, 64, false);
        let payload: &'static [u8] = match tool {
            Tool::Zmap3 | Tool::Zmap4 | Tool::Zmap4Linux => {
                (id, seq) = (random.u16(), random.u16());
                &[0; 20]
            }
            Tool::Masscan13 => {
                (id, seq, ttl) = (random.u16(), random.u16(), 255);
                &COUNTING
            }
            Tool::Nmap => {
                (seq, ttl) = (0, random.within(37, 59) as u8);
                &[]
            }
            Tool::Windows => {
                (ttl, id) = (128, 1);
                b"abcdefghijklmnopqrstuvwabcdefghi"
            }
            _ => {
                df = true;
                &COUNTING
            }
        };
        let ip_id = if tool == Tool::Zmap3 { 54_321 } else { random.u16() };
        ttl = if tool == Tool::Zmap3 { 255 } else { ttl };
        packet(home, dst, ttl, ip_id, df, Body::Icmp(Icmp { kind: 8, id, seq, payload }))
    }

    /// Masscan's SCTP INIT.
    pub(crate) fn init(&self, home: &Home, target: (IpAddr, u16)) -> Packet {
        let (dst, dst_port) = target;
        let low = low32(dst);
        let cookie = mix(u64::from(low) << 16 ^ u64::from(dst_port) ^ u64::from(self.key) << 32);
        let tag = cookie as u32;
        let id = low as u16 ^ dst_port ^ tag as u16;
        let body = Body::Init { src_port: self.port, dst_port, tag, tsn: (cookie >> 32) as u32 };
        packet(home, dst, 255, id, false, body)
    }
}

/// A packet as it arrives, its TTL lessened by the way.
pub(crate) fn packet(home: &Home, dst: IpAddr, ttl: u8, id: u16, df: bool, body: Body) -> Packet {
    Packet { src: home.address, dst, ttl: ttl - home.hops, id, df, body }
}

/// The flags of Nmap's scans by their name.
pub(crate) const fn nmap_flags(technique: &str) -> u8 {
    match technique.as_bytes() {
        b"fin" => FIN,
        b"xmas" => FIN | PSH | URG,
        b"maimon" => FIN | ACK,
        b"ack" => ACK,
        b"odd-flags" => SYN | FIN,
        _ => 0,
    }
}

fn low32(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => u128::from(address) as u32,
    }
}

const COUNTING: [u8; 48] = {
    let mut octets = [0; 48];
    let mut i = 0;
    while i < 48 {
        octets[i] = 8 + i as u8;
        i += 1;
    }
    octets
};

const NTP: [u8; 48] = {
    let mut octets = [0; 48];
    octets[0] = 0x23;
    octets
};

/// A request that makes the port's service answer.
fn payload(port: u16) -> &'static [u8] {
    match port {
        // version.bind TXT CHAOS (RFC 4892).
        53 => b"\x13\x37\x01\x20\x00\x01\x00\x00\x00\x00\x00\x00\x07version\x04bind\x00\x00\x10\x00\x03",
        // Client request of NTP version 4 (RFC 5905 section 7.3).
        123 => &NTP,
        161 => b"0&\x02\x01\x01\x04\x06public\xa0\x19\x02\x04q\xb4\xb5h\x02\x01\x00\x02\x01\x000\x0b0\x09\x06\x05+\x06\x01\x02\x01\x05\x00",
        1900 => b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n",
        5060 => b"OPTIONS sip:100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-1;rport\r\nMax-Forwards: 70\r\nTo: <sip:100@192.0.2.1>\r\nFrom: <sip:100@192.0.2.1>;tag=1\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
        // Binding request (RFC 8489).
        3478 => b"\x00\x01\x00\x00\x21\x12\xa4\x42\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c",
        // Node status request for every name (RFC 1002 section 4.2.17).
        137 => b"\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00 CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\x00\x00\x21\x00\x01",
        11_211 => b"\x00\x00\x00\x00\x00\x01\x00\x00stats\r\n",
        _ => b"\r\n\r\n",
    }
}

/// The rand() of glibc: r[i] = r[i-3] + r[i-31], the lowest bit dropped (random(3), TYPE_3).
#[derive(Clone, Debug)]
struct GlibcRand {
    state: [u32; 31],
    at: usize,
}

impl GlibcRand {
    fn new(seed: u32) -> Self {
        let mut state = [0; 31];
        state[0] = seed.max(1);
        for i in 1..31 {
            // 16807 x mod 2^31 - 1, on the number taken as signed.
            let previous = i64::from(state[i - 1] as i32);
            state[i] = (16_807 * previous).rem_euclid(2_147_483_647) as u32;
        }
        let mut rand = Self { state, at: 3 };
        for _ in 0..310 {
            rand.next();
        }
        rand
    }

    fn next(&mut self) -> u32 {
        // The slot holds r[i-31]; r[i-3] stands 28 further on.
        let value = self.state[self.at].wrapping_add(self.state[(self.at + 28) % 31]);
        self.state[self.at] = value;
        self.at = (self.at + 1) % 31;
        value >> 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `srand(1); rand()` gives on every Linux: 1804289383, 846930886, 1681692777, 1714636915.
    #[test]
    fn rand_is_that_of_glibc() {
        let mut rand = GlibcRand::new(1);
        let values: Vec<u32> = (0..4).map(|_| rand.next()).collect();
        assert_eq!(values, [1_804_289_383, 846_930_886, 1_681_692_777, 1_714_636_915]);
    }
}
