//! One column: its type in the file, and the values of the rows that wait for their row group.

use bytes::Bytes;
use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::{Type, TypePtr};
use probeline_record::{CellError, Col, Field, Kind, Row, field};

/// Whole numbers of 8 bits.
const OCTETS: &[&Field] = &[
    &field::TTL,
    &field::IP_TOS,
    &field::IP_DF,
    &field::TCP_WSCALE,
    &field::ICMP_TYPE,
    &field::ICMP_CODE,
    &field::SRC_HOUR,
    &field::DST_HOUR,
];

/// Of 16 bits.
const SHORTS: &[&Field] = &[
    &field::SRC_PORT,
    &field::DST_PORT,
    &field::H_PORT,
    &field::QUOTED_SRC_PORT,
    &field::QUOTED_DST_PORT,
    &field::IP_ID,
    &field::TCP_WIN,
    &field::TCP_MSS,
    &field::TCP_URG,
    &field::ICMP_ID,
    &field::ICMP_SEQ,
    &field::UDP_SUM,
    &field::VLAN,
];

/// Of 32 bits. Others are sums or counts, which may be larger.
const WORDS: &[&Field] = &[
    &field::TCP_SEQ,
    &field::TCP_ACK,
    &field::TCP_TSVAL,
    &field::TCP_TSECR,
    &field::SRC_ASN,
    &field::DST_ASN,
    &field::IP_LEN,
    &field::PAYLOAD_LEN,
    &field::FRAG_OFF,
    &field::CAP_LEN,
    &field::WIRE_LEN,
    &field::INTERFACE,
];

/// Columns whose values hardly come twice: a dictionary of them costs time and saves nothing.
const RANDOM: &[&Field] = &[
    &field::TCP_SEQ,
    &field::TCP_ACK,
    &field::TCP_TSVAL,
    &field::TCP_TSECR,
    &field::IP_ID,
    &field::SRC_PORT,
    &field::UDP_SUM,
];

/// The values of a column, absent ones left out.
enum Values {
    /// Nanoseconds since the epoch are divided by this.
    Time(Vec<i64>, i64),
    /// At most so many bits, 32 at most; the file's own type is signed and read as unsigned.
    Small(Vec<i32>, u32),
    Large(Vec<i64>),
    Double(Vec<f64>),
    /// Texts one behind the other, and where each ends.
    Text(Vec<u8>, Vec<usize>),
}

/// A column of the input on its way into the file.
pub(crate) struct Column {
    name: String,
    col: Col,
    values: Values,
    /// 1 for each row that has a value, 0 for each that has none.
    levels: Vec<i16>,
}

impl Column {
    /// The column of this name, typed by the dictionary.
    pub(crate) fn new(col: Col, name: &str, nanoseconds: bool) -> Self {
        let known = field::by_name(name);
        let is_in = |list: &[&Field]| list.iter().any(|field| field.name == name);
        let values = match known.map(|field| field.kind) {
            Some(Kind::Time) => Values::Time(Vec::new(), if nanoseconds { 1 } else { 1000 }),
            Some(Kind::Int) if is_in(OCTETS) => Values::Small(Vec::new(), 8),
            Some(Kind::Int) if is_in(SHORTS) => Values::Small(Vec::new(), 16),
            Some(Kind::Int) if is_in(WORDS) => Values::Small(Vec::new(), 32),
            Some(Kind::Int) => Values::Large(Vec::new()),
            Some(Kind::Float) => Values::Double(Vec::new()),
            Some(Kind::Ip | Kind::Word | Kind::Hex | Kind::Text) | None => {
                Values::Text(Vec::new(), Vec::new())
            }
        };
        Self { name: name.to_owned(), col, values, levels: Vec::new() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it holds times, in order or nearly so.
    pub(crate) fn is_time(&self) -> bool {
        matches!(self.values, Values::Time(..))
    }

    /// Whether its values hardly come twice.
    pub(crate) fn is_random(&self) -> bool {
        RANDOM.iter().any(|field| field.name == self.name)
    }

    /// Its type in the file.
    ///
    /// # Errors
    /// When the name is none that Parquet allows.
    pub(crate) fn schema(&self) -> Result<TypePtr> {
        let (physical, logical) = match self.values {
            Values::Time(_, 1) => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::NANOS))),
            Values::Time(..) => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
            Values::Small(_, bits) => (Physical::INT32, Some(LogicalType::integer(bits as i8, false))),
            Values::Large(_) => (Physical::INT64, None),
            Values::Double(_) => (Physical::DOUBLE, None),
            Values::Text(..) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        Type::primitive_type_builder(&self.name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical)
            .build()
            .map(TypePtr::new)
    }

    /// Takes the cell of a row.
    ///
    /// # Errors
    /// When it is not of the column's type. Nothing was taken then.
    pub(crate) fn take(&mut self, row: &Row<'_>) -> std::result::Result<(), CellError> {
        let cell = row.cell(self.col);
        if cell.is_empty() {
            self.levels.push(0);
            return Ok(());
        }
        let wrong = |expected| CellError::new(&self.name, expected, cell);
        match &mut self.values {
            Values::Time(values, unit) => values.push(row.ts(self.col)?.nanos().div_euclid(*unit)),
            Values::Small(values, bits) => {
                let value: Option<u32> = row.uint(self.col)?;
                let fits = value.filter(|value| value.checked_shr(*bits).unwrap_or(0) == 0);
                values.push(fits.ok_or_else(|| wrong("a whole number in range"))? as i32);
            }
            Values::Large(values) => {
                let value: Option<i64> = row.uint(self.col)?;
                values.push(value.ok_or_else(|| wrong("a whole number"))?);
            }
            Values::Double(values) => {
                let value = std::str::from_utf8(cell).ok().and_then(|text| text.parse::<f64>().ok());
                values.push(value.filter(|v| v.is_finite()).ok_or_else(|| wrong("a number"))?);
            }
            Values::Text(bytes, ends) => {
                let text = row.text(self.col);
                if std::str::from_utf8(&text).is_err() {
                    return Err(wrong("UTF-8 text"));
                }
                bytes.extend_from_slice(&text);
                ends.push(bytes.len());
            }
        }
        self.levels.push(1);
        Ok(())
    }

    /// Takes back what it has of rows from this one on.
    pub(crate) fn cut(&mut self, rows: usize) {
        if self.levels.len() <= rows {
            return;
        }
        let present = self.levels[..rows].iter().filter(|level| **level == 1).count();
        self.levels.truncate(rows);
        match &mut self.values {
            Values::Time(values, _) | Values::Large(values) => values.truncate(present),
            Values::Small(values, _) => values.truncate(present),
            Values::Double(values) => values.truncate(present),
            Values::Text(bytes, ends) => {
                ends.truncate(present);
                bytes.truncate(ends.last().copied().unwrap_or(0));
            }
        }
    }

    /// Octets of text that wait.
    pub(crate) fn text_len(&self) -> usize {
        match &self.values {
            Values::Text(bytes, _) => bytes.len(),
            _ => 0,
        }
    }

    /// Writes what has gathered, and begins anew.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn write(&mut self, to: &mut ColumnWriter<'_>) -> Result<()> {
        let levels = Some(&self.levels[..]);
        match (&mut self.values, to) {
            (Values::Time(values, _) | Values::Large(values), ColumnWriter::Int64ColumnWriter(to)) => {
                to.write_batch(values, levels, None)?;
                values.clear();
            }
            (Values::Small(values, _), ColumnWriter::Int32ColumnWriter(to)) => {
                to.write_batch(values, levels, None)?;
                values.clear();
            }
            (Values::Double(values), ColumnWriter::DoubleColumnWriter(to)) => {
                to.write_batch(values, levels, None)?;
                values.clear();
            }
            (Values::Text(bytes, ends), ColumnWriter::ByteArrayColumnWriter(to)) => {
                // One allocation, of which each value is a part.
                let bytes = Bytes::from(std::mem::take(bytes));
                let starts = std::iter::once(0).chain(ends.iter().copied());
                let texts: Vec<ByteArray> =
                    starts.zip(&*ends).map(|(start, end)| bytes.slice(start..*end).into()).collect();
                to.write_batch(&texts, levels, None)?;
                ends.clear();
            }
            _ => return Err(ParquetError::General(format!("defect: column {} has two types", self.name))),
        }
        self.levels.clear();
        Ok(())
    }
}
