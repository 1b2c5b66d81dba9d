//! Figures as PNG, for what cannot show SVG.
//!
//! The font is in the program, so that the same figure has the same pixels on every machine: DejaVu Sans, cut down to
//! Latin, Greek and Cyrillic letters by `fonts/make-fonts`. Characters of other scripts appear as boxes; SVG has them.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

const FONTS: [&[u8]; 2] =
    [include_bytes!("../fonts/DejaVuSans.ttf"), include_bytes!("../fonts/DejaVuSans-Bold.ttf")];

/// The largest side of a picture in pixels.
const MOST: u32 = 20_000;

/// A figure has no picture.
#[derive(Debug, thiserror::Error)]
pub enum PngError {
    /// The SVG is none that this module understands.
    #[error("the figure cannot be read: {0}")]
    Svg(String),
    /// The picture would have no pixels, or more than can be held.
    #[error("a picture of {0} by {1} pixels cannot be drawn")]
    Size(u32, u32),
    /// The pixels could not be packed.
    #[error("the picture cannot be written: {0}")]
    Pack(String),
}

/// The picture of an SVG figure of this crate, with `zoom` pixels to each of its units.
///
/// Rules for dark mode are not looked at: the figure is as its [`Theme`](crate::svg::Theme) has it, light for `Auto`.
///
/// # Errors
/// When the text is no SVG, or its picture too large.
pub fn png(svg: &str, zoom: f32) -> Result<Vec<u8>, PngError> {
    let mut options = Options { font_family: "DejaVu Sans".to_owned(), ..Options::default() };
    for font in FONTS {
        options.fontdb_mut().load_font_data(font.to_vec());
    }
    let tree = Tree::from_str(svg, &options).map_err(|e| PngError::Svg(e.to_string()))?;
    let size = tree.size();
    let (width, height) = ((size.width() * zoom).round() as u32, (size.height() * zoom).round() as u32);
    if width > MOST || height > MOST {
        return Err(PngError::Size(width, height));
    }
    let mut pixels = Pixmap::new(width, height).ok_or(PngError::Size(width, height))?;
    resvg::render(&tree, Transform::from_scale(zoom, zoom), &mut pixels.as_mut());
    pixels.encode_png().map_err(|e| PngError::Pack(e.to_string()))
}
