//! What holds for every capture, whatever is in it and whatever was done to it.

use probeline_capfile::{LinkType, PcapWriter, Reader};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::{
    build::{Got, MICROS, MODIFIED, NANOS, Ng, Pcap, Sips, drain, read},
    compressed,
};

/// Seconds (within a day, which is how far back a search believes), fraction, data, bytes on the wire beyond
/// those captured.
type Spec = (u32, u32, Vec<u8>, u32);

fn specs(packets: usize) -> impl Strategy<Value = Vec<Spec>> {
    let data = prop_oneof![8 => vec(any::<u8>(), 1..100), 1 => vec(any::<u8>(), 1..5_000)];
    vec((1_600_000_000_u32..1_600_080_000, 0..1_000_000_u32, data, 0..2_000_u32), 0..packets)
}

fn pcap(specs: &[Spec], big: bool, magic: u32) -> Vec<u8> {
    let mut pcap = Pcap::new(big, magic, 65_535, 1);
    for (sec, frac, data, beyond) in specs {
        pcap.record(*sec, *frac, data.len() as u32, data.len() as u32 + beyond, data);
    }
    pcap.done()
}

fn ng(specs: &[Spec], big: bool) -> Vec<u8> {
    let mut ng = Ng::new(big);
    ng.interface(1, 65_535, &[]);
    for (sec, frac, data, beyond) in specs {
        let ticks = u64::from(*sec) * 1_000_000 + u64::from(*frac);
        ng.packet(0, ticks, data.len() as u32 + beyond, data);
    }
    ng.done()
}

/// Either format, with the lengths of header and of each record.
fn file(specs: &[Spec], kind: u8, big: bool) -> (Vec<u8>, Vec<usize>) {
    let mut sizes = vec![];
    let file = match kind {
        0 => {
            sizes.push(48);
            sizes.extend(specs.iter().map(|spec| 32 + spec.2.len().next_multiple_of(4)));
            ng(specs, big)
        }
        _ => {
            let (magic, header) = [(MICROS, 16), (NANOS, 16), (MODIFIED, 24)][usize::from(kind - 1)];
            sizes.push(24);
            sizes.extend(specs.iter().map(|spec| header + spec.2.len()));
            pcap(specs, big, magic)
        }
    };
    assert_eq!(sizes.iter().sum::<usize>(), file.len());
    (file, sizes)
}

fn in_pieces(bytes: &[u8], sizes: &[usize]) -> Option<Got> {
    Some(drain(Reader::new(Sips { bytes, sizes, turn: 0 }).ok()?))
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        packets in vec((0..(1_i64 << 32) * 1_000_000_000, vec(any::<u8>(), 0..200), any::<u32>()), 0..50),
        nanos: bool,
        link in 0_u32..65_536,
    ) {
        let mut writer = PcapWriter::new(Vec::new(), LinkType(link), 65_535, nanos).expect("header");
        for (time, data, wire_len) in &packets {
            writer.write(*time, *wire_len, data).expect("memory");
        }
        let got = read(&writer.into_inner()[..]);
        prop_assert_eq!(got.packets.len(), packets.len());
        for (got, (time, data, wire_len)) in got.packets.iter().zip(&packets) {
            let time = if nanos { *time } else { time / 1_000 * 1_000 };
            prop_assert_eq!((got.ts_nanos, &got.data, got.wire_len, got.link), (time, data, *wire_len, link));
        }
        prop_assert_eq!((got.damage_count, got.digits), (0, if nanos { 9 } else { 6 }));
    }

    /// Cut anywhere: the records wholly before the cut, and the rest counted.
    #[test]
    fn a_cut_keeps_what_lies_before(specs in specs(20), kind in 0_u8..4, big: bool, cut: Index) {
        let (file, sizes) = file(&specs, kind, big);
        let cut = cut.index(file.len() + 1);
        let whole = read(&file[..]);
        prop_assert_eq!((whole.packets.len(), whole.damage_count), (specs.len(), 0));
        let Ok(reader) = Reader::new(&file[..cut]) else {
            prop_assert!(cut < 24);
            return Ok(());
        };
        let got = drain(reader);
        let mut ends = sizes.iter().scan(0, |end, size| { *end += size; Some(*end) });
        // The header of pcapng is two blocks; a cut in them leaves no packets.
        let header = ends.next().expect("header");
        let kept: Vec<usize> = ends.take_while(|end| *end <= cut).collect();
        prop_assert_eq!(&got.packets[..], &whole.packets[..kept.len()]);
        let rest = cut - kept.last().copied().unwrap_or(header).min(cut);
        if cut >= header {
            prop_assert_eq!(got.skipped, rest as u64);
            prop_assert_eq!(got.damage_count, u64::from(rest > 0));
        }
    }

    /// How the bytes arrive makes no difference, not even to damaged captures.
    #[test]
    fn pieces_make_no_difference(
        specs in specs(40),
        kind in 0_u8..4,
        big: bool,
        damage in vec((any::<Index>(), any::<u8>()), 0..6),
        sizes in vec(1_usize..3_000, 1..5),
    ) {
        let (mut file, _) = file(&specs, kind, big);
        for (at, value) in damage {
            let at = at.index(file.len());
            file[at] = value;
        }
        let whole = Reader::new(&file[..]).ok().map(drain);
        prop_assert_eq!(&in_pieces(&file, &sizes), &whole);
        prop_assert_eq!(&in_pieces(&file, &[1]), &whole);
        let live = Reader::new(Sips { bytes: &file, sizes: &sizes, turn: 0 });
        let live = live.ok().map(|reader| drain(reader.live(true)));
        prop_assert_eq!(&live, &whole);
    }

    /// The same for packed captures, cut off and appended to and damaged: not even what is told about it
    /// differs.
    #[test]
    fn pieces_make_no_difference_to_packed_captures(
        specs in specs(40),
        kind in 0_u8..4,
        zstd: bool,
        append in prop::option::of(any::<Index>()),
        damage in vec((any::<Index>(), any::<u8>()), 0..4),
        sizes in vec(1_usize..3_000, 1..5),
    ) {
        let (file, _) = file(&specs, kind, false);
        let pack = if zstd { compressed::zstd } else { compressed::gzip };
        let mut packed = pack(&file);
        if let Some(keep) = append {
            let again = packed.clone();
            packed.truncate(keep.index(packed.len()));
            packed.extend(again);
        }
        for (at, value) in damage {
            let at = at.index(packed.len());
            packed[at] = value;
        }
        let whole = Reader::new(&packed[..]).ok().map(drain);
        prop_assert_eq!(&in_pieces(&packed, &sizes), &whole);
        prop_assert_eq!(&in_pieces(&packed, &[1]), &whole);
    }

    /// Damage anywhere behind the file header: no panic, no byte unaccounted for, and almost everything still
    /// there.
    #[test]
    fn no_byte_is_lost_in_silence(
        specs in specs(60),
        kind in 1_u8..4,
        big: bool,
        damage in vec((any::<Index>(), any::<u8>()), 1..6),
    ) {
        let (mut file, _) = file(&specs, kind, big);
        let touched = damage.len();
        for (at, value) in damage {
            let at = 24 + at.index(file.len() - 23);
            if let Some(byte) = file.get_mut(at) {
                *byte = value;
            }
        }
        let got = read(&file[..]);
        let header = if kind == 3 { 24 } else { 16 };
        let delivered: usize = got.packets.iter().map(|packet| header + packet.data.len()).sum();
        prop_assert_eq!(24 + delivered as u64 + got.skipped, file.len() as u64);
        // A changed length can also swallow a neighbour, at the end of the file the last few.
        let (kept, all) = (got.packets.len(), specs.len());
        prop_assert!(kept + 4 * touched + 4 >= all, "{kept} of {all}: {:?}", got.said());
    }

    /// The same for pcapng, where the blocks around the packets count too.
    #[test]
    fn pcapng_survives_damage(
        specs in specs(60),
        big: bool,
        damage in vec((any::<Index>(), any::<u8>()), 1..6),
    ) {
        let mut file = ng(&specs, big);
        let touched = damage.len();
        let len = file.len();
        for (at, value) in damage {
            // Behind section header and interface: without those there is nothing to go by.
            if let Some(byte) = file.get_mut(48 + at.index(len - 47)) {
                *byte = value;
            }
        }
        let got = read(&file[..]);
        let delivered: usize = got.packets.iter().map(|packet| 32 + packet.data.len()).sum();
        prop_assert!(48 + delivered as u64 + got.skipped <= file.len() as u64);
        let (kept, all) = (got.packets.len(), specs.len());
        prop_assert!(kept + 2 * touched >= all, "{kept} of {all}: {:?}", got.said());
    }

    /// Anything at all behind a magic.
    #[test]
    fn noise_does_no_harm(
        kind in 0_usize..8,
        noise in vec(any::<u8>(), 0..3_000),
        sizes in vec(1_usize..400, 1..4),
    ) {
        let magic: &[u8] = [
            &[0xd4, 0xc3, 0xb2, 0xa1][..],
            &[0xa1, 0xb2, 0x3c, 0x4d],
            &[0x34, 0xcd, 0xb2, 0xa1],
            &[0x0a, 0x0d, 0x0d, 0x0a, 0x1c, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a],
            &[0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 0x1c, 0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0],
            &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3],
            &[0x28, 0xb5, 0x2f, 0xfd],
            &[],
        ][kind];
        let file = [magic, &noise].concat();
        let whole = Reader::new(&file[..]).ok().map(drain);
        prop_assert_eq!(in_pieces(&file, &sizes), whole);
    }
}
