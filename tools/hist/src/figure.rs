//! The counts as a figure.

use anyhow::bail;
use probeline_chart::Decimal;
use probeline_chart::dist::{self, Weighted};
use probeline_chart::svg::{
    Axis, BarRow, Bars, Columns, Figure, Kind, Labelled, Line, Lines, MAX_SERIES, Mark, WorldMap,
};
use probeline_chart::table::thousands;

use crate::Task;
use crate::args::{Draw, Log, Sort};
use crate::page::bar;
use crate::summary::{BinRow, Ident, Summary};
use crate::text::with_unit;

/// A bar chart of more categories than this is no figure.
const MOST_BARS: usize = 200;

/// Draws the counts.
pub(crate) fn draw(task: &Task<'_>, summary: &Summary) -> Result<String, anyhow::Error> {
    if summary.series.len() > MAX_SERIES {
        bail!(
            "a figure tells {MAX_SERIES} series apart, not {}; choose with --series or --max-series {}",
            summary.series.len(),
            MAX_SERIES - 1
        );
    }
    let kind = kind(task, summary);
    match kind {
        Draw::Columns => columns(task, summary),
        Draw::Points | Draw::Line => lines(task, summary, kind),
        Draw::Ecdf | Draw::Ccdf => steps(task, summary, kind),
        Draw::Map => map(task, summary),
        Draw::Bars | Draw::Auto => bars(task, summary),
    }
}

fn map(task: &Task<'_>, summary: &Summary) -> Result<String, anyhow::Error> {
    if !summary.series.is_empty() || task.columns.len() > 1 {
        bail!("a map shows one column and one series; choose one with --where");
    }
    let (mut countries, mut undrawn) = (Vec::new(), Vec::new());
    let mut placed = 0;
    for (at, row) in summary.rows.iter().enumerate() {
        let code = task.key_text(summary, row);
        if !matches!(summary.ident(row), Ident::Label(_)) {
            undrawn.push(row);
            continue;
        }
        placed += row.count;
        let text = bar(task, summary, at).1.pop().unwrap_or_default();
        countries.push((code, task.length(row.count), text));
    }
    let mut figure = figure(task, summary, &undrawn);
    let counted = y_title(task);
    let (here, all) = (thousands(&task.amount(placed)), thousands(&task.amount(summary.total)));
    figure.note = format!("{} countries: {here} of {all} {counted}. {}", countries.len(), figure.note);
    let whole = whole(task, summary);
    Ok(WorldMap { figure, amounts: countries, counted, whole, max: task.args.output.max }.svg())
}

fn kind(task: &Task<'_>, summary: &Summary) -> Draw {
    let ordered = task.plan.sort == Sort::Value && task.plan.top.is_none();
    let ranges = summary.rows.iter().any(|row| matches!(summary.ident(row), Ident::Range(..)));
    match task.args.output.draw {
        Draw::Auto if task.args.order.ccdf => Draw::Ccdf,
        Draw::Auto if task.args.bin.every.is_some() && ordered => Draw::Line,
        Draw::Auto if ordered && (ranges || task.args.bin.hour) => Draw::Columns,
        Draw::Auto => Draw::Bars,
        asked => asked,
    }
}

fn log_x(task: &Task<'_>) -> bool {
    matches!(task.args.output.log, Some(Log::X | Log::Xy))
}

fn log_y(task: &Task<'_>) -> bool {
    matches!(task.args.output.log, Some(Log::Y | Log::Xy))
}

/// What every kind has; `undrawn` are rows that the kind has no place for.
fn figure(task: &Task<'_>, summary: &Summary, undrawn: &[&BinRow]) -> Figure {
    let output = &task.args.output;
    let mut note = output.note.clone().unwrap_or_default();
    for row in undrawn {
        let amount = thousands(&task.amount(row.count));
        let gap = if note.is_empty() { "" } else { " " };
        note += &format!("{gap}Not drawn: {} {amount}.", task.key_text(summary, row));
    }
    Figure {
        title: output.title.clone().unwrap_or_default(),
        description: format!(
            "{} by {}: {} in {} rows.",
            y_title(task),
            x_title(task),
            thousands(&task.amount(summary.total)),
            summary.rows.len()
        ),
        note,
        theme: output.theme.into(),
        ..Figure::default()
    }
}

fn x_title(task: &Task<'_>) -> String {
    let own = match task.columns.as_slice() {
        [column] if task.args.bin.hour && !column.ends_with("hour") => "hour of day (UTC)".into(),
        [column] if task.args.bin.every.is_some() && column == "ts" => "time".into(),
        [column] if task.args.bin.every.is_some() => column.clone(),
        [column] => with_unit(column),
        several => several.join(", "),
    };
    task.args.output.x_title.clone().unwrap_or(own)
}

fn y_title(task: &Task<'_>) -> String {
    let counted = task.counted();
    let own = match task.args.bin.every {
        _ if task.args.order.shares => format!("share of {counted} (%)"),
        Some(every) => format!("{counted} per {}", span(every.as_secs_f64())),
        None => counted,
    };
    task.args.output.y_title.clone().unwrap_or(own)
}

fn span(seconds: f64) -> String {
    let units = [(86_400.0, "d"), (3_600.0, "h"), (60.0, "min")];
    let whole = units.into_iter().find(|(unit, _)| seconds % unit == 0.0);
    let (unit, name) = whole.unwrap_or((1.0, "s"));
    let number = seconds / unit;
    // "per hour" reads better than "per 1 h".
    match (number == 1.0, name) {
        (true, "d") => "day".into(),
        (true, "h") => "hour".into(),
        (true, "min") => "minute".into(),
        (true, _) => "second".into(),
        _ => format!("{number} {name}"),
    }
}

/// Whether only whole numbers were counted: rows, or weights that happen to be whole.
fn whole(task: &Task<'_>, summary: &Summary) -> bool {
    let one = Decimal::ONE.units().unsigned_abs();
    task.args.count.weight.is_none() || summary.rows.iter().all(|row| row.count % one == 0)
}

fn value_axis(task: &Task<'_>, summary: &Summary, title: String) -> Axis {
    let whole = whole(task, summary) && !task.args.order.shares;
    Axis { title, whole, max: task.args.output.max, ..Axis::default() }.log(log_y(task))
}

fn bars(task: &Task<'_>, summary: &Summary) -> Result<String, anyhow::Error> {
    if summary.rows.len() > MOST_BARS {
        bail!("{} bars make no figure; choose with --top, or use --bins", summary.rows.len());
    }
    let rows = summary.rows.iter().enumerate().map(|(at, row)| {
        let (values, texts) = bar(task, summary, at);
        BarRow { label: task.key_text(summary, row), values, texts }
    });
    let bars = Bars {
        figure: figure(task, summary, &[]),
        series: task.series_names(summary),
        rows: rows.collect(),
        value: value_axis(task, summary, y_title(task)),
    };
    Ok(bars.svg())
}

fn columns(task: &Task<'_>, summary: &Summary) -> Result<String, anyhow::Error> {
    let drawn =
        |row: &BinRow| matches!(summary.ident(row), Ident::Range(..) | Ident::Value(_) | Ident::Label(_));
    let shown: Vec<(usize, &BinRow)> =
        summary.rows.iter().enumerate().filter(|(_, row)| drawn(row)).collect();
    let undrawn: Vec<&BinRow> = summary.rows.iter().filter(|row| !drawn(row) && row.count > 0).collect();
    let lists: Vec<(Vec<f64>, Vec<String>)> = shown.iter().map(|(at, _)| bar(task, summary, *at)).collect();
    let series = summary.series.len().max(1);
    let columns = Columns {
        figure: figure(task, summary, &undrawn),
        series: task.series_names(summary),
        x_title: x_title(task),
        labels: labels(task, summary, &shown),
        values: (0..series).map(|s| lists.iter().map(|(values, _)| values[s]).collect()).collect(),
        value: value_axis(task, summary, y_title(task)),
    };
    Ok(columns.svg())
}

/// Edges where bins follow each other without a gap and are wider than one, else a name in the middle of each.
fn labels(task: &Task<'_>, summary: &Summary, shown: &[(usize, &BinRow)]) -> Labelled {
    let ranges: Vec<(Option<Decimal>, Option<Decimal>)> = shown
        .iter()
        .filter_map(|(_, row)| match summary.ident(row) {
            Ident::Range(lo, hi) => Some((lo, hi)),
            _ => None,
        })
        .collect();
    let time = task.args.bin.every.is_some();
    let joined = ranges.windows(2).all(|pair| pair[0].1 == pair[1].0);
    let ones = ranges.iter().all(|(lo, hi)| match (lo, hi) {
        (Some(lo), Some(hi)) => hi.units() - lo.units() == Decimal::ONE.units(),
        _ => false,
    });
    if ranges.len() < shown.len() || !joined || time {
        return Labelled::Middles(shown.iter().map(|(_, row)| task.key_text(summary, row)).collect());
    }
    let name = |at: usize| shown.get(at).map_or_else(String::new, |(_, row)| task.key_text(summary, row));
    if let Some(even) = even(&ranges, ones, name) {
        return even;
    }
    if ones {
        return Labelled::Middles(ranges.iter().map(|(lo, _)| edge(*lo)).collect());
    }
    let mut edges: Vec<String> = ranges.iter().map(|(lo, _)| edge(*lo)).collect();
    edges.extend(ranges.last().map(|(_, hi)| edge(*hi)));
    Labelled::Edges(edges)
}

/// Many bins of one width have round numbers under them instead of their edges; `name` is a bin's tooltip.
fn even(
    ranges: &[(Option<Decimal>, Option<Decimal>)],
    values: bool,
    name: impl Fn(usize) -> String,
) -> Option<Labelled> {
    const MANY: usize = 24;
    let (from, to) = (ranges.first()?.0?.to_f64(), ranges.last()?.1?.to_f64());
    let width = (to - from) / ranges.len() as f64;
    // Linear bins have their edges rounded to what the values can be: a twentieth of a bin is not seen.
    let mut edges = ranges.iter().enumerate();
    let even = edges.all(|(at, (lo, _))| {
        lo.is_some_and(|lo| (lo.to_f64() - from - width * at as f64).abs() <= width / 20.0)
    });
    (ranges.len() > MANY && even).then(|| Labelled::Even {
        from,
        width,
        names: (0..ranges.len()).map(name).collect(),
        values,
    })
}

/// An edge as an axis writes it: round thousands and millions short, an open end as a dash.
fn edge(edge: Option<Decimal>) -> String {
    let Some(edge) = edge else { return "…".into() };
    let text = edge.to_string();
    for (noughts, suffix) in [("000000000", "G"), ("000000", "M"), ("000", "k")] {
        if text.len() > 4
            && edge.places() == 0
            && let Some(short) = text.strip_suffix(noughts).filter(|short| !short.is_empty())
        {
            return format!("{short}{suffix}");
        }
    }
    text
}

/// Where a row lies on an axis of numbers.
fn place(summary: &Summary, row: &BinRow) -> Option<f64> {
    match summary.ident(row) {
        Ident::Value(value) => Some(value.to_f64()),
        Ident::Range(lo, _) => lo.map(Decimal::to_f64),
        _ => None,
    }
}

fn x_axis(task: &Task<'_>) -> Axis {
    let title = x_title(task);
    if task.args.bin.every.is_some() || task.columns[0] == "ts" {
        return Axis { title, kind: Kind::Time, ..Axis::default() };
    }
    if task.args.bin.hour {
        return Axis { title, kind: Kind::Hours, ..Axis::default() };
    }
    Axis { title, ..Axis::default() }.log(log_x(task))
}

fn rules(task: &Task<'_>) -> Vec<(f64, String)> {
    task.args.output.mark.iter().map(|(at, name)| (at.to_f64(), name.clone())).collect()
}

fn lines(task: &Task<'_>, summary: &Summary, kind: Draw) -> Result<String, anyhow::Error> {
    let names = task.series_names(summary);
    let several = summary.series.len().max(1);
    let mut lines: Vec<Line> = (0..several)
        .map(|series| Line { name: names.get(series).cloned().unwrap_or_default(), points: Vec::new() })
        .collect();
    let mut undrawn = Vec::new();
    for (at, row) in summary.rows.iter().enumerate() {
        let Some(x) = place(summary, row) else {
            undrawn.push(row);
            continue;
        };
        for (line, y) in lines.iter_mut().zip(bar(task, summary, at).0) {
            // A size that never occurs is no point of a distribution; a quiet hour is one of a time series.
            if kind == Draw::Line || y > 0.0 {
                line.points.push((x, y));
            }
        }
    }
    let mark = if kind == Draw::Line { Mark::Line } else { Mark::Points };
    let lines = Lines {
        figure: figure(task, summary, &undrawn),
        lines,
        mark,
        x: x_axis(task),
        y: value_axis(task, summary, y_title(task)),
        rules: rules(task),
    };
    Ok(lines.svg())
}

fn steps(task: &Task<'_>, summary: &Summary, kind: Draw) -> Result<String, anyhow::Error> {
    if summary.rows.iter().any(|row| matches!(summary.ident(row), Ident::Range(..))) {
        bail!("a distribution is drawn from values; leave --bins, --every and --hour out");
    }
    let names = task.series_names(summary);
    let several = summary.series.len().max(1);
    let amount = |at: usize, series: usize| {
        if summary.series.is_empty() { summary.rows[at].count } else { summary.cells(at)[series] }
    };
    let value = |row: &BinRow| match summary.ident(row) {
        Ident::Value(value) => Some(value),
        _ => None,
    };
    let values: Vec<(usize, Decimal)> =
        summary.rows.iter().enumerate().filter_map(|(at, row)| value(row).map(|v| (at, v))).collect();
    let undrawn: Vec<&BinRow> = summary.rows.iter().filter(|row| value(row).is_none()).collect();
    let lines = (0..several).map(|series| {
        let weighted: Vec<Weighted> = values.iter().map(|&(at, value)| (value, amount(at, series))).collect();
        let total = dist::sum(&weighted) as f64;
        let part = |step: &dist::Step| if kind == Draw::Ecdf { step.at_most } else { step.at_least };
        let points = dist::steps(&weighted);
        let points = points.iter().map(|step| (step.value.to_f64(), part(step) as f64 / total)).collect();
        Line { name: names.get(series).cloned().unwrap_or_default(), points }
    });
    let (mark, own) = match kind {
        Draw::Ecdf => (Mark::StepsAfter, "P(X ≤ x)"),
        _ => (Mark::StepsBefore, "P(X ≥ x)"),
    };
    let title = task.args.output.y_title.clone().unwrap_or_else(|| own.into());
    let lines = Lines {
        figure: figure(task, summary, &undrawn),
        lines: lines.collect(),
        mark,
        x: x_axis(task),
        y: Axis { title, ..Axis::default() }.log(log_y(task)),
        rules: rules(task),
    };
    Ok(lines.svg())
}
