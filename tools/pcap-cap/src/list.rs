use std::io::{self, Write};

use probeline_capture::Device;

use crate::source::Source;

/// Writes one line for each interface: name, state, addresses, description, with tabs between.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn list(devices: &[Device], mut out: impl Write) -> io::Result<()> {
    for device in devices {
        let state = match (device.up, device.running) {
            (true, true) => "up, running",
            (true, false) => "up, no carrier",
            (false, _) => "down",
        };
        let addresses: Vec<String> = device.addresses.iter().map(ToString::to_string).collect();
        let description = device.description.as_deref().unwrap_or_default();
        writeln!(out, "{}\t{state}\t{}\t{description}", device.name, addresses.join(", "))?;
    }
    out.flush()
}

/// Writes one line for each link type of each interface: interface, name, description, with tabs between.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn list_link_types(sources: &[Source], mut out: impl Write) -> Result<(), anyhow::Error> {
    for source in sources {
        let types = source.live().map(probeline_capture::Live::link_types).transpose()?;
        for (name, description) in types.unwrap_or_default() {
            writeln!(out, "{}\t{name}\t{description}", source.name)?;
        }
    }
    Ok(out.flush()?)
}
