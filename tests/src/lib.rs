//! Whole pipelines through the compiled tools, the laws they keep, and the rules of the house.
//!
//! The tests are the files beside this folder; here is what two of them share or what deserves tests of its
//! own: [`transcript`] runs the console blocks of Markdown pages, [`case`] the folders of `tests/cases`,
//! [`lines`] compares lines with wildcards, [`markdown`] finds fences, links and headings, [`account`] reads
//! accounting lines, [`every`] tries all things before it fails, [`parallel`] keeps two cores busy and
//! [`stated`] lists what captures are said to hold.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "for tests only: whatever is wrong here fails the test"
)]

pub mod account;
pub mod case;
pub mod every;
pub mod lines;
pub mod markdown;
pub mod parallel;
pub mod stated;
pub mod transcript;

/// Whether expected outputs are to be rewritten with what came (`BLESS=1`).
pub fn bless() -> bool {
    std::env::var_os("BLESS").is_some_and(|value| value == "1")
}

/// Whether network namespaces and interfaces in them can be made here, which takes root and a kernel that lets
/// it: what needs them is skipped elsewhere, visibly.
pub fn may_make_networks() -> bool {
    let tried =
        std::process::Command::new("unshare").args(["--net", "ip", "link", "add", "type", "veth"]).output();
    tried.is_ok_and(|output| output.status.success())
}
