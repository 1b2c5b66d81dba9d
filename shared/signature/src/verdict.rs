//! One packet's verdict: the tool, how sure, and by which marks.

use std::cmp::Reverse;

use crate::grade::{ALONE, Confidence};
use crate::packet::Facts;
use crate::pattern::{self, Input, SpreadOf};
use crate::rule::{Key, Pattern, Test, Weight};
use crate::rules;
use crate::session::Session;
use crate::source::Source;
use crate::table::{Counter, RuleSet, TABLE, Table};
use crate::tool::Tool;

/// What is said about one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The tool.
    pub tool: Tool,
    /// How sure; `None` where the tool is unknown.
    pub confidence: Option<Confidence>,
    /// Every rule that matched, those of other tools included.
    pub rules: RuleSet,
    /// Versions of the tool that leave these marks, where they tell.
    pub version: Option<&'static str>,
    /// What ties the packet to others of the same run.
    pub session: Option<Session>,
}

impl Verdict {
    /// Nothing was found.
    pub const UNKNOWN: Self =
        Self { tool: Tool::Unknown, confidence: None, rules: RuleSet::EMPTY, version: None, session: None };

    /// Whether it is as sure as asked for, if it names a tool.
    #[inline]
    pub fn is_at_least(&self, least: Confidence) -> bool {
        self.confidence.is_none_or(|confidence| confidence >= least)
    }

    /// The same without a name for the tool.
    #[must_use]
    pub fn unnamed(&self) -> Self {
        Self { rules: self.rules, ..Self::UNKNOWN }
    }
}

/// The verdict on a packet by what is known of its source now. Out of line, so that it is written where its caller wants
/// it and not copied right after.
#[inline(never)]
pub(crate) fn decide(facts: &Facts, hits: RuleSet, source: &Source, input: &Input) -> Verdict {
    let table = &*TABLE;
    let rules = with_session_rules(facts, hits, source, input, table);
    if rules.is_empty() {
        return Verdict::UNKNOWN;
    }
    let context = Context { facts, rules, source, table };
    let mut best: Option<(Confidence, Tool)> = None;
    for place in rules.iter() {
        let tool = table.worth(place).tool;
        if let Some(confidence) = context.grade(place)
            && best
                .is_none_or(|(sure, named)| (wins(confidence), Reverse(tool)) > (wins(sure), Reverse(named)))
        {
            best = Some((confidence, tool));
        }
    }
    let Some((confidence, tool)) = best else {
        return Verdict { rules, ..Verdict::UNKNOWN };
    };
    let of_tool = rules.iter().map(|place| table.worth(place)).filter(|worth| worth.tool == tool);
    let version = of_tool.filter_map(|worth| worth.tells).next();
    let session = Session::of(tool, facts, source, input);
    Verdict { tool, confidence: Some(confidence), rules, version, session }
}

/// What an attribution wins by; the earlier of two tools wins where both are as sure. A mark that a tenth of the
/// packets carry is there for certain, whoever else uses the address, so mixed counts as much: XMap's packets all have
/// ZMap's identification.
fn wins(confidence: Confidence) -> Confidence {
    if confidence == Confidence::Mixed { Confidence::Certain } else { confidence }
}

/// Adds the rules that hold by what the source has sent before and since.
fn with_session_rules(
    facts: &Facts,
    hits: RuleSet,
    source: &Source,
    input: &Input,
    table: &Table,
) -> RuleSet {
    let mut rules = hits;
    let of_kind = table.of(facts.kind);
    let is_masscan = !hits.and(table.masscan).is_empty();
    for rule in &of_kind.pattern {
        let can_ask = facts.traits.has(rule.of) && !facts.lacks.any_of(rule.needs);
        if can_ask && pattern_holds(rule.pattern, facts, is_masscan, source, input) {
            rules.insert(rule.place);
        }
    }
    let Some(evidence) = source.evidence().filter(|evidence| evidence.any_shared()) else { return rules };
    for rule in &of_kind.key {
        if facts.traits.has(rule.of)
            && !facts.lacks.any_of(rule.needs)
            && let Some(value) = (rule.key.value)(facts)
            && evidence.is_shared(rule.place, value, rule.key.bits)
        {
            rules.insert(rule.place);
        }
    }
    rules
}

/// Out of line: most packets are asked one or two patterns, and what all of them read was made ready for each.
#[inline(never)]
fn pattern_holds(pattern: Pattern, facts: &Facts, is_masscan: bool, source: &Source, input: &Input) -> bool {
    let evidence = source.evidence();
    match pattern {
        Pattern::StartPort => {
            is_masscan
                && masscan_start(facts, source)
                    .is_some_and(|start| pattern::is_start(start, source.first_second()))
        }
        Pattern::SamePort => {
            let from_port = evidence.is_some_and(|evidence| evidence.ports.has(facts.sport));
            from_port && facts.ttl_from_255() && facts.plain_ip() && !is_masscan
        }
        Pattern::TtlSpread => {
            rules::may_draw_ttl(facts)
                && evidence.is_some_and(|e| {
                    SpreadOf::kind(facts.kind).is_some_and(|of| e.spread[of as usize].is_drawn())
                })
        }
        Pattern::Pool => pool_size(facts, source, input).is_some(),
        Pattern::Moved => !is_masscan && input.moved.holds(facts),
        // Found when the packet came in, or when a later one told.
        Pattern::RandStream => false,
    }
}

/// The second of masscan's start modulo 20000, of a packet of masscan's.
pub(crate) fn masscan_start(facts: &Facts, source: &Source) -> Option<u16> {
    let base = source.evidence().map_or(facts.sport, |evidence| evidence.ports.base(facts.sport));
    pattern::start_residue(base)
}

/// Size of the pool that a packet's source is one of.
pub(crate) fn pool_size(facts: &Facts, source: &Source, input: &Input) -> Option<u32> {
    pattern::pool_target(facts)?;
    source.evidence()?.pool.size(&input.dsts)
}

/// A packet with everything that its grade depends on.
struct Context<'a> {
    facts: &'a Facts,
    rules: RuleSet,
    source: &'a Source,
    table: &'a Table,
}

impl Context<'_> {
    /// What one matching rule is worth.
    #[inline(never)]
    fn grade(&self, place: usize) -> Option<Confidence> {
        let worth = self.table.worth(place);
        match (worth.weight, worth.test) {
            (Weight::Detail, _) => None,
            (_, Test::Key(key)) => self.grade_key(place, &key),
            (_, Test::Source(pattern)) => Some(Self::grade_pattern(pattern)),
            (Weight::Mark(chance), _) if chance <= ALONE => Some(Confidence::Certain),
            (Weight::Mark(chance), _) => self.grade_mark(worth.counter.as_ref()?, chance, worth.tool),
            (Weight::Shape(None), _) => Some(Confidence::Possible),
            (Weight::Shape(Some(enough)), _) => {
                let count = self.source.counts(worth.counter.as_ref()?, self.table);
                let probable = u32::from(count.matched) >= enough && count.matched >= count.asked.div_ceil(2);
                Some(if probable { Confidence::Probable } else { Confidence::Possible })
            }
        }
    }

    fn grade_key(&self, place: usize, key: &Key) -> Option<Confidence> {
        let value = (key.value)(self.facts)?;
        let sharing = self.source.evidence()?.sharing(place, value);
        // Packets beyond the first, each as unlikely by chance as the key has bits.
        let evidence = sharing.saturating_sub(1).saturating_mul(key.bits);
        match sharing {
            3.. if evidence >= 32 => Some(Confidence::Certain),
            2.. if evidence >= 16 => Some(Confidence::Probable),
            _ => None,
        }
    }

    fn grade_pattern(pattern: Pattern) -> Confidence {
        match pattern {
            // Its chance alone is small enough.
            Pattern::RandStream => Confidence::Certain,
            // However many packets agree: none of these has a chance that could be told.
            Pattern::TtlSpread | Pattern::Pool | Pattern::StartPort | Pattern::SamePort | Pattern::Moved => {
                Confidence::Probable
            }
        }
    }

    fn grade_mark(&self, counter: &Counter, chance: f64, tool: Tool) -> Option<Confidence> {
        let whole = self.source.counts(counter, self.table);
        if whole.is_mixture(chance)
            && let Some(part) = self.source.evidence().and_then(|e| e.counts_of_part(counter, self.facts))
            && let grade @ Some(_) = part.grade(chance)
        {
            return grade;
        }
        let grade = whole.grade(chance)?;
        let alone_in_shape = grade == Confidence::Possible && self.table.has_shape(tool, self.rules);
        Some(if alone_in_shape { Confidence::Probable } else { grade })
    }
}
