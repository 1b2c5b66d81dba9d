//! AS numbers asked over the network, of a server that speaks Team Cymru's bulk whois protocol.

mod ahead;
mod cache;
mod protocol;

pub(crate) use ahead::Ahead;

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use probeline_geo::{Operator, Operators};

use cache::Cache;
use protocol::{Server, Stopped};

/// Addresses asked in one connection. The service takes 10,000 and answers these within a minute (its page).
const BATCH: usize = 2000;

/// The least time from one connection's begin to the next: who opens many is shut out (the service's page).
const BETWEEN: Duration = Duration::from_secs(1);

/// Connections in a row without a single answer, after which no more are tried.
const GIVE_UP_AFTER: u32 = 3;

/// Answers held in memory: about 100 MB. What is beyond stays unanswered, and is counted.
const ADDRESS_LIMIT: usize = 1 << 20;

/// What was asked for: where to ask, and what may be remembered from earlier.
#[derive(Debug)]
pub(crate) struct WhoisOptions {
    pub(crate) server: String,
    pub(crate) cache: Option<PathBuf>,
    pub(crate) max_age: Duration,
    pub(crate) timeout: Duration,
}

/// What became of the addresses.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) addresses: u64,
    pub(crate) remembered: u64,
    pub(crate) connections: u64,
    pub(crate) unanswered: u64,
    pub(crate) odd_lines: u64,
}

/// The server, with all that it has answered.
pub(crate) struct Whois {
    server: Server,
    cache: Option<Cache>,
    /// An index into `operators`, or none where the address is announced by nobody, or not answered.
    answers: HashMap<IpAddr, Option<u32>>,
    operators: Vec<Operator>,
    numbers: HashMap<(u32, Option<Box<str>>), u32>,
    asked: Asked,
    last: Option<Instant>,
    failures: u32,
    complaints: Vec<String>,
}

/// The same server for the one who asks ahead and for the one who looks up.
#[derive(Clone)]
pub(crate) struct Shared(Rc<RefCell<Whois>>);

impl Whois {
    /// Reads what was remembered; the server is not asked before there is something to ask.
    pub(crate) fn open(options: &WhoisOptions) -> Result<Self, anyhow::Error> {
        let mut whois = Self {
            server: Server::new(&options.server, options.timeout)?,
            cache: None,
            answers: HashMap::new(),
            operators: Vec::new(),
            numbers: HashMap::new(),
            asked: Asked::default(),
            last: None,
            failures: 0,
            complaints: Vec::new(),
        };
        if let Some(path) = &options.cache {
            let (cache, remembered) = Cache::open(path, options.max_age, ADDRESS_LIMIT / 2)
                .with_context(|| format!("whois cache {}", path.display()))?;
            whois.cache = Some(cache);
            for (address, operator) in remembered {
                whois.asked.remembered += 1;
                whois.keep(address, operator);
            }
        }
        Ok(whois)
    }

    fn keep(&mut self, address: IpAddr, operator: Option<Operator>) {
        let index = operator.map(|operator| {
            let next = u32::try_from(self.operators.len()).unwrap_or(u32::MAX);
            let index = *self.numbers.entry((operator.asn, operator.org.clone())).or_insert(next);
            if index == next {
                self.operators.push(operator);
            }
            index
        });
        self.answers.insert(address, index);
    }

    /// Asks for all of these that are not known yet. What stays without an answer is not asked again.
    ///
    /// # Errors
    /// When the very first connection fails: better told at once than by empty cells. Later failures are counted.
    fn ask(&mut self, addresses: impl IntoIterator<Item = IpAddr>) -> Result<(), anyhow::Error> {
        let mut open: Vec<IpAddr> = Vec::new();
        for address in addresses {
            let address = address.to_canonical();
            if !protocol::may_be_asked(address) || self.answers.contains_key(&address) {
                continue;
            }
            if self.answers.len() >= ADDRESS_LIMIT {
                self.asked.unanswered += 1;
                continue;
            }
            self.answers.insert(address, None);
            open.push(address);
        }
        self.asked.addresses += open.len() as u64;
        // A server that hangs up in the middle is asked for the rest once more.
        let mut rest = Vec::new();
        for batch in open.chunks(BATCH) {
            rest.extend(self.batch(batch)?);
        }
        for batch in rest.chunks(BATCH) {
            let unanswered = self.batch(batch)?;
            self.asked.unanswered += unanswered.len() as u64;
        }
        Ok(())
    }

    /// Asks in one connection and gives back what was not answered.
    fn batch(&mut self, addresses: &[IpAddr]) -> Result<Vec<IpAddr>, anyhow::Error> {
        if self.failures >= GIVE_UP_AFTER {
            return Ok(addresses.to_vec());
        }
        if let Some(last) = self.last {
            std::thread::sleep(BETWEEN.saturating_sub(last.elapsed()));
        }
        self.last = Some(Instant::now());
        self.asked.connections += 1;
        let reply = match self.server.ask(addresses) {
            Ok(reply) => reply,
            Err(error) if self.asked.connections == 1 => return Err(error),
            Err(error) => {
                self.complain(&format!("{error:#}"));
                return Ok(addresses.to_vec());
            }
        };
        self.asked.odd_lines += reply.odd_lines;
        if let Some(line) = &reply.first_odd_line {
            self.complaints.push(format!("whois: {}: not understood: '{line}'", self.server));
        }
        let answered = reply.answers.len();
        for (address, operator) in reply.answers {
            if let Some(cache) = &mut self.cache
                && let Err(error) = cache.add(address, operator.as_ref())
            {
                self.complaints.push(format!("whois: the cache is not written any more: {error}"));
                self.cache = None;
            }
            self.keep(address, operator);
        }
        match reply.stopped {
            Stopped::Answered => self.failures = 0,
            Stopped::Early(why) => {
                let complaint =
                    format!("{}: {why}, {answered} of {} addresses answered", self.server, addresses.len());
                self.complain(&complaint);
                if answered > 0 {
                    self.failures = 0;
                }
            }
        }
        Ok(reply.unanswered)
    }

    fn complain(&mut self, what: &str) {
        self.failures += 1;
        let end = if self.failures >= GIVE_UP_AFTER { "; not asked any more" } else { "" };
        self.complaints.push(format!("whois: {what}{end}"));
    }
}

impl Shared {
    pub(crate) fn new(whois: Whois) -> Self {
        Self(Rc::new(RefCell::new(whois)))
    }

    fn ask(&self, addresses: impl IntoIterator<Item = IpAddr>) -> Result<(), anyhow::Error> {
        self.0.borrow_mut().ask(addresses)
    }

    /// What became of the addresses so far.
    pub(crate) fn asked(&self) -> Asked {
        self.0.borrow().asked
    }

    /// What went wrong since the last time.
    pub(crate) fn complaints(&self) -> Vec<String> {
        std::mem::take(&mut self.0.borrow_mut().complaints)
    }

    /// As a source of AS numbers for look-ups.
    pub(crate) fn operators(&self) -> Box<dyn Operators> {
        Box::new(LookUp { whois: self.clone(), found: None })
    }
}

/// Looks answers up, and asks for the address alone where reading ahead has missed it.
struct LookUp {
    whois: Shared,
    found: Option<Operator>,
}

impl Operators for LookUp {
    fn find(&mut self, address: IpAddr) -> Option<(usize, &Operator)> {
        let mut whois = self.whois.0.borrow_mut();
        if !whois.answers.contains_key(&address)
            && let Err(error) = whois.ask([address])
        {
            whois.complaints.push(format!("whois: {error:#}"));
        }
        let index = (*whois.answers.get(&address)?)? as usize;
        self.found = whois.operators.get(index).cloned();
        self.found.as_ref().map(|operator| (index, operator))
    }
}
