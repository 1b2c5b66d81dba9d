//! Cells of a row kept for a row that is written later.

use std::io::Write;

use crate::{Col, Encoder, Format, Row, split};

/// Takes the same columns out of each row as one byte string, and writes them as cells of another row later.
///
/// Columns that stand side by side in CSV are taken as one slice, without looking at the cells.
#[derive(Debug)]
pub struct Gather {
    runs: Vec<(Col, Col)>,
    columns: usize,
    format: Format,
    behind: Vec<u32>,
}

impl Gather {
    /// For these columns, in this order, of input of this format.
    pub fn new(columns: &[Col], format: Format) -> Self {
        let mut runs: Vec<(Col, Col)> = Vec::new();
        for col in columns {
            match runs.last_mut() {
                Some((_, last)) if format == Format::Csv && last.index() + 1 == col.index() => *last = *col,
                _ => runs.push((*col, *col)),
            }
        }
        Self { runs, columns: columns.len(), format, behind: vec![0; columns.len()] }
    }

    /// The cells of a row; `scratch` holds them where they do not stand side by side.
    #[inline]
    pub fn take<'a>(&self, row: &Row<'a>, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        if let [(first, last)] = self.runs[..] {
            return row.slice(first, last);
        }
        scratch.clear();
        for (i, (first, last)) in self.runs.iter().enumerate() {
            if i > 0 {
                scratch.push(self.separator());
            }
            scratch.extend_from_slice(row.slice(*first, *last));
        }
        scratch
    }

    /// A JSON value holds no raw line end (RFC 8259 §7), so one can stand between values.
    fn separator(&self) -> u8 {
        if self.format == Format::Csv { b',' } else { b'\n' }
    }

    /// Writes cells taken earlier as the next cells of a row.
    #[inline]
    pub fn write<W: Write>(&mut self, cells: &[u8], out: &mut Encoder<W>) {
        if self.columns == 0 {
            return;
        }
        match (self.format, out.format()) {
            (Format::Csv, Format::Csv) => out.csv_cells(cells, self.columns),
            (Format::Csv, Format::Ndjson) => {
                // The reader has checked the quoting, so the cells are found again.
                let count = split::quoted(cells, &mut self.behind).unwrap_or(0);
                debug_assert_eq!(count, self.columns);
                let mut from = 0;
                for next in &self.behind {
                    out.token(&cells[from..*next as usize - 1], Format::Csv);
                    from = *next as usize;
                }
            }
            (Format::Ndjson, _) => {
                cells.split(|b| *b == b'\n').for_each(|value| out.token(value, Format::Ndjson));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RowReader;

    fn pick(input: &str, names: &[&str], to: Format) -> String {
        let mut rows = RowReader::new(input.as_bytes()).unwrap();
        let columns: Vec<Col> = names.iter().map(|n| rows.column(n).unwrap().unwrap()).collect();
        let mut gather = Gather::new(&columns, rows.format());
        let mut out = Encoder::new(Vec::new(), to);
        out.header(names.iter().copied());
        while let Some(row) = rows.next_row().unwrap() {
            let mut scratch = Vec::new();
            let kept = gather.take(&row, &mut scratch).to_vec();
            out.begin();
            gather.write(&kept, &mut out);
            out.end().unwrap();
        }
        out.flush().unwrap();
        String::from_utf8(out.into_inner()).unwrap()
    }

    #[test]
    fn any_columns_any_format() {
        let csv = "a,ttl,c,d\n1,2,\"x,\"\"y\",\n";
        assert_eq!(pick(csv, &["ttl", "c", "d"], Format::Csv), "ttl,c,d\n2,\"x,\"\"y\",\n");
        assert_eq!(pick(csv, &["c", "a"], Format::Csv), "c,a\n\"x,\"\"y\",1\n");
        let json = "{\"ttl\":2,\"c\":\"x,\\\"y\",\"d\":null}\n";
        assert_eq!(pick(csv, &["ttl", "c", "d"], Format::Ndjson), json);
        assert_eq!(pick(json, &["ttl", "c", "d"], Format::Ndjson), json);
        assert_eq!(pick(json, &["d", "c"], Format::Csv), "d,c\n,\"x,\"\"y\"\n");
    }
}
