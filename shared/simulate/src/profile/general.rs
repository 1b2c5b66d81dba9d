//! The Internet's background as telescopes describe it.
//!
//! Shares follow what is published: a third and more of all probes from ZMap (IMC 2024, "Ten Years of ZMap"), 1 to 1.5 %
//! with Mirai's mark and more from its descendants, a twentieth backscatter, 1 % of sources with 97 % of all
//! packets (TU Delft, snapshots of 2023 and 2024). What is not published is made up.

use crate::cohort::{Cohort, Emits, Nets, Ports, Reply};
use crate::random::Size;
use crate::tool::Tool;

const TCP: &[(u16, u32)] = &[
    (23, 190),
    (22, 120),
    (80, 70),
    (443, 60),
    (8080, 50),
    (3389, 50),
    (5555, 30),
    (445, 30),
    (81, 20),
    (8443, 20),
    (2222, 15),
    (6379, 15),
    (5900, 15),
    (1433, 15),
    (3306, 12),
    (25, 10),
    (21, 10),
    (9200, 8),
    (27017, 8),
    (11211, 6),
];
const BOTNET: &[(u16, u32)] =
    &[(80, 5), (8080, 8), (8081, 3), (5555, 8), (37215, 8), (7547, 4), (8443, 3), (9000, 2)];
const LOGIN: &[(u16, u32)] = &[(22, 40), (3389, 25), (5900, 8), (445, 12), (1433, 8), (3306, 7)];
const UDP: &[(u16, u32)] =
    &[(53, 20), (123, 15), (161, 15), (1900, 15), (5060, 20), (11211, 6), (3478, 5), (137, 6), (389, 4)];
const SIP: &[(u16, u32)] = &[(5060, 10), (5061, 1), (5080, 1)];
const VICTIM: &[(u16, u32)] = &[(80, 40), (443, 40), (22, 5), (25565, 10), (53, 5)];
const DESERTED: &[(u16, u32)] = &[(443, 50), (80, 20), (25, 10), (8883, 10), (5222, 10)];
const SYSLOG: &[(u16, u32)] = &[(514, 10), (162, 5), (6881, 10)];

/// A source that comes once, to one port of every address or of some, within minutes.
pub(super) const ONE: Cohort = Cohort {
    share: 0.0,
    v6: false,
    emits: Emits::Syn(&[(Tool::Raw, 1)]),
    ports: Ports::Popular(TCP),
    dsts: Size::AllOrHeavy(500),
    width: Size::Just(1),
    visits: Size::Just(1),
    away: Size::Log(1800, 86_400),
    lasts: Size::Log(20, 600),
    exactly: None,
    nets: Nets::Any,
    together: 1,
    diurnal: false,
    lost: false,
    second: 0,
};

/// 2^31 sources at the most, which a duration or a number of packets ends before.
pub(super) const FLOOD: Cohort = Cohort {
    share: 1.0,
    emits: Emits::Flood,
    dsts: Size::Just(u32::MAX / 2),
    lasts: Size::Just(21_474),
    ..ONE
};

const VICTIMS: Cohort = Cohort {
    ports: Ports::Popular(VICTIM),
    dsts: Size::Heavy(0.9, 1, 3000),
    lasts: Size::Log(60, 7200),
    ..ONE
};

#[rustfmt::skip]
const COHORTS: &[Cohort] = &[
    // Botnets: few packets from each of many, again and again.
    Cohort { share: 110.0, emits: Emits::Syn(&[(Tool::Mirai, 1)]), ports: Ports::Mirai, dsts: Size::Heavy(1.0, 1, 256), visits: Size::Heavy(1.1, 1, 100), lasts: Size::Log(30, 3600), second: 600, ..ONE },
    Cohort { share: 30.0, emits: Emits::Syn(&[(Tool::Mirai, 1)]), ports: Ports::Popular(BOTNET), dsts: Size::Heavy(1.0, 1, 256), visits: Size::Heavy(1.1, 1, 100), lasts: Size::Log(30, 3600), diurnal: true, second: 600, ..ONE },
    Cohort { share: 40.0, emits: Emits::Syn(&[(Tool::Raw, 1)]), ports: Ports::Mirai, dsts: Size::Heavy(1.0, 1, 256), visits: Size::Heavy(1.1, 1, 100), diurnal: true, ..ONE },
    // Internet-wide scans of one port, daily.
    Cohort { share: 190.0, emits: Emits::Syn(&[(Tool::Zmap4, 45), (Tool::Zmap4Linux, 10), (Tool::Zmap3, 20), (Tool::Zmap2, 25)]), visits: Size::Heavy(0.8, 1, 60), lasts: Size::Log(300, 40_000), second: 100, ..ONE },
    Cohort { share: 5.0, emits: Emits::Syn(&[(Tool::Xmap, 1)]), ..ONE },
    // Several ports at once.
    Cohort { share: 150.0, emits: Emits::Syn(&[(Tool::MasscanGit, 30), (Tool::Masscan13, 64), (Tool::Masscan1, 6)]), width: Size::Log(1, 16), visits: Size::Heavy(1.0, 1, 30), lasts: Size::Log(60, 20_000), ..ONE },
    Cohort { share: 70.0, emits: Emits::Syn(&[(Tool::MasscanGit, 30), (Tool::Masscan13, 70)]), ports: Ports::Range(1, 65_535), width: Size::Log(50, 3000), dsts: Size::Heavy(1.0, 1, 256), lasts: Size::Log(60, 86_400), ..ONE },
    Cohort { share: 25.0, emits: Emits::Syn(&[(Tool::Nmap, 1)]), ports: Ports::Range(1, 10_000), width: Size::Log(20, 1000), dsts: Size::Heavy(2.0, 1, 20), lasts: Size::Log(5, 300), diurnal: true, ..ONE },
    Cohort { share: 12.0, emits: Emits::Syn(&[(Tool::Hping3, 1)]), ports: Ports::Range(1, 1024), width: Size::Log(20, 200), dsts: Size::Just(1), ..ONE },
    Cohort { share: 12.0, emits: Emits::Syn(&[(Tool::Unicornscan, 1)]), width: Size::Log(2, 16), ..ONE },
    Cohort { share: 12.0, emits: Emits::Syn(&[(Tool::Naabu, 1)]), width: Size::Log(2, 16), ..ONE },
    Cohort { share: 8.0, emits: Emits::Syn(&[(Tool::Scapy, 4), (Tool::Nping, 2), (Tool::Scanssh, 2)]), ..ONE },
    Cohort { share: 60.0, emits: Emits::Syn(&[(Tool::Raw, 1)]), width: Size::Log(1, 8), visits: Size::Heavy(1.2, 1, 20), ..ONE },
    // Logins by sockets, from infected machines that are switched off at night among them.
    Cohort { share: 70.0, emits: Emits::Syn(&[(Tool::Linux, 7), (Tool::Windows, 3)]), ports: Ports::Popular(LOGIN), dsts: Size::Heavy(0.8, 1, 256), visits: Size::Heavy(1.0, 1, 50), ..ONE },
    Cohort { share: 30.0, emits: Emits::Syn(&[(Tool::Windows, 3), (Tool::Linux, 1)]), ports: Ports::Popular(LOGIN), dsts: Size::Heavy(1.0, 1, 256), visits: Size::Heavy(1.0, 1, 20), diurnal: true, ..ONE },
    // Slow: days for one port of the telescope.
    Cohort { share: 15.0, emits: Emits::Syn(&[(Tool::Raw, 5), (Tool::MasscanGit, 2), (Tool::Zmap4, 3)]), dsts: Size::AllOrHeavy(800), lasts: Size::Log(86_400, 1_000_000), ..ONE },
    // Distributed: the targets of one launch, divided among many addresses.
    Cohort { share: 25.0, emits: Emits::Syn(&[(Tool::Masscan13, 2), (Tool::Unicornscan, 1)]), dsts: Size::AllOrHeavy(1000), width: Size::Even(8, 16), lasts: Size::Log(120, 3600), together: 32, ..ONE },
    Cohort { share: 2.0, emits: Emits::Flags("fin"), width: Size::Log(1, 16), ..ONE },
    Cohort { share: 2.0, emits: Emits::Flags("null"), width: Size::Log(1, 16), ..ONE },
    Cohort { share: 2.0, emits: Emits::Flags("xmas"), width: Size::Log(1, 16), ..ONE },
    Cohort { share: 2.0, emits: Emits::Flags("maimon"), width: Size::Log(1, 16), ..ONE },
    Cohort { share: 2.0, emits: Emits::Flags("ack"), width: Size::Log(1, 16), ..ONE },
    Cohort { share: 2.0, emits: Emits::Flags("odd-flags"), width: Size::Log(1, 16), ..ONE },
    Cohort { share: 30.0, emits: Emits::Udp(&[(Tool::Raw, 4), (Tool::Linux, 1)]), ports: Ports::Popular(SIP), visits: Size::Heavy(1.0, 1, 40), ..ONE },
    Cohort { share: 30.0, emits: Emits::Udp(&[(Tool::Masscan13, 3), (Tool::Zmap2, 3), (Tool::Raw, 4)]), ports: Ports::Popular(UDP), width: Size::Log(1, 4), ..ONE },
    Cohort { share: 20.0, emits: Emits::Echo(&[(Tool::Zmap3, 3), (Tool::Zmap4, 3), (Tool::Masscan13, 2), (Tool::Nmap, 2), (Tool::Linux, 3), (Tool::Windows, 2)]), visits: Size::Heavy(1.0, 1, 40), ..ONE },
    Cohort { share: 3.0, emits: Emits::Init, ports: Ports::Popular(&[(2905, 3), (36412, 2), (38412, 2), (3868, 3)]), ..ONE },
    Cohort { share: 2.0, emits: Emits::Proto(47), ..ONE },
    // Hosts under attack in our name.
    Cohort { share: 25.0, emits: Emits::Backscatter(Reply::SynAck), ..VICTIMS },
    Cohort { share: 12.0, emits: Emits::Backscatter(Reply::RstAck), ..VICTIMS },
    Cohort { share: 4.0, emits: Emits::Backscatter(Reply::Rst), ..VICTIMS },
    Cohort { share: 3.0, emits: Emits::Backscatter(Reply::PortUnreachable), dsts: Size::Even(1, 20), ..VICTIMS },
    Cohort { share: 2.0, emits: Emits::Backscatter(Reply::HostUnreachable), dsts: Size::Even(1, 20), ..VICTIMS },
    Cohort { share: 2.0, emits: Emits::Backscatter(Reply::TimeExceeded), dsts: Size::Even(1, 20), ..VICTIMS },
    Cohort { share: 4.0, emits: Emits::Backscatter(Reply::Dns), ports: Ports::Popular(&[(53, 1)]), ..VICTIMS },
    Cohort { share: 2.0, emits: Emits::Backscatter(Reply::Echo), ..VICTIMS },
    // Who looks for somebody else.
    Cohort { share: 10.0, lost: true, emits: Emits::Syn(&[(Tool::Linux, 6), (Tool::Windows, 4)]), ports: Ports::Popular(DESERTED), dsts: Size::Just(1), visits: Size::Heavy(0.7, 1, 300), away: Size::Log(600, 7200), diurnal: true, ..ONE },
    Cohort { share: 3.0, emits: Emits::MidStream, ports: Ports::Range(32_768, 60_999), dsts: Size::Just(1), visits: Size::Log(1, 20), away: Size::Log(600, 7200), ..ONE },
    Cohort { share: 4.0, lost: true, emits: Emits::Udp(&[(Tool::Raw, 1)]), ports: Ports::Popular(SYSLOG), dsts: Size::Just(1), visits: Size::Heavy(0.7, 1, 300), away: Size::Log(600, 7200), ..ONE },
    Cohort { share: 8.0, emits: Emits::Flood, dsts: Size::Log(200, 5000), lasts: Size::Log(30, 900), ..ONE },
    // IPv6.
    Cohort { v6: true, share: 10.0, emits: Emits::Syn(&[(Tool::Fi6s, 2), (Tool::Xmap, 3), (Tool::Masscan13, 3), (Tool::Nmap, 1), (Tool::Raw, 3)]), dsts: Size::Heavy(0.8, 1, 2000), width: Size::Log(1, 8), ..ONE },
    Cohort { v6: true, share: 5.0, emits: Emits::Syn(&[(Tool::Linux, 3), (Tool::Windows, 1)]), dsts: Size::Heavy(1.0, 1, 500), visits: Size::Heavy(1.0, 1, 40), ..ONE },
    Cohort { v6: true, share: 6.0, emits: Emits::Echo(&[(Tool::Linux, 3), (Tool::Nmap, 1), (Tool::Raw, 3)]), dsts: Size::Heavy(0.8, 1, 2000), ..ONE },
    Cohort { v6: true, share: 2.0, emits: Emits::Udp(&[(Tool::Linux, 1), (Tool::Raw, 1)]), ports: Ports::Popular(UDP), dsts: Size::Heavy(1.0, 1, 500), ..ONE },
    Cohort { v6: true, share: 1.5, emits: Emits::Backscatter(Reply::SynAck), ..VICTIMS },
    Cohort { v6: true, share: 0.5, emits: Emits::Backscatter(Reply::PortUnreachable), dsts: Size::Even(1, 20), ..VICTIMS },
    Cohort { v6: true, share: 0.5, lost: true, emits: Emits::Syn(&[(Tool::Linux, 6), (Tool::Windows, 4)]), ports: Ports::Popular(DESERTED), dsts: Size::Just(1), visits: Size::Log(1, 20), away: Size::Log(600, 7200), ..ONE },
];

/// The cohorts; `hurry` is by how much visits and the time between them are shortened, down to what keeps visits apart.
pub(super) fn cohorts(hurry: u32) -> Vec<Cohort> {
    let sooner = |size: Size, least: u32| match size {
        Size::Log(low, high) => Size::Log((low / hurry).max(least), (high / hurry).max(2 * least)),
        other => other,
    };
    let hurried = |cohort: &Cohort| Cohort {
        lasts: sooner(cohort.lasts, 5),
        // A flow ends after 300 s: nearer visits would go on with the last one's.
        away: sooner(cohort.away, 420),
        ..*cohort
    };
    COHORTS.iter().map(hurried).collect()
}
