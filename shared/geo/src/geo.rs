//! Several databases together: the best answer per field, kept per address.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hashbrown::HashMap;

use crate::coordinate::Coordinate;
use crate::database::{Database, Description, Hit};
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::{ListFile, Lists};
use crate::operators::{Operator, Operators};
use crate::place::{Level, Place};
use crate::search::{SearchPath, Wanted};
use crate::zone::Zones;

/// Addresses kept before all are forgotten: about 16 MB for IPv4, 40 MB for IPv6.
const ADDRESS_LIMIT: usize = 1 << 20;

/// Distinct places kept before all are forgotten: about 60 MB.
const PLACE_LIMIT: usize = 1 << 18;

/// The reader looked for a record and there was none, among the keys of records.
const NO_RECORD: usize = usize::MAX;

type Map<K> = HashMap<K, u32, foldhash::fast::RandomState>;

/// A set of databases, with what was already asked of them.
///
/// Sources repeat: a telescope sees some thousand of them in a million packets. So answers are kept per
/// address (up to 1,048,576, then all are forgotten), and addresses that share their records share one
/// [`Place`]. Answers do not depend on what was asked before.
pub struct Geo {
    databases: Arc<Databases>,
    /// Asked for AS numbers before the databases are.
    operators: Option<Box<dyn Operators>>,
    v4: Map<u32>,
    v6: Map<u128>,
    by_records: HashMap<Box<[usize]>, u32, foldhash::fast::RandomState>,
    places: Vec<Place>,
    nowhere: Place,
    zones: Zones,
    generation: u32,
    damaged: u64,
    keys: Vec<usize>,
}

/// The databases, and which of them are asked for what, in the order in which they are asked.
struct Databases {
    all: Vec<Database>,
    places: Vec<usize>,
    operators: Vec<usize>,
    lists: Lists,
}

impl Databases {
    /// Keeps those that are asked for something.
    fn of(all: Vec<Database>, mut places: Vec<usize>, mut operators: Vec<usize>, lists: Lists) -> Self {
        let mut kept = Vec::new();
        for (index, database) in all.into_iter().enumerate() {
            let mut used = false;
            for chosen in places.iter_mut().chain(&mut operators).filter(|chosen| **chosen == index) {
                // Indices only shrink, so that one already moved is never taken for a later database.
                *chosen = kept.len();
                used = true;
            }
            if used {
                kept.push(database);
            }
        }
        Self { all: kept, places, operators, lists }
    }
}

/// What is known of an address from elsewhere than the databases.
struct Beside<'k> {
    operator: Option<&'k Operator>,
    known: Option<&'k str>,
}

/// Names a [`Place`] of a [`Geo`] until that forgets its places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceId {
    generation: u32,
    index: u32,
}

impl PlaceId {
    /// A number below 262,144 that is the place's own for as long as [`Geo::generation`] stays the same: an
    /// index for what a caller makes of places.
    #[must_use]
    pub fn index(self) -> usize {
        self.index as usize
    }
}

impl Geo {
    /// Opens the databases for what is wanted: those named in the search path, else, for each kind, all of
    /// that kind in the first folder that has one.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] where there is none of a wanted kind, [`Error::Lacks`] where a named one does not
    /// tell what it was named for, and the faults of files. In a folder that is searched, a MaxMind DB with
    /// neither places nor AS numbers is passed over; a broken one is an error, for what it held would be
    /// missing in silence.
    pub fn open(search: &SearchPath, wanted: Wanted) -> Result<Self, Error> {
        let mut opened = Opened::default();
        let places = match wanted.place {
            true => opened.kind(&search.city, &search.folders, Kind::Place)?,
            false => Vec::new(),
        };
        let operators = match wanted.asn {
            true => opened.kind(&search.asn, &search.folders, Kind::Operator)?,
            false => Vec::new(),
        };
        let lists = Lists::read(&search.lists)?;
        Ok(Self::with(Arc::new(Databases::of(opened.all, places, operators, lists))))
    }

    /// The same, asking `operators` for AS numbers first and the databases where that knows none.
    #[must_use]
    pub fn with_operators(self, operators: Box<dyn Operators>) -> Self {
        Self { operators: Some(operators), ..self }
    }

    /// Another one on the same open databases, with a memory of its own and without other operators.
    #[must_use]
    pub fn sibling(&self) -> Self {
        Self::with(Arc::clone(&self.databases))
    }

    fn with(databases: Arc<Databases>) -> Self {
        Self {
            databases,
            operators: None,
            v4: Map::default(),
            v6: Map::default(),
            by_records: HashMap::default(),
            places: Vec::new(),
            nowhere: Place::default(),
            zones: Zones::new(),
            generation: 0,
            damaged: 0,
            keys: Vec::new(),
        }
    }

    /// What is known of an address. An IPv4-mapped IPv6 address is the IPv4 address in it (RFC 4291
    /// §2.5.5.2).
    pub fn lookup(&mut self, address: IpAddr) -> &Place {
        let id = self.place_id(address);
        self.place(id)
    }

    /// As [`Geo::lookup`], for callers that keep something of their own for each place.
    pub fn place_id(&mut self, address: IpAddr) -> PlaceId {
        let known = match address {
            IpAddr::V4(v4) => self.v4.get(&v4.to_bits()),
            IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
                Some(v4) => self.v4.get(&v4.to_bits()),
                None => self.v6.get(&v6.to_bits()),
            },
        };
        match known {
            Some(index) => PlaceId { generation: self.generation, index: *index },
            None => self.find(address.to_canonical()),
        }
    }

    /// The place of this name; one of which nothing is known, where the name is older than the last
    /// forgetting.
    #[must_use]
    pub fn place(&self, id: PlaceId) -> &Place {
        if id.generation != self.generation {
            return &self.nowhere;
        }
        self.places.get(id.index()).unwrap_or(&self.nowhere)
    }

    /// Counts how often all places were forgotten. What a caller keeps by [`PlaceId`] holds while this stays
    /// the same.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Number of the autonomous system of an address, and the organization's name where one is known.
    pub fn asn(&mut self, address: IpAddr) -> Option<(u32, Option<&str>)> {
        let place = self.lookup(address);
        Some((place.asn()?, place.org()))
    }

    /// How many look-ups, of addresses not yet known, met a damaged record. Its fields are missing in the
    /// answer.
    #[must_use]
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// The databases in use, each once.
    #[must_use]
    pub fn describe(&self) -> Vec<Description> {
        self.databases.all.iter().map(Database::describe).collect()
    }

    /// The lists of networks in use, in the order of their names.
    #[must_use]
    pub fn lists(&self) -> &[ListFile] {
        self.databases.lists.files()
    }

    /// Looks an address up that is not yet known.
    #[cold]
    fn find(&mut self, address: IpAddr) -> PlaceId {
        if self.v4.len() + self.v6.len() >= ADDRESS_LIMIT {
            self.v4.clear();
            self.v6.clear();
        }
        let databases = Arc::clone(&self.databases);
        let mut hits = Vec::with_capacity(databases.all.len());
        self.keys.clear();
        for database in &databases.all {
            let hit = database.find(address).unwrap_or_else(|_| {
                self.damaged += 1;
                Hit::Nothing
            });
            self.keys.push(hit.key().unwrap_or(NO_RECORD));
            hits.push(hit);
        }
        let known = databases.lists.get(address);
        self.keys.push(known.map_or(NO_RECORD, |(key, _)| key));
        let mut operators = self.operators.take();
        let operator = operators.as_mut().and_then(|operators| operators.find(address));
        self.keys.push(operator.map_or(NO_RECORD, |(key, _)| key));
        let index = match self.by_records.get(self.keys.as_slice()) {
            Some(index) => *index,
            None => {
                let beside = Beside {
                    operator: operator.map(|(_, operator)| operator),
                    known: known.map(|(_, text)| text),
                };
                self.keep(&databases, &hits, &beside)
            }
        };
        self.operators = operators;
        match address {
            IpAddr::V4(v4) => self.v4.insert(v4.to_bits(), index),
            IpAddr::V6(v6) => self.v6.insert(v6.to_bits(), index),
        };
        PlaceId { generation: self.generation, index }
    }

    /// Makes the place for records that are new, and gives its index.
    fn keep(&mut self, databases: &Databases, hits: &[Hit<'_>], beside: &Beside<'_>) -> u32 {
        if self.places.len() >= PLACE_LIMIT {
            self.v4.clear();
            self.v6.clear();
            self.by_records.clear();
            self.places.clear();
            self.generation = self.generation.wrapping_add(1);
        }
        let place = self.make(databases, hits, beside);
        // PLACE_LIMIT keeps the count far below 2³².
        let index = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        self.places.push(place);
        self.by_records.insert(self.keys.clone().into_boxed_slice(), index);
        index
    }

    fn make(&mut self, databases: &Databases, hits: &[Hit<'_>], beside: &Beside<'_>) -> Place {
        let mut place = Place::default();
        let located = self.read(&databases.places, hits);
        if let Some(best) = best_located(&located) {
            self.locate(&mut place, best, &located);
        }
        match beside.operator {
            Some(operator) => {
                place.asn = Some(operator.asn);
                place.org.clone_from(&operator.org);
            }
            None => name_operator(&mut place, &self.read(&databases.operators, hits)),
        }
        place.known = beside.known.map(Box::from);
        place
    }

    /// The records that the databases of this choice have, in their order.
    fn read<'d>(&mut self, chosen: &[usize], hits: &[Hit<'d>]) -> Vec<Fields<'d>> {
        let mut found = Vec::with_capacity(chosen.len());
        for hit in chosen.iter().filter_map(|index| hits.get(*index)) {
            match hit.fields() {
                Ok(fields) => found.extend(fields),
                Err(_) => self.damaged += 1,
            }
        }
        found
    }

    /// Country, city, coordinate and zone come from one record, lest a city stand beside another's
    /// coordinate. Others fill its gaps only where they speak of the same place.
    fn locate(&mut self, place: &mut Place, best: &Fields<'_>, all: &[Fields<'_>]) {
        let country = best.country.or_else(|| all.iter().find_map(|other| other.country));
        let same = |other: &&Fields<'_>| {
            (other.country, other.city) == (country, best.city) && level(other) == level(best)
        };
        let coordinate_of = |fields: &Fields<'_>| Coordinate::new(fields.latitude, fields.longitude);
        let coordinate = coordinate_of(best).or_else(|| all.iter().filter(same).find_map(coordinate_of));
        let stated = best.time_zone.or_else(|| all.iter().filter(same).find_map(|other| other.time_zone));
        let country = country.map(str::to_ascii_uppercase);
        place.level = level(best);
        place.zone = self.zones.find(place.level, stated, coordinate, country.as_deref());
        place.country = country.map(String::into_boxed_str);
        place.city = best.city.map(Box::from);
        place.coordinate = coordinate.map(|coordinate| {
            let (latitude, longitude) = coordinate.texts();
            (latitude.into_boxed_str(), longitude.into_boxed_str())
        });
    }
}

fn level(fields: &Fields<'_>) -> Option<Level> {
    if fields.city.is_some() {
        Some(Level::City)
    } else if fields.region.is_some() {
        Some(Level::Region)
    } else {
        fields.country.map(|_| Level::Country)
    }
}

/// The finest record; of several as fine, the first.
fn best_located<'f, 'd>(located: &'f [Fields<'d>]) -> Option<&'f Fields<'d>> {
    let mut best: Option<&Fields<'_>> = None;
    for fields in located {
        if best.is_none_or(|best| level(fields) > level(best)) {
            best = Some(fields);
        }
    }
    best
}

fn name_operator(place: &mut Place, found: &[Fields<'_>]) {
    fn name<'d>(fields: &Fields<'d>) -> Option<&'d str> {
        fields.as_organization.or(fields.isp).or(fields.organization)
    }
    place.asn = found.iter().find_map(|fields| fields.asn);
    // Of another system's organization the name would be wrong, so only records with the same number count.
    place.org = found.iter().filter(|fields| fields.asn == place.asn).find_map(name).map(Box::from);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Place,
    Operator,
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Self::Place => "country or city",
            Self::Operator => "AS number",
        }
    }

    fn told_by(self, database: &Database) -> bool {
        match self {
            Self::Place => database.shape.places(),
            Self::Operator => database.shape.names_operators(),
        }
    }
}

/// Databases opened so far, so that a file or folder serving both kinds is opened once.
#[derive(Default)]
struct Opened {
    all: Vec<Database>,
    folders: HashMap<PathBuf, Vec<usize>, foldhash::fast::RandomState>,
}

impl Opened {
    /// The databases of a kind, by index in the order in which they are to be asked.
    fn kind(&mut self, named: &[PathBuf], folders: &[PathBuf], kind: Kind) -> Result<Vec<usize>, Error> {
        if named.is_empty() {
            return self.search(folders, kind);
        }
        let mut chosen = Vec::with_capacity(named.len());
        for path in named {
            let index = self.open(path)?;
            let database = &self.all[index];
            if !kind.told_by(database) {
                let layout = database.shape.to_string();
                return Err(Error::Lacks { path: path.clone(), wanted: kind.words(), layout });
            }
            chosen.push(index);
        }
        Ok(chosen)
    }

    fn search(&mut self, folders: &[PathBuf], kind: Kind) -> Result<Vec<usize>, Error> {
        for folder in folders {
            let files = self.folder(folder)?;
            let told: Vec<_> = files.into_iter().filter(|index| kind.told_by(&self.all[*index])).collect();
            if !told.is_empty() {
                return Ok(told);
            }
        }
        let looked: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
        Err(Error::Missing { wanted: kind.words(), looked: looked.join(", ") })
    }

    fn folder(&mut self, folder: &Path) -> Result<Vec<usize>, Error> {
        if let Some(known) = self.folders.get(folder) {
            return Ok(known.clone());
        }
        // A folder that is not there, or not ours to read, has no databases.
        let mut paths: Vec<PathBuf> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| is_database_name(path) && path.is_file())
            .collect();
        paths.sort();
        let mut indices = Vec::with_capacity(paths.len());
        for path in paths {
            indices.push(self.open(&path)?);
        }
        self.folders.insert(folder.to_owned(), indices.clone());
        Ok(indices)
    }

    fn open(&mut self, path: &Path) -> Result<usize, Error> {
        if let Some(index) = self.all.iter().position(|database| database.path == path) {
            return Ok(index);
        }
        self.all.push(Database::open(path)?);
        Ok(self.all.len() - 1)
    }
}

fn is_database_name(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| [".mmdb", ".pfx2as", ".pfx2as.gz"].iter().any(|end| name.ends_with(end)))
}
