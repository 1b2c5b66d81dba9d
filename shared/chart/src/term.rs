//! Bar charts for a terminal, drawn with eighth blocks.

use std::fmt::Write;

use crate::width::{columns, cut, fill, printable};

/// One bar, or one bar per series, with its label.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What the bars count.
    pub label: String,
    /// One length per series.
    pub values: Vec<f64>,
    /// The numbers to write behind each bar.
    pub texts: Vec<String>,
}

/// How to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Columns of the terminal.
    pub width: usize,
    /// Lengths follow the logarithm.
    pub log: bool,
    /// Whether escape sequences may be written: only to a terminal that wants them.
    pub colour: bool,
    /// Names of the series; with two or more a legend is written first.
    pub series: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { width: 80, log: false, colour: false, series: Vec::new() }
    }
}

/// Colours 4, 3, 2, 5 … of the terminal's own palette: blue, yellow, green, magenta, cyan, red.
const COLOURS: [u8; 6] = [34, 33, 32, 35, 36, 31];
/// Full to one eighth of a cell.
const EIGHTHS: [&str; 8] = ["█", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
/// Without colour, series are told apart by their shade.
const SHADES: [&str; 4] = ["█", "▒", "▓", "░"];

/// Draws the rows, one line per bar; labels left, numbers behind the bars, aligned.
///
/// The longest bar takes what the labels and numbers leave of the width. Lengths are exact to an eighth of a
/// column; what is above nought is never shown as nothing.
pub fn bars(rows: &[Row], options: &Options) -> String {
    let labels: Vec<String> = rows.iter().map(|row| printable(&row.label)).collect();
    let texts = || rows.iter().flat_map(|row| &row.texts);
    let number = texts().map(|text| columns(text)).max().unwrap_or(0);
    let room = options.width.saturating_sub(number + 4);
    let label = labels.iter().map(|text| columns(text)).max().unwrap_or(0).min((room / 2).max(8));
    let full = options.width.saturating_sub(label + number + 4).max(8);
    let scale = Scale::new(rows.iter().flat_map(|row| row.values.iter().copied()), options.log);

    let mut out = String::new();
    if options.series.len() > 1 {
        for (at, name) in options.series.iter().enumerate() {
            let gap = if at == 0 { "" } else { "   " };
            let _ = write!(out, "{gap}{} {}", paint(&shade(at, 2, options), at, options), printable(name));
        }
        out.push('\n');
    }
    if let Some(note) = scale.note() {
        let _ = writeln!(out, "{note}");
    }
    for (row, name) in rows.iter().zip(&labels) {
        for (series, &value) in row.values.iter().enumerate() {
            let name = if series == 0 { cut(name, label) } else { String::new() };
            let bar = if series == 0 || options.colour {
                blocks(scale.eighths(value, full))
            } else {
                shade(series, scale.eighths(value, full).div_ceil(8), options)
            };
            let text = row.texts.get(series).map_or("", String::as_str);
            let bar = paint(&fill(&bar, full, false), series, options);
            let _ = writeln!(out, "{}  {bar}  {}", fill(&name, label, false), fill(text, number, true));
        }
    }
    out
}

fn shade(series: usize, cells: usize, options: &Options) -> String {
    let mark = if options.colour { "█" } else { SHADES[series % SHADES.len()] };
    mark.repeat(cells)
}

fn paint(text: &str, series: usize, options: &Options) -> String {
    if options.colour {
        format!("\x1b[{}m{text}\x1b[0m", COLOURS[series % COLOURS.len()])
    } else {
        text.to_owned()
    }
}

/// A bar of so many eighths of a column.
fn blocks(eighths: usize) -> String {
    let mut bar = EIGHTHS[0].repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        bar += EIGHTHS[eighths % 8];
    }
    bar
}

/// From values to lengths.
struct Scale {
    max: f64,
    /// Where a logarithmic bar begins: the power of ten below the smallest value.
    floor: Option<f64>,
}

impl Scale {
    fn new(values: impl Iterator<Item = f64> + Clone, log: bool) -> Self {
        let positive = values.filter(|value| value.is_finite() && *value > 0.0);
        let max = positive.clone().fold(0.0, f64::max);
        let min = positive.fold(f64::INFINITY, f64::min);
        let floor = (log && min.is_finite()).then(|| 10f64.powf(min.log10().ceil() - 1.0));
        Self { max, floor }
    }

    fn eighths(&self, value: f64, full: usize) -> usize {
        if !value.is_finite() || value <= 0.0 || self.max <= 0.0 {
            return 0;
        }
        let part = match self.floor {
            Some(floor) => (value / floor).log10() / (self.max / floor).log10(),
            None => value / self.max,
        };
        ((part * (full * 8) as f64).round() as usize).clamp(1, full * 8)
    }

    fn note(&self) -> Option<String> {
        self.floor.map(|floor| format!("(logarithmic: bars begin at {floor})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(label: &str, value: f64) -> Row {
        Row { label: label.into(), values: vec![value], texts: vec![format!("{value}")] }
    }

    #[test]
    fn lengths_are_proportional_to_an_eighth() {
        let rows = [row("a", 100.0), row("bb", 50.0), row("c", 1.0), row("d", 0.0)];
        let text = bars(&rows, &Options { width: 20, ..Options::default() });
        let want = "a   ███████████  100\nbb  █████▌        50\nc   ▏              1\nd                  0\n";
        assert_eq!(text, want);
        assert!(text.lines().all(|line| columns(line) == 20), "{text}");
    }

    #[test]
    fn logarithmic_bars_say_so() {
        let rows = [row("a", 1000.0), row("b", 1.0)];
        let text = bars(&rows, &Options { width: 26, log: true, ..Options::default() });
        assert_eq!(
            text,
            "(logarithmic: bars begin at 0.1)\na  █████████████████  1000\nb  ████▎                 1\n"
        );
    }

    #[test]
    fn colour_only_when_told() {
        let rows = [Row { label: "a".into(), values: vec![2.0, 1.0], texts: vec!["2".into(), "1".into()] }];
        let plain =
            Options { width: 30, series: vec!["passive".into(), "honeypot".into()], ..Options::default() };
        assert!(!bars(&rows, &plain).contains('\x1b'));
        assert!(bars(&rows, &plain).starts_with("██ passive   ▒▒ honeypot\na  █"));
        assert!(bars(&rows, &Options { colour: true, ..plain }).contains("\x1b[33m"));
    }

    #[test]
    fn hostile_labels_and_values_are_tamed() {
        let rows = [row("\x1b[2J", f64::NAN), row("x".repeat(500).as_str(), f64::INFINITY), row("y", -1.0)];
        let text = bars(&rows, &Options { width: 40, ..Options::default() });
        assert!(!text.contains('\x1b'));
        assert_eq!(text.lines().count(), 3);
        assert_eq!(bars(&[], &Options::default()), "");
    }
}
