use std::collections::BTreeMap;

use probeline_cli::Account;
use probeline_packet::{Reason, Skip};

/// What became of the packets of a batch, or of all of them.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) read: u64,
    pub(crate) rows: u64,
    pub(crate) filtered: u64,
    /// Later fragments among the rows: written without ports.
    pub(crate) fragments: u64,
    reasons: [u64; Reason::COUNT],
    /// Packets of link types that are not known, by number.
    links: BTreeMap<u32, u64>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            read: 0,
            rows: 0,
            filtered: 0,
            fragments: 0,
            reasons: [0; Reason::COUNT],
            links: BTreeMap::new(),
        }
    }

    pub(crate) fn skip(&mut self, skip: Skip) {
        match skip {
            Skip::UnknownLink(link) => *self.links.entry(link).or_default() += 1,
            _ => self.reasons[skip.reason().index()] += 1,
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.read += other.read;
        self.rows += other.rows;
        self.filtered += other.filtered;
        self.fragments += other.fragments;
        for (sum, count) in self.reasons.iter_mut().zip(other.reasons) {
            *sum += count;
        }
        for (link, count) in &other.links {
            *self.links.entry(*link).or_default() += count;
        }
    }

    pub(crate) fn account(&self, has_filter: bool) -> Account {
        let mut account = Account::new("packets", self.read).part("rows", self.rows);
        if has_filter {
            account = account.part("filtered out", self.filtered);
        }
        for reason in Reason::ALL {
            account = account.skipped(reason.name(), self.reasons[reason.index()]);
        }
        for (link, count) in &self.links {
            account = account.skipped(format!("unknown-link-{link}"), *count);
        }
        if self.fragments > 0 {
            account = account.note("rows of later fragments, without ports", self.fragments);
        }
        account
    }
}
