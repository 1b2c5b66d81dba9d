//! The growing picture: elements, headline, legend, axes.

use std::fmt::Write;

use super::Figure;
use super::scale::Scale;
use super::style;
use super::text::{self, HEAD, SIZE, SMALL, escape, number};
use crate::ticks::Tick;

/// Space around everything.
pub(crate) const MARGIN: f64 = 12.0;
const LINE: f64 = 17.0;

/// Where text is anchored.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// The plotting area.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Area {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

/// How a series is shown in the legend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Swatch {
    Box,
    Line,
    Point,
}

/// Elements written so far; the height is known last, so the root element is written by [`Canvas::finish`].
#[derive(Debug, Default)]
pub(crate) struct Canvas {
    body: String,
    /// The classes of a map are used.
    coloured: bool,
}

impl Canvas {
    /// A picture with the colours of a map.
    pub(crate) fn coloured() -> Self {
        Self { coloured: true, ..Self::default() }
    }

    /// Opens a group in coordinates of its own.
    pub(crate) fn open(&mut self, transform: &str) {
        let _ = writeln!(self.body, r#"<g class="pl-map" transform="{transform}">"#);
    }

    /// Closes what [`Canvas::open`] opened.
    pub(crate) fn close_group(&mut self) {
        self.raw("</g>");
    }

    /// Elements as they are.
    pub(crate) fn raw(&mut self, markup: &str) {
        self.body.push_str(markup);
        self.body.push('\n');
    }

    pub(crate) fn rect(&mut self, class: &str, [x, y, w, h]: [f64; 4], title: &str) {
        let (x, y, w, h) = (number(x), number(y), number(w), number(h));
        let _ = write!(self.body, r#"<rect class="{class}" x="{x}" y="{y}" width="{w}" height="{h}""#);
        self.close("rect", title);
    }

    pub(crate) fn line(&mut self, class: &str, [x1, y1, x2, y2]: [f64; 4]) {
        let (x1, y1, x2, y2) = (number(x1), number(y1), number(x2), number(y2));
        let _ = writeln!(self.body, r#"<line class="{class}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>"#);
    }

    pub(crate) fn path(&mut self, class: &str, data: &str, title: &str) {
        let _ = write!(self.body, r#"<path class="{class}" d="{data}""#);
        self.close("path", title);
    }

    pub(crate) fn text(&mut self, class: &str, x: f64, y: f64, anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => r#" text-anchor="middle""#,
            Anchor::End => r#" text-anchor="end""#,
        };
        let (x, y) = (number(x), number(y));
        let _ =
            writeln!(self.body, r#"<text class="{class}" x="{x}" y="{y}"{anchor}>{}</text>"#, escape(text));
    }

    fn upright(&mut self, class: &str, x: f64, y: f64, text: &str) {
        let (x, y) = (number(x), number(y));
        let _ = writeln!(
            self.body,
            r#"<text class="{class}" transform="translate({x} {y}) rotate(-90)" text-anchor="middle">{}</text>"#,
            escape(text)
        );
    }

    fn close(&mut self, element: &str, title: &str) {
        if title.is_empty() {
            self.body.push_str("/>\n");
        } else {
            let _ = writeln!(self.body, "><title>{}</title></{element}>", escape(title));
        }
    }

    /// An unseen disc whose only work is its tooltip.
    pub(crate) fn target(&mut self, x: f64, y: f64, title: &str) {
        let (x, y) = (number(x), number(y));
        let _ = write!(self.body, r#"<circle cx="{x}" cy="{y}" r="5" fill="none" pointer-events="all""#);
        self.close("circle", title);
    }

    /// One of very many points of a series.
    pub(crate) fn dot(&mut self, series: usize, x: f64, y: f64) {
        let (x, y) = (number(x), number(y));
        let _ = writeln!(
            self.body,
            r#"<circle class="pl-f{}" cx="{x}" cy="{y}" r="2.2"/>"#,
            series % style::SERIES
        );
    }

    /// A marker of the series' own shape. All but the first are hollow and larger, so that two series with a point
    /// in common show both.
    pub(crate) fn marker(&mut self, series: usize, x: f64, y: f64, title: &str) {
        let colour = series % style::SERIES;
        let class = format!("pl-l{colour} pl-k");
        let (px, py) = (number(x), number(y));
        match series % 4 {
            0 if series == 0 => {
                let _ = write!(self.body, r#"<circle class="pl-f{colour}" cx="{px}" cy="{py}" r="2.8""#);
                self.close("circle", title);
            }
            0 => {
                let _ = write!(self.body, r#"<circle class="{class}" cx="{px}" cy="{py}" r="5""#);
                self.close("circle", title);
            }
            1 => self.rect(&class, [x - 3.8, y - 3.8, 7.6, 7.6], title),
            2 => self.path(&class, &format!("M{px} {}l5.2 9h-10.4z", number(y - 5.6)), title),
            _ => self.path(&class, &format!("M{px} {}l5.8 5.8-5.8 5.8-5.8-5.8z", number(y - 5.8)), title),
        }
    }

    /// Headline and legend; gives the height they took.
    pub(crate) fn head(&mut self, figure: &Figure, series: &[String], swatch: Swatch) -> f64 {
        let mut y = MARGIN;
        let room = figure.width - 2.0 * MARGIN;
        for line in text::wrap(&figure.title, room, HEAD) {
            y += HEAD;
            self.text("pl-t pl-h", MARGIN, y - 2.0, Anchor::Start, &line);
            y += 5.0;
        }
        if series.len() > 1 {
            y = self.legend(series, swatch, y, room);
        }
        y + 6.0
    }

    fn legend(&mut self, series: &[String], swatch: Swatch, top: f64, room: f64) -> f64 {
        const KEY: f64 = 24.0;
        let mut x = MARGIN;
        let mut y = top + 13.0;
        for (at, name) in series.iter().enumerate() {
            let name = text::cut(name, room - KEY, SIZE);
            let wide = KEY + text::width(&name, SIZE) + 14.0;
            if x > MARGIN && x + wide - 14.0 > MARGIN + room {
                x = MARGIN;
                y += LINE;
            }
            let colour = at % style::SERIES;
            match swatch {
                Swatch::Box => self.rect(&format!("pl-f{colour}"), [x, y - 10.0, 13.0, 11.0], ""),
                Swatch::Point => self.marker(at, x + 8.0, y - 4.5, ""),
                Swatch::Line => {
                    self.line(&line_class(at), [x, y - 4.5, x + 18.0, y - 4.5]);
                }
            }
            self.text("pl-t", x + if swatch == Swatch::Line { KEY } else { 18.0 }, y, Anchor::Start, &name);
            x += wide;
        }
        y + 5.0
    }

    /// Grid, ticks and title of the horizontal axis, below the area.
    pub(crate) fn x_axis(&mut self, area: Area, scale: &Scale, title: &str, grid: bool) -> f64 {
        let ticks: Vec<(f64, Tick)> =
            scale.ticks(7).into_iter().filter_map(|tick| scale.at(tick.at).map(|x| (x, tick))).collect();
        if grid {
            for (x, tick) in &ticks {
                if !tick.text.is_empty() {
                    self.line("pl-g", [*x, area.top, *x, area.bottom]);
                }
            }
        }
        // Minor ticks closer than this are a smear.
        let minor = (area.right - area.left) / ticks.len().max(1) as f64 >= 3.0;
        for (x, tick) in ticks.iter().filter(|(_, tick)| minor || !tick.text.is_empty()) {
            let length = if tick.text.is_empty() { 3.0 } else { 5.0 };
            self.line("pl-a", [*x, area.bottom, *x, area.bottom + length]);
        }
        let named: Vec<(f64, String)> = ticks
            .into_iter()
            .filter(|(_, tick)| !tick.text.is_empty())
            .map(|(x, tick)| (x, tick.text))
            .collect();
        self.x_labels(area, &named);
        self.x_title(area, title)
    }

    /// Texts below the area, as many as fit without touching: all, every second, every fifth …
    pub(crate) fn x_labels(&mut self, area: Area, labels: &[(f64, String)]) {
        let fits = |stride: usize| {
            let mut end = f64::NEG_INFINITY;
            labels.iter().step_by(stride).all(|(x, label)| {
                let half = text::width(label, SIZE) / 2.0;
                let free = x - half >= end;
                end = x + half + 5.0;
                free
            })
        };
        let strides =
            [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 50, 64, 100, 128, 256, 500, 1000, 10_000, 100_000];
        let stride = strides.into_iter().find(|&stride| fits(stride)).unwrap_or(labels.len().max(1));
        for (x, label) in labels.iter().step_by(stride) {
            let half = text::width(label, SIZE) / 2.0;
            // The outermost texts may not leave the picture.
            let x = x.min(area.right + MARGIN - half).max(half + 2.0);
            self.text("pl-t", x, area.bottom + 19.0, Anchor::Middle, label);
        }
    }

    /// The title under the horizontal axis; gives where the picture goes on.
    pub(crate) fn x_title(&mut self, area: Area, title: &str) -> f64 {
        let mut y = area.bottom + 24.0;
        for line in text::wrap(title, area.right, SIZE) {
            y += LINE;
            let half = text::width(&line, SIZE) / 2.0;
            let middle =
                f64::midpoint(area.left, area.right).min(area.right + MARGIN - half).max(half + MARGIN / 2.0);
            self.text("pl-t", middle, y - 3.0, Anchor::Middle, &line);
        }
        y
    }

    /// Grid, ticks and title of the vertical axis, left of the area.
    pub(crate) fn y_axis(&mut self, area: Area, scale: &Scale, title: &str) {
        for tick in scale.ticks(5) {
            let Some(y) = scale.at(tick.at) else { continue };
            if tick.text.is_empty() {
                self.line("pl-a", [area.left - 3.0, y, area.left, y]);
                continue;
            }
            self.line("pl-g", [area.left, y, area.right, y]);
            self.line("pl-a", [area.left - 5.0, y, area.left, y]);
            self.text("pl-t", area.left - 8.0, y + 4.5, Anchor::End, &tick.text);
        }
        let title = text::cut(title, area.bottom - area.top + 2.0 * MARGIN, SIZE);
        self.upright("pl-t", MARGIN + 7.0, f64::midpoint(area.top, area.bottom), &title);
    }

    /// Says in the middle of an empty area that it is meant to be empty.
    pub(crate) fn nothing(&mut self, area: Area) {
        let (x, y) = (f64::midpoint(area.left, area.right), f64::midpoint(area.top, area.bottom));
        self.text("pl-m", x, y, Anchor::Middle, "no data");
    }

    /// Axis lines left and below.
    pub(crate) fn frame(&mut self, area: Area) {
        self.line("pl-a", [area.left, area.top, area.left, area.bottom]);
        self.line("pl-a", [area.left, area.bottom, area.right, area.bottom]);
    }

    /// The finished picture, its content ending at `bottom`.
    pub(crate) fn finish(mut self, figure: &Figure, bottom: f64) -> String {
        let mut bottom = bottom;
        for line in text::wrap(&figure.note, figure.width - 2.0 * MARGIN, SMALL) {
            bottom += LINE;
            self.text("pl-m pl-s", MARGIN, bottom - 1.0, Anchor::Start, &line);
        }
        let height = number((bottom + MARGIN).ceil());
        let width = number(figure.width);
        let class = style::root_class(figure.theme);
        let name = escape(if figure.title.is_empty() { "Figure" } else { &figure.title });
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"{class}\" role=\"img\" width=\"{width}\" \
             height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n<title>{name}</title>\n"
        );
        if !figure.description.is_empty() {
            let _ = writeln!(out, "<desc>{}</desc>", escape(&figure.description));
        }
        out.push_str(&style::sheet(figure.theme, self.coloured));
        let _ = writeln!(out, "<rect class=\"pl-bg\" width=\"{width}\" height=\"{height}\"/>");
        out + &self.body + "</svg>\n"
    }
}

/// Room the texts of a vertical axis take, with its title.
pub(crate) fn y_room(scale: &Scale) -> f64 {
    let widest = scale.ticks(5).iter().map(|tick| text::width(&tick.text, SIZE)).fold(0.0, f64::max);
    MARGIN + 18.0 + widest + 8.0
}

/// Stroke classes of a series: its colour, and every second one dashed.
pub(crate) fn line_class(series: usize) -> String {
    let dash = if series % 2 == 1 { " pl-d" } else { "" };
    format!("pl-l pl-l{}{dash}", series % style::SERIES)
}
