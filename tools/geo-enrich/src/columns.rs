//! Which cells are added, and under which names.

use std::io::Write;
use std::str::FromStr;

use probeline_geo::{Level, Place, Wanted};
use probeline_record::{Encoder, Field, field};

/// One of the cells that can be added for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Country, ISO 3166-1 alpha-2.
    Country,
    /// City.
    City,
    /// Latitude in degrees.
    Lat,
    /// Longitude in degrees.
    Lon,
    /// What the coordinate stands for.
    GeoLevel,
    /// IANA time zone.
    Tz,
    /// Local hour at the row's time.
    Hour,
    /// AS number.
    Asn,
    /// Name of the organization.
    Org,
    /// Lists that hold the address.
    Known,
}

impl Cell {
    const EVERY: [Self; 10] = [
        Self::Country,
        Self::City,
        Self::Lat,
        Self::Lon,
        Self::GeoLevel,
        Self::Tz,
        Self::Hour,
        Self::Asn,
        Self::Org,
        Self::Known,
    ];

    /// The dictionary's entry of this cell for a source; its name less `src_` is the cell's own.
    fn field(self) -> &'static Field {
        match self {
            Self::Country => &field::SRC_COUNTRY,
            Self::City => &field::SRC_CITY,
            Self::Lat => &field::SRC_LAT,
            Self::Lon => &field::SRC_LON,
            Self::GeoLevel => &field::SRC_GEO_LEVEL,
            Self::Tz => &field::SRC_TZ,
            Self::Hour => &field::SRC_HOUR,
            Self::Asn => &field::SRC_ASN,
            Self::Org => &field::SRC_ORG,
            Self::Known => &field::SRC_KNOWN,
        }
    }

    fn name(self) -> &'static str {
        let name = self.field().name;
        name.strip_prefix("src_").unwrap_or(name)
    }

    fn is_operator(self) -> bool {
        matches!(self, Self::Asn | Self::Org)
    }

    fn is_of_place(self) -> bool {
        !self.is_operator() && self != Self::Known
    }

    /// Writes the cell of a place; the hour, which is none of a place alone, as absent.
    pub(crate) fn write<W: Write>(self, place: &Place, out: &mut Encoder<W>) {
        match self {
            Self::Country => out.word_or_absent(place.country()),
            Self::City => text(place.city(), out),
            Self::Lat => decimal(place.lat(), out),
            Self::Lon => decimal(place.lon(), out),
            Self::GeoLevel => out.word_or_absent(place.level().map(Level::word)),
            Self::Tz => out.word_or_absent(place.tz()),
            Self::Hour => out.absent(),
            Self::Asn => out.uint_or_absent(place.asn()),
            Self::Org => text(place.org(), out),
            Self::Known => text(place.known(), out),
        }
    }
}

fn text<W: Write>(text: Option<&str>, out: &mut Encoder<W>) {
    match text {
        Some(text) => out.text(text.as_bytes()),
        None => out.absent(),
    }
}

fn decimal<W: Write>(number: Option<&str>, out: &mut Encoder<W>) {
    match number {
        Some(number) => out.decimal(number),
        None => out.absent(),
    }
}

/// The cells to add, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    cells: Vec<Cell>,
}

impl Selection {
    /// Every cell that databases tell, as written on the command line.
    pub const ALL: &str = "country,city,lat,lon,geo_level,tz,hour,asn,org";

    /// Whether the local hour is among them.
    #[must_use]
    pub fn has_hour(&self) -> bool {
        self.cells.contains(&Cell::Hour)
    }

    /// Whether the local hour is all that is asked for.
    #[must_use]
    pub fn is_hour_alone(&self) -> bool {
        self.cells == [Cell::Hour]
    }

    /// The same with the lists' cell behind the others, unless it has a place among them.
    #[must_use]
    pub fn and_known(mut self) -> Self {
        if !self.has_known() {
            self.cells.push(Cell::Known);
        }
        self
    }

    /// Whether the lists that hold the address are among them.
    #[must_use]
    pub fn has_known(&self) -> bool {
        self.cells.contains(&Cell::Known)
    }

    /// Whether AS number or organization are among them.
    #[must_use]
    pub fn has_operator(&self) -> bool {
        self.cells.iter().any(|cell| cell.is_operator())
    }

    /// What the databases must tell.
    #[must_use]
    pub fn wanted(&self) -> Wanted {
        Wanted { place: self.cells.iter().any(|cell| cell.is_of_place()), asn: self.has_operator() }
    }

    /// The names of the cells for an address column.
    pub fn names<'s>(&'s self, address: &'s str) -> impl Iterator<Item = String> + 's {
        let prefix = prefix(address);
        self.cells.iter().map(move |cell| format!("{prefix}_{}", cell.name()))
    }

    /// The dictionary's entries of the cells for a source.
    #[must_use]
    pub fn fields(&self) -> Vec<&'static Field> {
        self.cells.iter().map(|cell| cell.field()).collect()
    }

    /// The cells before the hour and those behind it; all before it where it is not among them.
    pub(crate) fn around_hour(&self) -> (&[Cell], &[Cell]) {
        match self.cells.iter().position(|cell| *cell == Cell::Hour) {
            Some(at) => (&self.cells[..at], &self.cells[at + 1..]),
            None => (&self.cells, &[]),
        }
    }
}

impl FromStr for Selection {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut cells = Vec::new();
        for name in text.split(',').map(str::trim) {
            // `src_asn` and `dst_asn` are taken for `asn`: that is how the columns are known from the output.
            let own = name.strip_prefix("src_").or_else(|| name.strip_prefix("dst_")).unwrap_or(name);
            let cell = Cell::EVERY
                .into_iter()
                .find(|cell| cell.name() == own)
                .ok_or_else(|| format!("'{name}' is none of {},known", Self::ALL))?;
            if cells.contains(&cell) {
                return Err(format!("'{name}' stands twice"));
            }
            cells.push(cell);
        }
        Ok(Self { cells })
    }
}

/// What the names of added columns begin with: `src` for `src_ip`, and the whole name of a column without
/// `_ip`.
fn prefix(address: &str) -> &str {
    address.strip_suffix("_ip").unwrap_or(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_address_column() {
        let all: Selection = Selection::ALL.parse::<Selection>().unwrap().and_known();
        let source: Vec<_> = all.names("src_ip").collect();
        let dictionary: Vec<_> = probeline_record::rows::SRC_PLACE.iter().map(|field| field.name).collect();
        assert_eq!(source, dictionary);
        let destination: Vec<_> = all.names("dst_ip").collect();
        let dictionary: Vec<_> = probeline_record::rows::DST_PLACE.iter().map(|field| field.name).collect();
        assert_eq!(destination, dictionary);
        let some: Selection = "src_asn, country".parse().unwrap();
        assert_eq!(some.names("quoted_src_ip").collect::<Vec<_>>(), ["quoted_src_asn", "quoted_src_country"]);
        assert_eq!(some.names("host").collect::<Vec<_>>(), ["host_asn", "host_country"]);
        assert!("asn,nothing".parse::<Selection>().unwrap_err().contains("'nothing'"));
        assert!("asn,src_asn".parse::<Selection>().is_err());
    }

    #[test]
    fn only_what_is_asked_for_is_wanted() {
        let wanted = |text: &str| text.parse::<Selection>().unwrap().wanted();
        assert_eq!(wanted("asn,org"), Wanted::ASN);
        assert_eq!(wanted("hour"), Wanted::PLACE);
        assert_eq!(wanted(Selection::ALL), Wanted::ALL);
        assert_eq!(wanted("known"), Wanted { place: false, asn: false });
    }
}
