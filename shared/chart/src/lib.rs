//! Binning and drawing: bars for a terminal, SVG for a page
