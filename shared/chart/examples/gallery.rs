//! Draws one figure of each kind into a folder: `cargo run -p probeline-chart --example gallery -- OUT_DIR`.
//!
//! The data are made up; the figures are for looking at while changing how they are drawn.

use std::path::Path;

use probeline_chart::svg::{
    Axis, BarRow, Bars, Columns, Figure, Kind, Labelled, Line, Lines, MAX_SERIES, Mark, Theme,
};
use probeline_chart::{share, table};

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".into());
    for (name, svg) in figures() {
        std::fs::write(Path::new(&folder).join(format!("{name}.svg")), svg)?;
    }
    Ok(())
}

fn figure(title: &str) -> Figure {
    Figure { title: title.into(), description: "Made-up data.".into(), ..Figure::default() }
}

fn figures() -> Vec<(&'static str, String)> {
    let mut list = vec![
        ("ports", ports(1).svg()),
        ("ports-two", ports(2).svg()),
        ("ports-four", ports(4).svg()),
        ("ports-log", Bars { value: Axis::counts("port scans (logarithmic)").log(true), ..ports(1) }.svg()),
        ("hours", hours(2).svg()),
        ("log-bins", log_bins().svg()),
        ("many-bins", many_bins().svg()),
        ("sizes", sizes(Mark::Points).svg()),
        ("ccdf", ccdf().svg()),
        ("ecdf", Lines { mark: Mark::StepsAfter, ..sizes(Mark::StepsAfter) }.svg()),
        ("series", series(30, 1).svg()),
        ("series-day", series(1, 3).svg()),
        ("empty", Lines::empty().svg()),
        ("one", one().svg()),
    ];
    let mut dark = ports(MAX_SERIES.min(3));
    dark.figure.theme = Theme::Dark;
    list.push(("dark", dark.svg()));
    let mut dark = series(30, 1);
    dark.figure.theme = Theme::Dark;
    list.push(("dark-series", dark.svg()));
    list
}

trait Empty {
    fn empty() -> Self;
}

impl Empty for Lines {
    fn empty() -> Self {
        Self {
            figure: figure("Nothing came"),
            lines: vec![Line::default()],
            mark: Mark::Points,
            x: Axis::counts("scan size").log(true),
            y: Axis::counts("scans").log(true),
            rules: Vec::new(),
        }
    }
}

const NAMES: [&str; 4] = ["passive", "with honeypot", "passive, second half", "honeypot <& 2nd half>"];

fn names(series: usize) -> Vec<String> {
    NAMES.iter().take(series).map(|name| (*name).to_owned()).collect()
}

fn ports(series: usize) -> Bars {
    let counts: [(&str, u32); 9] = [
        ("23", 310_402),
        ("22", 168_001),
        ("8080", 64_120),
        ("445", 41_377),
        ("3389", 20_954),
        ("China Mobile Communications Group Co., Ltd. (Guangdong)", 9_312),
        ("Ünïcode & <markup> 東京", 4_004),
        ("65535", 3),
        ("(other)", 253_870),
    ];
    let total: u32 = counts.iter().map(|c| c.1).sum();
    let rows = counts.iter().map(|&(label, count)| {
        let values: Vec<u32> = (0..series as u32).map(|s| count / (s + 1) + 7 * s).collect();
        let text = |v: u32| {
            let count = table::thousands(&v.to_string());
            if series == 1 {
                format!("{count} ({} %)", share::percent(u128::from(v), u128::from(total), 1))
            } else {
                count
            }
        };
        BarRow {
            label: label.into(),
            texts: values.iter().map(|&v| text(v)).collect(),
            values: values.iter().map(|&v| f64::from(v)).collect(),
        }
    });
    Bars {
        figure: Figure { note: "Other: 41,204 further ports.".into(), ..figure("Most scanned TCP ports") },
        series: names(series),
        rows: rows.collect(),
        value: Axis::counts("port scans"),
    }
}

fn hours(series: usize) -> Columns {
    Columns {
        figure: figure("Port scans by local hour of the source"),
        series: names(series),
        x_title: "local hour of day".into(),
        labels: Labelled::Middles((0..24).map(|h| h.to_string()).collect()),
        values: (0..series)
            .map(|s| (0..24).map(|h| 1000.0 + 90.0 * f64::from((h * 7 + s as i32 * 5) % 11)).collect())
            .collect(),
        value: Axis::counts("port scans"),
    }
}

fn log_bins() -> Columns {
    Columns {
        figure: figure("Packets per source"),
        series: vec![],
        x_title: "packets of one source".into(),
        labels: Labelled::Edges(
            ["0", "1", "10", "100", "1000", "10k", "100k", "1M"].map(String::from).to_vec(),
        ),
        values: vec![vec![0.0, 210_000.0, 31_000.0, 4_012.0, 311.0, 12.0, 1.0]],
        value: Axis::counts("sources").log(true),
    }
}

fn many_bins() -> Columns {
    Columns {
        figure: figure("Destination ports in bins of 256"),
        series: vec![],
        x_title: "TCP destination port".into(),
        labels: Labelled::Even {
            from: 0.0,
            width: 256.0,
            names: (0..256).map(|i| format!("from {}", i * 256)).collect(),
            values: false,
        },
        values: vec![
            (0..256u32).map(|i| f64::from(i.wrapping_mul(2_654_435_761) >> 20) / 9.0 + 20.0).collect(),
        ],
        value: Axis::counts("port scans"),
    }
}

fn sizes(mark: Mark) -> Lines {
    let line = |name: &str, scale: f64| Line {
        name: name.into(),
        points: (0..=25)
            .map(|n| {
                let n = f64::from(n);
                let spike = if n == 25.0 { 8.0 } else { 1.0 };
                (
                    n,
                    if mark == Mark::Points {
                        (scale * spike / n.max(0.1).powf(2.2)).round()
                    } else {
                        n / 25.0
                    },
                )
            })
            .collect(),
    };
    Lines {
        figure: figure("TCP horizontal scans by size"),
        lines: vec![line("by /24", 90_000.0), line("by ASN", 30_000.0)],
        mark,
        x: Axis::counts("horizontal scan size (distinct destination addresses)").log(mark == Mark::Points),
        y: Axis {
            title: if mark == Mark::Points { "scans" } else { "P(X ≤ x)" }.into(),
            kind: if mark == Mark::Points { Kind::Log } else { Kind::Linear },
            ..Axis::default()
        },
        rules: vec![(25.0, "telescope: 25".into())],
    }
}

fn ccdf() -> Lines {
    let line = |name: &str, slope: f64| Line {
        name: name.into(),
        points: (0..60).map(|i| 1.25f64.powi(i).round()).map(|x| (x, x.powf(-slope))).collect(),
    };
    Lines {
        figure: figure("Packets per source"),
        lines: vec![
            line("passive", 0.9),
            line("with honeypot", 0.7),
            line("third", 0.5),
            line("fourth", 0.4),
        ],
        mark: Mark::StepsBefore,
        x: Axis::counts("packets of one source").log(true),
        y: Axis { title: "P(X ≥ x)".into(), kind: Kind::Log, ..Axis::default() },
        rules: vec![],
    }
}

fn series(days: i32, series: usize) -> Lines {
    let line = |s: usize| Line {
        name: NAMES[s].into(),
        points: (0..days * 24)
            .map(|h| {
                (f64::from(h) * 3600.0 + 1_500_000_000.0, f64::from((h * 37 + s as i32 * 11) % 97 + 400))
            })
            .collect(),
    };
    Lines {
        figure: figure("Port scans per hour"),
        lines: (0..series).map(line).collect(),
        mark: Mark::Line,
        x: Axis { title: "time".into(), kind: Kind::Time, ..Axis::default() },
        y: Axis::counts("port scans per hour"),
        rules: vec![],
    }
}

fn one() -> Columns {
    Columns {
        figure: figure("A single bin"),
        series: vec![],
        x_title: "size".into(),
        labels: Labelled::Middles(vec!["1".into()]),
        values: vec![vec![1.0]],
        value: Axis::counts("scans"),
    }
}
