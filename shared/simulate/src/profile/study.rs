//! The study's two configurations by its published findings.
//!
//! What the findings state is met by construction: totals, techniques, six probes of masscan, which ports, how many
//! sources come again and what part of the probes is theirs, block scans, sizes, four and six /24s (and one of UDP)
//! with large vertical scans, the same five countries. The rest is made up, as every packet is: that the tables come out as
//! published shows that the pipeline computes them at that scale, and nothing about the study.

use super::general::ONE;
use crate::cohort::{Cohort, Emits, Nets, Ports, Reply};
use crate::random::Size;
use crate::tool::Tool;

const UNMARKED: &[(Tool, u32)] = &[(Tool::Raw, 1)];
const BOTS: &[(Tool, u32)] = &[(Tool::Mirai, 1), (Tool::Raw, 2)];
const LOGINS: &[(Tool, u32)] = &[(Tool::Raw, 80), (Tool::Zmap2, 8), (Tool::Linux, 9), (Tool::Windows, 3)];
const SURVEYS: &[(Tool, u32)] = &[(Tool::Zmap2, 6), (Tool::Zmap3, 3), (Tool::Nmap, 1)];

const SSH: &[(u16, u32)] = &[(22, 1)];
const SSH_AND_MORE: &[(u16, u32)] = &[(22, 80), (2222, 8), (23, 8), (222, 4)];
const SERVICES: &[(u16, u32)] = &[
    (80, 20),
    (8080, 18),
    (443, 16),
    (3389, 14),
    (445, 12),
    (81, 10),
    (5555, 9),
    (8443, 8),
    (5900, 7),
    (1433, 6),
    (6379, 6),
    (3306, 5),
    (7547, 5),
    (25, 4),
    (21, 4),
    (8081, 4),
    (9200, 3),
    (37215, 3),
];
const SIP: &[(u16, u32)] = &[(5060, 1)];
const SSDP: &[(u16, u32)] = &[(1900, 1)];
const SIP_AND_SSDP: &[(u16, u32)] = &[(5060, 11), (1900, 10)];
const DATAGRAMS: &[(u16, u32)] = &[
    (5060, 400),
    (1900, 400),
    (53, 30),
    (123, 30),
    (161, 25),
    (137, 20),
    (11211, 18),
    (389, 16),
    (3478, 14),
    (5683, 12),
    (1434, 12),
    (69, 10),
    (111, 10),
    (17, 8),
    (19, 8),
    (500, 8),
    (4500, 6),
    (27015, 6),
];

pub(super) fn cohorts(honeypot: bool) -> Vec<Cohort> {
    let tcp = Nets::Part { part: 0, few: honeypot };
    let udp = Nets::Part { part: 1, few: honeypot };
    let wide = Nets::Part { part: 2, few: honeypot };
    let once = Cohort { nets: tcp, lasts: Size::Log(5, 250), ..ONE };
    // Visits far enough apart to be sessions of their own.
    let again = Cohort { visits: Size::Log(2, 16), away: Size::Log(1200, 200_000), ..once };
    let by_udp = Cohort { nets: udp, emits: Emits::Udp(UNMARKED), ..once };
    let by_udp_again = Cohort { nets: udp, emits: Emits::Udp(UNMARKED), ..again };
    let victims =
        Cohort { nets: tcp, ports: Ports::Popular(SERVICES), dsts: Size::Heavy(0.9, 1, 500), ..ONE };
    let datagrams = if honeypot { 0.96 } else { 0.925 };
    // Ports that nobody reaches by a vertical scan, and the /24s behind the large ones.
    let (rare, rare_udp) = if honeypot { (1130, 141) } else { (705, 128) };
    let large = |number: u16| Cohort {
        share: 0.0,
        exactly: Some(1),
        emits: Emits::Syn(if number.is_multiple_of(2) { UNMARKED } else { &[(Tool::Nmap, 1)] }),
        ports: Ports::Range(1 + number * 650, (number + 1) * 650),
        dsts: Size::Even(1, 2),
        width: Size::Just(650),
        // Ports by ISP: fewer with the honeypot, although there are more ports.
        visits: if honeypot { Size::Even(1, 2) } else { Size::Even(2, 3) },
        ..again
    };
    #[rustfmt::skip]
    let mut cohorts = vec![
        // Once: a fifth of all probes.
        Cohort { share: 85.0, emits: Emits::Syn(BOTS), ports: Ports::Mirai, dsts: Size::Heavy(0.4, 3, 24), ..once },
        Cohort { share: 30.0, emits: Emits::Syn(LOGINS), ports: Ports::Popular(SSH), dsts: Size::AllOrHeavy(60), ..once },
        Cohort { share: 20.0, emits: Emits::Syn(SURVEYS), ports: Ports::Popular(SERVICES), dsts: Size::AllOrHeavy(60), ..once },
        Cohort { share: 40.0, emits: Emits::Syn(UNMARKED), ports: Ports::Popular(SSH_AND_MORE), width: Size::Even(2, 3), dsts: Size::Heavy(0.6, 2, 24), ..once },
        // Again and again: the rest.
        Cohort { share: 275.0, emits: Emits::Syn(BOTS), ports: Ports::Mirai, dsts: Size::Heavy(0.4, 4, 24), ..again },
        Cohort { share: 135.0, emits: Emits::Syn(LOGINS), ports: Ports::Popular(SSH), dsts: Size::AllOrHeavy(90), ..again },
        Cohort { share: 60.0, emits: Emits::Syn(UNMARKED), ports: Ports::Popular(SSH_AND_MORE), width: Size::Even(2, 3), dsts: Size::Heavy(0.6, 2, 24), ..again },
        Cohort { share: 75.0, emits: Emits::Syn(UNMARKED), ports: Ports::Popular(SERVICES), width: Size::Even(2, 6), dsts: Size::Heavy(0.6, 2, 24), ..again },
        Cohort { share: 65.0, emits: Emits::Syn(UNMARKED), ports: Ports::Popular(SERVICES), nets: wide, width: Size::Just(10), dsts: Size::Heavy(0.9, 1, 24), ..again },
        Cohort { share: 12.0, emits: Emits::Syn(SURVEYS), ports: Ports::Popular(SERVICES), dsts: Size::Just(25), lasts: Size::Log(3600, 100_000), ..once },
        Cohort { share: 35.0, emits: Emits::Syn(UNMARKED), ports: Ports::Range(20_000, 19_999 + rare), dsts: Size::Heavy(0.8, 1, 24), ..again },
        Cohort { share: 0.0, exactly: Some(1), emits: Emits::Syn(&[(Tool::Masscan13, 1)]), ports: Ports::Popular(SERVICES), dsts: Size::Just(if honeypot { 2 } else { 4 }), ..once },
        // UDP, from /24s of its own.
        Cohort { share: 10.0 * datagrams, ports: Ports::Popular(SIP), dsts: Size::AllOrHeavy(650), ..by_udp },
        Cohort { share: 8.0 * datagrams, ports: Ports::Popular(SSDP), dsts: Size::AllOrHeavy(650), ..by_udp },
        Cohort { share: 33.0 * datagrams, ports: Ports::Popular(SIP_AND_SSDP), width: Size::Even(1, 2), dsts: Size::AllOrHeavy(650), ..by_udp_again },
        Cohort { share: 50.0 * datagrams, ports: Ports::Popular(DATAGRAMS), width: Size::Even(10, 11), dsts: Size::Heavy(0.6, 1, 12), ..by_udp_again },
        Cohort { share: 4.0 * datagrams, ports: Ports::Range(30_000, 29_999 + rare_udp), dsts: Size::Heavy(1.0, 2, 9), ..by_udp_again },
        Cohort { share: 0.0, exactly: Some(1), ports: Ports::Range(600, 899), width: Size::Just(300), dsts: Size::Just(2), visits: Size::Just(2), ..by_udp_again },
        // What the study did not count.
        Cohort { share: 25.0, emits: Emits::Backscatter(Reply::SynAck), ..victims },
        Cohort { share: 12.0, emits: Emits::Backscatter(Reply::RstAck), ..victims },
    ];
    cohorts.extend((0..if honeypot { 6 } else { 4 }).map(large));
    cohorts
}
