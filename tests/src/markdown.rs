//! As much of Markdown as the project's own pages use.

/// A fenced block of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence<'a> {
    /// What stands behind the opening fence: `console`, `console,norun`.
    pub info: &'a str,
    /// The lines between the fences, without those.
    pub lines: Vec<&'a str>,
    /// Number of its first line in the page, from 0.
    pub at: usize,
}

/// The fenced blocks of a page, in order.
///
/// # Panics
/// When a fence is not closed.
pub fn fences(page: &str) -> Vec<Fence<'_>> {
    let mut fences = Vec::new();
    let mut open: Option<Fence<'_>> = None;
    for (number, line) in page.lines().enumerate() {
        match (open.take(), line.strip_prefix("```")) {
            (None, None) => {}
            (None, Some(info)) => open = Some(Fence { info: info.trim(), lines: Vec::new(), at: number + 1 }),
            (Some(fence), Some("")) => fences.push(fence),
            (Some(mut fence), _) => {
                fence.lines.push(line);
                open = Some(fence);
            }
        }
    }
    if let Some(fence) = open {
        panic!("the block of code that begins before line {} has no end", fence.at + 1);
    }
    fences
}

/// The lines outside of fenced blocks, each with its number from 1.
fn prose(page: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut inside = false;
    page.lines().enumerate().filter_map(move |(number, line)| {
        let fence = line.starts_with("```");
        inside ^= fence;
        (!inside && !fence).then_some((number + 1, line))
    })
}

/// Where links and images lead, with line numbers from 1: `[text](target)`, outside of code.
pub fn links(page: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    for (number, line) in prose(page) {
        // Every second piece between back-ticks is code.
        for piece in line.split('`').step_by(2) {
            for rest in piece.split("](").skip(1) {
                if let Some((target, _)) = rest.split_once(')') {
                    links.push((number, target.split_whitespace().next().unwrap_or("")));
                }
            }
        }
    }
    links
}

/// The anchors of a page's headings, as GitHub makes them: lower case, punctuation dropped, spaces as
/// hyphens.
pub fn anchors(page: &str) -> Vec<String> {
    prose(page)
        .filter_map(|(_, line)| line.strip_prefix('#'))
        .map(|heading| {
            let words = heading.trim_start_matches('#').trim().to_lowercase();
            words
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# A `code` Title, with marks!
See [one](docs/A.md#top) and ![two](b.svg \"title\"), `[no](code.md)`, [`three`](c.md).
```console
$ echo [x](y.md)
# not a heading
```
## Second
";

    #[test]
    fn blocks_links_and_anchors() {
        let fences = fences(PAGE);
        assert_eq!(fences.len(), 1);
        assert_eq!((fences[0].info, fences[0].at, fences[0].lines.len()), ("console", 3, 2));
        assert_eq!(links(PAGE), [(2, "docs/A.md#top"), (2, "b.svg"), (2, "c.md")]);
        assert_eq!(anchors(PAGE), ["a-code-title-with-marks", "second"]);
    }

    #[test]
    #[should_panic(expected = "has no end")]
    fn a_block_without_end() {
        fences("```\n");
    }
}
