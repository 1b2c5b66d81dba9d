//! CAIDA's prefix-to-AS files, for captures older than any database one can still get.
//!
//! Lines of `prefix<TAB>length<TAB>origin`, plain or gzip. An origin with several AS numbers is a prefix
//! announced by several (joined by `_`; since 27 October 2010 the one seen by most peers comes first, before
//! that the lowest) or an AS set (joined by `,`). The first stands for the prefix, as the data set's page
//! advises.
//! <https://www.caida.org/catalog/datasets/routeviews-prefix2as/>

use std::io::{BufRead, Read};
use std::net::IpAddr;
use std::path::Path;

use crate::error::Error;
use crate::ranges::{Range, RangeMap};

/// No line of these files is nearly as long; what is longer is not such a file.
const LINE_LIMIT: u64 = 4096;

/// Twelve times the global table of 2026: a bound on what a small compressed file can make of itself.
const PREFIX_LIMIT: usize = 16_000_000;

/// A prefix-to-AS table.
#[derive(Debug)]
pub(crate) struct PrefixTable {
    v4: RangeMap<u32>,
    v6: RangeMap<u32>,
}

impl PrefixTable {
    /// Reads a table; `path` is for messages only.
    pub(crate) fn read(path: &Path, mut input: impl BufRead) -> Result<Self, Error> {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        let mut line = Vec::new();
        let mut number = 0;
        loop {
            line.clear();
            number += 1;
            let fault = |reason: String| Error::Prefix { path: path.to_owned(), line: number, reason };
            let length = (&mut input)
                .take(LINE_LIMIT)
                .read_until(b'\n', &mut line)
                .map_err(|source| Error::Io { path: path.to_owned(), source })?;
            if length == 0 {
                break;
            }
            if v4.len() + v6.len() >= PREFIX_LIMIT {
                return Err(fault(format!("more than {PREFIX_LIMIT} prefixes")));
            }
            let text = std::str::from_utf8(&line).map_err(|_| fault("not text".to_owned()))?.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let (address, bits, asn) = parse(text).map_err(fault)?;
            match address {
                IpAddr::V4(address) => v4.push(prefix_range(address.to_bits().into(), 32, bits, asn)),
                IpAddr::V6(address) => v6.push(prefix_range(address.to_bits(), 128, bits, asn)),
            }
        }
        Ok(Self { v4: RangeMap::new(v4), v6: RangeMap::new(v6) })
    }

    /// The AS number of the longest prefix that holds the address, with a key that is the same for all
    /// addresses that get this answer by the same piece of the table.
    pub(crate) fn get(&self, address: IpAddr) -> Option<(usize, u32)> {
        match address {
            IpAddr::V4(address) => self.v4.get(address.to_bits().into()),
            IpAddr::V6(address) => {
                self.v6.get(address.to_bits()).map(|(key, asn)| (key + self.v4.len(), asn))
            }
        }
    }

    pub(crate) fn families(&self) -> &'static str {
        match (self.v4.is_empty(), self.v6.is_empty()) {
            (false, false) => "IPv4 and IPv6",
            (true, false) => "IPv6",
            (_, true) => "IPv4",
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }
}

fn parse(text: &str) -> Result<(IpAddr, u8, u32), String> {
    let mut cells = text.split_ascii_whitespace();
    let (Some(address), Some(length), Some(origin), None) =
        (cells.next(), cells.next(), cells.next(), cells.next())
    else {
        return Err("not the three cells prefix, length and AS number".to_owned());
    };
    let address: IpAddr = address.parse().map_err(|_| format!("'{address}' is not an address"))?;
    let widest = if address.is_ipv4() { 32 } else { 128 };
    let length: u8 = length
        .parse()
        .ok()
        .filter(|length| *length <= widest)
        .ok_or_else(|| format!("'{length}' is not a prefix length of at most {widest}"))?;
    let first = origin.split(['_', ',']).next().unwrap_or(origin).trim_matches(['{', '}']);
    let asn = as_number(first).ok_or_else(|| format!("'{origin}' is not an AS number"))?;
    Ok((address, length, asn))
}

/// Plain (`65550`) or with a dot (`1.14`), as files of the years before RFC 5396 settled have it.
fn as_number(text: &str) -> Option<u32> {
    match text.split_once('.') {
        None => text.parse().ok(),
        Some((high, low)) => {
            Some(u32::from(high.parse::<u16>().ok()?) << 16 | u32::from(low.parse::<u16>().ok()?))
        }
    }
}

fn prefix_range(address: u128, bits: u32, length: u8, asn: u32) -> Range<u32> {
    let host_bits = bits - u32::from(length);
    let host = if host_bits == 128 { u128::MAX } else { (1 << host_bits) - 1 };
    Range { first: address & !host, last: address | host, value: asn }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<PrefixTable, Error> {
        PrefixTable::read(Path::new("t.pfx2as"), text.as_bytes())
    }

    fn asn(table: &PrefixTable, address: &str) -> Option<u32> {
        table.get(address.parse().unwrap()).map(|(_, asn)| asn)
    }

    #[test]
    fn the_longest_prefix_wins_in_any_order() {
        let table =
            table("1.2.3.0\t24\t3\n1.0.0.0\t8\t1\n1.2.0.0\t16\t20_30\n2001:db8::\t32\t4,5\n\n").unwrap();
        assert_eq!(asn(&table, "1.2.3.255"), Some(3));
        assert_eq!(asn(&table, "1.2.4.0"), Some(20));
        assert_eq!(asn(&table, "1.255.255.255"), Some(1));
        assert_eq!(asn(&table, "2.0.0.0"), None);
        assert_eq!(asn(&table, "2001:db8::1"), Some(4));
        assert_eq!(table.families(), "IPv4 and IPv6");
    }

    #[test]
    fn whole_families_and_dotted_numbers() {
        let table = table("0.0.0.0\t0\t1.14\n::\t0\t7\n").unwrap();
        assert_eq!(asn(&table, "255.255.255.255"), Some(65_550));
        assert_eq!(asn(&table, "ffff::"), Some(7));
    }

    #[test]
    fn faults_name_their_line() {
        for (text, part) in [
            ("1.0.0.0\t24\t1\n1.0.0.0\t33\t1\n", "2: '33' is not a prefix length of at most 32"),
            ("1.0.0.0/24\t1\n", "1: not the three cells"),
            ("1.0.0\t24\t1\n", "1: '1.0.0' is not an address"),
            ("1.0.0.0\t24\tx_1\n", "1: 'x_1' is not an AS number"),
        ] {
            let message = table(text).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
