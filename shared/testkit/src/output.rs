//! What a command did.

use std::fmt::Write;
use std::time::Duration;

use crate::Table;

/// What a command wrote and how it ended, with assertions that show all of it when they fail.
#[derive(Clone, Debug)]
pub struct Output {
    pub(crate) shown: String,
    /// What it wrote to stdout.
    pub stdout: Vec<u8>,
    /// What it wrote to stderr.
    pub stderr: Vec<u8>,
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Exit codes of the last pipeline's commands (bash's PIPESTATUS); empty for a single tool.
    pub pipe_status: Vec<i32>,
    /// How long it ran.
    pub elapsed: Duration,
}

impl Output {
    /// Stdout as text.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Stderr as text.
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Stdout as rows.
    #[track_caller]
    pub fn table(&self) -> Table {
        match Table::parse(&self.out()) {
            Ok(table) => table,
            Err(why) => self.fail(&format!("stdout is not a table: {why}")),
        }
    }

    /// Ended with this exit code.
    #[track_caller]
    pub fn code(&self, code: i32) -> &Self {
        self.check(self.code == Some(code), || format!("expected exit code {code}"))
    }

    /// The last pipeline's commands ended with these exit codes.
    #[track_caller]
    pub fn pipe_status(&self, codes: &[i32]) -> &Self {
        self.check(self.pipe_status == codes, || format!("expected PIPESTATUS {codes:?}"))
    }

    /// Wrote exactly this to stdout.
    #[track_caller]
    pub fn stdout_is(&self, expected: &str) -> &Self {
        self.check(self.stdout == expected.as_bytes(), || {
            format!("stdout differs:\n{}", diff(expected, &self.out()))
        })
    }

    /// Wrote this to stdout, among other things.
    #[track_caller]
    pub fn stdout_has(&self, part: &str) -> &Self {
        self.check(self.out().contains(part), || format!("expected on stdout: {part}"))
    }

    /// Wrote nothing to stdout.
    #[track_caller]
    pub fn stdout_is_empty(&self) -> &Self {
        self.check(self.stdout.is_empty(), || "expected nothing on stdout".to_owned())
    }

    /// Wrote exactly this to stderr.
    #[track_caller]
    pub fn stderr_is(&self, expected: &str) -> &Self {
        self.check(self.stderr == expected.as_bytes(), || {
            format!("stderr differs:\n{}", diff(expected, &self.err()))
        })
    }

    /// Wrote this to stderr, among other things.
    #[track_caller]
    pub fn stderr_has(&self, part: &str) -> &Self {
        self.check(self.err().contains(part), || format!("expected on stderr: {part}"))
    }

    /// Wrote nothing to stderr.
    #[track_caller]
    pub fn stderr_is_empty(&self) -> &Self {
        self.check(self.stderr.is_empty(), || "expected nothing on stderr".to_owned())
    }

    /// Did not panic, by what it says and by how it ended (101 is the exit code of a panic).
    #[track_caller]
    pub fn no_panic(&self) -> &Self {
        let fine = self.code.is_some_and(|code| code != 101) && !self.err().contains("panicked at");
        self.check(fine, || "it panicked or was killed".to_owned())
    }

    #[track_caller]
    fn check(&self, fine: bool, why: impl FnOnce() -> String) -> &Self {
        if !fine {
            self.fail(&why());
        }
        self
    }

    /// Fails the test for this reason, showing everything.
    ///
    /// # Panics
    /// Always.
    #[track_caller]
    pub fn fail(&self, why: &str) -> ! {
        panic!("{why}\n{}", self.report());
    }

    /// Command, ending, stdout and stderr, as failures show them: the start of each stream where it is long.
    pub fn report(&self) -> String {
        let mut text = format!("command: {}\nexit code: ", self.shown);
        match (self.code, self.signal) {
            (Some(code), _) => write!(text, "{code}"),
            (None, signal) => write!(text, "none, signal {}", signal.unwrap_or(0)),
        }
        .unwrap();
        if !self.pipe_status.is_empty() {
            write!(text, ", PIPESTATUS {:?}", self.pipe_status).unwrap();
        }
        write!(text, " after {:.2} s", self.elapsed.as_secs_f64()).unwrap();
        for (name, bytes) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(1500)]);
            write!(text, "\n--- {name}: {} bytes\n{shown}", bytes.len()).unwrap();
        }
        text
    }
}

/// The lines that differ, with two lines before the first difference; `-` is missing, `+` was not expected.
pub(crate) fn diff(expected: &str, got: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), got.lines().collect());
    let same_start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let room = old.len().min(new.len()) - same_start;
    let same_end = old.iter().rev().zip(new.iter().rev()).take(room).take_while(|(a, b)| a == b).count();
    let mut text = String::new();
    if same_start == old.len().max(new.len()) {
        return "(only the end of the last line)\n".to_owned();
    }
    for line in &old[same_start.saturating_sub(2)..same_start] {
        writeln!(text, "  {line}").unwrap();
    }
    for (sign, lines) in
        [('-', &old[same_start..old.len() - same_end]), ('+', &new[same_start..new.len() - same_end])]
    {
        for line in lines.iter().take(30) {
            writeln!(text, "{sign} {line}").unwrap();
        }
        if lines.len() > 30 {
            writeln!(text, "{sign} … {} lines more", lines.len() - 30).unwrap();
        }
    }
    format!("(line {} on)\n{text}", same_start + 1)
}

#[cfg(test)]
mod tests {
    use super::diff;

    #[test]
    fn shows_what_differs_and_no_more() {
        assert_eq!(diff("a\nb\nc\nd\n", "a\nb\nX\nd\n"), "(line 3 on)\n  a\n  b\n- c\n+ X\n");
        assert_eq!(diff("a\n", "a\nb\n"), "(line 2 on)\n  a\n+ b\n");
        assert_eq!(diff("a\na\n", "a\n"), "(line 2 on)\n  a\n- a\n");
        assert_eq!(diff("a\n", "a"), "(only the end of the last line)\n");
    }
}
