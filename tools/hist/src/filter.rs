//! Conditions on a row's cells: `proto=tcp`, `h_size>=10`.

use std::io::Read;
use std::str::FromStr;

use probeline_chart::Decimal;
use probeline_record::{Col, Error, Row, RowReader};

use crate::hint;

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    column: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Is(Vec<u8>),
    IsNot(Vec<u8>),
    Less(Decimal),
    AtMost(Decimal),
    More(Decimal),
    AtLeast(Decimal),
}

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let at = text.find(['=', '!', '<', '>']).filter(|&at| at > 0);
        let at = at.ok_or("write COLUMN=VALUE, or != < <= > >= instead of =")?;
        let (column, rest) = text.split_at(at);
        let number = |value: &str| Decimal::from_str(value).map_err(|e| e.to_string());
        let test = if let Some(value) = rest.strip_prefix("!=") {
            Test::IsNot(value.into())
        } else if let Some(value) = rest.strip_prefix("<=") {
            Test::AtMost(number(value)?)
        } else if let Some(value) = rest.strip_prefix(">=") {
            Test::AtLeast(number(value)?)
        } else if let Some(value) = rest.strip_prefix('<') {
            Test::Less(number(value)?)
        } else if let Some(value) = rest.strip_prefix('>') {
            Test::More(number(value)?)
        } else if let Some(value) = rest.strip_prefix('=') {
            Test::Is(value.into())
        } else {
            return Err("a ! stands before = only".into());
        };
        Ok(Self { column: column.to_owned(), test })
    }
}

impl Filter {
    /// The condition's column in this input.
    ///
    /// # Errors
    /// When the input has no such column.
    pub(crate) fn find<R: Read>(&self, rows: &mut RowReader<R>) -> Result<Col, Error> {
        rows.require_name(&self.column, &hint(&self.column))
    }

    /// Whether the row's cell meets it. A cell that is no number is neither less nor more than one.
    pub(crate) fn holds(&self, row: &Row<'_>, col: Col) -> bool {
        let text = row.text(col);
        let number = || Decimal::parse(&text);
        match &self.test {
            Test::Is(value) => *text == **value,
            Test::IsNot(value) => *text != **value,
            Test::Less(value) => number().is_some_and(|n| n < *value),
            Test::AtMost(value) => number().is_some_and(|n| n <= *value),
            Test::More(value) => number().is_some_and(|n| n > *value),
            Test::AtLeast(value) => number().is_some_and(|n| n >= *value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read() {
        let read = |text: &str| text.parse::<Filter>().map(|f| (f.column, f.test));
        let five = Decimal::from_int(5).unwrap();
        assert_eq!(read("a=b=c"), Ok(("a".into(), Test::Is(b"b=c".to_vec()))));
        assert_eq!(read("a="), Ok(("a".into(), Test::Is(vec![]))));
        assert_eq!(read("a!="), Ok(("a".into(), Test::IsNot(vec![]))));
        assert_eq!(read("a>=5"), Ok(("a".into(), Test::AtLeast(five))));
        assert_eq!(read("a<5"), Ok(("a".into(), Test::Less(five))));
        for bad in ["", "a", "=b", "a>x", "a!b", ">5"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
