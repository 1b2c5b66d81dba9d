//! Where the cells of a CSV row end.

use std::mem;

/// Bytes that are looked at in one step: a bit for each.
const BLOCK: usize = 64;

/// A bit for each byte that is a comma. The instruction that gathers the bits has no safe name, and without it they cost
/// a third of what finding the cells of a row does.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[expect(unsafe_code, reason = "sound on a target with the feature, and this is one by the line above")]
#[inline]
fn commas(block: &[u8; BLOCK]) -> u64 {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8};

    #[inline]
    #[target_feature(enable = "sse2")]
    fn of_sixteen(bytes: [u8; 16]) -> u64 {
        let bytes = i128::from_le_bytes(bytes);
        let bytes = _mm_set_epi64x((bytes >> 64) as i64, bytes as i64);
        u64::from(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(b',' as i8))) as u32)
    }

    let (sixteens, _) = block.as_chunks::<16>();
    sixteens.iter().rev().fold(0, |bits, sixteen| bits << 16 | unsafe { of_sixteen(*sixteen) })
}

/// A bit for each byte that is a comma.
#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
#[inline]
fn commas(block: &[u8; BLOCK]) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW7: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let (eights, _) = block.as_chunks::<8>();
    eights.iter().rev().fold(0, |bits, eight| {
        let x = u64::from_le_bytes(*eight) ^ (ONES * u64::from(b','));
        // The high bit of each byte that is a comma, exactly (no false hit after a borrow); a multiplication lays them
        // side by side in the highest byte.
        let hits = !(((x & LOW7) + LOW7) | x | LOW7);
        bits << 8 | hits.wrapping_mul(0x0002_0408_1020_4081) >> 56
    })
}

/// Finds the cells of a row without quotes: writes the place behind the separator of each cell to `behind`, which has
/// one place per column. Returns how many cells the row has, which may be more than there are places.
///
/// A packet row is two blocks: cells of four or five bytes are too short for a search call each, and a loop over the
/// bits of a long word is left at the wrong time less often than one over a short one.
#[inline]
pub(crate) fn plain(row: &[u8], mut behind: &mut [u32]) -> usize {
    let mut cells = 1;
    let mut take = |base: usize, mut hits: u64| {
        let count = hits.count_ones() as usize;
        cells += count;
        let all = mem::take(&mut behind);
        let (now, later) = all.split_at_mut(count.min(all.len()));
        let behind_base = base as u32 + 1;
        for place in now {
            *place = behind_base.wrapping_add(hits.trailing_zeros());
            hits &= hits.wrapping_sub(1);
        }
        behind = later;
    };
    let (blocks, rest) = row.as_chunks::<BLOCK>();
    let mut base = 0;
    for block in blocks {
        take(base, commas(block));
        base += BLOCK;
    }
    match row.last_chunk::<BLOCK>() {
        // The last block overlaps the one before; what both hold is shifted out.
        Some(last) if !rest.is_empty() => take(base, commas(last) >> (BLOCK - rest.len())),
        Some(_) => {}
        None => {
            let mut block = [0; BLOCK];
            block[..rest.len()].copy_from_slice(rest);
            take(base, commas(&block));
        }
    }
    if let Some(place) = behind.first_mut() {
        *place = row.len() as u32 + 1;
    }
    cells
}

/// The length of the record at the head of `bytes` up to its line end, minding quotes: `Some((length, line_end))`
/// where `line_end` counts the bytes of the line end, `None` where the record goes on behind `bytes`.
pub(crate) fn quoted_record(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut at = 0;
    loop {
        let next = at + memchr::memchr2(b'"', b'\n', &bytes[at..])?;
        if bytes[next] == b'\n' {
            return Some((next, 1));
        }
        // A quote opens only at the head of a cell; elsewhere it is an ordinary byte.
        let opens = next == 0 || matches!(bytes[next - 1], b',' | b'\n');
        if !opens {
            at = next + 1;
            continue;
        }
        at = close_quote(bytes, next + 1)? + 1;
    }
}

/// Position of the quote that closes a cell opened just before `from`; doubled quotes belong to the text.
fn close_quote(bytes: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let quote = from + memchr::memchr(b'"', &bytes[from..])?;
        if bytes.get(quote + 1) == Some(&b'"') {
            from = quote + 2;
        } else {
            return Some(quote);
        }
    }
}

/// As [`plain`], for a row that holds quotes. `None` where a quote is never closed or text follows a closing one.
pub(crate) fn quoted(row: &[u8], behind: &mut [u32]) -> Option<usize> {
    let mut cell = 0;
    let mut at = 0;
    loop {
        let end = if row.get(at) == Some(&b'"') {
            let close = close_quote(row, at + 1)? + 1;
            if close < row.len() && row[close] != b',' {
                return None;
            }
            close
        } else {
            memchr::memchr(b',', &row[at..]).map_or(row.len(), |comma| at + comma)
        };
        if let Some(place) = behind.get_mut(cell) {
            *place = end as u32 + 1;
        }
        cell += 1;
        if end == row.len() {
            return Some(cell);
        }
        at = end + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cells(row: &[u8], behind: &[u32], count: usize) -> Vec<Vec<u8>> {
        let mut from = 0;
        behind[..count]
            .iter()
            .map(|next| {
                let cell = row[from..*next as usize - 1].to_vec();
                from = *next as usize;
                cell
            })
            .collect()
    }

    proptest! {
        #[test]
        fn plain_agrees_with_split(row in "[a-z0-9,.\u{80}-\u{ff}]{0,200}") {
            let mut behind = [0; 210];
            let count = plain(row.as_bytes(), &mut behind);
            let expected: Vec<Vec<u8>> = row.as_bytes().split(|b| *b == b',').map(<[u8]>::to_vec).collect();
            prop_assert_eq!(&cells(row.as_bytes(), &behind, count), &expected);
            for wanted in 0..expected.len() {
                let mut few = vec![0; wanted];
                prop_assert_eq!(plain(row.as_bytes(), &mut few), count);
                prop_assert_eq!(&few[..], &behind[..wanted]);
            }
        }

        /// The csv crate writes; its quoting and ours must agree on where cells end.
        #[test]
        fn quoted_agrees_with_the_csv_crate(texts in prop::collection::vec("[ab,\"\n]{0,6}", 1..6)) {
            prop_assume!(texts.len() > 1 || !texts[0].is_empty());
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(&texts).unwrap();
            let bytes = writer.into_inner().unwrap();
            let (len, _) = quoted_record(&bytes).unwrap();
            prop_assert_eq!(len + 1, bytes.len());
            let mut behind = [0; 10];
            let count = quoted(&bytes[..len], &mut behind).unwrap();
            let found: Vec<String> = cells(&bytes[..len], &behind, count)
                .iter()
                .map(|cell| String::from_utf8(crate::read::unquote(cell).into_owned()).unwrap())
                .collect();
            prop_assert_eq!(found, texts);
        }
    }
}
