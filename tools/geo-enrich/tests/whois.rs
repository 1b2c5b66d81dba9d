//! AS numbers over the network, from servers on loopback that the tests start: good ones and bad ones.
//!
//! What a good one says follows the examples on the service's page; each ends with the connection it serves.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A server whose connections are served one after the other by `serve`, which gets the addresses asked for. What was
/// asked is kept, connection by connection. Its thread ends with the test process.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<Vec<String>>>>,
}

impl Server {
    fn start(serve: impl Fn(usize, &[String], &mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let address = listener.local_addr().expect("its address").to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let mut stream = stream;
                let lines = BufReader::new(stream.try_clone().expect("the same connection")).lines();
                let question: Vec<String> =
                    lines.map_while(Result::ok).take_while(|line| line != "end").collect();
                assert_eq!(question[..2], ["begin", "verbose"], "the protocol");
                kept.lock().expect("no panic").push(question[2..].to_vec());
                serve(number, &question[2..], &mut stream);
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<Vec<String>> {
        self.asked.lock().expect("no panic").clone()
    }
}

/// A line of the service for an address, padded as it pads.
fn line(address: &str) -> String {
    match address {
        "8.8.8.8" => format!(
            "15169   | {address:16} | 8.8.8.0/24          | US | arin     | 2023-12-28 | GOOGLE, US\n"
        ),
        "198.51.44.1" => {
            format!("NA      | {address:16} | NA                  | US | arin     | 1993-01-01 | NA\n")
        }
        "1.1.1.1" => format!(
            "13335 4  | {address:16} | 1.1.1.0/24          | AU | apnic    | 2011-08-11 | CLOUD, \"FLARE\" | NET, US\n"
        ),
        "2001:4860:4860::8888" => {
            format!(
                "15169   | {address:38} | 2001:4860::/32      | US | arin     | 2005-03-14 | GOOGLE, US\n"
            )
        }
        _ => format!("64496   | {address:16} | NA | ZZ | other | | EXAMPLE\n"),
    }
}

const GREETING: &str = "Bulk mode; whois.cymru.com [2026-11-25 12:00:00 +0000]\n";

fn say(stream: &mut TcpStream, text: &str) {
    // A client that has left is tested too.
    drop(stream.write_all(text.as_bytes()));
}

fn answer_all(_: usize, question: &[String], stream: &mut TcpStream) {
    say(stream, GREETING);
    for address in question {
        say(stream, &line(address));
    }
}

fn tool(folder: &Path, server: &str, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_geo-enrich"));
    command.args(["--whois", server, "--columns", "asn,org", "--whois-timeout", "1s"]).args(more);
    command.env_clear().env("XDG_CACHE_HOME", folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(folder: &Path, server: &str, more: &[&str], input: &str) -> Output {
    let mut child = tool(folder, server, more).spawn().expect("a running tool");
    let mut stdin = child.stdin.take().expect("its input");
    let input = input.to_owned();
    let feed = thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().expect("its output");
    feed.join().expect("all fed");
    output
}

#[track_caller]
fn rows(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{}", errors(output));
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

const INPUT: &str = "n,src_ip,x\n1,8.8.8.8,\"a\nb\"\n2,1.1.1.1,\n3,198.51.44.1,\n4,8.8.8.8,\n5,10.0.0.1,\n6,,\n\
                     7,2001:4860:4860::8888, y \n8,::ffff:8.8.8.8,\n";
const EXPECTED: &str = "n,src_ip,x,src_asn,src_org\n1,8.8.8.8,\"a\nb\",15169,\"GOOGLE, US\"\n\
                        2,1.1.1.1,,13335,\"CLOUD, \"\"FLARE\"\" | NET, US\"\n3,198.51.44.1,,,\n\
                        4,8.8.8.8,,15169,\"GOOGLE, US\"\n5,10.0.0.1,,,\n6,,,,\n\
                        7,2001:4860:4860::8888, y ,15169,\"GOOGLE, US\"\n8,::ffff:8.8.8.8,,15169,\"GOOGLE, US\"\n";

#[test]
fn rows_keep_their_order_and_each_address_is_asked_for_once() {
    let (server, folder) = (Server::start(answer_all), folder());
    let output = run(folder.path(), &server.address, &[], INPUT);
    assert_eq!(rows(&output, 0), EXPECTED);
    // The private address is nobody's business, the mapped one is the IPv4 address in it.
    assert_eq!(server.asked(), [["1.1.1.1", "8.8.8.8", "198.51.44.1", "2001:4860:4860::8888"]]);
    assert!(errors(&output).contains("4 addresses asked for in 1 connections"), "{}", errors(&output));
    // The second time everything is known, also that nobody announces an address.
    let again = run(folder.path(), &server.address, &[], INPUT);
    assert_eq!(rows(&again, 0), EXPECTED);
    assert_eq!(server.asked().len(), 1);
    assert!(
        errors(&again).contains("0 addresses asked for in 0 connections, 4 answers kept"),
        "{}",
        errors(&again)
    );
}

#[test]
fn what_was_kept_grows_old() {
    let (server, folder) = (Server::start(answer_all), folder());
    let cache = folder.path().join("answers.tsv");
    let named = ["--whois-cache", cache.to_str().expect("text")];
    let old =
        "junk\n8.8.8.8\t1000\t7\tOLD\n1.1.1.1\tnow\t7\tNO TIME\n1.1.1.1\t99999999999\t8\tKEPT\n1.1.1.1\t5\t";
    fs::write(&cache, old).expect("written");
    let output = run(folder.path(), &server.address, &named, "src_ip\n8.8.8.8\n1.1.1.1\n");
    assert_eq!(rows(&output, 0), "src_ip,src_asn,src_org\n8.8.8.8,15169,\"GOOGLE, US\"\n1.1.1.1,8,KEPT\n");
    assert_eq!(server.asked(), [["8.8.8.8"]]);
    // A cache that is mostly stale is written anew.
    let stale: String = (0..3000).map(|n| format!("9.9.{}.{}\t1\t7\tOLD\n", n / 250, n % 250)).collect();
    fs::write(&cache, stale + "1.1.1.1\t99999999999\t8\tKEPT\n").expect("written");
    let output = run(folder.path(), &server.address, &named, "src_ip\n1.1.1.1\n");
    assert_eq!(rows(&output, 0), "src_ip,src_asn,src_org\n1.1.1.1,8,KEPT\n");
    assert_eq!(fs::read_to_string(&cache).expect("read").lines().count(), 2);
}

#[test]
fn ndjson_and_other_columns_work_as_well() {
    let (server, folder) = (Server::start(answer_all), folder());
    let input = "{\"dst_ip\":\"8.8.8.8\",\"deep\":[1]}\n{\"dst_ip\":null}\n{\"dst_ip\":\"198.51.44.1\"}\n";
    let output = run(folder.path(), &server.address, &["--address", "dst_ip"], input);
    assert_eq!(
        rows(&output, 0),
        "{\"dst_ip\":\"8.8.8.8\",\"deep\":[1],\"dst_asn\":15169,\"dst_org\":\"GOOGLE, US\"}\n\
         {\"dst_ip\":null,\"dst_asn\":null,\"dst_org\":null}\n\
         {\"dst_ip\":\"198.51.44.1\",\"dst_asn\":null,\"dst_org\":null}\n"
    );
}

#[test]
fn files_take_over_where_the_server_knows_nobody() {
    let (server, folder) = (Server::start(answer_all), folder());
    let file = folder.path().join("old.pfx2as");
    fs::write(&file, "198.51.44.0\t24\t777\n8.8.8.0\t24\t777\n").expect("written");
    let named = ["--asn-db", file.to_str().expect("text")];
    let output = run(folder.path(), &server.address, &named, "src_ip\n198.51.44.1\n8.8.8.8\n");
    assert_eq!(rows(&output, 0), "src_ip,src_asn,src_org\n198.51.44.1,777,\n8.8.8.8,15169,\"GOOGLE, US\"\n");
}

#[test]
fn garbage_is_told_and_passed_over() {
    let server = Server::start(|_, question, stream| {
        say(stream, GREETING);
        say(stream, "Error: no more than 10,000\n|||||||\n\u{0}\u{1}\u{fffd}\nx | 8.8.8.8 | | | | | WRONG\n");
        say(stream, "5 | 9.9.9.9 | | | | | NOT ASKED FOR\n6 | 8.8.8.8 | too few\n");
        question.iter().for_each(|address| say(stream, &line(address)));
        say(stream, "9 | 8.8.8.8 | | | | | A SECOND ORIGIN\n");
    });
    let folder = folder();
    let output = run(folder.path(), &server.address, &[], "src_ip\n8.8.8.8\n1.1.1.1\n");
    let expected = "src_ip,src_asn,src_org\n8.8.8.8,15169,\"GOOGLE, US\"\n\
                    1.1.1.1,13335,\"CLOUD, \"\"FLARE\"\" | NET, US\"\n";
    assert_eq!(rows(&output, 0), expected);
    let errors = errors(&output);
    assert!(errors.contains("not understood: 'Error: no more than 10,000'"), "{errors}");
    assert!(errors.contains("6 lines not understood"), "{errors}");
}

#[test]
fn a_server_that_hangs_up_is_asked_for_the_rest_once_more() {
    let server = Server::start(|number, question, stream| {
        say(stream, GREETING);
        let many = if number == 0 { 1 } else { question.len() };
        question.iter().take(many).for_each(|address| say(stream, &line(address)));
        if number == 0 {
            say(stream, "15169 | 8.8.");
        }
    });
    let folder = folder();
    let output = run(folder.path(), &server.address, &[], "src_ip\n8.8.8.8\n1.1.1.1\n");
    let said = rows(&output, 0);
    assert!(said.contains("8.8.8.8,15169,") && said.contains("1.1.1.1,13335,"), "{said}");
    assert_eq!(server.asked(), [vec!["1.1.1.1", "8.8.8.8"], vec!["8.8.8.8"]]);
    assert!(errors(&output).contains("broke off in the middle of a line, 1 of 2 addresses answered"));
}

#[test]
fn a_server_that_never_answers_is_left_in_the_end() {
    let server = Server::start(|number, question, stream| {
        if number == 0 {
            answer_all(0, &question[..1], stream);
        }
        // Silent until the client leaves.
        let rest = BufReader::new(stream.try_clone().expect("the same connection")).lines();
        assert_eq!(rest.count(), 0, "nothing behind the end");
    });
    let folder = folder();
    let begin = Instant::now();
    let output = run(folder.path(), &server.address, &[], "src_ip\n1.1.1.1\n8.8.8.8\n");
    let said = rows(&output, 1);
    assert_eq!(said, "src_ip,src_asn,src_org\n1.1.1.1,13335,\"CLOUD, \"\"FLARE\"\" | NET, US\"\n8.8.8.8,,\n");
    let errors = errors(&output);
    assert!(errors.contains("silent for 1 s, 0 of 1 addresses answered"), "{errors}");
    assert!(errors.contains("1 addresses stayed unanswered"), "{errors}");
    assert!(begin.elapsed() < Duration::from_secs(30));
}

#[test]
fn without_a_server_nothing_is_done() {
    let folder = folder();
    // A port that nobody listens on: bound, and closed again.
    let free =
        TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address").to_string();
    let output = run(folder.path(), &free, &[], "src_ip\n8.8.8.8\n");
    assert_eq!(rows(&output, 2), "");
    assert!(errors(&output).contains(&format!("whois server {free}")), "{}", errors(&output));
    for (arguments, part) in [
        (vec!["--whois", "a b"], "neither 'cymru' nor HOST[:PORT]"),
        (vec!["--whois", &free, "--columns", "country"], "neither is among the --columns"),
        (vec!["--whois-cache", "x"], "--whois"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_geo-enrich"));
        let output = command.args(&arguments).stdin(Stdio::null()).output().expect("a running tool");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(errors(&output).contains(part), "{arguments:?}: {}", errors(&output));
    }
}

#[test]
fn many_addresses_go_in_few_connections_and_rows_come_before_the_end() {
    let (server, folder) = (Server::start(answer_all), folder());
    let rows_in: String = (0..2500).map(|n| format!("11.{}.{}.1\n", n / 250, n % 250)).collect();
    let mut child = tool(folder.path(), &server.address, &[]).spawn().expect("a running tool");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(format!("src_ip\n{rows_in}").as_bytes()).expect("fed");
    let mut stdout = BufReader::new(child.stdout.take().expect("its output")).lines();
    // The input stays open: rows that wait for company do not wait for ever.
    let first: Vec<String> = stdout.by_ref().take(2501).map_while(Result::ok).collect();
    assert_eq!(first[2500], "11.9.249.1,64496,EXAMPLE");
    stdin.write_all(b"8.8.8.8\n").expect("fed");
    drop(stdin);
    assert_eq!(stdout.map_while(Result::ok).collect::<Vec<_>>(), ["8.8.8.8,15169,\"GOOGLE, US\""]);
    assert_eq!(child.wait().expect("its end").code(), Some(0));
    let sizes: Vec<usize> = server.asked().iter().map(Vec::len).collect();
    assert_eq!(sizes, [2000, 500, 1]);
}
