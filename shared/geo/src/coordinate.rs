//! Latitude and longitude as text, the same digits on every machine.

/// Degrees as a database stores them. The flat databases hold single precision, MaxMind's hold double.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Degrees {
    Single(f32),
    Double(f64),
}

impl Degrees {
    pub(crate) fn value(self) -> f64 {
        match self {
            Self::Single(degrees) => f64::from(degrees),
            Self::Double(degrees) => degrees,
        }
    }

    /// The shortest decimal that is this number in its own precision, so that single precision shows no
    /// digits it never had (52.3676, not 52.36759949). At most six decimals, a tenth of a metre; no exponent,
    /// no `-0`.
    fn text(self) -> String {
        let mut text = match self {
            Self::Single(degrees) => degrees.to_string(),
            Self::Double(degrees) => degrees.to_string(),
        };
        if text.split_once('.').is_some_and(|(_, decimals)| decimals.len() > 6) {
            text = format!("{:.6}", self.value());
            text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
        }
        if text == "-0" { "0".to_owned() } else { text }
    }
}

/// A place on the globe.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Coordinate {
    latitude: Degrees,
    longitude: Degrees,
}

impl Coordinate {
    /// Nothing where either half is missing, not a number, or off the globe.
    pub(crate) fn new(latitude: Option<Degrees>, longitude: Option<Degrees>) -> Option<Self> {
        let (latitude, longitude) = (latitude?, longitude?);
        let on_globe = latitude.value().abs() <= 90.0 && longitude.value().abs() <= 180.0;
        on_globe.then_some(Self { latitude, longitude })
    }

    pub(crate) fn degrees(self) -> (f64, f64) {
        (self.latitude.value(), self.longitude.value())
    }

    pub(crate) fn texts(self) -> (String, String) {
        (self.latitude.text(), self.longitude.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_the_stored_precision() {
        assert_eq!(Degrees::Single(52.3676).text(), "52.3676");
        assert_eq!(Degrees::Single(-97.822).text(), "-97.822");
        assert_eq!(Degrees::Double(51.5142).text(), "51.5142");
        assert_eq!(Degrees::Double(0.1 + 0.2).text(), "0.3");
        assert_eq!(Degrees::Double(12.345_678_949).text(), "12.345679");
        assert_eq!(Degrees::Double(-1e-9).text(), "0");
        assert_eq!(Degrees::Single(-0.0).text(), "0");
        assert_eq!(Degrees::Single(47.0).text(), "47");
    }

    #[test]
    fn off_the_globe_is_nowhere() {
        let at = |latitude, longitude| {
            Coordinate::new(Some(Degrees::Double(latitude)), Some(Degrees::Double(longitude)))
        };
        assert!(at(90.0, -180.0).is_some());
        assert!(at(90.1, 0.0).is_none());
        assert!(at(0.0, f64::NAN).is_none());
        assert!(at(f64::INFINITY, 0.0).is_none());
        assert!(Coordinate::new(Some(Degrees::Single(1.0)), None).is_none());
    }
}
