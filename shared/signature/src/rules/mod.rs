//! The table of rules, one file per tool.

mod constants;
mod hping3;
mod masscan;
mod mirai;
mod naabu;
mod nmap;
mod os_stack;
mod unicornscan;
mod xmap;
mod yarrp;
mod zmap;

pub(crate) use constants::{fi6s_run, nping_run};
pub(crate) use hping3::may_be_stream;
pub(crate) use masscan::{
    START_CYCLE, START_PORT, low_bits as masscan_low_bits, may_be_moved, udp_cookie as masscan_udp_cookie,
};
pub(crate) use mirai::process as mirai_process;
pub(crate) use nmap::{coded as nmap_coded, may_draw_ttl, ttl_drawn as nmap_ttl};
pub(crate) use unicornscan::key as unicornscan_key;
pub(crate) use yarrp::checksum as yarrp_checksum;
pub(crate) use zmap::{may_be_pool, start as zmap_start};

use std::sync::LazyLock;

use crate::packet::{Kind, Kinds, Packet};
use crate::rule::Rule;

/// Every rule, in the order of the tools; within a tool, the rule that tells most about the version first.
pub static RULES: LazyLock<Vec<&'static Rule>> = LazyLock::new(|| {
    let tools = [
        mirai::RULES,
        unicornscan::RULES,
        yarrp::RULES,
        xmap::RULES,
        zmap::RULES,
        masscan::RULES,
        hping3::RULES,
        nmap::RULES,
        naabu::RULES,
        constants::RULES,
        os_stack::RULES,
    ];
    tools.into_iter().flatten().collect()
});

const SYN4: Kinds = Kinds::of(&[Kind::Syn4]);
const SYN6: Kinds = Kinds::of(&[Kind::Syn6]);
const SYN: Kinds = Kinds::of(&[Kind::Syn4, Kind::Syn6]);
const TCP4: Kinds = Kinds::of(&[Kind::Tcp4]);
const TCP: Kinds = Kinds::of(&[Kind::Tcp4, Kind::Tcp6]);
const TCP4_OR_SYN4: Kinds = Kinds::of(&[Kind::Syn4, Kind::Tcp4]);
const TCP4_OR_UDP4: Kinds = Kinds::of(&[Kind::Syn4, Kind::Tcp4, Kind::Udp4]);
const TCP6: Kinds = Kinds::of(&[Kind::Syn6, Kind::Tcp6]);
const ANY_TCP: Kinds = Kinds::of(&[Kind::Syn4, Kind::Syn6, Kind::Tcp4, Kind::Tcp6]);
const ANY_TCP_OR_UDP4: Kinds = Kinds::of(&[Kind::Syn4, Kind::Syn6, Kind::Tcp4, Kind::Tcp6, Kind::Udp4]);
const ANY_IP6: Kinds = Kinds::of(&[Kind::Syn6, Kind::Tcp6, Kind::Udp6, Kind::Icmp6]);
const SYN4_OR_UDP4: Kinds = Kinds::of(&[Kind::Syn4, Kind::Udp4]);
const UDP4: Kinds = Kinds::of(&[Kind::Udp4]);
const ICMP4: Kinds = Kinds::of(&[Kind::Icmp4]);
const ICMP: Kinds = Kinds::of(&[Kind::Icmp4, Kind::Icmp6]);
const SCTP4: Kinds = Kinds::of(&[Kind::Sctp4]);

/// Columns of the fixed TCP and IP headers that nearly all shapes are made of, and others.
macro_rules! shape {
    ($($field:ident),*) => {
        &[
            &probeline_record::field::TTL,
            &probeline_record::field::IP_DF,
            &probeline_record::field::IP_LEN,
            &probeline_record::field::PAYLOAD_LEN,
            &probeline_record::field::TCP_WIN,
            &probeline_record::field::TCP_ACK,
            &probeline_record::field::TCP_OPTS,
            &probeline_record::field::TCP_MSS,
            $(&probeline_record::field::$field),*
        ]
    };
}
use shape;

/// For rules whose traits, or whose condition's, say it all.
fn any(_: &Packet) -> bool {
    true
}

/// ICMP and ICMPv6 echo request (RFC 792; RFC 4443 §4.1).
fn is_echo_request(icmp_type: u8) -> bool {
    matches!(icmp_type, 8 | 128)
}

#[cfg(test)]
mod tests;
