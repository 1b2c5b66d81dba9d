//! Counts and bins any column, and draws it
