//! The accounting lines of the tools, read by other means than those that wrote them.

/// What an accounting line says: `pkt2csv: 2011 packets read = 2006 rows + 5 skipped (3 not-ip, 2
/// truncated-ip)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// How many were read.
    pub read: u64,
    /// What became of them; the skipped ones are the part of this name.
    pub parts: Vec<(String, u64)>,
    /// Why they were skipped.
    pub skipped: Vec<(String, u64)>,
    /// What stands behind the semicolon.
    pub notes: Vec<(String, u64)>,
}

impl Account {
    /// Finds the accounting line of a tool in what was written to stderr.
    ///
    /// # Errors
    /// When there is not exactly one, it is malformed, or it does not add up.
    pub fn find(tool: &str, stderr: &str) -> Result<Self, String> {
        let prefix = format!("{tool}: ");
        let mut lines = stderr
            .lines()
            .filter_map(|line| line.strip_prefix(&prefix))
            .filter(|line| line.contains(" read ="));
        let (Some(line), None) = (lines.next(), lines.next()) else {
            return Err(format!("not exactly one accounting line of {tool} in:\n{stderr}"));
        };
        let account = Self::parse(line).ok_or_else(|| format!("a malformed accounting line: {line}"))?;
        account.check().map_err(|why| format!("{why}: {line}"))?;
        Ok(account)
    }

    fn parse(line: &str) -> Option<Self> {
        let (read, rest) = line.split_once(" read = ")?;
        let (sum, notes) = rest.split_once("; ").unwrap_or((rest, ""));
        let (sum, skipped) = match sum.split_once(" (") {
            Some((sum, skipped)) => (sum, skipped.strip_suffix(')')?),
            None => (sum, ""),
        };
        Some(Self {
            read: read.split(' ').next()?.parse().ok()?,
            parts: counts(sum, " + ")?,
            skipped: counts(skipped, ", ")?,
            notes: counts(notes, ", ")?,
        })
    }

    fn check(&self) -> Result<(), &'static str> {
        if self.parts.iter().map(|(_, count)| count).sum::<u64>() != self.read {
            return Err("what was read is not the sum of what became of it");
        }
        if self.skipped.iter().map(|(_, count)| count).sum::<u64>() != self.part("skipped") {
            return Err("what was skipped is not the sum of the reasons");
        }
        Ok(())
    }

    /// The count of a part; 0 where the line does not have it.
    pub fn part(&self, name: &str) -> u64 {
        self.parts.iter().filter(|(part, _)| part == name).map(|(_, count)| count).sum()
    }

    /// The count of a note.
    pub fn note(&self, name: &str) -> Option<u64> {
        self.notes.iter().find(|(note, _)| note == name).map(|(_, count)| *count)
    }
}

/// `3 not-ip, 2 truncated-ip` as names and counts. A name may itself contain what stands between them.
fn counts(text: &str, between: &str) -> Option<Vec<(String, u64)>> {
    let mut counts: Vec<(String, u64)> = Vec::new();
    for part in text.split(between).filter(|part| !part.is_empty()) {
        let count =
            part.split_once(' ').and_then(|(count, name)| Some((name.to_owned(), count.parse().ok()?)));
        match (count, counts.last_mut()) {
            (Some(count), _) => counts.push(count),
            (None, Some((name, _))) => *name += &format!("{between}{part}"),
            (None, None) => return None,
        }
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_held_to_their_sum() {
        let line = "x: a note\nx: 9 packets read = 3 in scan flows + 1 in other flows \
            + 5 skipped (3 arp, 2 cut); 4 rows written, 0 bins, or so\n";
        let account = Account::find("x", line).unwrap();
        assert_eq!((account.read, account.part("in scan flows"), account.part("skipped")), (9, 3, 5));
        assert_eq!(
            (account.note("rows written"), account.note("bins, or so"), account.note("hats")),
            (Some(4), Some(0), None)
        );
        assert!(Account::find("x", "x: 0 rows read = 0 counted + 0 skipped\n").is_ok());
        for wrong in [
            "",
            "y: 1 rows read = 1 rows + 0 skipped\n",
            "x: 9 packets read = 3 rows + 5 skipped (5 arp)\n",
            "x: 8 packets read = 3 rows + 5 skipped (4 arp)\n",
            "x: 8 packets read = 3 rows + 5 skipped\n",
            "x: 1 rows read = one row + 0 skipped\n",
            "x: 1 rows read = 1 rows + 0 skipped\nx: 1 rows read = 1 rows + 0 skipped\n",
        ] {
            assert!(Account::find("x", wrong).is_err(), "{wrong}");
        }
    }
}
