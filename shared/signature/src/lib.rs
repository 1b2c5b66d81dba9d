//! The marks scanners leave in headers: one table of rules with their sources
