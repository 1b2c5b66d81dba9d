//! The simulation: sources come, send, and go, in the order of time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::net::IpAddr;

use crate::addresses::Addresses;
use crate::cohort::{Cohort, Emits, Reply};
use crate::frame::{self, ACK, Body, Icmp, Options, PSH, Packet, Quoted, RST, SYN, Tcp, Udp};
use crate::place::{Home, World, spoofed};
use crate::profile::Profile;
use crate::random::{Random, mix};
use crate::script::{self, Opening, Reaction, Script};
use crate::source::{SECOND, Source, Visit, address, flows_each, stay, until_day};
use crate::tool::{Run, Tool, nmap_flags, packet};
use crate::truth::{Flow, Intent, Origin};

/// Where the simulation's output goes.
pub trait Sink {
    /// One packet of the capture: Unix time in nanoseconds and the Ethernet frame.
    ///
    /// # Errors
    /// When it cannot be written.
    fn packet(&mut self, ts: i64, frame: &[u8]) -> io::Result<()>;

    /// The truth about a flow, just before its first packet.
    ///
    /// # Errors
    /// When it cannot be written.
    fn flow(&mut self, flow: &Flow) -> io::Result<()>;
}

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Who is out there.
    pub profile: Profile,
    /// Something answers.
    pub honeypot: bool,
    /// The monitored addresses.
    pub telescope: Addresses,
    /// The same seed gives the same packets.
    pub seed: u64,
    /// Unix time of the beginning, in nanoseconds.
    pub start: u64,
    /// Nanoseconds after which it ends.
    pub duration: u64,
    /// Packets after which it ends.
    pub packets: u64,
    /// Probes (flows of the class scan) after which no more begin.
    pub probes: u64,
    /// Flows a second in the mean; none for the profile's own.
    pub rate: Option<f64>,
    /// Times with nanoseconds; without, they are whole microseconds.
    pub nanoseconds: bool,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Packets by origin, in the order of [`Origin::ALL`].
    pub packets: [u64; 4],
    /// Flows by origin.
    pub flows: [u64; 4],
    /// Flows of the class scan.
    pub probes: u64,
    /// Most sources alive at one time.
    pub sources: u64,
    /// Times of the first and the last packet.
    pub span: Option<(i64, i64)>,
}

/// Why nothing can be simulated.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The telescope has no address that the profile's sources would send to.
    #[error("the profile has no sources for this telescope's kind of addresses")]
    NobodyComes,
    /// The capture would go on for ever.
    #[error("no end: give a number of packets or a duration")]
    Endless,
}

/// What waits for its time.
enum Later {
    Packet(Packet, Origin),
    Open(Box<Opening>),
}

/// Numbers in the heap: first the cohorts, then sources; what waits has the upper bit.
const WAITING: u32 = 1 << 31;

/// Sources that may be walked through to find those that are there at the beginning.
const EARLIER: f64 = 30_000.0;

const DAY: u64 = 86_400 * SECOND;

/// The end of the time that pcap can say.
const END_OF_TIME: u64 = u32::MAX as u64 * SECOND;

/// A running simulation.
pub struct Simulation {
    plan: Plan,
    cohorts: Vec<Cohort>,
    arrivals: Vec<Arrivals>,
    world: World,
    random: Random,
    heap: BinaryHeap<Reverse<(u64, u32)>>,
    sources: Vec<Option<Box<Source>>>,
    free_sources: Vec<u32>,
    alive: u64,
    waiting: Vec<Option<Later>>,
    free_waiting: Vec<u32>,
    runs: u32,
    committed: u64,
    end: u64,
    closing: bool,
    script: Script,
    frame: Vec<u8>,
    totals: Totals,
}

/// How sources of a cohort arrive: a Poisson process, held to its mean in the long run.
#[derive(Clone, Copy, Debug)]
struct Arrivals {
    /// Nanoseconds between arrivals.
    every: f64,
    /// Flows a nanosecond.
    rate: f64,
    each: f64,
    since: u64,
    planned: f64,
}

impl Simulation {
    /// Prepares a simulation.
    ///
    /// # Errors
    /// When nobody would send anything, or it would have no end.
    pub fn new(plan: Plan) -> Result<Self, PlanError> {
        let duration = plan.duration.min(END_OF_TIME.saturating_sub(plan.start));
        if plan.duration == u64::MAX && plan.packets == u64::MAX && plan.probes == u64::MAX {
            return Err(PlanError::Endless);
        }
        let (v4, v6) = (plan.telescope.count4(), plan.telescope.count6());
        let cohorts: Vec<Cohort> = plan
            .profile
            .cohorts(plan.honeypot)
            .into_iter()
            .filter(|cohort| if cohort.v6 { v6 > 0 } else { v4 > 0 })
            .collect();
        if cohorts.is_empty() {
            return Err(PlanError::NobodyComes);
        }
        let all: f64 = cohorts.iter().map(|cohort| cohort.share).sum();
        let rate = plan.rate.unwrap_or_else(|| plan.profile.rate(v4.max(v6.min(256)))) / SECOND as f64;
        let arrivals = cohorts
            .iter()
            .map(|cohort| {
                let each = flows_each(cohort, if cohort.v6 { v6 } else { v4 });
                let rate = rate * cohort.share / all;
                let together = f64::from(cohort.together.max(1));
                let every = each / rate;
                let back = (stay(cohort) * SECOND as f64).min(EARLIER * every) / together;
                let back = if cohort.visits_once() && stay(cohort) < 600.0 { 0.0 } else { back };
                let since = plan.start.saturating_sub(back as u64);
                Arrivals { every, rate, each, since, planned: 0.0 }
            })
            .collect();
        let seed = mix(plan.seed ^ 0x7072_6f62_656c_696e);
        let mut simulation = Self {
            end: plan.start + duration,
            plan,
            cohorts,
            arrivals,
            world: World::new(),
            random: Random::new(seed),
            heap: BinaryHeap::new(),
            sources: Vec::new(),
            free_sources: Vec::new(),
            alive: 0,
            waiting: Vec::new(),
            free_waiting: Vec::new(),
            runs: 0,
            committed: 0,
            closing: false,
            script: Script::default(),
            frame: Vec::with_capacity(256),
            totals: Totals::default(),
        };
        for cohort in 0..simulation.cohorts.len() {
            simulation.settle(cohort);
        }
        Ok(simulation)
    }

    /// Lets the sources of a cohort come that are there already when the capture begins, and tells the next when to.
    fn settle(&mut self, cohort: usize) {
        if let Some(count) = self.cohorts[cohort].exactly {
            // One at a random time in each of so many parts of the first half.
            let part = (self.end - self.plan.start).min(28 * DAY) / 2 / u64::from(count);
            for n in 0..u64::from(count) {
                let at = self.plan.start + n * part + self.random.below(part);
                self.arrive(cohort, at);
            }
            return;
        }
        let mut now = self.arrivals[cohort].since;
        now += (self.random.exponential() * self.arrivals[cohort].every) as u64;
        while now < self.plan.start {
            self.arrive(cohort, now);
            now += self.next_arrival(cohort, now);
        }
        self.heap.push(Reverse((now, cohort as u32)));
    }

    /// Nanoseconds until the next source of a cohort comes.
    fn next_arrival(&mut self, cohort: usize, now: u64) -> u64 {
        let arrivals = &self.arrivals[cohort];
        let due = (now - arrivals.since) as f64 * arrivals.rate + arrivals.each;
        // Who has planned more than its share waits longer, and the other way round.
        let pace = (arrivals.planned / due).clamp(0.25, 4.0);
        let wait = self.random.exponential() * self.arrivals[cohort].every * pace;
        (wait as u64).max(1)
    }

    /// One source of a cohort comes, or all members of a campaign.
    fn arrive(&mut self, number: usize, now: u64) {
        let cohort = self.cohorts[number];
        let addresses = if cohort.v6 { self.plan.telescope.count6() } else { self.plan.telescope.count4() };
        let mut random = Random::new(self.random.next());
        let tool = cohort.emits.tool(&mut random);
        let visits = cohort.visits.draw(&mut random, u32::MAX - 1);
        let visit = Visit::draw(&cohort, addresses, &mut random);
        let run = Run::new(tool, (now / SECOND) as u32, &mut random);
        self.arrivals[number].planned += f64::from(visit.total) * f64::from(visits);
        self.runs += 1;
        let session = self.runs;
        for member in 0..cohort.together.clamp(1, visit.total) {
            let home = self.world.draw(&mut self.random, cohort.v6, cohort.nets);
            let mut visit = visit;
            (visit.next, visit.stride) = (member, cohort.together.clamp(1, visit.total));
            if member > 0 {
                self.runs += 1;
            }
            let source = Source {
                cohort: number as u8,
                tool,
                home,
                random: Random::new(self.random.next()),
                run: run.clone(),
                number: self.runs,
                session,
                visits: visits - 1,
                visit,
            };
            self.begin(Box::new(source), now);
        }
    }

    /// Lets a source begin its visit, or, before the capture begins, finds where in its visits it is by then.
    fn begin(&mut self, mut source: Box<Source>, mut now: u64) {
        let cohort = self.cohorts[usize::from(source.cohort)];
        if cohort.diurnal {
            now += until_day(now, source.home.utc, &mut source.random);
        }
        while now < self.plan.start {
            let pace = source.visit.gap * u64::from(source.visit.stride);
            let left = u64::from((source.visit.total - source.visit.next).div_ceil(source.visit.stride));
            let gone = (self.plan.start - now).checked_div(pace).unwrap_or(left) + 1;
            if gone < left {
                source.visit.next += gone as u32 * source.visit.stride;
                now += gone * pace;
            } else {
                now += left * pace;
                match self.away(&mut source, &cohort, now) {
                    Some(next) => now = next,
                    None => return,
                }
            }
        }
        self.alive += 1;
        self.totals.sources = self.totals.sources.max(self.alive);
        let slot = self.free_sources.pop().unwrap_or_else(|| {
            self.sources.push(None);
            self.sources.len() as u32 - 1
        });
        self.sources[slot as usize] = Some(source);
        self.heap.push(Reverse((now, self.cohorts.len() as u32 + slot)));
    }

    /// Ends a visit: when the next begins, if there is one.
    fn away(&mut self, source: &mut Source, cohort: &Cohort, now: u64) -> Option<u64> {
        source.visits = source.visits.checked_sub(1)?;
        let random = &mut source.random;
        let mut next =
            now + u64::from(cohort.away.draw(random, u32::MAX - 1)) * SECOND + random.below(SECOND);
        if cohort.diurnal {
            next += until_day(next, source.home.utc, random);
        }
        let addresses = if cohort.v6 { self.plan.telescope.count6() } else { self.plan.telescope.count4() };
        source.visit = Visit::draw(cohort, addresses, random);
        source.run = Run::new(source.tool, (next / SECOND) as u32, random);
        self.runs += 1;
        (source.number, source.session) = (self.runs, self.runs);
        Some(next)
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn run(mut self, sink: &mut impl Sink) -> io::Result<Totals> {
        while let Some(Reverse((now, number))) = self.heap.peek().copied() {
            if now >= self.end {
                break;
            }
            if number & WAITING != 0 {
                self.heap.pop();
                let place = (number & !WAITING) as usize;
                let later = self.waiting[place].take();
                self.free_waiting.push(place as u32);
                match later {
                    Some(Later::Packet(packet, origin)) => self.emit(now, &packet, origin, sink)?,
                    Some(Later::Open(opening)) if !self.closing => self.open(now, &opening, sink)?,
                    _ => {}
                }
            } else if self.closing {
                self.heap.pop();
            } else if (number as usize) < self.cohorts.len() {
                self.heap.pop();
                self.arrive(number as usize, now);
                let next = now + self.next_arrival(number as usize, now);
                self.heap.push(Reverse((next, number)));
            } else {
                let slot = number as usize - self.cohorts.len();
                match self.act(slot, now, sink)? {
                    // Nothing else has come before it: what it set off is later, or has a higher number.
                    Some(next) => {
                        if let Some(mut top) = self.heap.peek_mut() {
                            *top = Reverse((next, number));
                        }
                    }
                    None => {
                        self.heap.pop();
                        self.sources[slot] = None;
                        self.free_sources.push(slot as u32);
                        self.alive -= 1;
                    }
                }
            }
        }
        Ok(self.totals)
    }

    /// The next probe of a source, and when it acts again.
    fn act(&mut self, slot: usize, now: u64, sink: &mut impl Sink) -> io::Result<Option<u64>> {
        let Some(mut source) = self.sources[slot].take() else { return Ok(None) };
        let cohort = self.cohorts[usize::from(source.cohort)];
        if let Some((opening, retry)) = self.probe(&mut source, &cohort, now) {
            self.open(now, &opening, sink)?;
            if let Some(retry) = retry.filter(|_| self.script.handshake == Some("none")) {
                self.wait(now + SECOND, Later::Open(Box::new(retry)));
            }
            if self.script.handshake == Some("reset") && source.random.permille(cohort.second) {
                self.second(now, &mut source, &opening);
            }
        }
        source.visit.next = source.visit.next.saturating_add(source.visit.stride);
        let next = if source.visit.next < source.visit.total {
            Some(now + source.visit.wait(&mut source.random).max(1000))
        } else {
            self.away(&mut source, &cohort, now)
        };
        self.sources[slot] = Some(source);
        Ok(next)
    }

    /// A connection of the operating system to what has answered a crafted SYN.
    fn second(&mut self, now: u64, source: &mut Source, first: &Opening) {
        let Body::Tcp(Tcp { src_port, dst_port, .. }) = first.packet.body else { return };
        let after = SECOND / 2 + source.random.below(2 * SECOND);
        let (tool, home, dst) = (Tool::Linux, source.home, first.packet.dst);
        let time = ((now + after) / SECOND) as u32;
        let mut packet = source.run.syn(tool, &home, (dst, dst_port), time, 0, &mut source.random);
        // The same five numbers within five minutes would be the same flow.
        if let Body::Tcp(tcp) = &mut packet.body
            && tcp.src_port == src_port
        {
            tcp.src_port ^= 1;
        }
        let intent =
            Intent { technique: Some("connect"), tool: tool.name(), version: tool.version(), ..first.intent };
        let reaction = Reaction::Complete { talks: true };
        self.wait(now + after, Later::Open(Box::new(Opening { packet, intent, reaction, resend: 0 })));
    }

    /// The packet that opens a source's next flow, and what its tool sends again as another flow if nothing answers.
    /// None where a spoofed address would be one that nobody can have.
    fn probe(&self, source: &mut Source, cohort: &Cohort, now: u64) -> Option<(Opening, Option<Opening>)> {
        let (place, port) = source.visit.target();
        let dst = address(&self.plan.telescope, cohort.v6, place);
        let time = (now / SECOND) as u32;
        let (home, tool) = (source.home, source.tool);
        let random = &mut source.random;
        let mut intent = Intent {
            origin: Origin::Scan,
            class: "scan",
            technique: None,
            tool: tool.name(),
            version: tool.version(),
            session: source.session,
            run: source.number,
            geometry: source.visit.geometry(cohort.ports),
        };
        let (mut reaction, mut resend, mut retry) = (Reaction::Reset, 0, None);
        let packet = match cohort.emits {
            Emits::Syn(_) => {
                intent.technique = Some(if tool.connects() { "connect" } else { "syn" });
                if cohort.lost {
                    intent.origin = Origin::Misconfiguration;
                }
                if tool.connects() {
                    reaction = Reaction::Complete { talks: random.permille(600) };
                    // Most programs give up before the system does.
                    resend = [0, 1, 1, 2, 2, 3][random.below(6) as usize];
                } else if random.permille(60) {
                    reaction = Reaction::Silent;
                }
                let packet = source.run.syn(tool, &home, (dst, port), time, 0, random);
                if tool == Tool::Nmap {
                    let packet = source.run.syn(tool, &home, (dst, port), time, 1, random);
                    retry = Some(Opening { packet, intent, reaction, resend });
                }
                packet
            }
            Emits::Flags(technique) => {
                intent.technique = Some(technique);
                source.run.flags(&home, (dst, port), nmap_flags(technique), random)
            }
            Emits::Udp(_) => {
                intent.technique = Some("udp");
                intent.tool = without_sockets(tool);
                if cohort.lost {
                    intent.origin = Origin::Misconfiguration;
                }
                source.run.udp(tool, &home, (dst, port), random)
            }
            Emits::Echo(_) => {
                intent.technique = Some("icmp-echo");
                intent.tool = without_sockets(tool);
                source.run.echo(tool, &home, dst, random)
            }
            Emits::Init => {
                intent.technique = Some("sctp-init");
                source.run.init(&home, (dst, port))
            }
            Emits::Proto(proto) => {
                intent.technique = Some("ip-proto");
                packet(&home, dst, 64, random.u16(), false, Body::Other { proto, len: 24 })
            }
            Emits::MidStream => {
                (intent.origin, intent.class) = (Origin::Misconfiguration, "other");
                let tcp = Tcp {
                    src_port: source.run.port,
                    dst_port: port,
                    seq: random.u32(),
                    ack: random.u32(),
                    flags: PSH | ACK,
                    window: 501,
                    options: Options::None,
                    payload: b"\x17\x03\x03\x00\x13abcdefghijklmnopqrs",
                };
                packet(&home, dst, 64, random.u16(), true, Body::Tcp(tcp))
            }
            Emits::Flood => {
                (intent.origin, intent.technique) = (Origin::Flood, Some("syn"));
                // Nobody is there to answer.
                reaction = Reaction::Silent;
                let address = spoofed(u64::from(source.run.key), source.visit.next)?;
                let dst = address_of_flood(self, source, cohort);
                let random = &mut source.random;
                let tcp = Tcp {
                    src_port: random.within(1024, 65_535) as u16,
                    dst_port: source.visit.service(),
                    seq: random.u32(),
                    flags: SYN,
                    window: 29_200 + (source.run.key % 30_000) as u16,
                    ..Tcp::default()
                };
                let from = Home { address, utc: 0, hops: random.within(8, 22) as u8 };
                packet(&from, dst, 128, random.u16(), false, Body::Tcp(tcp))
            }
            Emits::Backscatter(reply) => {
                (intent.origin, intent.class) = (Origin::Backscatter, "backscatter");
                resend = if reply == Reply::SynAck { random.below(4) as u8 } else { 0 };
                self.backscatter(reply, source, cohort)
            }
        };
        Some((Opening { packet, intent, reaction, resend }, retry))
    }

    /// What a host sends that is flooded in the name of the telescope's addresses.
    fn backscatter(&self, reply: Reply, source: &mut Source, cohort: &Cohort) -> Packet {
        let visit = &source.visit;
        let (service, home) = (visit.service(), source.home);
        // No two to the same port within a visit.
        let port = 1024 + (u64::from(visit.next) * 27_961 % 64_512) as u16;
        let random = &mut source.random;
        let place = if matches!(reply, Reply::PortUnreachable | Reply::HostUnreachable | Reply::TimeExceeded)
        {
            visit.target().0
        } else {
            random.u32()
        };
        let dst = address(&self.plan.telescope, cohort.v6, place);
        let (mut ttl, id) = (64, random.u16());
        let mut tcp = Tcp { src_port: service, dst_port: port, ..Tcp::default() };
        let error = |kind, code, udp, dst, word| Body::Error {
            kind,
            code,
            quoted: Quoted { dst, src_port: port, dst_port: service, udp, word },
        };
        let body = match reply {
            Reply::SynAck => {
                (tcp.seq, tcp.ack, tcp.flags, tcp.window) = (random.u32(), random.u32(), SYN | ACK, 65_160);
                tcp.options = Options::Mss(1460);
                Body::Tcp(tcp)
            }
            Reply::RstAck => {
                (tcp.ack, tcp.flags) = (random.u32(), RST | ACK);
                Body::Tcp(tcp)
            }
            Reply::Rst => {
                (tcp.seq, tcp.flags) = (random.u32(), RST);
                Body::Tcp(tcp)
            }
            Reply::PortUnreachable => error(3, 3, true, home.address, random.u32()),
            Reply::HostUnreachable => error(3, 1, false, home.address, random.u32()),
            Reply::TimeExceeded => {
                ttl = 255;
                let victim = self.world.draw(random, cohort.v6, cohort.nets).address;
                error(11, 0, false, victim, random.u32())
            }
            Reply::Dns => Body::Udp(Udp {
                src_port: 53,
                dst_port: port,
                head: Some(random.u16()),
                // A refusal of a query for example.com (RFC 1035 section 4.1.1: QR, RCODE 5).
                payload:
                    b"\x00\x00\x81\x05\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01",
                unsummed: false,
            }),
            Reply::Echo => Body::Icmp(Icmp { kind: 0, id: port, seq: 1, payload: &[0; 32] }),
        };
        packet(&home, dst, ttl, id, true, body)
    }

    /// Opens a flow: its first packet now, the rest when its time comes, the truth about it.
    fn open(&mut self, now: u64, opening: &Opening, sink: &mut impl Sink) -> io::Result<()> {
        let open_port = |port| self.plan.honeypot && self.plan.profile.open_ports().contains(&port);
        script::play(&mut self.script, opening, self.plan.honeypot, open_port, &mut self.random);
        let room = usize::try_from(self.plan.packets - self.committed).unwrap_or(usize::MAX);
        let end = self.end;
        self.script.clip(room, |after| now + after < end);
        let Some((_, first)) = self.script.steps.first().copied() else {
            self.closing = true;
            return Ok(());
        };
        self.committed += self.script.steps.len() as u64;
        let origin = opening.intent.origin;
        self.totals.flows[origin as usize] += 1;
        self.totals.probes += u64::from(opening.intent.class == "scan");
        let (proto, src_port, dst_port) = script::ends(&first);
        sink.flow(&Flow {
            ts: self.whole(now) as i64,
            src: first.src,
            dst: first.dst,
            proto,
            src_port,
            dst_port,
            handshake: self.script.handshake,
            packets: self.script.steps.len() as u32,
            intent: opening.intent,
        })?;
        self.emit(now, &first, origin, sink)?;
        for i in 1..self.script.steps.len() {
            let (after, packet) = self.script.steps[i];
            self.wait(now + after, Later::Packet(packet, origin));
        }
        if self.committed >= self.plan.packets || self.totals.probes >= self.plan.probes {
            self.closing = true;
        }
        Ok(())
    }

    fn wait(&mut self, until: u64, later: Later) {
        let place = self.free_waiting.pop().unwrap_or_else(|| {
            self.waiting.push(None);
            self.waiting.len() as u32 - 1
        });
        self.waiting[place as usize] = Some(later);
        self.heap.push(Reverse((until, WAITING | place)));
    }

    fn emit(&mut self, now: u64, packet: &Packet, origin: Origin, sink: &mut impl Sink) -> io::Result<()> {
        frame::write(packet, &mut self.frame);
        self.totals.packets[origin as usize] += 1;
        let ts = self.whole(now) as i64;
        let first = self.totals.span.map_or(ts, |(first, _)| first);
        self.totals.span = Some((first, ts));
        sink.packet(ts, &self.frame)
    }

    /// The time as the capture has it.
    fn whole(&self, now: u64) -> u64 {
        if self.plan.nanoseconds { now } else { now / 1000 * 1000 }
    }
}

/// `os-stack` stands for connect(); a system's datagrams have no mark.
fn without_sockets(tool: Tool) -> &'static str {
    if tool.connects() { Tool::Raw.name() } else { tool.name() }
}

/// A flood has one target.
fn address_of_flood(simulation: &Simulation, source: &Source, cohort: &Cohort) -> IpAddr {
    address(&simulation.plan.telescope, cohort.v6, source.run.key)
}

impl Cohort {
    fn visits_once(&self) -> bool {
        matches!(self.visits, crate::random::Size::Just(1))
    }
}

impl Emits {
    fn tool(self, random: &mut Random) -> Tool {
        match self {
            Self::Syn(tools) | Self::Udp(tools) | Self::Echo(tools) => random.weighted(tools),
            Self::Flags(_) => Tool::Nmap,
            Self::Init => Tool::Masscan13,
            Self::Proto(_) | Self::Backscatter(_) | Self::MidStream | Self::Flood => Tool::Raw,
        }
    }
}
