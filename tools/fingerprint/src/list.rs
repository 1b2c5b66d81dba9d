//! The table of rules as CSV.

use std::io::{self, Write};

use probeline_record::{Encoder, Format};
use probeline_signature::{RULES, Rule, Tally, Weight};

/// Writes every rule with what is known about it.
pub(crate) fn rules(output: impl Write) -> io::Result<()> {
    let mut out = Encoder::new(output, Format::Csv);
    out.header([
        "rule",
        "tool",
        "scope",
        "worth",
        "chance",
        "test",
        "needs",
        "versions",
        "checked_on",
        "source",
    ]);
    for rule in RULES.iter() {
        out.begin();
        out.word(rule.id);
        out.word(rule.tool.name());
        out.word(rule.scope());
        out.word(worth(rule));
        chance(rule.chance(), &mut out);
        out.text(rule.says.as_bytes());
        let needs: Vec<&str> = rule.columns().map(|field| field.name).collect();
        out.text(needs.join(" ").as_bytes());
        out.text(rule.versions.as_bytes());
        out.word(rule.basis.name());
        out.text(rule.source.as_bytes());
        out.end()?;
    }
    out.flush()
}

fn worth(rule: &Rule) -> &'static str {
    match rule.weight {
        Weight::Mark(_) => "mark",
        Weight::Shape(_) => "shape",
        Weight::Detail => "detail",
    }
}

fn chance<W: Write>(chance: Option<f64>, out: &mut Encoder<W>) {
    match chance {
        Some(chance) => out.decimal(&format!("2^{:.1}", chance.log2())),
        None => out.absent(),
    }
}

/// Writes how often every rule was asked and matched, and how often it would have matched by chance.
pub(crate) fn stats(tally: &Tally, output: impl Write) -> io::Result<()> {
    let mut out = Encoder::new(output, Format::Csv);
    out.header(["rule", "tool", "asked", "matched", "expected_by_chance"]);
    for (rule, asked) in tally.rules() {
        out.begin();
        out.word(rule.id);
        out.word(rule.tool.name());
        out.uint(asked.times);
        out.uint(asked.matched);
        match asked.expected(rule) {
            Some(expected) => out.decimal(&format!("{expected:.3e}")),
            None => out.absent(),
        }
        out.end()?;
    }
    out.flush()
}
