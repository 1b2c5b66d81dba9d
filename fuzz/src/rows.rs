use std::collections::HashSet;
use std::io::Read;

use probeline_record::{Encoder, Error, Format, Forward, Gather, PacketColumns, RowReader, Ts};

use crate::{Drip, members};

/// Columns that the enricher under test adds: a word, a number, free text.
const ADDED: [&str; 3] = ["tool", "src_asn", "src_org"];
/// Their values; the text wants quotes in both formats.
const VALUES: [&[u8]; 3] = [b"zmap", b"64500", b"a, \"b\"\n\xc3\xa9"];

/// Rows as the reader gave them: the line, then cells or what was wrong with the row.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    names: Vec<String>,
    rows: Vec<(u64, Result<Vec<Vec<u8>>, String>)>,
    /// Why reading ended, if not at the end of the input.
    ended: Option<String>,
}

/// Reads rows, tries every accessor on every cell, forwards them enriched in both formats, and has the csv
/// crate and serde_json, who do not know us, read what came out.
pub fn check_rows(data: &[u8]) {
    let Ok(seen) = drain(data) else {
        assert!(drain(Drip::new(data, data.len() as u64, 9)).is_err(), "in dribs it is rows");
        return;
    };
    let dripped = drain(Drip::new(data, data.len() as u64, 9)).expect("in dribs it is no rows");
    assert_eq!(dripped, seen, "how the bytes arrive makes no difference");
    if seen.names.is_empty() {
        assert!(seen.rows.is_empty());
        return;
    }
    packets(data);
    gathered(data, &seen);
    for format in [Format::Csv, Format::Ndjson] {
        let out = enrich(data, format);
        match format {
            Format::Csv => csv_says(&out, &seen, data),
            Format::Ndjson => json_says(&out, &seen, data),
        }
    }
}

fn drain<R: Read>(input: R) -> Result<Seen, String> {
    let mut reader = RowReader::new(input).map_err(|error| error.to_string())?;
    let mut seen = Seen { names: reader.names().to_vec(), ..Seen::default() };
    let columns: Vec<_> = reader.columns().map(|(col, _)| col).collect();
    assert_eq!(columns.len(), seen.names.len());
    let mut last = 0;
    loop {
        match reader.next_row() {
            Ok(Some(row)) => {
                assert!(row.line() > last, "lines are counted upwards");
                last = row.line();
                let mut cells = Vec::new();
                for col in &columns {
                    let text = row.text(*col).into_owned();
                    let (cell, token) = (row.cell(*col), row.token(*col));
                    assert!(cell.len() <= token.len() && token.len() <= row.raw().len());
                    // What parses as cell needs no unescaping, so both accessors agree on it.
                    if let Ok(ts) = row.ts(*col) {
                        let mut out = Vec::new();
                        ts.write(9, &mut out);
                        assert!(ts == Ts::MIN || Ts::parse(&out) == Some(ts));
                        assert!(text == cell, "a time needs no escape");
                    }
                    if let Ok(Some(number)) = row.uint::<u64>(*col) {
                        assert_eq!(
                            std::str::from_utf8(cell).ok().and_then(|cell| cell.parse().ok()),
                            Some(number)
                        );
                    }
                    if let Ok(ip) = row.ip(*col) {
                        let other = std::str::from_utf8(cell).ok().and_then(|cell| cell.parse().ok());
                        assert_eq!(other, Some(ip), "the standard library reads another address");
                    }
                    cells.push(text);
                }
                seen.rows.push((row.line(), Ok(cells)));
            }
            Ok(None) => break,
            Err(Error::Row { line, what }) => {
                assert!(line > last);
                last = line;
                seen.rows.push((line, Err(what)));
            }
            Err(other) => {
                seen.ended = Some(other.to_string());
                break;
            }
        }
    }
    if seen.ended.is_none() {
        assert!(matches!(reader.next_row(), Ok(None)), "the end stays the end");
    }
    Ok(seen)
}

/// The rows as packet rows: every accessor, for its panics.
fn packets(data: &[u8]) {
    let Ok(mut rows) = RowReader::new(data) else { return };
    let Ok(columns) = PacketColumns::find(&mut rows) else { return };
    loop {
        match rows.next_row() {
            Ok(Some(row)) => {
                let packet = columns.packet(row);
                let _ = (packet.ts(), packet.src_ip(), packet.dst_ip(), packet.proto(), packet.tcp_flags());
                let _ = (
                    packet.src_port(),
                    packet.ttl(),
                    packet.tcp_seq(),
                    packet.payload_len(),
                    packet.tcp_opts(),
                );
                let _ = (packet.quoted_proto(), packet.quoted_src_ip(), packet.quoted_dst_port());
            }
            Ok(None) => return,
            Err(error) if error.is_row() => {}
            Err(_) => return,
        }
    }
}

/// Rows enriched as `geo-enrich` and `fingerprint` do it.
fn enrich(data: &[u8], format: Format) -> Vec<u8> {
    let mut rows = RowReader::new(data).expect("it was rows");
    let mut out = Encoder::new(Vec::new(), format);
    let plan = Forward::new(rows.names(), rows.format(), ADDED, &mut out);
    loop {
        match rows.next_row() {
            Ok(Some(row)) => {
                plan.begin(&row, &mut out);
                out.word("zmap");
                out.uint(64500u32);
                out.text(VALUES[2]);
                plan.end(&mut out).expect("memory does not fail");
            }
            Ok(None) => break,
            Err(error) if error.is_row() => {}
            Err(_) => break,
        }
    }
    out.flush().expect("memory does not fail");
    out.into_inner()
}

/// The names and cells that an enriched row must have.
fn expected<'a, T: AsRef<[u8]>>(cells: &'a [T], names: &[String], added: &'a [&'a [u8]]) -> Vec<&'a [u8]> {
    let kept =
        cells.iter().zip(names).filter(|(_, name)| !ADDED.contains(&&***name)).map(|(cell, _)| cell.as_ref());
    kept.chain(added.iter().copied()).collect()
}

fn csv_says(out: &[u8], seen: &Seen, data: &[u8]) {
    let mut reader = csv::ReaderBuilder::new();
    reader.has_headers(false);
    // A bare carriage return inside an unquoted cell is text to us; it is forwarded as it came.
    if data.contains(&b'\r') {
        reader.terminator(csv::Terminator::Any(b'\n'));
    }
    let mut reader = reader.from_reader(out);
    let mut records = reader.byte_records();
    let header = records.next().expect("a header").expect("the csv crate reads the header");
    let added: Vec<&[u8]> = ADDED.iter().map(|name| name.as_bytes()).collect();
    let names = expected(&seen.names, &seen.names, &added);
    // The csv crate takes a byte order mark off the first name, as we do.
    if !names[0].starts_with(b"\xef\xbb\xbf") {
        assert_eq!(header.iter().collect::<Vec<_>>(), names, "header");
    }
    for (line, cells) in &seen.rows {
        let Ok(cells) = cells else { continue };
        let record =
            records.next().expect("one row out for one row in").expect("the csv crate reads the row");
        assert_eq!(record.iter().collect::<Vec<_>>(), expected(cells, &seen.names, &VALUES), "line {line}");
    }
    assert!(records.next().is_none(), "no row came from nowhere");
}

fn json_says(out: &[u8], seen: &Seen, data: &[u8]) {
    let lines: Vec<&[u8]> = out.split(|byte| *byte == b'\n').collect();
    let rows = seen.rows.iter().filter_map(|(line, cells)| cells.as_ref().ok().map(|cells| (line, cells)));
    let json = data
        .trim_ascii_start()
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(data)
        .trim_ascii_start()
        .starts_with(b"{");
    let mut count = 0;
    for ((line, cells), text) in rows.zip(&lines) {
        count += 1;
        let found = match members(text) {
            Ok(found) => found,
            Err(error) => panic!("line {line}: {error}: {}", String::from_utf8_lossy(text)),
        };
        // What the input repeats is repeated; we repeat nothing of our own.
        let input_repeats = if json {
            let mut lines = data.split(|byte| *byte == b'\n');
            let input = lines.nth(*line as usize - 1).unwrap_or_default();
            let input = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input);
            members(input).map_or(true, |input| !unique(input.iter().map(|(name, _)| &**name)))
        } else {
            !unique(seen.names.iter().map(|name| &**name))
        };
        assert!(
            input_repeats || unique(found.iter().map(|(name, _)| &**name)),
            "line {line}: a key twice: {}",
            String::from_utf8_lossy(text)
        );
        // The last of several with one name counts.
        let value =
            |name: &str| found.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.get());
        assert_eq!(value("tool"), Some("\"zmap\""));
        assert_eq!(value("src_asn"), Some("64500"));
        for (name, cell) in seen.names.iter().zip(cells) {
            if ADDED.contains(&&**name) || input_repeats {
                continue;
            }
            let Some(value) = value(name) else {
                assert!(cell.is_empty() && json, "line {line}: no {name}");
                continue;
            };
            let as_text = match serde_json::from_str::<String>(value) {
                Ok(text) => text,
                Err(_) if value == "null" => String::new(),
                Err(_) => value.to_owned(),
            };
            assert_eq!(as_text, String::from_utf8_lossy(cell), "line {line}: {name}");
        }
    }
    assert_eq!(lines.len(), count + 1, "one line for one row");
}

fn unique<'a>(mut names: impl Iterator<Item = &'a str>) -> bool {
    let mut seen = HashSet::new();
    names.all(|name| seen.insert(name))
}

/// Columns kept back and written later come out as they went in.
fn gathered(data: &[u8], seen: &Seen) {
    let mut rows = RowReader::new(data).expect("it was rows");
    let mut columns: Vec<_> = rows.columns().map(|(col, _)| col).collect();
    // Neighbours, then a jump back: one run and several.
    let turn = data.len() % columns.len();
    columns.rotate_left(turn);
    let mut gather = Gather::new(&columns, rows.format());
    for format in [Format::Csv, Format::Ndjson] {
        let mut out = Encoder::new(Vec::new(), format);
        out.header(columns.iter().map(|col| &*seen.names[col.index()]));
        let mut scratch = Vec::new();
        let mut count = 0;
        loop {
            match rows.next_row() {
                Ok(Some(row)) => {
                    let kept = gather.take(&row, &mut scratch).to_vec();
                    out.begin();
                    gather.write(&kept, &mut out);
                    out.end().expect("memory does not fail");
                    count += 1;
                }
                Ok(None) => break,
                Err(error) if error.is_row() => {}
                Err(_) => break,
            }
        }
        out.flush().expect("memory does not fail");
        let out = out.into_inner();
        if format == Format::Csv {
            let mut reader = csv::ReaderBuilder::new();
            reader.has_headers(false).terminator(csv::Terminator::Any(b'\n'));
            let mut reader = reader.from_reader(&out[..]);
            let mut records = reader.byte_records().skip(1);
            let good = seen.rows.iter().filter_map(|(_, cells)| cells.as_ref().ok());
            // A row of one empty cell is an empty line, which the csv crate passes over.
            if columns.len() > 1 {
                for cells in good {
                    let record = records.next().expect("a row").expect("the csv crate reads it");
                    let turned: Vec<&[u8]> = columns.iter().map(|col| &*cells[col.index()]).collect();
                    assert_eq!(record.iter().collect::<Vec<_>>(), turned);
                }
            }
        } else {
            let lines = out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            assert_eq!(lines.clone().count(), count);
            lines.for_each(|line| assert!(members(line).is_ok(), "{}", String::from_utf8_lossy(line)));
        }
        rows = RowReader::new(data).expect("it was rows");
    }
}
