//! Tables for people: aligned text, Markdown, LaTeX with booktabs.

use std::fmt::Write;

use crate::width::{columns, cut, fill, printable};

/// To which side a column's cells are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A table of finished cells.
///
/// ```
/// use probeline_chart::table::{Align, Table};
///
/// let mut table = Table::new([("tool", Align::Left), ("scans", Align::Right)]);
/// table.push(["masscan", "6"]);
/// table.push(["zmap", "1,204"]);
/// assert_eq!(table.plain(80), "tool     scans\nmasscan      6\nzmap     1,204\n");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with these columns.
    pub fn new<N: Into<String>>(columns: impl IntoIterator<Item = (N, Align)>) -> Self {
        Self {
            columns: columns.into_iter().map(|(name, align)| (name.into(), align)).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; cells beyond the last column are dropped, missing ones are empty.
    pub fn push<C: Into<String>>(&mut self, cells: impl IntoIterator<Item = C>) {
        let mut row: Vec<String> = cells.into_iter().take(self.columns.len()).map(Into::into).collect();
        row.resize(self.columns.len(), String::new());
        self.rows.push(row);
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Columns aligned with blanks, two between columns; text columns are cut where a line would be wider than
    /// `width` terminal columns (0: never).
    pub fn plain(&self, width: usize) -> String {
        let header: Vec<String> = self.columns.iter().map(|(name, _)| printable(name)).collect();
        let rows: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
        let mut widths: Vec<usize> = header.iter().map(|name| columns(name)).collect();
        for row in &rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = (*widest).max(columns(cell));
            }
        }
        self.narrow(&mut widths, width);
        let mut out = String::new();
        for row in std::iter::once(&header).chain(&rows) {
            let cells = row.iter().zip(&self.columns).zip(&widths);
            let line: Vec<String> = cells
                .map(|((cell, (_, align)), &w)| fill(&cut(cell, w), w, *align == Align::Right))
                .collect();
            out.push_str(line.join("  ").trim_end());
            out.push('\n');
        }
        out
    }

    /// Takes what is too much from the widest text columns, none below eight.
    fn narrow(&self, widths: &mut [usize], limit: usize) {
        const LEAST: usize = 8;
        let mut over =
            (widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1)).saturating_sub(limit);
        if limit == 0 {
            return;
        }
        while over > 0 {
            let text = (0..widths.len()).filter(|&i| self.columns[i].1 == Align::Left && widths[i] > LEAST);
            let Some(widest) = text.max_by_key(|&i| widths[i]) else { return };
            widths[widest] -= 1;
            over -= 1;
        }
    }

    /// A GitHub-flavoured Markdown table.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        out += &line(self.columns.iter().map(|(name, _)| escape_markdown(name)).collect());
        out += &line(
            self.columns
                .iter()
                .map(|(_, a)| if *a == Align::Right { "---:" } else { "---" }.to_owned())
                .collect(),
        );
        for row in &self.rows {
            out += &line(row.iter().map(|cell| escape_markdown(cell)).collect());
        }
        out
    }

    /// A LaTeX `tabular` with booktabs rules (`\usepackage{booktabs}`); within a `table` when it has a caption.
    pub fn latex(&self, caption: Option<&str>) -> String {
        let mut out = String::new();
        if caption.is_some() {
            out += "\\begin{table}\n\\centering\n";
        }
        if let Some(text) = caption.filter(|text| !text.is_empty()) {
            let _ = writeln!(out, "\\caption{{{}}}", escape_latex(text));
        }
        let spec: String =
            self.columns.iter().map(|(_, a)| if *a == Align::Right { 'r' } else { 'l' }).collect();
        let _ = writeln!(out, "\\begin{{tabular}}{{{spec}}}\n\\toprule");
        let line = |cells: Vec<String>| format!("{} \\\\\n", cells.join(" & "));
        out += &line(self.columns.iter().map(|(name, _)| escape_latex(name)).collect());
        out += "\\midrule\n";
        for row in &self.rows {
            out += &line(row.iter().map(|cell| escape_latex(cell)).collect());
        }
        out += "\\bottomrule\n\\end{tabular}\n";
        if caption.is_some() {
            out += "\\end{table}\n";
        }
        out
    }
}

/// A whole number with a comma between each three digits; anything else as it is.
///
/// ```
/// assert_eq!(probeline_chart::table::thousands("888708"), "888,708");
/// assert_eq!(probeline_chart::table::thousands("1234.5"), "1,234.5");
/// ```
pub fn thousands(number: &str) -> String {
    let (whole, rest) = number.find('.').map_or((number, ""), |at| number.split_at(at));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return number.to_owned();
    }
    let mut out = sign.to_owned();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

/// Keeps a cell one cell and plain: pipes, HTML and emphasis marks are escaped.
fn escape_markdown(text: &str) -> String {
    let text = printable(text);
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        // An underscore within a word is no emphasis in CommonMark, and column names are full of them.
        let inside = before.is_alphanumeric() && rest.peek().is_some_and(|next| next.is_alphanumeric());
        if matches!(c, '|' | '\\' | '`' | '*' | '<' | '>' | '[' | ']' | '~') || (c == '_' && !inside) {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
    out
}

/// The ten characters that mean something to LaTeX, written as themselves.
fn escape_latex(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '#' | '$' | '%' | '&' | '_' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            '\\' => out += "\\textbackslash{}",
            '~' => out += "\\textasciitilde{}",
            '^' => out += "\\textasciicircum{}",
            '<' => out += "\\textless{}",
            '>' => out += "\\textgreater{}",
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new([("src_org", Align::Left), ("count", Align::Right)]);
        table.push(["A|B & C_", "12"]);
        table.push(["100 % <i>\n"]);
        table
    }

    #[test]
    fn plain_is_aligned_and_cut() {
        assert_eq!(sample().plain(0), "src_org      count\nA|B & C_        12\n100 % <i>\\n\n");
        assert_eq!(sample().plain(15), "src_org   count\nA|B & C_     12\n100 % <…\n");
    }

    #[test]
    fn markdown_cells_stay_cells() {
        assert_eq!(
            sample().markdown(),
            "| src_org | count |\n| --- | ---: |\n| A\\|B & C\\_ | 12 |\n| 100 % \\<i\\>\\\\n |  |\n"
        );
    }

    #[test]
    fn latex_is_escaped() {
        let text = sample().latex(Some("Shares, 100 %"));
        assert!(text.contains("\\caption{Shares, 100 \\%}"), "{text}");
        assert!(text.contains("src\\_org & count \\\\\n\\midrule\nA|B \\& C\\_ & 12 \\\\"), "{text}");
        assert!(sample().latex(None).starts_with("\\begin{tabular}{lr}\n\\toprule\n"));
    }

    #[test]
    fn thousands_leave_text_alone() {
        for (text, want) in
            [("1", "1"), ("1000", "1,000"), ("-123456", "-123,456"), ("", ""), ("tcp", "tcp"), ("1e9", "1e9")]
        {
            assert_eq!(thousands(text), want);
        }
    }
}
