//! A source of AS numbers that is no database of this crate.

use std::net::IpAddr;

/// Whose an address is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// Number of the autonomous system that announces it.
    pub asn: u32,
    /// Name of that system's holder.
    pub org: Option<Box<str>>,
}

/// Tells whose an address is, by means of its own. It is asked before the databases, once for each address that a
/// [`Geo`](crate::Geo) does not know by heart, and must give equal numbers for equal answers alone.
pub trait Operators {
    /// A number for the answer, and the answer; nothing where it knows none.
    fn find(&mut self, address: IpAddr) -> Option<(usize, &Operator)>;
}
