//! Binning and drawing: exact counts, tables, bars for a terminal, SVG for a page.
//!
//! This crate knows numbers and labels, not packets, files, clocks or the command line. It has two halves:
//!
//! - **Counting**, which is exact and ordered, so that the same rows give the same bytes whatever the hash seed:
//!   [`Decimal`] (a cell as a number), [`Labels`] (distinct cells to small ids), [`Bins`] (linear, fixed width,
//!   logarithmic, explicit edges), [`order`] (ranking with a total order on ties), [`share`] (fixed decimals by
//!   integer arithmetic), [`dist`] (quantiles, ECDF, CCDF).
//! - **Drawing**: [`table`] (aligned text, Markdown, LaTeX booktabs), [`term`] (bars of eighth blocks) and
//!   [`svg`] (bars, histograms, log-log distributions, time series, a map of the world), with [`png`] of each.
//!
//! ```
//! use probeline_chart::{Labels, order, share};
//!
//! let mut labels = Labels::new(1000);
//! let mut counts: Vec<u128> = Vec::new();
//! for cell in ["tcp", "udp", "tcp"] {
//!     let id = labels.id(cell.as_bytes()).unwrap() as usize;
//!     counts.resize(labels.len(), 0);
//!     counts[id] += 1;
//! }
//! let ranked = order::by_count(&labels, &counts);
//! assert_eq!(labels.get(ranked[0]), b"tcp");
//! assert_eq!(share::decimal(counts[ranked[0] as usize], 3, 6), "0.666667");
//! ```

mod bins;
mod decimal;
pub mod dist;
mod labels;
pub mod order;
pub mod png;
pub mod share;
pub mod svg;
pub mod table;
pub mod term;
mod ticks;
mod width;

pub use bins::{Bins, BinsError, Scheme};
pub use decimal::Decimal;
pub use labels::Labels;
