//! What can go wrong between us and libpcap.

/// Why an interface could not be captured from, or a filter not be compiled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No interface has this name here. `device` is the name as given.
    #[error("no such interface: {device}")]
    NoSuchDevice {
        /// The name as given.
        device: String,
    },
    /// The interface exists, but this process may not capture from it.
    #[error("not allowed to capture from {device}: {reason}")]
    NotPermitted {
        /// The interface.
        device: String,
        /// libpcap's words.
        reason: String,
    },
    /// The interface is there and allowed, and still could not be opened (it is down, for one).
    #[error("cannot capture from {device}: {reason}")]
    Open {
        /// The interface.
        device: String,
        /// libpcap's words.
        reason: String,
    },
    /// An option that libpcap has no room for: it counts in `i32`.
    #[error("{option} of {value} is more than libpcap can take (at most {})", i32::MAX)]
    TooLarge {
        /// Which option.
        option: &'static str,
        /// Its value, in the option's unit.
        value: u64,
    },
    /// The interface does not have this link type.
    #[error("{device} does not have link type {wanted}: {reason}")]
    LinkType {
        /// The interface.
        device: String,
        /// The name as given.
        wanted: String,
        /// libpcap's words.
        reason: String,
    },
    /// The filter expression does not compile for the link type.
    #[error("filter '{expression}' for link type {link_type}: {reason}")]
    Filter {
        /// The expression as given.
        expression: String,
        /// The link type's number in capture files.
        link_type: u32,
        /// libpcap's words.
        reason: String,
    },
    /// Reading from an open interface failed (it was removed or taken down, for one).
    #[error("reading from {device}: {reason}")]
    Read {
        /// The interface.
        device: String,
        /// libpcap's or the system's words.
        reason: String,
    },
    /// The system does not tell when interfaces come and go.
    #[error("watching the interfaces: {reason}")]
    Watch {
        /// The system's words.
        reason: String,
    },
    /// The list of interfaces could not be read.
    #[error("listing the interfaces: {reason}")]
    Devices {
        /// libpcap's words.
        reason: String,
    },
}

/// libpcap's message without the wrapper's prefix.
pub(crate) fn reason(error: &pcap::Error) -> String {
    match error {
        pcap::Error::PcapError(message) => message.clone(),
        other => other.to_string(),
    }
}
