//! What becomes of a flow: answers, retransmissions, the end of a handshake.

use crate::frame::{ACK, Body, FIN, Icmp, Options, PSH, Packet, Quoted, RST, SYN, Tcp};
use crate::random::Random;
use crate::source::SECOND;
use crate::truth::Intent;

/// The first packet of a flow and what its sender will do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    pub(crate) packet: Packet,
    pub(crate) intent: Intent,
    pub(crate) reaction: Reaction,
    /// How often it is sent again while nothing answers.
    pub(crate) resend: u8,
}

/// What a sender of SYNs does with a SYN/ACK.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reaction {
    /// Its system knows nothing of the probe and resets.
    Reset,
    /// Nothing: a firewall drops the answer, or the address was spoofed.
    Silent,
    /// Acknowledges; `talks`: sends a request as well.
    Complete { talks: bool },
}

/// The packets of one flow, each with the nanoseconds since the first.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) steps: Vec<(u64, Packet)>,
    /// Of a flow that a SYN opened.
    pub(crate) handshake: Option<&'static str>,
    /// The packet without which the handshake has not come that far.
    decides: usize,
}

impl Script {
    /// Leaves out what the capture does not hold any more.
    pub(crate) fn clip(&mut self, room: usize, mut in_time: impl FnMut(u64) -> bool) {
        let fits = self.steps.iter().take(room).take_while(|(after, _)| in_time(*after)).count();
        if fits <= self.decides && self.handshake.is_some_and(|word| word != "none") {
            let answered = fits >= 2 && self.handshake != Some("refused");
            self.handshake = Some(if answered { "unanswered" } else { "none" });
        }
        self.steps.truncate(fits);
    }

    fn push(&mut self, after: u64, packet: Packet) {
        self.steps.push((after, packet));
    }
}

/// After how many seconds a TCP stack sends again what was not answered: the time-out of one second doubles (RFC 6298
/// section 5.5).
const AGAIN: [u64; 3] = [1, 3, 7];

/// Writes what happens to a flow.
pub(crate) fn play(
    script: &mut Script,
    opening: &Opening,
    honeypot: bool,
    is_open: impl Fn(u16) -> bool,
    random: &mut Random,
) {
    script.steps.clear();
    (script.handshake, script.decides) = (None, 0);
    script.push(0, opening.packet);
    // From the capturing host to its own answer, and to the source and back.
    let soon = random.within(20_000, 250_000);
    match opening.packet.body {
        Body::Tcp(tcp) if tcp.flags == SYN => {
            script.handshake = Some("none");
            if !honeypot {
                resend(script, opening);
            } else if is_open(tcp.dst_port) {
                let rtt = random.within(8_000_000, 320_000_000);
                handshake(script, opening, &tcp, soon, rtt, random);
            } else {
                refuse(script, opening, &tcp, soon, random);
            }
        }
        Body::Tcp(tcp) if tcp.flags == SYN | ACK => {
            if honeypot {
                let reset = Tcp { seq: tcp.ack, flags: RST, ..answer(&tcp) };
                script.push(soon, back(&opening.packet, Body::Tcp(reset), random));
            } else {
                resend(script, opening);
            }
        }
        // A port that is open says nothing, and one that is closed resets (RFC 9293 section 3.10.7).
        Body::Tcp(tcp) if honeypot && tcp.flags & (RST | PSH) == 0 => {
            if tcp.flags & ACK != 0 {
                let reset = Tcp { seq: tcp.ack, flags: RST, ..answer(&tcp) };
                script.push(soon, back(&opening.packet, Body::Tcp(reset), random));
            } else if !is_open(tcp.dst_port) && tcp.flags & SYN == 0 {
                let reset = Tcp { ack: tcp.seq.wrapping_add(1), flags: RST | ACK, ..answer(&tcp) };
                script.push(soon, back(&opening.packet, Body::Tcp(reset), random));
            }
        }
        Body::Udp(udp) if honeypot && opening.intent.class == "scan" && !is_open(udp.dst_port) => {
            let packet = &opening.packet;
            let quoted = Quoted {
                dst: packet.dst,
                src_port: udp.src_port,
                dst_port: udp.dst_port,
                udp: true,
                word: u32::from(packet.id),
            };
            script.push(soon, back(packet, Body::Error { kind: 3, code: 3, quoted }, random));
        }
        Body::Icmp(icmp) if honeypot && icmp.kind == 8 => {
            script.push(soon, back(&opening.packet, Body::Icmp(Icmp { kind: 0, ..icmp }), random));
        }
        _ => {}
    }
}

/// The same packet again; a stack counts its identification on.
fn resend(script: &mut Script, opening: &Opening) {
    for (n, after) in AGAIN.iter().enumerate().take(opening.resend.into()) {
        let mut packet = opening.packet;
        packet.id = packet.id.wrapping_add(n as u16 + 1);
        if let Body::Tcp(Tcp { options: Options::Linux { val, .. }, .. }) = &mut packet.body {
            *val = val.wrapping_add(*after as u32 * 1000);
        }
        script.push(after * SECOND, packet);
    }
}

fn refuse(script: &mut Script, opening: &Opening, tcp: &Tcp, soon: u64, random: &mut Random) {
    script.handshake = Some("refused");
    script.decides = 1;
    let reset = Tcp { ack: tcp.seq.wrapping_add(1), flags: RST | ACK, ..answer(tcp) };
    script.push(soon, back(&opening.packet, Body::Tcp(reset), random));
    // Windows tries a refused port again, half a second later, twice.
    if matches!(tcp.options, Options::Windows { .. }) && opening.intent.tool == "os-stack" {
        for n in 1..=2 {
            let mut packet = opening.packet;
            packet.id = packet.id.wrapping_add(n);
            script.push(u64::from(n) * SECOND / 2, packet);
            script.push(u64::from(n) * SECOND / 2 + soon, back(&opening.packet, Body::Tcp(reset), random));
        }
    }
}

fn handshake(script: &mut Script, opening: &Opening, tcp: &Tcp, soon: u64, rtt: u64, random: &mut Random) {
    let first = &opening.packet;
    let own = random.u32();
    let stamp = random.u32();
    let options = match tcp.options {
        Options::Linux { val, .. } => Options::Linux { mss: 1460, val: stamp, echo: val, scale: 7 },
        Options::Windows { .. } => Options::Windows { scale: 7 },
        _ => Options::Mss(1460),
    };
    let accepts = Tcp {
        seq: own,
        ack: tcp.seq.wrapping_add(1),
        flags: SYN | ACK,
        window: 65_160,
        options,
        ..answer(tcp)
    };
    let syn_ack = back(first, Body::Tcp(accepts), random);
    script.push(soon, syn_ack);
    let reply = |tcp: Tcp, count: u16| {
        let mut packet = *first;
        packet.id = packet.id.wrapping_add(count);
        packet.body = Body::Tcp(tcp);
        packet
    };
    let after = soon + rtt;
    match opening.reaction {
        Reaction::Silent => {
            script.handshake = Some("unanswered");
            script.decides = 1;
            for seconds in AGAIN {
                script.push(soon + seconds * SECOND, syn_ack);
            }
        }
        Reaction::Reset => {
            script.handshake = Some("reset");
            script.decides = 2;
            let reset = Tcp {
                seq: tcp.seq.wrapping_add(1),
                ack: 0,
                flags: RST,
                window: 0,
                options: Options::None,
                ..*tcp
            };
            script.push(after, reply(reset, 1));
        }
        Reaction::Complete { talks } => {
            script.handshake = Some("completed");
            script.decides = 2;
            let options = |ours: bool, passed: u64| match tcp.options {
                Options::Linux { val, .. } => {
                    let (val, stamp) = (
                        val.wrapping_add((passed / 1_000_000) as u32),
                        stamp.wrapping_add((passed / 1_000_000) as u32),
                    );
                    if ours {
                        Options::Stamp { val: stamp, echo: val }
                    } else {
                        Options::Stamp { val, echo: stamp }
                    }
                }
                _ => Options::None,
            };
            let theirs = Tcp {
                seq: tcp.seq.wrapping_add(1),
                ack: own.wrapping_add(1),
                flags: ACK,
                window: 502,
                options: options(false, after),
                ..*tcp
            };
            let ours = Tcp {
                seq: own.wrapping_add(1),
                ack: theirs.seq,
                flags: ACK,
                window: 509,
                options: options(true, after),
                ..answer(tcp)
            };
            script.push(after, reply(theirs, 1));
            let mut spoken = 0;
            let mut now = after;
            if talks {
                let payload: &[u8] = b"GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n";
                spoken = payload.len() as u32;
                now += random.within(100_000, 2_000_000);
                script.push(now, reply(Tcp { flags: PSH | ACK, payload, ..theirs }, 2));
                let heard = Tcp { ack: ours.ack.wrapping_add(spoken), ..ours };
                script.push(now + soon, back(first, Body::Tcp(heard), random));
            }
            now += random.within(SECOND / 10, 3 * SECOND);
            let end = Tcp {
                seq: theirs.seq.wrapping_add(spoken),
                flags: FIN | ACK,
                options: options(false, now),
                ..theirs
            };
            script.push(now, reply(end, 3));
            let ours =
                Tcp { ack: end.seq.wrapping_add(1), flags: FIN | ACK, options: options(true, now), ..ours };
            script.push(now + soon, back(first, Body::Tcp(ours), random));
            let last = Tcp {
                seq: end.seq.wrapping_add(1),
                ack: end.ack.wrapping_add(1),
                flags: ACK,
                options: options(false, now + rtt),
                ..end
            };
            script.push(now + soon + rtt, reply(last, 4));
        }
    }
}

/// A segment in the other direction, still without numbers and flags.
fn answer(tcp: &Tcp) -> Tcp {
    Tcp { src_port: tcp.dst_port, dst_port: tcp.src_port, ..Tcp::default() }
}

/// A packet of the telescope to the source.
fn back(to: &Packet, body: Body, random: &mut Random) -> Packet {
    Packet { src: to.dst, dst: to.src, ttl: 64, id: random.u16(), df: true, body }
}

/// Protocol and ports of a packet, as rows name them.
pub(crate) fn ends(packet: &Packet) -> (&'static str, Option<u16>, Option<u16>) {
    let icmp = if packet.src.is_ipv6() { "icmp6" } else { "icmp" };
    match packet.body {
        Body::Tcp(tcp) => ("tcp", Some(tcp.src_port), Some(tcp.dst_port)),
        Body::Udp(udp) => ("udp", Some(udp.src_port), Some(udp.dst_port)),
        Body::Icmp(_) | Body::Error { .. } => (icmp, None, None),
        Body::Init { src_port, dst_port, .. } => ("sctp", Some(src_port), Some(dst_port)),
        Body::Other { proto: 47, .. } => ("47", None, None),
        Body::Other { proto: 41, .. } => ("41", None, None),
        Body::Other { .. } => ("255", None, None),
    }
}
