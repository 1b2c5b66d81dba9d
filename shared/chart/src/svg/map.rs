//! A map of the world, each country in the colour of its amount.

use std::collections::HashMap;
use std::fmt::Write;

use super::Figure;
use super::canvas::{Anchor, Canvas, MARGIN};
use super::style::CLASSES;
use super::text::{SMALL, escape, number, width};
use crate::ticks;

/// Natural Earth's countries in Equal Earth projection: `world/make-world` says how, and what its columns are.
const WORLD: &str = include_str!("../../world/world.tsv");

/// Radius of the circle that stands for a country too small to be seen, in user units.
const SMALL_COUNTRY: f64 = 2.6;

/// Amounts by country on a map of the world, in logarithmic classes of one hue.
///
/// Countries that would not be seen are circles as well. Borders are as Natural Earth draws them.
#[derive(Debug, Clone, PartialEq)]
pub struct WorldMap {
    /// Headline, description, size and theme.
    pub figure: Figure,
    /// ISO 3166 letters, amount, and what a tooltip says behind the country's name.
    pub amounts: Vec<(String, f64, String)>,
    /// What is counted, for the legend.
    pub counted: String,
    /// Amounts are whole numbers.
    pub whole: bool,
    /// Where the colours end, instead of at the largest amount: equal for maps to compare.
    pub max: Option<f64>,
}

/// One shape of the world.
struct Shape {
    code: &'static str,
    name: &'static str,
    x: f64,
    y: f64,
    tiny: bool,
    path: &'static str,
}

struct World {
    width: f64,
    height: f64,
    outline: &'static str,
    graticule: &'static str,
    shapes: Vec<Shape>,
}

impl World {
    fn read() -> Self {
        let mut world =
            Self { width: 1.0, height: 1.0, outline: "", graticule: "", shapes: Vec::with_capacity(260) };
        for line in WORLD.lines() {
            let mut cells = line.split('\t');
            let mut cell = || cells.next().unwrap_or_default();
            let code = cell();
            let number = |text: &str| text.parse().unwrap_or_default();
            match code {
                "#size" => (world.width, world.height) = (number(cell()), number(cell())),
                "#outline" => world.outline = cell(),
                "#graticule" => world.graticule = cell(),
                _ => {
                    let (name, x, y) = (cell(), number(cell()), number(cell()));
                    world.shapes.push(Shape { code, name, x, y, tiny: cell() == "1", path: cell() });
                }
            }
        }
        world
    }
}

impl WorldMap {
    /// The picture. The small print counts what is on the map and what is not.
    pub fn svg(&self) -> String {
        let world = World::read();
        let amounts: HashMap<&str, (f64, &str)> =
            self.amounts.iter().map(|(code, amount, says)| (&**code, (*amount, &**says))).collect();
        let edges = self.edges();
        let class = |amount: f64| {
            let above = edges.iter().filter(|&&edge| amount >= edge).count().max(1);
            // The darkest colour is that of the largest class, however few there are.
            format!("pl-c pl-c{}", CLASSES - edges.len().max(1) + above - 1)
        };

        let mut canvas = Canvas::coloured();
        let top = canvas.head(&self.figure, &[], super::canvas::Swatch::Box);
        let scale = (self.figure.width - 2.0 * MARGIN) / world.width;
        let bottom = top + world.height * scale;
        canvas.open(&format!("translate({MARGIN} {}) scale({})", number(top), scale));
        // The land that crosses the 180th meridian is drawn on both sides, and cut off by the edge of the Earth.
        canvas.raw(&format!(r#"<clipPath id="sphere"><path d="{}"/></clipPath>"#, world.outline));
        canvas.raw(&format!(r#"<g clip-path="url(#sphere)"><path class="pl-e" d="{}"/>"#, world.graticule));
        let mut circles: Vec<(f64, String, &Shape)> = Vec::new();
        let mut drawn: HashMap<&str, bool> = HashMap::new();
        for shape in &world.shapes {
            let known = amounts.get(shape.code).filter(|(amount, _)| *amount > 0.0);
            let Some(&(amount, says)) = known else {
                if !shape.path.is_empty() {
                    canvas.path("pl-c", shape.path, "");
                }
                continue;
            };
            let tip = format!("{} ({}): {says}", shape.name, shape.code);
            if !shape.path.is_empty() {
                canvas.path(&class(amount), shape.path, &tip);
            }
            if drawn.insert(shape.code, true).is_none() && shape.tiny {
                circles.push((amount, tip, shape));
            }
        }
        canvas.raw("</g>");
        canvas.path("pl-e", world.outline, "");
        // The largest last, so that it is whole.
        circles.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.2.code.cmp(b.2.code)));
        for (amount, tip, shape) in circles {
            canvas.raw(&format!(
                r#"<circle class="{}" cx="{}" cy="{}" r="{}"><title>{}</title></circle>"#,
                class(amount),
                number(shape.x),
                number(shape.y),
                number(SMALL_COUNTRY / scale),
                escape(&tip)
            ));
        }
        canvas.close_group();
        if edges.is_empty() {
            canvas.text(
                "pl-m",
                self.figure.width / 2.0,
                f64::midpoint(top, bottom),
                Anchor::Middle,
                "no data",
            );
        }

        let end = self.legend(&mut canvas, &edges, bottom);
        let mut figure = self.figure.clone();
        figure.note = self.note(&drawn);
        canvas.finish(&figure, end)
    }

    fn largest(&self) -> f64 {
        self.amounts.iter().map(|(_, amount, _)| *amount).filter(|a| a.is_finite()).fold(0.0, f64::max)
    }

    /// Lower edges of the classes: round numbers, as many to a decade as leave no more classes than colours.
    fn edges(&self) -> Vec<f64> {
        let max = self.max.unwrap_or(0.0).max(self.largest());
        let amounts = self.amounts.iter().map(|(_, amount, _)| *amount).filter(|&amount| amount > 0.0);
        let min = if self.whole { 1.0 } else { amounts.fold(max, f64::min) };
        if !(max > 0.0 && max.is_finite() && min > 0.0) {
            return Vec::new();
        }
        let first = min.log10().floor() as i32;
        let last = max.log10().floor() as i32;
        let of = |digits: &[f64], every: usize| -> Vec<f64> {
            let decades = (first..=last).step_by(every);
            let edges = decades.flat_map(|e| digits.iter().map(move |digit| digit * 10f64.powi(e)));
            edges.filter(|&edge| edge <= max).collect()
        };
        let lists = [of(&[1.0, 2.0, 5.0], 1), of(&[1.0, 3.0], 1), of(&[1.0], 1)];
        let fit = lists.into_iter().find(|list| list.len() <= CLASSES);
        fit.unwrap_or_else(|| of(&[1.0], (last - first) as usize / CLASSES + 1))
    }

    /// The classes below the map, each with its lower edge; gives where the picture goes on.
    fn legend(&self, canvas: &mut Canvas, edges: &[f64], top: f64) -> f64 {
        const BOX: f64 = 42.0;
        if edges.is_empty() {
            return top;
        }
        let y = top + 8.0;
        canvas.text("pl-t", MARGIN, y + 11.0, Anchor::Start, &self.counted);
        let mut x = MARGIN + width(&self.counted, super::text::SIZE) + 14.0;
        let first = CLASSES - edges.len();
        for (at, &edge) in edges.iter().enumerate() {
            canvas.rect(&format!("pl-c{}", first + at), [x, y, BOX, 12.0], "");
            canvas.text("pl-t pl-s", x, y + 12.0 + SMALL + 2.0, Anchor::Middle, &ticks::magnitude_of(edge));
            x += BOX;
        }
        let max = self.max.unwrap_or(0.0).max(self.largest());
        if edges.last().is_some_and(|&edge| max > edge) {
            let text = if max < 1e4 { super::text::value(max) } else { ticks::magnitude_of(max) };
            canvas.text("pl-t pl-s", x, y + 12.0 + SMALL + 2.0, Anchor::Middle, &text);
        }
        canvas.rect("pl-c", [x + 26.0, y, 22.0, 12.0], "");
        canvas.text("pl-t pl-s", x + 53.0, y + 11.0, Anchor::Start, "none");
        y + 12.0 + SMALL + 7.0
    }

    fn note(&self, drawn: &HashMap<&str, bool>) -> String {
        let mut note = self.figure.note.clone();
        let mut say = |text: &str| {
            if !note.is_empty() {
                note.push(' ');
            }
            note.push_str(text);
        };
        let off: Vec<&str> = self
            .amounts
            .iter()
            .filter(|(code, amount, _)| *amount > 0.0 && !drawn.contains_key(&**code))
            .map(|(code, ..)| &**code)
            .collect();
        if !off.is_empty() {
            let mut text = String::from("Not on the map:");
            for (at, code) in off.iter().take(8).enumerate() {
                let _ = write!(text, "{} {code}", if at > 0 { "," } else { "" });
            }
            say(&(text + if off.len() > 8 { " …" } else { "." }));
        }
        say("Natural Earth, Equal Earth projection; borders as drawn there.");
        note
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(amounts: &[f64], whole: bool, max: Option<f64>) -> Vec<f64> {
        let amounts = amounts.iter().map(|&amount| ("DE".to_owned(), amount, String::new())).collect();
        WorldMap { figure: Figure::default(), amounts, counted: "n".into(), whole, max }.edges()
    }

    #[test]
    fn classes_are_round_and_no_more_than_colours() {
        assert_eq!(edges(&[3.0, 40.0], true, None), [1.0, 2.0, 5.0, 10.0, 20.0]);
        assert_eq!(edges(&[950.0], true, None), [1.0, 3.0, 10.0, 30.0, 100.0, 300.0]);
        assert_eq!(edges(&[9.0], true, Some(950.0)), edges(&[950.0], true, None));
        assert_eq!(edges(&[2e6], true, None), [1.0, 10.0, 1e2, 1e3, 1e4, 1e5, 1e6]);
        assert!(edges(&[1e18], true, None).len() <= CLASSES);
        assert_eq!(edges(&[], true, None), Vec::<f64>::new());
        for odd in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-300, 1e300] {
            assert!(edges(&[odd, 0.5], false, None).len() <= CLASSES, "{odd}");
        }
    }

    #[test]
    fn the_world_is_whole() {
        let world = World::read();
        assert!(world.shapes.len() > 240 && world.width > world.height);
        // Those that smaller maps lack, from which much is scanned.
        for code in ["SG", "HK", "SC", "MT", "BH", "US", "FJ", "RU"] {
            assert!(world.shapes.iter().any(|shape| shape.code == code), "{code}");
        }
        assert!(world.shapes.iter().all(|s| (0.0..=world.width).contains(&s.x) && s.y <= world.height));
    }
}
