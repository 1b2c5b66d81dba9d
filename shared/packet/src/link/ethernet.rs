//! Ethernet II and IEEE 802.3 frames.

use super::{Next, Step};
use crate::bytes::Span;

/// Largest value of the field that is a length and not an EtherType: IEEE 802.3 clause 3.2.6.
pub(super) const MAX_LENGTH: u16 = 1500;

/// Destination, source, then EtherType or length.
#[inline]
pub(super) fn step(span: Span<'_>) -> Next<'_> {
    let kind = span.link_u16(12)?;
    Ok(type_or_length(kind, span.after(14)))
}

/// What follows a field that holds an EtherType or the length of an LLC frame.
#[inline]
pub(super) fn type_or_length(kind: u16, rest: Span<'_>) -> (Step, Span<'_>) {
    if kind > MAX_LENGTH { (Step::EtherType(kind), rest) } else { (Step::Llc, rest.limit(usize::from(kind))) }
}

#[cfg(test)]
mod tests {
    use crate::link::testing::{V4, V6, ethernet, holds, read, refuses};
    use crate::{NotIp, Skip, Transport};

    #[test]
    fn test_ethernet() {
        holds(1, &ethernet(&[&[8, 0], &V4]), None);
        holds(1, &ethernet(&[&[0x86, 0xdd], &V6]), None);
        refuses(1, &ethernet(&[&[8, 6], &[0; 28]]), Skip::NotIp(NotIp::Arp));
        refuses(1, &ethernet(&[&[0x88, 0xcc], &[0; 28]]), Skip::NotIp(NotIp::EtherType(0x88cc)));
        refuses(1, &ethernet(&[&[0x05, 0xe6], &V4]), Skip::NotIp(NotIp::EtherType(1510)));
    }

    #[test]
    fn padding_is_no_payload() {
        let frame = ethernet(&[&[8, 0], &V4, &[0xee; 6]]);
        let packet = read(1, &frame).expect("a packet");
        assert_eq!((packet.payload, packet.payload_len), (&[][..], Some(0)));
    }

    #[test]
    fn transport_is_what_the_frame_holds() {
        let frame = ethernet(&[&[8, 0], &V4]);
        let packet = read(1, &frame).expect("a packet");
        let Transport::Tcp(tcp) = packet.transport else { panic!("{:?}", packet.transport) };
        assert_eq!((tcp.seq, tcp.flags, tcp.win), (Some(0x1122_3344), Some(2), Some(1024)));
    }
}
