//! Rows, read by other means than those that wrote them.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// CSV or NDJSON as columns and rows. An empty cell, an empty string and a `null` are all "absent".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<Option<String>>>,
}

/// One row of a [`Table`].
#[derive(Clone, Copy)]
pub struct Row<'a> {
    columns: &'a [String],
    cells: &'a [Option<String>],
}

impl Table {
    /// Reads either format; NDJSON is told by its first byte. The csv crate and serde_json do the reading.
    ///
    /// # Errors
    /// When a row has another number of cells, or an object other keys, than the first, or two columns share
    /// a name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let table = if text.starts_with('{') { Self::parse_ndjson(text)? } else { Self::parse_csv(text)? };
        for (i, name) in table.columns.iter().enumerate() {
            if table.columns[..i].contains(name) {
                return Err(format!("two columns are called '{name}'"));
            }
        }
        Ok(table)
    }

    fn parse_csv(text: &str) -> Result<Self, String> {
        let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        let columns = reader.headers().map_err(|e| e.to_string())?.iter().map(str::to_owned).collect();
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| e.to_string())?;
            rows.push(record.iter().map(|cell| (!cell.is_empty()).then(|| cell.to_owned())).collect());
        }
        Ok(Self { columns, rows })
    }

    fn parse_ndjson(text: &str) -> Result<Self, String> {
        let mut table = Self::default();
        for (i, line) in text.lines().enumerate() {
            let place = |e: String| format!("line {}: {e}", i + 1);
            let object: Object = serde_json::from_str(line).map_err(|e| place(e.to_string()))?;
            let (columns, cells): (Vec<_>, Vec<_>) = object.0.into_iter().unzip();
            if i == 0 {
                table.columns = columns;
            } else if table.columns != columns {
                return Err(place(format!("keys {columns:?} are not those of line 1: {:?}", table.columns)));
            }
            let cells: Result<Vec<_>, _> = cells.iter().map(|cell| text_of(cell)).collect();
            table.rows.push(cells.map_err(place)?);
        }
        Ok(table)
    }

    /// The names of the columns, in order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row { columns: &self.columns, cells })
    }

    /// The rows that fit.
    #[must_use]
    pub fn select(&self, mut fits: impl FnMut(Row<'_>) -> bool) -> Self {
        let rows = self.rows.iter().filter(|cells| fits(Row { columns: &self.columns, cells }));
        Self { columns: self.columns.clone(), rows: rows.cloned().collect() }
    }

    /// The rows whose column has this value; `""` is "absent".
    ///
    /// # Panics
    /// When there is no such column.
    #[must_use]
    #[track_caller]
    pub fn filter(&self, column: &str, value: &str) -> Self {
        self.check(column);
        self.select(|row| row.get(column).unwrap_or("") == value)
    }

    /// How many rows have this value in this column.
    ///
    /// # Panics
    /// When there is no such column.
    #[track_caller]
    pub fn count(&self, column: &str, value: &str) -> usize {
        self.filter(column, value).len()
    }

    /// A column's values, in order; `""` where absent.
    ///
    /// # Panics
    /// When there is no such column.
    #[track_caller]
    pub fn column(&self, column: &str) -> Vec<&str> {
        let at = self.check(column);
        self.rows.iter().map(|cells| cells[at].as_deref().unwrap_or("")).collect()
    }

    /// A column's values, each once, sorted as text.
    ///
    /// # Panics
    /// When there is no such column.
    #[track_caller]
    pub fn distinct(&self, column: &str) -> Vec<&str> {
        let mut values = self.column(column);
        values.sort_unstable();
        values.dedup();
        values
    }

    /// The sum of a column of whole numbers; what is absent adds nothing.
    ///
    /// # Panics
    /// When there is no such column, or a cell is no whole number.
    #[track_caller]
    pub fn sum(&self, column: &str) -> u64 {
        let number = |cell: &str| -> u64 {
            cell.parse().unwrap_or_else(|_| panic!("{column} is '{cell}', no whole number"))
        };
        self.column(column).into_iter().filter(|cell| !cell.is_empty()).map(number).sum()
    }

    #[track_caller]
    fn check(&self, column: &str) -> usize {
        let at = self.columns.iter().position(|name| name == column);
        at.unwrap_or_else(|| panic!("no column '{column}' among {:?}", self.columns))
    }
}

impl<'a> Row<'a> {
    /// The value of a column: `None` where absent.
    ///
    /// # Panics
    /// When there is no such column.
    #[track_caller]
    pub fn get(&self, column: &str) -> Option<&'a str> {
        let at = self.columns.iter().position(|name| name == column);
        let at = at.unwrap_or_else(|| panic!("no column '{column}' among {:?}", self.columns));
        self.cells[at].as_deref()
    }

    /// Whether there is such a column.
    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|name| name == column)
    }
}

impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, cell) in self.columns.iter().zip(self.cells) {
            if let Some(cell) = cell {
                write!(f, "{name}={cell} ")?;
            }
        }
        Ok(())
    }
}

/// A JSON object with its keys in their order and its numbers as written.
struct Object(Vec<(String, Box<RawValue>)>);

impl<'de> serde::Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Object, M::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Object(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

fn text_of(value: &RawValue) -> Result<Option<String>, String> {
    let text = value.get();
    let text = match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str(text).map_err(|e| e.to_string())?,
        Some(b'{' | b'[') => return Err(format!("a cell holds {text}; rows are flat")),
        _ if text == "null" => return Ok(None),
        _ => text.to_owned(),
    };
    Ok((!text.is_empty()).then_some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_say_the_same() {
        let csv = Table::parse("ts,a,b\n1700000000.123456789,\"x,\"\"y\",\n2,,true\n").unwrap();
        let json = Table::parse(
            "{\"ts\":1700000000.123456789,\"a\":\"x,\\\"y\",\"b\":null}\n{\"ts\":2,\"a\":\"\",\"b\":true}\n",
        );
        assert_eq!(csv, json.unwrap());
        assert_eq!(csv.columns(), ["ts", "a", "b"]);
        assert_eq!(csv.rows().next().unwrap().get("a"), Some("x,\"y"));
        assert_eq!((csv.count("b", ""), csv.filter("b", "true").column("ts")), (1, vec!["2"]));
        assert_eq!(csv.distinct("a"), ["", "x,\"y"]);
    }

    #[test]
    fn what_is_not_a_table_is_said_to_be_none() {
        assert!(Table::parse("a,b\n1\n").is_err());
        assert!(Table::parse("{\"a\":1}\n{\"b\":1}\n").unwrap_err().contains("line 2"));
        assert!(Table::parse("{\"a\":[1]}\n").unwrap_err().contains("flat"));
        assert!(Table::parse("{\"a\":1\n").is_err());
        assert!(Table::parse("a,b,a\n1,2,3\n").unwrap_err().contains("'a'"));
    }
}
