//! Team Cymru's bulk whois, from the client's side.
//!
//! `begin`, `verbose`, one address a line, `end`; the answer is a line that greets (`Bulk mode; …`) and then, for each
//! address, `AS | IP | BGP Prefix | CC | Registry | Allocated | AS Name`, with `NA` where nobody announces it, and
//! several lines or several numbers where more than one system does: the first stands.
//! Source: the service's own page, "IP to ASN Mapping Service", Whois.

use std::collections::HashSet;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, TcpStream, ToSocketAddrs};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use probeline_geo::Operator;

/// The service that `--whois cymru` means, and whois' port (RFC 3912 §2).
const CYMRU: &str = "whois.cymru.com";
const PORT: u16 = 43;

/// A line of an answer is about a hundred bytes long.
const LINE_LIMIT: u64 = 4096;

/// A whole answer is given this much longer than its server may be silent.
const PATIENCE: u32 = 10;

/// A server and how long it may be silent.
#[derive(Debug)]
pub(super) struct Server {
    host: String,
    port: u16,
    timeout: Duration,
}

/// What came back for a batch of addresses.
pub(super) struct Reply {
    pub(super) answers: Vec<(IpAddr, Option<Operator>)>,
    pub(super) unanswered: Vec<IpAddr>,
    /// Lines that answer nothing that was asked.
    pub(super) odd_lines: u64,
    pub(super) first_odd_line: Option<String>,
    pub(super) stopped: Stopped,
}

/// Why the reading of an answer ended.
pub(super) enum Stopped {
    /// Everything was answered.
    Answered,
    /// The server had enough before that.
    Early(String),
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl Server {
    /// Out of `cymru`, `HOST`, `HOST:PORT`, `ADDRESS` or `[ADDRESS]:PORT`.
    pub(super) fn new(text: &str, timeout: Duration) -> Result<Self, anyhow::Error> {
        let of = |host: &str, port| Self { host: host.to_owned(), port, timeout };
        if text == "cymru" {
            return Ok(of(CYMRU, PORT));
        }
        if text.parse::<Ipv6Addr>().is_ok() {
            return Ok(of(text, PORT));
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => {
                let port = port.parse().ok().filter(|port| *port > 0);
                (host, port.with_context(|| format!("--whois {text}: no port behind the colon"))?)
            }
            None => (text, PORT),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || host.contains(char::is_whitespace) {
            bail!("--whois {text}: neither 'cymru' nor HOST[:PORT]");
        }
        Ok(of(host, port))
    }

    fn connect(&self) -> Result<TcpStream, anyhow::Error> {
        let context = || format!("whois server {self}");
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in (self.host.as_str(), self.port).to_socket_addrs().with_context(context)? {
            match TcpStream::connect_timeout(&address, self.timeout) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last).with_context(context)
    }

    /// Asks for the addresses, each of them once, in one connection.
    ///
    /// # Errors
    /// When there is no connection.
    pub(super) fn ask(&self, addresses: &[IpAddr]) -> Result<Reply, anyhow::Error> {
        let stream = self.connect()?;
        stream.set_read_timeout(Some(self.timeout))?;
        stream.set_write_timeout(Some(self.timeout))?;
        let mut question = String::from("begin\nverbose\n");
        for address in addresses {
            question.push_str(&format!("{address}\n"));
        }
        question.push_str("end\n");
        let mut writing = stream.try_clone()?;
        // Written beside reading: a server that answers as it reads would else wait for us, and we for it.
        let writer = thread::spawn(move || drop(writing.write_all(question.as_bytes())));
        let reply = self.listen(&stream, addresses);
        // Ends the writer where it still waits for a server that reads no more; there may be nothing left to shut down.
        drop(stream.shutdown(Shutdown::Both));
        drop(writer.join());
        Ok(reply)
    }

    fn listen(&self, stream: impl Read, addresses: &[IpAddr]) -> Reply {
        let mut open: HashSet<IpAddr> = addresses.iter().copied().collect();
        let mut reply = Reply {
            answers: Vec::with_capacity(addresses.len()),
            unanswered: Vec::new(),
            odd_lines: 0,
            first_odd_line: None,
            stopped: Stopped::Answered,
        };
        let asked = open.clone();
        let end = Instant::now() + self.timeout * PATIENCE;
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while !open.is_empty() {
            line.clear();
            let read = (&mut stream).take(LINE_LIMIT).read_until(b'\n', &mut line);
            let why = match read {
                Ok(0) => Some("it hung up".to_owned()),
                Ok(_) if Instant::now() > end => {
                    Some(format!("no end after {} s", (self.timeout * PATIENCE).as_secs()))
                }
                // The rest of a line is not waited for: what it says cannot be trusted.
                Ok(_) if line.last() != Some(&b'\n') => {
                    Some("it broke off in the middle of a line".to_owned())
                }
                Ok(_) => None,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    Some(format!("silent for {} s", self.timeout.as_secs_f32()))
                }
                Err(error) => Some(error.to_string()),
            };
            if let Some(why) = why {
                reply.stopped = Stopped::Early(why);
                break;
            }
            let text = String::from_utf8_lossy(&line);
            match answer(text.trim_end()) {
                Line::Answer(address, operator) if open.remove(&address) => {
                    reply.answers.push((address, operator));
                }
                // Another system that announces the same address.
                Line::Answer(address, _) if asked.contains(&address) => {}
                Line::Greeting => {}
                Line::Answer(..) | Line::Odd => {
                    reply.odd_lines += 1;
                    if reply.first_odd_line.is_none() {
                        reply.first_odd_line =
                            Some(text.trim_end().chars().take(80).flat_map(char::escape_default).collect());
                    }
                }
            }
        }
        reply.unanswered = addresses.iter().copied().filter(|address| open.contains(address)).collect();
        reply
    }
}

enum Line {
    Answer(IpAddr, Option<Operator>),
    Greeting,
    Odd,
}

fn answer(line: &str) -> Line {
    if line.is_empty() || line.starts_with("Bulk mode") || line.starts_with("AS ") {
        return Line::Greeting;
    }
    // The name comes last and may hold anything.
    let cells: Vec<&str> = line.splitn(7, '|').map(str::trim).collect();
    let [number, address, _, _, _, _, name] = cells[..] else { return Line::Odd };
    let Ok(address) = address.parse::<IpAddr>() else { return Line::Odd };
    if number == "NA" {
        return Line::Answer(address.to_canonical(), None);
    }
    let first = number.split_ascii_whitespace().next().and_then(|number| number.parse().ok());
    let Some(asn) = first else { return Line::Odd };
    let org = Some(name).filter(|name| !name.is_empty() && *name != "NA").map(Box::from);
    Line::Answer(address.to_canonical(), Some(Operator { asn, org }))
}

/// Whether strangers may be asked for an address: it is one of the public Internet. Addresses within a network are not
/// their business, and nobody announces these (IANA IPv4 and IPv6 Special-Purpose Address Registries).
pub(super) fn may_be_asked(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => public_v4(address),
        IpAddr::V6(address) => {
            let [first, second, ..] = address.segments();
            // Global unicast is 2000::/3 (RFC 4291 §2.4), less documentation (2001:db8::/32, RFC 3849; 3fff::/20, RFC 9637).
            first & 0xe000 == 0x2000
                && (first, second) != (0x2001, 0x0db8)
                && (first != 0x3fff || second & 0xf000 != 0)
        }
    }
}

fn public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a >= 224
        || (a, b & 0xc0) == (100, 64)
        || (a, b & 0xfe) == (198, 18)
        || (a, b, c) == (192, 0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(text: &str) -> Result<String, String> {
        Server::new(text, Duration::from_secs(1))
            .map(|server| server.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn servers_are_named_in_every_usual_way() {
        for (text, shown) in [
            ("cymru", "whois.cymru.com:43"),
            ("localhost", "localhost:43"),
            ("127.0.0.1:4343", "127.0.0.1:4343"),
            ("::1", "[::1]:43"),
            ("[::1]:4343", "[::1]:4343"),
        ] {
            assert_eq!(server(text).as_deref(), Ok(shown), "{text}");
        }
        for bad in ["", "host:", "host:0", "host:70000", "two words", ":43"] {
            assert!(server(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_within_networks_are_nobodys_business() {
        for (address, may) in [
            ("8.8.8.8", true),
            ("100.128.0.1", true),
            ("198.20.0.1", true),
            ("2001:4860:4860::8888", true),
            ("10.1.1.1", false),
            ("172.31.0.1", false),
            ("100.64.0.1", false),
            ("169.254.1.1", false),
            ("192.0.2.1", false),
            ("198.19.0.1", false),
            ("224.0.0.1", false),
            ("0.1.2.3", false),
            ("127.0.0.1", false),
            ("::1", false),
            ("fd00::1", false),
            ("fe80::1", false),
            ("2001:db8::1", false),
            ("3fff:0fff::1", false),
            ("ff02::1", false),
        ] {
            assert_eq!(may_be_asked(address.parse().unwrap()), may, "{address}");
        }
    }
}
