//! Damage: what is lost, what is not, and what is said about it.

use probeline_capfile::DamageKind;

use crate::build::{MICROS, Ng, Pcap, plain_ng, plain_pcap, read};

/// Header and data of a record of `plain_pcap`, and of a block of `plain_ng`.
const RECORD: usize = 76;
const BLOCK: usize = 92;
/// Where the first is.
const FIRST_RECORD: usize = 24;
const FIRST_BLOCK: usize = 28 + 20;

#[test]
fn an_impossible_length_costs_one_record() {
    let mut file = plain_pcap(100);
    let at = FIRST_RECORD + 49 * RECORD;
    file[at + 8..at + 12].copy_from_slice(&u32::MAX.to_le_bytes());
    let got = read(&file[..]);
    assert_eq!(got.packets.len(), 99);
    assert_eq!(got.skipped, 76);
    assert_eq!(
        got.said(),
        ["impossible captured length 4294967295, after packet 49 at byte 3748, 76 bytes skipped"]
    );
}

/// One flipped bit in a length would swallow 862 good packets.
#[test]
fn a_length_that_would_swallow_good_records_is_not_believed() {
    for wrong in [60 + 65_536, 61, 60 + 65_536 * 2, 262_144, 8 << 20] {
        let mut file = plain_pcap(5_000);
        let at = FIRST_RECORD + 1_000 * RECORD;
        file[at + 8..at + 12].copy_from_slice(&u32::to_le_bytes(wrong));
        let got = read(&file[..]);
        assert_eq!((got.packets.len(), got.skipped), (4_999, 76), "length {wrong}");
        assert_eq!(got.damage[0].kind, DamageKind::Length { cap_len: wrong });
    }
}

#[test]
fn bytes_put_in_or_taken_out_cost_only_what_they_touch() {
    for size in [1, 2, 3, 15, 16, 17, 100, 70_000, 2_000_000] {
        let mut file = plain_pcap(100);
        let at = FIRST_RECORD + 50 * RECORD;
        file.splice(at..at, std::iter::repeat_n(0x5A, size));
        let got = read(&file[..]);
        assert_eq!(
            (got.packets.len(), got.skipped, got.damage_count),
            (100, size as u64, 1),
            "{size} put in"
        );

        let mut file = plain_ng(100);
        let at = FIRST_BLOCK + 50 * BLOCK;
        file.splice(at..at, std::iter::repeat_n(0x5A, size));
        let got = read(&file[..]);
        assert_eq!(
            (got.packets.len(), got.skipped, got.damage_count),
            (100, size as u64, 1),
            "{size} put in, ng"
        );
    }
    for size in [1, 16, 50, 76, 500] {
        let mut file = plain_pcap(100);
        file.drain(FIRST_RECORD + 50 * RECORD + 10..FIRST_RECORD + 50 * RECORD + 10 + size);
        let got = read(&file[..]);
        let touched = (10 + size).div_ceil(RECORD);
        assert!(got.packets.len() >= 100 - touched - 1, "{size} taken out: {}", got.packets.len());
        assert!(got.damage_count > 0 || size.is_multiple_of(RECORD));
    }
}

#[test]
fn a_hole_of_zeros_is_no_empty_packets() {
    for size in [64, 100, 4_096, 1_000_000] {
        for (mut file, first, each) in
            [(plain_pcap(100), FIRST_RECORD, RECORD), (plain_ng(100), FIRST_BLOCK, BLOCK)]
        {
            let at = first + 50 * each;
            file.splice(at..at, std::iter::repeat_n(0, size));
            let got = read(&file[..]);
            assert_eq!((got.packets.len(), got.skipped), (100, size as u64));
            assert_eq!(got.damage[0].kind, DamageKind::ZeroFilled);
            // At the end of the file, where a crash leaves them.
            file.truncate(at + size);
            let got = read(&file[..]);
            assert_eq!((got.packets.len(), got.skipped), (50, size as u64));
        }
    }
}

#[test]
fn a_cut_record_is_counted_and_not_delivered() {
    let file = plain_pcap(3);
    let got = read(&file[..file.len() - 1]);
    assert_eq!(got.packets.len(), 2);
    assert_eq!(got.said(), ["input ends inside a record, after packet 2 at byte 176, 75 bytes skipped"]);
    let file = plain_ng(3);
    let got = read(&file[..file.len() - 1]);
    assert_eq!(got.packets.len(), 2);
    assert_eq!(got.said(), ["input ends inside a record, after packet 2 at byte 232, 91 bytes skipped"]);
}

#[test]
fn a_block_with_a_bad_end_is_kept_if_the_next_is_in_place() {
    let mut file = plain_ng(10);
    let end = FIRST_BLOCK + 5 * BLOCK;
    file[end - 4..end].copy_from_slice(&77_u32.to_le_bytes());
    let got = read(&file[..]);
    assert_eq!((got.packets.len(), got.skipped), (10, 0));
    assert_eq!(got.said(), ["block length 92 is 77 at the end of the block, after packet 4 at byte 416"]);
}

#[test]
fn a_lying_block_length_costs_one_block() {
    for wrong in [0, 4, 11, 88, 96, 1_000, 100_000, 8 << 20, u32::MAX] {
        let mut file = plain_ng(10_000);
        let at = FIRST_BLOCK + 50 * BLOCK;
        file[at + 4..at + 8].copy_from_slice(&wrong.to_le_bytes());
        let got = read(&file[..]);
        assert_eq!(got.packets.len(), 9_999, "length {wrong}: {:?}", got.said());
        assert_eq!((got.skipped, got.damage_count), (BLOCK as u64, 1), "length {wrong}");
    }
    // The same at the end of the input, where there is nothing to look ahead at.
    let mut file = plain_ng(100);
    let at = FIRST_BLOCK + 50 * BLOCK;
    file[at + 4..at + 8].copy_from_slice(&100_000_u32.to_le_bytes());
    assert_eq!(read(&file[..]).packets.len(), 99);
}

#[test]
fn a_section_header_with_a_bad_length_still_begins_a_section() {
    let mut file = plain_ng(10);
    file[4..8].copy_from_slice(&0x7FFF_FFF0_u32.to_le_bytes());
    let got = read(&file[..]);
    assert_eq!((got.packets.len(), got.skipped), (10, 28));
    let mut file = plain_ng(10);
    file.extend(plain_ng(10));
    let second = file.len() / 2;
    file[second + 8] = 0;
    let got = read(&file[..]);
    assert_eq!((got.packets.len(), got.skipped), (20, 28));
    assert_eq!(got.damage[0].kind, DamageKind::ByteOrder);
}

#[test]
fn contents_that_do_not_fit() {
    let mut ng = Ng::new(false);
    // No interface yet.
    ng.packet(0, 1, 1, b"lost").simple(1, b"lost").interface(1, 0, &[]).packet(7, 1, 1, b"lost");
    // A packet longer than its block: what is there is delivered.
    let mut body = crate::build::Bytes::new(false);
    body.u32(0).u32(0).u32(1).u32(342).u32(342).raw(&[7; 128]);
    ng.block(6, &body.out).simple(500, &[7; 20]);
    // Blocks too short for what they should hold.
    ng.block(6, &[0; 16]).block(1, &[0; 4]).block(3, b"").packet(0, 2, 1, b"good");
    let got = read(&ng.done()[..]);
    let lengths: Vec<usize> = got.packets.iter().map(|p| p.data.len()).collect();
    assert_eq!(lengths, [128, 20, 4]);
    assert_eq!(
        got.said(),
        [
            "packet of undescribed interface 0, after packet 0 at byte 28, 36 bytes skipped",
            "packet of undescribed interface 0, after packet 0 at byte 64, 20 bytes skipped",
            "packet of undescribed interface 7, after packet 0 at byte 104, 36 bytes skipped",
            "contents do not fit into block of type 0x6, after packet 0 at byte 140",
            "contents do not fit into block of type 0x3, after packet 1 at byte 300",
            "contents do not fit into block of type 0x6, after packet 2 at byte 336, 28 bytes skipped",
            "contents do not fit into block of type 0x1, after packet 2 at byte 364, 16 bytes skipped",
            "contents do not fit into block of type 0x3, after packet 2 at byte 380, 12 bytes skipped",
        ]
    );
}

#[test]
fn unusable_interface_options() {
    let offset = 5_i64.to_le_bytes();
    let mut ng = Ng::new(false);
    ng.interface(1, 0, &[(9, &[9, 9])])
        .interface(1, 0, &[(9, &[9]), (9, &[3])])
        .interface(1, 0, &[(14, b"bad")])
        .interface(1, 0, &[(9, &[9]), (9, &[9]), (14, &offset), (14, &offset)])
        .interface(1, 0, &[(0, b""), (9, &[9])]);
    // An option longer than its block ends the options.
    let mut body = crate::build::Bytes::new(false);
    body.u16(1).u16(0).u32(0).u16(9).u16(5_000).raw(&[9, 0, 0, 0]);
    ng.block(1, &body.out);
    for interface in 0..6 {
        ng.packet(interface, 1_000_000, 1, b"x");
    }
    let got = read(&ng.done()[..]);
    assert_eq!(
        got.times(),
        [1_000_000_000, 1_000_000, 1_000_000_000, 5_001_000_000, 1_000_000_000, 1_000_000_000]
    );
    let kinds: Vec<_> = got.damage.iter().map(|d| d.kind.clone()).collect();
    assert_eq!(kinds, [9, 9, 14].map(|code| DamageKind::InterfaceOption { code }));
}

#[test]
fn much_damage_is_counted_and_a_little_of_it_kept() {
    let mut ng = Ng::new(false);
    for _ in 0..10_000 {
        ng.packet(0, 1, 1, b"lost");
    }
    let got = read(&ng.done()[..]);
    assert_eq!((got.damage.len(), got.damage_count, got.skipped), (64, 10_000, 360_000));
}

#[test]
fn noise_after_a_header_ends() {
    // A fixed stream of noise: x -> x * 6364136223846793005 + 1442695040888963407, upper byte.
    let mut state = 1_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let noise: Vec<u8> = (0..3_000_000).map(|_| noise()).collect();
    for mut file in [plain_pcap(10), plain_ng(10)] {
        let before = file.len();
        file.extend(&noise);
        let got = read(&file[..]);
        assert_eq!(got.packets.len(), 10);
        assert_eq!(got.skipped, (file.len() - before) as u64);
        // And finds its way out again.
        let more = if file[0] == 0x0A { plain_ng(10) } else { plain_pcap(10) };
        file.extend(&more);
        assert_eq!(read(&file[..]).packets.len(), 20);
    }
}

/// A record that is odd in itself, followed by damage, is not blamed for it.
#[test]
fn odd_records_before_damage() {
    let mut pcap = Pcap::new(false, MICROS, 65_535, 1);
    pcap.packet(1_000, 0, &[0xA5; 60]).record(1_001, 0, 60, 20, &[0xA5; 60]);
    let mut file = pcap.done();
    file.extend([0xFF; 40]);
    let got = read(&file[..]);
    assert_eq!((got.packets.len(), got.skipped), (2, 40));
}
