//! gzip and zstd around a capture, whole and damaged.

use std::io::Write;

use flate2::{Compression, GzBuilder, write::GzEncoder};
use probeline_capfile::{DamageKind, Error, Reader};

use crate::build::{Sips, plain_ng, plain_pcap, read};

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    // With a checksum, as zstd(1) writes it.
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).expect("encoder");
    encoder.include_checksum(true).expect("checksum");
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// Packet bytes that do not compress away, so that the compressed stream is long.
fn noisy_pcap(count: u32) -> Vec<u8> {
    let mut pcap = crate::build::Pcap::new(false, crate::build::MICROS, 65_535, 1);
    let mut state = 7_u64;
    for number in 0..count {
        let mut data = [0; 60];
        for byte in &mut data {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (state >> 56) as u8;
        }
        pcap.packet(1_700_000_000 + number, 0, &data);
    }
    pcap.done()
}

#[test]
fn packed_captures_are_the_same_captures() {
    for file in [plain_pcap(20_000), plain_ng(20_000), noisy_pcap(20_000)] {
        let plain = read(&file[..]);
        let half = file.len() / 2 + 7;
        let with_names = {
            let mut out = Vec::new();
            let builder = GzBuilder::new().filename("a.pcap").comment("c").extra(vec![1; 300]).mtime(1);
            let mut encoder = builder.write(&mut out, Compression::fast());
            encoder.write_all(&file).expect("memory");
            encoder.finish().expect("memory");
            out
        };
        let padded = [gzip(&file), vec![0; 1_000]].concat();
        // A skippable frame first, as pzstd writes.
        let skippable = [&[0x50, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3][..], &zstd(&file)].concat();
        for (packed, name) in [
            (gzip(&file), " in gzip"),
            (zstd(&file), " in zstd"),
            ([gzip(&file[..half]), gzip(b""), gzip(&file[half..])].concat(), " in gzip"),
            ([zstd(&file[..half]), zstd(b""), zstd(&file[half..])].concat(), " in zstd"),
            (with_names, " in gzip"),
            (padded, " in gzip"),
            (skippable, " in zstd"),
            (zstd(&gzip(&file)), " in gzip in zstd"),
            (gzip(&zstd(&gzip(&file))), " in gzip in zstd in gzip"),
        ] {
            let mut got = read(&packed[..]);
            assert_eq!(got.name, format!("{}{name}", plain.name));
            got.name.clone_from(&plain.name);
            assert!(got == plain, "differs:{name}: {:?}", got.said());
            let mut got = read(Sips { bytes: &packed, sizes: &[1, 2, 500], turn: 0 });
            got.name.clone_from(&plain.name);
            assert!(got == plain, "differs in small pieces:{name}: {:?}", got.said());
        }
    }
}

#[test]
fn deeper_than_three_is_not_followed() {
    let packed = gzip(&gzip(&gzip(&gzip(&plain_pcap(1)))));
    assert!(matches!(Reader::new(&packed[..]), Err(Error::NotACapture { hint: Some(_), .. })));
}

#[test]
fn bytes_read_are_those_of_the_packed_input() {
    let packed = zstd(&gzip(&plain_pcap(1_000)));
    let mut reader = Reader::new(&packed[..]).expect("a capture");
    let mut batch = probeline_capfile::Batch::new();
    while reader.read_batch(&mut batch).expect("readable") {}
    assert_eq!(reader.bytes_read(), packed.len() as u64);
}

/// A packed file that ends early yields all that the usual tool gets out of it.
#[test]
fn cut_streams_keep_what_was_unpacked() {
    let file = noisy_pcap(20_000);
    for (packed, layer) in [(gzip(&file), "gzip"), (zstd(&file), "zstd")] {
        for keep in [packed.len() / 3, packed.len() / 2, packed.len() - 1] {
            let cut = &packed[..keep];
            let got = read(cut);
            // The witness: the decompressor's own stream, byte by byte, until it fails.
            let unpacked = unpack(cut, layer);
            let expected = (unpacked.saturating_sub(24)) / 76;
            assert_eq!(got.packets.len(), expected, "{layer} cut to {keep}");
            let expected = DamageKind::Compressed { layer, at: keep as u64, what: "ends early".to_owned() };
            assert!(
                got.damage
                    .iter()
                    .any(|damage| damage.kind == expected && damage.after == got.packets.len() as u64),
                "{:?}",
                got.said()
            );
        }
    }
}

/// How many bytes the decompressor yields when it is asked for one at a time.
fn unpack(packed: &[u8], layer: &str) -> usize {
    use std::io::Read;
    let mut gz;
    let mut zs;
    let stream: &mut dyn Read = if layer == "gzip" {
        gz = flate2::read::MultiGzDecoder::new(packed);
        &mut gz
    } else {
        zs = zstd::Decoder::new(packed).expect("decoder");
        &mut zs
    };
    let mut count = 0;
    while stream.read(&mut [0]).is_ok_and(|n| n == 1) {
        count += 1;
    }
    count
}

#[test]
fn damaged_streams_keep_what_was_unpacked() {
    let file = noisy_pcap(20_000);
    for (packed, layer) in [(gzip(&file), "gzip"), (zstd(&file), "zstd")] {
        for part in 1..9 {
            let mut packed = packed.clone();
            let at = packed.len() * part / 10;
            packed[at..at + 100].fill(0xFF);
            let got = read(&packed[..]);
            // Noise does not compress: the capture is as long as the stream, and a zstd block is 128 KiB.
            let least = (at * file.len() / packed.len()).saturating_sub(300_000) / 76;
            assert!(got.packets.len() >= least, "{layer} damaged at {at}: {}", got.packets.len());
            assert!(
                got.damage.iter().any(|d| matches!(d.kind, DamageKind::Compressed { .. })),
                "{:?}",
                got.said()
            );
        }
    }
}

#[test]
fn a_wrong_checksum_is_told_and_costs_nothing() {
    let file = plain_pcap(1_000);
    let mut packed = gzip(&file);
    let crc = packed.len() - 8;
    packed[crc] ^= 1;
    packed.extend(gzip(&file));
    let got = read(&packed[..]);
    assert_eq!((got.packets.len(), got.damage_count, got.skipped), (2_000, 1, 0));
    assert!(got.said()[0].contains("gzip data damaged") && got.said()[0].contains("checksum differs"));
    let mut packed = zstd(&file);
    let crc = packed.len() - 1;
    packed[crc] ^= 1;
    let got = read(&packed[..]);
    assert_eq!((got.packets.len(), got.damage_count, got.skipped), (1_000, 1, 0));
}

#[test]
fn nothing_inside() {
    let text = |bytes: &[u8]| Reader::new(bytes).expect_err("no capture").to_string();
    assert_eq!(text(&gzip(b"")), "empty input inside gzip");
    assert_eq!(text(&zstd(b"")), "empty input inside zstd");
    assert!(text(&zstd(&gzip(b"no capture"))).starts_with("not a capture file inside zstd, gzip"));
    assert_eq!(text(&gzip(&plain_pcap(1))[..12]), "gzip data damaged at byte 12: ends early");
    assert!(text(&zstd(&plain_pcap(1))[..7]).starts_with("zstd data damaged at byte 7"));
    assert!(text(&[0x1f, 0x8b, 8, 0xff, 0, 0]).starts_with("gzip data damaged"));
}

/// A writer was killed and a second one appended to the same file: `tcpdump … | gzip >> day.pcap.gz`.
#[test]
fn a_stream_cut_off_and_appended_to() {
    for (first, second) in [(noisy_pcap(20_000), noisy_pcap(5_000)), (plain_ng(20_000), plain_ng(5_000))] {
        for pack in [gzip, zstd] {
            let packed = pack(&first);
            for keep in [packed.len() / 3, packed.len() / 2, packed.len() - 9] {
                let before = read(&packed[..keep]).packets;
                for second in [pack(&second), pack(&second[..second.len() / 10])] {
                    let after = read(&second[..]).packets;
                    let got = read(&[&packed[..keep], &second].concat()[..]);
                    // No packet that is in neither; all but one of a last one that is made up of bytes of
                    // both.
                    let most = before.len() + after.len() + 1;
                    assert!(
                        (most - 1..=most).contains(&got.packets.len()),
                        "{} of {most}: {:?}",
                        got.packets.len(),
                        got.said()
                    );
                    assert!(before.iter().zip(&got.packets).all(|(a, b)| a == b));
                    let tail = &got.packets[got.packets.len() - after.len()..];
                    assert!(
                        after.iter().zip(tail).all(|(a, b)| (a.ts_nanos, &a.data) == (b.ts_nanos, &b.data))
                    );
                }
            }
        }
    }
}

/// One capture in many members (bgzip, pzstd, rotated and concatenated files): damage costs one member.
#[test]
fn damage_in_one_of_many_members() {
    for file in [noisy_pcap(20_000), plain_ng(20_000)] {
        for pack in [gzip, zstd] {
            let members: Vec<Vec<u8>> = file.chunks(file.len() / 20 + 1).map(pack).collect();
            let mut packed = Vec::new();
            for (number, member) in members.iter().enumerate() {
                let at = packed.len();
                packed.extend(member);
                if number == 9 {
                    let middle = at + member.len() / 2;
                    packed[middle..middle + 20].fill(0xEE);
                }
            }
            let got = read(&packed[..]);
            assert!(got.packets.len() >= 18_900, "{} of 20000: {:?}", got.packets.len(), got.said());
            assert_eq!(
                got.packets.last().map(|p| p.ts_nanos),
                read(&file[..]).packets.last().map(|p| p.ts_nanos)
            );
        }
    }
}

/// Members that all fail far behind their beginning: going back must not make reading quadratic.
#[test]
fn hostile_members_end_in_time() {
    let member = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x01, 0xff, 0xff, 0, 0];
    let frame = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x58, 0xfd, 0xff, 0x0f, 0, 0, 0];
    for pattern in [&member[..], &frame] {
        let begun = std::time::Instant::now();
        let packed = pattern.repeat((16 << 20) / pattern.len());
        if let Ok(mut reader) = Reader::new(&packed[..]) {
            let mut batch = probeline_capfile::Batch::new();
            while reader.read_batch(&mut batch).expect("readable") {}
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
    }
}
