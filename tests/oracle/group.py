#!/usr/bin/env python3
"""Probe rows to session rows, by the section "Sessions" of docs/CLASSIFICATION.md and nothing else.

Slow, the whole input in memory: all probes are dealt out to their keys first; each key's probes are then cut
into sessions.
"""

import argparse
import ipaddress
import sys
from collections import Counter, defaultdict
from decimal import ROUND_HALF_UP, Decimal

from rows import SECOND, in_time_order, nanoseconds, open_input, read, writer

NAMED_KEYS = {"src": "src_ip", "asn": "src_asn", "org": "src_org", "country": "src_country"}
FIRST_COLUMNS = ["start", "end"]
LAST_COLUMNS = (
    "proto geometry technique tool probes packets bytes srcs dsts ports h_size h_port v_size v_dst closed_by "
    "technique_share tool_share"
).split()
#: The column that names a unit.
UNIT_COLUMN = {"horizontal": "dst_port", "vertical": "dst_ip"}


def key_column(by):
    if by == "net24" or by.startswith("net="):
        return "src_net"
    return NAMED_KEYS.get(by, by)


def key_value(by, row):
    if key_column(by) != "src_net":
        return row.get(key_column(by), "")
    if not row.get("src_ip"):
        return ""
    version = ipaddress.ip_address(row["src_ip"]).version
    if by == "net24":
        length = 24 if version == 4 else 48
    else:
        length = min(int(by.removeprefix("net=")), 32 if version == 4 else 128)
    return str(ipaddress.ip_network(f"{row['src_ip']}/{length}", strict=False))


class Probe:
    def __init__(self, row):
        self.row = row
        self.time = nanoseconds(row["ts"])


def cut_anchored(probes, window):
    """The first probe opens a window; a probe at or after its end opens the next."""
    sessions = []
    for probe in probes:
        if sessions and probe.time < sessions[-1][0].time + window:
            sessions[-1].append(probe)
        else:
            sessions.append([probe])
    return sessions


def cut_aligned(probes, window):
    """Windows start at multiples of their length since the epoch."""
    sessions = []
    for probe in probes:
        if sessions and probe.time // window == sessions[-1][0].time // window:
            sessions[-1].append(probe)
        else:
            sessions.append([probe])
    return sessions


def cut_by_gap(probes, gap, max_age):
    """A session goes on until a probe comes too late for it."""
    sessions = []
    for probe in probes:
        if sessions and not ended(sessions[-1], probe.time, gap, max_age):
            sessions[-1].append(probe)
        else:
            sessions.append([probe])
    return sessions


def ended(session, time, gap, max_age):
    """Why a probe at that time can no longer join: the limit that was reached first; None if it still can."""
    silent_at, old_at = session[-1].time + gap, session[0].time + max_age
    if time >= old_at and old_at <= silent_at:
        return "max_age"
    return "gap" if time > silent_at else None


def most_frequent(values):
    """The most frequent of the values that are there, the alphabetically first of several."""
    counts = Counter(value for value in values if value)
    return min(counts, key=lambda value: (-counts[value], value.encode()), default="")


def share_of(value, values):
    """Which part of the values it is: six decimals, rounded half up; empty for none."""
    if not value:
        return ""
    part = Decimal(values.count(value)) / len(values)
    return str(part.quantize(Decimal("0.000001"), ROUND_HALF_UP))


def geometry(dsts, ports):
    if dsts == 1:
        return "point" if ports <= 1 else "vertical"
    return "horizontal" if ports <= 1 else "block"


def units(session, unit):
    """What the rows of a session are made of: (value of the unit's column, its probes), in order of the value."""
    if unit == "session":
        return [(None, session)]
    column = UNIT_COLUMN[unit]
    found = defaultdict(list)
    for probe in session:
        found[probe.row.get(column, "")].append(probe)
    if unit == "horizontal":
        return sorted(found.items(), key=lambda entry: int(entry[0] or -1))
    return sorted(found.items(), key=lambda entry: address_order(entry[0]))


def address_order(text):
    ip = ipaddress.ip_address(text)
    return ip.version, int(ip)


def session_row(session, key, proto, closed_by, whole=None):
    """The cells of a session, or of a unit of the whole session, whose times are the whole's."""
    rows = [probe.row for probe in session]
    whole = whole or session
    techniques = [row.get("technique", "") for row in rows]
    tools = [row.get("tool", "") for row in rows]
    dsts_of_port, ports_of_dst = defaultdict(set), defaultdict(set)
    for row in rows:
        dsts_of_port[row.get("dst_port", "")].add(row["dst_ip"])
        ports_of_dst[row["dst_ip"]].update([row["dst_port"]] if row.get("dst_port") else [])
    ports = {port for port in dsts_of_port if port}

    h_size = max(len(dsts) for dsts in dsts_of_port.values())
    widest = [port for port, dsts in dsts_of_port.items() if len(dsts) == h_size]
    h_port = min(widest, key=lambda port: (port == "", int(port or 0)))

    v_size = max(len(found) for found in ports_of_dst.values())
    deepest = [ipaddress.ip_address(dst) for dst, found in ports_of_dst.items() if len(found) == v_size]
    lowest = min(deepest, key=lambda ip: (ip.version, int(ip)))
    v_dst = next(dst for dst in ports_of_dst if ipaddress.ip_address(dst) == lowest)

    return [
        whole[0].row["ts"],
        whole[-1].row["ts"],
        *key,
        proto,
        geometry(len(ports_of_dst), len(ports)),
        most_frequent(techniques),
        most_frequent(tools),
        len(rows),
        sum(int(row.get("packets") or 0) for row in rows),
        sum(int(row.get("bytes") or 0) for row in rows),
        len({row["src_ip"] for row in rows}),
        len(ports_of_dst),
        len(ports),
        h_size,
        h_port,
        v_size,
        v_dst,
        closed_by,
        share_of(most_frequent(techniques), techniques),
        share_of(most_frequent(tools), tools),
    ]


def group(columns, rows, by=("src",), window=300, gap=None, max_age=86400, aligned=False, reorder=5, unit="session"):
    """The session table as a list of rows, its header first; and the accounting as a dictionary."""
    for one in by:
        needed = "src_ip" if key_column(one) == "src_net" else key_column(one)
        if needed not in columns:
            raise SystemExit(f"group.py: no column {needed}")
    probes, late = in_time_order([Probe(row) for row in rows], int(reorder * SECOND), lambda p: p.time)
    end_of_input = probes[-1].time if probes else 0
    window = int(window * SECOND)
    gap = None if gap is None else int(gap * SECOND)
    max_age = int(max_age * SECOND)

    of_key = defaultdict(list)
    for number, probe in enumerate(probes):
        probe.number = number
        key = tuple(key_value(one, probe.row) for one in by)
        of_key[key, probe.row.get("proto", "")].append(probe)

    found = []
    for (key, proto), own in of_key.items():
        if gap is not None:
            sessions = cut_by_gap(own, gap, max_age)
        elif aligned:
            sessions = cut_aligned(own, window)
        else:
            sessions = cut_anchored(own, window)
        for position, session in enumerate(sessions):
            following = sessions[position + 1][0].time if position + 1 < len(sessions) else end_of_input
            start = session[0].time
            if gap is not None:
                closed_by = ended(session, following, gap, max_age) or "eof"
            else:
                end = start - start % window + window if aligned else start + window
                closed_by = "window" if following >= end else "eof"
            for value, part in units(session, unit):
                row = session_row(part, key, proto, closed_by, session)
                if value is not None:
                    row.insert(len(FIRST_COLUMNS) + len(by), value)
                found.append((start, session[0].number, row))
    found.sort(key=lambda entry: entry[:2])
    keys = [key_column(one) for one in by]
    own = ([UNIT_COLUMN[unit]] if unit in UNIT_COLUMN else []) + LAST_COLUMNS
    header = FIRST_COLUMNS + keys + own
    # A key that has the name of a column of the session stands in its place.
    places = [n for n, name in enumerate(header) if n < len(FIRST_COLUMNS + keys) or name not in keys]
    table = [[row[place] for place in places] for row in [header] + [row for _, _, row in found]]
    accounting = {"probes": len(probes) + len(late), "late": len(late), "sessions": len(found)}
    return table, accounting


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?")
    parser.add_argument("--by", action="append")
    parser.add_argument("--window", type=Decimal, default=Decimal(300))
    parser.add_argument("--gap", type=Decimal)
    parser.add_argument("--max-age", type=Decimal, default=Decimal(86400))
    parser.add_argument("--aligned", action="store_true")
    parser.add_argument("--reorder", type=Decimal, default=Decimal(5))
    parser.add_argument("--unit", choices=["session", *UNIT_COLUMN], default="session")
    args = parser.parse_args()
    by = [one for given in args.by or ["src"] for one in given.split(",")]
    rows = read(open_input(args.file))
    table, accounting = group(
        next(rows, []), rows, by, args.window, args.gap, args.max_age, args.aligned, args.reorder, args.unit
    )
    writer().writerows(table)
    print("group.py:", ", ".join(f"{name} {count}" for name, count in accounting.items()), file=sys.stderr)


if __name__ == "__main__":
    main()
