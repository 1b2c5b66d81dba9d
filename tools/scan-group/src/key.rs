use std::io::Read;
use std::net::IpAddr;
use std::str::FromStr;

use anyhow::{Context, bail};
use probeline_geo::{Geo, SearchPath, Wanted};
use probeline_record::{Col, Row, RowReader, field, text};
use probeline_scan::join_key;

/// What makes a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// The source address.
    Src,
    /// The source's network: prefix lengths in IPv4 and IPv6.
    Net(u8, u8),
    /// The source's autonomous system.
    Asn,
    /// Its holder.
    Org,
    /// The source's country.
    Country,
    /// The victim of backscatter.
    Victim,
    /// Any column.
    Column(String),
}

/// An IPv6 site is given a /48 (RFC 6177), as an IPv4 site is given a /24.
const SITE_V6: u8 = 48;

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "src" => Self::Src,
            "net24" => Self::Net(24, SITE_V6),
            "asn" => Self::Asn,
            "org" => Self::Org,
            "country" => Self::Country,
            "victim" => Self::Victim,
            "" => return Err("a key needs a name".to_owned()),
            _ => match text.strip_prefix("net=") {
                Some(len) => match len.parse::<u8>() {
                    // Beyond 32 the length can only mean IPv6, and every IPv4 address is its own network.
                    Ok(len @ 1..=128) => Self::Net(len.min(32), len),
                    _ => return Err("net= takes a prefix length from 1 to 128".to_owned()),
                },
                None => Self::Column(text.to_owned()),
            },
        })
    }
}

impl Key {
    /// The column of the session row.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Src => field::SRC_IP.name,
            Self::Net(..) => field::SRC_NET.name,
            Self::Asn => field::SRC_ASN.name,
            Self::Org => field::SRC_ORG.name,
            Self::Country => field::SRC_COUNTRY.name,
            Self::Victim => field::VICTIM.name,
            Self::Column(name) => name,
        }
    }
}

/// How each key is read from a row.
#[derive(Default)]
pub(crate) struct Keys {
    parts: Vec<Part>,
    geo: Option<Geo>,
}

enum Part {
    Cell(Col),
    Net(u8, u8),
    Asn,
    Org,
    Country,
    /// The quoted destination, where the rows have it.
    Victim(Option<Col>),
}

impl Keys {
    /// Finds the columns of the keys, and opens databases for those that the rows do not have.
    pub(crate) fn find<R: Read>(
        keys: &[Key],
        rows: &mut RowReader<R>,
        search: &SearchPath,
    ) -> Result<Self, anyhow::Error> {
        let mut wanted = Wanted { place: false, asn: false };
        let mut parts = Vec::new();
        for (i, key) in keys.iter().enumerate() {
            if keys[..i].iter().any(|earlier| earlier.name() == key.name()) {
                bail!("--by: column {} twice", key.name());
            }
            if [field::START.name, field::END.name].contains(&key.name()) {
                bail!("--by: column {} is the session's own", key.name());
            }
            let has = rows.names().iter().any(|name| name == key.name());
            parts.push(match key {
                Key::Net(v4, v6) => Part::Net(*v4, *v6),
                Key::Victim if !has => Part::Victim(rows.column(field::QUOTED_DST_IP.name)?),
                Key::Asn if !has => {
                    wanted.asn = true;
                    Part::Asn
                }
                Key::Org if !has => {
                    wanted.asn = true;
                    Part::Org
                }
                Key::Country if !has => {
                    wanted.place = true;
                    Part::Country
                }
                _ => {
                    let hint = match field::by_name(key.name()) {
                        Some(field) => format!("; {} adds it", field.added_by),
                        None => format!("; it has {}", rows.names().join(", ")),
                    };
                    Part::Cell(rows.require_name(key.name(), &hint)?)
                }
            });
        }
        let geo = if wanted.asn || wanted.place {
            Some(Geo::open(search, wanted).context("--by asn, org and country need a database")?)
        } else {
            None
        };
        Ok(Self { parts, geo })
    }

    /// The columns that it reads.
    pub(crate) fn columns(&self) -> impl Iterator<Item = Col> + '_ {
        self.parts.iter().filter_map(|part| match part {
            Part::Cell(col) | Part::Victim(Some(col)) => Some(*col),
            _ => None,
        })
    }

    /// Appends the key of a row to `out`: the text of each part, as [`join_key`] joins them.
    #[inline]
    pub(crate) fn write(&mut self, row: &Row<'_>, src: IpAddr, out: &mut Vec<u8>) {
        let Self { parts, geo } = self;
        for part in &*parts {
            join_key(out, |out| match (part, &mut *geo) {
                (Part::Cell(col), _) => out.extend_from_slice(&row.text(*col)),
                (Part::Victim(quoted), _) => match quoted.map(|col| row.cell(col)) {
                    Some(quoted) if !quoted.is_empty() => out.extend_from_slice(quoted),
                    _ => text::write_ip(src, out),
                },
                (Part::Net(v4, v6), _) => write_net(src, *v4, *v6, out),
                (Part::Asn, Some(geo)) => {
                    if let Some(asn) = geo.lookup(src).asn() {
                        text::write_uint(asn.into(), out);
                    }
                }
                (Part::Org, Some(geo)) => {
                    out.extend_from_slice(geo.lookup(src).org().unwrap_or("").as_bytes());
                }
                (Part::Country, Some(geo)) => {
                    out.extend_from_slice(geo.lookup(src).country().unwrap_or("").as_bytes());
                }
                (Part::Asn | Part::Org | Part::Country, None) => {}
            });
        }
    }
}

fn write_net(ip: IpAddr, v4: u8, v6: u8, out: &mut Vec<u8>) {
    let (network, len) = match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(v4)).unwrap_or(0);
            (IpAddr::V4((u32::from(ip) & mask).into()), v4)
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(v6)).unwrap_or(0);
            (IpAddr::V6((u128::from(ip) & mask).into()), v6)
        }
    };
    text::write_ip(network, out);
    out.push(b'/');
    text::write_uint(len.into(), out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_by_name() {
        assert_eq!("net24".parse(), Ok(Key::Net(24, 48)));
        assert_eq!("net=16".parse(), Ok(Key::Net(16, 16)));
        assert_eq!("net=64".parse(), Ok(Key::Net(32, 64)));
        assert_eq!("dst_port".parse(), Ok(Key::Column("dst_port".to_owned())));
        for bad in ["net=0", "net=129", "net=", ""] {
            assert!(bad.parse::<Key>().is_err(), "{bad}");
        }
    }

    #[test]
    fn networks() {
        for (ip, v4, v6, expected) in [
            ("192.0.2.77", 24, 48, "192.0.2.0/24"),
            ("192.0.2.77", 32, 48, "192.0.2.77/32"),
            ("2001:db8:1:2::3", 24, 48, "2001:db8:1::/48"),
            ("2001:db8:1:2::3", 32, 128, "2001:db8:1:2::3/128"),
        ] {
            let mut out = Vec::new();
            write_net(ip.parse().unwrap(), v4, v6, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
