use std::io::{self, Write};

use probeline_capture::Device;

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
