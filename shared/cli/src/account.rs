use std::fmt;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};

use crate::Outcome;

/// Where everything that was read has gone.
///
/// Shown as `2011 packets read = 2006 rows + 5 skipped (3 not-ip, 2 truncated-ip)`: the parts add up to what was
/// read. What does not take part in the sum stands behind a semicolon.
#[derive(Debug, Clone)]
pub struct Account {
    unit: &'static str,
    read: u64,
    parts: Vec<(String, u64)>,
    skipped: Vec<(String, u64)>,
    notes: Vec<(String, u64)>,
}

impl Account {
    /// An account of `read` things of this kind (`packets`, `rows`).
    pub fn new(unit: &'static str, read: u64) -> Self {
        Self { unit, read, parts: Vec::new(), skipped: Vec::new(), notes: Vec::new() }
    }

    /// So many of them became this.
    #[must_use]
    pub fn part(mut self, name: impl Into<String>, count: u64) -> Self {
        self.parts.push((name.into(), count));
        self
    }

    /// So many were skipped for this reason. A reason without any is not shown.
    #[must_use]
    pub fn skipped(mut self, reason: impl Into<String>, count: u64) -> Self {
        if count > 0 {
            self.skipped.push((reason.into(), count));
        }
        self
    }

    /// A count beside the sum, such as rows written by a tool that merges; shown even when it is 0.
    #[must_use]
    pub fn note(mut self, name: impl Into<String>, count: u64) -> Self {
        self.notes.push((name.into(), count));
        self
    }

    fn sum(&self) -> u64 {
        self.parts.iter().chain(&self.skipped).map(|(_, count)| count).sum()
    }

    /// Holds the parts against what was read.
    ///
    /// # Errors
    /// When they do not add up.
    pub fn check(&self) -> Outcome {
        let sum = self.sum();
        if sum != self.read {
            bail!("defect: {} {} read but {sum} accounted for; please report this", self.read, self.unit);
        }
        Ok(())
    }

    /// Writes the account to a file, as one JSON object.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, file: &Path) -> Outcome {
        let create = std::fs::File::create(file).with_context(|| format!("writing {}", file.display()))?;
        self.write_json(create).with_context(|| format!("writing {}", file.display()))
    }

    /// Writes the account as one JSON object and a line feed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_json(&self, mut out: impl Write) -> Outcome {
        let object = |counts: &[(String, u64)]| {
            let entries: Vec<String> =
                counts.iter().map(|(name, count)| format!("\"{name}\":{count}")).collect();
            format!("{{{}}}", entries.join(","))
        };
        let json = format!(
            "{{\"unit\":\"{}\",\"read\":{},\"parts\":{},\"skipped\":{},\"notes\":{}}}\n",
            self.unit,
            self.read,
            object(&self.parts),
            object(&self.skipped),
            object(&self.notes)
        );
        Ok(out.write_all(json.as_bytes())?)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} read =", self.read, self.unit)?;
        for (i, (name, count)) in self.parts.iter().enumerate() {
            write!(f, "{} {count} {name}", if i > 0 { " +" } else { "" })?;
        }
        let skipped: u64 = self.skipped.iter().map(|(_, count)| count).sum();
        write!(f, "{} {skipped} skipped", if self.parts.is_empty() { "" } else { " +" })?;
        for (i, (reason, count)) in self.skipped.iter().enumerate() {
            write!(f, "{}{count} {reason}", if i > 0 { ", " } else { " (" })?;
        }
        if !self.skipped.is_empty() {
            f.write_str(")")?;
        }
        for (i, (name, count)) in self.notes.iter().enumerate() {
            write!(f, "{} {count} {name}", if i > 0 { "," } else { ";" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_like_a_sum() {
        let account = Account::new("packets", 2011)
            .part("rows", 2006)
            .skipped("not-ip", 3)
            .skipped("cut", 0)
            .skipped("truncated-ip", 2);
        assert_eq!(
            account.to_string(),
            "2011 packets read = 2006 rows + 5 skipped (3 not-ip, 2 truncated-ip)"
        );
        assert!(account.check().is_ok());
        assert!(account.part("ghosts", 1).check().is_err());
        let account = Account::new("rows", 0).part("counted", 0).note("bins", 0);
        assert_eq!(account.to_string(), "0 rows read = 0 counted + 0 skipped; 0 bins");
    }
}
