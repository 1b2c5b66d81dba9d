//! An interface being captured from.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use pcap::{Active, Capture, Linktype, Precision, TimestampType};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::error::{Error, reason};
use crate::link_type;

/// How to open an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveOptions {
    /// Bytes kept of each packet. 262,144 is tcpdump's "all of it".
    pub snaplen: u32,
    /// Whether the interface shall take frames that are not addressed to it. `any` never does.
    pub promiscuous: bool,
    /// Bytes of the kernel's buffer; none for libpcap's default (2 MiB).
    pub buffer: Option<u64>,
    /// How long the kernel may gather packets before it hands them over. Ignored when `immediate`.
    pub gather: Duration,
    /// Whether each packet is to be handed over as it arrives. On Linux each then takes a slot of `snaplen` bytes in
    /// the buffer (the older ring, TPACKET_V2): at 64 KiB, the default buffer held 16 packets of the loopback
    /// interface, and the next were dropped. For people who watch, not for recordings.
    pub immediate: bool,
    /// A filter expression (pcap-filter(7)) for the kernel to apply; empty for every packet.
    pub filter: String,
    /// Which way packets must go, as seen from this machine.
    pub direction: Direction,
    /// Who stamps packets; none for libpcap's default, the kernel. Where the interface cannot do what is asked, libpcap
    /// takes the default without a word.
    pub stamp: Option<Stamp>,
    /// Whether times are wanted in nanoseconds; see [`Live::nanoseconds`] for what comes of it.
    pub nanoseconds: bool,
    /// libpcap's name of the link type wanted (`EN10MB`), none for the interface's default.
    pub link_type: Option<String>,
}

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Either way.
    #[default]
    Both,
    /// To this machine.
    In,
    /// From this machine.
    Out,
}

/// Who stamps packets with their time (pcap-tstamp(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// The kernel.
    Host,
    /// The kernel, cheaply.
    HostLowPrecision,
    /// The kernel, as precisely as it can.
    HostHighPrecision,
    /// The adapter, its clock being kept at the kernel's.
    Adapter,
    /// The adapter, by its own clock.
    AdapterUnsynced,
}

impl From<Stamp> for TimestampType {
    fn from(stamp: Stamp) -> Self {
        match stamp {
            Stamp::Host => Self::Host,
            Stamp::HostLowPrecision => Self::HostLowPrec,
            Stamp::HostHighPrecision => Self::HostHighPrec,
            Stamp::Adapter => Self::Adapter,
            Stamp::AdapterUnsynced => Self::AdapterUnsynced,
        }
    }
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self {
            snaplen: 262_144,
            promiscuous: true,
            buffer: None,
            gather: Duration::from_millis(100),
            immediate: false,
            filter: String::new(),
            direction: Direction::Both,
            stamp: None,
            nanoseconds: true,
            link_type: None,
        }
    }
}

/// A packet in the kernel's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// When it was captured, in nanoseconds since the Unix epoch; see [`Live::nanoseconds`] for what they are worth.
    pub ts_ns: i64,
    /// Its length on the wire, in bytes.
    pub wire_len: u32,
    /// What was captured of it.
    pub data: &'a [u8],
}

/// The kernel's account of a capture, since it was opened (pcap_stats(3)). The kernel counts in 32 bits; these do not
/// wrap as long as they are read once per four thousand million packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets the filter let through; on Linux, the dropped ones among them, and on the loopback interface each
    /// packet twice, though it is handed over once.
    pub received: u64,
    /// Packets lost because the buffer was full.
    pub dropped: u64,
    /// Packets lost by the interface or its driver, where that says so.
    pub dropped_by_interface: u64,
}

/// An open interface. Reading never blocks; [`Live::wait`] does, for as long as it is told, and so does whoever polls its
/// descriptor together with others.
pub struct Live {
    capture: Capture<Active>,
    device: String,
    nanoseconds: bool,
    link_type: u32,
    last: pcap::Stat,
    counters: Counters,
}

/// On Linux the kernel stamps in nanoseconds and libpcap always gives them when asked. Elsewhere the answer differs by
/// system and version and the wrapper does not tell it, so there microseconds are asked for.
const NANOSECONDS: bool = cfg!(target_os = "linux");

impl Live {
    /// Opens an interface by name; `any` is all of them, on Linux.
    ///
    /// # Errors
    /// [`Error::NoSuchDevice`], [`Error::NotPermitted`], [`Error::Open`], [`Error::TooLarge`], and [`Error::Filter`]
    /// for an expression that does not compile for the interface's link type.
    pub fn open(device: &str, options: &LiveOptions) -> Result<Self, Error> {
        let fail = |e: &pcap::Error| open_error(device, reason(e));
        let snaplen = fits("snap length", u64::from(options.snaplen))?;
        let gather = fits("timeout", u64::try_from(options.gather.as_millis()).unwrap_or(u64::MAX))?;
        let nanoseconds = NANOSECONDS && options.nanoseconds;
        let mut inactive = Capture::from_device(device)
            .map_err(|e| fail(&e))?
            .snaplen(snaplen)
            // libpcap answers a promiscuous `any` with a warning, which the wrapper takes for an error.
            .promisc(options.promiscuous && device != "any")
            .timeout(gather)
            .immediate_mode(options.immediate)
            .precision(if nanoseconds { Precision::Nano } else { Precision::Micro });
        if let Some(buffer) = options.buffer {
            inactive = inactive.buffer_size(fits("buffer", buffer)?);
        }
        if let Some(stamp) = options.stamp {
            inactive = inactive.tstamp_type(stamp.into());
        }
        let mut capture = inactive.open().map_err(|e| fail(&e))?.setnonblock().map_err(|e| fail(&e))?;
        if let Some(name) = &options.link_type {
            let wanted = Linktype::from_name(name).and_then(|wanted| capture.set_datalink(wanted));
            wanted.map_err(|e| Error::LinkType {
                device: device.to_owned(),
                wanted: name.clone(),
                reason: reason(&e),
            })?;
        } else if device == "any" {
            // The newer of the two cooked forms says which interface a packet came from; where libpcap is too old
            // for it, the form it opened with stays.
            let _ = capture.set_datalink(Linktype(link_type::LINUX_SLL2.cast_signed()));
        }
        let link_type = link_type::from_libpcap(capture.get_datalink().0);
        if !options.filter.is_empty() {
            capture.filter(&options.filter, true).map_err(|e| Error::Filter {
                expression: options.filter.clone(),
                link_type,
                reason: reason(&e),
            })?;
        }
        if options.direction != Direction::Both {
            let direction = match options.direction {
                Direction::In => pcap::Direction::In,
                _ => pcap::Direction::Out,
            };
            capture.direction(direction).map_err(|e| fail(&e))?;
        }
        let last = pcap::Stat { received: 0, dropped: 0, if_dropped: 0 };
        let counters = Counters::default();
        Ok(Self { capture, device: device.to_owned(), nanoseconds, link_type, last, counters })
    }

    /// Hands over what is in the buffer, at most `most` packets, and says how many there were. Packets may be left when
    /// it is fewer than `most`: only 0 says that there were none at the moment.
    ///
    /// # Errors
    /// [`Error::Read`], when the interface has gone for instance; packets handed over before it stand.
    pub fn read(&mut self, most: usize, mut take: impl FnMut(Packet<'_>)) -> Result<usize, Error> {
        let scale = if self.nanoseconds { 1 } else { 1000 };
        let done = self.capture.dispatch(Some(most), |packet| {
            let stamp = packet.header.ts;
            let part = stamp.tv_usec.saturating_mul(scale);
            let ts_ns = stamp.tv_sec.saturating_mul(1_000_000_000).saturating_add(part);
            take(Packet { ts_ns, wire_len: packet.header.len, data: packet.data });
        });
        match done {
            Ok(count) => Ok(count),
            Err(pcap::Error::TimeoutExpired | pcap::Error::NoMorePackets) => Ok(0),
            Err(e) => Err(Error::Read { device: self.device.clone(), reason: reason(&e) }),
        }
    }

    /// Waits until there may be packets, a signal arrived, or `limit` has passed.
    ///
    /// # Errors
    /// [`Error::Read`] when the system cannot wait on the interface.
    pub fn wait(&self, limit: Duration) -> Result<(), Error> {
        let limit = Timespec {
            tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: limit.subsec_nanos().into(),
        };
        let mut watched = [PollFd::from_borrowed_fd(self.capture.as_fd(), PollFlags::IN)];
        match poll(&mut watched, Some(&limit)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(e) => Err(Error::Read { device: self.device.clone(), reason: e.to_string() }),
        }
    }

    /// The kernel's counters up to now.
    ///
    /// # Errors
    /// [`Error::Read`] when the system does not give them.
    pub fn counters(&mut self) -> Result<Counters, Error> {
        let now = self
            .capture
            .stats()
            .map_err(|e| Error::Read { device: self.device.clone(), reason: reason(&e) })?;
        let since = |now: u32, last: u32| u64::from(now.wrapping_sub(last));
        self.counters.received += since(now.received, self.last.received);
        self.counters.dropped += since(now.dropped, self.last.dropped);
        self.counters.dropped_by_interface += since(now.if_dropped, self.last.if_dropped);
        self.last = now;
        Ok(self.counters)
    }

    /// The link type of its packets (the number in capture files).
    #[must_use]
    pub fn link_type(&self) -> u32 {
        self.link_type
    }

    /// Whether time stamps have nanoseconds; if not, they are whole microseconds.
    #[must_use]
    pub fn nanoseconds(&self) -> bool {
        self.nanoseconds
    }

    /// The number that the system knows the interface by; none for `any` and for what is no network interface. An
    /// interface removed and made again has another.
    #[must_use]
    pub fn index(&self) -> Option<u32> {
        rustix::net::netdevice::name_to_index(&self.capture, &self.device).ok()
    }

    /// The link types that could have been asked for: libpcap's name and description of each.
    ///
    /// # Errors
    /// [`Error::Read`] when libpcap does not give the list.
    pub fn link_types(&self) -> Result<Vec<(String, String)>, Error> {
        let all = self
            .capture
            .list_datalinks()
            .map_err(|e| Error::Read { device: self.device.clone(), reason: reason(&e) })?;
        let text = |text: Result<String, pcap::Error>| text.unwrap_or_default();
        Ok(all.iter().map(|link| (text(link.get_name()), text(link.get_description()))).collect())
    }
}

impl AsFd for Live {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.capture.as_fd()
    }
}

fn fits(option: &'static str, value: u64) -> Result<i32, Error> {
    i32::try_from(value).map_err(|_| Error::TooLarge { option, value })
}

/// libpcap tells these apart by a status that the wrapper drops; its texts are what is left (pcap-linux.c and pcap.c,
/// libpcap 1.8 to 1.10).
fn open_error(device: &str, reason: String) -> Error {
    let device = device.to_owned();
    if reason.contains("No such device") || reason.contains("doesn't exist") {
        Error::NoSuchDevice { device }
    } else if ["CAP_NET_", "ermission", "not permitted"].iter().any(|word| reason.contains(word)) {
        Error::NotPermitted { device, reason }
    } else {
        Error::Open { device, reason }
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::time::Instant;

    use super::*;

    #[test]
    fn names_of_nothing_are_told_apart_from_refusals() {
        // The root of a network namespace can open interfaces; others are refused before the name is looked at.
        match Live::open("no-such-if", &LiveOptions::default()).err() {
            Some(Error::NoSuchDevice { device }) => assert_eq!(device, "no-such-if"),
            Some(Error::NotPermitted { .. }) => {}
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn options_too_large_for_libpcap_are_refused() {
        let options = LiveOptions { buffer: Some(1 << 31), ..LiveOptions::default() };
        assert!(matches!(Live::open("lo", &options), Err(Error::TooLarge { value: 0x8000_0000, .. })));
    }

    #[test]
    fn datagrams_on_the_loopback_interface_are_captured_whole_or_cut() {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = receiver.local_addr().unwrap().port();
        let options = LiveOptions {
            filter: format!("udp dst port {port} and dst host 127.0.0.1"),
            gather: Duration::from_millis(10),
            ..LiveOptions::default()
        };
        let open = |snaplen| match Live::open("lo", &LiveOptions { snaplen, ..options.clone() }) {
            Ok(live) => Some(live),
            Err(Error::NotPermitted { reason, .. }) => {
                eprintln!("SKIPPED: capturing on lo is not permitted here: {reason}");
                None
            }
            Err(e) => panic!("{e}"),
        };
        let (Some(mut whole), Some(mut cut)) = (open(65535), open(46)) else { return };
        assert_eq!(whole.link_type(), link_type::ETHERNET);
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        for number in 0..20u8 {
            sender.send_to(&[number; 100], ("127.0.0.1", port)).unwrap();
        }
        for (live, kept) in [(&mut whole, 142), (&mut cut, 46)] {
            let deadline = Instant::now() + Duration::from_secs(5);
            let mut seen = Vec::new();
            let mut last = 0;
            while seen.len() < 20 && Instant::now() < deadline {
                live.wait(Duration::from_millis(50)).unwrap();
                let take = |packet: Packet<'_>| {
                    // Ethernet 14, IPv4 20, UDP 8, payload 100 bytes.
                    assert_eq!((packet.data.len(), packet.wire_len), (kept, 142));
                    assert!(packet.ts_ns >= last, "time stands still or goes on");
                    last = packet.ts_ns;
                    seen.push(packet.data[42]);
                };
                live.read(7, take).unwrap();
            }
            assert_eq!(seen, (0..20).collect::<Vec<_>>());
            let counters = live.counters().unwrap();
            // Linux counts what leaves and what arrives; libpcap hands over only the latter.
            assert_eq!((counters.received, counters.dropped), (40, 0));
            assert_eq!(live.counters().unwrap(), counters, "asking again counts nothing twice");
        }
    }
}
