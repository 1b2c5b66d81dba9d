//! From counts to rows: ranking, folding, order, cumulative sums.

use std::cmp::Reverse;

use probeline_chart::order::{self, NaturalKey};
use probeline_chart::{Bins, Decimal};

use crate::args::Sort;
use crate::count::{Counter, OTHER, Sums};
use crate::keys::{Keys, split};

/// Rows of empty bins are written between occupied ones while there are at most this many in all.
const MOST_FILLED: i128 = 100_000;

/// How to make rows of the counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) sort: Sort,
    pub(crate) top: Option<u32>,
    /// This many bins of equal width, now that the range is known.
    pub(crate) linear: Option<u32>,
    pub(crate) fill: Fill,
    /// The series to show, in this order; all of them where it is empty.
    pub(crate) series: Vec<String>,
    pub(crate) max_series: usize,
}

/// Which rows to write that nothing was counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fill {
    /// None.
    Nothing,
    /// Bins between the first and the last occupied one.
    Between,
    /// All bins between the first and the last edge.
    Edges,
    /// The hours from 0 to 23.
    Hours,
}

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ident {
    /// A cell's text, by the number of its key.
    Label(u32),
    /// A number.
    Value(Decimal),
    /// A bin of numbers, open where an edge is missing.
    Range(Option<Decimal>, Option<Decimal>),
    /// Empty cells.
    Absent,
    /// Everything that has no row of its own.
    Other,
}

/// An [`Ident`] in eight bytes: there may be millions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Label(u32),
    /// A number or a bin, by its place in [`Scale::keys`].
    Number(u32),
    Absent,
    Other,
}

/// What numbers stand for.
#[derive(Debug, Default)]
struct Scale {
    /// Keys of `bins`, or units of numbers without it.
    keys: Vec<i128>,
    bins: Option<Bins>,
}

impl Scale {
    fn push(&mut self, key: i128) -> Group {
        self.keys.push(key);
        Group::Number(self.keys.len() as u32 - 1)
    }

    fn key(&self, group: Group) -> Option<i128> {
        match group {
            Group::Number(at) => self.keys.get(at as usize).copied(),
            _ => None,
        }
    }

    fn ident(&self, group: Group) -> Ident {
        match (group, self.key(group), &self.bins) {
            (Group::Label(id), ..) => Ident::Label(id),
            (Group::Other, ..) => Ident::Other,
            (_, Some(key), Some(bins)) => {
                let (lo, hi) = bins.range(key);
                Ident::Range(lo, hi)
            }
            (_, Some(key), None) => Ident::Value(Decimal::from_units(key)),
            (Group::Absent | Group::Number(_), None, _) => Ident::Absent,
        }
    }
}

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BinRow {
    group: Group,
    pub(crate) count: u128,
    /// The sum of this row and all above; of distinct values, those in this row or above.
    pub(crate) up_to: u128,
}

/// The finished counts.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) keys: Keys,
    scale: Scale,
    pub(crate) rows: Vec<BinRow>,
    /// Names of the series; none without `--by`. The absent one has an empty name.
    pub(crate) series: Vec<Series>,
    /// One amount per row and series, row by row.
    cells: Vec<u128>,
    pub(crate) series_totals: Vec<u128>,
    pub(crate) total: u128,
    /// Values folded into the row of the others.
    pub(crate) folded: usize,
    /// Series folded into the column of the others.
    pub(crate) folded_series: usize,
    /// Whether empty bins were left out because there were too many.
    pub(crate) gaps: bool,
}

/// A series: one of `--by`'s values, or what no column has room for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Series {
    Name(String),
    Other,
}

impl Summary {
    /// What a row is about.
    pub(crate) fn ident(&self, row: &BinRow) -> Ident {
        self.scale.ident(row.group)
    }

    /// The amounts of a row, one per series.
    pub(crate) fn cells(&self, row: usize) -> &[u128] {
        let width = self.series.len();
        self.cells.get(row * width..(row + 1) * width).unwrap_or_default()
    }
}

/// Rows that will be written: what each is about, and which group counts in it.
struct Layout {
    groups: Vec<Group>,
    row_of: Vec<u32>,
    folded: usize,
    gaps: bool,
}

/// Ranks, folds and orders what was counted. `by` says whether there are series.
pub(crate) fn summarise(counter: Counter, plan: &Plan, by: bool) -> Summary {
    let Counter { keys, series, sums, .. } = counter;
    let (groups, mut scale, group_of) = group(&keys, plan.linear);
    let totals = group_totals(&sums, &group_of, groups.len());
    let spilled = match &sums {
        Sums::One { other, .. } => *other > 0,
        Sums::Many { other, .. } => !other.is_empty(),
        Sums::Distinct { .. } => false,
    };
    let layout = lay_out(&keys, &groups, &mut scale, &totals, plan, spilled);
    drop((groups, totals));

    let series_totals = series_totals(&sums, series.len());
    let (names, column_of, folded_series) =
        if by { columns(&series, &series_totals, plan) } else { (Vec::new(), Vec::new(), 0) };
    let column =
        |id: u32| column_of.get(id as usize).copied().unwrap_or(names.len().saturating_sub(1) as u32);
    let other_row = layout.groups.len().saturating_sub(1) as u32;
    let row = |key: u32| layout.row_of[group_of[key as usize] as usize];

    let width = names.len();
    let mut rows: Vec<BinRow> =
        layout.groups.iter().map(|&group| BinRow { group, count: 0, up_to: 0 }).collect();
    let mut cells = vec![0u128; rows.len() * width];
    let mut column_totals = vec![0u128; width];
    let total;
    if let Sums::Distinct { values, triples } = &sums {
        total = values.len() as u128;
        let placed = || triples.iter().map(|&(key, series, value)| (row(key), column(series), value));
        for (row, _) in unique(placed().map(|(row, _, value)| (row, value))) {
            rows[row as usize].count += 1;
        }
        let mut first = vec![u32::MAX; values.len()];
        for (row, _, value) in placed() {
            first[value as usize] = first[value as usize].min(row);
        }
        for row in first {
            if let Some(row) = rows.get_mut(row as usize) {
                row.up_to += 1;
            }
        }
        if width > 0 {
            for (at, _) in unique(
                placed().map(|(row, column, value)| (row as u64 * width as u64 + u64::from(column), value)),
            ) {
                cells[at as usize] += 1;
            }
            for (column, _) in unique(placed().map(|(_, column, value)| (column, value))) {
                column_totals[column as usize] += 1;
            }
        }
    } else {
        each(&sums, |key, series, amount| {
            let row = key.map_or(other_row, row) as usize;
            rows[row].count += amount;
            rows[row].up_to += amount;
            if width > 0 {
                let column = column(series) as usize;
                cells[row * width + column] += amount;
                column_totals[column] += amount;
            }
        });
        total = rows.iter().map(|row| row.count).sum();
    }
    let mut sum = 0;
    for row in &mut rows {
        sum += row.up_to;
        row.up_to = sum;
    }
    Summary {
        keys,
        scale,
        rows,
        series: names,
        cells,
        series_totals: column_totals,
        total,
        folded: layout.folded,
        folded_series,
        gaps: layout.gaps,
    }
}

/// What is counted together: keys as they are, or the linear bins they fall in; and the group of each key.
fn group(keys: &Keys, linear: Option<u32>) -> (Vec<Group>, Scale, Vec<u32>) {
    let ids = 0..keys.len() as u32;
    let mut scale = Scale::default();
    let numbers = match keys {
        Keys::Labels { .. } => {
            let group = |id| if keys.is_absent(id) { Group::Absent } else { Group::Label(id) };
            return (ids.clone().map(group).collect(), scale, ids.collect());
        }
        Keys::Numbers(numbers) => numbers,
    };
    let values = || ids.clone().filter_map(|id| numbers.value(id));
    let (Some(n), Some(min), Some(max)) = (linear, values().min(), values().max()) else {
        scale.bins = numbers.bins().cloned();
        let groups = ids.clone().map(|id| numbers.get(id).map_or(Group::Absent, |key| scale.push(key)));
        return (groups.collect(), scale, ids.collect());
    };
    let bins = Bins::linear(n, min, max, numbers.places);
    let count = if let Bins::Edges(edges) = &bins { edges.len() - 1 } else { 0 };
    let mut groups: Vec<Group> = (1..=count as i128).map(|key| scale.push(key)).collect();
    let group_of: Vec<u32> =
        ids.map(|id| numbers.value(id).map_or(count as u32, |value| (bins.key(value) - 1) as u32)).collect();
    if group_of.contains(&(count as u32)) {
        groups.push(Group::Absent);
    }
    scale.bins = Some(bins);
    (groups, scale, group_of)
}

/// Calls `f` with each key, series and amount; no key for what found no room.
fn each(sums: &Sums, mut f: impl FnMut(Option<u32>, u32, u128)) {
    match sums {
        Sums::One { per_key, other } => {
            for (key, &amount) in per_key.iter().enumerate() {
                f(Some(key as u32), 0, amount);
            }
            if *other > 0 {
                f(None, 0, *other);
            }
        }
        Sums::Many { per_cell, other } => {
            for (&(key, series), &amount) in per_cell {
                f(Some(key), series, amount);
            }
            for (&series, &amount) in other {
                f(None, series, amount);
            }
        }
        Sums::Distinct { .. } => {}
    }
}

fn group_totals(sums: &Sums, group_of: &[u32], groups: usize) -> Vec<u128> {
    let mut totals = vec![0u128; groups];
    if let Sums::Distinct { triples, .. } = sums {
        for (group, _) in unique(triples.iter().map(|&(key, _, value)| (group_of[key as usize], value))) {
            totals[group as usize] += 1;
        }
    }
    each(sums, |key, _, amount| {
        if let Some(key) = key {
            totals[group_of[key as usize] as usize] += amount;
        }
    });
    totals
}

fn series_totals(sums: &Sums, count: usize) -> Vec<u128> {
    let mut totals = vec![0u128; count];
    let mut add = |series: u32, amount| {
        if let Some(total) = totals.get_mut(series as usize) {
            *total += amount;
        }
    };
    if let Sums::Distinct { triples, .. } = sums {
        for (series, _) in unique(triples.iter().map(|&(_, series, value)| (series, value))) {
            add(series, 1);
        }
    }
    each(sums, |_, series, amount| add(series, amount));
    totals
}

/// Each pair once, in order.
fn unique<A: Ord + Copy>(pairs: impl Iterator<Item = (A, u32)>) -> Vec<(A, u32)> {
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// Which series get columns, and the column of each.
fn columns(labels: &probeline_chart::Labels, totals: &[u128], plan: &Plan) -> (Vec<Series>, Vec<u32>, usize) {
    let name = |id: u32| String::from_utf8_lossy(labels.get(id)).into_owned();
    let mut column_of = vec![OTHER; labels.len()];
    let mut names = Vec::new();
    if plan.series.is_empty() {
        for id in order::by_count(labels, totals).into_iter().take(plan.max_series) {
            column_of[id as usize] = names.len() as u32;
            names.push(Series::Name(name(id)));
        }
    } else {
        for wanted in &plan.series {
            if let Some(id) = labels.find(wanted.as_bytes()) {
                column_of[id as usize] = names.len() as u32;
            }
            names.push(Series::Name(wanted.clone()));
        }
    }
    let folded = column_of.iter().filter(|&&column| column == OTHER).count();
    if folded > 0 {
        for column in column_of.iter_mut().filter(|column| **column == OTHER) {
            *column = names.len() as u32;
        }
        names.push(Series::Other);
    }
    (names, column_of, folded)
}

/// Puts groups in their rows.
fn lay_out(
    keys: &Keys,
    groups: &[Group],
    scale: &mut Scale,
    totals: &[u128],
    plan: &Plan,
    spilled: bool,
) -> Layout {
    // Keys are made once, so that sorting millions of values does not read each of them dozens of times.
    let mut shown: Vec<Ranked<'_>> = groups
        .iter()
        .zip(totals)
        .enumerate()
        .filter(|(_, (group, _))| **group != Group::Absent)
        .map(|(at, (&group, &total))| (Reverse(total), Rank::new(keys, scale, group), at as u32))
        .collect();
    let mut folded = Vec::new();
    if let Some(top) = plan.top.map(|top| top as usize).filter(|&top| top < shown.len()) {
        if top > 0 {
            shown.select_nth_unstable(top - 1);
        }
        folded = shown[top..].iter().map(|ranked| ranked.2).collect();
        shown.truncate(top);
    }
    match plan.sort {
        Sort::Count => shown.sort_unstable(),
        Sort::Value => shown.sort_unstable_by(|a, b| a.1.cmp(&b.1)),
        Sort::Label => shown.sort_by_cached_key(|ranked| text(keys, scale.ident(groups[ranked.2 as usize]))),
    }
    let shown: Vec<u32> = shown.into_iter().map(|(.., group)| group).collect();
    let (filled, gaps) = fill(groups, scale, &shown, plan);

    let mut written = Vec::with_capacity(filled.len() + 2);
    let mut row_of = vec![0u32; groups.len()];
    for (group, at) in filled {
        if let Some(at) = at {
            row_of[at as usize] = written.len() as u32;
        }
        written.push(group);
    }
    if let Some(at) = groups.iter().position(|group| *group == Group::Absent) {
        row_of[at] = written.len() as u32;
        written.push(Group::Absent);
    }
    if spilled || !folded.is_empty() {
        for &at in &folded {
            row_of[at as usize] = written.len() as u32;
        }
        written.push(Group::Other);
    }
    Layout { groups: written, row_of, folded: folded.len(), gaps }
}

/// A row: its group, and the place of that among those counted, none for an empty bin.
type Slot = (Group, Option<u32>);

/// The rows of `shown`, with those of empty bins between them where they are wanted; whether some had to be left out.
fn fill(groups: &[Group], scale: &mut Scale, shown: &[u32], plan: &Plan) -> (Vec<Slot>, bool) {
    let plain = || shown.iter().map(|&at| (groups[at as usize], Some(at))).collect();
    if plan.sort != Sort::Value || plan.top.is_some() || plan.linear.is_some() || plan.fill == Fill::Nothing {
        return (plain(), false);
    }
    let occupied: Vec<(i128, u32)> =
        shown.iter().filter_map(|&at| scale.key(groups[at as usize]).map(|key| (key, at))).collect();
    let mut span = occupied.first().zip(occupied.last()).map(|(first, last)| (first.0, last.0));
    let mut step = 1;
    match (plan.fill, &scale.bins) {
        (Fill::Hours, _) => {
            step = Decimal::ONE.units();
            span = Some((0, 23 * step));
        }
        (Fill::Edges, Some(Bins::Edges(edges))) => {
            let all = (1, edges.len() as i128 - 1);
            span = Some(span.map_or(all, |(low, high)| (low.min(all.0), high.max(all.1))));
        }
        _ => {}
    }
    let Some((low, high)) = span else { return (Vec::new(), false) };
    if (high - low) / step >= MOST_FILLED {
        return (plain(), true);
    }
    let mut rows = Vec::new();
    let mut next = occupied.into_iter().peekable();
    let mut key = low;
    while key <= high {
        match next.next_if(|(occupied, _)| *occupied == key) {
            Some((_, at)) => rows.push((groups[at as usize], Some(at))),
            None => rows.push((scale.push(key), None)),
        }
        key += step;
    }
    (rows, false)
}

/// A group with its place by count, then by value.
type Ranked<'k> = (Reverse<u128>, Rank<'k>, u32);

/// The place of a group by value.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank<'k> {
    /// Numbers and bins ascend with their keys.
    Number(Option<i128>),
    Label(NaturalKey<'k>),
    /// Cell by cell.
    Labels(Vec<NaturalKey<'k>>),
}

impl<'k> Rank<'k> {
    fn new(keys: &'k Keys, scale: &Scale, group: Group) -> Self {
        match (group, keys) {
            (Group::Label(id), Keys::Labels { labels, cells: 1 }) => {
                Self::Label(NaturalKey::new(labels.get(id)))
            }
            (Group::Label(id), Keys::Labels { labels, .. }) => {
                Self::Labels(split(labels.get(id)).map(NaturalKey::new).collect())
            }
            _ => Self::Number(scale.key(group)),
        }
    }
}

/// What `--sort label` orders by.
fn text(keys: &Keys, ident: Ident) -> Vec<u8> {
    match (ident, keys) {
        (Ident::Label(id), Keys::Labels { labels, cells: 1 }) => labels.get(id).to_vec(),
        // No cell holds a nought byte before its end that a reader would see; it parts cells in this order only.
        (Ident::Label(id), Keys::Labels { labels, .. }) => split(labels.get(id)).collect::<Vec<_>>().join(&0),
        (Ident::Value(value), _) => value.to_string().into_bytes(),
        (Ident::Range(lo, hi), _) => {
            let edge = |edge: Option<Decimal>| edge.map_or(String::new(), |e| e.to_string());
            format!("{} {}", edge(lo), edge(hi)).into_bytes()
        }
        _ => Vec::new(),
    }
}
