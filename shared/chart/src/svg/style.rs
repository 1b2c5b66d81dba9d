//! Colours and the style sheet.

use std::fmt::Write;

/// Which background the figure is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// Light, and dark where the reader's system prefers it (CSS `prefers-color-scheme`).
    #[default]
    Auto,
    /// Light always: for print.
    Light,
    /// Dark always.
    Dark,
}

/// Colours of the palette.
pub(crate) const SERIES: usize = 8;
/// Classes of a map's colours.
pub(crate) const CLASSES: usize = 7;

struct Palette {
    background: &'static str,
    text: &'static str,
    muted: &'static str,
    grid: &'static str,
    axis: &'static str,
    series: [&'static str; SERIES],
    /// A country without an amount.
    blank: &'static str,
    /// One hue towards greater contrast with the background, told apart in grey too, as ColorBrewer advises for
    /// sequential data (Harrower and Brewer 2003).
    classes: [&'static str; CLASSES],
}

/// Okabe–Ito, the pair of greatest difference first. Its yellow is too pale for white paper and comes last, darkened.
const LIGHT: Palette = Palette {
    background: "#ffffff",
    text: "#1a1d21",
    muted: "#565c64",
    grid: "#e4e6e9",
    axis: "#70767e",
    series: ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#4d4d4d", "#b8a800"],
    blank: "#e9e9e6",
    classes: ["#d3e5f4", "#b0d0e9", "#84b8dc", "#539ecd", "#2b7bba", "#0b559f", "#08306b"],
};

/// The same hues on dark grey: blue and the neutral are lifted until they stand out from it.
const DARK: Palette = Palette {
    background: "#15181c",
    text: "#e8eaed",
    muted: "#a4abb3",
    grid: "#2c3138",
    axis: "#7d858e",
    series: ["#3a9ad9", "#e69f00", "#1cb88b", "#d98fb8", "#e8743b", "#8accf2", "#b5b9be", "#f0e442"],
    blank: "#2b2f35",
    classes: ["#17364f", "#1b4a6d", "#24638f", "#3380b4", "#559fd2", "#8fc3ea", "#d3e9fa"],
};

impl Palette {
    fn write(&self, coloured: bool, out: &mut String) {
        let _ = write!(out, ".pl-bg{{fill:{}}}", self.background);
        let _ = write!(out, ".pl-t{{fill:{}}}.pl-m{{fill:{}}}", self.text, self.muted);
        let _ = write!(out, ".pl-g{{stroke:{}}}.pl-a{{stroke:{}}}", self.grid, self.axis);
        for (at, colour) in self.series.iter().enumerate() {
            let _ = write!(out, ".pl-f{at}{{fill:{colour}}}.pl-l{at}{{stroke:{colour}}}");
        }
        if coloured {
            let _ = write!(out, ".pl-c{{fill:{};stroke:{}}}", self.blank, self.background);
            let _ = write!(out, ".pl-e{{stroke:{}}}", self.grid);
            for (at, colour) in self.classes.iter().enumerate() {
                let _ = write!(out, ".pl-c{at}{{fill:{colour}}}");
            }
        }
    }
}

/// The style sheet; rules that depend on the theme begin with the theme's class, so that figures of different
/// themes may stand in one page.
pub(crate) fn sheet(theme: Theme, coloured: bool) -> String {
    let mut out = String::from(
        "<style>.pl{font-family:Helvetica,Arial,\"Liberation Sans\",\"DejaVu Sans\",sans-serif;font-size:13px}\
         .pl-s{font-size:12px}.pl-h{font-size:15px;font-weight:bold}\
         .pl-g,.pl-a{stroke-width:1;fill:none;shape-rendering:crispEdges}\
         .pl-l{stroke-width:1.8;fill:none;stroke-linejoin:round;stroke-linecap:round}\
         .pl-w{stroke-width:1.2;fill:none}.pl-k{stroke-width:1.5;fill:none;pointer-events:all}.pl-d{stroke-dasharray:4 3}.pl-area{opacity:.16}",
    );
    if coloured {
        out.push_str(".pl-map .pl-c{stroke-width:7;stroke-linejoin:round}.pl-e{fill:none;stroke-width:12}");
    }
    let scoped = |palette: &Palette, scope: &str, out: &mut String| scoped(palette, coloured, scope, out);
    match theme {
        Theme::Auto => {
            scoped(&LIGHT, ".pl-auto ", &mut out);
            out.push_str("@media (prefers-color-scheme:dark){");
            scoped(&DARK, ".pl-auto ", &mut out);
            out.push('}');
        }
        Theme::Light => scoped(&LIGHT, ".pl-light ", &mut out),
        Theme::Dark => scoped(&DARK, ".pl-dark ", &mut out),
    }
    out + "</style>\n"
}

fn scoped(palette: &Palette, coloured: bool, scope: &str, out: &mut String) {
    let mut rules = String::new();
    palette.write(coloured, &mut rules);
    for rule in rules.split_inclusive('}') {
        out.push_str(scope);
        out.push_str(rule);
    }
}

/// The classes of the picture's root.
pub(crate) fn root_class(theme: Theme) -> &'static str {
    match theme {
        Theme::Auto => "pl pl-auto",
        Theme::Light => "pl pl-light",
        Theme::Dark => "pl pl-dark",
    }
}
