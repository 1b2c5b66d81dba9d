use std::fmt::Write as _;
use std::io::Write;

use anyhow::{Context, bail};
use probeline_record::{Encoder, Field, field, rows, text};
use probeline_scan::estimate::{self, Interval};
use probeline_scan::{Session, Unit, key_parts};

use crate::key::Key;
use crate::plan::Plan;
use crate::repeats::{Repeats, share};

/// A column that is no key.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    name: &'static str,
    cell: Cell,
}

/// What stands in it. Estimates: which end of the interval.
#[derive(Clone, Copy)]
enum Cell {
    Start,
    End,
    UnitPort,
    UnitAddress,
    Proto,
    Geometry,
    Technique,
    Tool,
    Count(fn(&Session<'_>) -> u64),
    HPort,
    VDst,
    PortList,
    ClosedBy,
    TechniqueShare,
    ToolShare,
    Rate(fn(&Interval) -> f64),
    Coverage(fn(&Interval) -> f64),
    Approx,
}

impl Column {
    fn new(field: &'static Field, cell: Cell) -> Self {
        Self { name: field.name, cell }
    }

    /// All that a plan can have behind the times and the key, in order, but those of the same name as a key.
    fn all(plan: &Plan) -> Vec<Self> {
        let mut columns = match plan.unit {
            Unit::Session => vec![],
            Unit::Horizontal => vec![Self::new(&field::DST_PORT, Cell::UnitPort)],
            Unit::Vertical => vec![Self::new(&field::DST_IP, Cell::UnitAddress)],
        };
        columns.extend(rows::SESSION.iter().filter_map(|field| Some(Self::new(field, session_cell(field)?))));
        if plan.size.is_some() {
            columns.extend([
                Self::new(&field::RATE, Cell::Rate(|rate| rate.value)),
                Self::new(&field::RATE_LO, Cell::Rate(|rate| rate.low)),
                Self::new(&field::RATE_HI, Cell::Rate(|rate| rate.high)),
                Self::new(&field::COVERAGE, Cell::Coverage(|share| share.value)),
                Self::new(&field::COVERAGE_LO, Cell::Coverage(|share| share.low)),
                Self::new(&field::COVERAGE_HI, Cell::Coverage(|share| share.high)),
            ]);
        }
        if plan.group.approximate {
            columns.push(Self::new(&field::APPROX, Cell::Approx));
        }
        columns.retain(|column| plan.by.iter().all(|key| key.name() != column.name));
        columns
    }

    /// The columns in front of the key and those behind it.
    fn around_key(plan: &Plan) -> Result<(Vec<Self>, Vec<Self>), anyhow::Error> {
        let times = vec![Self::new(&field::START, Cell::Start), Self::new(&field::END, Cell::End)];
        let all = Self::all(plan);
        if plan.columns.is_empty() {
            return Ok((times, all));
        }
        let on_request = Self::new(&field::PORT_LIST, Cell::PortList);
        let known: Vec<Self> = times.into_iter().chain(all).chain([on_request]).collect();
        let find = |name: &String| {
            known.iter().find(|column| column.name == name).copied().with_context(|| {
                let names: Vec<&str> = known.iter().map(|column| column.name).collect();
                format!("a session has no column '{name}' behind its key; it has {}", names.join(", "))
            })
        };
        Ok((vec![], plan.columns.iter().map(find).collect::<Result<_, _>>()?))
    }

    /// # Errors
    /// When a plan asks for a column that its sessions do not have, or twice for one.
    pub(crate) fn check(plan: &Plan) -> Result<(), anyhow::Error> {
        if let Some((_, name)) =
            plan.columns.iter().enumerate().find(|(i, name)| plan.columns[..*i].contains(name))
        {
            bail!("column {name} twice");
        }
        Self::around_key(plan).map(drop)
    }
}

fn session_cell(field: &Field) -> Option<Cell> {
    Some(match field.name {
        "proto" => Cell::Proto,
        "geometry" => Cell::Geometry,
        "technique" => Cell::Technique,
        "tool" => Cell::Tool,
        "probes" => Cell::Count(|s| s.probes),
        "packets" => Cell::Count(|s| s.packets),
        "bytes" => Cell::Count(|s| s.bytes),
        "srcs" => Cell::Count(|s| s.srcs),
        "dsts" => Cell::Count(|s| s.dsts),
        "ports" => Cell::Count(|s| s.ports),
        "h_size" => Cell::Count(|s| s.horizontal.0),
        "h_port" => Cell::HPort,
        "v_size" => Cell::Count(|s| s.vertical.0),
        "v_dst" => Cell::VDst,
        "closed_by" => Cell::ClosedBy,
        "technique_share" => Cell::TechniqueShare,
        "tool_share" => Cell::ToolShare,
        _ => return None,
    })
}

/// Where finished sessions go.
pub(crate) struct Sink<'a, W> {
    pub(crate) out: Encoder<W>,
    plan: &'a Plan,
    /// In front of the key and behind it.
    columns: (Vec<Column>, Vec<Column>),
    pub(crate) repeats: Option<Repeats>,
    /// Probes in rows that were written.
    pub(crate) probes: u64,
    /// Probes in rows below a minimum.
    pub(crate) small_probes: u64,
    /// Rows with more destinations than the telescope is said to have.
    pub(crate) too_wide: u64,
    /// Whether anybody asks for the rate, and for the coverage: they cost more than all other cells.
    estimates: (bool, bool),
    /// Scratch for the text of a cell.
    text: String,
    list: Vec<u8>,
}

impl<'a, W: Write> Sink<'a, W> {
    /// # Errors
    /// As [`Column::check`].
    pub(crate) fn new(
        out: Encoder<W>,
        plan: &'a Plan,
        repeats: Option<Repeats>,
    ) -> Result<Self, anyhow::Error> {
        let columns = Column::around_key(plan)?;
        let has = |cell: fn(Cell) -> bool| columns.1.iter().any(|column| cell(column.cell));
        let rate =
            has(|cell| matches!(cell, Cell::Rate(_))) || plan.any.iter().any(|minima| minima.rate > 0.0);
        let estimates = (rate, has(|cell| matches!(cell, Cell::Coverage(_))));
        Ok(Self {
            out,
            plan,
            columns,
            repeats,
            probes: 0,
            small_probes: 0,
            too_wide: 0,
            estimates,
            text: String::new(),
            list: Vec::new(),
        })
    }

    /// The names of all columns, in order.
    pub(crate) fn names(&self) -> Vec<&'a str> {
        let (before, behind) = &self.columns;
        let name = |column: &Column| column.name;
        before
            .iter()
            .map(name)
            .chain(self.plan.by.iter().map(Key::name))
            .chain(behind.iter().map(name))
            .collect()
    }

    pub(crate) fn header(&mut self) {
        let names = self.names();
        self.out.header(names);
    }

    /// Writes a session, or its units.
    pub(crate) fn session(&mut self, session: &Session<'_>) -> std::io::Result<()> {
        let mut written = false;
        if self.plan.unit == Unit::Session {
            written = self.row(session)?;
        } else {
            for unit in session.units(self.plan.unit) {
                written |= self.row(&unit)?;
            }
        }
        if written && let Some(repeats) = &mut self.repeats {
            repeats.count(session);
        }
        Ok(())
    }

    /// Writes a row that reaches the minima; says whether it did.
    fn row(&mut self, session: &Session<'_>) -> std::io::Result<bool> {
        let v4_size = self.plan.size.filter(|_| session.vertical.1.is_ipv4());
        let seconds = session.end.since(session.start) as f64 / 1e9;
        let rated = v4_size.filter(|_| self.estimates.0);
        let rate = rated.and_then(|size| estimate::rate(session.probes, seconds, size));
        if !self.plan.any.iter().any(|minima| minima.admit(session, rate.map(|rate| rate.value))) {
            self.small_probes += session.probes;
            return Ok(false);
        }
        let covered = v4_size.filter(|_| self.estimates.1);
        let coverage = covered.and_then(|size| estimate::coverage(session.dsts, size));
        self.too_wide += u64::from(v4_size.is_some_and(|size| session.dsts > size));
        self.probes += session.probes;
        self.out.begin();
        let estimates = (rate, coverage);
        for at in 0..self.columns.0.len() {
            self.cell(self.columns.0[at].cell, session, &estimates);
        }
        for part in key_parts(session.key) {
            self.out.value(part);
        }
        for at in 0..self.columns.1.len() {
            self.cell(self.columns.1[at].cell, session, &estimates);
        }
        self.out.end()?;
        Ok(true)
    }

    #[inline]
    fn cell(&mut self, cell: Cell, session: &Session<'_>, estimates: &(Option<Interval>, Option<Interval>)) {
        let Self { out, text, list, .. } = self;
        let (rate, coverage) = estimates;
        match cell {
            Cell::Start => out.ts(session.start, session.ts_digits),
            Cell::End => out.ts(session.end, session.ts_digits),
            Cell::Proto => out.word(session.proto.name()),
            Cell::Geometry => out.word(session.geometry().name()),
            Cell::Technique => out.value(session.technique),
            Cell::Tool => out.value(session.tool),
            Cell::Count(of) => out.uint(of(session)),
            Cell::HPort | Cell::UnitPort => out.uint_or_absent(session.horizontal.1),
            Cell::VDst | Cell::UnitAddress => out.ip(session.vertical.1),
            Cell::PortList => write_ports(session.port_list, list, out),
            Cell::ClosedBy => out.word(session.closed_by.name()),
            Cell::TechniqueShare => write_share(session.technique_probes, session.probes, out),
            Cell::ToolShare => write_share(session.tool_probes, session.probes, out),
            Cell::Rate(end) => write_decimal(rate.as_ref().map(end), 3, text, out),
            Cell::Coverage(end) => write_decimal(coverage.as_ref().map(end), 6, text, out),
            Cell::Approx => out.word_or_absent(session.approximate.then_some("hll")),
        }
    }
}

fn write_ports<W: Write>(ports: &[u16], list: &mut Vec<u8>, out: &mut Encoder<W>) {
    list.clear();
    for (i, port) in ports.iter().enumerate() {
        if i > 0 {
            list.push(b';');
        }
        text::write_uint(u64::from(*port), list);
    }
    out.text(list);
}

/// The share of a word that no probe has is absent.
fn write_share<W: Write>(part: u64, whole: u64, out: &mut Encoder<W>) {
    match part {
        0 => out.absent(),
        _ if part == whole => out.decimal("1.000000"),
        _ => out.decimal(&share(part, whole)),
    }
}

fn write_decimal<W: Write>(value: Option<f64>, digits: usize, text: &mut String, out: &mut Encoder<W>) {
    let Some(value) = value else { return out.absent() };
    text.clear();
    // Writing to a string cannot fail.
    let _ = write!(text, "{value:.digits$}");
    out.decimal(text);
}
