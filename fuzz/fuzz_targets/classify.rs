//! `probeline_scan` on any packets: counts conserve, probes and sessions come in order of their first
//! packets, and nothing depends on the seed of a hash.
//!
//! The first four bytes are options. Then either rows as text with their header, or ten bytes for each packet
//! of a small world (few hosts, few ports, short times), which are written as rows first: that way flows are
//! met again.
#![no_main]

use std::collections::HashSet;
use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use probeline_record::{Col, PacketColumns, Proto, RowReader, TcpFlags, Ts, field, text};
use probeline_scan::{
    BackscatterRule, Classifier, Grouper, NewProbe, Options, Packet, Probe, Session, Telescope, Window,
};

fuzz_target!(|data: &[u8]| {
    let Some(([flags, times, window, grouping], rest)) = data.split_first_chunk() else { return };
    let options = options(*flags, *times);
    let window = self::window(*window);
    let text = flags & 0x80 != 0;
    if text && grouping & 0x80 != 0 {
        let (first, again) = (probe_rows(rest, window), probe_rows(rest, window));
        assert_eq!(first, again);
        return;
    }
    let rows = if text { rest.to_vec() } else { small_world(rest) };
    let packets = packets(&rows);
    if !text {
        assert_eq!(packets.len(), rest.len() / SIZE, "the small world holds no bad rows");
    }
    let first = classify(&packets, &options, window, *grouping);
    let again = classify(&packets, &options, window, *grouping);
    assert_eq!(first, again, "same packets in, same probes and sessions out");
});

fn options(flags: u8, times: u8) -> Options {
    let seconds = |choice: u8, usual: u64| match choice & 3 {
        0 => Duration::from_secs(usual),
        1 => Duration::ZERO,
        2 => Duration::from_secs(1),
        _ => Duration::MAX,
    };
    let telescope = match flags & 3 {
        0 | 1 => None,
        2 => Some("192.0.2.0/25,2001:db8::/64"),
        _ => Some("::/0,0.0.0.0/0"),
    };
    Options {
        telescope: telescope.map(|spec| Telescope::parse([spec]).expect("a telescope")),
        flow_timeout: seconds(times, 300),
        settle: seconds(times >> 2, 60),
        max_age: seconds(times >> 4, 3600),
        reorder: seconds(times >> 6, 5),
        max_flows: [1 << 20, 1, 2, 7][usize::from(flags >> 2 & 3)],
        backscatter: [
            BackscatterRule::Default,
            BackscatterRule::Corsaro3,
            BackscatterRule::LiuFukuda2018,
            BackscatterRule::SynOnly,
            BackscatterRule::Merit,
        ][usize::from(flags >> 4 & 7) % 5],
    }
}

fn window(choice: u8) -> Window {
    let length = Duration::from_secs([300, 1, 60, 86_400][usize::from(choice >> 2 & 3)]);
    match choice & 3 {
        0 | 1 => Window::Anchored(length),
        2 => Window::Aligned(length),
        _ => Window::Gap { gap: length, max_age: length * [1, 2, 100, 10_000][usize::from(choice >> 4 & 3)] },
    }
}

/// Bytes that make one packet of the small world.
const SIZE: usize = 10;

/// Packets between eight hosts, as rows.
fn small_world(bytes: &[u8]) -> Vec<u8> {
    const HEADER: &str = "ts,src_ip,dst_ip,proto,src_port,dst_port,tcp_flags,ip_len,ttl,ip_id,\
        tcp_seq,tcp_ack,tcp_opts,icmp_type,icmp_id,payload_len,payload_head,\
        quoted_proto,quoted_src_ip,quoted_dst_ip,quoted_src_port,quoted_dst_port\n";
    const HOSTS: [&str; 8] = [
        "192.0.2.1",
        "192.0.2.2",
        "192.0.2.200",
        "198.51.100.9",
        "203.0.113.7",
        "2001:db8::1",
        "2001:db8::2",
        "ff02::1",
    ];
    const PORTS: [&str; 8] = ["0", "22", "53", "80", "123", "443", "50000", ""];
    const PROTOCOLS: [&str; 8] = ["tcp", "tcp", "tcp", "udp", "icmp", "icmp6", "sctp", "47"];
    const HEADS: [&str; 4] = ["", "01", "24010000", "000084000001000100000000"];
    let mut out = HEADER.as_bytes().to_vec();
    // Near the earliest and latest instants, too.
    let mut now: i64 = match bytes.first().map_or(0, |byte| byte >> 6) {
        0 => 0,
        1 => 9_223_372_000,
        2 => -9_223_372_000,
        _ => 1_700_000_000,
    } * 1_000_000_000;
    for raw in bytes.chunks_exact(SIZE) {
        let at = |i: usize| raw[i];
        let pick = |list: &[&'static str; 8], value: u8| list[usize::from(value & 7)];
        // Steps from a microsecond to an hour and more, forwards and back.
        let step = i64::from(at(0) & 0x1f)
            * [1_000, 100_000_000, 10_000_000_000, 600_000_000_000][usize::from(at(1) >> 6)];
        now = if at(0) & 0x20 == 0 { now.saturating_add(step) } else { now.saturating_sub(step) };
        Ts::from_nanos(now.max(i64::MIN + 1)).write(if at(1) & 0x20 == 0 { 6 } else { 9 }, &mut out);
        let flags = u16::from(at(4)) | u16::from(at(5) & 1) << 8;
        let flags = TcpFlags::from_bits(flags).letters();
        let number = u32::from(at(7)).wrapping_mul(0x0101_0101);
        let cells = [
            pick(&HOSTS, at(1)).to_owned(),
            pick(&HOSTS, at(1) >> 3).to_owned(),
            pick(&PROTOCOLS, at(2)).to_owned(),
            pick(&PORTS, at(3)).to_owned(),
            pick(&PORTS, at(3) >> 3).to_owned(),
            if at(2) & 8 == 0 { flags.to_owned() } else { String::new() },
            [40, 44, 60, 1500][usize::from(at(2) >> 4 & 3)].to_string(),
            ["64", "255", "201", ""][usize::from(at(2) >> 6)].to_owned(),
            ["1", "54321", "", "0"][usize::from(at(5) >> 1 & 3)].to_owned(),
            number.to_string(),
            number.wrapping_add(u32::from(at(8))).to_string(),
            ["", "2", "2-4-8-1-3", "2-1-3"][usize::from(at(5) >> 3 & 3)].to_owned(),
            (at(6) & 31).to_string(),
            ["", "0", "7", "65535"][usize::from(at(5) >> 5 & 3)].to_owned(),
            ["", "0", "4294967295", "12"][usize::from(at(8) & 3)].to_owned(),
            HEADS[usize::from(at(8) >> 2 & 3)].to_owned(),
            if at(9) & 0x80 == 0 { pick(&PROTOCOLS, at(9) >> 3).to_owned() } else { String::new() },
            pick(&HOSTS, at(9)).to_owned(),
            pick(&HOSTS, at(1)).to_owned(),
            pick(&PORTS, at(8) >> 4).to_owned(),
            pick(&PORTS, at(3)).to_owned(),
        ];
        for cell in cells {
            out.push(b',');
            out.extend_from_slice(cell.as_bytes());
        }
        out.push(b'\n');
    }
    out
}

fn packets(rows: &[u8]) -> Vec<Packet> {
    let Ok(mut reader) = RowReader::new(rows) else { return Vec::new() };
    let Ok(columns) = PacketColumns::find(&mut reader) else { return Vec::new() };
    let mut packets = Vec::new();
    loop {
        match reader.next_row() {
            Ok(Some(row)) => packets.extend(Packet::from_row(&columns.packet(row))),
            Ok(None) => return packets,
            Err(error) if error.is_row() => {}
            Err(_) => return packets,
        }
    }
}

/// Everything that came out, in words.
type Words = Vec<String>;

fn classify(packets: &[Packet], options: &Options, window: Window, grouping: u8) -> (Words, Words) {
    let mut classifier = Classifier::new(options.clone());
    let mut grouping = Grouping::new(window, options.reorder, grouping);
    let mut probes = Words::new();
    let (mut in_probes, mut octets, mut last) = (0, 0, Ts::MIN);
    let mut opened = HashSet::new();
    let mut emit = |probe: Probe<'_>| -> Result<(), Infallible> {
        assert!(probe.ts >= last, "probes come in order of their first packets");
        last = probe.ts;
        in_probes += probe.packets;
        octets += probe.bytes;
        assert!(probe.packets > 0 && probe.duration >= 0);
        let number = probe.cells.try_into().map(u32::from_le_bytes).expect("the cells that were given");
        assert!(opened.insert(number), "a packet opens one probe");
        let first = &packets[number as usize];
        assert_eq!(
            (probe.ts, probe.src, probe.dst, probe.proto, probe.src_port, probe.dst_port, probe.ts_digits),
            (first.ts, first.src, first.dst, first.proto, first.src_port, first.dst_port, first.ts_digits)
        );
        assert_eq!(probe.technique.is_some(), probe.class == probeline_scan::Class::Scan);
        probes.push(format!("{probe:?}"));
        grouping.push(&probe);
        Ok(())
    };
    for (number, packet) in packets.iter().enumerate() {
        let Ok(()) = classifier.push(packet, &(number as u32).to_le_bytes(), &mut emit);
    }
    let Ok(()) = classifier.finish(&mut emit);
    let tally = classifier.tally();
    assert_eq!(in_probes + tally.continued + tally.late, packets.len() as u64, "{tally:?}");
    assert!(tally.evicted <= probes.len() as u64);
    if tally.continued + tally.late == 0 {
        assert_eq!(octets, packets.iter().map(|packet| u64::from(packet.ip_len)).sum::<u64>());
    }
    (probes, grouping.finish())
}

/// A grouper, and what must come out of it.
struct Grouping {
    grouper: Grouper,
    window: Window,
    by: u8,
    pushed: [u64; 3],
    sums: [u64; 3],
    last: Ts,
    sessions: Words,
}

impl Grouping {
    fn new(window: Window, reorder: Duration, by: u8) -> Self {
        let grouper = Grouper::new(window, reorder);
        Self { grouper, window, by, pushed: [0; 3], sums: [0; 3], last: Ts::MIN, sessions: Words::new() }
    }

    fn push(&mut self, probe: &Probe<'_>) {
        let mut key = Vec::new();
        match self.by & 3 {
            0 => text::write_ip(probe.src, &mut key),
            1 => text::write_ip(probe.dst, &mut key),
            2 => key.extend(probe.dst_port.unwrap_or(0).to_le_bytes()),
            _ => {}
        }
        self.probe(&NewProbe {
            ts: probe.ts,
            ts_digits: probe.ts_digits,
            key: &key,
            proto: probe.proto,
            src: probe.src,
            dst: probe.dst,
            dst_port: probe.dst_port,
            technique: probe.technique.map_or("", |technique| technique.name()).as_bytes(),
            tool: b"",
            packets: probe.packets,
            bytes: probe.bytes,
        });
    }

    fn probe(&mut self, probe: &NewProbe<'_>) {
        add(&mut self.pushed, [1, probe.packets, probe.bytes]);
        let Self { grouper, window, sums, last, sessions, .. } = self;
        let Ok(()) = grouper.push(probe, &mut |session| session_out(&session, *window, sums, last, sessions));
    }

    fn finish(mut self) -> Words {
        let Self { grouper, window, sums, last, sessions, .. } = &mut self;
        let Ok(()) = grouper.finish(&mut |session| session_out(&session, *window, sums, last, sessions));
        assert_eq!(self.sums[0] + self.grouper.late(), self.pushed[0], "every probe is in one session");
        if self.grouper.late() == 0 {
            assert_eq!(self.sums, self.pushed, "their packets and octets, too");
        }
        self.sessions
    }
}

fn add(sums: &mut [u64; 3], more: [u64; 3]) {
    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum = sum.saturating_add(more));
}

fn session_out(
    session: &Session<'_>,
    window: Window,
    sums: &mut [u64; 3],
    last: &mut Ts,
    sessions: &mut Words,
) -> Result<(), Infallible> {
    assert!(session.start >= *last, "sessions come in order of their first probes");
    *last = session.start;
    add(sums, [session.probes, session.packets, session.bytes]);
    assert!(session.end >= session.start && session.probes > 0);
    let nanos = |duration: Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
    match window {
        Window::Anchored(length) => assert!(session.end.since(session.start) < nanos(length)),
        Window::Aligned(length) => assert_eq!(
            session.start.nanos().div_euclid(nanos(length)),
            session.end.nanos().div_euclid(nanos(length))
        ),
        Window::Gap { max_age, .. } => assert!(session.end.since(session.start) < nanos(max_age).max(1)),
    }
    for (distinct, at_most) in [
        (session.srcs, session.probes),
        (session.dsts, session.probes),
        (session.ports, session.probes),
        (session.horizontal.0, session.dsts),
        (session.vertical.0, session.ports),
    ] {
        assert!(distinct <= at_most, "{session:?}");
    }
    assert!(session.srcs > 0 && session.dsts > 0 && session.horizontal.0 > 0);
    sessions.push(format!("{session:?} {}", session.geometry().name()));
    Ok(())
}

/// Probe rows from text straight into a grouper, as `scan-group` reads them.
fn probe_rows(rows: &[u8], window: Window) -> Words {
    let mut grouping = Grouping::new(window, Duration::from_secs(5), 0);
    let Ok(mut reader) = RowReader::new(rows) else { return Words::new() };
    let fields = [&field::TS, &field::SRC_IP, &field::DST_IP, &field::PROTO, &field::PACKETS, &field::BYTES];
    let columns: Result<Vec<Col>, _> = fields.iter().map(|field| reader.require(field)).collect();
    let Ok([ts, src, dst, proto, packets, bytes]) = columns.as_deref() else { return Words::new() };
    let Ok(words) = ["dst_port", "technique", "tool"]
        .map(|name| reader.column(name))
        .into_iter()
        .collect::<Result<Vec<_>, _>>()
    else {
        return Words::new();
    };
    loop {
        let row = match reader.next_row() {
            Ok(Some(row)) => row,
            Err(error) if error.is_row() => continue,
            Ok(None) | Err(_) => return grouping.finish(),
        };
        let word = |i: usize| words[i].map_or(&b""[..], |col: Col| row.cell(col));
        let (Ok(time), Ok(from), Ok(to)) = (row.ts(*ts), row.ip(*src), row.ip(*dst)) else { continue };
        let Ok(Some(number)) = row.word(*proto, "a protocol", Proto::parse) else { continue };
        let (Ok(count), Ok(octets)) = (row.uint::<u64>(*packets), row.uint::<u64>(*bytes)) else { continue };
        let from: IpAddr = from;
        grouping.probe(&NewProbe {
            ts: time,
            ts_digits: Ts::digits_of(row.cell(*ts)),
            key: row.cell(*src),
            proto: number,
            src: from,
            dst: to,
            dst_port: text::parse_uint(word(0)).and_then(|port| u16::try_from(port).ok()),
            technique: word(1),
            tool: word(2),
            packets: count.unwrap_or(1),
            bytes: octets.unwrap_or(0),
        });
    }
}
