//! Axes: from values to places, and the ticks between.

use crate::ticks::{self, Tick};

/// How an axis runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Equal distances for equal differences.
    #[default]
    Linear,
    /// Equal distances for equal ratios; what is not above nought is not drawn.
    Log,
    /// Unix seconds, labelled with dates and hours in UTC.
    Time,
    /// Hours of a day, all of them, with a tick every three.
    Hours,
}

/// One axis of a figure.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axis {
    /// What it measures, with the unit: `port scans per hour`.
    pub title: String,
    /// Linear, logarithmic or time.
    pub kind: Kind,
    /// Only whole numbers occur, so no tick stands between them.
    pub whole: bool,
    /// Where the axis begins, instead of at nought or the smallest value.
    pub min: Option<f64>,
    /// Where it ends, instead of at the largest value.
    pub max: Option<f64>,
}

impl Axis {
    /// A linear axis of whole numbers.
    pub fn counts(title: impl Into<String>) -> Self {
        Self { title: title.into(), whole: true, ..Self::default() }
    }

    /// The same axis, logarithmic if `log`.
    #[must_use]
    pub fn log(self, log: bool) -> Self {
        Self { kind: if log { Kind::Log } else { self.kind }, ..self }
    }

    /// Whether a value has a place on this axis.
    pub(crate) fn shows(&self, value: f64) -> bool {
        value.is_finite() && (self.kind != Kind::Log || value > 0.0)
    }
}

/// An axis laid over a stretch of the picture.
#[derive(Debug, Clone)]
pub(crate) struct Scale {
    kind: Kind,
    whole: bool,
    pub(crate) min: f64,
    pub(crate) max: f64,
    from: f64,
    to: f64,
}

/// Whether bars grow from the axis' beginning, which must then lie below every bar's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    Bars,
    Points,
}

impl Scale {
    /// Lays `axis` over the stretch `from`..`to` so that it shows all `values`.
    pub(crate) fn new(axis: &Axis, values: impl Iterator<Item = f64>, fit: Fit, from: f64, to: f64) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|&value| axis.shows(value)) {
            low = low.min(value);
            high = high.max(value);
        }
        if low > high {
            (low, high) = if axis.kind == Kind::Log { (1.0, 10.0) } else { (0.0, 1.0) };
        }
        let (low, high) = match axis.kind {
            Kind::Log if fit == Fit::Bars => (log_floor(low), log_ceiling(high)),
            Kind::Log => (low, high),
            Kind::Time => (low, high),
            Kind::Hours => (low.min(0.0), high.max(23.0)),
            Kind::Linear if fit == Fit::Bars => (low.min(0.0), high.max(0.0)),
            Kind::Linear => (if low >= 0.0 && low < high * 0.7 { 0.0 } else { low }, high),
        };
        let mut min = axis.min.filter(|&min| axis.shows(min)).unwrap_or(low);
        let mut max = axis.max.filter(|&max| axis.shows(max)).unwrap_or(high);
        if max <= min {
            (min, max) = if axis.kind == Kind::Log { (min, min * 10.0) } else { (min, min + 1.0) };
        }
        let mut scale = Self { kind: axis.kind, whole: axis.whole, min, max, from, to };
        if axis.kind == Kind::Linear {
            scale.widen(axis);
        }
        scale
    }

    /// Lets a linear axis end on ticks.
    fn widen(&mut self, axis: &Axis) {
        let ticks = self.ticks(5);
        let [first, second, ..] = ticks.as_slice() else { return };
        let step = second.at - first.at;
        if axis.max.is_none() {
            self.max = (self.max / step - 1e-9).ceil() * step;
        }
        if axis.min.is_none() {
            self.min = (self.min / step + 1e-9).floor() * step;
        }
    }

    /// Where `value` lies; `None` if the axis cannot show it.
    pub(crate) fn at(&self, value: f64) -> Option<f64> {
        if !value.is_finite() || (self.kind == Kind::Log && value <= 0.0) {
            return None;
        }
        let part = match self.kind {
            Kind::Log => (value / self.min).log10() / (self.max / self.min).log10(),
            _ => (value - self.min) / (self.max - self.min),
        };
        Some(self.from + part.clamp(-0.001, 1.001) * (self.to - self.from))
    }

    /// Where bars begin: nought, or the beginning of a logarithmic axis.
    pub(crate) fn base(&self) -> f64 {
        match self.kind {
            Kind::Linear => self.at(0.0_f64.clamp(self.min, self.max)).unwrap_or(self.from),
            _ => self.from,
        }
    }

    /// Round numbers, about as many as wanted.
    pub(crate) fn ticks(&self, wanted: usize) -> Vec<Tick> {
        match self.kind {
            Kind::Linear => ticks::linear(self.min, self.max, wanted, self.whole),
            Kind::Log => ticks::log(self.min, self.max),
            Kind::Time => ticks::time(self.min, self.max, wanted),
            Kind::Hours => ticks::hours(self.min, self.max),
        }
    }

    /// A value as a tooltip writes it.
    pub(crate) fn describe(&self, value: f64) -> String {
        match self.kind {
            Kind::Time => ticks::utc(value as i64, "%Y-%m-%d %H:%M:%S"),
            _ => super::text::value(value),
        }
    }
}

/// Half of a power of ten: the bar of a single occurrence is seen, and no tick pretends a baseline.
fn log_floor(value: f64) -> f64 {
    10f64.powf((value.log10() + 1e-9).floor()) * 0.5
}

/// 1, 2, 5 or 10 times a power of ten, not below `value`.
fn log_ceiling(value: f64) -> f64 {
    let decade = 10f64.powf((value.log10() + 1e-9).floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|digit| digit * decade)
        .into_iter()
        .find(|&v| v >= value * (1.0 - 1e-9))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(axis: &Axis, values: &[f64], fit: Fit) -> Scale {
        Scale::new(axis, values.iter().copied(), fit, 0.0, 100.0)
    }

    #[test]
    fn bars_begin_at_nought_and_end_on_a_tick() {
        let s = scale(&Axis::counts("n"), &[3.0, 87.0], Fit::Bars);
        assert_eq!((s.min, s.max), (0.0, 100.0));
        assert_eq!(s.at(50.0), Some(50.0));
    }

    #[test]
    fn a_single_occurrence_has_length_on_a_log_axis() {
        let s = scale(&Axis::counts("n").log(true), &[1.0, 1000.0], Fit::Bars);
        assert!(s.at(1.0).unwrap() > 5.0);
        assert_eq!(s.at(0.0), None);
        assert_eq!(s.at(1000.0), Some(100.0));
    }

    #[test]
    fn hours_are_those_of_a_day() {
        let s = scale(&Axis { kind: Kind::Hours, ..Axis::default() }, &[3.0, 10.0], Fit::Points);
        assert_eq!((s.min, s.max), (0.0, 23.0));
        let texts: Vec<String> = s.ticks(5).into_iter().map(|tick| tick.text).collect();
        assert_eq!(texts, ["0", "3", "6", "9", "12", "15", "18", "21"]);
    }

    #[test]
    fn no_values_and_equal_values_still_make_an_axis() {
        for kind in [Kind::Linear, Kind::Log, Kind::Time, Kind::Hours] {
            let axis = Axis { kind, ..Axis::default() };
            for values in [&[][..], &[5.0, 5.0], &[f64::NAN, 0.0], &[1e300, 1e-300], &[-4.0, -4.0]] {
                for fit in [Fit::Bars, Fit::Points] {
                    let s = scale(&axis, values, fit);
                    assert!(s.min < s.max, "{kind:?} {values:?} {} {}", s.min, s.max);
                    let _ = s.ticks(5);
                }
            }
        }
    }
}
