"""Small cases worked out by hand from docs/CLASSIFICATION.md. Run: python3 -m unittest (in this folder)."""

import unittest

import classify
import group
import rows as io

A, B, C = "8.8.8.8", "9.9.9.9", "7.7.7.7"


def packet(ts, src=A, dst=B, proto="tcp", sport="1000", dport="80", flags="S", **cells):
    row = {"ts": f"{ts:.6f}", "src_ip": src, "dst_ip": dst, "proto": proto}
    row |= {"src_port": sport, "dst_port": dport}
    if proto == "tcp":
        row |= {"tcp_flags": flags, "tcp_opts": "2", "ip_len": "44", "payload_len": "0", "ttl": "64"}
    return row | {name: str(value) for name, value in cells.items()}


def back(ts, flags, **cells):
    return packet(ts, B, A, "tcp", "80", "1000", flags, **cells)


def icmp(ts, kind, src=A, dst=B, name="", proto="icmp", **cells):
    return packet(ts, src, dst, proto, "", "", icmp_type=kind, icmp_id=name, **cells)


def probes(*packets, **options):
    columns = list({name: None for row in packets for name in row})
    table, accounting = classify.classify(columns, packets, **options)
    return [dict(zip(table[0], row)) for row in table[1:]], accounting


def only(*packets, **options):
    found, _ = probes(*packets, **options)
    assert len(found) == 1, found
    return found[0]


def verdict(*packets, **options):
    row = only(*packets, **options)
    return row["class"], row["technique"], row["reason"]


class Order(unittest.TestCase):
    def taken(self, *times):
        taken, late = io.in_time_order(list(times), 5, lambda time: time)
        return taken, late

    def test_packets_wait_until_one_is_more_than_reorder_later(self):
        self.assertEqual(self.taken(10, 15, 10), ([10, 10, 15], []))
        self.assertEqual(self.taken(10, 16, 9), ([10, 16], [9]))
        self.assertEqual(self.taken(10, 16, 10, 12), ([10, 10, 12, 16], []))

    def test_late_packets_take_no_part(self):
        found, accounting = probes(packet(10), packet(20), packet(9))
        self.assertEqual((found[0]["packets"], accounting["late"]), (2, 1))


class Flows(unittest.TestCase):
    def test_time_out_is_met_only_when_exceeded(self):
        self.assertEqual(only(packet(0), packet(300))["packets"], 2)
        self.assertEqual(len(probes(packet(0), packet(300.000001))[0]), 2)

    def test_both_directions_count(self):
        row = only(packet(1.5), back(2.25, "RA", ip_len=40))
        self.assertEqual((row["packets"], row["bytes"], row["duration"]), (2, 84, "0.750000"))

    def test_a_syn_ends_a_flow_that_none_opened(self):
        found, _ = probes(packet(0, flags="A"), packet(1, flags="S"), packet(2, flags="S"))
        self.assertEqual([row["packets"] for row in found], [1, 2])

    def test_icmp_replies_count_under_their_request(self):
        self.assertEqual(only(icmp(0, 8, name="7"), icmp(1, 0, B, A, "7"))["packets"], 2)
        self.assertEqual(len(probes(icmp(0, 8, name="7"), icmp(1, 0, B, A, "8"))[0]), 2)
        request = icmp(0, 128, "2a00::1", "2a00::2", "1", "icmp6")
        reply = icmp(1, 129, "2a00::2", "2a00::1", "1", "icmp6")
        self.assertEqual(only(request, reply)["packets"], 2)

    def quote(self, ts, src=A, dst=B, sport="1000", dport="80", **cells):
        return icmp(
            ts, 3, C, A, quoted_proto="tcp", quoted_src_ip=src, quoted_dst_ip=dst, quoted_src_port=sport,
            quoted_dst_port=dport, **cells,
        )  # fmt: skip

    def test_an_icmp_error_belongs_to_the_flow_it_quotes(self):
        row = only(packet(0), self.quote(1, ip_len=56, payload_len=28))
        self.assertEqual((row["packets"], row["bytes"], row["reason"]), (2, 100, "icmp-error"))
        self.assertEqual(only(packet(0, flags="F"), self.quote(1, payload_len=28))["technique"], "fin")

    def test_an_icmp_error_to_the_other_side_or_too_late_is_its_own_flow(self):
        other_ports = (self.quote(1, dport="81"), self.quote(1, dport=""))
        for other in (self.quote(1, B, A, "80", "1000"), self.quote(301), *other_ports):
            self.assertEqual(len(probes(packet(0), other)[0]), 2)

    def test_max_age(self):
        steps = [packet(t) for t in range(0, 4200, 300)]
        row = only(*steps)
        self.assertEqual((row["packets"], row["duration"], row["reason"]), (13, "3600.000000", "max-age"))
        self.assertEqual(probes(*steps)[1]["in flows already written"], 1)
        self.assertEqual(only(*steps[:13])["reason"], "")

    def test_max_age_of_a_flow_that_falls_silent_just_before(self):
        found, _ = probes(packet(0), packet(3.5, C), max_age=3, timeout=3)
        self.assertEqual([row["reason"] for row in found], ["max-age", ""])
        found, _ = probes(packet(0), packet(3, C), max_age=3, timeout=3)
        self.assertEqual([row["reason"] for row in found], ["", ""])
        found, _ = probes(packet(0), packet(5, C), max_age=4, timeout=3)
        self.assertEqual([row["reason"] for row in found], ["", ""])


class Telescope(unittest.TestCase):
    def test_direction(self):
        for telescope, expected in (
            ("9.9.9.0/24", "scan"),
            ("9.9.9.9", "scan"),
            ("8.0.0.0-9.255.255.255", "scan"),
            ("8.8.8.8", "response"),
            ("1.1.1.1", "other"),
        ):
            self.assertEqual(only(packet(0), telescope=[telescope])["class"], expected)
        self.assertEqual(verdict(packet(0), telescope=["1.1.1.1"]), ("other", "", "transit"))

    def test_local_addresses_only_matter_without_one(self):
        self.assertEqual(verdict(packet(0, dst="224.0.0.1", proto="udp")), ("other", "", "multicast"))
        row = packet(0, dst="224.0.0.1", proto="udp")
        self.assertEqual(verdict(row, telescope=["0.0.0.0/0"])[:2], ("scan", "udp"))
        self.assertEqual(verdict(packet(0, src="169.254.1.1", proto="2")), ("other", "", "link-local"))


class Tcp(unittest.TestCase):
    def test_first_packet(self):
        for flags, expected in {
            "S": ("scan", "syn", ""),
            "SEC": ("scan", "syn", ""),
            "F": ("scan", "fin", ""),
            "FPU": ("scan", "xmas", ""),
            ".": ("scan", "null", ""),
            "EC": ("scan", "null", ""),
            "FA": ("scan", "maimon", ""),
            "A": ("scan", "ack", ""),
            "SA": ("backscatter", "", "syn-ack"),
            "R": ("backscatter", "", "rst"),
            "RA": ("backscatter", "", "rst"),
            "PA": ("other", "", "mid-stream"),
            "RPA": ("other", "", "mid-stream"),
            "FPAU": ("other", "", "mid-stream"),
            "FS": ("scan", "odd-flags", ""),
            "FSRPAU": ("scan", "odd-flags", ""),
            "P": ("scan", "odd-flags", ""),
            "": ("other", "", "no-header"),
        }.items():
            self.assertEqual(verdict(packet(0, flags=flags)), expected, flags)

    def test_conversation(self):
        other = ("other", "", "conversation")
        self.assertEqual(verdict(packet(0, flags="FA", payload_len=1)), other)
        self.assertEqual(verdict(packet(0, flags="FA"), back(1, "A")), other)
        self.assertEqual(verdict(packet(0, flags="FA"), packet(1, flags="PA", payload_len=5)), other)
        self.assertEqual(verdict(packet(0, flags="FA"), back(1, "R"))[1], "maimon")
        self.assertEqual(verdict(packet(0, flags="FA"), packet(1, flags="A"))[1], "maimon")

    def handshake(self, *rest, **options):
        return only(packet(0), *rest, **options)["handshake"]

    def test_handshake(self):
        sa, ack = back(1, "SA", tcp_seq=2**32 - 1), packet(2, flags="A", tcp_ack=0)
        self.assertEqual(self.handshake(), "none")
        self.assertEqual(self.handshake(back(1, "RA")), "refused")
        self.assertEqual(self.handshake(sa), "unanswered")
        self.assertEqual(self.handshake(sa, ack), "completed")
        self.assertEqual(self.handshake(sa, packet(2, flags="R"), ack), "reset")
        self.assertEqual(self.handshake(sa, packet(2, flags="A", tcp_ack=2**32 - 1)), "unanswered")
        self.assertEqual(self.handshake(sa, packet(2, flags="A", tcp_ack=2**31 - 2)), "completed")
        self.assertEqual(self.handshake(sa, packet(2, flags="A", tcp_ack=2**31 - 1)), "unanswered")
        self.assertEqual(self.handshake(sa, packet(2, flags="A", tcp_ack="")), "completed")
        self.assertEqual(self.handshake(packet(0.5, flags="A", tcp_ack=0), sa), "unanswered")
        self.assertEqual(only(packet(0), sa, ack)["technique"], "connect")

    def test_settle_runs_from_the_latest_syn_ack(self):
        sa = [back(t, "SA", tcp_seq=1) for t in (0, 30)]
        self.assertEqual(self.handshake(sa[0], packet(60, flags="A", tcp_ack=2)), "completed")
        self.assertEqual(self.handshake(sa[0], packet(61, flags="A", tcp_ack=2)), "unanswered")
        self.assertEqual(self.handshake(*sa, packet(90, flags="A", tcp_ack=2)), "completed")

    def test_stack(self):
        def stack(**cells):
            return only(packet(0, **cells))["syn_stack"]

        self.assertEqual(stack(tcp_opts="2"), "raw")
        self.assertEqual(stack(tcp_opts="", ip_len=40), "raw")
        self.assertEqual(stack(tcp_opts="", ip_len=44), "")
        self.assertEqual(stack(tcp_opts="2-4-8-1-3"), "os")
        self.assertEqual(stack(tcp_opts="4-8"), "raw")


class OtherProtocols(unittest.TestCase):
    def test_udp_replies(self):
        for port, head, expected in (
            (53, "000080", "dns-reply"),
            (53, "0000", ""),
            (123, "24", "ntp-reply"),
            (123, "1680", "ntp-reply"),
            (123, "16", ""),
            (123, "97", "ntp-reply"),
            (137, "000080", "netbios-reply"),
            (1900, b"HTTP/1.1 200".hex(), "ssdp-reply"),
            (1900, b"HTTP/1.1 404".hex(), ""),
            (5060, b"SIP/2.0 ".hex(), "sip-reply"),
            (500, "00" * 15 + "01", "ike-reply"),
            (500, "01" * 8 + "00" * 8, ""),
            (4500, "00" * 15 + "01", "ike-reply"),
            (4500, "01" * 16, ""),
            (111, "0000000000000001", "rpc-reply"),
            (11211, "0000000000000000" + b"END".hex(), "memcached-reply"),
            (11211, "0000000000000000" + b"STAT".hex(), ""),
            (3478, "01010008", "stun-reply"),
            (3478, "0001", ""),
            (3478, "4d2d5345", ""),
            (19, "00", "chargen-reply"),
            (17, "", ""),
        ):
            row = packet(0, proto="udp", sport=str(port), payload_head=head)
            wanted = ("backscatter", "", expected) if expected else ("scan", "udp", "")
            self.assertEqual(verdict(row), wanted, (port, head))

    def test_icmp(self):
        self.assertEqual(verdict(icmp(0, 8)), ("scan", "icmp-echo", ""))
        self.assertEqual(verdict(icmp(0, 13)), ("scan", "icmp-timestamp", ""))
        self.assertEqual(verdict(icmp(0, 18)), ("backscatter", "", "icmp-reply"))
        self.assertEqual(verdict(icmp(0, 11)), ("backscatter", "", "icmp-error"))
        self.assertEqual(verdict(icmp(0, 9)), ("other", "", "icmp-control"))
        self.assertEqual(verdict(icmp(0, "")), ("other", "", "no-header"))
        self.assertEqual(verdict(icmp(0, 8, proto="icmp6", src="2a00::1", dst="2a00::2"))[2], "icmp-control")
        self.assertEqual(verdict(icmp(0, 128, proto="icmp6", src="2a00::1", dst="2a00::2"))[1], "icmp-echo")

    def test_sctp(self):
        for head, expected in (
            ("01", ("scan", "sctp-init", "")),
            ("0a", ("scan", "sctp-cookie-echo", "")),
            ("02", ("backscatter", "", "sctp-reply")),
            ("00", ("other", "", "mid-stream")),
            ("", ("other", "", "no-header")),
        ):
            self.assertEqual(verdict(packet(0, proto="sctp", payload_head=head)), expected)

    def test_the_rest(self):
        self.assertEqual(verdict(packet(0, proto="47", sport="", dport="")), ("scan", "ip-proto", ""))
        self.assertEqual(verdict(packet(0, proto="udp", sport="", dport="")), ("other", "", "no-header"))


class Reasons(unittest.TestCase):
    def test_two_phase(self):
        def second(wait, **cells):
            found, _ = probes(packet(0, **cells), packet(wait, sport="1001", tcp_opts="2-4", ip_len=60))
            return found[1]["reason"]

        self.assertEqual(second(600, ttl=201), "two-phase")
        self.assertEqual(second(600.000001, ttl=201), "")
        self.assertEqual(second(1, ip_id=54321), "two-phase")
        self.assertEqual(second(1, tcp_opts="", ip_len=40), "two-phase")
        self.assertEqual(second(1, ttl=200), "")
        self.assertEqual(second(1, ttl=201, dst=C), "")

    def test_words_and_their_order(self):
        row = packet(0, "10.0.0.1", "10.0.0.1", sport="0", payload_len=4)
        self.assertEqual(verdict(row)[2], "payload;port-zero;src-is-dst;bogon-src")

    def test_bogons(self):
        for src in ("::ffff:10.0.0.1", "::2", "fd00::1", "100::1"):
            self.assertIn("bogon-src", verdict(packet(0, src, "2a00::2"))[2])
        for src in ("::ffff:8.8.8.8", "2a00::1", "100:0:0:1::1"):
            self.assertEqual("", verdict(packet(0, src, "2a00::2"))[2])
        for src in ("100.64.0.1", "239.0.0.1", "172.31.0.0"):
            self.assertIn("bogon-src", verdict(packet(0, src))[2])
        for src in ("100.128.0.1", "223.255.255.255", "172.32.0.0"):
            self.assertEqual("", verdict(packet(0, src))[2])


class Sessions(unittest.TestCase):
    def sessions(self, *rows, **options):
        columns = list({name: None for row in rows for name in row})
        table, _ = group.group(columns, rows, **options)
        return [dict(zip(table[0], row)) for row in table[1:]]

    def probe(self, ts, src=A, dst=B, port="80", proto="tcp", technique="syn", **cells):
        row = {"ts": f"{ts:.6f}", "src_ip": src, "dst_ip": dst, "dst_port": port, "proto": proto}
        return row | {"technique": technique} | {"packets": "1", "bytes": "40"} | cells

    def spans(self, found):
        return [(float(row["start"]), float(row["end"]), row["closed_by"]) for row in found]

    def test_window(self):
        found = self.sessions(self.probe(10), self.probe(309.999999), self.probe(310))
        self.assertEqual(self.spans(found), [(10, 309.999999, "window"), (310, 310, "eof")])

    def test_gap_and_age(self):
        found = self.sessions(*(self.probe(t) for t in (0, 60, 120.000001, 140)), gap=60)
        self.assertEqual(self.spans(found), [(0, 60, "gap"), (120.000001, 140, "eof")])
        found = self.sessions(*(self.probe(t) for t in (0, 60, 99, 100)), gap=60, max_age=100)
        self.assertEqual(self.spans(found), [(0, 99, "max_age"), (100, 100, "eof")])

    def test_aligned(self):
        found = self.sessions(*(self.probe(t) for t in (299, 300, 599.5, 600)), aligned=True)
        self.assertEqual(self.spans(found), [(299, 299, "window"), (300, 599.5, "window"), (600, 600, "eof")])

    def test_other_keys_move_the_end_of_the_input(self):
        found = self.sessions(self.probe(0), self.probe(300, C))
        self.assertEqual([row["closed_by"] for row in found], ["window", "eof"])

    def test_figures(self):
        rest = (self.probe(0, dst=C), self.probe(1, port="22"), self.probe(2, technique="fin"))
        row = self.sessions(self.probe(0), *rest)[0]
        wanted = dict(geometry="block", technique="syn", probes=4, packets=4, bytes=160)
        wanted |= dict(srcs=1, dsts=2, ports=2)
        wanted |= dict(h_size=2, h_port="80", v_size=2, v_dst=B, tool="")
        self.assertEqual({name: row[name] for name in wanted}, wanted)

    def test_geometry(self):
        shapes = {(1, 1): "point", (2, 1): "horizontal", (1, 2): "vertical", (2, 2): "block"}
        for (dsts, ports), shape in shapes.items():
            rows = [self.probe(0, dst=f"9.9.9.{d}", port=str(p)) for d in range(dsts) for p in range(ports)]
            self.assertEqual(self.sessions(*rows)[0]["geometry"], shape)

    def test_ties_go_to_the_lowest(self):
        rows = [self.probe(0, dst="9.9.9.10", technique="udp"), self.probe(0, dst="9.9.9.9", port="9")]
        row = self.sessions(*rows)[0]
        self.assertEqual((row["h_port"], row["v_dst"], row["technique"]), ("9", "9.9.9.9", "syn"))

    def test_keys(self):
        rows = [
            self.probe(0, "8.8.8.1", src_asn="1"),
            self.probe(1, "8.8.8.200", src_asn="2"),
            self.probe(2, "8.8.8.1", proto="udp", src_asn="1"),
        ]
        self.assertEqual([row["srcs"] for row in self.sessions(*rows, by=["net24"])], [2, 1])
        self.assertEqual(self.sessions(*rows, by=["net24"])[0]["src_net"], "8.8.8.0/24")
        self.assertEqual(self.sessions(*rows, by=["net=25", "asn"])[1]["src_net"], "8.8.8.128/25")
        self.assertEqual(len(self.sessions(*rows, by=["proto"])), 2)
        six = self.sessions(self.probe(0, "2001:db8:1:2::3"), by=["net24"])
        self.assertEqual(six[0]["src_net"], "2001:db8:1::/48")


if __name__ == "__main__":
    unittest.main()
