//! Figures held against an XML parser: whole, within their frame, the same every time, whatever they are given.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use probeline_chart::svg::{
    Axis, BarRow, Bars, Columns, Figure, Kind, Labelled, Line, Lines, MAX_SERIES, Mark, Theme,
};

/// Floats and labels that no chart asks for.
const VALUES: [f64; 9] =
    [0.0, 1.0, -3.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, 1e-300, 12_345.678];
const LABELS: [&str; 5] = [
    "",
    "<a href='x'>&\"",
    "\u{1b}[2J\u{0}\u{ffff}",
    "東京 \u{202e}abc",
    "a very long label that will surely not fit into the room there is for labels",
];

fn bars(series: usize) -> Bars {
    let rows = LABELS.iter().cycle().zip(VALUES).map(|(label, value)| BarRow {
        label: (*label).to_owned(),
        values: vec![value; series],
        texts: vec![format!("{value} <b>"); series],
    });
    Bars {
        figure: Figure { title: LABELS.join(" "), note: LABELS.join(" "), ..Figure::default() },
        series: (0..series).map(|s| LABELS[s % LABELS.len()].to_owned()).collect(),
        rows: rows.collect(),
        value: Axis::counts(LABELS[1]),
    }
}

fn columns(labels: Labelled, series: usize, log: bool) -> Columns {
    Columns {
        figure: Figure::default(),
        series: (0..series).map(|s| s.to_string()).collect(),
        x_title: LABELS[4].repeat(3),
        labels,
        values: vec![VALUES.to_vec(); series],
        value: Axis::counts("n").log(log),
    }
}

fn lines(mark: Mark, kind: Kind, points: Vec<(f64, f64)>) -> Lines {
    Lines {
        figure: Figure::default(),
        lines: vec![
            Line { name: LABELS[1].into(), points: points.clone() },
            Line { name: String::new(), points },
        ],
        mark,
        x: Axis { title: LABELS[4].into(), kind, ..Axis::default() },
        y: Axis {
            title: "y".into(),
            kind: if kind == Kind::Log { Kind::Log } else { Kind::Linear },
            ..Axis::default()
        },
        rules: vec![(f64::NAN, "no".into()), (5.0, LABELS[4].into())],
    }
}

fn everything() -> Vec<String> {
    let mut list = Vec::new();
    for series in [0, 1, 2, MAX_SERIES, MAX_SERIES + 3] {
        list.push(bars(series).svg());
    }
    let edges = (0..10).map(|e| e.to_string()).collect::<Vec<_>>();
    let even = Labelled::Even { from: 0.0, width: 10.0, names: edges[1..].to_vec(), values: false };
    for labels in [Labelled::Edges(edges.clone()), Labelled::Middles(edges), even, Labelled::Edges(vec![])] {
        for log in [false, true] {
            list.push(columns(labels.clone(), 2, log).svg());
        }
    }
    let wild: Vec<(f64, f64)> = VALUES.iter().flat_map(|&x| VALUES.iter().map(move |&y| (x, y))).collect();
    for mark in [Mark::Points, Mark::Line, Mark::StepsAfter, Mark::StepsBefore] {
        for kind in [Kind::Linear, Kind::Log, Kind::Time] {
            for points in [wild.clone(), vec![], vec![(3.0, 4.0)], vec![(1.5e9, 1.0), (1.6e9, 2.0)]] {
                list.push(lines(mark, kind, points).svg());
            }
        }
    }
    list
}

fn number(node: roxmltree::Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).map_or(0.0, |text| text.parse().unwrap())
}

#[test]
fn every_figure_is_whole_and_within_its_frame() {
    for svg in everything() {
        let document = roxmltree::Document::parse(&svg).unwrap_or_else(|e| panic!("{e}\n{svg}"));
        let root = document.root_element();
        assert_eq!(root.attribute("role"), Some("img"));
        let (width, height) = (number(root, "width"), number(root, "height"));
        assert!(width > 100.0 && height > 50.0 && height < 4000.0, "{width} x {height}");
        for node in root.descendants().filter(roxmltree::Node::is_element) {
            let class = node.attribute("class").unwrap_or_default();
            let (right, bottom) = match node.tag_name().name() {
                "rect" => {
                    (number(node, "x") + number(node, "width"), number(node, "y") + number(node, "height"))
                }
                "line" => {
                    (number(node, "x1").max(number(node, "x2")), number(node, "y1").max(number(node, "y2")))
                }
                "circle" => (number(node, "cx"), number(node, "cy")),
                "text" => (number(node, "x"), number(node, "y")),
                _ => continue,
            };
            let inside = (0.0..=width + 0.5).contains(&right) && (0.0..=height + 0.5).contains(&bottom);
            assert!(inside, "{class} at {right} {bottom} of {width} {height}\n{svg}");
            assert!(
                node.attributes().all(|a| !a.value().contains("NaN") && !a.value().contains("inf")),
                "{svg}"
            );
        }
        assert!(!svg.contains('\u{1b}') && !svg.contains("<a "), "{svg}");
    }
}

#[test]
fn the_same_data_give_the_same_bytes() {
    assert_eq!(everything(), everything());
}

#[test]
fn a_million_points_are_no_megabytes() {
    let points = (0..1_000_000).map(|i| (f64::from(i), f64::from(i % 1000))).collect();
    let steps =
        lines(Mark::StepsAfter, Kind::Linear, (0..1_000_000).map(|i| (f64::from(i), f64::from(i))).collect());
    assert!(steps.svg().len() < 200_000, "{}", steps.svg().len());
    let points = Lines { rules: vec![], ..lines(Mark::Points, Kind::Linear, points) };
    assert!(points.svg().len() < 10_000_000);
}

#[test]
fn themes_stand_side_by_side() {
    let of = |theme| {
        let mut figure = bars(1);
        figure.figure.theme = theme;
        figure.svg()
    };
    assert!(of(Theme::Auto).contains("@media (prefers-color-scheme:dark)"));
    for (theme, other) in [(Theme::Light, ".pl-dark"), (Theme::Dark, ".pl-light")] {
        assert!(!of(theme).contains("@media") && !of(theme).contains(other));
    }
}
