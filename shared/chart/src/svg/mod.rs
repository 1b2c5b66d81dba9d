//! Figures as SVG: one deterministic writer for the page, the README and the paper.
//!
//! A figure is as wide as its `viewBox`, 480 units by default: set into a column of 8.5 cm its 13-unit text prints
//! at 6.5 points. Series wear the colours of Okabe and Ito ("Color Universal Design", jfly.uni-koeln.de/color, 2008),
//! which people with any colour vision can tell apart, and differ in marker and dash too. The background is
//! painted, and with [`Theme::Auto`] a page in dark mode gets the dark figure by CSS alone.
//!
//! Coordinates have two decimals and all text is escaped, so the same data give the same bytes. Every mark has a
//! `<title>` that browsers show on hover, and the picture has `role="img"`, `<title>` and `<desc>` for those who
//! listen to it.
//!
//! - [`Bars`]: horizontal bars of categories, up to eight series side by side;
//! - [`Columns`]: vertical bars of bins;
//! - [`Lines`]: points, steps and lines on linear, logarithmic and time axes;
//! - [`WorldMap`]: countries coloured by their amounts.

mod bars;
mod canvas;
mod columns;
mod lines;
mod map;
mod scale;
mod style;
mod text;

pub use bars::{BarRow, Bars};
pub use columns::{Columns, Labelled};
pub use lines::{Line, Lines, Mark};
pub use map::WorldMap;
pub use scale::{Axis, Kind};
pub use style::Theme;

/// Most series a figure tells apart by colour.
pub const MAX_SERIES: usize = style::SERIES;

/// What every figure has.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Headline within the picture, and its accessible name; none is drawn when empty.
    pub title: String,
    /// What the picture shows, for those who cannot see it.
    pub description: String,
    /// Small print under the figure: what is not drawn, what was folded.
    pub note: String,
    /// Width in user units.
    pub width: f64,
    /// Height of the plotting area in user units; horizontal bars take what they need instead.
    pub height: f64,
    /// Light, dark, or what the reader's system prefers.
    pub theme: Theme,
}

impl Default for Figure {
    fn default() -> Self {
        Self {
            title: String::new(),
            description: String::new(),
            note: String::new(),
            width: 480.0,
            height: 230.0,
            theme: Theme::Auto,
        }
    }
}
