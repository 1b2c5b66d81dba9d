//! The names of a series of files.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use jiff::Timestamp;
use jiff::fmt::strtime::BrokenDownTime;

/// Endings that a number or a time is put before, the longer ones first.
const ENDINGS: [&str; 10] = [
    ".pcapng.zst",
    ".pcapng.gz",
    ".pcap.zst",
    ".pcap.gz",
    ".cap.zst",
    ".cap.gz",
    ".pcapng",
    ".pcap",
    ".zst",
    ".gz",
];

/// What an unfinished file has behind its name.
pub(crate) const UNFINISHED: &str = ".part";

/// Time in UTC (ISO 8601, basic form).
const TIME: &str = "-%Y%m%dT%H%M%SZ";

/// How files of a series are called: a path with strftime's words in it, and an ending.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    format: String,
    ending: String,
    /// The name given last, without ending, and its number.
    last: Option<(String, u32)>,
}

impl Names {
    /// The names that `-w path` stands for. In a folder they are `stem-TIMEending`.
    ///
    /// # Errors
    /// When the path is no UTF-8 or has words that strftime does not know.
    pub(crate) fn new(path: &Path, stem: &str, ending: &str) -> Result<Self, anyhow::Error> {
        let text = path.to_str().with_context(|| format!("{}: must be UTF-8", path.display()))?;
        let (format, ending) = if is_folder(path) {
            let folder = text.trim_end_matches('/').replace('%', "%%");
            (format!("{folder}/{}{TIME}", stem.replace('%', "%%")), ending)
        } else {
            let ending = ENDINGS.iter().find(|ending| text.ends_with(*ending)).copied().unwrap_or_default();
            let mut format = text.strip_suffix(ending).unwrap_or(text).to_owned();
            if !format.replace("%%", "").contains('%') {
                format.push_str(TIME);
            }
            (format, ending)
        };
        let names = Self { format, ending: ending.to_owned(), last: None };
        if let Err(e) = names.stem(Timestamp::UNIX_EPOCH) {
            bail!("{}: {e}", path.display());
        }
        Ok(names)
    }

    fn stem(&self, at: Timestamp) -> Result<String, jiff::Error> {
        BrokenDownTime::from(at).to_string(&self.format)
    }

    /// The next name for a file that begins at a time. Asked again for the same time it gives another one, with a number
    /// behind it that is padded so that names sort as files do; numbers go up though files before were removed.
    ///
    /// # Errors
    /// When the time cannot be written, which [`Names::new`] has ruled out.
    pub(crate) fn next(&mut self, at: Timestamp) -> io::Result<PathBuf> {
        let stem = self.stem(at).map_err(io::Error::other)?;
        let number = match &self.last {
            Some((last, number)) if *last == stem => number + 1,
            _ => 1,
        };
        let ending = &self.ending;
        let name = if number > 1 { format!("{stem}_{number:04}{ending}") } else { format!("{stem}{ending}") };
        self.last = Some((stem, number));
        Ok(PathBuf::from(name))
    }

    /// The folder that all files are in, none when it changes with the time.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        let folder = Path::new(&self.format).parent()?.to_str()?;
        if folder.replace("%%", "").contains('%') {
            return None;
        }
        Some(PathBuf::from(if folder.is_empty() { ".".to_owned() } else { folder.replace("%%", "%") }))
    }

    /// Whether a path could be of this series: it reads as a time by the format and is what that time would be
    /// called.
    pub(crate) fn includes(&self, path: &Path) -> bool {
        let inside = || {
            // A leading "./" is the same folder.
            let text = path.to_str()?;
            let text =
                if self.format.starts_with("./") { text } else { text.strip_prefix("./").unwrap_or(text) };
            let (_, length) = BrokenDownTime::parse_prefix(&self.format, text).ok()?;
            let rest = text.get(length..)?.strip_suffix(self.ending.as_str())?;
            let number = rest.strip_prefix('_').unwrap_or(rest);
            let numbered = rest.starts_with('_') && number.len() >= 4;
            Some(rest.is_empty() || (numbered && number.bytes().all(|byte| byte.is_ascii_digit())))
        };
        inside().unwrap_or(false)
    }
}

/// "caps/" says folder, whether it is there or not.
pub(crate) fn is_folder(path: &Path) -> bool {
    path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/")
}

/// The name of a file while it is unfinished.
pub(crate) fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(UNFINISHED);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str) -> Names {
        Names::new(Path::new(path), "eth0", ".pcap").unwrap()
    }

    #[test]
    fn times_are_filled_in_and_names_sort() {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let named = |path: &str| names(path).next(at).unwrap().to_str().unwrap().to_owned();
        assert_eq!(named("caps/"), "caps/eth0-20270115T080000Z.pcap");
        assert_eq!(named("x/%Y/%m/%d/%H.pcapng.zst"), "x/2027/01/15/08.pcapng.zst");
        assert_eq!(named("x.pcap.gz"), "x-20270115T080000Z.pcap.gz");
        assert_eq!(named("100%%.pcap"), "100%-20270115T080000Z.pcap");
        let mut names = names("x.pcap");
        let series: Vec<PathBuf> = (0..12).map(|_| names.next(at).unwrap()).collect();
        assert!(series[1].ends_with("x-20270115T080000Z_0002.pcap"));
        assert!(series.is_sorted_by(|a, b| a.as_os_str() < b.as_os_str()));
        let later = names.next(Timestamp::from_second(1_800_000_001).unwrap()).unwrap();
        assert!(later.ends_with("x-20270115T080001Z.pcap") && later.as_os_str() > series[11].as_os_str());
        assert!(Names::new(Path::new("x-%!.pcap"), "eth0", ".pcap").is_err());
    }

    #[test]
    fn files_of_the_series_are_known_again() {
        let series = names("caps/");
        for ours in ["caps/eth0-20270115T080000Z.pcap", "caps/eth0-20270115T080000Z_0002.pcap"] {
            assert!(series.includes(Path::new(ours)), "{ours}");
        }
        for other in [
            "caps/eth0-20270115T080000Z.pcap.part",
            "caps/eth0-20270115T080000Z_x.pcap",
            "caps/eth0-20270115T080000Z-copy.pcap",
            "caps/eth0-20271315T080000Z.pcap",
            "caps/eth1-20270115T080000Z.pcap",
            "other/eth0-20270115T080000Z.pcap",
            "caps/notes.pcap",
        ] {
            assert!(!series.includes(Path::new(other)), "{other}");
        }
        assert_eq!(series.folder(), Some(PathBuf::from("caps")));
        assert_eq!(names("x.pcap").folder(), Some(PathBuf::from(".")));
        assert!(names("x.pcap").includes(Path::new("./x-20270115T080000Z.pcap")));
        assert_eq!(names("caps/%Y/x.pcap").folder(), None);
    }
}
