//! Every entry of the table against its own examples.

use super::RULES;
use crate::engine::{Engine, Options};
use crate::grade::Confidence;
use crate::packet::Kind;
use crate::rule::{Rule, Test};
use crate::tool::Tool;
use crate::vector;
use crate::verdict::Verdict;

/// The verdicts on these packets, once all are known.
fn verdicts(packets: &[&str]) -> Vec<Verdict> {
    verdicts_but(packets, None)
}

fn verdicts_but(packets: &[&str], but: Option<(&str, &str)>) -> Vec<Verdict> {
    let mut engine = Engine::new(&Options::default());
    for packet in packets.iter().flat_map(|text| vector::packets_but(text, but)) {
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

/// A rule finds nothing in packets without what it says it needs, and reads nothing else: whatever stands there.
#[test]
fn needs_are_what_is_read() {
    let may_lack = [
        "src_port",
        "dst_port",
        "ip_len",
        "ttl",
        "ip_id",
        "ip_tos",
        "ip_df",
        "tcp_seq",
        "tcp_ack",
        "tcp_win",
        "icmp_code",
        "icmp_id",
        "icmp_seq",
        "udp_sum",
        "payload_len",
    ];
    let mut wrong = Vec::new();
    for rule in RULES.iter() {
        for run in runs(rule, rule.positive) {
            for column in may_lack {
                let finds =
                    |value| verdicts_but(run, Some((column, value))).last().unwrap().rules.has(place(rule));
                let has_column = run.iter().all(|text| {
                    let of = |value| vector::packets_but(text, Some((column, value)))[0].lacks;
                    of("") != of("1")
                });
                if !has_column {
                    continue;
                }
                let needs = rule.needs.iter().any(|field| field.name == column);
                if needs && finds("") {
                    wrong.push(format!("{} is found without {column}", rule.id));
                }
                if !needs && !["0", "1", "77", "200"].into_iter().all(finds) {
                    wrong.push(format!("{} reads {column}", rule.id));
                }
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A time to live drawn for each packet is a shape: no chance can be told for it, so that a hundred packets are no more
/// sure than a dozen, until a mark is among them.
#[test]
fn drawn_times_to_live_are_probable() {
    let source = |seq: fn(u32) -> u32| {
        let packet = |i: u32| {
            let (ttl, seq) = (37 + i * 7 % 23, seq(i));
            let common = "tcp 198.18.0.1 40000 > 198.18.1.1";
            format!("{common} {} S len=44 ttl={ttl} id={i} seq={seq} win=1024 opts=2 mss=1460", 1000 + i)
        };
        let packets: Vec<String> = (1..=100).map(packet).collect();
        let texts: Vec<&str> = packets.iter().map(String::as_str).collect();
        let named: Vec<_> = verdicts(&texts).iter().map(|v| (v.tool, v.confidence)).collect();
        assert!(named.iter().all(|other| *other == named[0]), "{named:?}");
        named[0]
    };
    let unrelated = |i: u32| i.wrapping_mul(2_654_435_761) ^ 0x5bd1_e995;
    assert_eq!(source(unrelated), (Tool::Nmap, Some(Confidence::Probable)));
    assert_eq!(source(|_| 4_237_197_429), (Tool::Nmap, Some(Confidence::Certain)));
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
