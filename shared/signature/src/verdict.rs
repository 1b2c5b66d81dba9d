//! One packet's verdict: the tool, how sure, and by which marks.

use crate::grade::{ALONE, Confidence};
use crate::packet::Facts;
use crate::pattern::{self, Divisor, SpreadOf};
use crate::rule::{Pattern, Rule, Test, Weight};
use crate::rules::{self, RULES};
use crate::session::Session;
use crate::source::Source;
use crate::table::{RuleSet, TABLE};
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

    /// The same without a name for the tool, where it is less sure than asked for.
    #[must_use]
    pub fn at_least(self, least: Confidence) -> Self {
        match self.confidence {
            Some(confidence) if confidence < least => Self { rules: self.rules, ..Self::UNKNOWN },
            _ => self,
        }
    }
}

/// The verdict on a packet by what is known of its source now.
pub(crate) fn decide(facts: &Facts, hits: RuleSet, source: &Source, input: &Divisor) -> Verdict {
    let rules = with_session_rules(facts, hits, source, input);
    let mut best: Option<(Confidence, Tool)> = None;
    for place in rules.iter() {
        let rule = RULES[place];
        if let Some(confidence) = grade(place, rule, rules, facts, source) {
            // The earlier of two tools wins where both are as sure.
            let better = match best {
                None => true,
                Some((sure, tool)) => (confidence, tool).0 > sure || (confidence == sure && rule.tool < tool),
            };
            if better {
                best = Some((confidence, rule.tool));
            }
        }
    }
    let Some((confidence, tool)) = best else {
        return Verdict { rules, ..Verdict::UNKNOWN };
    };
    let version =
        rules.iter().map(|place| RULES[place]).filter(|rule| rule.tool == tool).find_map(|r| r.tells);
    let session = Session::of(tool, facts, source, input);
    Verdict { tool, confidence: Some(confidence), rules, version, session }
}

/// Adds the rules that hold by what the source has sent before and since.
fn with_session_rules(facts: &Facts, hits: RuleSet, source: &Source, input: &Divisor) -> RuleSet {
    let mut rules = hits;
    let of_kind = TABLE.of(facts.kind);
    for (place, pattern) in &of_kind.pattern {
        if pattern_holds(*pattern, facts, source, input) {
            rules.insert(*place);
        }
    }
    let Some(evidence) = source.evidence() else { return rules };
    for rule in &of_kind.key {
        if let Some(value) = (rule.key.value)(facts)
            && evidence.sharing(rule.place, value) >= 2
        {
            rules.insert(rule.place);
        }
    }
    rules
}

fn pattern_holds(pattern: Pattern, facts: &Facts, source: &Source, input: &Divisor) -> bool {
    match pattern {
        Pattern::StartPort => {
            let residue = masscan_start(facts, source);
            residue.is_some_and(|residue| pattern::is_start(residue, source.first_second()))
        }
        Pattern::TtlSpread => {
            rules::may_draw_ttl(facts)
                && source
                    .evidence()
                    .zip(SpreadOf::kind(facts.kind))
                    .is_some_and(|(e, of)| e.spread[of as usize].is_drawn())
        }
        Pattern::Pool => pool_size(facts, source, input).is_some(),
    }
}

/// The second of masscan's start modulo 20000, of a packet with its mark.
pub(crate) fn masscan_start(facts: &Facts, source: &Source) -> Option<u16> {
    let base = source.evidence().map_or(facts.sport, |evidence| evidence.ports.base(facts.sport));
    if rules::is_masscan(facts) { pattern::start_residue(base) } else { None }
}

/// Size of the pool that a packet's source is one of.
pub(crate) fn pool_size(facts: &Facts, source: &Source, input: &Divisor) -> Option<u32> {
    pattern::pool_target(facts)?;
    source.evidence()?.pool.as_ref()?.size(input)
}

/// What one matching rule is worth.
fn grade(place: usize, rule: &Rule, rules: RuleSet, facts: &Facts, source: &Source) -> Option<Confidence> {
    match (rule.weight, rule.test) {
        (Weight::Detail, _) => None,
        (_, Test::Key(key)) => {
            let value = (key.value)(facts)?;
            let sharing = source.evidence()?.sharing(place, value);
            // Packets beyond the first, each as likely by chance as the key has bits.
            let evidence = sharing.saturating_sub(1).saturating_mul(key.bits);
            match sharing {
                3.. if evidence >= 32 => Some(Confidence::Certain),
                2.. if evidence >= 16 => Some(Confidence::Probable),
                _ => None,
            }
        }
        (_, Test::Source(Pattern::TtlSpread)) => {
            let packets = source.evidence()?.spread[SpreadOf::kind(facts.kind)? as usize].packets();
            Some(if packets >= 20 { Confidence::Certain } else { Confidence::Probable })
        }
        (_, Test::Source(_)) => Some(Confidence::Probable),
        (Weight::Mark(chance), _) => {
            grade_mark(TABLE.counter(place)?, chance, rule.tool, rules, facts, source)
        }
        (Weight::Shape(None), _) => Some(Confidence::Possible),
        (Weight::Shape(Some(enough)), _) => {
            let count = source.counts(TABLE.counter(place)?);
            let probable = u32::from(count.matched) >= enough && count.matched >= count.asked.div_ceil(2);
            Some(if probable { Confidence::Probable } else { Confidence::Possible })
        }
    }
}

fn grade_mark(
    counter: usize,
    chance: f64,
    tool: Tool,
    rules: RuleSet,
    facts: &Facts,
    source: &Source,
) -> Option<Confidence> {
    if chance <= ALONE {
        return Some(Confidence::Certain);
    }
    let whole = source.counts(counter);
    if whole.is_mixture(chance)
        && let Some(part) = source.evidence().and_then(|evidence| evidence.counts_of_part(counter, facts))
        && let grade @ Some(_) = part.grade(chance)
    {
        return grade;
    }
    let grade = whole.grade(chance)?;
    let has_shape = || {
        rules.iter().map(|place| RULES[place]).any(|r| r.tool == tool && matches!(r.weight, Weight::Shape(_)))
    };
    Some(if grade == Confidence::Possible && has_shape() { Confidence::Probable } else { grade })
}
