//! One database file.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use maxminddb::{LookupResult, MaxMindDbError, Reader, WithinOptions};
use memmap2::Mmap;

use crate::attribution::licence_line;
use crate::error::Error;
use crate::fields::{Fields, Shape};
use crate::pfx2as::PrefixTable;

/// What comes before the metadata of a MaxMind DB, within its last 128 KiB (MaxMind DB format 2.0, "Database
/// Metadata").
const METADATA_MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";
const METADATA_REACH: usize = 128 * 1024;

/// How many records are looked at to tell a layout, and how many places in the tree to find them.
const RECORDS_SAMPLED: usize = 256;
const NETWORKS_SAMPLED: usize = 4096;

/// A database, open.
pub(crate) struct Database {
    pub(crate) path: PathBuf,
    pub(crate) shape: Shape,
    source: Source,
}

enum Source {
    Mmdb(Box<Reader<Bytes>>),
    Prefixes(PrefixTable),
}

/// The bytes of a file: mapped, so that processes side by side share them, or read where mapping fails.
pub(crate) enum Bytes {
    Mapped(Mmap),
    Read(Vec<u8>),
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Read(bytes) => bytes,
        }
    }
}

/// Where a database has the answer for an address.
pub(crate) enum Hit<'d> {
    Nothing,
    Record(LookupResult<'d, Bytes>),
    Prefix(usize, u32),
}

impl<'d> Hit<'d> {
    /// A key that is the same for all addresses with the same answer of that database.
    pub(crate) fn key(&self) -> Option<usize> {
        match self {
            Self::Nothing => None,
            Self::Record(record) => record.offset(),
            Self::Prefix(key, _) => Some(*key),
        }
    }

    /// Reads the record.
    pub(crate) fn fields(&self) -> Result<Option<Fields<'d>>, MaxMindDbError> {
        match self {
            Self::Nothing => Ok(None),
            Self::Record(record) => record.decode(),
            Self::Prefix(_, asn) => Ok(Some(Fields { asn: Some(*asn), ..Fields::default() })),
        }
    }
}

/// What a database says of itself.
#[derive(Clone, Debug)]
pub struct Description {
    /// The file.
    pub path: PathBuf,
    /// The layout of its records, as found by looking at them.
    pub layout: String,
    /// The type that the file itself states; empty for a prefix table.
    pub stated_type: String,
    /// When it was built, in Unix seconds, where it says so.
    pub built: Option<i64>,
    /// Which addresses it can hold: `IPv4`, `IPv6`, or `IPv4 and IPv6`.
    pub families: &'static str,
    /// The licence line of the attribution file beside it.
    pub licence: Option<String>,
}

impl Description {
    /// The day (UTC) on which it was built, as `2026-06-17`.
    #[must_use]
    pub fn built_day(&self) -> Option<String> {
        let instant = jiff::Timestamp::from_second(self.built?).ok()?;
        Some(jiff::tz::Offset::UTC.to_datetime(instant).date().to_string())
    }
}

impl Database {
    /// Opens a file and finds out by its content what it is.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let bytes = bytes(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
        Self::from_bytes(path, bytes)
    }

    fn from_bytes(path: &Path, bytes: Bytes) -> Result<Self, Error> {
        let content = bytes.as_ref();
        if content.starts_with(&[0x1f, 0x8b]) {
            return Self::prefixes(path, MultiGzDecoder::new(content));
        }
        let tail = &content[content.len().saturating_sub(METADATA_REACH)..];
        if tail.windows(METADATA_MARKER.len()).any(|window| window == METADATA_MARKER) {
            let format = |reason: MaxMindDbError| Error::Format {
                path: path.to_owned(),
                reason: reason.to_string().trim_end_matches('.').to_owned(),
            };
            let reader = Reader::from_source(bytes).map_err(format)?;
            let shape = sample(&reader).map_err(format)?;
            return Ok(Self { path: path.to_owned(), shape, source: Source::Mmdb(Box::new(reader)) });
        }
        if content.is_empty() || content.iter().take(512).any(|byte| *byte == 0) {
            let reason = "no metadata at its end, and it is no text of prefixes".to_owned();
            return Err(Error::Format { path: path.to_owned(), reason });
        }
        Self::prefixes(path, content)
    }

    fn prefixes(path: &Path, input: impl Read) -> Result<Self, Error> {
        let table = PrefixTable::read(path, BufReader::with_capacity(1 << 16, input))?;
        let shape = Shape { asn: !table.is_empty(), ..Shape::default() };
        Ok(Self { path: path.to_owned(), shape, source: Source::Prefixes(table) })
    }

    /// Finds the record of an address, without reading it.
    pub(crate) fn find(&self, address: IpAddr) -> Result<Hit<'_>, MaxMindDbError> {
        match &self.source {
            // An IPv6 address cannot be asked of an IPv4 tree: the reader takes that for an error.
            Source::Mmdb(reader) if address.is_ipv6() && reader.metadata().ip_version == 4 => {
                Ok(Hit::Nothing)
            }
            Source::Mmdb(reader) => Ok(Hit::Record(reader.lookup(address)?)),
            Source::Prefixes(table) => {
                Ok(table.get(address).map_or(Hit::Nothing, |(key, asn)| Hit::Prefix(key, asn)))
            }
        }
    }

    /// What `--list-databases` shows.
    pub(crate) fn describe(&self) -> Description {
        let (layout, stated_type, built, families) = match &self.source {
            Source::Mmdb(reader) => {
                let metadata = reader.metadata();
                let families = if metadata.ip_version == 4 {
                    "IPv4"
                } else if holds_v4(reader) {
                    "IPv4 and IPv6"
                } else {
                    "IPv6"
                };
                let built = i64::try_from(metadata.build_epoch).ok().filter(|built| *built > 0);
                (self.shape.to_string(), metadata.database_type.clone(), built, families)
            }
            Source::Prefixes(table) => {
                ("prefix to AS".to_owned(), String::new(), day_in_name(&self.path), table.families())
            }
        };
        Description {
            path: self.path.clone(),
            layout,
            stated_type,
            built,
            families,
            licence: licence_line(&self.path),
        }
    }
}

/// Whether an IPv6 tree has IPv4 data below ::/96.
fn holds_v4(reader: &Reader<Bytes>) -> bool {
    let Ok(all) = "0.0.0.0/0".parse() else { return false };
    reader
        .within(all, WithinOptions::default().include_networks_without_data())
        .is_ok_and(|networks| networks.take(NETWORKS_SAMPLED).flatten().any(|network| network.has_data()))
}

/// Looks at the first records, whatever they are, so that an odd one does not decide. Networks without data
/// are asked for too: in a damaged tree these can go on for ever, and here they count against the bound.
fn sample(reader: &Reader<Bytes>) -> Result<Shape, MaxMindDbError> {
    let mut shape = Shape::default();
    let mut left = RECORDS_SAMPLED;
    let options = WithinOptions::default().include_networks_without_data();
    for network in reader.networks(options)?.take(NETWORKS_SAMPLED) {
        if let Some(fields) = network?.decode::<Fields>()? {
            shape.join(fields.shape);
            left -= 1;
            if left == 0 {
                break;
            }
        }
    }
    Ok(shape)
}

fn bytes(path: &Path) -> io::Result<Bytes> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() && metadata.len() > 0 {
        #[expect(
            unsafe_code,
            reason = "a map is sound while nobody changes the file under it; databases are replaced by \
                      renaming a finished file over them, which leaves the mapped one as it was"
        )]
        // SAFETY: the map is only read, and by the above the file behind it does not change.
        let mapped = unsafe { Mmap::map(&file) };
        if let Ok(map) = mapped {
            return Ok(Bytes::Mapped(map));
        }
    }
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    Ok(Bytes::Read(content))
}

/// The day that CAIDA's file names carry (`routeviews-rv2-20150101-1200.pfx2as.gz`), at 00:00 UTC.
fn day_in_name(path: &Path) -> Option<i64> {
    let name = path.file_name()?.to_str()?;
    let digits = name.split(|character: char| !character.is_ascii_digit()).find(|run| run.len() == 8)?;
    let date = jiff::civil::Date::new(
        digits.get(..4)?.parse().ok()?,
        digits.get(4..6)?.parse().ok()?,
        digits.get(6..)?.parse().ok()?,
    );
    Some(jiff::tz::Offset::UTC.to_timestamp(date.ok()?.at(0, 0, 0, 0)).ok()?.as_second())
}
