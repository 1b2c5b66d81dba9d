//! Which columns make a row of each tool, in order.

use crate::{Field, field};

/// The packet row: what `pkt2csv` writes unless `--columns` says otherwise.
pub const PACKET: &[&Field] = &[
    &field::TS,
    &field::SRC_IP,
    &field::DST_IP,
    &field::PROTO,
    &field::SRC_PORT,
    &field::DST_PORT,
    &field::TCP_FLAGS,
    &field::IP_LEN,
    &field::TTL,
    &field::IP_ID,
    &field::IP_TOS,
    &field::IP_DF,
    &field::TCP_SEQ,
    &field::TCP_ACK,
    &field::TCP_WIN,
    &field::TCP_OPTS,
    &field::TCP_MSS,
    &field::TCP_WSCALE,
    &field::TCP_TSVAL,
    &field::ICMP_TYPE,
    &field::ICMP_CODE,
    &field::ICMP_ID,
    &field::ICMP_SEQ,
    &field::UDP_SUM,
    &field::PAYLOAD_LEN,
    &field::PAYLOAD_HEAD,
    &field::QUOTED_PROTO,
    &field::QUOTED_SRC_IP,
    &field::QUOTED_DST_IP,
    &field::QUOTED_SRC_PORT,
    &field::QUOTED_DST_PORT,
];

/// Columns of a packet that are written on request only.
pub const PACKET_EXTRA: &[&Field] = &[
    &field::FRAG_OFF,
    &field::VLAN,
    &field::TCP_TSECR,
    &field::TCP_URG,
    &field::CAP_LEN,
    &field::WIRE_LEN,
    &field::INTERFACE,
    &field::CHECKSUM,
];

/// The packet's columns that a probe row repeats from the flow's first packet.
pub const PACKET_HEADER: &[&Field] = &[
    &field::TCP_FLAGS,
    &field::IP_LEN,
    &field::TTL,
    &field::IP_ID,
    &field::IP_TOS,
    &field::IP_DF,
    &field::TCP_SEQ,
    &field::TCP_ACK,
    &field::TCP_WIN,
    &field::TCP_OPTS,
    &field::TCP_MSS,
    &field::TCP_WSCALE,
    &field::TCP_TSVAL,
    &field::ICMP_TYPE,
    &field::ICMP_CODE,
    &field::ICMP_ID,
    &field::ICMP_SEQ,
    &field::UDP_SUM,
    &field::PAYLOAD_LEN,
    &field::PAYLOAD_HEAD,
    &field::QUOTED_PROTO,
    &field::QUOTED_SRC_IP,
    &field::QUOTED_DST_IP,
    &field::QUOTED_SRC_PORT,
    &field::QUOTED_DST_PORT,
];

/// The probe row of `scan-classify`, in front of the first packet's header columns.
pub const PROBE: &[&Field] = &[
    &field::TS,
    &field::DURATION,
    &field::SRC_IP,
    &field::DST_IP,
    &field::PROTO,
    &field::SRC_PORT,
    &field::DST_PORT,
    &field::CLASS,
    &field::TECHNIQUE,
    &field::HANDSHAKE,
    &field::SYN_STACK,
    &field::REASON,
    &field::PACKETS,
    &field::BYTES,
];

/// The session row of `scan-group`, behind `start`, `end` and one column per key.
pub const SESSION: &[&Field] = &[
    &field::PROTO,
    &field::GEOMETRY,
    &field::TECHNIQUE,
    &field::TOOL,
    &field::PROBES,
    &field::PACKETS,
    &field::BYTES,
    &field::SRCS,
    &field::DSTS,
    &field::PORTS,
    &field::H_SIZE,
    &field::H_PORT,
    &field::V_SIZE,
    &field::V_DST,
    &field::CLOSED_BY,
    &field::TECHNIQUE_SHARE,
    &field::TOOL_SHARE,
];

/// What `scan-group` adds where the size of the telescope is known.
pub const SESSION_ESTIMATE: &[&Field] = &[
    &field::RATE,
    &field::RATE_LO,
    &field::RATE_HI,
    &field::COVERAGE,
    &field::COVERAGE_LO,
    &field::COVERAGE_HI,
];

/// What `fingerprint` adds.
pub const TOOL: &[&Field] = &[&field::TOOL, &field::TOOL_RULE, &field::TOOL_CONFIDENCE, &field::TOOL_VERSION];

/// What `fingerprint` adds on request.
pub const TOOL_EXTRA: &[&Field] = &[&field::TOOL_SESSION, &field::SIG];

/// What `geo-enrich` adds about the source.
pub const SRC_PLACE: &[&Field] = &[
    &field::SRC_COUNTRY,
    &field::SRC_CITY,
    &field::SRC_LAT,
    &field::SRC_LON,
    &field::SRC_GEO_LEVEL,
    &field::SRC_TZ,
    &field::SRC_HOUR,
    &field::SRC_ASN,
    &field::SRC_ORG,
    &field::SRC_KNOWN,
];

/// What `geo-enrich` adds about the destination on request.
pub const DST_PLACE: &[&Field] = &[
    &field::DST_COUNTRY,
    &field::DST_CITY,
    &field::DST_LAT,
    &field::DST_LON,
    &field::DST_GEO_LEVEL,
    &field::DST_TZ,
    &field::DST_HOUR,
    &field::DST_ASN,
    &field::DST_ORG,
    &field::DST_KNOWN,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The contract with awk users: the default packet row, as the schema gives it.
    #[test]
    fn packet_row_is_the_schema() {
        let names: Vec<_> = PACKET.iter().map(|f| f.name).collect();
        assert_eq!(
            names.join(","),
            "ts,src_ip,dst_ip,proto,src_port,dst_port,tcp_flags,ip_len,ttl,ip_id,ip_tos,ip_df,tcp_seq,tcp_ack,\
             tcp_win,tcp_opts,tcp_mss,tcp_wscale,tcp_tsval,icmp_type,icmp_code,icmp_id,icmp_seq,udp_sum,\
             payload_len,payload_head,quoted_proto,quoted_src_ip,quoted_dst_ip,quoted_src_port,quoted_dst_port"
        );
    }
}
