use std::io::{self, IsTerminal, Read};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on stderr for input whose size is known: how much of it has been read, how fast, how long to go.
///
/// It is there for people: only where stderr is a terminal, and not where rows go to the same terminal. It is
/// gone once this is dropped.
#[derive(Debug)]
pub struct Progress(Option<ProgressBar>);

const TEMPLATE: &str = "{wide_bar} {bytes} of {total_bytes} ({binary_bytes_per_sec}, {eta} left)";

impl Progress {
    /// Nothing to be seen.
    pub fn none() -> Self {
        Self(None)
    }

    /// A bar for `total` bytes, if there is somebody to look at it.
    pub fn bytes(total: u64) -> Self {
        if !io::stderr().is_terminal() || io::stdout().is_terminal() {
            return Self::none();
        }
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        // The template is ours and tested; were it wrong, the standard one would do.
        Self(Some(match ProgressStyle::with_template(TEMPLATE) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }))
    }

    /// Counts what is read from this input.
    pub fn watch<'a>(&self, input: impl Read + Send + 'a) -> Box<dyn Read + Send + 'a> {
        match &self.0 {
            Some(bar) => Box::new(bar.wrap_read(input)),
            None => Box::new(input),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_one() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }

    #[test]
    fn what_is_read_goes_through_and_is_counted() {
        let bar = ProgressBar::hidden();
        let progress = Progress(Some(bar.clone()));
        let mut text = String::new();
        progress.watch(&b"0123456789"[..]).read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), bar.position()), ("0123456789", 10));
    }
}
