//! tcpdump filter expressions, asked about packets from anywhere.

use pcap::{Capture, Linktype};

use crate::bpf::Program;
use crate::error::{Error, reason};
use crate::link_type;

/// A filter expression (pcap-filter(7)) compiled for one link type.
///
/// It holds no libpcap object and can be shared between threads. A file with interfaces of several link types needs
/// one filter for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    program: Program,
    link_type: u32,
}

impl Filter {
    /// Compiles `expression` for packets of `link_type` (the number in capture files). The empty expression accepts
    /// every packet.
    ///
    /// Host, network and port *names* in the expression are looked up by libpcap, host names through the resolver of
    /// the system; numbers are not.
    ///
    /// # Errors
    /// [`Error::Filter`] with libpcap's reason, when the expression is wrong or says something that the link type
    /// cannot answer.
    pub fn compile(expression: &str, link_type: u32) -> Result<Self, Error> {
        let fail = |reason: String| Error::Filter { expression: expression.to_owned(), link_type, reason };
        let inside = link_type::to_libpcap(link_type).ok_or_else(|| fail("no such link type".to_owned()))?;
        let dead = Capture::dead(Linktype(inside)).map_err(|e| fail(reason(&e)))?;
        let compiled = dead.compile(expression, true).map_err(|e| fail(reason(&e)))?;
        let program = Program::read(compiled.get_instructions().iter().map(ToString::to_string))
            .ok_or_else(|| fail("libpcap compiled it to a program that cannot be run here".to_owned()))?;
        Ok(Self { program, link_type })
    }

    /// Whether the filter lets a packet through, of which `data` was captured and which was `wire_len` bytes long on
    /// the wire. Where too little was captured to tell, the answer is no, as tcpdump's is.
    #[must_use]
    pub fn matches(&self, data: &[u8], wire_len: u32) -> bool {
        self.program.accepts(data, wire_len)
    }

    /// The link type it was compiled for (the number in capture files).
    #[must_use]
    pub fn link_type(&self) -> u32 {
        self.link_type
    }
}
