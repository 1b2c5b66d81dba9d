//! What the fuzz targets share: inputs that come in dribs, a count of the memory in use, witnesses of rows.

mod drip;
mod json;
mod memory;
mod rows;

pub use drip::Drip;
pub use json::members;
pub use memory::{Counting, peak_during};
pub use rows::check_rows;
