//! Whole pipelines through the compiled tools; see the test targets beside this file.
