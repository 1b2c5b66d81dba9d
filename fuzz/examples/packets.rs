//! Makes inputs of the target `packet` from captures: `packets OUTDIR CAPTURE...`, for each capture the first
//! packet of every link type and shape (the first 64 octets of the frame in steps of 32, length in steps of
//! 64).

use std::collections::HashSet;
use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use probeline_capfile::{Batch, Reader};

/// The longest frame worth an input: headers are at its head.
const LONGEST: usize = 400;
/// The most packets looked at in one capture.
const PACKETS: u64 = 2000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let out = arguments.next().ok_or("usage: packets OUTDIR CAPTURE...")?;
    fs::create_dir_all(&out)?;
    let (mut seen, mut written) = (HashSet::new(), 0);
    for path in arguments {
        let Ok(mut reader) = Reader::new(fs::File::open(&path)?) else { continue };
        let mut batch = Batch::new();
        while reader.packets() < PACKETS && reader.read_batch(&mut batch)? {
            for (record, bytes) in batch.iter() {
                let frame = &bytes[..bytes.len().min(LONGEST)];
                let shape: Vec<u8> = frame.iter().take(64).map(|byte| byte >> 5).collect();
                let Ok(link) = u16::try_from(record.link.0) else { continue };
                if !seen.insert((link, shape, frame.len() / 64)) {
                    continue;
                }
                let cut = record.wire_len.saturating_sub(frame.len() as u32).min(255) as u8;
                let [low, high] = link.to_le_bytes();
                // Link type by number; tunnels and checksums by turns.
                let mut input = vec![4 | (written % 4) as u8, low, high, cut];
                input.extend_from_slice(frame);
                fs::write(out.join(format!("packet-{written}")), input)?;
                written += 1;
            }
        }
    }
    println!("{written} inputs");
    Ok(())
}
