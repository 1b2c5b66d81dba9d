//! What no file of the project may contain, and links that must lead somewhere.

use std::path::{Path, PathBuf};
use std::process::Command;

use probeline_pipelines::markdown;
use probeline_testkit::{skipped, workspace};

/// The files under version control. `None`, with a visible line, where the project is no checkout.
fn tracked(test: &str) -> Option<Vec<PathBuf>> {
    let root = workspace();
    let output = Command::new("git").arg("-C").arg(&root).args(["ls-files", "-z"]).output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        skipped(test, "not a git checkout");
        return None;
    };
    let names = String::from_utf8(output.stdout).expect("the project's names are UTF-8");
    // A file that is deleted but not yet committed is still listed.
    let files = names.split_terminator('\0').map(|name| root.join(name)).filter(|path| path.is_file());
    let files: Vec<PathBuf> = files.collect();
    assert!(files.len() > 20, "a checkout without files proves nothing");
    Some(files)
}

#[test]
fn nothing_that_belongs_to_one_machine_or_is_unfinished() {
    let Some(files) = tracked("nothing_that_belongs_to_one_machine_or_is_unfinished") else { return };
    let root = workspace();
    let around = root.parent().expect("a workspace has a parent");
    // Put together here, so that this file does not contain what it looks for.
    let mut forbidden: Vec<String> = [
        "to|do!(",
        "unimple|mented!(",
        "#[ign|ore",
        "/ho|me/",
        "/Us|ers/",
        "C:\\Us|ers",
        "<<<|<<<<",
        ">>>|>>>>",
    ]
    .iter()
    .map(|word| word.replace('|', ""))
    .collect();
    for place in [Some(around.to_path_buf()), std::env::home_dir()].into_iter().flatten() {
        // A container may have its home or its checkout at the root, which every path begins with.
        if place.components().count() > 1 {
            forbidden.push(format!("{}/", place.display()));
        }
    }
    let mut found = Vec::new();
    for path in files {
        let bytes = std::fs::read(&path).expect("a tracked file");
        // Captures and databases are not text.
        let Ok(text) = std::str::from_utf8(&bytes) else { continue };
        for (number, line) in text.lines().enumerate() {
            for word in forbidden.iter().filter(|word| line.contains(word.as_str())) {
                found.push(format!("{}:{}: {word}", path.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_large_files() {
    let Some(files) = tracked("no_large_files") else { return };
    let size = |path: &PathBuf| path.metadata().expect("a tracked file").len();
    let large: Vec<_> = files.iter().filter(|path| size(path) > 2 << 20).collect();
    assert!(large.is_empty(), "more than 2 MiB: {large:?}");
}

#[test]
fn links_lead_somewhere() {
    let Some(files) = tracked("links_lead_somewhere") else { return };
    let mut broken = Vec::new();
    let mut seen = 0;
    for path in files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "md")) {
        let page = std::fs::read_to_string(path).expect("a tracked page");
        for (line, link) in markdown::links(&page) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            seen += 1;
            if let Err(why) = follow(path, &page, link) {
                broken.push(format!("{}:{line}: {link}: {why}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{} of {seen} links:\n{}", broken.len(), broken.join("\n"));
}

fn follow(path: &Path, page: &str, link: &str) -> Result<(), String> {
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = path.parent().expect("a file is in a folder").join(file);
    if !file.is_empty() && !target.exists() {
        return Err("no such file".to_owned());
    }
    if anchor.is_empty() {
        return Ok(());
    }
    let anchors = if file.is_empty() {
        markdown::anchors(page)
    } else {
        markdown::anchors(&std::fs::read_to_string(&target).map_err(|e| e.to_string())?)
    };
    if anchors.iter().any(|known| known == anchor) { Ok(()) } else { Err("no such heading".to_owned()) }
}
