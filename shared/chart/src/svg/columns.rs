//! Vertical bars: one bin per column.

use super::Figure;
use super::canvas::{Area, Canvas, MARGIN, Swatch, y_room};
use super::scale::{Axis, Fit, Scale};
use super::style::SERIES;
use crate::ticks;

/// What stands under the columns.
#[derive(Debug, Clone, PartialEq)]
pub enum Labelled {
    /// One text per edge, one more than there are columns: bins of a continuous range.
    Edges(Vec<String>),
    /// One text per column: single values.
    Middles(Vec<String>),
    /// Bins of equal width, under which round numbers stand wherever they fall.
    Even {
        /// Lower edge of the first bin.
        from: f64,
        /// Width of each.
        width: f64,
        /// What the tooltip of each says.
        names: Vec<String>,
        /// Bins are single values, whose numbers stand under their middle.
        values: bool,
    },
}

/// Vertical bars of bins in their order, those of several series side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    /// Headline, description, size and theme.
    pub figure: Figure,
    /// Names of the series; a legend is drawn for two or more.
    pub series: Vec<String>,
    /// What the bins are cut from, with the unit.
    pub x_title: String,
    /// The bins' edges or names.
    pub labels: Labelled,
    /// One list per series, each with one height per bin.
    pub values: Vec<Vec<f64>>,
    /// The axis of the heights.
    pub value: Axis,
}

impl Columns {
    /// The picture.
    pub fn svg(&self) -> String {
        let bins = match &self.labels {
            Labelled::Edges(edges) => edges.len().saturating_sub(1),
            Labelled::Middles(names) => names.len(),
            Labelled::Even { names, .. } => names.len(),
        };
        let mut canvas = Canvas::default();
        let top = canvas.head(&self.figure, &self.series, Swatch::Box) + 4.0;
        let bottom = top + self.figure.height;
        let values = || self.values.iter().flatten().copied();
        let scale = Scale::new(&self.value, values(), Fit::Bars, bottom, top);
        let area = Area { left: y_room(&scale), top, right: self.figure.width - MARGIN - 4.0, bottom };
        canvas.y_axis(area, &scale, &self.value.title);

        let slot = (area.right - area.left) / bins.max(1) as f64;
        let series = self.values.len().max(1);
        // Very many bins leave no room for gaps: neighbours touch then.
        let gap = if slot < 4.0 * series as f64 { 0.0 } else { (slot * 0.14).clamp(1.0, 14.0) };
        // A single bin is a bar too, not a wall; bins between edges should nearly touch.
        let most = if matches!(self.labels, Labelled::Middles(_)) { 64.0 } else { 180.0 };
        let thick = ((slot - gap) / series as f64).min(most);
        let gap = slot - thick * series as f64;
        for (series, heights) in self.values.iter().enumerate() {
            for (bin, &value) in heights.iter().take(bins).enumerate() {
                let Some(y) = scale.at(value) else { continue };
                let x = area.left + slot * bin as f64 + gap / 2.0 + thick * series as f64;
                let (from, to) = (y.min(scale.base()), y.max(scale.base()));
                let high = if value > 0.0 { (to - from).max(0.8) } else { to - from };
                if high <= 0.0 {
                    continue;
                }
                let tip = self.tip(bin, series, value);
                canvas.rect(&format!("pl-f{}", series % SERIES), [x, to - high, thick, high], &tip);
            }
        }
        if bins == 0 {
            canvas.nothing(area);
        }
        canvas.frame(area);
        let labels = self.x_labels(area, slot);
        if !matches!(self.labels, Labelled::Middles(_)) && labels.len() <= 120 {
            for (x, _) in &labels {
                canvas.line("pl-a", [*x, area.bottom, *x, area.bottom + 4.0]);
            }
        }
        canvas.x_labels(area, &labels);
        let bottom = canvas.x_title(area, &self.x_title);
        canvas.finish(&self.figure, bottom)
    }

    /// Places and texts under the columns.
    fn x_labels(&self, area: Area, slot: f64) -> Vec<(f64, String)> {
        let at = |bins: f64| area.left + slot * bins;
        let list = |names: &[String], shift: f64| {
            names.iter().enumerate().map(|(bin, name)| (at(bin as f64 + shift), name.clone())).collect()
        };
        match &self.labels {
            Labelled::Edges(edges) => list(edges, 0.0),
            Labelled::Middles(names) => list(names, 0.5),
            Labelled::Even { from, width, names, values } => {
                let (shift, last) =
                    if *values { (0.5, names.len() as f64 - 1.0) } else { (0.0, names.len() as f64) };
                let ticks = ticks::linear(*from, from + width * last, 8, *values);
                ticks.into_iter().map(|tick| (at((tick.at - from) / width + shift), tick.text)).collect()
            }
        }
    }

    fn tip(&self, bin: usize, series: usize, value: f64) -> String {
        let range = match &self.labels {
            Labelled::Edges(edges) => match (edges.get(bin), edges.get(bin + 1)) {
                (Some(lo), Some(hi)) => format!("{lo} to below {hi}"),
                _ => String::new(),
            },
            Labelled::Middles(names) | Labelled::Even { names, .. } => {
                names.get(bin).cloned().unwrap_or_default()
            }
        };
        let value = super::text::value(value);
        match self.series.get(series).filter(|_| self.series.len() > 1) {
            Some(name) => format!("{range}, {name}: {value}"),
            None => format!("{range}: {value}"),
        }
    }
}
