//! Packets that another library builds, and what it reads of damaged ones, against our reading.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::{
    IpFragOffset, IpHeaders, IpNumber, Ipv4Extensions, Ipv4Header, Ipv6Extensions, Ipv6FlowLabel,
    Ipv6FragmentHeader, Ipv6Header, Ipv6RawExtHeader, NetSlice, PacketBuilder, SlicedPacket, TcpHeader,
    TcpOptionElement, TransportSlice, VlanId,
};
use probeline_packet::{Options, Packet, Tcp, Transport, Verdict, decode};
use proptest::collection::vec;
use proptest::prelude::*;

const OPTS: Options = Options { inner: false, checksums: true };

/// The facts of an IP header, before etherparse writes them.
#[derive(Debug, Clone)]
struct Facts {
    src: IpAddr,
    dst: IpAddr,
    ttl: u8,
    tos: u8,
    ip_id: u16,
    df: bool,
    flow_label: u32,
    vlans: Vec<u16>,
    extensions: bool,
}

fn facts() -> impl Strategy<Value = Facts> {
    let v4 = any::<[[u8; 4]; 2]>().prop_map(|[a, b]| (Ipv4Addr::from(a).into(), Ipv4Addr::from(b).into()));
    let v6 = any::<[[u8; 16]; 2]>().prop_map(|[a, b]| (Ipv6Addr::from(a).into(), Ipv6Addr::from(b).into()));
    (prop_oneof![v4, v6], any::<(u8, u8, u16, bool)>(), 0_u32..1 << 20, vec(0_u16..4096, 0..3), any::<bool>())
        .prop_map(|((src, dst), (ttl, tos, ip_id, df), flow_label, vlans, extensions)| Facts {
            src,
            dst,
            ttl,
            tos,
            ip_id,
            df,
            flow_label,
            vlans,
            extensions,
        })
}

fn headers(facts: &Facts) -> IpHeaders {
    match (facts.src, facts.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let mut header =
                Ipv4Header::new(0, facts.ttl, IpNumber::TCP, src.octets(), dst.octets()).expect("no payload");
            header.dscp = (facts.tos >> 2).try_into().expect("six bits");
            header.ecn = (facts.tos & 3).try_into().expect("two bits");
            header.identification = facts.ip_id;
            header.dont_fragment = facts.df;
            if facts.extensions {
                header.options = (&[0x94, 4, 0, 0, 1, 1, 1, 0][..]).try_into().expect("two words");
            }
            IpHeaders::Ipv4(header, Ipv4Extensions::default())
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let header = Ipv6Header {
                traffic_class: facts.tos,
                flow_label: Ipv6FlowLabel::try_new(facts.flow_label).expect("twenty bits"),
                hop_limit: facts.ttl,
                source: src.octets(),
                destination: dst.octets(),
                ..Default::default()
            };
            let mut extensions = Ipv6Extensions::default();
            if facts.extensions {
                let raw =
                    || Ipv6RawExtHeader::new_raw(IpNumber::TCP, &[1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
                extensions.hop_by_hop_options = Some(raw().expect("14 octets"));
                extensions.destination_options = Some(raw().expect("14 octets"));
                extensions.fragment =
                    Some(Ipv6FragmentHeader::new(IpNumber::TCP, IpFragOffset::ZERO, false, 0xdead_beef));
            }
            IpHeaders::Ipv6(header, extensions)
        }
        _ => unreachable!("both of one family"),
    }
}

/// Ethernet and tags around these headers, ready for a transport.
macro_rules! builder {
    ($facts:expr) => {{
        let start = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
        let id = |id: u16| VlanId::try_new(id).expect("12 bits");
        match $facts.vlans[..] {
            [] => start.ip(headers($facts)),
            [one] => start.single_vlan(id(one)).ip(headers($facts)),
            [outer, inner, ..] => start.double_vlan(id(outer), id(inner)).ip(headers($facts)),
        }
    }};
}

fn read(frame: &[u8]) -> Packet<'_> {
    decode(1, frame, frame.len() as u32, &OPTS).expect("a packet")
}

fn check_ip(packet: &Packet<'_>, facts: &Facts, proto: u8, carried: usize) -> Result<(), TestCaseError> {
    prop_assert_eq!((packet.src, packet.dst, packet.proto), (facts.src, facts.dst, proto));
    prop_assert_eq!((packet.ttl, packet.tos), (facts.ttl, facts.tos));
    prop_assert_eq!(packet.vlan, facts.vlans.first().copied());
    let four = facts.src.is_ipv4();
    prop_assert_eq!((packet.ip_id, packet.df), (four.then_some(facts.ip_id), four.then_some(facts.df)));
    prop_assert_eq!(packet.flow_label, (!four).then_some(facts.flow_label));
    prop_assert_eq!(packet.frag, None);
    let headers = match (four, facts.extensions) {
        (true, false) => 20,
        (true, true) => 28,
        (false, false) => 40,
        (false, true) => 40 + 16 + 16 + 8,
    };
    prop_assert_eq!(packet.ip_len as usize, headers + carried);
    let checksum = packet.checksum.expect("asked for");
    prop_assert_eq!(checksum.ip, if four { Verdict::Good } else { Verdict::Absent });
    prop_assert_eq!(checksum.transport, Verdict::Good);
    Ok(())
}

fn tcp<'a>(packet: &Packet<'a>) -> Tcp<'a> {
    let Transport::Tcp(tcp) = packet.transport else { unreachable!("{:?}", packet.transport) };
    tcp
}

fn options() -> impl Strategy<Value = Vec<TcpOptionElement>> {
    let one = prop_oneof![
        Just(TcpOptionElement::Noop),
        any::<u16>().prop_map(TcpOptionElement::MaximumSegmentSize),
        any::<u8>().prop_map(TcpOptionElement::WindowScale),
        Just(TcpOptionElement::SelectiveAcknowledgementPermitted),
        any::<(u32, u32)>().prop_map(|(value, echo)| TcpOptionElement::Timestamp(value, echo)),
        any::<(u32, u32)>().prop_map(|edges| TcpOptionElement::SelectiveAcknowledgement(edges, [None; 3])),
    ];
    vec(one, 0..4)
}

fn kind(option: &TcpOptionElement) -> u8 {
    match option {
        TcpOptionElement::Noop => 1,
        TcpOptionElement::MaximumSegmentSize(_) => 2,
        TcpOptionElement::WindowScale(_) => 3,
        TcpOptionElement::SelectiveAcknowledgementPermitted => 4,
        TcpOptionElement::SelectiveAcknowledgement(..) => 5,
        TcpOptionElement::Timestamp(..) => 8,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tcp_as_built(
        facts in facts(), ports: (u16, u16), numbers: (u32, u32), rest: (u16, u16, u16), options in options(),
        payload in vec(any::<u8>(), 0..60),
    ) {
        let (flags, win, urg) = (rest.0 & 0x1ff, rest.1, rest.2);
        let mut header = TcpHeader::new(ports.0, ports.1, numbers.0, win);
        let bit = |place: u16| flags >> place & 1 == 1;
        (header.fin, header.syn, header.rst, header.psh) = (bit(0), bit(1), bit(2), bit(3));
        (header.ack, header.urg, header.ece, header.cwr, header.ns) = (bit(4), bit(5), bit(6), bit(7), bit(8));
        header.acknowledgment_number = numbers.1;
        header.urgent_pointer = urg;
        header.set_options(&options).expect("at most 40 octets");
        let length = header.header_len();
        let mut frame = Vec::new();
        builder!(&facts).tcp_header(header).write_to_vec(&mut frame, &payload).expect("built");

        let packet = read(&frame);
        check_ip(&packet, &facts, 6, length + payload.len())?;
        let tcp = tcp(&packet);
        prop_assert_eq!((tcp.src_port, tcp.dst_port), (Some(ports.0), Some(ports.1)));
        prop_assert_eq!((tcp.seq, tcp.ack), (Some(numbers.0), Some(numbers.1)));
        prop_assert_eq!((tcp.flags, tcp.win, tcp.urg), (Some(flags), Some(win), Some(urg)));
        let kinds: Vec<u8> = tcp.options.iter().map(|option| option.kind).collect();
        let built: Vec<u8> = options.iter().map(kind).collect();
        prop_assert!(kinds.starts_with(&built), "{:?} {:?}", kinds, built);
        prop_assert!(kinds[built.len()..].iter().all(|kind| *kind == 0), "padding is end of list");
        let first = |wanted: u8| options.iter().find(|option| kind(option) == wanted);
        let mss = first(2).map(|option| if let TcpOptionElement::MaximumSegmentSize(mss) = option { *mss } else { 0 });
        let scale = first(3).map(|option| if let TcpOptionElement::WindowScale(shift) = option { *shift } else { 0 });
        let times = first(8).map(|o| if let TcpOptionElement::Timestamp(value, echo) = o { (*value, *echo) } else { (0, 0) });
        prop_assert_eq!((tcp.options.mss(), tcp.options.wscale()), (mss, scale));
        prop_assert_eq!(tcp.options.tsval().zip(tcp.options.tsecr()), times);
        prop_assert_eq!((packet.payload, packet.payload_len), (&payload[..], Some(payload.len() as u32)));
    }

    #[test]
    fn udp_as_built(facts in facts(), ports: (u16, u16), payload in vec(any::<u8>(), 0..60)) {
        let mut frame = Vec::new();
        builder!(&facts).udp(ports.0, ports.1).write_to_vec(&mut frame, &payload).expect("built");
        let packet = read(&frame);
        check_ip(&packet, &facts, 17, 8 + payload.len())?;
        prop_assert_eq!((packet.src_port(), packet.dst_port()), (Some(ports.0), Some(ports.1)));
        let Transport::Udp { len, .. } = packet.transport else { unreachable!("{:?}", packet.transport) };
        prop_assert_eq!(len, Some(8 + payload.len() as u16));
        prop_assert_eq!((packet.payload, packet.payload_len), (&payload[..], Some(payload.len() as u32)));
    }

    #[test]
    fn echo_as_built(facts in facts(), id: u16, seq: u16, reply: bool, payload in vec(any::<u8>(), 0..60)) {
        let mut frame = Vec::new();
        let built = builder!(&facts);
        let four = facts.src.is_ipv4();
        match (four, reply) {
            (true, false) => built.icmpv4_echo_request(id, seq).write_to_vec(&mut frame, &payload),
            (true, true) => built.icmpv4_echo_reply(id, seq).write_to_vec(&mut frame, &payload),
            (false, false) => built.icmpv6_echo_request(id, seq).write_to_vec(&mut frame, &payload),
            (false, true) => built.icmpv6_echo_reply(id, seq).write_to_vec(&mut frame, &payload),
        }
        .expect("built");
        let kind = match (four, reply) {
            (true, false) => 8,
            (true, true) => 0,
            (false, false) => 128,
            (false, true) => 129,
        };
        let packet = read(&frame);
        check_ip(&packet, &facts, if four { 1 } else { 58 }, 8 + payload.len())?;
        let Transport::Icmp(icmp) = packet.transport else { unreachable!("{:?}", packet.transport) };
        prop_assert_eq!((icmp.kind, icmp.code, icmp.id, icmp.seq), (Some(kind), Some(0), Some(id), Some(seq)));
        prop_assert_eq!((packet.payload, icmp.quoted), (&payload[..], None));
    }

    /// Whatever its strict reading accepts of a damaged frame, ours reads alike.
    #[test]
    fn damaged_frames_as_read(
        facts in facts(), datagram: bool, payload in vec(any::<u8>(), 0..40),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut frame = Vec::new();
        if datagram {
            builder!(&facts).udp(1, 2).write_to_vec(&mut frame, &payload).expect("built");
        } else {
            builder!(&facts).tcp(1, 2, 3, 4).write_to_vec(&mut frame, &payload).expect("built");
        }
        for (place, value) in damage {
            let place = place.index(frame.len());
            frame[place] = value;
        }
        let Ok(theirs) = SlicedPacket::from_ethernet(&frame) else { return Ok(()) };
        let addresses = match &theirs.net {
            Some(NetSlice::Ipv4(ip)) => Some((ip.header().source_addr().into(), ip.header().destination_addr().into())),
            Some(NetSlice::Ipv6(ip)) => Some((ip.header().source_addr().into(), ip.header().destination_addr().into())),
            _ => None,
        };
        let Some(addresses) = addresses else { return Ok(()) };
        let packet = read(&frame);
        prop_assert_eq!((packet.src, packet.dst), addresses);
        match theirs.transport {
            Some(TransportSlice::Tcp(header)) => {
                let tcp = tcp(&packet);
                prop_assert_eq!((tcp.src_port, tcp.dst_port), (Some(header.source_port()), Some(header.destination_port())));
                prop_assert_eq!((tcp.seq, tcp.win), (Some(header.sequence_number()), Some(header.window_size())));
                prop_assert_eq!(tcp.options.raw(), header.options());
                prop_assert_eq!(packet.payload, header.payload());
            }
            Some(TransportSlice::Udp(header)) => {
                prop_assert_eq!(
                    (packet.src_port(), packet.dst_port()),
                    (Some(header.source_port()), Some(header.destination_port()))
                );
                prop_assert_eq!(packet.payload, header.payload());
            }
            _ => {}
        }
    }
}
