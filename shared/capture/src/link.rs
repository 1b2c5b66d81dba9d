//! Interfaces going down, coming up, coming and going: rtnetlink(7), Linux.
//!
//! A packet socket falls silent when its interface goes down and speaks again when it comes up, and libpcap hides what
//! little the socket says of it: without these messages the silence could not be told from a quiet wire.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, recv, send, socket_with,
};

use crate::Error;

/// `RTMGRP_LINK` of linux/rtnetlink.h: the group that hears of interfaces.
const GROUP_LINK: u32 = 1;
/// `RTM_NEWLINK` (also for changes) and `RTM_DELLINK`.
const NEW_LINK: u16 = 16;
const DELETED_LINK: u16 = 17;
/// `struct nlmsghdr` and `struct ifinfomsg`.
const MESSAGE_HEADER: usize = 16;
const LINK_HEADER: usize = 16;
/// `IFLA_IFNAME`.
const NAME: u16 = 3;
/// `RTM_GETLINK`, and `NLM_F_REQUEST | NLM_F_DUMP`: all of them.
const GET_LINK: u16 = 18;
const REQUEST_ALL: u16 = 0x301;
/// `IFF_UP` and `IFF_LOWER_UP` of linux/if.h. `IFF_RUNNING` says the same as the latter, up to a second later: it waits for
/// the kernel's link watch, which is held back on purpose (net/core/link_watch.c).
const UP: u32 = 1;
const LOWER_UP: u32 = 0x1_0000;

/// What an interface is able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// It is up and has a carrier.
    Running,
    /// It is up without a carrier: nothing is at the other end.
    NoCarrier,
    /// It is administratively down.
    Down,
    /// It does not exist any more.
    Removed,
}

/// An interface that changed, or may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkChange {
    /// The number that the system knows it by.
    pub index: u32,
    /// Its name; empty when the message had none.
    pub name: String,
    /// Its state from now on.
    pub state: LinkState,
}

/// Hears of every change of an interface in this network namespace. Its descriptor can be polled.
pub struct LinkWatch {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

impl LinkWatch {
    /// Begins to listen.
    ///
    /// # Errors
    /// [`Error::Watch`] where the system does not allow it.
    pub fn new() -> Result<Self, Error> {
        let fail = |e: Errno| Error::Watch { reason: e.to_string() };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None).map_err(fail)?;
        bind(&socket, &SocketAddrNetlink::new(0, GROUP_LINK)).map_err(fail)?;
        // A netlink message of one interface is below 8 KiB unless it has many virtual functions.
        Ok(Self { socket, buffer: vec![0; 64 * 1024] })
    }

    /// Asks for the state of every interface; the answers are among the changes heard soon after.
    ///
    /// # Errors
    /// [`Error::Watch`] when the socket fails.
    pub fn ask(&self) -> Result<(), Error> {
        let mut message = [0; MESSAGE_HEADER + LINK_HEADER];
        let length = u32::try_from(message.len()).unwrap_or_default();
        message[..4].copy_from_slice(&length.to_ne_bytes());
        message[4..6].copy_from_slice(&GET_LINK.to_ne_bytes());
        message[6..8].copy_from_slice(&REQUEST_ALL.to_ne_bytes());
        send(&self.socket, &message, SendFlags::empty())
            .map_err(|e| Error::Watch { reason: e.to_string() })?;
        Ok(())
    }

    /// Everything heard since the last time, oldest first; none when messages were lost, and states must be asked for
    /// anew.
    ///
    /// # Errors
    /// [`Error::Watch`] when the socket fails.
    pub fn changes(&mut self) -> Result<Option<Vec<LinkChange>>, Error> {
        let mut changes = Vec::new();
        loop {
            match recv(&self.socket, &mut self.buffer[..], RecvFlags::empty()) {
                Ok((length, _)) => read(self.buffer.get(..length).unwrap_or_default(), &mut changes),
                Err(Errno::AGAIN) => return Ok(Some(changes)),
                Err(Errno::INTR) => {}
                // More happened than the socket had room for.
                Err(Errno::NOBUFS) => return Ok(None),
                Err(e) => return Err(Error::Watch { reason: e.to_string() }),
            }
        }
    }
}

impl AsFd for LinkWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Reads a datagram of netlink messages; what is cut or something else is passed over.
fn read(mut bytes: &[u8], changes: &mut Vec<LinkChange>) {
    while let Some(length) = number(bytes, 0).and_then(|length| usize::try_from(length).ok()) {
        let Some(message) = bytes.get(..length).filter(|_| length >= MESSAGE_HEADER) else { return };
        changes.extend(link_change(message));
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
}

fn link_change(message: &[u8]) -> Option<LinkChange> {
    let kind = half(message, 4)?;
    let family = *message.get(MESSAGE_HEADER)?;
    // A bridge says with its own family that a port has left it, not that an interface is gone.
    if ![NEW_LINK, DELETED_LINK].contains(&kind) || family != 0 {
        return None;
    }
    let index = number(message, MESSAGE_HEADER + 4)?;
    let flags = number(message, MESSAGE_HEADER + 8)?;
    let state = match (kind, flags & UP != 0, flags & LOWER_UP != 0) {
        (DELETED_LINK, ..) => LinkState::Removed,
        (_, true, true) => LinkState::Running,
        (_, true, false) => LinkState::NoCarrier,
        (_, false, _) => LinkState::Down,
    };
    Some(LinkChange { index, name: name(message.get(MESSAGE_HEADER + LINK_HEADER..)?), state })
}

/// The value of the attribute that has the name.
fn name(mut attributes: &[u8]) -> String {
    while let (Some(length), Some(kind)) = (half(attributes, 0), half(attributes, 2)) {
        let length = usize::from(length);
        let Some(value) = attributes.get(4..length) else { break };
        if kind == NAME {
            let text = value.split(|byte| *byte == 0).next().unwrap_or_default();
            return String::from_utf8_lossy(text).into_owned();
        }
        attributes = attributes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    String::new()
}

/// netlink speaks the machine's byte order.
fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_ne_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(kind: u16, family: u8, flags: u32) -> Vec<u8> {
        let mut message = vec![0; MESSAGE_HEADER + LINK_HEADER];
        message[4..6].copy_from_slice(&kind.to_ne_bytes());
        message[16] = family;
        message[20..24].copy_from_slice(&7u32.to_ne_bytes());
        message[24..28].copy_from_slice(&flags.to_ne_bytes());
        for (kind, value) in [(13u16, &b"\x01"[..]), (NAME, b"wire1\0")] {
            message.extend_from_slice(&u16::try_from(4 + value.len()).unwrap().to_ne_bytes());
            message.extend_from_slice(&kind.to_ne_bytes());
            message.extend_from_slice(value);
            message.resize(message.len().next_multiple_of(4), 0);
        }
        let length = u32::try_from(message.len()).unwrap();
        message[..4].copy_from_slice(&length.to_ne_bytes());
        message
    }

    #[test]
    fn states_by_flags_and_kind() {
        let mut changes = Vec::new();
        let all = [
            message(NEW_LINK, 0, UP | LOWER_UP),
            message(NEW_LINK, 0, UP),
            message(DELETED_LINK, 7, UP | LOWER_UP),
            message(20, 0, UP),
            message(NEW_LINK, 0, 0),
            message(DELETED_LINK, 0, 0),
        ];
        read(&all.concat(), &mut changes);
        let states: Vec<_> = changes.iter().map(|change| change.state).collect();
        assert_eq!(
            states,
            [LinkState::Running, LinkState::NoCarrier, LinkState::Down, LinkState::Removed],
            "the bridge's message and the one about an address are not among them"
        );
        assert!(changes.iter().all(|change| change.index == 7 && change.name == "wire1"));
    }

    #[test]
    fn the_system_answers_for_every_interface() {
        let mut watch = match LinkWatch::new() {
            Ok(watch) => watch,
            Err(e) => {
                eprintln!("SKIPPED: no netlink here: {e}");
                return;
            }
        };
        watch.ask().unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
        let mut heard = Vec::new();
        while !heard.iter().any(|change: &LinkChange| change.name == "lo") {
            assert!(std::time::Instant::now() < deadline, "{heard:?}");
            heard.extend(watch.changes().unwrap().unwrap());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end(bytes: Vec<u8>, cut in 0usize..80) {
            read(&bytes, &mut Vec::new());
            let whole = message(NEW_LINK, 0, UP);
            read(&whole[..cut.min(whole.len())], &mut Vec::new());
        }
    }
}
