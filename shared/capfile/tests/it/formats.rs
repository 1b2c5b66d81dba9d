//! Every magic, byte order and quirk of the two formats.

use probeline_capfile::{Error, LinkType, PcapWriter, Reader};

use crate::build::{MICROS, MODIFIED, NANOS, Ng, Pcap, plain_ng, plain_pcap, read};

const SECOND: i64 = 1_000_000_000;

#[test]
fn every_pcap_magic_in_both_byte_orders() {
    for big in [false, true] {
        for (magic, unit, digits) in [(MICROS, 1_000, 6), (NANOS, 1, 9), (MODIFIED, 1_000, 6)] {
            let mut pcap = Pcap::new(big, magic, 96, 1);
            pcap.packet(1_000, 5, b"first")
                .record(1_001, 999_999, 3, 1_500, b"cut")
                .packet(1_002, 0, b"last");
            let got = read(&pcap.done()[..]);
            assert_eq!(
                got.times(),
                [1_000 * SECOND + 5 * unit, 1_001 * SECOND + 999_999 * unit, 1_002 * SECOND]
            );
            let data: Vec<&[u8]> = got.packets.iter().map(|p| &p.data[..]).collect();
            assert_eq!(data, [b"first".as_slice(), b"cut", b"last"]);
            assert_eq!(got.packets[1].wire_len, 1_500);
            let header = if magic == MODIFIED { 24 } else { 16 };
            let offsets: Vec<u64> = got.packets.iter().map(|p| p.offset).collect();
            assert_eq!(offsets, [24, 24 + header + 5, 24 + 2 * header + 8]);
            assert_eq!((got.digits, got.name.as_str(), got.damage_count), (digits, "pcap", 0));
        }
    }
}

/// Seconds are unsigned (draft-ietf-opsawg-pcap §5): 2038 is no border.
#[test]
fn seconds_after_2038() {
    let mut pcap = Pcap::new(false, MICROS, 96, 1);
    pcap.packet(4_000_000_000, 1, b"2096").packet(u32::MAX, 999_999, b"2106");
    let got = read(&pcap.done()[..]);
    assert_eq!(got.times(), [4_000_000_000 * SECOND + 1_000, 4_294_967_295 * SECOND + 999_999_000]);
}

#[test]
fn a_fraction_above_a_second_is_carried() {
    let mut pcap = Pcap::new(false, MICROS, 96, 1);
    pcap.packet(1_000, 2_500_000, b"x").packet(u32::MAX, u32::MAX, b"x");
    let got = read(&pcap.done()[..]);
    assert_eq!(got.times()[0], 1_002 * SECOND + 500_000_000);
    assert_eq!(got.times()[1], 4_294_967_295 * SECOND + 4_294_967_295 * 1_000);
    let mut pcap = Pcap::new(true, NANOS, 96, 1);
    pcap.packet(1_000, 2_500_000_000, b"x");
    assert_eq!(read(&pcap.done()[..]).times(), [1_002 * SECOND + 500_000_000]);
}

/// libpcap, `sf-pcap.c`: the lengths are the other way round before 2.3, and either way in 2.3.
#[test]
fn lengths_of_old_versions() {
    for (version, first, second) in
        [((2, 2), 1_500, 4), ((543, 0), 1_500, 4), ((2, 3), 1_500, 4), ((2, 3), 4, 1_500)]
    {
        let mut pcap = Pcap::version(false, MICROS, version, 96, 1);
        for sec in 0..3 {
            pcap.record(1_000 + sec, 0, first, second, b"data");
        }
        let got = read(&pcap.done()[..]);
        assert_eq!(got.packets.len(), 3, "{version:?}");
        assert!(got.packets.iter().all(|p| p.data == b"data" && p.wire_len == 1_500));
        assert_eq!(got.damage_count, 0);
    }
    let mut pcap = Pcap::version(false, MICROS, (2, 9), 96, 1);
    let got = read(&pcap.packet(1_000, 0, b"data").done()[..]);
    assert_eq!(got.packets.len(), 1);
    assert_eq!(got.said(), ["unknown format version 2.9, after packet 0 at byte 0"]);
}

#[test]
fn link_types_are_kept_and_flags_are_not() {
    for link in [0, 1, 12, 14, 101, 113, 276, 65_535] {
        // With and without "FCS length present, 4 bytes" in the upper bits.
        for field in [link, link | 0x4400_0000] {
            let got = read(&Pcap::new(false, MICROS, 96, field).packet(1, 0, b"x").done()[..]);
            assert_eq!((got.packets[0].link, got.damage_count), (link, 0));
        }
    }
    let got = read(&Pcap::new(false, MICROS, 96, 0x0030_0001).packet(1, 0, b"x").done()[..]);
    assert_eq!(got.packets[0].link, 1);
    assert_eq!(got.said(), ["reserved bits in link-type field 0x00300001, after packet 0 at byte 0"]);
}

#[test]
fn odd_but_whole_records_are_delivered() {
    for snaplen in [0, 10, 65_535, u32::MAX] {
        let mut pcap = Pcap::new(false, MICROS, snaplen, 1);
        pcap.record(1, 0, 0, 60, b"")
            .record(2, 0, 0, 0, b"")
            .record(3, 0, 60, 20, &[7; 60])
            .record(4, 0, 60, 0, &[7; 60])
            .record(0, 0, 0, 0, b"")
            .packet(5, 0, &[7; 300_000])
            .record(6, 0, 60, 60, &[7; 60]);
        let got = read(&pcap.done()[..]);
        let lengths: Vec<usize> = got.packets.iter().map(|p| p.data.len()).collect();
        if snaplen == u32::MAX {
            assert_eq!(lengths, [0, 0, 60, 60, 0, 300_000, 60]);
            assert_eq!(got.damage_count, 0);
        } else {
            // 300,000 is above what anybody writes with such a snapshot length.
            assert_eq!(lengths, [0, 0, 60, 60, 0, 60]);
            assert_eq!(got.skipped, 300_016);
        }
    }
}

#[test]
fn pcapng_time_units() {
    // Option byte, offset in seconds, ticks, nanoseconds, digits.
    let cases: [(u8, i64, u64, i64, u8); 14] = [
        (6, 0, 1_700_000_000_000_001, 1_700_000_000_000_001_000, 6),
        (9, 0, 1_700_000_000_000_000_001, 1_700_000_000_000_000_001, 9),
        (0, 0, 1_700_000_000, 1_700_000_000 * SECOND, 6),
        (3, 0, 1_700_000_000_001, 1_700_000_000_001_000_000, 6),
        (7, 0, 17_000_000_000_000_001, 1_700_000_000_000_000_100, 9),
        (12, 0, 1_700_000_000_000_999, 1_700_000_000_000, 9),
        (19, 0, 12_345_678_901_234_567_890, 1_234_567_890, 9),
        (127, 0, u64::MAX, 0, 9),
        (0x80, 0, 1_700_000_000, 1_700_000_000 * SECOND, 6),
        (0x80 | 10, 0, (1_700_000_000 << 10) + 1, 1_700_000_000 * SECOND + 976_562, 9),
        (0x80 | 32, 0, (1_700_000_000 << 32) + (1 << 31), 1_700_000_000 * SECOND + 500_000_000, 9),
        (0x80 | 127, 0, u64::MAX, 0, 9),
        (6, 1_700_000_000, 5, 1_700_000_000 * SECOND + 5_000, 6),
        (9, -10, 11 * 1_000_000_000 + 5, SECOND + 5, 9),
    ];
    for big in [false, true] {
        for (resolution, offset, ticks, nanos, digits) in cases {
            let offset = if big { offset.to_be_bytes() } else { offset.to_le_bytes() };
            let mut ng = Ng::new(big);
            ng.interface(1, 0, &[(2, b"eth0"), (9, &[resolution]), (14, &offset)])
                .packet(0, ticks, 4, b"data");
            let got = read(&ng.done()[..]);
            assert_eq!((got.times(), got.digits), (vec![nanos], digits), "resolution {resolution:#x}");
            assert_eq!(got.damage_count, 0);
        }
    }
}

#[test]
fn pcapng_times_that_do_not_fit_are_told() {
    let mut ng = Ng::new(false);
    ng.interface(1, 0, &[]).interface(1, 0, &[(14, &i64::MIN.to_le_bytes())]);
    ng.packet(0, u64::MAX, 1, b"x").packet(1, 0, 1, b"x");
    let got = read(&ng.done()[..]);
    assert_eq!(got.times(), [i64::MAX, i64::MIN]);
    assert_eq!((got.damage_count, got.skipped), (2, 0));
}

#[test]
fn pcapng_packet_blocks_of_all_three_kinds() {
    for big in [false, true] {
        let mut ng = Ng::new(big);
        ng.interface(1, 10, &[]).interface(101, 0, &[(9, &[9])]);
        ng.packet(1, 77, 1_000, b"enhanced").simple(1_000, b"ten bytes!").simple(5, b"short");
        ng.obsolete(0, 0xFFFF, 2_000_000, b"old").packet(0, 1, 0, b"");
        let got = read(&ng.done()[..]);
        let seen: Vec<_> =
            got.packets.iter().map(|p| (p.ts_nanos, p.link, p.interface, p.wire_len, &p.data[..])).collect();
        assert_eq!(
            seen,
            [
                (77, 101, 1, 1_000, b"enhanced".as_slice()),
                (0, 1, 0, 1_000, b"ten bytes!"),
                (0, 1, 0, 5, b"short"),
                (2 * SECOND, 1, 0, 3, b"old"),
                (1_000, 1, 0, 0, b""),
            ]
        );
        assert_eq!((got.damage_count, got.digits, got.name.as_str()), (0, 9, "pcapng"));
    }
}

#[test]
fn pcapng_other_blocks_are_stepped_over() {
    let mut ng = Ng::new(false);
    ng.block(4, b"names").interface(1, 0, &[]).block(5, &[0; 12]).packet(0, 1, 1, b"a");
    ng.block(10, &[1; 300_000]).block(0x0BAD, b"custom").block(0x4000_0BAD, b"no copy").block(9, b"journal");
    ng.block(0x8000_0001, b"local").packet(0, 2, 1, b"b");
    let got = read(&ng.done()[..]);
    assert_eq!((got.times(), got.damage_count), (vec![1_000, 2_000], 0));
}

/// §4.1: each section has its own byte order and its own interfaces.
#[test]
fn pcapng_sections() {
    let mut file = Ng::new(false).interface(1, 0, &[]).interface(101, 0, &[]).packet(1, 1, 1, b"a").done();
    file.extend(Ng::new(true).interface(113, 0, &[]).packet(0, 2, 1, b"b").done());
    let mut third = Ng { bytes: crate::build::Bytes::new(false) };
    file.extend(third.section(64).interface(276, 0, &[(9, &[9])]).packet(0, 3, 1, b"c").done());
    let got = read(&file[..]);
    let seen: Vec<_> = got.packets.iter().map(|p| (p.ts_nanos, p.link, p.interface)).collect();
    assert_eq!(seen, [(1_000, 101, 1), (2_000, 113, 2), (3, 276, 3)]);
    assert_eq!(got.damage_count, 0);
}

/// Some writers leave the padding out of the block length; the block is still padded, or is not.
#[test]
fn pcapng_block_lengths_without_padding() {
    for padding in [0, 3] {
        let mut ng = Ng::new(false);
        ng.interface(1, 0, &[]);
        for _ in 0..2 {
            ng.bytes.u32(6).u32(33).u32(0).u32(0).u32(1).u32(1).u32(1).raw(b"x");
            ng.bytes.raw(&[0; 3][..padding]).u32(33);
        }
        ng.packet(0, 2, 1, b"y");
        let got = read(&ng.done()[..]);
        assert_eq!((got.packets.len(), got.damage_count), (3, 0), "{padding} bytes of padding");
    }
}

#[test]
fn captures_one_behind_the_other() {
    let mut file = plain_pcap(3);
    file.extend(plain_ng(2));
    file.extend(Pcap::new(true, NANOS, 96, 101).packet(1, 1, b"x").done());
    file.extend(Pcap::new(false, MICROS, 96, 113).packet(1, 1, b"y").done());
    let got = read(&file[..]);
    let seen: Vec<_> = got.packets.iter().map(|p| (p.link, p.interface)).collect();
    assert_eq!(seen, [(1, 0), (1, 0), (1, 0), (1, 1), (1, 1), (101, 2), (113, 3)]);
    assert_eq!((got.damage_count, got.digits), (0, 9));
    // A header and nothing else, and a header cut short.
    file.extend(&plain_pcap(0));
    assert_eq!(read(&file[..]).packets.len(), 7);
    file.extend(&plain_pcap(0)[..20]);
    let got = read(&file[..]);
    assert_eq!((got.packets.len(), got.skipped), (7, 20));
}

/// All of it fits one batch, so that the pcapng walker is gone when the batch is done.
#[test]
fn nanoseconds_are_not_forgotten_by_the_next_capture() {
    let mut ng = Ng::new(false);
    ng.interface(1, 0, &[(9, &[9])]).packet(0, 1_700_000_000_000_000_001, 4, b"data");
    let mut file = ng.done();
    file.extend(plain_pcap(1));
    let got = read(&file[..]);
    assert_eq!((got.packets.len(), got.times()[0] % SECOND, got.digits), (2, 1, 9));
}

/// Version 2.4 in the same byte order looks like the length of a block, 0x00040002 or 0x00020004.
#[test]
fn pcap_behind_pcapng_in_every_byte_order() {
    for first in [false, true] {
        for second in [false, true] {
            let mut ng = Ng::new(first);
            ng.interface(1, 0, &[]).packet(0, 1_700_000_000_000_000, 4, b"data");
            let mut file = ng.done();
            let mut pcap = Pcap::new(second, MICROS, 96, 101);
            for number in 0..5_000 {
                pcap.packet(1_700_000_000 + number, 0, &[0xa5; 60]);
            }
            file.extend(pcap.done());
            let got = read(&file[..]);
            assert_eq!((got.packets.len(), got.damage_count), (5_001, 0), "{first} {second}");
        }
    }
}

#[test]
fn a_header_alone_is_an_empty_capture() {
    for file in [plain_pcap(0), plain_ng(0), Ng::new(true).done()] {
        let got = read(&file[..]);
        assert_eq!((got.packets.len(), got.damage_count, got.digits), (0, 0, 6));
    }
}

#[test]
fn what_is_no_capture_says_what_it_is() {
    let text = |bytes: &[u8]| Reader::new(bytes).expect_err("no capture").to_string();
    assert_eq!(text(b""), "empty input");
    assert_eq!(
        text(b"version https://git-lfs.github.com/spec/v1\noid"),
        "not a capture file: begins with 76 65 72 73 69 6f 6e 20; it looks like a git-lfs pointer; \
         the file itself was not fetched"
    );
    assert!(text(b"ts,src_ip,dst_ip\n1,2,3\n").ends_with("looks like CSV text"));
    assert!(text(b"{\"ts\":1}\n").ends_with("looks like JSON text"));
    assert!(text(b"hello world, this is no capture\nat all").ends_with("looks like CSV text"));
    assert!(text(b"hello\n").ends_with("looks like text"));
    assert!(text(b"\xfd7zXZ\0\0\0").contains("xz -dc"));
    let erf = [&[0, 0x47, 0x2f, 0, 0, 0, 0, 0x40, 2, 4, 0, 20, 0, 0, 0, 4], &[9; 4][..]].concat();
    assert!(text(&erf).contains("an ERF capture"));
    assert_eq!(text(&[1, 3, 0, 0, 9]), "not a capture file: begins with 01 03 00 00 09");
    assert_eq!(text(&plain_pcap(1)[..23]), "pcap file header cut short: 23 of 24 bytes");
    assert_eq!(text(&plain_ng(1)[..11]), "pcapng file header cut short: 11 of 12 bytes");
    assert_eq!(text(&[0xd4]), "not a capture file: begins with d4");
}

#[test]
fn an_input_that_fails_says_where() {
    /// Gives its bytes, then fails.
    struct Failing<'a>(&'a [u8]);
    impl std::io::Read for Failing<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(into)? {
                0 => Err(std::io::Error::other("disk on fire")),
                n => Ok(n),
            }
        }
    }
    let file = plain_pcap(10);
    let mut reader = Reader::new(Failing(&file[..file.len() - 1])).expect("a capture");
    let mut batch = probeline_capfile::Batch::new();
    assert!(reader.read_batch(&mut batch).expect("the packets before"));
    assert_eq!(batch.len(), 9);
    let error = reader.read_batch(&mut batch).expect_err("the failure");
    assert_eq!(error.to_string(), "read failed after packet 9 at input byte 783: disk on fire");
    assert!(batch.is_empty());
    // Calling again tries again.
    assert!(matches!(reader.read_batch(&mut batch), Err(Error::Io { packets: 9, at: 783, .. })));
    assert!(
        Reader::new(Failing(b"\xd4\xc3")).is_err_and(|e| matches!(e, Error::Io { packets: 0, at: 2, .. }))
    );
}

#[test]
fn the_writer_refuses_what_pcap_cannot_say() {
    let mut writer = PcapWriter::new(Vec::new(), LinkType::RAW, 96, false).expect("header");
    assert!(writer.write(-1, 1, b"x").is_err());
    assert!(writer.write((1 << 32) * SECOND, 1, b"x").is_err());
    writer.write((1 << 32) * SECOND - 1, 1, b"x").expect("the last nanosecond of 2106");
    let got = read(&writer.into_inner()[..]);
    assert_eq!((got.times(), got.packets[0].link), (vec![(1 << 32) * SECOND - 1_000], 101));
}

/// Batches and readers can go to other threads.
#[test]
fn readers_and_batches_travel() {
    fn travels<T: Send>() {}
    travels::<Reader<std::fs::File>>();
    travels::<probeline_capfile::Batch>();
    travels::<probeline_capfile::MergeReader<Box<dyn std::io::Read + Send>>>();
}
