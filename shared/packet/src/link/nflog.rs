//! Linux netfilter log messages, which `tcpdump -i nflog` and ulogd write.

use super::{Next, Step};
use crate::bytes::{Span, array_at};
use crate::skip::{NotIp, Skip};

/// Family, version, resource number.
const FIXED: usize = 4;
/// Length and type of an attribute.
const ATTRIBUTE: usize = 4;
/// <linux/netfilter/nfnetlink_log.h>, NFULA_PAYLOAD: the packet from its IP header.
const PAYLOAD: u16 = 9;

/// LINKTYPE_NFLOG: attributes whose numbers are in the byte order of the capturing machine. That is the order in which
/// their lengths make sense.
pub(super) fn step(span: Span<'_>) -> Next<'_> {
    let version = span.link_u8(1)?;
    if version != 0 {
        return Err(Skip::BadLink);
    }
    let family = span.link_u8(0)?;
    let found = payload(span.after(FIXED), u16::from_le_bytes)
        .or_else(|| payload(span.after(FIXED), u16::from_be_bytes))
        .ok_or(if span.data.len() < span.wire { Skip::TruncatedLink } else { Skip::BadLink })?;
    match family {
        // AF_INET and AF_INET6 of Linux; 7 is a bridge, whose payload begins at the IP header just the same.
        2 | 7 | 10 => Ok((Step::Ip, found)),
        _ => Err(Skip::NotIp(NotIp::Family(u32::from(family)))),
    }
}

fn payload(mut rest: Span<'_>, number: fn([u8; 2]) -> u16) -> Option<Span<'_>> {
    loop {
        let length = usize::from(number(array_at(rest.data, 0)?));
        let kind = number(array_at(rest.data, 2)?);
        if length < ATTRIBUTE || length > rest.wire {
            return None;
        }
        if kind == PAYLOAD {
            return Some(rest.limit(length).after(ATTRIBUTE));
        }
        rest = rest.after(length.next_multiple_of(4));
    }
}

#[cfg(test)]
mod tests {
    use crate::Skip;
    use crate::link::testing::{V4, V6, holds, join, refuses};

    #[test]
    fn test_nflog() {
        let prefix = [8, 0, 10, 0, b'l', b'o', b'g', 0];
        holds(239, &join(&[&[2, 0, 0, 5], &prefix, &[5, 0, 1, 0, 7, 0, 0, 0], &[44, 0, 9, 0], &V4]), None);
        holds(239, &join(&[&[10, 0, 0, 5], &[0, 64, 0, 9], &V6]), None);
        refuses(239, &join(&[&[2, 0, 0, 5], &[0, 1, 0, 9], &V4]), Skip::BadLink);
        refuses(239, &join(&[&[2, 1, 0, 5], &[44, 0, 9, 0], &V4]), Skip::BadLink);
    }
}
