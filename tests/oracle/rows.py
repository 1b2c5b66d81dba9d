"""Rows in and out: CSV or NDJSON to dictionaries of text, exact times, the order of time.

An absent value is the empty text. Times are whole numbers of nanoseconds, so that limits can be met exactly.
"""

import csv
import heapq
import json
import sys
from decimal import Decimal

SECOND = 10**9


def nanoseconds(text):
    """A decimal number of seconds as whole nanoseconds (further digits are cut)."""
    return int(Decimal(text) * SECOND)


def decimals(text):
    """How many digits stand behind the decimal point."""
    return len(text.partition(".")[2])


def seconds(span, digits):
    """A span in nanoseconds as text with that many digits behind the point."""
    whole, rest = divmod(span, SECOND)
    return f"{whole}.{rest:09d}"[: len(str(whole)) + 1 + digits] if digits else str(whole)


def read(stream):
    """Yields first the list of column names, then one dictionary per row."""
    first = stream.readline()
    if first.startswith("{"):
        yield from read_ndjson(first, stream)
    else:
        yield from read_csv(first, stream)


def read_csv(first, stream):
    lines = (line for part in ([first], stream) for line in part)
    reader = csv.reader(lines)
    columns = next(reader, [])
    yield columns
    for cells in reader:
        if cells:
            yield dict(zip(columns, cells))


def read_ndjson(first, stream):
    columns = None
    for line in (line for part in ([first], stream) for line in part):
        if not line.strip():
            continue
        row = json.loads(line, parse_float=str, parse_int=str)
        row = {name: "" if value is None else str(value) for name, value in row.items()}
        if columns is None:
            columns = list(row)
            yield columns
        yield row


def open_input(path):
    """The file of that name; standard input for none or `-`."""
    return sys.stdin if path in (None, "-") else open(path, newline="", encoding="utf-8")


def writer(stream=sys.stdout):
    return csv.writer(stream, lineterminator="\n")


def in_time_order(rows, reorder, time_of):
    """Puts rows in the order in which they are taken ("Order" of the rules): (taken, late).

    A row is taken once one has been seen that is more than `reorder` later, or at the end of the input; one
    that is earlier than the last one taken is late.
    """
    taken, late, waiting = [], [], []
    last_taken = latest_seen = None
    for number, row in enumerate(rows):
        time = time_of(row)
        if last_taken is not None and time < last_taken:
            late.append(row)
            continue
        heapq.heappush(waiting, (time, number, row))
        latest_seen = time if latest_seen is None else max(latest_seen, time)
        while latest_seen - waiting[0][0] > reorder:
            last_taken, _, row = heapq.heappop(waiting)
            taken.append(row)
    taken.extend(row for _, _, row in sorted(waiting, key=lambda entry: entry[:2]))
    return taken, late
