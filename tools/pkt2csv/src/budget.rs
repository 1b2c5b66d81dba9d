//! How much may be under way between the threads.

use std::sync::{Condvar, Mutex, PoisonError};

/// Bytes of batches and rows that may be under way at the same time: eight batches of probes with the default
/// columns, which keep as many threads busy. Huge ones have to wait for each other. The allocator holds on to
/// as much again.
const LIMIT: usize = 12 << 20;

/// A purse of bytes between one that spends and one that gives back.
pub(crate) struct Budget {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    spent: usize,
    closed: bool,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(State { spent: 0, closed: false }), changed: Condvar::new() }
    }

    /// Waits until so much can be spent; what is more than there ever is has to be alone.
    pub(crate) fn spend(&self, cost: usize) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut limit = LIMIT;
        let wait = |state: &mut State| {
            let wait = !state.closed && state.spent > 0 && state.spent.saturating_add(cost) > limit;
            if wait {
                limit = LIMIT / 2;
            }
            wait
        };
        let mut state = self.changed.wait_while(state, wait).unwrap_or_else(PoisonError::into_inner);
        state.spent = state.spent.saturating_add(cost);
    }

    pub(crate) fn give_back(&self, cost: usize) {
        self.change(|state| state.spent = state.spent.saturating_sub(cost));
    }

    /// Nobody waits any more.
    pub(crate) fn close(&self) {
        self.change(|state| state.closed = true);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_much_waits_for_what_is_given_back() {
        let budget = Budget::new();
        budget.spend(LIMIT * 2); // alone, so it may
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| budget.spend(1));
            assert!(!waiting.is_finished());
            budget.give_back(LIMIT * 2);
            waiting.join().unwrap();
            budget.spend(LIMIT - 1);
            let waiting = scope.spawn(|| budget.spend(1));
            budget.close();
            waiting.join().unwrap();
        });
    }
}
