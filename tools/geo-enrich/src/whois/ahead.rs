//! Reading ahead of the rows, so that their addresses can be asked for together.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::net::IpAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use probeline_record::RowReader;

use super::Shared;

/// Bytes of rows that wait for answers at most, and the size of one read.
const HOLD: usize = 4 << 20;
const CHUNK: usize = 256 << 10;

/// How long rows of a live pipeline wait for others to be asked with.
const WAIT: Duration = Duration::from_secs(2);

/// Hands bytes on as they are, after the addresses of the rows in them have been asked for.
///
/// This only saves connections: a row that cannot be read here, because a quoted cell holds the end of what was held, has
/// its address asked for when it is looked up.
pub(crate) struct Ahead {
    chunks: Receiver<io::Result<Vec<u8>>>,
    whois: Shared,
    columns: Vec<String>,
    /// The header of CSV, so that later pieces can be read as rows.
    header: Option<Vec<u8>>,
    held: Vec<u8>,
    /// How much of what is held was given away, and how much may be: whole lines, of which the addresses were asked for.
    given: usize,
    ready: usize,
    /// How the input ended, until it is told.
    end: Option<io::Result<()>>,
}

impl Ahead {
    /// Reads `input` on a thread of its own, which ends with the input or when nobody reads here any more.
    pub(crate) fn new(mut input: Box<dyn Read + Send>, columns: &[String], whois: &Shared) -> Self {
        let (send, chunks) = sync_channel(4);
        thread::spawn(move || {
            loop {
                let mut chunk = vec![0; CHUNK];
                let read = match input.read(&mut chunk) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Ok(length) => {
                        chunk.truncate(length);
                        Ok(chunk)
                    }
                    Err(error) => Err(error),
                };
                let over = !matches!(&read, Ok(chunk) if !chunk.is_empty());
                if send.send(read).is_err() || over {
                    return;
                }
            }
        });
        Self {
            chunks,
            whois: whois.clone(),
            columns: columns.to_vec(),
            header: None,
            held: Vec::new(),
            given: 0,
            ready: 0,
            end: None,
        }
    }

    /// Gathers until there is enough, the input ends, or the first of it has waited long enough.
    fn gather(&mut self) {
        self.held.drain(..self.given);
        self.given = 0;
        let mut since: Option<Instant> = None;
        while self.held.len() < HOLD && self.end.is_none() {
            let wait = since.map_or(Duration::MAX, |since| WAIT.saturating_sub(since.elapsed()));
            match self.chunks.recv_timeout(wait) {
                Ok(Ok(chunk)) if chunk.is_empty() => self.end = Some(Ok(())),
                Ok(Ok(chunk)) => {
                    self.held.extend_from_slice(&chunk);
                    since = since.or_else(|| Some(Instant::now()));
                }
                Ok(Err(error)) => self.end = Some(Err(error)),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => self.end = Some(Ok(())),
            }
        }
        let last_line = self.held.iter().rposition(|byte| *byte == b'\n').filter(|_| self.end.is_none());
        self.ready = last_line.map_or(self.held.len(), |at| at + 1);
    }

    /// The addresses in the rows that are held.
    fn addresses(&mut self) -> BTreeSet<IpAddr> {
        let mut found = BTreeSet::new();
        let ready = &self.held[..self.ready];
        let header = self.header.get_or_insert_with(|| {
            let line = ready.iter().position(|byte| *byte == b'\n').map_or(&[][..], |at| &ready[..=at]);
            if line.trim_ascii_start().starts_with(b"{") { Vec::new() } else { line.to_vec() }
        });
        let begun = ready.starts_with(header);
        let bytes = if begun { ready.chain(&[][..]) } else { header.as_slice().chain(ready) };
        let Ok(mut rows) = RowReader::new(bytes) else { return found };
        let columns: Vec<_> =
            self.columns.iter().filter_map(|name| rows.column(name).ok().flatten()).collect();
        loop {
            match rows.next_row() {
                Ok(Some(row)) => found.extend(columns.iter().filter_map(|column| row.ip(*column).ok())),
                Ok(None) => return found,
                Err(error) if error.is_row() => {}
                Err(_) => return found,
            }
        }
    }
}

impl Read for Ahead {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.given == self.ready && self.end.is_none() {
            self.gather();
            let addresses = self.addresses();
            self.whois.ask(addresses).map_err(|error| io::Error::other(format!("{error:#}")))?;
        }
        if self.given == self.ready {
            return match self.end.replace(Ok(())) {
                Some(Err(error)) => Err(error),
                _ => Ok(0),
            };
        }
        let count = (self.ready - self.given).min(buf.len());
        buf[..count].copy_from_slice(&self.held[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}
