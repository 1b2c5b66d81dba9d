//! The field dictionary: every column of every row, once.
//!
//! `--list-fields`, the text of "no such column" errors, number or string in NDJSON, and docs/FIELDS.md come from
//! this table.

/// What the cells of a column hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Unix seconds as a decimal number.
    Time,
    /// An IPv4 or IPv6 address.
    Ip,
    /// A whole number from 0.
    Int,
    /// A decimal number.
    Float,
    /// A lower-case word or letters from a fixed set; never needs quoting.
    Word,
    /// Octets in hexadecimal.
    Hex,
    /// Free text.
    Text,
}

impl Kind {
    /// The kind as `--list-fields` names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Ip => "ip",
            Self::Int => "int",
            Self::Float => "float",
            Self::Word => "word",
            Self::Hex => "hex",
            Self::Text => "text",
        }
    }

    /// Whether a value is a number in NDJSON rather than a string.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Time | Self::Int | Self::Float)
    }
}

/// One column: its name and what its cells mean.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// The column's name, the same in every tool.
    pub name: &'static str,
    /// What its cells hold.
    pub kind: Kind,
    /// Unit of a number; empty for none.
    pub unit: &'static str,
    /// What an empty cell (`null`) means.
    pub absent: &'static str,
    /// What the value means.
    pub doc: &'static str,
    /// Where the value is defined: RFC and section, or another source.
    pub source: &'static str,
    /// The tool that adds the column.
    pub added_by: &'static str,
}

macro_rules! fields {
    ($($constant:ident $name:literal $kind:ident $unit:literal $added_by:literal
        $doc:literal $absent:literal $source:literal)*) => {
        $(
            #[doc = concat!("`", $name, "`: ", $doc, ".")]
            pub const $constant: Field = Field {
                name: $name,
                kind: Kind::$kind,
                unit: $unit,
                absent: $absent,
                doc: $doc,
                source: $source,
                added_by: $added_by,
            };
        )*
        /// Every field, in the order of the tools.
        pub const ALL: &[&Field] = &[$(&$constant),*];
    };
}

// Constant, name, kind, unit, tool; then meaning, what absent means, source.
fields! {
    TS "ts" Time "s" "pkt2csv"
        "time of the (first) packet: Unix seconds, UTC, by the capture's clock"
        "never" "pcap, pcapng"
    SRC_IP "src_ip" Ip "" "pkt2csv"
        "source address, canonical text"
        "never" "RFC 791 §3.1; RFC 8200 §3"
    DST_IP "dst_ip" Ip "" "pkt2csv"
        "destination address, canonical text"
        "never" "RFC 791 §3.1; RFC 8200 §3"
    PROTO "proto" Word "" "pkt2csv"
        "transport protocol: tcp, udp, icmp, icmp6, sctp, or the IANA number of another; in IPv6 that of the last header"
        "never" "IANA protocol numbers"
    SRC_PORT "src_port" Int "" "pkt2csv"
        "source port"
        "no ports in this protocol, a later fragment, or not captured" "RFC 9293 §3.1; RFC 768; RFC 9260 §3.1"
    DST_PORT "dst_port" Int "" "pkt2csv"
        "destination port"
        "as src_port" "RFC 9293 §3.1; RFC 768; RFC 9260 §3.1"
    TCP_FLAGS "tcp_flags" Word "" "pkt2csv"
        "TCP flags as letters in bit order FSRPAUECN; . when none is set"
        "not TCP, or not captured" "RFC 9293 §3.1; RFC 3168 §6.1"
    IP_LEN "ip_len" Int "B" "pkt2csv"
        "length of the IP packet by its own header: IPv4 total length, IPv6 payload length + 40"
        "never" "RFC 791 §3.1; RFC 8200 §3"
    TTL "ttl" Int "hops" "pkt2csv"
        "time to live; IPv6 hop limit"
        "never" "RFC 791 §3.1; RFC 8200 §3"
    IP_ID "ip_id" Int "" "pkt2csv"
        "IPv4 identification"
        "IPv6" "RFC 791 §3.1; RFC 6864"
    IP_TOS "ip_tos" Int "" "pkt2csv"
        "type of service octet: DSCP and ECN; IPv6 traffic class"
        "never" "RFC 2474 §3; RFC 3168 §5"
    IP_DF "ip_df" Int "" "pkt2csv"
        "IPv4 don't-fragment flag, 0 or 1"
        "IPv6" "RFC 791 §3.1"
    TCP_SEQ "tcp_seq" Int "" "pkt2csv"
        "TCP sequence number as sent"
        "not TCP, or not captured" "RFC 9293 §3.1"
    TCP_ACK "tcp_ack" Int "" "pkt2csv"
        "TCP acknowledgment number as sent, whether the ACK flag is set or not"
        "not TCP, or not captured" "RFC 9293 §3.1"
    TCP_WIN "tcp_win" Int "B" "pkt2csv"
        "TCP window field, not scaled"
        "not TCP, or not captured" "RFC 9293 §3.1"
    TCP_OPTS "tcp_opts" Word "" "pkt2csv"
        "TCP option kinds in wire order joined by - (2-4-8-1-3)"
        "not TCP, no options, or not captured" "IANA TCP option kinds"
    TCP_MSS "tcp_mss" Int "B" "pkt2csv"
        "TCP maximum segment size option"
        "no such option" "RFC 9293 §3.7.1"
    TCP_WSCALE "tcp_wscale" Int "bits" "pkt2csv"
        "TCP window scale option: the shift, not the factor"
        "no such option" "RFC 7323 §2"
    TCP_TSVAL "tcp_tsval" Int "" "pkt2csv"
        "TCP timestamp value"
        "no such option" "RFC 7323 §3"
    ICMP_TYPE "icmp_type" Int "" "pkt2csv"
        "ICMP type"
        "not ICMP or ICMPv6, or not captured" "RFC 792; RFC 4443"
    ICMP_CODE "icmp_code" Int "" "pkt2csv"
        "ICMP code"
        "not ICMP or ICMPv6, or not captured" "RFC 792; RFC 4443"
    ICMP_ID "icmp_id" Int "" "pkt2csv"
        "ICMP identifier"
        "a type without identifier, or not captured" "RFC 792; RFC 950; RFC 4443 §4"
    ICMP_SEQ "icmp_seq" Int "" "pkt2csv"
        "ICMP sequence number"
        "a type without sequence number, or not captured" "RFC 792; RFC 950; RFC 4443 §4"
    UDP_SUM "udp_sum" Int "" "pkt2csv"
        "UDP checksum as sent; 0 means none was computed"
        "not UDP, or not captured" "RFC 768"
    PAYLOAD_LEN "payload_len" Int "B" "pkt2csv"
        "length of what follows the transport header, by the IP length, captured or not"
        "a later fragment, or the header was not captured" ""
    PAYLOAD_HEAD "payload_head" Hex "" "pkt2csv"
        "the first payload octets (16 unless --payload says otherwise), hexadecimal"
        "no payload captured" ""
    QUOTED_PROTO "quoted_proto" Word "" "pkt2csv"
        "protocol of the packet quoted in an ICMP error"
        "not an ICMP error" "RFC 792; RFC 4443 §3"
    QUOTED_SRC_IP "quoted_src_ip" Ip "" "pkt2csv"
        "source of the quoted packet: who was made out to have sent it"
        "not an ICMP error" "RFC 792; RFC 4443 §3"
    QUOTED_DST_IP "quoted_dst_ip" Ip "" "pkt2csv"
        "destination of the quoted packet: for backscatter, the victim"
        "not an ICMP error" "RFC 792; RFC 4443 §3"
    QUOTED_SRC_PORT "quoted_src_port" Int "" "pkt2csv"
        "source port of the quoted packet"
        "not an ICMP error, or no ports quoted" "RFC 792; RFC 4443 §3"
    QUOTED_DST_PORT "quoted_dst_port" Int "" "pkt2csv"
        "destination port of the quoted packet"
        "not an ICMP error, or no ports quoted" "RFC 792; RFC 4443 §3"
    FRAG_OFF "frag_off" Int "B" "pkt2csv --columns"
        "fragment offset in octets (on request)"
        "not a fragment" "RFC 791 §3.1; RFC 8200 §4.5"
    VLAN "vlan" Int "" "pkt2csv --columns"
        "outermost VLAN identifier (on request)"
        "no tag" "IEEE 802.1Q"
    TCP_TSECR "tcp_tsecr" Int "" "pkt2csv --columns"
        "TCP timestamp echo reply (on request)"
        "no such option" "RFC 7323 §3"
    TCP_URG "tcp_urg" Int "" "pkt2csv --columns"
        "TCP urgent pointer as sent (on request)"
        "not TCP, or not captured" "RFC 9293 §3.1"
    CAP_LEN "cap_len" Int "B" "pkt2csv --columns"
        "octets of the frame that were captured (on request)"
        "never" "pcap, pcapng"
    WIRE_LEN "wire_len" Int "B" "pkt2csv --columns"
        "octets of the frame on the wire (on request)"
        "never" "pcap, pcapng"
    INTERFACE "interface" Int "" "pkt2csv --columns"
        "number of the interface in the capture file, from 0 (on request)"
        "never" "pcapng"
    CHECKSUM "checksum" Word "" "pkt2csv --checksums"
        "good, bad, absent (UDP over IPv4 without one) or unknown (fragment, or cut) over the IPv4 header and the transport (on request)"
        "not checked, or nothing to check" "RFC 1071"
    DURATION "duration" Float "s" "scan-classify"
        "from the first packet to the last"
        "never" ""
    CLASS "class" Word "" "scan-classify"
        "scan, backscatter, response or other"
        "never" "docs/FIELDS.md"
    TECHNIQUE "technique" Word "" "scan-classify"
        "scanning technique: syn, connect, fin, xmas, null, maimon, ack, odd-flags, udp, icmp-echo, icmp-timestamp, icmp-mask, icmp-info, sctp-init, sctp-cookie-echo, ip-proto; in a session the most frequent one"
        "class is not scan" "RFC 9293; nmap"
    HANDSHAKE "handshake" Word "" "scan-classify"
        "what became of the three-way handshake: none, reset, unanswered, completed, refused"
        "the probe is not a TCP SYN" "RFC 9293 §3.5"
    SYN_STACK "syn_stack" Word "" "scan-classify"
        "os (the option layout of an operating system's connect()) or raw (no options, or MSS alone)"
        "the probe is not a TCP SYN, or its options were not captured" "p0f v3"
    REASON "reason" Word "" "scan-classify"
        "evidence for class and technique: words joined by ;"
        "nothing to add" ""
    PACKETS "packets" Int "" "scan-classify"
        "packets of the flow, both directions; in a session of all its probes"
        "never" ""
    BYTES "bytes" Int "B" "scan-classify"
        "sum of their ip_len"
        "never" ""
    START "start" Time "s" "scan-group"
        "time of the session's first probe"
        "never" ""
    END "end" Time "s" "scan-group"
        "time of the session's last probe"
        "never" ""
    GEOMETRY "geometry" Word "" "scan-group"
        "point (one address, one port), horizontal (several addresses, one port), vertical (one address, several ports) or block (several of both)"
        "never" ""
    PROBES "probes" Int "" "scan-group"
        "probes in the session"
        "never" ""
    SRCS "srcs" Int "" "scan-group"
        "distinct source addresses"
        "never" ""
    DSTS "dsts" Int "" "scan-group"
        "distinct destination addresses"
        "never" ""
    PORTS "ports" Int "" "scan-group"
        "distinct destination ports; 0 where the protocol has none"
        "never" ""
    H_SIZE "h_size" Int "" "scan-group"
        "largest horizontal scan size: distinct destination addresses on one port"
        "never" ""
    H_PORT "h_port" Int "" "scan-group"
        "the port with that size; the lowest of several"
        "no probe of that size has a port" ""
    V_SIZE "v_size" Int "" "scan-group"
        "largest vertical scan size: distinct destination ports of one address"
        "never" ""
    V_DST "v_dst" Ip "" "scan-group"
        "the address with that size; the lowest of several"
        "never" ""
    CLOSED_BY "closed_by" Word "" "scan-group"
        "why the session ended: window, gap, max_age, eof or evicted"
        "never" ""
    SRC_NET "src_net" Text "" "scan-group"
        "network of the source in prefix notation (--by net24, net=LEN)"
        "never" "RFC 4632 §3.1"
    TOOL "tool" Word "" "fingerprint"
        "scanning tool that sent it: zmap, masscan, nmap, mirai, …, os-stack or unknown"
        "never" "docs/FIELDS.md"
    TOOL_RULE "tool_rule" Word "" "fingerprint"
        "marks that matched, joined by ;"
        "no rule matched" ""
    TOOL_CONFIDENCE "tool_confidence" Word "" "fingerprint"
        "certain, probable, possible or mixed"
        "tool is unknown" "docs/RULES.md"
    TOOL_VERSION "tool_version" Word "" "fingerprint"
        "versions of the tool that leave these marks: 1.0.3..1.3.2, >=4.1, <=4.0.0; for os-stack the operating system"
        "the marks do not tell" "docs/RULES.md"
    TOOL_SESSION "tool_session" Word "" "fingerprint --session"
        "what all packets of one run of the tool share, whichever source they come from: tool:kind=value"
        "the marks do not tell" "docs/RULES.md"
    SIG "sig" Text "" "fingerprint --sig"
        "signature of the SYN in p0f v3's syntax, or MuonFP's window:options:mss:scale"
        "not a SYN, or its options were not captured" "p0f v3 README; MuonFP"
    SRC_COUNTRY "src_country" Word "" "geo-enrich"
        "country of the source, ISO 3166-1 alpha-2"
        "not in the database" ""
    SRC_CITY "src_city" Text "" "geo-enrich"
        "city of the source"
        "not in the database" ""
    SRC_LAT "src_lat" Float "deg" "geo-enrich"
        "latitude, WGS 84"
        "not in the database" ""
    SRC_LON "src_lon" Float "deg" "geo-enrich"
        "longitude, WGS 84"
        "not in the database" ""
    SRC_GEO_LEVEL "src_geo_level" Word "" "geo-enrich"
        "what the coordinates stand for: city, region or country"
        "not in the database" ""
    SRC_TZ "src_tz" Word "" "geo-enrich"
        "IANA time zone of the source"
        "not known well enough" "IANA tz database"
    SRC_HOUR "src_hour" Int "h" "geo-enrich"
        "local hour of day at the source, 0 to 23, at ts"
        "no time zone" "IANA tz database"
    SRC_ASN "src_asn" Int "" "geo-enrich"
        "number of the autonomous system that announces the source"
        "not announced" "RFC 6793"
    SRC_ORG "src_org" Text "" "geo-enrich"
        "name of that autonomous system's holder"
        "not announced" ""
    LO "lo" Float "" "hist"
        "lower edge of the bin, inside it"
        "never" ""
    HI "hi" Float "" "hist"
        "upper edge of the bin, outside it"
        "never" ""
    COUNT "count" Int "" "hist"
        "rows in the bin, or the sum of --weight"
        "never" ""
    SHARE "share" Float "" "hist"
        "count divided by the count of all bins"
        "never" ""
    CUMULATIVE "cumulative" Float "" "hist"
        "share of this bin and all above it"
        "never" ""
    DST_COUNTRY "dst_country" Word "" "geo-enrich"
        "country of the destination, ISO 3166-1 alpha-2"
        "not in the database" ""
    DST_CITY "dst_city" Text "" "geo-enrich"
        "city of the destination"
        "not in the database" ""
    DST_LAT "dst_lat" Float "deg" "geo-enrich"
        "latitude, WGS 84"
        "not in the database" ""
    DST_LON "dst_lon" Float "deg" "geo-enrich"
        "longitude, WGS 84"
        "not in the database" ""
    DST_GEO_LEVEL "dst_geo_level" Word "" "geo-enrich"
        "what the coordinates stand for: city, region or country"
        "not in the database" ""
    DST_TZ "dst_tz" Word "" "geo-enrich"
        "IANA time zone of the destination"
        "not known well enough" "IANA tz database"
    DST_HOUR "dst_hour" Int "h" "geo-enrich"
        "local hour of day at the destination, 0 to 23, at ts"
        "no time zone" "IANA tz database"
    DST_ASN "dst_asn" Int "" "geo-enrich"
        "number of the autonomous system that announces the destination"
        "not announced" "RFC 6793"
    DST_ORG "dst_org" Text "" "geo-enrich"
        "name of that autonomous system's holder"
        "not announced" ""
    TECHNIQUE_SHARE "technique_share" Float "" "scan-group"
        "share of the session's probes that have its technique"
        "no probe has one" ""
    TOOL_SHARE "tool_share" Float "" "scan-group"
        "share of the session's probes that have its tool"
        "no probe has one" ""
    RATE "rate" Float "packets/s" "scan-group --telescope-size"
        "rate of the scan over all of IPv4, from probes and duration, had it chosen addresses uniformly"
        "IPv6, or no time between the first and the last probe" "Moore et al. 2004"
    RATE_LO "rate_lo" Float "packets/s" "scan-group --telescope-size"
        "lower end of its 95 % confidence interval"
        "as rate" "Byar's approximation: Breslow and Day 1987"
    RATE_HI "rate_hi" Float "packets/s" "scan-group --telescope-size"
        "upper end of its 95 % confidence interval"
        "as rate" "Byar's approximation: Breslow and Day 1987"
    COVERAGE "coverage" Float "" "scan-group --telescope-size"
        "share of the telescope's IPv4 addresses that were met, the estimate of the share of IPv4"
        "IPv6, or more addresses than the telescope has" ""
    COVERAGE_LO "coverage_lo" Float "" "scan-group --telescope-size"
        "lower end of its 95 % confidence interval"
        "as coverage" "Wilson 1927"
    COVERAGE_HI "coverage_hi" Float "" "scan-group --telescope-size"
        "upper end of its 95 % confidence interval"
        "as coverage" "Wilson 1927"
    APPROX "approx" Word "" "scan-group --approx"
        "hll: the session's distinct counts are estimates"
        "they are exact" "Heule et al. 2013"
    PORT_LIST "port_list" Text "" "scan-group --columns"
        "the session's distinct destination ports in ascending order, joined by ';'"
        "it has none, or counts are estimates (approx)" ""
    VICTIM "victim" Ip "" "scan-group --by victim"
        "who was made out to have asked for a reply: the destination that an ICMP error quotes, else the source"
        "never" "Moore et al. 2006"
    SRC_KNOWN "src_known" Text "" "geo-enrich --lists"
        "lists that hold the source, joined by ';': the one with the smallest network around it first, then by name"
        "in none of the lists" ""
    DST_KNOWN "dst_known" Text "" "geo-enrich --lists"
        "lists that hold the destination, joined by ';': the one with the smallest network around it first, then by name"
        "in none of the lists" ""
}

/// The field with this name.
pub fn by_name(name: &str) -> Option<&'static Field> {
    ALL.iter().find(|field| field.name == name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_one_meaning() {
        for (i, field) in ALL.iter().enumerate() {
            assert!(ALL[..i].iter().all(|other| other.name != field.name), "{} stands twice", field.name);
            assert!(!field.doc.is_empty() && !field.absent.is_empty() && !field.added_by.is_empty());
            assert!(field.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
        }
    }
}
