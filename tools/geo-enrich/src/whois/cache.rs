//! Answers of earlier runs, in a text file that people can read and cut.
//!
//! A line each: address, Unix seconds of the answer, AS number (empty where nobody announces the address), name, with
//! tabs between. New lines are appended; of several for one address the last holds. Lines that are none are left out.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use probeline_geo::Operator;

const HEAD: &str = "# probeline whois answers: address, time, AS number, name\n";

/// No line of ours is as long.
const LINE_LIMIT: u64 = 4096;

/// The file, open for more.
pub(super) struct Cache {
    file: File,
    now: u64,
}

type Remembered = HashMap<IpAddr, (u64, Option<Operator>)>;

impl Cache {
    /// Opens or makes the file and reads what is not older than `max_age`, at most `limit` answers. A file that is
    /// stale by more than half is written anew.
    pub(super) fn open(
        path: &Path,
        max_age: Duration,
        limit: usize,
    ) -> io::Result<(Self, impl Iterator<Item = (IpAddr, Option<Operator>)>)> {
        let now = now();
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let (mut fresh, mut lines) = (Remembered::new(), 0);
        match File::open(path) {
            Ok(file) => lines = read(file, now.saturating_sub(max_age.as_secs()), limit, &mut fresh)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        if lines > 1000 && fresh.len() < lines / 2 && fresh.len() < limit {
            rewrite(path, &fresh)?;
        }
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        if file.metadata()?.len() == 0 {
            file.write_all(HEAD.as_bytes())?;
        }
        Ok((Self { file, now }, fresh.into_iter().map(|(address, (_, operator))| (address, operator))))
    }

    /// Adds an answer, in one write, so that runs side by side do not mix their lines.
    pub(super) fn add(&mut self, address: IpAddr, operator: Option<&Operator>) -> io::Result<()> {
        self.file.write_all(line(address, self.now, operator).as_bytes())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the age of an answer is of the world, not of the capture; no row holds it"
)]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn line(address: IpAddr, time: u64, operator: Option<&Operator>) -> String {
    let asn = operator.map(|operator| operator.asn.to_string()).unwrap_or_default();
    let name = operator.and_then(|operator| operator.org.as_deref()).unwrap_or_default();
    format!("{address}\t{time}\t{asn}\t{}\n", name.replace(char::is_control, " "))
}

/// Reads the lines, and gives their number.
fn read(file: impl Read, oldest: u64, limit: usize, fresh: &mut Remembered) -> io::Result<usize> {
    let mut input = BufReader::new(file);
    let (mut bytes, mut lines) = (Vec::new(), 0);
    loop {
        bytes.clear();
        if (&mut input).take(LINE_LIMIT).read_until(b'\n', &mut bytes)? == 0 {
            return Ok(lines);
        }
        lines += 1;
        let text = String::from_utf8_lossy(&bytes);
        if let Some((address, time, operator)) = parse(text.trim_end_matches('\n'))
            && time >= oldest
            && (fresh.len() < limit || fresh.contains_key(&address))
        {
            fresh.insert(address, (time, operator));
        }
    }
}

fn parse(text: &str) -> Option<(IpAddr, u64, Option<Operator>)> {
    let mut cells = text.splitn(4, '\t');
    let (address, time, asn, name) = (cells.next()?, cells.next()?, cells.next()?, cells.next()?);
    let operator = match asn {
        "" => None,
        asn => Some(Operator {
            asn: asn.parse().ok()?,
            org: Some(name).filter(|name| !name.is_empty()).map(Box::from),
        }),
    };
    Some((address.parse().ok()?, time.parse().ok()?, operator))
}

/// Writes a new file beside the old one, and puts it in its place.
fn rewrite(path: &Path, fresh: &Remembered) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut out = BufWriter::new(File::create(&new)?);
    out.write_all(HEAD.as_bytes())?;
    let mut addresses: Vec<_> = fresh.iter().collect();
    addresses.sort_by_key(|(address, _)| **address);
    for (address, (time, operator)) in addresses {
        out.write_all(line(*address, *time, operator.as_ref()).as_bytes())?;
    }
    out.into_inner()?.sync_all()?;
    fs::rename(new, path)
}
