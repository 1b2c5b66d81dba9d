//! `trace-audit`: says whether a rewritten capture still gives addresses away.
//!
//! A **reducer**: reads packet rows, writes one row for each mark that tells something of the destinations. The
//! relations are those of `probeline_signature::audit`.

mod args;

pub use args::Args;

use std::io::Write;
use std::net::Ipv4Addr;

use anyhow::Context;
use probeline_cli::{Account, Console, Outcome, input, list_fields, open_rows, stdout};
use probeline_record::{Encoder, Field, Format, Kind, PacketColumns, PacketRow};
use probeline_signature::Packet;
use probeline_signature::audit::{Audit, Finding, Leak, Quotes};

const FIELDS: &[&Field] = &[
    &column("rule", Kind::Word, "", "the mark that tells; docs/RULES.md", "never"),
    &column(
        "how",
        Kind::Word,
        "",
        "unchanged, masked, repeated, network or quoted: why it is believed",
        "never",
    ),
    &column("bits", Kind::Int, "bits", "bits of each destination that are told", "never"),
    &column(
        "sources",
        Kind::Int,
        "",
        "sources whose packets tell",
        "ICMP errors, which are not counted by source",
    ),
    &column("packets", Kind::Int, "", "packets that tell", "zmap-pool, where all do together"),
    &column("dsts", Kind::Int, "", "destinations, as rewritten, that are told", "zmap-pool, ICMP errors"),
    &column(
        "reveals",
        Kind::Word,
        "",
        "what all told values share, as a prefix; ? for octets that are not told",
        "they share nothing, or are known up to a constant only",
    ),
    &column("tells", Kind::Text, "", "what is told, and by which fields", "never"),
];

const fn column(
    name: &'static str,
    kind: Kind,
    unit: &'static str,
    doc: &'static str,
    absent: &'static str,
) -> Field {
    Field { name, kind, unit, absent, doc, source: "", added_by: "trace-audit" }
}

/// Runs the tool.
///
/// # Errors
/// When the input cannot be read or holds no packets, or the output cannot be written.
pub fn run(args: &Args, console: &mut Console) -> Outcome {
    if args.rows.list_fields {
        return Ok(list_fields(FIELDS, stdout())?);
    }
    let name = input::name(args.rows.file.as_deref());
    let mut rows = open_rows(&args.rows, console)?;
    let format = args.rows.format.map_or(rows.format(), Into::into);
    let mut audit = Audit::default();
    let (mut read, mut malformed) = (0, 0);
    if !rows.is_empty() {
        let columns = PacketColumns::find(&mut rows).with_context(|| name.clone())?;
        let missing: Vec<_> = columns.missing().map(|field| field.name).collect();
        if !missing.is_empty() {
            console
                .say(format_args!("{name}: no column {}; marks in them cannot be seen", missing.join(", ")));
        }
        loop {
            let row = match rows.next_row() {
                Ok(Some(row)) => columns.packet(row),
                Ok(None) => break,
                Err(e) if e.is_row() => {
                    (read, malformed) = (read + 1, malformed + 1);
                    console.fault(format_args!("{name}: {e}"));
                    continue;
                }
                Err(e) => return Err(e).with_context(|| name.clone()),
            };
            read += 1;
            if let Err(e) = see(&mut audit, &row) {
                malformed += 1;
                console.fault(format_args!("{name}: line {}: {e}", row.row().line()));
            }
        }
    }
    report(&audit, format, console)?;
    let mut account =
        Account::new("packets", read).part("looked at", read - malformed).skipped("malformed", malformed);
    if audit.passed_over > 0 {
        account = account.note("passed over for want of memory", audit.passed_over);
    }
    if let Some(file) = &args.rows.account {
        account.save(file)?;
    }
    console.account(&account)
}

fn see(audit: &mut Audit, row: &PacketRow<'_>) -> Result<(), probeline_record::CellError> {
    let packet = Packet::from_row(row)?;
    audit.see(&packet);
    if let Some(quoted) = row.quoted_src_ip()? {
        audit.see_quote(packet.dst, quoted);
    }
    Ok(())
}

fn report(audit: &Audit, format: Format, console: &mut Console) -> Outcome {
    let mut out = Encoder::with_fields(stdout(), format, FIELDS);
    let (findings, pools) = (audit.findings(), audit.pools());
    for (leak, finding) in &findings {
        write(leak, finding, &mut out)?;
        console.fault(format_args!(
            "{}: {} packets of {} sources tell {} bits of {} destinations ({})",
            leak.rule,
            finding.packets,
            finding.sources,
            leak.bits,
            finding.dsts,
            finding.how.name()
        ));
    }
    for (size, sources) in &pools {
        write_pool(*size, *sources, &mut out)?;
        console.fault(format_args!("zmap-pool: {sources} sources tell destinations modulo {size}"));
    }
    let quotes = audit.quotes();
    if quotes.give_away() {
        write_quotes(quotes, &mut out)?;
        console.fault(format_args!(
            "{} of {} ICMP errors quote another address than they were sent to",
            quotes.unlike,
            quotes.alike + quotes.unlike
        ));
    } else if findings.is_empty() && pools.is_empty() {
        console.say("none of the known marks gives an address away");
    }
    Ok(out.flush()?)
}

fn write<W: Write>(leak: &Leak, finding: &Finding, out: &mut Encoder<W>) -> Outcome {
    out.begin();
    out.word(leak.rule);
    out.word(finding.how.name());
    out.uint(leak.bits);
    out.uint(finding.sources);
    out.uint(finding.packets);
    out.uint(finding.dsts);
    let is_address = !leak.masked && leak.rule != "yarrp-sport";
    let prefix = (is_address && finding.shared > 0).then(|| prefix(leak.bits, finding));
    out.word_or_absent(prefix.as_deref());
    out.text(leak.tells.as_bytes());
    Ok(out.end()?)
}

/// The upper bits that all told values share, as a network; told are the lower `bits` of the address.
fn prefix(bits: u32, finding: &Finding) -> String {
    let len = 32 - bits + finding.shared;
    let network = u64::from(finding.value) & (u64::from(u32::MAX) << (32 - len));
    let octets = Ipv4Addr::from(network as u32).octets();
    let untold = ((32 - bits) / 8) as usize;
    let texts: Vec<String> = octets
        .iter()
        .enumerate()
        .map(|(i, octet)| if i < untold { "?".to_owned() } else { octet.to_string() })
        .collect();
    format!("{}/{len}", texts.join("."))
}

fn write_pool<W: Write>(size: u32, sources: u64, out: &mut Encoder<W>) -> Outcome {
    out.begin();
    out.word("zmap-pool");
    out.word("unchanged");
    out.uint(size.ilog2());
    out.uint(sources);
    out.absent();
    out.absent();
    out.absent();
    out.text(format!("dst_ip modulo {size}: by which of a pool of sources was to probe it").as_bytes());
    Ok(out.end()?)
}

fn write_quotes<W: Write>(quotes: Quotes, out: &mut Encoder<W>) -> Outcome {
    out.begin();
    out.word("icmp-quote");
    out.word("quoted");
    out.uint(32u8);
    out.absent();
    out.uint(quotes.unlike);
    out.absent();
    out.absent();
    out.text(b"dst_ip: quoted_src_ip of an ICMP error, which was sent to its own quoted source");
    Ok(out.end()?)
}
