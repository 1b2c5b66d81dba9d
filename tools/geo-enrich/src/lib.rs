//! Adds where an address is to any row that has one.

mod age;
mod args;
mod cells;
mod columns;
mod whois;

pub use args::{Args, DatabaseOptions, WhoisArgs};
pub use columns::{Cell, Selection};

use std::io::{Read, Write};

use anyhow::{Context, bail};
use probeline_cli::{Account, Console, Outcome, input, list_fields, rows_from, stdout};
use probeline_geo::{Geo, TIME_ZONE_ATTRIBUTION, Wanted};
use probeline_record::{Col, Encoder, Format, Forward, Row, RowReader};

use crate::age::Age;
use crate::cells::Cells;
use crate::whois::{Ahead, Shared, Whois, WhoisOptions};

/// Runs the tool.
///
/// # Errors
/// When the job cannot be done: no rows, no address column, no database, no output.
pub fn run(args: &Args, console: &mut Console) -> Outcome {
    if args.rows.list_fields {
        return Ok(list_fields(&args.columns.clone().and_known().fields(), stdout())?);
    }
    if args.list_databases {
        let geo = Geo::open(&args.databases.search_path(), Wanted::ALL)?;
        return Ok(list_databases(&geo, stdout())?);
    }
    let selection = selection(args)?;
    let name = input::name(args.rows.file.as_deref());
    let input = input::open_rows(args.rows.file.as_deref())?;
    let whois = open_whois(args)?;
    let input: Box<dyn Read> = match &whois {
        Some(whois) => Box::new(Ahead::new(input, &args.address, whois)),
        None => input,
    };
    let mut rows = rows_from(input, &args.rows, console)?;
    if rows.is_empty() {
        return account_for(&Account::new("rows", 0).part("rows", 0), args, console);
    }
    let addresses = address_columns(&mut rows, &args.address).with_context(|| name.clone())?;
    let time = time_column(&mut rows, args, &selection, console).with_context(|| name.clone())?;
    let geo = open_geo(args, &selection, whois.as_ref(), console)?;
    let format = args.rows.format.map_or(rows.format(), Format::from);
    let mut out = Encoder::new(stdout(), format);
    let added: Vec<String> = args.address.iter().flat_map(|address| selection.names(address)).collect();
    let plan = Forward::new(rows.names(), rows.format(), added.iter().map(String::as_str), &mut out);
    let mut enricher = Enricher {
        age: Age::new(geo.describe()),
        geo,
        addresses,
        time,
        cells: Cells::new(&selection),
        whois,
        unknown: 0,
        name,
    };
    let account = enricher.all(&mut rows, &plan, &mut out, console)?;
    out.flush()?;
    if enricher.geo.damaged() > 0 {
        console.say(format_args!("{} look-ups met damaged records in the databases", enricher.geo.damaged()));
    }
    enricher.age.end(console);
    if let Some(whois) = &enricher.whois {
        account_for_whois(whois, console);
    }
    account_for(&account, args, console)
}

/// The columns to add, with the lists' one where lists are given.
fn selection(args: &Args) -> Result<Selection, anyhow::Error> {
    let selection = args.columns.clone();
    if !args.databases.lists.is_empty() {
        return Ok(selection.and_known());
    }
    if selection.has_known() {
        bail!("--columns known: name the lists of networks by --lists");
    }
    Ok(selection)
}

fn open_whois(args: &Args) -> Result<Option<Shared>, anyhow::Error> {
    let Some(server) = &args.whois.whois else { return Ok(None) };
    if !args.columns.has_operator() {
        bail!("--whois tells asn and org, and neither is among the --columns");
    }
    let options = WhoisOptions {
        server: server.clone(),
        cache: args.whois.cache(),
        max_age: args.whois.whois_max_age,
        timeout: args.whois.whois_timeout,
    };
    Ok(Some(Shared::new(Whois::open(&options)?)))
}

fn open_geo(
    args: &Args,
    selection: &Selection,
    whois: Option<&Shared>,
    console: &Console,
) -> Result<Geo, anyhow::Error> {
    let mut wanted = selection.wanted();
    // A server in their place makes databases of AS numbers a choice.
    wanted.asn &= whois.is_none() || !args.databases.asn_db.is_empty();
    let geo = Geo::open(&args.databases.search_path(), wanted)?;
    if !args.databases.lists.is_empty() && geo.lists().is_empty() {
        bail!("--lists: no .json, .txt, .list, .cidr, .netset or .ipset there");
    }
    let (networks, none): (Vec<_>, Vec<_>) = geo.lists().iter().partition(|list| list.entries > 0);
    for list in networks.iter().filter(|list| list.passed_over > 0) {
        console.say(format_args!(
            "{}: {} networks read, {} entries passed over that are none",
            list.path.display(),
            list.entries,
            list.passed_over
        ));
    }
    if !none.is_empty() {
        console.say(format_args!("{} lists hold no network at all", none.len()));
    }
    Ok(match whois {
        Some(whois) => geo.with_operators(whois.operators()),
        None => geo,
    })
}

/// What became of the addresses that were to be asked for.
fn account_for_whois(whois: &Shared, console: &mut Console) {
    for complaint in whois.complaints() {
        console.say(complaint);
    }
    let asked = whois.asked();
    console.say(format_args!(
        "whois: {} addresses asked for in {} connections, {} answers kept from earlier, {} lines not understood",
        asked.addresses, asked.connections, asked.remembered, asked.odd_lines
    ));
    if asked.unanswered > 0 {
        console.fault(format_args!("whois: {} addresses stayed unanswered", asked.unanswered));
    }
}

fn account_for(account: &Account, args: &Args, console: &Console) -> Outcome {
    if let Some(file) = &args.rows.account {
        account.save(file)?;
    }
    console.account(account)
}

fn address_columns<R: Read>(rows: &mut RowReader<R>, names: &[String]) -> Result<Vec<Col>, anyhow::Error> {
    let mut columns = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        if names[..index].contains(name) {
            bail!("--address {name} is given twice");
        }
        columns.push(rows.require_name(name, "; name the column with the address by --address")?);
    }
    Ok(columns)
}

/// The column with the time of a row, for the local hour and the age of the databases.
fn time_column<R: Read>(
    rows: &mut RowReader<R>,
    args: &Args,
    selection: &Selection,
    console: &Console,
) -> Result<Option<Col>, anyhow::Error> {
    if let Some(name) = &args.time {
        return Ok(Some(rows.require_name(name, "; --time names it")?));
    }
    for name in ["ts", "start"] {
        if rows.names().iter().any(|have| have == name) {
            return Ok(rows.column(name)?);
        }
    }
    if selection.is_hour_alone() {
        bail!("no column 'ts' or 'start' to tell the hour by; name the one with the time by --time");
    }
    if selection.has_hour() {
        console.say("no column 'ts' or 'start': the local hour stays empty; --time names another");
    }
    Ok(None)
}

struct Enricher {
    geo: Geo,
    age: Age,
    addresses: Vec<Col>,
    time: Option<Col>,
    cells: Cells,
    whois: Option<Shared>,
    /// Addresses that no database knows anything of.
    unknown: u64,
    name: String,
}

impl Enricher {
    fn all<R: Read, W: Write>(
        &mut self,
        rows: &mut RowReader<R>,
        plan: &Forward,
        out: &mut Encoder<W>,
        console: &mut Console,
    ) -> Result<Account, anyhow::Error> {
        let (mut read, mut malformed) = (0, 0);
        loop {
            // What is finished goes on before the input is waited for, so that a live pipeline keeps moving.
            match rows.next_row_with(&mut || out.flush()) {
                Ok(Some(row)) => {
                    read += 1;
                    self.row(&row, plan, out, console)?;
                    if let Some(whois) = &self.whois {
                        whois.complaints().into_iter().for_each(|complaint| console.say(complaint));
                    }
                }
                Ok(None) => break,
                Err(e) if e.is_row() => {
                    read += 1;
                    malformed += 1;
                    console.fault(format_args!("{}: {e}", self.name));
                }
                Err(e) => return Err(probeline_cli::row_error(e, &self.name)),
            }
        }
        Ok(Account::new("rows", read)
            .part("rows", out.rows())
            .skipped("malformed", malformed)
            .note("addresses in no database", self.unknown))
    }

    #[inline]
    fn row<W: Write>(
        &mut self,
        row: &Row<'_>,
        plan: &Forward,
        out: &mut Encoder<W>,
        console: &mut Console,
    ) -> Outcome {
        let seconds = self.seconds(row, console);
        plan.begin(row, out);
        for index in 0..self.addresses.len() {
            self.address(row, self.addresses[index], seconds, out, console);
        }
        Ok(plan.end(out)?)
    }

    /// The time of a row; missing where the cell is empty or, with a word about it, is no time.
    #[inline]
    fn seconds(&mut self, row: &Row<'_>, console: &mut Console) -> Option<i64> {
        let column = self.time?;
        if row.cell(column).is_empty() {
            return None;
        }
        match row.ts(column) {
            Ok(ts) => {
                let seconds = ts.seconds();
                self.age.see(seconds, console);
                Some(seconds)
            }
            Err(e) => {
                console.fault(format_args!("{}: line {}: {e}", self.name, row.line()));
                None
            }
        }
    }

    /// Writes the cells of one address of a row.
    #[inline]
    fn address<W: Write>(
        &mut self,
        row: &Row<'_>,
        column: Col,
        seconds: Option<i64>,
        out: &mut Encoder<W>,
        console: &mut Console,
    ) {
        let id = match row.ip(column) {
            Ok(address) => Some(self.geo.place_id(address)),
            Err(_) if row.cell(column).is_empty() => None,
            Err(e) => {
                console.fault(format_args!("{}: line {}: {e}", self.name, row.line()));
                None
            }
        };
        if let Some(id) = id
            && self.geo.place(id).is_unknown()
        {
            self.unknown += 1;
        }
        self.cells.write(&self.geo, id, seconds, out);
    }
}

/// A row for each database in use, and one for the data that are built in.
fn list_databases(geo: &Geo, output: impl Write) -> std::io::Result<()> {
    let mut out = Encoder::new(output, Format::Csv);
    out.header(["file", "layout", "stated_type", "addresses", "built", "licence"]);
    for database in geo.describe() {
        out.begin();
        out.text(database.path.display().to_string().as_bytes());
        out.text(database.layout.as_bytes());
        out.text(database.stated_type.as_bytes());
        out.text(database.families.as_bytes());
        out.text(database.built_day().unwrap_or_default().as_bytes());
        out.text(database.licence.unwrap_or_default().as_bytes());
        out.end()?;
    }
    for list in geo.lists() {
        out.begin();
        out.text(list.path.display().to_string().as_bytes());
        out.text(format!("list of {} networks", list.entries).as_bytes());
        out.text(list.name.as_bytes());
        out.text(list.families.as_bytes());
        out.absent();
        out.absent();
        out.end()?;
    }
    out.begin();
    out.text(b"built in");
    out.text(b"time zone boundaries");
    for _ in 0..3 {
        out.absent();
    }
    out.text(TIME_ZONE_ATTRIBUTION.as_bytes());
    out.end()?;
    out.flush()
}
