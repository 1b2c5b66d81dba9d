//! Scans that others state to be in their captures.

/// A scan that someone states is in a capture.
#[derive(Clone, Copy, Debug)]
pub struct Scan {
    /// The capture, relative to the folder of captures.
    pub file: &'static str,
    /// Who scans.
    pub src: &'static str,
    /// Techniques of its probes; a SYN scan that meets an open port may be completed by the scanner's own
    /// system.
    pub techniques: &'static [&'static str],
    /// Over which transport protocol.
    pub proto: &'static str,
    /// How many addresses.
    pub dsts: usize,
    /// How many ports.
    pub ports: usize,
    /// How many flows it opens, as tshark counts distinct tuples of addresses and ports; `None` where flows
    /// are no good count of probes.
    pub probes: Option<usize>,
}

const SYN: &[&str] = &["syn", "connect"];

const fn scan(
    file: &'static str,
    src: &'static str,
    techniques: &'static [&'static str],
    dsts: usize,
    ports: usize,
    probes: Option<usize>,
) -> Scan {
    Scan { file, src, techniques, proto: "tcp", dsts, ports, probes }
}

const fn over(proto: &'static str, mut scan: Scan) -> Scan {
    scan.proto = proto;
    scan
}

/// Who scans in a set of captures of one Nmap scan type each.
pub const NMAP_SET: &str = "192.168.1.10";
const LAB: &str = "198.18.0.1";
const LAB6: &str = "2001:db8:f::1";

/// From the commands in `lab/INDEX.csv`, what `real/INDEX.csv` says of each capture, and tshark's decode.
pub const SCANS: &[Scan] = &[
    // nmap -sS, -sT, -sF, -sN, -sX, -sA, -sU of one host, 1000 ports each.
    scan("real/scan/markofu_pcaps__TCP_SYN_SCAN.pcap", NMAP_SET, SYN, 1, 1000, Some(1002)),
    scan("real/scan/markofu_pcaps__TCP_CONNECT_SCAN.pcap", NMAP_SET, SYN, 1, 1000, Some(2012)),
    scan("real/scan/markofu_pcaps__FIN_SCAN.pcap", NMAP_SET, &["fin"], 1, 1000, Some(1000)),
    scan("real/scan/markofu_pcaps__NULL_SCAN.pcap", NMAP_SET, &["null"], 1, 1000, Some(1000)),
    scan("real/scan/markofu_pcaps__XMAS_TREE_SCAN.pcap", NMAP_SET, &["xmas"], 1, 1000, Some(1000)),
    scan("real/scan/markofu_pcaps__ACK_SCAN.pcap", NMAP_SET, &["ack"], 1, 1000, Some(1000)),
    over("udp", scan("real/scan/markofu_pcaps__UDP_SCAN.pcap", NMAP_SET, &["udp"], 1, 1000, Some(1029))),
    // The puzzle's answers: three hosts, 1000 ports.
    scan("real/scan/markofu_pcaps__evidence04.pcap", "10.42.42.253", SYN, 3, 1000, Some(7414)),
    // masscan -p0-1000 of one host.
    scan(
        "real/scan/esnet-security_curated-pcaps__tcp_0_1000_20190821.pcap",
        "172.31.15.102",
        SYN,
        1,
        1001,
        Some(1001),
    ),
    // nmap -p 80 with a ping to 443.
    scan("real/scan/esnet-security_curated-pcaps__nmap_80_all.pcap", "10.87.1.10", SYN, 1, 2, Some(35)),
    scan("real/scan/lucaderi_sgr__hs-tcp_synPingSweepRand.pcapng", "10.0.0.128", SYN, 256, 1, Some(511)),
    scan("real/scan/ncsa_bro-simple-scan__port_scan.pcap", "192.168.2.154", SYN, 1, 10, Some(10)),
    scan(
        "real/scan/p1mps_Port-scans-detector-with-pro__true_scan.pcap",
        "192.168.0.4",
        SYN,
        1,
        458,
        Some(594),
    ),
    scan("real/scan/seriouszyx_ScannerRecognition__angryip.pcap", "192.168.3.202", SYN, 38, 3, Some(114)),
    // 123.56.104.200 to 250.
    over(
        "icmp",
        scan(
            "real/scan/seriouszyx_ScannerRecognition__angryip.pcap",
            "192.168.3.202",
            &["icmp-echo"],
            51,
            0,
            Some(51),
        ),
    ),
    scan(
        "real/scan/seriouszyx_ScannerRecognition__zmap.first5027.pcap",
        "192.168.37.132",
        SYN,
        5012,
        1,
        Some(5012),
    ),
    over(
        "icmp",
        scan(
            "real/scan/stratosphereips_StratosphereLinuxI__test12-icmp-portscan.pcap",
            "192.168.1.109",
            &["icmp-echo"],
            18,
            0,
            None,
        ),
    ),
    // nmap -sS, -sF, -sX, -sU, one after another.
    scan("real/scan/timakhova_hw13-01__nmap.pcapng", "192.168.67.1", SYN, 1, 1000, Some(1062)),
    scan("real/scan/timakhova_hw13-01__nmap.pcapng", "192.168.67.1", &["fin"], 1, 1000, Some(1107)),
    scan("real/scan/timakhova_hw13-01__nmap.pcapng", "192.168.67.1", &["xmas"], 1, 1000, Some(1074)),
    scan(
        "real/scan/ntop_nDPI__tcp_scan.pcapng",
        "192.168.1.178",
        &["syn", "connect", "fin", "null", "xmas"],
        1,
        7,
        None,
    ),
    // 31,933 SYN, mostly retransmissions.
    scan("real/telescope/initconf_scan-NG__23-tcp-scan.pcap", "200.125.200.2", SYN, 12007, 1, Some(12007)),
    scan(
        "real/telescope/initconf_scan-NG__test-for-accurate-scan-summary.pcap",
        "122.224.112.162",
        SYN,
        500,
        1,
        Some(500),
    ),
    scan("real/telescope/ncsa_bro-simple-scan__445_scan.pcap", "176.192.150.3", SYN, 9, 1, Some(9)),
    scan(
        "real/telescope/OISF_suricata-verify__mac-eve-packet__test.pcap",
        "116.90.231.16",
        SYN,
        2,
        1,
        Some(2),
    ),
    scan("real/telescope/victorialugi_nmap__syn_scan.pcap", "10.129.0.4", SYN, 1, 100, Some(101)),
    scan("real/telescope/victorialugi_nmap__xmas_scan.pcap", "10.129.0.4", &["xmas"], 1, 100, Some(105)),
    scan("real/telescope/wintermanc3r_honey__20150131_tshark.pcap", "58.218.204.66", SYN, 1, 1, Some(9)),
    scan("real/telescope/wintermanc3r_honey__20150131_tshark.pcap", "116.31.116.17", SYN, 1, 1, Some(6)),
    scan("real/telescope/zakaria-thami_NetSec__attack.pcap", "112.85.42.195", SYN, 7, 1, Some(42)),
    scan("real/worm_botnet/markofu_pcaps__gnutella.pcap", "10.1.4.176", SYN, 81, 1, Some(243)),
    scan(
        "real/worm_botnet/stratosphereips_StratosphereLinuxI__test7-malicious.pcap",
        "192.168.2.16",
        SYN,
        136,
        9,
        Some(136),
    ),
    over(
        "udp",
        scan(
            "real/worm_botnet/scottymace_Alienvault-Demo__slammer.pcap",
            "213.76.212.22",
            &["udp"],
            1,
            1,
            Some(1),
        ),
    ),
    scan("lab/fi6s_syn.pcap", LAB6, SYN, 128, 3, Some(384)),
    scan("lab/hping3_S_local.pcap", LAB, SYN, 1, 1, Some(200)),
    scan("lab/hping3_scan.pcap", LAB, SYN, 1, 200, Some(200)),
    over("udp", scan("lab/hping3_udp.pcap", LAB, &["udp"], 1, 1, Some(100))),
    scan("lab/masscan101_syn.pcap", LAB, SYN, 256, 2, Some(512)),
    scan("lab/masscan132_syn.pcap", LAB, SYN, 256, 4, Some(1024)),
    over("udp", scan("lab/masscan132_udp.pcap", LAB, &["udp"], 32, 9, Some(288))),
    scan("lab/masscanHEAD_syn.pcap", LAB, SYN, 256, 4, Some(1024)),
    scan("lab/nmap793_sA.pcap", LAB, &["ack"], 1, 100, Some(100)),
    scan("lab/nmap793_sF.pcap", LAB, &["fin"], 1, 60, Some(60)),
    scan("lab/nmap793_sN.pcap", LAB, &["null"], 1, 60, Some(60)),
    scan("lab/nmap793_sS_open_local.pcap", LAB, SYN, 1, 300, Some(300)),
    scan("lab/nmap793_sT_local.pcap", LAB, SYN, 1, 200, Some(200)),
    over("udp", scan("lab/nmap793_sU.pcap", LAB, &["udp"], 8, 10, Some(80))),
    scan("lab/nmap793_sX.pcap", LAB, &["xmas"], 1, 60, Some(60)),
    // The command names 128 addresses; nping sent its 128 packets to 123 of them.
    scan("lab/nping793_tcp.pcap", LAB, SYN, 123, 1, Some(123)),
    // A /26 without its first and last address.
    scan("lab/pnscan_connect.pcap", LAB, SYN, 62, 1, Some(62)),
    scan("lab/scapy250_defaults.pcap", LAB, SYN, 100, 1, Some(100)),
    scan("lab/unicornscan047_syn.pcap", LAB, SYN, 128, 3, Some(384)),
    scan("lab/xmap114_syn.pcap", LAB, SYN, 256, 1, Some(256)),
    scan("lab/xmap114_syn6.pcap", LAB6, SYN, 256, 1, Some(256)),
    scan("lab/yarrp_TCP_SYN.pcap", LAB, SYN, 40, 1, Some(40)),
    scan("lab/zmap211_syn.pcap", LAB, SYN, 256, 1, Some(256)),
    over("udp", scan("lab/zmap211_udp.pcap", LAB, &["udp"], 128, 1, Some(128))),
    scan("lab/zmap300_syn.pcap", LAB, SYN, 256, 1, Some(256)),
    over("icmp", scan("lab/zmap434_icmp.pcap", LAB, &["icmp-echo"], 128, 0, Some(128))),
    scan("lab/zmap434_syn.pcap", LAB, SYN, 256, 1, Some(256)),
    scan("lab/zmap434_syn_linux.pcap", LAB, SYN, 64, 1, Some(64)),
    over("udp", scan("lab/zmap434_upnp.pcap", LAB, &["udp"], 64, 1, Some(64))),
];
