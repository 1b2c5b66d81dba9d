//! Where databases are looked for.

use std::ffi::OsString;
use std::path::PathBuf;

/// Files named by the user, and the folders that are searched where none is named.
#[derive(Clone, Debug, Default)]
pub struct SearchPath {
    /// Databases for country, city and coordinate (`--city-db`), the better one first.
    pub city: Vec<PathBuf>,
    /// Databases for AS number and organization (`--asn-db`), the better one first.
    pub asn: Vec<PathBuf>,
    /// Files with named networks, or folders of them (`--lists`). None are searched for.
    pub lists: Vec<PathBuf>,
    /// Folders in the order of search. Each kind of database comes from the first folder that has one.
    pub folders: Vec<PathBuf>,
}

impl SearchPath {
    /// The standard folders: `PROBELINE_GEO_DIR`, then `probeline/geo` in the XDG data folder
    /// (`XDG_DATA_HOME`, else `~/.local/share`; relative values do not count, as the XDG Base Directory
    /// specification has it), then `/usr/share/GeoIP`. `variable` looks up an environment variable.
    pub fn from_env(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let data = set("XDG_DATA_HOME")
            .filter(|folder| folder.is_absolute())
            .or_else(|| set("HOME").map(|home| home.join(".local/share")));
        let folders = [
            set("PROBELINE_GEO_DIR"),
            data.map(|folder| folder.join("probeline/geo")),
            Some(PathBuf::from("/usr/share/GeoIP")),
        ];
        Self { folders: folders.into_iter().flatten().collect(), ..Self::default() }
    }
}

/// What is asked of the databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Country, city, coordinate and zone.
    pub place: bool,
    /// AS number and organization.
    pub asn: bool,
}

impl Wanted {
    /// Everything.
    pub const ALL: Self = Self { place: true, asn: true };
    /// Only AS number and organization.
    pub const ASN: Self = Self { place: false, asn: true };
    /// Only the location.
    pub const PLACE: Self = Self { place: true, asn: false };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(pairs: &[(&str, &str)]) -> Vec<String> {
        let path = SearchPath::from_env(|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        });
        path.folders.iter().map(|folder| folder.display().to_string()).collect()
    }

    #[test]
    fn folders_come_in_the_documented_order() {
        assert_eq!(
            folders(&[("HOME", "/h"), ("XDG_DATA_HOME", "/x"), ("PROBELINE_GEO_DIR", "here")]),
            ["here", "/x/probeline/geo", "/usr/share/GeoIP"]
        );
        assert_eq!(
            folders(&[("HOME", "/h"), ("XDG_DATA_HOME", "relative"), ("PROBELINE_GEO_DIR", "")]),
            ["/h/.local/share/probeline/geo", "/usr/share/GeoIP"]
        );
        assert_eq!(folders(&[]), ["/usr/share/GeoIP"]);
    }
}
