//! Packet rows as the tools behind `pkt2csv` read them.

use std::io::Read;
use std::net::IpAddr;

use crate::{CellError, Col, Error, Field, Proto, Row, RowReader, TcpFlags, Ts, field};

/// Where the columns of a packet stand in one input.
///
/// The five columns that make a flow are needed; any other may be missing and then reads as absent.
#[derive(Clone, Debug)]
pub struct PacketColumns {
    ts: Col,
    src_ip: Col,
    dst_ip: Col,
    proto: Col,
    others: [Option<Col>; OTHERS.len()],
}

macro_rules! others {
    ($($index:ident => $field:ident),* $(,)?) => {
        #[derive(Clone, Copy)]
        enum Other { $($index),* }
        const OTHERS: &[&Field] = &[$(&field::$field),*];
    };
}

others! {
    SrcPort => SRC_PORT, DstPort => DST_PORT, TcpFlags => TCP_FLAGS, IpLen => IP_LEN, Ttl => TTL, IpId => IP_ID,
    IpTos => IP_TOS, IpDf => IP_DF, TcpSeq => TCP_SEQ, TcpAck => TCP_ACK, TcpWin => TCP_WIN, TcpOpts => TCP_OPTS,
    TcpMss => TCP_MSS, TcpWscale => TCP_WSCALE, TcpTsval => TCP_TSVAL, IcmpType => ICMP_TYPE,
    IcmpCode => ICMP_CODE, IcmpId => ICMP_ID, IcmpSeq => ICMP_SEQ, UdpSum => UDP_SUM, PayloadLen => PAYLOAD_LEN,
    PayloadHead => PAYLOAD_HEAD, QuotedProto => QUOTED_PROTO, QuotedSrcIp => QUOTED_SRC_IP,
    QuotedDstIp => QUOTED_DST_IP, QuotedSrcPort => QUOTED_SRC_PORT, QuotedDstPort => QUOTED_DST_PORT,
}

impl PacketColumns {
    /// Finds the columns.
    ///
    /// # Errors
    /// When one that makes a flow (ts, src_ip, dst_ip, proto) is missing, or one stands twice.
    pub fn find<R: Read>(rows: &mut RowReader<R>) -> Result<Self, Error> {
        let mut others = [None; OTHERS.len()];
        let (ts, src_ip, dst_ip, proto) = (
            rows.require(&field::TS)?,
            rows.require(&field::SRC_IP)?,
            rows.require(&field::DST_IP)?,
            rows.require(&field::PROTO)?,
        );
        for (place, field) in others.iter_mut().zip(OTHERS) {
            *place = rows.column(field.name)?;
        }
        Ok(Self { ts, src_ip, dst_ip, proto, others })
    }

    /// The fields of a packet row that this input does not have, for the tool to say what it must do without.
    pub fn missing(&self) -> impl Iterator<Item = &'static Field> {
        self.others.iter().zip(OTHERS).filter(|(col, _)| col.is_none()).map(|(_, field)| *field)
    }

    /// The packet of a row.
    #[inline]
    pub fn packet<'a>(&'a self, row: Row<'a>) -> PacketRow<'a> {
        PacketRow { columns: self, row }
    }
}

/// One packet row; cells are read when asked for.
#[derive(Clone, Copy)]
pub struct PacketRow<'a> {
    columns: &'a PacketColumns,
    row: Row<'a>,
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $other:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// When the cell does not hold such a number.
        #[inline]
        pub fn $name(&self) -> Result<Option<$type>, CellError> {
            match self.columns.others[Other::$other as usize] {
                Some(col) => self.row.uint(col),
                None => Ok(None),
            }
        }
    )*};
}

impl<'a> PacketRow<'a> {
    /// The row itself.
    pub fn row(&self) -> Row<'a> {
        self.row
    }

    /// When the packet was captured.
    ///
    /// # Errors
    /// When the cell is empty or no time.
    #[inline]
    pub fn ts(&self) -> Result<Ts, CellError> {
        self.row.ts(self.columns.ts)
    }

    /// The time as it stands in the row.
    #[inline]
    pub fn ts_text(&self) -> &'a [u8] {
        self.row.cell(self.columns.ts)
    }

    /// Source address.
    ///
    /// # Errors
    /// When the cell is empty or no address.
    #[inline]
    pub fn src_ip(&self) -> Result<IpAddr, CellError> {
        self.row.ip(self.columns.src_ip)
    }

    /// Destination address.
    ///
    /// # Errors
    /// When the cell is empty or no address.
    #[inline]
    pub fn dst_ip(&self) -> Result<IpAddr, CellError> {
        self.row.ip(self.columns.dst_ip)
    }

    /// Source address, into its place: see [`Row::read_ip`].
    ///
    /// # Errors
    /// When the cell is empty or no address.
    #[inline]
    pub fn read_src_ip(&self, place: &mut IpAddr) -> Result<(), CellError> {
        self.row.read_ip(self.columns.src_ip, place)
    }

    /// Destination address, likewise.
    ///
    /// # Errors
    /// When the cell is empty or no address.
    #[inline]
    pub fn read_dst_ip(&self, place: &mut IpAddr) -> Result<(), CellError> {
        self.row.read_ip(self.columns.dst_ip, place)
    }

    /// Transport protocol.
    ///
    /// # Errors
    /// When the cell is empty or no protocol.
    #[inline]
    pub fn proto(&self) -> Result<Proto, CellError> {
        self.row
            .word(self.columns.proto, "a protocol name or number", Proto::parse)?
            .ok_or_else(|| CellError::new(field::PROTO.name, "a protocol name or number", b""))
    }

    /// TCP flags.
    ///
    /// # Errors
    /// When the cell does not hold flag letters.
    #[inline]
    pub fn tcp_flags(&self) -> Result<Option<TcpFlags>, CellError> {
        match self.columns.others[Other::TcpFlags as usize] {
            Some(col) => self.row.word(col, "TCP flag letters", TcpFlags::parse),
            None => Ok(None),
        }
    }

    numbers! {
        /// Source port.
        src_port: u16 = SrcPort;
        /// Destination port.
        dst_port: u16 = DstPort;
        /// IP length in octets.
        ip_len: u32 = IpLen;
        /// Time to live, or hop limit.
        ttl: u8 = Ttl;
        /// IPv4 identification.
        ip_id: u16 = IpId;
        /// Type of service octet.
        ip_tos: u8 = IpTos;
        /// Don't-fragment flag, 0 or 1.
        ip_df: u8 = IpDf;
        /// TCP sequence number.
        tcp_seq: u32 = TcpSeq;
        /// TCP acknowledgment number.
        tcp_ack: u32 = TcpAck;
        /// TCP window.
        tcp_win: u16 = TcpWin;
        /// TCP maximum segment size option.
        tcp_mss: u16 = TcpMss;
        /// TCP window scale shift.
        tcp_wscale: u8 = TcpWscale;
        /// TCP timestamp value.
        tcp_tsval: u32 = TcpTsval;
        /// ICMP type.
        icmp_type: u8 = IcmpType;
        /// ICMP code.
        icmp_code: u8 = IcmpCode;
        /// ICMP identifier.
        icmp_id: u16 = IcmpId;
        /// ICMP sequence number.
        icmp_seq: u16 = IcmpSeq;
        /// UDP checksum.
        udp_sum: u16 = UdpSum;
        /// Payload length in octets, by the IP length.
        payload_len: u32 = PayloadLen;
        /// Source port of the quoted packet.
        quoted_src_port: u16 = QuotedSrcPort;
        /// Destination port of the quoted packet.
        quoted_dst_port: u16 = QuotedDstPort;
    }

    #[inline]
    fn other(&self, other: Other) -> &'a [u8] {
        self.columns.others[other as usize].map_or(b"", |col| self.row.cell(col))
    }

    /// TCP option kinds joined by `-`, as they stand in the row; empty for none.
    #[inline]
    pub fn tcp_opts(&self) -> &'a [u8] {
        self.other(Other::TcpOpts)
    }

    /// The first payload octets in hexadecimal; empty for none.
    #[inline]
    pub fn payload_head(&self) -> &'a [u8] {
        self.other(Other::PayloadHead)
    }

    /// Protocol of the packet an ICMP error quotes.
    ///
    /// # Errors
    /// When the cell is no protocol.
    pub fn quoted_proto(&self) -> Result<Option<Proto>, CellError> {
        match self.columns.others[Other::QuotedProto as usize] {
            Some(col) => self.row.word(col, "a protocol name or number", Proto::parse),
            None => Ok(None),
        }
    }

    /// Source of the packet an ICMP error quotes.
    ///
    /// # Errors
    /// When the cell is no address.
    pub fn quoted_src_ip(&self) -> Result<Option<IpAddr>, CellError> {
        self.quoted_ip(Other::QuotedSrcIp)
    }

    /// Destination of the packet an ICMP error quotes.
    ///
    /// # Errors
    /// When the cell is no address.
    pub fn quoted_dst_ip(&self) -> Result<Option<IpAddr>, CellError> {
        self.quoted_ip(Other::QuotedDstIp)
    }

    fn quoted_ip(&self, other: Other) -> Result<Option<IpAddr>, CellError> {
        match self.columns.others[other as usize] {
            Some(col) => self.row.word(col, "an IP address", crate::text::parse_ip),
            None => Ok(None),
        }
    }
}
