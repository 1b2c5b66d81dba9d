//! Every entry of the table against its own examples.

use super::RULES;
use crate::engine::{Engine, Options};
use crate::packet::Kind;
use crate::rule::{Rule, Test};
use crate::vector;
use crate::verdict::Verdict;

/// The verdicts on these packets, once all are known.
fn verdicts(packets: &[&str]) -> Vec<Verdict> {
    let mut engine = Engine::new(&Options::default());
    for packet in packets.iter().flat_map(|text| vector::packets(text)) {
        assert_ne!(packet.kind, Kind::Other, "{packets:?} is cut");
        engine.push(&packet);
    }
    engine.finish();
    std::iter::from_fn(|| engine.pop()).collect()
}

fn place(rule: &Rule) -> usize {
    RULES.iter().position(|other| std::ptr::eq(*other, rule)).unwrap()
}

/// Examples each on their own, or all together where the rule needs several packets.
fn runs<'a>(rule: &Rule, examples: &'a [&'a str]) -> Vec<&'a [&'a str]> {
    match rule.test {
        Test::Packet(_) | Test::PacketIf(..) => examples.chunks(1).collect(),
        _ => examples.chunks(examples.len().max(1)).collect(),
    }
}

#[test]
fn positive_examples_match() {
    for rule in RULES.iter() {
        for run in runs(rule, rule.positive) {
            let last = *verdicts(run).last().unwrap();
            assert!(last.rules.has(place(rule)), "{}: {run:?} gives {last:?}", rule.id);
        }
    }
}

#[test]
fn near_misses_do_not() {
    for rule in RULES.iter() {
        for run in runs(rule, rule.near_miss) {
            let last = *verdicts(run).last().unwrap();
            assert!(!last.rules.has(place(rule)), "{}: {run:?} matches", rule.id);
        }
    }
}

#[test]
fn entries_are_whole() {
    for (i, rule) in RULES.iter().enumerate() {
        assert!(
            rule.id.starts_with(&format!("{}-", rule.tool)) || rule.id == rule.tool.name(),
            "{}",
            rule.id
        );
        assert!(RULES[..i].iter().all(|other| other.id != rule.id), "{} stands twice", rule.id);
        assert!(
            RULES[..i].iter().rev().take_while(|other| other.tool != rule.tool).count() == 0
                || RULES[..i].iter().all(|other| other.tool != rule.tool),
            "{} is not with its tool",
            rule.id
        );
        for text in [rule.says, rule.versions, rule.source] {
            assert!(!text.is_empty() && !text.ends_with('.'), "{}: '{text}'", rule.id);
        }
        assert!(!rule.positive.is_empty(), "{} has no example", rule.id);
        assert!(!rule.near_miss.is_empty(), "{} has no near miss", rule.id);
        let cell_safe = |text: &str| !text.bytes().any(|b| matches!(b, b',' | b'"' | b';' | b' ' | b'\\'));
        assert!(cell_safe(rule.id) && rule.tells.is_none_or(cell_safe), "{}", rule.id);
    }
    assert!(RULES.is_sorted_by_key(|rule| rule.tool), "rules stand in the order of the tools");
}
