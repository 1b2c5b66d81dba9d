#!/usr/bin/env python3
"""Seeded random packet rows (or, with --probes, probe rows) that meet the rules at their edges.

    scenarios.py SEED N > rows.csv

Few addresses and ports, so that flows collide; steps of time that meet every limit exactly, just before and
just after; stories (handshakes, refusals, conversations, two-phase scans, endless flows) played among noise;
and arrival out of order, within the reorder window, at its edge and beyond it.
"""

import argparse
import csv
import random
import sys

PACKET_COLUMNS = (
    "ts src_ip dst_ip proto src_port dst_port tcp_flags ip_len ttl ip_id ip_tos ip_df tcp_seq tcp_ack "
    "tcp_win tcp_opts tcp_mss tcp_wscale tcp_tsval icmp_type icmp_code icmp_id icmp_seq udp_sum payload_len "
    "payload_head quoted_proto quoted_src_ip quoted_dst_ip quoted_src_port quoted_dst_port"
).split()

PROBE_COLUMNS = (
    "ts duration src_ip dst_ip proto src_port dst_port class technique handshake syn_stack reason packets "
    "bytes tcp_flags ttl tool tool_rule src_country src_asn src_org"
).split()

#: The telescope of the comparisons is 198.51.100.0/29 and 2001:db8:1::/126, so both sides of it occur here.
INSIDE = ["198.51.100.1", "198.51.100.2", "198.51.100.7"]
OUTSIDE = ["1.2.3.4", "8.8.8.8", "198.51.100.8", "203.0.113.9", "10.1.2.3", "100.64.0.1"]
INSIDE6 = ["2001:db8:1::1", "2001:db8:1::3"]
OUTSIDE6 = ["2001:db8:1::4", "2a00:1450::1", "fd00::1", "::ffff:10.0.0.1", "::ffff:8.8.4.4", "64:ff9b::1"]
ODD = ["224.0.0.1", "239.255.255.250", "255.255.255.255", "169.254.3.4", "0.0.0.0", "127.0.0.1", "192.0.0.8"]
ODD6 = ["ff02::1", "fe80::1", "::", "::1", "100::1", "ff0e::2"]

PORTS = [0, 17, 19, 53, 80, 111, 123, 137, 443, 500, 1900, 3478, 4500, 5060, 5353, 11211, 40000]

#: Option layouts: none, MSS only, with padding, of operating systems, and others that are neither.
OPTIONS = ["", "", "2", "2-1-0", "2-4-8-1-3", "2-1-3-1-1-4", "2-3", "2-8", "4-8", "3", "1-1", "2-254", "2-2"]

#: Payload beginnings by source port: replies, near misses and cuts one octet short of what must be looked at.
HEADS = {
    53: ["123481800001", "12340100000100", "123481", "1234", "1234ff", "12347f80"],
    5353: ["00008400", "00000000", "0000"],
    123: ["24", "1c", "e3", "16", "1680", "9680", "16ff", "167f", "97", "17", "d7000102", "06", "0680"],
    137: ["000184", "000104", "0001"],
    1900: [text.encode().hex() for text in ("HTTP/1.1 2", "HTTP/1.1 20", "HTTP/1.1 4", "HTTP/1.1 ", "NOTE")],
    5060: [text.encode().hex() for text in ("SIP/2.0 ", "SIP/2.0 200", "SIP/2.0", "OPTIONS")],
    500: ["11" * 8 + "00" * 8, "11" * 8 + "00" * 7 + "01", "11" * 15, "00" * 8 + "01" + "00" * 7],
    4500: [
        "00000000" + "11" * 8 + "00000000",
        "00000000" + "11" * 8 + "00000001",
        "01000000" + "11" * 12,
        "00000000" + "11" * 11,
        "ff",
    ],
    111: ["0102030400000001", "0102030400000000", "01020304000000", "010203040000000102"],
    11211: [
        "0001000000010000" + text.encode().hex()
        for text in ("STAT ", "STAT", "VALUE", "END", "EN", "ERROR", "ERRO", "STA", "\0")
    ]
    + ["ffffffffffffffff454e440d0a", "737461740d0a"],
    3478: ["01010008", "0111000c", "0101", "0d0a0d0a", "0001", "01", "0100", "00010101", "ff00", "4d2d53454152"],
    19: ["20", "2021"],
    17: ["22", "2261"],
}

ERRORS = {"icmp": [3, 4, 5, 11, 12], "icmp6": [1, 2, 3, 4]}

#: Spans met by the time-outs that the comparisons use, and by the defaults.
LIMITS = [5, 10, 30, 60, 100, 300, 600, 3600]


class Story:
    """The clock, the random source and the rows written so far."""

    def __init__(self, seed, columns):
        self.random = random.Random(f"probeline {seed}")
        self.digits = self.random.choice([6, 9])
        self.tick = 1 if self.digits == 9 else 1000
        self.columns = columns
        self.now = self.random.choice([0, 1_600_000_000, 1_699_999_200]) * 10**9
        #: How fast time passes: from packets within milliseconds to packets minutes apart.
        self.tempo = self.random.choice(["quick", "mixed", "mixed", "limits", "slow"])
        self.disorder = self.random.choice([0, 0, 0.05, 0.3])
        self.rows = []
        self.packets = []
        self.numbered = 0

    def pick(self, *things):
        return self.random.choice(things)

    def chance(self, probability):
        return self.random.random() < probability

    def step(self):
        second = 10**9
        kind = {
            "quick": ["same", "short", "short", "short", "second"],
            "mixed": ["same", "short", "short", "second", "second", "limit"],
            "limits": ["same", "short", "limit", "limit"],
            "slow": ["second", "long", "limit", "short"],
        }[self.tempo]
        match self.random.choice(kind):
            case "same":
                span = 0
            case "short":
                span = self.random.randrange(0, 50_000) * 1000
            case "second":
                span = self.random.randrange(0, 12) * second // 2
            case "long":
                span = self.random.randrange(0, 400) * second
            case "limit":
                return self.wait_about(*LIMITS)
        self.now += span

    def a_tick_around(self):
        """The least span before, none, or the least span after."""
        return self.pick(-1, 0, 0, 1) * self.tick

    def wait_about(self, *spans):
        """Waits for one of these numbers of seconds, exactly or missing it by the least span."""
        self.now += max(0, self.pick(*spans) * 10**9 + self.a_tick_around())

    def time_text(self, time):
        time -= time % self.tick
        whole, rest = divmod(time, 10**9)
        return f"{whole}." + f"{rest:09d}"[: self.digits]

    def write(self, time=None, **cells):
        """Adds a row that is captured now (or then) and arrives now or later."""
        time = self.now if time is None else time
        arrival = time
        if self.chance(self.disorder):
            arrival += self.pick(0, 1, 4, 5, 5, 6, 20) * 10**9 + self.a_tick_around()
        self.numbered += 1
        row = ["" if cells.get(name) is None else str(cells[name]) for name in self.columns[1:]]
        self.rows.append((arrival, self.numbered, [self.time_text(time)] + row))

    def arrived(self, n):
        return [row for _, _, row in sorted(self.rows, key=lambda entry: entry[:2])][:n]


# Packets


def packet(story, src, dst, proto, **cells):
    """A packet with plausible header cells, some of them absent; kept, to be quoted and repeated."""
    six = ":" in src
    header = 60 if six else 40
    payload = cells.get("payload_len") or 0
    cells.setdefault("ip_len", header + payload if proto == "tcp" else 28 + payload)
    cells.setdefault("ttl", story.pick(1, 44, 64, 128, 200, 201, 255))
    if not six:
        cells.setdefault("ip_id", story.pick(0, 1, 54321, 54321, 7, 65535))
    cells.setdefault("payload_len", payload)
    cells = {"src_ip": src, "dst_ip": dst, "proto": proto} | cells
    if story.chance(0.01):
        lost = story.pick("ip_len", "ttl", "payload_len", "tcp_seq", "tcp_ack", "payload_head", "tcp_opts")
        cells[lost] = None
    story.packets.append(cells)
    story.write(**cells)


def tcp(story, src, sport, dst, dport, flags, options=None, **cells):
    """`flags` in any order and with E, C, N as they come; options cost room, unless they are cut away."""
    order = "".join(f for f in "FSRPAUECN" if f in flags) or "."
    if options is None:
        options = story.random.choice(OPTIONS) if flags == "S" else ""
    room = {"": 0, "2": 4}.get(options, 20)
    header = 60 if ":" in src else 40
    cells.setdefault("payload_len", 0)
    cells.setdefault("ip_len", header + room + cells["payload_len"])
    if options and story.chance(0.05):
        options = ""
    cells.setdefault("tcp_seq", story.random.choice([0, 1, 1000, 2**31, 2**32 - 1]))
    cells.setdefault("tcp_ack", story.random.choice([0, 0, 1, 1001, 2**31]))
    cells |= {"src_port": sport, "dst_port": dport, "tcp_flags": order, "tcp_opts": options, "tcp_win": 1024}
    packet(story, src, dst, "tcp", **cells)


def ends(story):
    """Two addresses of one family, mostly a scanner and the telescope."""
    r = story.random
    if story.chance(0.2):
        inside, outside, odd = INSIDE6, OUTSIDE6, ODD6
    else:
        inside, outside, odd = INSIDE, OUTSIDE, ODD
    src, dst = r.choice(outside), r.choice(inside)
    if story.chance(0.15):
        src, dst = dst, src
    if story.chance(0.05):
        src = r.choice(outside + inside)
        dst = r.choice(outside + inside)
    if story.chance(0.05):
        src = r.choice(odd)
    if story.chance(0.05):
        dst = r.choice(odd)
    if story.chance(0.02):
        src = dst
    return src, dst


def ports(story):
    return story.random.choice([40000, 40001, 80, 0]), story.random.choice([80, 443, 443, 0])


def any_flags(story):
    common = ["S", "S", "S", "SA", "R", "RA", "A", "F", "FA", "FPU", "", "PA", "FPA"]
    flags = story.random.choice(common)
    if story.chance(0.3):
        flags = "".join(f for f in "FSRPAU" if story.chance(0.4))
    if story.chance(0.15):
        flags += story.pick("E", "C", "EC", "N")
    return flags


def single_tcp(story):
    src, dst = ends(story)
    sport, dport = ports(story)
    payload = story.pick(0, 0, 0, 0, 1, 40)
    flags = any_flags(story)
    for _ in range(story.pick(1, 1, 1, 2, 4)):
        tcp(story, src, sport, dst, dport, flags, payload_len=payload)
        if story.chance(0.5):
            story.step()
        if story.chance(0.3):
            tcp(story, dst, dport, src, sport, story.pick("R", "RA", "A", "SA", "FA", "RPA", ""))


def handshake(story):
    """S, then any of SA, retransmissions, right and wrong acknowledgments, resets, and waiting between."""
    src, dst = ends(story)
    sport, dport = ports(story)
    isn = story.pick(5, 2**32 - 1)
    answer = story.pick(0, 9, 2**31 - 1, 2**31, 2**32 - 1)
    right = (answer + 1) % 2**32

    def wait():
        if story.chance(0.25):
            story.wait_about(1, 5, 10, 30, 59, 60, 60, 61, 300)
        elif story.chance(0.5):
            story.now += story.random.randrange(0, 1000) * 10**6

    def initiator(flags, **cells):
        tcp(story, src, sport, dst, dport, flags, **({"tcp_seq": isn} | cells))

    def other(flags, **cells):
        numbers = {"tcp_seq": answer, "tcp_ack": (isn + 1) % 2**32}
        tcp(story, dst, dport, src, sport, flags, **(numbers | cells))

    initiator("S" + story.pick("", "", "EC"), payload_len=story.pick(0, 0, 0, 12))
    events = ["S", "SA", "SA", "SA", "ack", "ack", "ack", "wrong", "R", "RA", "refuse", "data", "odd"]
    for _ in range(story.pick(0, 1, 2, 3, 4, 6)):
        wait()
        match story.random.choice(events):
            case "S":
                initiator("S")
            case "SA":
                other("SA" + story.pick("", "", "E"))
            case "ack":
                initiator(story.pick("A", "PA", "FA", "PAU"), tcp_ack=right)
            case "wrong":
                ahead = story.pick(0, -1, 2**31 - 1, 2**31, 2**31 + 1, None)
                initiator("A", tcp_ack=None if ahead is None else (answer + ahead) % 2**32)
            case "R":
                initiator(story.pick("R", "RA", "RP"))
            case "RA":
                initiator("RA", tcp_ack=right)
            case "refuse":
                other(story.pick("R", "RA", "RA", "RPA"))
            case "data":
                other("PA", payload_len=100)
            case "odd":
                initiator(story.pick("SA", "SF", "F", "", "SRA"), tcp_ack=right)


def two_phase(story):
    """An irregular S (or a nearly regular one), then a regular one around 600 s later."""
    src, dst = ends(story)
    sport, dport = ports(story)
    irregular = story.pick(
        {"options": ""}, {"options": "2", "ttl": 201}, {"options": "2", "ttl": 200, "ip_id": 54321},
        {"options": "2", "ttl": 200, "ip_id": 1}, {"options": "2-4-8-1-3", "ttl": 255, "ip_id": 0},
    )
    tcp(story, src, sport, dst, dport, "S", **irregular)
    if story.chance(0.7):
        story.wait_about(0, 1, 300, 301, 599, 600, 600, 601)
    tcp(story, src, sport + story.pick(0, 1), dst, dport, "S", options="2-4-8-1-3", ttl=64, ip_id=1)


def udp(story):
    src, dst = ends(story)
    port = story.random.choice(PORTS)
    head = story.random.choice(HEADS.get(port, ["", "00", "474554"]) + [""])
    length = len(head) // 2
    sport, dport = port, story.pick(40000, 40001, 53)
    if story.chance(0.3):
        sport, dport = dport, sport
    for _ in range(story.pick(1, 1, 2)):
        packet(story, src, dst, "udp", src_port=sport, dst_port=dport, payload_len=length, payload_head=head)
        if story.chance(0.3):
            story.step()
            back = {"src_port": dport, "dst_port": sport, "payload_len": 4, "payload_head": "01020304"}
            packet(story, dst, src, "udp", **back)


def icmp(story):
    src, dst = ends(story)
    six = ":" in src
    kinds = [128, 129, 128, 135, 143, 8, 0] if six else [8, 8, 0, 13, 14, 15, 16, 17, 18, 9, 10, 128, 42]
    kind = story.random.choice(kinds)
    name = story.random.choice([7, 7, 8, None])
    proto = "icmp6" if six else "icmp"
    for _ in range(story.pick(1, 1, 2, 3)):
        packet(story, src, dst, proto, icmp_type=kind, icmp_code=0, icmp_id=name, icmp_seq=1)
        if story.chance(0.4):
            story.step()
            reply = {8: 0, 13: 14, 15: 16, 17: 18, 128: 129}.get(kind, kind)
            packet(story, dst, src, proto, icmp_type=reply, icmp_code=0, icmp_id=name, icmp_seq=1)


def icmp_error(story):
    """An error that quotes a packet seen lately, its reverse, a close miss or nothing at all."""
    src, dst = ends(story)
    quoted = {}
    if story.packets and story.chance(0.9):
        seen = story.random.choice(story.packets[-12:])
        quoted = {
            "quoted_proto": seen["proto"],
            "quoted_src_ip": seen["src_ip"],
            "quoted_dst_ip": seen["dst_ip"],
            "quoted_src_port": seen.get("src_port"),
            "quoted_dst_port": seen.get("dst_port"),
        }
        if story.chance(0.15):
            for cell in ("ip", "port"):
                sender, receiver = f"quoted_src_{cell}", f"quoted_dst_{cell}"
                quoted[sender], quoted[receiver] = quoted[receiver], quoted[sender]
        if story.chance(0.1):
            quoted["quoted_src_port"] = quoted["quoted_dst_port"] = None
        if story.chance(0.05):
            quoted["quoted_dst_port"] = 81
        dst = seen["src_ip"]
        if story.chance(0.5) or (":" in src) != (":" in dst):
            src = seen["dst_ip"]
    proto = "icmp6" if ":" in src else "icmp"
    kind = story.random.choice(ERRORS[proto])
    payload = story.pick(0, 28, 60)
    for _ in range(story.pick(1, 1, 1, 2)):
        cells = {"icmp_type": kind, "icmp_code": story.pick(0, 1, 3), "payload_len": payload}
        packet(story, src, dst, proto, **(cells | quoted))
        if story.chance(0.3):
            story.step()


def sctp(story):
    src, dst = ends(story)
    sport, dport = ports(story)
    head = story.pick("01000014", "01", "0a", "02", "06", "0b", "0e", "00", "03", "04", "07", "ff", "")
    cells = {"src_port": sport, "dst_port": dport, "payload_len": len(head) // 2, "payload_head": head}
    packet(story, src, dst, "sctp", **cells)


def incomplete(story):
    """Later fragments and cut packets: no ports, no flags, no type, or only some of them."""
    src, dst = ends(story)
    six = ":" in src
    match story.pick("tcp", "udp", "sctp", "icmp", "noflags", "oneport", "other"):
        case "tcp":
            packet(story, src, dst, "tcp")
        case "udp":
            packet(story, src, dst, "udp", payload_len=20, payload_head="00")
        case "sctp":
            packet(story, src, dst, "sctp")
        case "icmp":
            packet(story, src, dst, "icmp6" if six else "icmp")
        case "noflags":
            packet(story, src, dst, "tcp", src_port=40000, dst_port=80)
        case "oneport":
            proto = story.pick("udp", "sctp")
            packet(story, src, dst, proto, src_port=40000, payload_len=1, payload_head="01")
        case "other":
            packet(story, src, dst, story.pick("47", "2", "50", "255"))


def endless(story):
    """One flow kept alive across its largest age, opened in any way, perhaps taken over by a SYN."""
    src, dst = ends(story)
    opening = story.pick("S", "A", "udp", "icmp")
    pace = story.pick(50, 100, 299, 300, 300)
    start = story.now
    for number in range(story.pick(3, 8, 13, 16)):
        back = story.chance(0.2)
        a, b = (dst, src) if back else (src, dst)
        sport, dport = (443, 40009) if back else (40009, 443)
        if opening == "udp":
            packet(story, a, b, "udp", src_port=sport, dst_port=dport, payload_len=3, payload_head="000102")
        elif opening == "icmp":
            packet(story, a, b, "icmp6" if ":" in a else "icmp", icmp_type=9, icmp_code=0)
        else:
            flags = opening if number == 0 else story.pick("A", "A", "A", "SA", "R", "S")
            tcp(story, a, sport, b, dport, flags)
        story.now += pace * 10**9
        if story.chance(0.15):
            limit = story.pick(100, 600, 3600)
            story.now = max(story.now, start + limit * 10**9 + story.a_tick_around())
        if story.chance(0.2):
            single_tcp(story)


def repeat(story):
    """A packet seen lately once more: a retransmission, or the flow's next life."""
    if story.packets:
        cells = story.random.choice(story.packets[-20:])
        story.packets.append(cells)
        story.write(**cells)


STORIES = [
    (single_tcp, 20), (handshake, 20), (udp, 14), (icmp, 10), (icmp_error, 12), (sctp, 4), (incomplete, 5),
    (two_phase, 6), (repeat, 10), (endless, 1),
]  # fmt: skip


def packet_rows(seed, n):
    story = Story(seed, PACKET_COLUMNS)
    tell, weights = zip(*STORIES)
    while len(story.rows) < n:
        story.random.choices(tell, weights)[0](story)
        story.step()
    return story.arrived(n)


# Probes


def probe_rows(seed, n):
    """Probe rows whose values tie, lack and repeat, for the sessions alone."""
    story = Story(f"probes {seed}", PROBE_COLUMNS)
    sources = ["1.2.3.4", "1.2.3.9", "1.2.4.1", "2001:db8::1", "2001:db8::2:1", "2001:db8:1::1", "9.9.9.9"]
    targets = ["198.51.100.1", "198.51.100.2", "20.0.0.1", "2001:db8:1::1", "2001:db8:1::10"]
    sources = sources[: story.pick(1, 3, 7)]
    while len(story.rows) < n:
        proto = story.pick("tcp", "tcp", "udp", "icmp", "47")
        port = None
        if proto in ("tcp", "udp") and story.chance(0.95):
            port = story.pick(0, 22, 80, 443, 443, 65535)
        kind = story.pick("scan", "scan", "scan", "backscatter", "other")
        story.write(
            duration="0.000000",
            src_ip=story.random.choice(sources),
            dst_ip=story.random.choice(targets[: story.pick(1, 2, 5)]),
            proto=proto,
            src_port=1 if port is not None else None,
            dst_port=port,
            **{"class": kind},
            technique=story.pick("syn", "connect", "fin", "udp") if kind == "scan" else None,
            packets=story.pick(1, 2, 1000),
            bytes=story.pick(0, 40, 10**9),
            tcp_flags="S",
            ttl=story.pick(64, 128),
            tool=story.pick("zmap", "masscan", "unknown", None),
            tool_rule=story.pick("a,b", 'say "x"', None),
            src_country=story.pick("DE", "US", None),
            src_asn=story.pick(13335, 1, None),
            src_org=story.pick("Example, Inc.", "Müller", None),
        )
        story.step()
    return story.arrived(n)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("seed")
    parser.add_argument("n", type=int)
    parser.add_argument("--probes", action="store_true", help="probe rows instead of packet rows")
    args = parser.parse_args()
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(PROBE_COLUMNS if args.probes else PACKET_COLUMNS)
    out.writerows((probe_rows if args.probes else packet_rows)(args.seed, args.n))


if __name__ == "__main__":
    main()
