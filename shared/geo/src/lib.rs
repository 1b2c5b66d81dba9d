//! Where an address is: country, city, time zone and AS number, from local databases.
//!
//! A [`Geo`] opens the databases named in a [`SearchPath`] or found in its folders, in any of the layouts in
//! use (MaxMind's nested ones, the flat ones of the ip-location-db packages, several files with one address
//! family each, CAIDA's prefix-to-AS tables), with lists of named networks beside them, and answers with a [`Place`].
//! It opens no connection; who has another source of AS numbers hands it over as [`Operators`].

mod attribution;
mod coordinate;
mod country_zones;
mod database;
mod error;
mod fields;
mod geo;
mod lists;
mod operators;
mod pfx2as;
mod place;
pub mod ranges;
mod search;
mod zone;

pub use attribution::ATTRIBUTION_FILE;
pub use database::Description;
pub use error::Error;
pub use geo::{Geo, PlaceId};
pub use lists::ListFile;
pub use operators::{Operator, Operators};
pub use place::{Level, Place};
pub use search::{SearchPath, Wanted};
pub use zone::Zone;

/// Where the boundaries come from by which coordinates get their time zone; the licence (ODbL 1.0) asks that
/// results shown to the public say so.
pub const TIME_ZONE_ATTRIBUTION: &str =
    "time zones by coordinate: timezone-boundary-builder, © OpenStreetMap contributors, ODbL 1.0";
