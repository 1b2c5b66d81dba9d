use probeline_cli::Account;
use probeline_scan::{Class, Probe, Tally, Technique};

use crate::packets::Counts;

/// What came in and what became of it.
#[derive(Default)]
pub(crate) struct Summary {
    rows: Counts,
    /// Packets that the saved state brought, and those that it keeps; where there is one.
    pub(crate) state: Option<(u64, u64)>,
    pub(crate) tally: Tally,
    classes: [Count; Class::ALL.len()],
    techniques: [Count; Technique::ALL.len()],
}

#[derive(Clone, Copy, Default)]
struct Count {
    flows: u64,
    packets: u64,
}

impl Count {
    fn add(&mut self, probe: &Probe<'_>) {
        self.flows += 1;
        self.packets += probe.packets;
    }
}

impl Summary {
    /// Adds the rows of a batch.
    pub(crate) fn rows(&mut self, batch: Counts) {
        self.rows.read += batch.read;
        self.rows.malformed += batch.malformed;
        self.rows.malformed_cells += batch.malformed_cells;
    }

    pub(crate) fn count(&mut self, probe: &Probe<'_>) {
        self.classes[probe.class as usize].add(probe);
        if let Some(technique) = probe.technique {
            self.techniques[technique as usize].add(probe);
        }
    }

    pub(crate) fn account(&self, wanted: &[Class], rows: u64) -> Account {
        let (restored, kept) = self.state.unwrap_or_default();
        let mut account = Account::new("packets", restored + self.rows.read + self.rows.malformed);
        for class in Class::ALL {
            let packets = self.classes[*class as usize].packets;
            if wanted.contains(class) || packets > 0 {
                account = account.part(format!("in {class} flows"), packets);
            }
        }
        if self.tally.continued > 0 {
            account = account.part("in flows already written", self.tally.continued);
        }
        if self.state.is_some() {
            account = account.part("kept in the state", kept).note("from the state", restored);
        }
        account = account
            .skipped("malformed rows", self.rows.malformed)
            .skipped("malformed cells", self.rows.malformed_cells)
            .skipped("late", self.tally.late)
            .note("rows written", rows);
        for (what, count) in [
            ("flows evicted", self.tally.evicted),
            ("taken before the reorder time was over", self.tally.hurried),
            ("times a bounded memory was dropped", self.tally.forgotten),
        ] {
            if count > 0 {
                account = account.note(what, count);
            }
        }
        account
    }

    /// Rows of the table of classes and techniques: class, technique, flows, packets.
    fn lines(&self) -> impl Iterator<Item = (&'static str, &'static str, Count)> {
        let techniques = Technique::ALL
            .iter()
            .map(|t| (Class::Scan.name(), t.name(), self.techniques[*t as usize]))
            .filter(|(_, _, count)| count.flows > 0);
        let others = Class::ALL[1..].iter().map(|c| (c.name(), "", self.classes[*c as usize]));
        techniques.chain(others)
    }

    /// The table as CSV: `class,technique,flows,packets`.
    pub(crate) fn csv(&self) -> String {
        let lines = self.lines().map(|(class, technique, count)| {
            format!("{class},{technique},{},{}\n", count.flows, count.packets)
        });
        std::iter::once("class,technique,flows,packets\n".to_owned()).chain(lines).collect()
    }

    /// The table for people, with shares of all flows.
    pub(crate) fn table(&self) -> String {
        let all: u64 = self.classes.iter().map(|count| count.flows).sum();
        let head = format!(
            "\n{:<12} {:<17} {:>10} {:>8} {:>12}\n",
            "class", "technique", "flows", "share", "packets"
        );
        let lines = self.lines().map(|(class, technique, count)| {
            let share = if all > 0 { 100.0 * count.flows as f64 / all as f64 } else { 0.0 };
            format!("{class:<12} {technique:<17} {:>10} {share:>6.2} % {:>12}\n", count.flows, count.packets)
        });
        let total = format!("{:<12} {:<17} {all:>10}", "all", "");
        std::iter::once(head).chain(lines).chain([total]).collect()
    }
}
