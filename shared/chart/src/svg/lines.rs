//! Points, steps and lines over two axes.

use std::collections::HashSet;
use std::fmt::Write;

use super::Figure;
use super::canvas::{Anchor, Area, Canvas, MARGIN, Swatch, line_class, y_room};
use super::scale::{Axis, Fit, Kind, Scale};
use super::style::SERIES;
use super::text::{self, SMALL, number};
use crate::ticks;

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mark {
    /// Markers only: how many scans have each size.
    #[default]
    Points,
    /// A line from point to point, filled below when it is the only series: a time series.
    Line,
    /// The level of a point holds until the next: an ECDF, P(X ≤ x).
    StepsAfter,
    /// The level of a point holds from the one before: a CCDF, P(X ≥ x).
    StepsBefore,
}

/// One series.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Line {
    /// Its name in the legend.
    pub name: String,
    /// x and y, x ascending.
    pub points: Vec<(f64, f64)>,
}

/// Series over two axes: size distributions, ECDF and CCDF, time series.
#[derive(Debug, Clone, PartialEq)]
pub struct Lines {
    /// Headline, description, size and theme.
    pub figure: Figure,
    /// The series; a legend is drawn for two or more.
    pub lines: Vec<Line>,
    /// How they are drawn.
    pub mark: Mark,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// Places on the horizontal axis worth a vertical line, with their names: the telescope's size.
    pub rules: Vec<(f64, String)>,
}

/// Above this many points a series is one shape without a tooltip per point.
const MOST_TIPS: usize = 500;
/// Above this many points, those that share a square unit are drawn once, without tooltips.
const MOST_MARKERS: usize = 2000;

impl Lines {
    /// The picture. Points that an axis cannot show (nought on a logarithmic one) are left out, and the small print
    /// says how many.
    pub fn svg(&self) -> String {
        let names: Vec<String> = self.lines.iter().map(|line| line.name.clone()).collect();
        let swatch = if self.mark == Mark::Points { Swatch::Point } else { Swatch::Line };
        let mut canvas = Canvas::default();
        let rules = if self.rules.is_empty() { 0.0 } else { 14.0 };
        let top = canvas.head(&self.figure, &names, swatch) + 4.0 + rules;
        let bottom = top + self.figure.height;
        // Markers on the outermost values keep clear of the axes.
        let inset = if self.mark == Mark::Points { 7.0 } else { 0.0 };
        let shown = || {
            self.lines
                .iter()
                .flat_map(|line| line.points.iter().copied())
                .filter(|&(x, y)| self.x.shows(x) && self.y.shows(y))
        };
        let y_fit = if self.mark == Mark::Line { Fit::Bars } else { Fit::Points };
        let y = Scale::new(&self.y, shown().map(|(_, y)| y), y_fit, bottom - inset, top + inset);
        let area = Area { left: y_room(&y), top, right: self.figure.width - MARGIN - 6.0, bottom };
        let xs = shown().map(|(x, _)| x).chain(self.rules.iter().map(|rule| rule.0));
        let x = Scale::new(&self.x, xs, Fit::Points, area.left + inset, area.right - inset);

        canvas.y_axis(area, &y, &self.y.title);
        let end = canvas.x_axis(area, &x, &self.x_title(&x), true);
        self.draw_rules(&mut canvas, area, &x);
        for (at, line) in self.lines.iter().enumerate() {
            let placed = place(line, &x, &y);
            match self.mark {
                Mark::Points => draw_points(&mut canvas, at, line, self.lines.len(), &placed, (&x, &y)),
                mark => draw_line(&mut canvas, at, line, self.lines.len(), &placed, mark, y.base(), (&x, &y)),
            }
        }
        if shown().next().is_none() {
            canvas.nothing(area);
        }
        canvas.frame(area);

        let all: usize = self.lines.iter().map(|line| line.points.len()).sum();
        let missing = all - shown().count();
        let mut figure = self.figure.clone();
        if missing > 0 {
            let places = if missing == 1 { "1 point has" } else { &format!("{missing} points have") };
            let gap = if figure.note.is_empty() { "" } else { " " };
            let _ = write!(figure.note, "{gap}{places} no place on a logarithmic axis.");
        }
        canvas.finish(&figure, end)
    }

    /// A time axis says the day it begins on, which its ticks of hours do not.
    fn x_title(&self, x: &Scale) -> String {
        if self.x.kind != Kind::Time {
            return self.x.title.clone();
        }
        let day = |at: f64| ticks::utc(at as i64, "%Y-%m-%d");
        let (first, last) = (day(x.min), day(x.max));
        let days = if first == last { first } else { format!("{first} to {last}") };
        let title = if self.x.title.is_empty() { "Time" } else { &self.x.title };
        format!("{title} (UTC, {days})")
    }

    fn draw_rules(&self, canvas: &mut Canvas, area: Area, x: &Scale) {
        for (value, name) in &self.rules {
            let Some(at) = x.at(*value) else { continue };
            canvas.line("pl-a pl-d", [at, area.top - 4.0, at, area.bottom]);
            let half = text::width(name, SMALL) / 2.0;
            let middle = at.min(area.right + MARGIN - half).max(area.left + half);
            canvas.text("pl-m pl-s", middle, area.top - 8.0, Anchor::Middle, name);
        }
    }
}

/// A point in the picture, and which of the series it is.
type Placed = (f64, f64, usize);

/// Places that differ in the picture: of those within a quarter of a unit, the first stands for all.
fn place(line: &Line, x: &Scale, y: &Scale) -> Vec<Placed> {
    let mut placed: Vec<Placed> = Vec::new();
    let last = line.points.len().saturating_sub(1);
    for (at, &(px, py)) in line.points.iter().enumerate() {
        let (Some(px), Some(py)) = (x.at(px), y.at(py)) else { continue };
        let near = placed.last().is_some_and(|&(lx, ly, _)| (lx - px).abs() < 0.25 && (ly - py).abs() < 0.25);
        if !near || at == last {
            placed.push((px, py, at));
        }
    }
    placed
}

fn tip(line: &Line, at: usize, several: bool, (x, y): (&Scale, &Scale)) -> String {
    let Some(&(px, py)) = line.points.get(at) else { return String::new() };
    let value = format!("{}: {}", x.describe(px), y.describe(py));
    if several { format!("{}, {value}", line.name) } else { value }
}

fn draw_points(
    canvas: &mut Canvas,
    series: usize,
    line: &Line,
    of: usize,
    placed: &[Placed],
    scales: (&Scale, &Scale),
) {
    let many = placed.len() > MOST_MARKERS;
    let mut taken = HashSet::new();
    for &(px, py, at) in placed {
        if !many {
            canvas.marker(series, px, py, &tip(line, at, of > 1, scales));
        } else if taken.insert((px.round() as i32, py.round() as i32)) {
            canvas.dot(series, px, py);
        }
    }
}

#[allow(clippy::too_many_arguments, reason = "a private drawing step with one caller")]
fn draw_line(
    canvas: &mut Canvas,
    series: usize,
    line: &Line,
    of: usize,
    placed: &[Placed],
    mark: Mark,
    base: f64,
    scales: (&Scale, &Scale),
) {
    let (Some(&(first_x, first_y, _)), Some(&(last_x, ..))) = (placed.first(), placed.last()) else { return };
    let mut data = format!("M{} {}", number(first_x), number(first_y));
    for &(px, py, _) in &placed[1..] {
        let (px, py) = (number(px), number(py));
        let _ = match mark {
            Mark::StepsAfter => write!(data, "H{px}V{py}"),
            Mark::StepsBefore => write!(data, "V{py}H{px}"),
            _ => write!(data, "L{px} {py}"),
        };
    }
    if mark == Mark::Line && of == 1 {
        let area = format!("{data}V{}H{}Z", number(base), number(first_x));
        canvas.path(&format!("pl-area pl-f{}", series % SERIES), &area, "");
    }
    if placed.len() == 1 {
        let _ = write!(data, "H{}", number(last_x + 0.1));
    }
    canvas.path(&line_class(series), &data, &line.name);
    if placed.len() <= MOST_TIPS {
        // Invisible and wider than the line, so that a pointer finds them.
        for &(px, py, at) in placed {
            canvas.target(px, py, &tip(line, at, of > 1, scales));
        }
    }
}
