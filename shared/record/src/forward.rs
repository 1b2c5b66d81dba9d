//! Adding columns to rows without touching the others.

use std::io::{self, Write};

use crate::{Col, Encoder, Format, Row};

/// How an enricher forwards rows: every cell of the input as it stands, in order, then its own columns.
///
/// Columns of its own that the input already has are replaced, so that running an enricher twice changes nothing.
#[derive(Debug)]
pub struct Forward {
    kept: Vec<Col>,
    added: Vec<String>,
    /// Whether a row is kept as one piece.
    whole: bool,
}

impl Forward {
    /// Plans the forwarding of rows with these `names` and of this format, to which columns `added` come, and
    /// writes the header to `out`.
    pub fn new<'f, W: Write>(
        names: &[String],
        from: Format,
        added: impl IntoIterator<Item = &'f str>,
        out: &mut Encoder<W>,
    ) -> Self {
        let added: Vec<String> = added.into_iter().map(str::to_owned).collect();
        let kept: Vec<Col> = (0..names.len()).filter(|i| !added.contains(&names[*i])).map(Col::new).collect();
        out.header(kept.iter().map(|col| &names[col.index()]).chain(&added).map(String::as_str));
        let whole = kept.len() == names.len() && from == out.format();
        Self { kept, added, whole }
    }

    /// Begins a row in `out` with every forwarded cell; the caller adds its own and ends the row.
    #[inline]
    pub fn begin<W: Write>(&self, row: &Row<'_>, out: &mut Encoder<W>) {
        out.begin();
        match row.format() {
            Format::Csv if self.whole => out.head(row.raw(), self.kept.len()),
            Format::Ndjson if self.whole && !self.must_take_apart(row) => {
                out.head(open_object(row.raw()), self.kept.len());
            }
            _ => self.cells(row, out),
        }
    }

    /// Whether an object cannot be kept as one piece: it holds a key that is added, which the first one did not have
    /// (that one's keys are the columns), or nothing to put a comma behind.
    fn must_take_apart(&self, row: &Row<'_>) -> bool {
        row.extras().any(|(name, _)| self.adds(name)) || open_object(row.raw()).ends_with(b"{")
    }

    fn adds(&self, name: &str) -> bool {
        self.added.iter().any(|added| added == name)
    }

    fn cells<W: Write>(&self, row: &Row<'_>, out: &mut Encoder<W>) {
        for col in &self.kept {
            out.token(row.token(*col), row.format());
        }
        if out.format() == Format::Ndjson {
            for (name, value) in row.extras().filter(|(name, _)| !self.adds(name)) {
                out.extra(name, value);
            }
        }
    }

    /// Ends a row begun with [`Forward::begin`].
    ///
    /// # Errors
    /// What the writer returns.
    #[inline]
    pub fn end<W: Write>(&self, out: &mut Encoder<W>) -> io::Result<()> {
        out.end()
    }
}

/// The object's text up to its closing brace, which the reader has checked is there.
fn open_object(raw: &[u8]) -> &[u8] {
    let end = raw.iter().rposition(|b| *b == b'}').unwrap_or(raw.len());
    raw[..end].trim_ascii_end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RowReader;

    fn enrich(input: &str, to: Option<Format>) -> String {
        let mut rows = RowReader::new(input.as_bytes()).unwrap();
        let mut out = Encoder::new(Vec::new(), to.unwrap_or(rows.format()));
        let plan = Forward::new(rows.names(), rows.format(), ["tool", "src_asn"], &mut out);
        while let Some(row) = rows.next_row().unwrap() {
            plan.begin(&row, &mut out);
            out.word("zmap");
            out.uint(7u8);
            plan.end(&mut out).unwrap();
        }
        out.flush().unwrap();
        String::from_utf8(out.into_inner()).unwrap()
    }

    #[test]
    fn csv_is_forwarded_untouched() {
        let once = enrich("a,b\n1,\"x,y\"\n,\n", None);
        assert_eq!(once, "a,b,tool,src_asn\n1,\"x,y\",zmap,7\n,,zmap,7\n");
        assert_eq!(enrich(&once, None), once);
    }

    #[test]
    fn own_columns_are_replaced_and_move_last() {
        assert_eq!(enrich("tool,a\nold,1\n", None), "a,tool,src_asn\n1,zmap,7\n");
    }

    #[test]
    fn json_is_forwarded_untouched() {
        let once = enrich("{\"a\":1.0,\"s\":\"\\u00e9\"}\n{\"a\":2,\"s\":null,\"n\":[1]} \n", None);
        assert_eq!(
            once,
            "{\"a\":1.0,\"s\":\"\\u00e9\",\"tool\":\"zmap\",\"src_asn\":7}\n\
             {\"a\":2,\"s\":null,\"n\":[1],\"tool\":\"zmap\",\"src_asn\":7}\n"
        );
        let twice = enrich(&once, None);
        for (a, b) in once.lines().zip(twice.lines()) {
            let parse = |line| serde_json::from_str::<serde_json::Value>(line).unwrap();
            assert_eq!(parse(a), parse(b));
        }
    }

    #[test]
    fn json_keys_that_come_late_or_not_at_all() {
        assert_eq!(
            enrich("{\"a\":1}\n{\"src_asn\":1,\"a\":2,\"n\":3}\n{ }\n", None),
            "{\"a\":1,\"tool\":\"zmap\",\"src_asn\":7}\n\
             {\"a\":2,\"n\":3,\"tool\":\"zmap\",\"src_asn\":7}\n\
             {\"a\":null,\"tool\":\"zmap\",\"src_asn\":7}\n"
        );
        // Every column of the input is replaced.
        assert_eq!(
            enrich("{\"tool\":1}\n{\"n\":2}\n", None),
            "{\"tool\":\"zmap\",\"src_asn\":7}\n{\"tool\":\"zmap\",\"src_asn\":7,\"n\":2}\n"
        );
    }

    #[test]
    fn formats_convert() {
        assert_eq!(
            enrich("src_port,note\n80,\"a\"\"b\"\n,\n", Some(Format::Ndjson)),
            "{\"src_port\":80,\"note\":\"a\\\"b\",\"tool\":\"zmap\",\"src_asn\":7}\n\
             {\"src_port\":null,\"note\":null,\"tool\":\"zmap\",\"src_asn\":7}\n"
        );
        assert_eq!(
            enrich(
                "{\"src_port\":80,\"note\":\"a,b\",\"deep\":{\"x\":1}}\n{\"note\":\"q\"}\n",
                Some(Format::Csv)
            ),
            "src_port,note,deep,tool,src_asn\n80,\"a,b\",\"{\"\"x\"\":1}\",zmap,7\n,q,,zmap,7\n"
        );
    }
}
