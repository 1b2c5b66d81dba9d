//! Lists of networks with a name: known scanners, clouds, resolvers, whatever the user keeps.
//!
//! Two forms are read, told apart by the first character: MISP's warning lists, JSON objects with `name` and `list`
//! (MISP warninglists, `schema.json`), and plain text with an address, network (`192.0.2.0/24`) or range
//! (`192.0.2.1-192.0.2.9`) at the beginning of each line, `#` and `;` opening a comment.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use hashbrown::HashMap;
use serde::Deserialize;

use crate::error::Error;
use crate::ranges::{Range, RangeMap};

/// Endings of the files that are read out of a folder.
const ENDINGS: [&str; 6] = ["json", "txt", "list", "cidr", "netset", "ipset"];

/// How deep a folder is looked into: MISP keeps each list in a folder of its own below `lists`.
const DEPTH: usize = 4;

/// Ten times all of MISP's lists together: a bound on what a file can make of memory.
const ENTRY_LIMIT: usize = 4_000_000;

/// No list is nearly as large; what is larger is none.
const FILE_LIMIT: u64 = 512 << 20;

/// The lists that hold an address, found in one step.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    v4: RangeMap<u32>,
    v6: RangeMap<u32>,
    /// The text of each combination of lists that some address is in.
    texts: Vec<Box<str>>,
    files: Vec<ListFile>,
}

/// A file of networks, as it was read.
#[derive(Clone, Debug)]
pub struct ListFile {
    /// The file.
    pub path: PathBuf,
    /// The name of the list: MISP's `name`, else the file's name without its ending.
    pub name: String,
    /// How many addresses, networks and ranges it holds.
    pub entries: usize,
    /// How many entries are neither; host names are not looked up.
    pub passed_over: usize,
    /// Which addresses it holds: `IPv4`, `IPv6`, `IPv4 and IPv6`, or empty.
    pub families: &'static str,
}

/// An entry of a list: its first and last address, and the list's number in the order of names.
type Entry = Range<u32>;

#[derive(Default)]
struct Entries {
    v4: Vec<Entry>,
    v6: Vec<Entry>,
}

impl Lists {
    /// Reads files, and all files with a known ending in folders and the folders within.
    pub(crate) fn read(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut files = Vec::new();
        for path in paths {
            if path.is_dir() {
                walk(path, DEPTH, &mut files)?;
            } else {
                files.push(path.clone());
            }
        }
        let mut read = Vec::with_capacity(files.len());
        let mut entries = 0;
        for path in files {
            let list = NamedList::read(&path)?;
            entries += list.entries.len();
            if entries > ENTRY_LIMIT {
                let reason = format!("more than {ENTRY_LIMIT} entries in all lists");
                return Err(Error::List { path, reason });
            }
            read.push((path, list));
        }
        read.sort_by(|(path, list), (other_path, other)| (&list.name, path).cmp(&(&other.name, other_path)));
        Ok(Self::of(read))
    }

    fn of(read: Vec<(PathBuf, NamedList)>) -> Self {
        let mut names: Vec<String> = read.iter().map(|(_, list)| list.name.clone()).collect();
        names.dedup();
        let mut entries = Entries::default();
        let mut files = Vec::with_capacity(read.len());
        for (path, list) in read {
            // `names` holds every name, in order.
            let number =
                names.binary_search(&list.name).map_or(u32::MAX, |at| u32::try_from(at).unwrap_or(u32::MAX));
            let before = (entries.v4.len(), entries.v6.len());
            for (first, last) in &list.entries {
                entries.add(*first, *last, number);
            }
            let families = match (entries.v4.len() > before.0, entries.v6.len() > before.1) {
                (true, true) => "IPv4 and IPv6",
                (true, false) => "IPv4",
                (false, true) => "IPv6",
                (false, false) => "",
            };
            let entries = list.entries.len();
            files.push(ListFile { path, name: list.name, entries, passed_over: list.passed_over, families });
        }
        let mut texts = Texts { names, known: HashMap::default(), texts: Vec::new() };
        let v4 = layered(entries.v4, &mut texts);
        let v6 = layered(entries.v6, &mut texts);
        Self { v4, v6, texts: texts.texts, files }
    }

    /// The names of the lists that hold the address, joined by `;`, with a key that is the same for all addresses in the
    /// same lists in the same order.
    pub(crate) fn get(&self, address: IpAddr) -> Option<(usize, &str)> {
        let (_, index) = match address {
            IpAddr::V4(address) => self.v4.get(address.to_bits().into())?,
            IpAddr::V6(address) => self.v6.get(address.to_bits())?,
        };
        Some((index as usize, self.texts.get(index as usize)?))
    }

    pub(crate) fn files(&self) -> &[ListFile] {
        &self.files
    }
}

impl Entries {
    fn add(&mut self, first: IpAddr, last: IpAddr, value: u32) {
        match (first, last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => {
                self.v4.push(Range { first: first.to_bits().into(), last: last.to_bits().into(), value });
            }
            (IpAddr::V6(first), IpAddr::V6(last)) => {
                self.v6.push(Range { first: first.to_bits(), last: last.to_bits(), value });
            }
            // An entry is of one family.
            _ => {}
        }
    }
}

/// The texts of combinations of lists, each kept once.
struct Texts {
    names: Vec<String>,
    known: HashMap<Box<[u32]>, u32, foldhash::fast::RandomState>,
    texts: Vec<Box<str>>,
}

impl Texts {
    /// The number of the text for lists in this order.
    fn number(&mut self, lists: &[u32]) -> u32 {
        if let Some(number) = self.known.get(lists) {
            return *number;
        }
        let names: Vec<&str> =
            lists.iter().filter_map(|list| self.names.get(*list as usize)).map(String::as_str).collect();
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(names.join(";").into_boxed_str());
        self.known.insert(lists.into(), number);
        number
    }
}

/// Cuts overlapping entries into disjoint ranges with the number of their text: the list with the smallest entry
/// around the address first, of equally small ones the alphabetically first; each list once.
fn layered(mut entries: Vec<Entry>, texts: &mut Texts) -> RangeMap<u32> {
    entries.sort_unstable_by_key(|entry| (entry.first, entry.last, entry.value));
    let mut ends = entries.clone();
    ends.sort_unstable_by_key(|entry| entry.last);
    let mut ends = ends.into_iter().peekable();
    let mut starts = entries.into_iter().peekable();
    let mut open: BTreeSet<(u128, u32, u128)> = BTreeSet::new();
    let key = |entry: &Entry| (entry.last - entry.first, entry.value, entry.first);
    let mut disjoint = Vec::new();
    let mut lists: Vec<u32> = Vec::new();
    while let Some(end) = ends.peek().map(|entry| entry.last) {
        let Some(first) =
            starts.peek().map(|entry| entry.first).filter(|first| *first <= end || open.is_empty())
        else {
            // Nothing begins before this end, so that what lies before it was written when the last one began.
            while let Some(entry) = ends.next_if(|entry| entry.last == end) {
                open.remove(&key(&entry));
            }
            if let Some(first) = end.checked_add(1) {
                piece(first, &open, starts.peek(), ends.peek(), texts, &mut lists, &mut disjoint);
            }
            continue;
        };
        while let Some(entry) = starts.next_if(|entry| entry.first == first) {
            open.insert(key(&entry));
        }
        piece(first, &open, starts.peek(), ends.peek(), texts, &mut lists, &mut disjoint);
    }
    RangeMap::new(disjoint)
}

/// Writes the range from `first` up to where the next entry begins or the next open one ends.
fn piece(
    first: u128,
    open: &BTreeSet<(u128, u32, u128)>,
    start: Option<&Entry>,
    end: Option<&Entry>,
    texts: &mut Texts,
    lists: &mut Vec<u32>,
    disjoint: &mut Vec<Range<u32>>,
) {
    let Some(end) = end.filter(|_| !open.is_empty()) else { return };
    let last = start.map_or(end.last, |start| end.last.min(start.first.saturating_sub(1)));
    if last < first {
        return;
    }
    lists.clear();
    for (_, list, _) in open {
        if !lists.contains(list) {
            lists.push(*list);
        }
    }
    disjoint.push(Range { first, last, value: texts.number(lists) });
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let fault = |source| Error::Io { path: folder.to_owned(), source };
    let mut inside = Vec::new();
    for entry in fs::read_dir(folder).map_err(fault)? {
        inside.push(entry.map_err(fault)?.path());
    }
    inside.sort();
    for path in inside {
        let hidden = path.file_name().and_then(|name| name.to_str()).is_none_or(|name| name.starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() {
            if depth > 0 {
                walk(&path, depth - 1, files)?;
            }
        } else if path
            .extension()
            .and_then(|ending| ending.to_str())
            .is_some_and(|ending| ENDINGS.contains(&ending))
        {
            files.push(path);
        }
    }
    Ok(())
}

/// What one file holds.
#[derive(Debug)]
struct NamedList {
    name: String,
    entries: Vec<(IpAddr, IpAddr)>,
    passed_over: usize,
}

/// The keys of a MISP warning list that matter here.
#[derive(Deserialize)]
struct WarningList {
    name: String,
    list: Vec<String>,
}

impl NamedList {
    fn read(path: &Path) -> Result<Self, Error> {
        let fault = |source| Error::Io { path: path.to_owned(), source };
        if fs::metadata(path).map_err(fault)?.len() > FILE_LIMIT {
            let reason = format!("larger than {} MiB", FILE_LIMIT >> 20);
            return Err(Error::List { path: path.to_owned(), reason });
        }
        let bytes = fs::read(path).map_err(fault)?;
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_start_matches('\u{feff}').trim_start();
        if text.starts_with('{') {
            let list: WarningList = serde_json::from_str(text).map_err(|error| Error::List {
                path: path.to_owned(),
                reason: format!("no MISP warning list: {error}"),
            })?;
            return Ok(Self::of(&list.name, list.list.iter().map(String::as_str)));
        }
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let lines = text.lines().map(|line| line.split(['#', ';']).next().unwrap_or_default().trim());
        Ok(Self::of(name, lines.filter(|line| !line.is_empty())))
    }

    fn of<'t>(name: &str, texts: impl Iterator<Item = &'t str>) -> Self {
        // Names are joined by semicolons, so that none holds one.
        let mut list = Self { name: name.trim().replace(';', ","), entries: Vec::new(), passed_over: 0 };
        for text in texts {
            match network(text) {
                Some(entry) => list.entries.push(entry),
                None => list.passed_over += 1,
            }
        }
        list
    }
}

/// First and last address of an address, network or range; host bits of a network are taken for zero.
fn network(text: &str) -> Option<(IpAddr, IpAddr)> {
    // What stands behind the network, as in lists with columns, is the list's own business.
    let text = text.split([',', '\t']).next()?.trim();
    if let Some((first, last)) = text.split_once('-') {
        let (first, last): (IpAddr, IpAddr) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        return (first.is_ipv4() == last.is_ipv4() && first <= last).then_some((first, last));
    }
    let text = text.split_ascii_whitespace().next()?;
    let Some((address, length)) = text.split_once('/') else {
        let address = text.parse().ok()?;
        return Some((address, address));
    };
    let length: u32 = length.parse().ok()?;
    Some(match address.parse().ok()? {
        IpAddr::V4(address) => {
            let host = u32::MAX.checked_shr(length).unwrap_or(0);
            (length <= 32).then_some(())?;
            (
                (address & !std::net::Ipv4Addr::from(host)).into(),
                (address | std::net::Ipv4Addr::from(host)).into(),
            )
        }
        IpAddr::V6(address) => {
            let host = u128::MAX.checked_shr(length).unwrap_or(0);
            (length <= 128).then_some(())?;
            (
                (address & !std::net::Ipv6Addr::from(host)).into(),
                (address | std::net::Ipv6Addr::from(host)).into(),
            )
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lists(of: &[(&str, &str)]) -> Lists {
        let mut read: Vec<_> = of
            .iter()
            .map(|(name, text)| (PathBuf::from(name), NamedList::of(name, text.split_whitespace())))
            .collect();
        read.sort_by(|a, b| a.1.name.cmp(&b.1.name));
        Lists::of(read)
    }

    fn known<'l>(lists: &'l Lists, address: &str) -> Option<&'l str> {
        lists.get(address.parse().unwrap()).map(|(_, text)| text)
    }

    #[test]
    fn the_smallest_entry_names_its_list_first() {
        let lists = lists(&[
            ("wide", "10.0.0.0/8 2001:db8::/32"),
            ("narrow", "10.1.2.0/24 10.1.2.3 10.1.2.3/32"),
            ("also", "10.1.2.0/24 0.0.0.0/0 2001:db8::7"),
        ]);
        assert_eq!(known(&lists, "10.1.2.3"), Some("narrow;also;wide"));
        assert_eq!(known(&lists, "10.1.2.4"), Some("also;narrow;wide"));
        assert_eq!(known(&lists, "10.200.0.0"), Some("wide;also"));
        assert_eq!(known(&lists, "255.255.255.255"), Some("also"));
        assert_eq!(known(&lists, "2001:db8::7"), Some("also;wide"));
        assert_eq!(known(&lists, "2001:db8::8"), Some("wide"));
        assert_eq!(known(&lists, "2001:db9::"), None);
    }

    #[test]
    fn entries_are_networks_addresses_and_ranges() {
        let pair = |text| network(text).map(|(first, last)| (first.to_string(), last.to_string()));
        let of = |first: &str, last: &str| Some((first.to_owned(), last.to_owned()));
        assert_eq!(pair("192.0.2.77/24"), of("192.0.2.0", "192.0.2.255"));
        assert_eq!(pair("0.0.0.0/0"), of("0.0.0.0", "255.255.255.255"));
        assert_eq!(pair("192.0.2.1 - 192.0.2.9"), of("192.0.2.1", "192.0.2.9"));
        assert_eq!(pair("2001:db8::1/128,note"), of("2001:db8::1", "2001:db8::1"));
        assert_eq!(pair("::/0"), of("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
        for none in
            ["192.0.2.0/33", "::/129", "192.0.2.9-192.0.2.1", "::1-1.1.1.1", "scanner.example", "1.2.3"]
        {
            assert_eq!(pair(none), None, "{none}");
        }
    }

    proptest! {
        /// The rule said a second way: all entries around the address, by size, then by name.
        #[test]
        fn every_address_is_in_its_lists(raw in proptest::collection::vec((0_u32..60, 0_u32..20, 0_usize..4), 0..14)) {
            let names = ["a", "b", "c", "d"];
            let read: Vec<_> = names.iter().enumerate().map(|(number, name)| {
                let entries = raw.iter().filter(|(_, _, list)| *list == number);
                let ranges = entries.map(|(first, length, _)| {
                    (std::net::Ipv4Addr::from(*first).into(), std::net::Ipv4Addr::from(first + length).into())
                });
                let list = NamedList { name: (*name).to_owned(), entries: ranges.collect(), passed_over: 0 };
                (PathBuf::from(name), list)
            }).collect();
            let lists = Lists::of(read);
            for address in 0..82_u32 {
                let mut around: Vec<_> = raw.iter()
                    .filter(|(first, length, _)| (*first..=first + length).contains(&address))
                    .map(|(_, length, list)| (*length, *list))
                    .collect();
                around.sort_unstable();
                let mut expected: Vec<&str> = Vec::new();
                for (_, list) in around {
                    if !expected.contains(&names[list]) {
                        expected.push(names[list]);
                    }
                }
                let found = lists.get(std::net::Ipv4Addr::from(address).into()).map(|(_, text)| text);
                prop_assert_eq!(found.unwrap_or_default(), expected.join(";"), "{}", address);
            }
        }
    }
}
