//! One check for many things, all of which are tried.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Checks each item, and fails in the end if any did: a first failure hides no other.
///
/// # Panics
/// When a check did; what it said stands above.
#[track_caller]
pub fn every<T: Debug>(items: impl IntoIterator<Item = T>, check: impl Fn(&T)) {
    let mut tried = 0;
    let mut failed = Vec::new();
    for item in items {
        tried += 1;
        if catch_unwind(AssertUnwindSafe(|| check(&item))).is_err() {
            failed.push(format!("{item:?}"));
        }
    }
    assert!(tried > 0, "nothing was tried");
    assert!(failed.is_empty(), "failed for {} of {tried}: {}", failed.len(), failed.join(", "));
}

#[cfg(test)]
mod tests {
    #[test]
    #[should_panic(expected = "failed for 2 of 4: 1, 3")]
    fn all_are_tried() {
        super::every([1, 2, 3, 4], |n| assert!(n % 2 == 0, "odd"));
    }
}
