use clap::Parser;
use probeline_cli::RowOptions;

/// Before a capture is shared: say which of its rewritten addresses scanners' marks still give away.
///
/// Several scanners write the destination into fields that anonymisers leave alone: masscan its low 16 bits into
/// ip_id, Mirai all of it into tcp_seq, Unicornscan into tcp_seq, Yarrp its checksum into src_port. Whoever gets a
/// capture with rewritten addresses can compute them backwards and so learn where the telescope is. ICMP errors
/// quote the address in full.
///
/// Reads packet rows (pkt2csv) and writes one row for each mark that tells: rule, how it shows (unchanged: that part
/// of the address was not rewritten; masked: by one constant; repeated: packets to one rewritten address agree;
/// network: the values of different addresses share their upper bits; quoted), the bits of each address that are
/// told, and what is told, as a prefix with ? for octets that are not.
///
/// It finds what the packets prove by themselves: at least 40 bits beyond chance. That it finds nothing says that these
/// marks tell nothing, not that the capture is anonymous. IPv4 only.
///
/// Memory: about 10 KiB for each source that sends what looks like one of these tools, 65536 of them at most.
#[derive(Debug, Parser)]
#[command(name = "trace-audit", version, max_term_width = 110, after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub(crate) rows: RowOptions,
}

const EXAMPLES: &str = "\
Examples:
  tcprewrite --seed=7 -i telescope.pcap -o shared.pcap
  pkt2csv shared.pcap | trace-audit

Exit status: 0 nothing is given away, 1 something is, or some input was malformed, 2 could not do it.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_consistent() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }
}
