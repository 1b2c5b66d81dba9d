use std::io::Write;

use anyhow::bail;
use probeline_capfile::Record;
use probeline_packet::{Icmp, Packet, Quoted, Tcp, Transport};
use probeline_record::{Encoder, Field, Proto, TcpFlags, Ts, field, rows, text};

macro_rules! columns {
    ($($column:ident = $field:ident,)*) => {
        /// A column that can be written.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Column { $($column,)* }

        impl Column {
            const ALL: &[Self] = &[$(Self::$column,)*];

            pub(crate) fn field(self) -> &'static Field {
                match self { $(Self::$column => &field::$field,)* }
            }
        }
    };
}

columns! {
    Ts = TS, SrcIp = SRC_IP, DstIp = DST_IP, Proto = PROTO, SrcPort = SRC_PORT, DstPort = DST_PORT,
    TcpFlags = TCP_FLAGS, IpLen = IP_LEN, Ttl = TTL, IpId = IP_ID, IpTos = IP_TOS, IpDf = IP_DF,
    TcpSeq = TCP_SEQ, TcpAck = TCP_ACK, TcpWin = TCP_WIN, TcpOpts = TCP_OPTS, TcpMss = TCP_MSS,
    TcpWscale = TCP_WSCALE, TcpTsval = TCP_TSVAL, IcmpType = ICMP_TYPE, IcmpCode = ICMP_CODE,
    IcmpId = ICMP_ID, IcmpSeq = ICMP_SEQ, UdpSum = UDP_SUM, PayloadLen = PAYLOAD_LEN,
    PayloadHead = PAYLOAD_HEAD, QuotedProto = QUOTED_PROTO, QuotedSrcIp = QUOTED_SRC_IP,
    QuotedDstIp = QUOTED_DST_IP, QuotedSrcPort = QUOTED_SRC_PORT,
    QuotedDstPort = QUOTED_DST_PORT, FragOff = FRAG_OFF, Vlan = VLAN, TcpTsecr = TCP_TSECR,
    TcpUrg = TCP_URG, CapLen = CAP_LEN, WireLen = WIRE_LEN, Interface = INTERFACE,
    Checksum = CHECKSUM,
}

impl Column {
    /// The columns of the default packet row.
    pub(crate) fn default_row() -> Vec<Self> {
        Self::ALL[..rows::PACKET.len()].to_vec()
    }

    fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|column| column.field().name == name).copied()
    }

    /// The columns that `--columns` and `--checksums` ask for.
    pub(crate) fn select(names: &[String], checksums: bool) -> Result<Vec<Self>, anyhow::Error> {
        let adds = !names.is_empty() && names.iter().all(|name| name.starts_with('+'));
        let mut columns = if names.is_empty() || adds { Self::default_row() } else { Vec::new() };
        for name in names {
            let plain = if adds { &name[1..] } else { name };
            let Some(column) = Self::by_name(plain) else {
                if name.starts_with('+') && !adds {
                    bail!(
                        "--columns: '{name}' adds to the default columns, the others name all of them; \
                         use one way"
                    );
                }
                bail!("--columns: no column '{plain}'; see --list-fields");
            };
            if columns.contains(&column) {
                bail!("--columns: {plain} twice");
            }
            columns.push(column);
        }
        if checksums && !columns.contains(&Self::Checksum) {
            columns.push(Self::Checksum);
        }
        Ok(columns)
    }
}

/// How values are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) ts_digits: u8,
    pub(crate) rfc3339: bool,
    /// Octets of payload_head.
    pub(crate) payload: usize,
}

/// Writes the row of a packet, column by column.
pub(crate) fn write_row<W: Write>(
    columns: &[Column],
    style: Style,
    record: &Record,
    packet: &Packet<'_>,
    out: &mut Encoder<W>,
) {
    let tcp = match &packet.transport {
        Transport::Tcp(tcp) => Some(tcp),
        _ => None,
    };
    let icmp = match &packet.transport {
        Transport::Icmp(icmp) => Some(icmp),
        _ => None,
    };
    let quoted = icmp.and_then(|icmp| icmp.quoted);
    out.begin();
    for column in columns {
        match column {
            Column::Ts
            | Column::SrcIp
            | Column::DstIp
            | Column::Proto
            | Column::SrcPort
            | Column::DstPort => {
                write_flow(*column, style, record, packet, out);
            }
            Column::IpLen => out.uint(packet.ip_len),
            Column::Ttl => out.uint(packet.ttl),
            Column::IpId => out.uint_or_absent(packet.ip_id),
            Column::IpTos => out.uint(packet.tos),
            Column::IpDf => out.uint_or_absent(packet.df.map(u8::from)),
            Column::FragOff => out.uint_or_absent(packet.frag.map(|frag| frag.offset)),
            Column::TcpFlags
            | Column::TcpSeq
            | Column::TcpAck
            | Column::TcpWin
            | Column::TcpOpts
            | Column::TcpMss
            | Column::TcpWscale
            | Column::TcpTsval
            | Column::TcpTsecr
            | Column::TcpUrg => write_tcp(*column, tcp, out),
            Column::IcmpType | Column::IcmpCode | Column::IcmpId | Column::IcmpSeq => {
                write_icmp(*column, icmp, out);
            }
            Column::QuotedProto
            | Column::QuotedSrcIp
            | Column::QuotedDstIp
            | Column::QuotedSrcPort
            | Column::QuotedDstPort => write_quoted(*column, quoted, out),
            Column::UdpSum => out.uint_or_absent(match packet.transport {
                Transport::Udp { sum, .. } => sum,
                _ => None,
            }),
            Column::PayloadLen => out.uint_or_absent(packet.payload_len),
            Column::PayloadHead => {
                let head = &packet.payload[..packet.payload.len().min(style.payload)];
                if head.is_empty() {
                    out.absent();
                } else {
                    out.word_with(|buf| text::write_hex(head, buf));
                }
            }
            Column::Vlan => out.uint_or_absent(packet.vlan),
            Column::CapLen => out.uint(record.cap_len),
            Column::WireLen => out.uint(record.wire_len),
            Column::Interface => out.uint(record.interface),
            Column::Checksum => out.word_or_absent(packet.checksum.map(|both| both.verdict().name())),
        }
    }
}

fn write_flow<W: Write>(
    column: Column,
    style: Style,
    record: &Record,
    packet: &Packet<'_>,
    out: &mut Encoder<W>,
) {
    let ts = Ts::from_nanos(record.ts_nanos);
    match column {
        // RFC 3339 is text in a column that is a number otherwise; NDJSON needs its quotes.
        Column::Ts if style.rfc3339 => out.word_with(|buf| ts.write_rfc3339(style.ts_digits, buf)),
        Column::Ts => out.ts(ts, style.ts_digits),
        Column::SrcIp => out.ip(packet.src),
        Column::DstIp => out.ip(packet.dst),
        Column::SrcPort => out.uint_or_absent(packet.src_port()),
        Column::DstPort => out.uint_or_absent(packet.dst_port()),
        _ => out.word(Proto(packet.proto).name()),
    }
}

fn write_tcp<W: Write>(column: Column, tcp: Option<&Tcp<'_>>, out: &mut Encoder<W>) {
    let Some(tcp) = tcp else { return out.absent() };
    match column {
        Column::TcpFlags => out.word_or_absent(tcp.flags.map(|bits| TcpFlags::from_bits(bits).letters())),
        Column::TcpSeq => out.uint_or_absent(tcp.seq),
        Column::TcpAck => out.uint_or_absent(tcp.ack),
        Column::TcpWin => out.uint_or_absent(tcp.win),
        Column::TcpUrg => out.uint_or_absent(tcp.urg),
        Column::TcpMss => out.uint_or_absent(tcp.options.mss()),
        Column::TcpWscale => out.uint_or_absent(tcp.options.wscale()),
        Column::TcpTsval => out.uint_or_absent(tcp.options.tsval()),
        Column::TcpTsecr => out.uint_or_absent(tcp.options.tsecr()),
        _ => match tcp.options.iter().next() {
            None => out.absent(),
            Some(_) => out.word_with(|buf| write_option_kinds(tcp, buf)),
        },
    }
}

fn write_option_kinds(tcp: &Tcp<'_>, buf: &mut Vec<u8>) {
    for (i, option) in tcp.options.iter().enumerate() {
        if i > 0 {
            buf.push(b'-');
        }
        text::write_uint(option.kind.into(), buf);
    }
}

fn write_icmp<W: Write>(column: Column, icmp: Option<&Icmp>, out: &mut Encoder<W>) {
    let Some(icmp) = icmp else { return out.absent() };
    match column {
        Column::IcmpType => out.uint_or_absent(icmp.kind),
        Column::IcmpCode => out.uint_or_absent(icmp.code),
        Column::IcmpId => out.uint_or_absent(icmp.id),
        _ => out.uint_or_absent(icmp.seq),
    }
}

fn write_quoted<W: Write>(column: Column, quoted: Option<Quoted>, out: &mut Encoder<W>) {
    let Some(quoted) = quoted else { return out.absent() };
    match column {
        Column::QuotedProto => out.word(Proto(quoted.proto).name()),
        Column::QuotedSrcIp => out.ip(quoted.src),
        Column::QuotedDstIp => out.ip(quoted.dst),
        Column::QuotedSrcPort => out.uint_or_absent(quoted.src_port),
        _ => out.uint_or_absent(quoted.dst_port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(columns: &[Column]) -> Vec<&str> {
        columns.iter().map(|column| column.field().name).collect()
    }

    fn select(list: &str) -> Result<Vec<Column>, anyhow::Error> {
        let names: Vec<String> = list.split(',').filter(|n| !n.is_empty()).map(str::to_owned).collect();
        Column::select(&names, false)
    }

    #[test]
    fn the_default_row_is_the_schema() {
        let schema: Vec<&str> = rows::PACKET.iter().map(|field| field.name).collect();
        assert_eq!(names(&Column::default_row()), schema);
        let all: Vec<&str> = rows::PACKET.iter().chain(rows::PACKET_EXTRA).map(|field| field.name).collect();
        assert_eq!(names(Column::ALL), all);
    }

    #[test]
    fn selection() {
        assert_eq!(names(&select("dst_port,ts").unwrap()), ["dst_port", "ts"]);
        assert_eq!(select("+vlan").unwrap().len(), rows::PACKET.len() + 1);
        for bad in ["ts,ts", "nonsense", "ts,+vlan", "+ts"] {
            assert!(select(bad).is_err(), "{bad}");
        }
        assert_eq!(Column::select(&[], true).unwrap().last(), Some(&Column::Checksum));
    }
}
