//! UDP datagrams that only ever come as a reply.

use crate::Reason;

/// The reason to take a datagram for a reply: its source port and the first octets of its payload, in hexadecimal
/// as packet rows carry them. `None` where too few octets were captured to tell.
///
/// Sources beside each rule; docs/CLASSIFICATION.md has the table in words.
pub(crate) fn known_reply(src_port: u16, payload_head: &[u8]) -> Option<Reason> {
    let head = Head(payload_head);
    let reason = match src_port {
        // QR = 1, RFC 1035 §4.1.1; multicast DNS uses the same header (RFC 6762 §18.2).
        53 | 5353 => (head.octet(2)? & 0x80 != 0).then_some(Reason::DnsReply),
        123 => {
            let first = head.octet(0)?;
            let reply = match first & 7 {
                4 => true,                       // server, RFC 5905 §7.3
                6 => head.octet(1)? & 0x80 != 0, // control message, R bit, RFC 9327 §2
                7 => first & 0x80 != 0,          // private mode, R bit, ntpd's ntp_request.h
                _ => false,
            };
            reply.then_some(Reason::NtpReply)
        }
        // R bit of OPCODE, RFC 1002 §4.2.1.1.
        137 => (head.octet(2)? & 0x80 != 0).then_some(Reason::NetbiosReply),
        1900 => head.starts_with(b"HTTP/1.1 2").then_some(Reason::SsdpReply),
        5060 => head.starts_with(b"SIP/2.0 ").then_some(Reason::SipReply),
        // Responder's SPI, RFC 7296 §3.1; on port 4500 behind the non-ESP marker, RFC 3948 §2.2.
        500 => head.any_set(8..16)?.then_some(Reason::IkeReply),
        4500 => (!head.any_set(0..4)? && head.any_set(12..16)?).then_some(Reason::IkeReply),
        161 => head.is_snmp_response()?.then_some(Reason::SnmpReply),
        // msg_type REPLY, RFC 5531 §9.
        111 => (!head.any_set(4..7)? && head.octet(7)? == 1).then_some(Reason::RpcReply),
        // Eight octets of frame header, then the text protocol (memcached doc/protocol.txt).
        11211 => [&b"STAT "[..], b"VALUE", b"END", b"ERROR"]
            .iter()
            .any(|word| head.has_at(8, word))
            .then_some(Reason::MemcachedReply),
        // Two zero bits, which every message begins with, the class of a response, and a length in words of four
        // octets, RFC 8489 §5: what else is sent from an ephemeral port of this number has others.
        3478 => (head.octet(0)? & 0xc1 == 0x01 && head.octet(3)? & 3 == 0).then_some(Reason::StunReply),
        19 => head.octet(0).map(|_| Reason::ChargenReply),
        17 => head.octet(0).map(|_| Reason::QotdReply),
        _ => None,
    }?;
    Some(reason)
}

/// Octets in hexadecimal.
pub(crate) struct Head<'a>(pub(crate) &'a [u8]);

impl Head<'_> {
    /// The octet at a place, where it was captured.
    pub(crate) fn octet(&self, at: usize) -> Option<u8> {
        let pair = self.0.get(2 * at..2 * at + 2)?;
        let nibble = |b: u8| char::from(b).to_digit(16).map(|n| n as u8);
        Some(nibble(pair[0])? << 4 | nibble(pair[1])?)
    }

    fn starts_with(&self, text: &[u8]) -> bool {
        self.has_at(0, text)
    }

    fn has_at(&self, at: usize, text: &[u8]) -> bool {
        text.iter().enumerate().all(|(i, b)| self.octet(at + i) == Some(*b))
    }

    /// A message of SNMPv1 or v2c whose PDU is a response (RFC 3416 §3, RFC 3417 §8): a sequence of version, community
    /// and PDU with tag 0xa2, lengths in the short form, as every community of less than seven octets leaves room for.
    fn is_snmp_response(&self) -> Option<bool> {
        // A sequence of up to 127 octets has one octet of length, a longer one up to three.
        let version = match self.octet(1)? {
            0x81 => 3,
            0x82 => 4,
            _ => 2,
        };
        let is_message = self.octet(0)? == 0x30 && self.octet(version)? == 2 && self.octet(version + 1)? == 1;
        let community = version + 3;
        if !is_message || self.octet(community)? != 4 {
            return Some(false);
        }
        let length = usize::from(self.octet(community + 1)?);
        Some(self.octet(community + 2 + length)? == 0xa2)
    }

    fn any_set(&self, mut range: std::ops::Range<usize>) -> Option<bool> {
        range.try_fold(false, |any, at| Some(any | (self.octet(at)? != 0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_and_near_misses() {
        for (port, head, expected) in [
            (53, "abcd8180000100010000000000", Some(Reason::DnsReply)),
            (53, "abcd01000001000000000000", None),
            (53, "abcd", None),
            (123, "24", Some(Reason::NtpReply)),
            (123, "23", None),
            (123, "1680", Some(Reason::NtpReply)),
            (123, "1602", None),
            (123, "d700032a", Some(Reason::NtpReply)),
            (123, "1700032a", None),
            (137, "000084", Some(Reason::NetbiosReply)),
            (1900, "485454502f312e3120323030204f4b0d", Some(Reason::SsdpReply)),
            (1900, "4d2d534541524348", None),
            (5060, "5349502f322e3020323030", Some(Reason::SipReply)),
            (500, "00112233445566770000000000000001", Some(Reason::IkeReply)),
            (500, "00112233445566770000000000000000", None),
            (500, "0011223344556677", None),
            (4500, "00000000001122334455667700000001", Some(Reason::IkeReply)),
            (111, "0000000100000001", Some(Reason::RpcReply)),
            (111, "0000000100000000", None),
            (11211, "000000000001000053544154207069", Some(Reason::MemcachedReply)),
            (11211, "0000000000010000454e440d0a", Some(Reason::MemcachedReply)),
            (161, "302902010104067075626c6963a21c02", Some(Reason::SnmpReply)),
            (161, "302902010104067075626c6963a01c02", None),
            (161, "30290201010407707269766174652d2d", None),
            (3478, "01010008", Some(Reason::StunReply)),
            (3478, "0001", None),
            (3478, "4d2d534541524348", None),
            (3478, "0d0a0d0a", None),
            (3478, "010100", None),
            (19, "20", Some(Reason::ChargenReply)),
            (19, "", None),
            (80, "ffff", None),
        ] {
            assert_eq!(known_reply(port, head.as_bytes()), expected, "{port} {head}");
        }
    }
}
