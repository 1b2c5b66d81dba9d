//! `probeline_capfile::Reader` on any bytes: what it says adds up, its memory is bounded, and records do not
//! depend on how the bytes arrive.
#![no_main]

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use probeline_capfile::{Batch, Damage, Reader};
use probeline_fuzz::{Counting, Drip, peak_during};

#[global_allocator]
static MEMORY: Counting = Counting;

/// What `Reader` documents (10 MiB for the largest record and its look ahead, a batch, decompressors; windows
/// of zstd are allocated by C code and not counted), twice over because a growing vector is held twice while
/// it moves, and the record list: 48 bytes for each record of at least 16 bytes.
const MEMORY_LIMIT: usize = 64 << 20;

/// Packed input may hold gigabytes; arrival in dribs is compared only where reading is quick.
const SMALL: u64 = 4 << 20;

#[derive(Debug, PartialEq)]
struct Seen {
    records: u64,
    digest: u64,
    captured: u64,
    digits: u8,
    format: String,
    damage: Vec<Damage>,
    damage_count: u64,
    damage_bytes: u64,
}

/// FNV-1a: to compare many records without keeping them.
fn mix(digest: &mut u64, bytes: &[u8]) {
    for byte in bytes {
        *digest = (*digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
}

fn drain<R: Read>(input: R, live: bool, size: u64) -> Result<Seen, String> {
    let mut reader = Reader::new(input).map_err(|error| error.to_string())?.live(live);
    let mut batch = Batch::new();
    let (mut records, mut digest, mut captured) = (0, 0xcbf2_9ce4_8422_2325, 0);
    let mut last_offset = None;
    while reader.read_batch(&mut batch).expect("memory does not fail") {
        assert!(!batch.is_empty(), "a batch holds at least one record");
        for (record, bytes) in batch.iter() {
            records += 1;
            assert_eq!(record.number, records, "records are numbered from 1 without gaps");
            assert_eq!(bytes.len(), record.cap_len as usize, "a record has the bytes it says it has");
            assert!(last_offset < Some(record.offset), "records come in the order of the file");
            last_offset = Some(record.offset);
            captured += u64::from(record.cap_len);
            for word in [
                record.ts_nanos as u64,
                record.offset,
                u64::from(record.wire_len),
                u64::from(record.link.0),
                u64::from(record.interface),
            ] {
                mix(&mut digest, &word.to_le_bytes());
            }
            mix(&mut digest, bytes);
        }
        assert_eq!(reader.packets(), records, "packets() counts what was handed out");
        assert!(reader.bytes_read() <= size, "no more is read than there is");
    }
    assert!(batch.is_empty());
    assert!(!reader.read_batch(&mut batch).expect("memory does not fail"), "the end stays the end");
    let damage = reader.damage().to_vec();
    assert_eq!(damage.len() as u64, reader.damage_count().min(64), "the first 64 are kept");
    let skipped: u64 = damage.iter().map(|damage| damage.skipped).sum();
    assert!(skipped <= reader.damage_bytes());
    for damage in &damage {
        assert!(damage.after <= records);
        assert!(!damage.to_string().is_empty());
    }
    assert!(
        damage.is_sorted_by_key(|damage| (damage.after, damage.offset)),
        "damage is in file order: {damage:?}"
    );
    Ok(Seen {
        records,
        digest,
        captured,
        digits: reader.time_digits(),
        format: reader.format_name().to_owned(),
        damage,
        damage_count: reader.damage_count(),
        damage_bytes: reader.damage_bytes(),
    })
}

fuzz_target!(|data: &[u8]| {
    let size = data.len() as u64;
    let (whole, peak) = peak_during(|| drain(data, false, size));
    assert!(peak <= MEMORY_LIMIT, "{peak} bytes of memory");
    let seed = data.iter().fold(size, |seed, byte| seed.rotate_left(5) ^ u64::from(*byte));
    let longest = [3, 40, 700, 5000][(seed % 4) as usize];
    match &whole {
        Ok(seen) => {
            if !seen.format.contains(" in ") {
                assert!(
                    seen.captured + seen.damage_bytes <= size,
                    "bytes are delivered or skipped, not both"
                );
            } else if seen.captured + seen.damage_bytes > SMALL {
                return;
            }
            for live in [false, true] {
                let dripped = drain(Drip::new(data, seed, longest), live, size);
                assert_eq!(dripped.as_ref(), Ok(seen), "live {live}, reads of up to {longest}");
            }
        }
        Err(error) => {
            let dripped = drain(Drip::new(data, seed, longest), true, size);
            // How many of the first bytes the text shows depends on how many came at once.
            assert!(dripped.is_err(), "{error}, but not in dribs");
        }
    }
});
