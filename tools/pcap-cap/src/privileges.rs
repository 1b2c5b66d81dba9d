//! Giving up what is not needed any more: capabilities(7), and who we are.
//!
//! To be called while there is one thread: the kernel keeps these things for each thread, and threads made later have what
//! the one that makes them has.

use std::ffi::CString;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, anyhow};
use nix::unistd::{Gid, Uid, User, initgroups, setgroups, setresgid, setresuid};
use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_keep_capabilities, set_no_new_privs,
};

use crate::names::is_folder;

/// Whom to become when nobody else is named.
const NOBODY: &str = "nobody";

/// As whom to run: none to stay who we are. `output` is where the capture goes, none for a pipe.
///
/// # Errors
/// When there is no such user, or a name is given and we are not root.
pub(crate) fn choose(named: Option<&str>, output: Option<&Path>) -> Result<Option<User>, anyhow::Error> {
    if !nix::unistd::geteuid().is_root() {
        return match named {
            Some(name) => Err(anyhow!("-Z {name}: only root can become somebody else")),
            None => Ok(None),
        };
    }
    if let Some(name) = named {
        let user = User::from_name(name).with_context(|| format!("-Z {name}"))?;
        return user.map(Some).ok_or_else(|| anyhow!("-Z {name}: there is no such user"));
    }
    // Whoever owns the folder is who the files are for.
    let owner = output.and_then(|output| {
        let folder_of = if is_folder(output) { Some(output) } else { output.parent() };
        // The nearest that is there already.
        let folder =
            |folder: &Path| std::fs::metadata(if folder == Path::new("") { Path::new(".") } else { folder });
        let metadata = folder_of?.ancestors().find_map(|above| folder(above).ok())?;
        Some(metadata.uid()).filter(|uid| *uid != 0)
    });
    if let Some(owner) = owner
        && let Some(user) =
            User::from_uid(Uid::from_raw(owner)).context("looking up the owner of the folder")?
    {
        return Ok(Some(user));
    }
    let nobody = User::from_name(NOBODY).context(NOBODY)?;
    nobody.map(Some).ok_or_else(|| anyhow!("there is no user {NOBODY} to become; name one with -Z"))
}

/// Becomes the user and gives up every capability, for good; `keep_raw` leaves CAP_NET_RAW permitted, though not in effect.
///
/// # Errors
/// When the system refuses: then nothing may be captured.
pub(crate) fn give_up(user: Option<&User>, keep_raw: bool) -> Result<(), anyhow::Error> {
    let had = capabilities(None).context("reading capabilities")?;
    // What a program run from here could ever get. Needs CAP_SETPCAP; without it, no-new-privs below does as much.
    if had.effective.contains(CapabilitySet::SETPCAP) {
        for capability in CapabilitySet::all() {
            match remove_capability_from_bounding_set(capability) {
                // A kernel that does not know it does not have it.
                Ok(()) | Err(Errno::INVAL) => {}
                Err(e) => return Err(e).context("dropping capabilities from the bounding set"),
            }
        }
    }
    if let Some(user) = user.filter(|user| !user.uid.is_root()) {
        set_keep_capabilities(true).context("keeping capabilities")?;
        become_user(user).with_context(|| format!("becoming {}", user.name))?;
    }
    // Kernels before 4.3 know no ambient set, and have none.
    let _ = clear_ambient_capability_set();
    let raw = if keep_raw { CapabilitySet::NET_RAW & had.permitted } else { CapabilitySet::empty() };
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: raw, inheritable: none })
        .context("dropping capabilities")?;
    set_keep_capabilities(false).context("dropping capabilities")?;
    set_no_new_privs(true).context("no-new-privs")?;
    Ok(())
}

fn become_user(user: &User) -> Result<(), anyhow::Error> {
    let (uid, gid): (Uid, Gid) = (user.uid, user.gid);
    // A user without a group database still must lose root's groups.
    if initgroups(&CString::new(user.name.as_bytes())?, gid).is_err() {
        setgroups(&[gid])?;
    }
    setresgid(gid, gid, gid)?;
    setresuid(uid, uid, uid)?;
    Ok(())
}

/// Does something with CAP_NET_RAW in effect, where it is still permitted.
pub(crate) fn with_raw<T>(act: impl FnOnce() -> T) -> io::Result<T> {
    let had = capabilities(None)?;
    let effective = had.effective | (CapabilitySet::NET_RAW & had.permitted);
    set_capabilities(None, CapabilitySets { effective, ..had })?;
    let done = act();
    set_capabilities(None, had)?;
    Ok(done)
}
