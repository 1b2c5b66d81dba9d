//! Opening what a tool reads.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use anyhow::{Context, bail};

/// The name to show for an input: the path, or `<stdin>`.
pub fn name(path: Option<&Path>) -> String {
    match path {
        Some(path) if path != Path::new("-") => path.display().to_string(),
        _ => "<stdin>".to_owned(),
    }
}

/// Opens a file, or standard input for none or `-`, as it is.
///
/// # Errors
/// When the file cannot be opened, is a directory, or standard input is a terminal, where nothing would ever come.
pub fn open(path: Option<&Path>) -> Result<Box<dyn Read + Send>, anyhow::Error> {
    match path {
        Some(path) if path != Path::new("-") => {
            let file = File::open(path).with_context(|| path.display().to_string())?;
            if file.metadata().is_ok_and(|m| m.is_dir()) {
                bail!("{}: is a directory", path.display());
            }
            Ok(Box::new(file))
        }
        _ => {
            if io::IsTerminal::is_terminal(&io::stdin()) {
                bail!("no FILE given and standard input is a terminal; see --help");
            }
            // A file of its own, because std::io::Stdin copies through a small buffer under a lock.
            use std::os::fd::AsFd;
            let fd = io::stdin().as_fd().try_clone_to_owned().context("<stdin>")?;
            Ok(Box::new(File::from(fd)))
        }
    }
}

/// Opens rows: as [`open`], and unpacks gzip or zstd, told by the first bytes.
///
/// # Errors
/// As [`open`].
pub fn open_rows(path: Option<&Path>) -> Result<Box<dyn Read + Send>, anyhow::Error> {
    let mut input = open(path)?;
    let mut head = [0; 4];
    let mut have = 0;
    while have < head.len() {
        match input.read(&mut head[have..]) {
            Ok(0) => break,
            Ok(count) => have += count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e).with_context(|| name(path)),
        }
    }
    let rest = io::Cursor::new(head[..have].to_vec()).chain(input);
    Ok(match &head[..have] {
        [0x1f, 0x8b, ..] => {
            Box::new(Unpacked(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(1 << 16, rest))))
        }
        [0x28, 0xb5, 0x2f, 0xfd] => Box::new(Unpacked(zstd::Decoder::new(rest).with_context(|| name(path))?)),
        _ => Box::new(rest),
    })
}

/// A decoder whose complaints about its input are `InvalidData`, whatever it calls them itself, so that readers can
/// tell damaged input, behind which nothing comes, from a device that fails.
struct Unpacked<D>(D);

impl<D: Read> Read for Unpacked<D> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out).map_err(|e| match e.raw_os_error() {
            Some(_) => e,
            None if e.kind() == io::ErrorKind::Interrupted => e,
            None => io::Error::new(io::ErrorKind::InvalidData, e),
        })
    }
}

/// Whether standard input is a regular file, which holds all there will be, rather than a pipe.
pub fn stdin_is_file() -> bool {
    use std::os::fd::AsFd;
    let fd = io::stdin().as_fd().try_clone_to_owned();
    fd.and_then(|fd| File::from(fd).metadata()).is_ok_and(|m| m.is_file())
}
