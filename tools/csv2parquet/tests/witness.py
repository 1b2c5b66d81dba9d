"""Holds a Parquet file against the CSV that it was made from, read by others: witness.py ROWS.csv ROWS.parquet READER.

READER is duckdb, polars or spark. Each must find the types that csv2parquet --help promises, and every value of the CSV
as Python's own csv module reads it.
"""

import csv
import sys
from decimal import Decimal

TIMES = {"ts", "start", "end"}
REALS = {"duration"}
OCTETS = {"ttl", "ip_tos", "ip_df", "tcp_wscale", "icmp_type", "icmp_code"}
SHORTS = {"src_port", "dst_port", "ip_id", "tcp_win", "tcp_mss", "icmp_id", "icmp_seq", "udp_sum", "quoted_src_port",
          "quoted_dst_port"}
WORDS = {"ip_len", "tcp_seq", "tcp_ack", "tcp_tsval", "payload_len"}
SUMS = {"packets", "bytes"}
# What each reader calls a time in UTC, 8, 16, 32 and 64 bits, a real number and a text.
NAMES = {
    "duckdb": ("TIMESTAMP WITH TIME ZONE", "UTINYINT", "USMALLINT", "UINTEGER", "BIGINT", "DOUBLE", "VARCHAR"),
    "polars": ("Datetime(time_unit='us', time_zone='UTC')", "UInt8", "UInt16", "UInt32", "Int64", "Float64", "String"),
    "spark": ("timestamp", "smallint", "int", "bigint", "bigint", "double", "string"),
}


def by_duckdb(path):
    import duckdb
    duckdb.sql("SET TimeZone = 'UTC'")
    rows = duckdb.sql(f"SELECT * REPLACE (epoch_us(ts) AS ts) FROM '{path}'").fetchall()
    return dict(duckdb.sql(f"SELECT column_name, column_type FROM (DESCRIBE FROM '{path}')").fetchall()), rows


def by_polars(path):
    import polars
    frame = polars.read_parquet(path)
    types = {name: str(kind) for name, kind in frame.schema.items()}
    return types, frame.with_columns(polars.col("ts").dt.epoch("us")).rows()


def by_spark(path):
    from pyspark.sql import SparkSession, functions
    spark = (SparkSession.builder.master("local[2]").config("spark.sql.session.timeZone", "UTC")
             .config("spark.ui.enabled", "false").getOrCreate())
    spark.sparkContext.setLogLevel("ERROR")
    frame = spark.read.parquet(path)
    rows = [tuple(row) for row in frame.withColumn("ts", functions.unix_micros("ts")).collect()]
    return dict(frame.dtypes), rows


def expected_type(name, names):
    time, octet, short, word, large, real, text = names
    for columns, kind in ((TIMES, time), (OCTETS, octet), (SHORTS, short), (WORDS, word), (SUMS, large), (REALS, real)):
        if name in columns:
            return kind
    return text


def value(name, cell):
    if cell == "":
        return None
    if name in TIMES:
        return int(Decimal(cell) * 1_000_000)
    if name in REALS:
        return float(cell)
    return int(cell) if name in OCTETS | SHORTS | WORDS | SUMS else cell


def main():
    rows, path, reader = sys.argv[1:]
    types, found = {"duckdb": by_duckdb, "polars": by_polars, "spark": by_spark}[reader](path)
    with open(rows, newline="") as file:
        lines = csv.reader(file)
        header = next(lines)
        wanted = [tuple(value(name, cell) for name, cell in zip(header, line)) for line in lines]
    complaints = [f"{name}: {types.get(name)}" for name in header
                  if types.get(name) != expected_type(name, NAMES[reader])]
    complaints += [] if list(types) == header else ["other columns, or in another order"]
    complaints += [] if len(found) == len(wanted) else [f"{len(found)} rows of {len(wanted)}"]
    complaints += [f"row {i}: {got}, not {want}" for i, (got, want) in enumerate(zip(found, wanted)) if got != want][:5]
    print("\n".join(complaints) or f"{reader}: {len(found)} rows of {len(header)} columns, all values equal")
    sys.exit(bool(complaints))


main()
