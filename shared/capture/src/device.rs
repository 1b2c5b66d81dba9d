//! The interfaces of this machine.

use std::net::IpAddr;

use crate::Error;
use crate::error::reason;

/// Something that can be captured from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Device {
    /// The name to open it by.
    pub name: String,
    /// What the system says of it, where it says anything.
    pub description: Option<String>,
    /// Its own addresses.
    pub addresses: Vec<IpAddr>,
    /// Whether it is administratively up.
    pub up: bool,
    /// Whether it has a carrier.
    pub running: bool,
    /// Whether it is a loopback interface.
    pub loopback: bool,
}

/// The interfaces that libpcap finds, in libpcap's order (the most useful first). `any` is one of them on Linux.
///
/// # Errors
/// [`Error::Devices`] when the system does not give the list. An empty list is not an error.
pub fn devices() -> Result<Vec<Device>, Error> {
    let found = pcap::Device::list().map_err(|e| Error::Devices { reason: reason(&e) })?;
    Ok(found
        .into_iter()
        .map(|device| Device {
            up: device.flags.is_up(),
            running: device.flags.is_running(),
            loopback: device.flags.is_loopback(),
            addresses: device.addresses.iter().map(|address| address.addr).collect(),
            name: device.name,
            description: device.desc,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_is_listed() {
        let devices = devices().unwrap();
        let loopback = devices.iter().find(|device| device.name == "lo").expect("Linux has lo");
        assert!(loopback.loopback);
        assert!(devices.iter().any(|device| device.name == "any"));
    }
}
