//! How wide and how deep a set of targets is.

use std::net::IpAddr;

use crate::distinct::Distinct;

/// A destination address and port; -1 for no port, so that it comes before port 0.
pub(crate) type Target = (IpAddr, i32);

/// Counts over distinct targets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) dsts: u64,
    pub(crate) ports: u64,
    pub(crate) targets: u64,
    /// Largest number of addresses on one port, and that port: the lowest of several, a numbered one before none.
    pub(crate) horizontal: (u64, Option<u16>),
    /// Largest number of numbered ports of one address, and the lowest such address.
    pub(crate) vertical: (u64, IpAddr),
}

impl Sizes {
    pub(crate) fn of(targets: &mut Distinct<Target>) -> Self {
        match targets.single() {
            // Most sessions of a small telescope hold one target.
            Some((dst, port)) => {
                let port = u16::try_from(port).ok();
                let ports = u64::from(port.is_some());
                Self { dsts: 1, ports, targets: 1, horizontal: (1, port), vertical: (ports, dst) }
            }
            None => Self::of_sorted(&mut targets.sorted()),
        }
    }

    /// Of distinct targets in order; they are sorted another way.
    pub(crate) fn of_sorted(pairs: &mut [Target]) -> Self {
        // No destination address is smaller than this one, so it stands only until the first run is counted.
        let mut vertical = (0, pairs[0].0);
        let mut dsts = 0;
        for run in pairs.chunk_by(|a, b| a.0 == b.0) {
            dsts += 1;
            let ports = run.iter().filter(|(_, port)| *port >= 0).count() as u64;
            if ports > vertical.0 {
                vertical = (ports, run[0].0);
            }
        }
        pairs.sort_unstable_by_key(|(dst, port)| (*port, *dst));
        let mut ports = 0;
        let mut horizontal = (0, None);
        for run in pairs.chunk_by(|a, b| a.1 == b.1) {
            let port = u16::try_from(run[0].1).ok();
            ports += u64::from(port.is_some());
            let size = run.len() as u64;
            // Targets without a port come first; a numbered port of the same size takes their place.
            if size > horizontal.0 || (size == horizontal.0 && horizontal.1.is_none()) {
                horizontal = (size, port);
            }
        }
        Self { dsts, ports, targets: pairs.len() as u64, horizontal, vertical }
    }
}
