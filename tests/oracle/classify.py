#!/usr/bin/env python3
"""Packet rows to probe rows, by docs/CLASSIFICATION.md and nothing else.

Slow, unbounded, the whole input in memory: first all packets are put in order, then dealt out to flows, and
only then is each flow judged from the list of its packets. Headings of the document stand as headings here.
"""

import argparse
import functools
import ipaddress
import sys
from decimal import Decimal

from rows import SECOND, decimals, in_time_order, nanoseconds, open_input, read, seconds, writer

OWN_COLUMNS = (
    "ts duration src_ip dst_ip proto src_port dst_port "
    "class technique handshake syn_stack reason packets bytes"
).split()
ENDS_AND_TIME = "ts src_ip dst_ip proto src_port dst_port".split()

TWO_PHASE_SPAN = 600 * SECOND

REQUEST_OF = {"icmp": {0: 8, 14: 13, 16: 15, 18: 17}, "icmp6": {129: 128}}
REQUESTS = {
    "icmp": {8: "icmp-echo", 13: "icmp-timestamp", 15: "icmp-info", 17: "icmp-mask"},
    "icmp6": {128: "icmp-echo"},
}
ERRORS = {"icmp": {3, 4, 5, 11, 12}, "icmp6": {1, 2, 3, 4}}


@functools.cache
def address(text):
    return ipaddress.ip_address(text)


@functools.cache
def network(text):
    return ipaddress.ip_network(text)


def inside(text, *networks):
    """Whether an address lies in one of the networks of its own IP version."""
    return any(address(text) in network(n) for n in networks)


class Packet:
    """One packet row with its cells read."""

    def __init__(self, row):
        def number(name):
            text = row.get(name, "")
            return int(text) if text else None

        self.row = row
        self.time = nanoseconds(row["ts"])
        self.src, self.dst = row.get("src_ip", ""), row.get("dst_ip", "")
        self.proto = row.get("proto", "")
        self.src_port, self.dst_port = number("src_port"), number("dst_port")
        flags = row.get("tcp_flags", "")
        #: The letters of the six flags that are compared, in the order F S R P A U; None where not captured.
        self.flags = "".join(f for f in "FSRPAU" if f in flags) if self.proto == "tcp" and flags else None
        self.seq, self.ack = number("tcp_seq"), number("tcp_ack")
        self.options = [int(kind) for kind in row.get("tcp_opts", "").split("-") if kind]
        self.ttl, self.ip_id = number("ttl"), number("ip_id")
        self.ip_len, self.payload_len = number("ip_len"), number("payload_len")
        self.head = bytes.fromhex(row.get("payload_head", ""))
        self.icmp_type, self.icmp_id = number("icmp_type"), number("icmp_id")
        #: Set once this is an ICMP error that belongs to the flow it quotes, and whether it quotes the initiator.
        self.answers_quoted_flow = self.quotes_initiator = False
        #: What an error quotes: protocol and end points. A quoted ICMP packet names no flow: the columns do
        #: not have its type and identifier.
        self.quoted = None
        quotes_ports = row.get("quoted_proto") not in REQUEST_OF
        if row.get("quoted_src_ip") and row.get("quoted_dst_ip") and quotes_ports:
            self.quoted = (
                row.get("quoted_proto", ""),
                (row["quoted_src_ip"], number("quoted_src_port")),
                (row["quoted_dst_ip"], number("quoted_dst_port")),
            )

    def is_error(self):
        return self.icmp_type in ERRORS.get(self.proto, ())

    def ends(self):
        """The end points of sender and receiver."""
        if self.proto in REQUEST_OF:
            stand_in = self.icmp_stand_in()
            return (self.src, stand_in), (self.dst, stand_in)
        return (self.src, self.src_port), (self.dst, self.dst_port)

    def icmp_stand_in(self):
        """What stands for both ports of an ICMP packet; None where not even the type was captured."""
        if self.icmp_type is None:
            return None
        kind = REQUEST_OF[self.proto].get(self.icmp_type, self.icmp_type)
        return (kind, self.icmp_id if kind in REQUESTS[self.proto] else None)

    def carries_payload(self):
        return bool(self.payload_len)

    def options_not_captured(self):
        """Options were sent, but the capture is cut before them. Without ip_len there is no sign of it."""
        if self.options or self.ip_len is None:
            return False
        plain_headers = 60 if address(self.src).version == 6 else 40
        return self.ip_len - (self.payload_len or 0) > plain_headers

    def is_irregular_syn(self):
        if self.flags != "S":
            return False
        no_options = not self.options and not self.options_not_captured()
        return (self.ttl or 0) > 200 or no_options or self.ip_id == 54321


class Flow:
    """The packets of one flow, the first one first. `ended_by_syn`: when a SYN took its end points over."""

    def __init__(self, first, two_phase):
        self.packets = [first]
        self.initiator = first.ends()[0]
        self.two_phase = two_phase
        self.ended_by_syn = None
        self.reached_max_age = False
        self.later_packets = []

    @property
    def first(self):
        return self.packets[0]

    def opened_by_syn(self):
        return self.first.flags == "S"

    def behind_first(self):
        return self.packets[1:]

    def errors(self):
        """The ICMP errors that quote this flow: answers to it, not packets between its end points."""
        return [p for p in self.packets if p.answers_quoted_flow]

    def between_ends(self):
        """Its packets without those errors."""
        return [p for p in self.packets if not p.answers_quoted_flow]

    def has_packet_from(self, end):
        return any(packet.ends()[0] == end for packet in self.between_ends())

    def from_other_side(self, packet):
        return packet.ends()[0] != self.initiator


# Flow


def deal_out(packets, timeout, max_age):
    """Every packet to its flow; the flows in the order of their first packets."""
    flows, known, irregular = [], {}, {}

    def still_known(name, now):
        flow = known.get(name)
        return flow if flow and now - flow.packets[-1].time <= timeout else None

    for packet in packets:
        flow = None
        if packet.is_error() and packet.quoted:
            proto, sender, receiver = packet.quoted
            flow = still_known((proto, frozenset((sender, receiver))), packet.time)
            if flow and not flow.has_packet_from(sender):
                flow = None
            packet.answers_quoted_flow = flow is not None
            packet.quotes_initiator = flow is not None and flow.initiator == sender
        if flow is None:
            name = (packet.proto, frozenset(packet.ends()))
            flow = still_known(name, packet.time)
            if flow and packet.flags == "S" and not flow.opened_by_syn():
                flow.ended_by_syn = packet.time
                flow = None
            if flow is None:
                seen = irregular.get((packet.src, packet.dst, packet.dst_port))
                regular_syn = packet.flags == "S" and not packet.is_irregular_syn()
                two_phase = regular_syn and seen is not None and packet.time - seen <= TWO_PHASE_SPAN
                known[name] = Flow(packet, two_phase)
                flows.append(known[name])
            else:
                flow.packets.append(packet)
        else:
            flow.packets.append(packet)
        if packet.is_irregular_syn():
            irregular[packet.src, packet.dst, packet.dst_port] = packet.time

    end_of_input = packets[-1].time if packets else 0
    for flow in flows:
        cut_at_max_age(flow, timeout, max_age, end_of_input)
    return flows


def cut_at_max_age(flow, timeout, max_age, end_of_input):
    """A flow alive `max_age` after its first packet is written then; what comes later is not counted.

    "Then" is once a packet later than that instant is taken; a packet at that very instant still counts.
    """
    cut = flow.first.time + max_age
    counted = [flow.first] + [p for p in flow.behind_first() if p.time <= cut]
    gone_before = flow.ended_by_syn is not None and flow.ended_by_syn <= cut
    if end_of_input > cut and not gone_before and cut - counted[-1].time <= timeout:
        flow.reached_max_age = True
        flow.later_packets = flow.packets[len(counted):]
        flow.packets = counted


# Direction, class and technique


def judge(flow, telescope, settle):
    """(class, technique, reason that decided the class)."""
    first = flow.first
    if telescope:
        if in_telescope(first.dst, telescope):
            return judge_inbound(flow, settle)
        if in_telescope(first.src, telescope):
            return "response", "", ""
        return "other", "", "transit"
    if inside(first.dst, "224.0.0.0/4", "ff00::/8", "255.255.255.255/32"):
        return "other", "", "multicast"
    if inside(first.src, "169.254.0.0/16", "fe80::/10", "0.0.0.0/32", "::/128"):
        return "other", "", "link-local"
    if inside(first.dst, "169.254.0.0/16", "fe80::/10", "0.0.0.0/32", "::/128"):
        return "other", "", "link-local"
    return judge_inbound(flow, settle)


def in_telescope(text, telescope):
    ip = address(text)
    return any(low.version == ip.version and low <= ip <= high for low, high in telescope)


def judge_inbound(flow, settle):
    first = flow.first
    match first.proto:
        case "tcp":
            return judge_tcp(flow, settle)
        case "udp":
            return judge_udp(first)
        case "icmp" | "icmp6":
            return judge_icmp(first)
        case "sctp":
            return judge_sctp(first)
    return "scan", "ip-proto", ""


def judge_tcp(flow, settle):
    flags = flow.first.flags
    if flags is None:
        return "other", "", "no-header"
    if flags == "S":
        return "scan", "connect" if handshake(flow, settle) == "completed" else "syn", ""
    if flags == "SA":
        return "backscatter", "", "syn-ack"
    if flags in ("R", "RA"):
        return "backscatter", "", "rst"
    if flags in ("PA", "AU", "PAU", "FPA", "FAU", "FPAU", "RP", "RPA"):
        return "other", "", "mid-stream"
    if shows_conversation(flow):
        return "other", "", "conversation"
    named = {"F": "fin", "FPU": "xmas", "": "null", "FA": "maimon", "A": "ack"}
    return "scan", named.get(flags, "odd-flags"), ""


def shows_conversation(flow):
    """A payload, or an answer other than a reset; an ICMP error is neither (semantics.md)."""
    own = flow.between_ends()
    answers = [p for p in own if flow.from_other_side(p) and p.flags is not None]
    return any(p.carries_payload() for p in own) or any("R" not in p.flags for p in answers)


def judge_udp(first):
    if first.src_port is None or first.dst_port is None:
        return "other", "", "no-header"
    reply = udp_reply(first.src_port, first.head)
    return ("backscatter", "", reply) if reply else ("scan", "udp", "")


def udp_reply(port, head):
    """The reason by which a UDP payload from that port is a reply; None if it is not."""
    size = len(head)

    def bit(offset, mask):
        return bool(head[offset] & mask)

    if port in (53, 5353) and size >= 3 and bit(2, 0x80):
        return "dns-reply"
    if port == 123 and size >= 1:
        mode = head[0] & 7
        if mode == 4 or (mode == 6 and size >= 2 and bit(1, 0x80)) or (mode == 7 and bit(0, 0x80)):
            return "ntp-reply"
    if port == 137 and size >= 3 and bit(2, 0x80):
        return "netbios-reply"
    if port == 1900 and head.startswith(b"HTTP/1.1 2"):
        return "ssdp-reply"
    if port == 5060 and head.startswith(b"SIP/2.0 "):
        return "sip-reply"
    if port == 161 and snmp_pdu(head) == 0xA2:
        return "snmp-reply"
    if port == 500 and size >= 16 and any(head[8:16]):
        return "ike-reply"
    if port == 4500 and size >= 16 and not any(head[0:4]) and any(head[12:16]):
        return "ike-reply"
    if port == 111 and size >= 8 and head[4:8] == b"\0\0\0\1":
        return "rpc-reply"
    if port == 11211 and size >= 11 and head[8:].startswith((b"STAT ", b"VALUE", b"END", b"ERROR")):
        return "memcached-reply"
    if port == 3478 and size >= 4 and bit(0, 0x01) and not bit(0, 0xC0) and not bit(3, 0x03):
        return "stun-reply"
    if port == 19 and size >= 1:
        return "chargen-reply"
    if port == 17 and size >= 1:
        return "qotd-reply"
    return None


def judge_icmp(first):
    kind = first.icmp_type
    if kind is None:
        return "other", "", "no-header"
    if kind in REQUESTS[first.proto]:
        return "scan", REQUESTS[first.proto][kind], ""
    if kind in REQUEST_OF[first.proto]:
        return "backscatter", "", "icmp-reply"
    if kind in ERRORS[first.proto]:
        return "backscatter", "", "icmp-error"
    return "other", "", "icmp-control"


def judge_sctp(first):
    if first.src_port is None or first.dst_port is None or not first.head:
        return "other", "", "no-header"
    chunk = first.head[0]
    if chunk == 1:
        return "scan", "sctp-init", ""
    if chunk == 10:
        return "scan", "sctp-cookie-echo", ""
    if chunk in (2, 6, 11, 14):
        return "backscatter", "", "sctp-reply"
    return "other", "", "mid-stream"


def snmp_pdu(head):
    """The tag of the PDU in an SNMP message: 30 LENGTH 02 01 VERSION 04 LENGTH COMMUNITY PDU. None if it is none."""
    if head[:1] != b"\x30":
        return None
    length_octets = {0x81: 2, 0x82: 3}.get(head[1] if len(head) > 1 else 0, 1)
    rest = head[1 + length_octets :]
    if len(rest) < 5 or rest[:2] != b"\x02\x01" or rest[3] != 0x04:
        return None
    pdu = rest[5 + rest[4] :]
    return pdu[0] if pdu else None


# Handshake


def handshake(flow, settle):
    if not flow.opened_by_syn():
        return ""
    latest_sa = None
    for packet in flow.between_ends()[1:]:
        if packet.flags is None:
            continue
        if flow.from_other_side(packet):
            if "R" in packet.flags and latest_sa is None:
                return "refused"
            if packet.flags == "SA":
                latest_sa = packet
        elif latest_sa is not None and packet.time - latest_sa.time <= settle:
            if "R" in packet.flags:
                return "reset"
            if "A" in packet.flags and "S" not in packet.flags and acknowledges(packet, latest_sa):
                return "completed"
    return "none" if latest_sa is None else "unanswered"


def acknowledges(packet, syn_ack):
    if packet.ack is None or syn_ack.seq is None:
        return True
    return 0 < (packet.ack - syn_ack.seq) % 2**32 < 2**31


def syn_stack(flow):
    if not flow.opened_by_syn() or flow.first.options_not_captured():
        return ""
    kinds = set(flow.first.options)
    return "os" if 2 in kinds and kinds & {3, 4, 8} else "raw"


# Reasons


BOGONS = (
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.168.0.0/16 "
    "198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3 ::/8 100::/64 2001:db8::/32 fc00::/7 ff00::/8"
).split()


def is_bogon(text):
    ip = address(text)
    mapped = ip.ipv4_mapped if ip.version == 6 else None
    return is_bogon(str(mapped)) if mapped else inside(text, *BOGONS)


def reasons(flow, verdict, deciding):
    first = flow.first
    words = [
        (deciding, bool(deciding)),
        ("two-phase", flow.two_phase),
        ("payload", flow.opened_by_syn() and first.carries_payload()),
        ("port-zero", 0 in (first.src_port, first.dst_port)),
        ("src-is-dst", address(first.src) == address(first.dst)),
        ("bogon-src", is_bogon(first.src)),
        ("icmp-error", verdict == "scan" and any(error.quotes_initiator for error in flow.errors())),
        ("max-age", flow.reached_max_age),
    ]
    return ";".join(word for word, applies in words if applies)


# Output


def probe_row(flow, telescope, settle, header_columns):
    first, last = flow.first, flow.packets[-1]
    verdict, technique, deciding = judge(flow, telescope, settle)
    row = first.row
    return [
        row["ts"],
        seconds(last.time - first.time, decimals(row["ts"])),
        *(row.get(name, "") for name in ENDS_AND_TIME[1:]),
        verdict,
        technique,
        handshake(flow, settle),
        syn_stack(flow),
        reasons(flow, verdict, deciding),
        len(flow.packets),
        sum(p.ip_len or 0 for p in flow.packets),
        *(row.get(name, "") for name in header_columns),
    ]


def telescope_range(text):
    """(lowest, highest) of CIDR, ADDR or A-B."""
    if "-" in text:
        low, high = text.split("-")
        return ipaddress.ip_address(low), ipaddress.ip_address(high)
    net = ipaddress.ip_network(text, strict=False)
    return net[0], net[-1]


def classify(columns, rows, telescope=(), timeout=300, settle=60, max_age=3600, reorder=5, wanted="all"):
    """The probe table as a list of rows, its header first; and the accounting as a dictionary."""
    packets, late = in_time_order([Packet(row) for row in rows], int(reorder * SECOND), lambda p: p.time)
    flows = deal_out(packets, int(timeout * SECOND), int(max_age * SECOND))
    header_columns = [name for name in columns if name not in ENDS_AND_TIME]
    ranges = [telescope_range(text) for text in telescope]
    table = [probe_row(flow, ranges, int(settle * SECOND), header_columns) for flow in flows]
    in_class = [row for row in table if wanted == "all" or row[OWN_COLUMNS.index("class")] == wanted]
    accounting = {
        "packets": len(packets) + len(late),
        "late": len(late),
        "in flows": sum(len(flow.packets) for flow in flows),
        "in flows already written": sum(len(flow.later_packets) for flow in flows),
        "flows": len(flows),
    }
    return [OWN_COLUMNS + header_columns] + in_class, accounting


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?")
    parser.add_argument("--telescope", action="append", default=[])
    parser.add_argument("--flow-timeout", type=Decimal, default=Decimal(300))
    parser.add_argument("--settle", type=Decimal, default=Decimal(60))
    parser.add_argument("--max-age", type=Decimal, default=Decimal(3600))
    parser.add_argument("--reorder", type=Decimal, default=Decimal(5))
    parser.add_argument("--class", dest="wanted", default="all")
    args = parser.parse_args()
    rows = read(open_input(args.file))
    table, accounting = classify(
        next(rows, []),
        rows,
        telescope=args.telescope,
        timeout=args.flow_timeout,
        settle=args.settle,
        max_age=args.max_age,
        reorder=args.reorder,
        wanted=args.wanted,
    )
    writer().writerows(table)
    print("classify.py:", ", ".join(f"{name} {count}" for name, count in accounting.items()), file=sys.stderr)


if __name__ == "__main__":
    main()
