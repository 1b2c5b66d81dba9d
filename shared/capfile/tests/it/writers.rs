//! What is written: pcapng as tshark reads it, and streams that can be read up to their last flush.

use std::io::Write;
use std::process::Command;

use probeline_capfile::{
    Compression, Compressor, InterfaceInfo, InterfaceStatistics, LinkType, PcapngWriter, SectionInfo,
};

use crate::build::read;
use crate::say;

const START: i64 = 1_700_000_000_123_456_789;

/// Two interfaces, the second with microseconds; packets of every length up to 70 bytes; counters.
fn capture() -> Vec<u8> {
    let section = SectionInfo { application: "writers".to_owned(), ..SectionInfo::default() };
    let interface = |name: &str, link: u32, nanos| InterfaceInfo {
        link: LinkType(link),
        snaplen: 96,
        name: name.to_owned(),
        description: String::new(),
        filter: "udp".to_owned(),
        os: String::new(),
        nanos,
    };
    let interfaces = [interface("eth0", 1, true), interface("any", 276, false)];
    let mut writer = PcapngWriter::new(Vec::new(), &section, &interfaces).expect("memory");
    for length in 0..=70u32 {
        let bytes = vec![0; length as usize];
        writer.write(length % 2, START + i64::from(length), 1000 + length, &bytes).expect("memory");
    }
    let counts = InterfaceStatistics { start_nanos: START, end_nanos: START + 1, ..Default::default() };
    writer.write_statistics(1, &counts).expect("memory");
    writer.into_inner()
}

#[test]
fn pcapng_comes_back_as_it_was() {
    let file = capture();
    let got = read(&file[..]);
    assert_eq!(got.packets.len(), 71);
    let folder = std::env::temp_dir().join(format!("capfile-writers-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("x.pcapng");
    std::fs::write(&path, &file).unwrap();
    let fields = ["frame.time_epoch", "frame.cap_len", "frame.len", "frame.interface_name"];
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(&path).args(["-T", "fields"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output();
    std::fs::remove_dir_all(&folder).unwrap();
    let Ok(output) = output else { return say("SKIPPED: no tshark") };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<String> = (0..=70)
        .map(|length| {
            let (name, nanos) =
                if length % 2 == 0 { ("eth0", 123_456_789 + length) } else { ("any", 123_456_000) };
            format!("1700000000.{nanos:09}\t{length}\t{}\t{name}", 1000 + length)
        })
        .collect();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.lines().take(71).collect::<Vec<_>>(), lines);
}

#[test]
fn what_the_format_cannot_say_is_refused_and_leaves_nothing() {
    let interface = InterfaceInfo {
        link: LinkType(1),
        snaplen: 0,
        name: String::new(),
        description: String::new(),
        filter: String::new(),
        os: String::new(),
        nanos: true,
    };
    let interfaces = [interface];
    let mut writer = PcapngWriter::new(Vec::new(), &SectionInfo::default(), &interfaces).unwrap();
    let before = writer.get_mut().len();
    writer.write(0, -1, 60, &[0; 60]).unwrap_err();
    writer.write(1, 0, 60, &[0; 60]).unwrap_err();
    writer.write_statistics(1, &InterfaceStatistics::default()).unwrap_err();
    assert_eq!(writer.into_inner().len(), before);
    let wide = InterfaceInfo { link: LinkType(65_536), ..interfaces[0].clone() };
    assert!(PcapngWriter::new(Vec::new(), &SectionInfo::default(), &[wide]).is_err());
}

#[test]
fn a_compressed_stream_is_whole_up_to_each_flush() {
    let file = capture();
    let (first, second) = file.split_at(file.len() / 2 / 4 * 4);
    for (how, program) in [(Compression::Gzip(6), "gzip"), (Compression::Zstd(3), "zstd")] {
        let mut compressor = Compressor::new(Vec::new(), how).unwrap();
        compressor.write_all(first).unwrap();
        compressor.flush().unwrap();
        let flushed = compressor.get_mut().clone();
        compressor.write_all(second).unwrap();
        let whole = compressor.finish().unwrap();
        assert!(whole.starts_with(&flushed));
        assert_eq!(unpack(program, &whole), Some((file.clone(), true)).filter(|_| has(program)));
        // Without its end: all that was flushed, and a complaint.
        assert_eq!(unpack(program, &flushed), Some((first.to_vec(), false)).filter(|_| has(program)));
    }
}

fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

/// What a program of others unpacks, and whether it was content.
fn unpack(program: &str, packed: &[u8]) -> Option<(Vec<u8>, bool)> {
    use std::process::Stdio;
    let mut command = Command::new(program);
    command.arg("-dc").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else {
        say(&format!("SKIPPED: no {program}"));
        return None;
    };
    child.stdin.take().expect("a pipe").write_all(packed).expect("a reader");
    let output = child.wait_with_output().expect("its end");
    Some((output.stdout, output.status.success()))
}
