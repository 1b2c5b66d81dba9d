//! Horizontal bars: one category per line.

use super::Figure;
use super::canvas::{Anchor, Area, Canvas, MARGIN, Swatch};
use super::scale::{Axis, Fit, Scale};
use super::style::SERIES;
use super::text::{self, SIZE, SMALL};

/// Height of a line of a label of two.
const LINE: f64 = 14.0;

/// A label in one line, or where that is too long and its bars are high enough in two.
fn label(label: &str, limit: f64, height: f64) -> Vec<String> {
    let mut lines = text::wrap(label, limit, SIZE);
    if height < 2.0 * SIZE || lines.len() < 2 {
        return vec![text::cut(label, limit, SIZE)];
    }
    if lines.len() > 2 {
        let rest = lines.split_off(1).join(" ");
        lines.push(text::cut(&rest, limit, SIZE));
    }
    lines
}

/// One category.
#[derive(Debug, Clone, PartialEq)]
pub struct BarRow {
    /// Its name.
    pub label: String,
    /// One length per series.
    pub values: Vec<f64>,
    /// What to write at the end of each bar, such as the exact count and its share.
    pub texts: Vec<String>,
}

/// Horizontal bars of categories, those of several series side by side.
///
/// The picture grows by one line per category. Long names are cut, with the whole name in the bar's tooltip.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// Headline, description, size and theme.
    pub figure: Figure,
    /// Names of the series; a legend is drawn for two or more.
    pub series: Vec<String>,
    /// Categories from top to bottom.
    pub rows: Vec<BarRow>,
    /// The axis of the lengths.
    pub value: Axis,
}

impl Bars {
    /// The picture.
    pub fn svg(&self) -> String {
        let series = self.series.len().max(1);
        let thick = match series {
            1 => 15.0,
            2 => 14.0,
            more => (30.0 / more as f64).clamp(6.0, 10.0),
        };
        // A bar too thin for its number goes without; the tooltip has it.
        let numbers = thick > SMALL;
        let slot = thick * series as f64 + if series == 1 { 6.0 } else { 9.0 };

        let mut canvas = Canvas::default();
        let top = canvas.head(&self.figure, &self.series, Swatch::Box);
        let room = self.figure.width - 2.0 * MARGIN;
        let widest = self.rows.iter().map(|row| text::width(&row.label, SIZE)).fold(20.0, f64::max);
        let left = MARGIN + widest.min(room * 0.42) + 8.0;
        let right = self.right(left, numbers);
        let area = Area { left, top, right, bottom: top + slot * self.rows.len() as f64 + 4.0 };
        let scale = self.scale(left, right);
        let bottom = canvas.x_axis(area, &scale, &self.value.title, true);
        for (at, row) in self.rows.iter().enumerate() {
            let y = top + 4.0 + slot * at as f64;
            let middle = y + thick * series as f64 / 2.0;
            let label = label(&row.label, room * 0.42, thick * series as f64);
            let first = middle + 4.5 - LINE / 2.0 * (label.len() as f64 - 1.0);
            for (at, line) in label.iter().enumerate() {
                canvas.text("pl-t", left - 8.0, first + LINE * at as f64, Anchor::End, line);
            }
            for (series, &value) in row.values.iter().enumerate() {
                let y = y + thick * series as f64;
                let end = scale.at(value).unwrap_or(scale.base());
                let (from, to) = (end.min(scale.base()), end.max(scale.base()));
                let number = row.texts.get(series).map_or("", String::as_str);
                let name = self.series.get(series).filter(|_| self.series.len() > 1);
                let tip = match name {
                    Some(name) => format!("{}, {name}: {number}", row.label),
                    None => format!("{}: {number}", row.label),
                };
                // What is above nought is seen, be it ever so little.
                let long = if value > 0.0 { (to - from).max(0.8) } else { to - from };
                canvas.rect(&format!("pl-f{}", series % SERIES), [from, y, long, thick - 1.0], &tip);
                if numbers {
                    let class = "pl-m pl-s";
                    canvas.text(class, to + 5.0, y + thick / 2.0 + 3.8, Anchor::Start, number);
                }
            }
        }
        canvas.line("pl-a", [left, area.top, left, area.bottom]);
        canvas.finish(&self.figure, bottom)
    }

    /// Ends with the longest bar rather than on a tick, which leaves the numbers room.
    fn scale(&self, from: f64, to: f64) -> Scale {
        let values = || self.rows.iter().flat_map(|row| row.values.iter().copied());
        let longest = values().filter(|value| self.value.shows(*value)).fold(0.0, f64::max);
        let max = self.value.max.or(Some(longest).filter(|&longest| longest > 0.0));
        Scale::new(&Axis { max, ..self.value.clone() }, values(), Fit::Bars, from, to)
    }

    /// How far right bars may reach so that every number behind its bar stays in the picture.
    fn right(&self, left: f64, numbers: bool) -> f64 {
        let most = self.figure.width - MARGIN - 6.0;
        if !numbers {
            return most;
        }
        let unit = self.scale(0.0, 1.0);
        let ends = self.rows.iter().flat_map(|row| row.values.iter().zip(&row.texts)).filter_map(
            |(&value, number)| {
                let length = unit.at(value).unwrap_or(0.0);
                let room = self.figure.width - MARGIN - left - 5.0 - text::width(number, SMALL);
                (length > 0.01).then(|| left + room / length)
            },
        );
        ends.fold(most, f64::min).max(left + 60.0)
    }
}
