//! Arguments that make no sense are refused before anything is read, with a reason; others do what they say.

use probeline_testkit::Table;
#[cfg(feature = "filter")]
use {probeline_testkit::bundled, tempfile::TempDir};

use crate::frames;
use crate::run::{piped, run};

#[test]
fn wrong_arguments_are_refused() {
    for (args, said) in [
        (&["--columns", "ts,nonsense"][..], "--columns: no column 'nonsense'; see --list-fields"),
        (&["--columns", "ts,ts"], "--columns: ts twice"),
        (&["--columns", "+ts"], "--columns: ts twice"),
        (&["--columns", "ts,+vlan"], "--columns: '+vlan' adds to the default columns"),
        (&["--columns", ""], "--columns: no column ''"),
        (&["--filter", "tcp prot 80"], "--filter: "),
        (&["--merge"], "--merge takes the names of the captures"),
        (&["--threads", "0"], "--threads"),
        (&["--payload", "-1"], "--payload"),
        (&["--format", "xml"], "--format"),
        (&["--no-such-option"], "--no-such-option"),
    ] {
        let ran = piped(args, &frames::one_a_second(1_700_000_000, 1, 7)).code(2).says(said);
        assert!(ran.out.is_empty(), "{args:?} wrote {}", ran.text());
    }
}

#[test]
fn columns_come_in_the_order_asked_for() {
    let capture = frames::one_a_second(1_700_000_000, 1, 7);
    let ran = piped(["--columns", "dst_port,ts,wire_len"], &capture).code(0);
    assert_eq!(ran.text(), "dst_port,ts,wire_len\n0,1700000000.000000,54\n");
    let default = piped::<&str>([], &capture).table();
    let more = piped(["--columns", "+interface,+vlan"], &capture).table();
    assert_eq!(more.columns()[..default.columns().len()], *default.columns());
    assert_eq!(more.columns()[default.columns().len()..], ["interface", "vlan"]);
}

#[test]
fn the_list_of_fields_is_the_header() {
    let fields = Table::parse(&run(["--list-fields"]).code(0).text()).expect("a table");
    assert_eq!(fields.columns(), ["name", "type", "unit", "absent", "description"]);
    let names = fields.column("name").join(",");
    let header = piped(["--columns", &names], &frames::one_a_second(0, 0, 7)).code(0).text();
    assert_eq!(header, format!("{names}\n"));
}

#[cfg(feature = "filter")]
#[test]
fn the_account_is_saved_and_adds_up() {
    let scratch = TempDir::new().expect("a folder");
    let account = scratch.path().join("account.json");
    let file = bundled("lab-passive.pcap").display().to_string();
    let args =
        ["--filter", "tcp or arp", "--account", &account.display().to_string(), &file].map(str::to_owned);
    let ran = run(args).code(0);
    let text = std::fs::read_to_string(&account).expect("the account");
    let account: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let sum = |part: &str| -> u64 {
        account[part].as_object().expect("an object").values().filter_map(serde_json::Value::as_u64).sum()
    };
    assert_eq!(account["unit"], "packets");
    assert_eq!(account["read"].as_u64(), Some(sum("parts") + sum("skipped")));
    assert_eq!(account["parts"]["rows"].as_u64(), Some(ran.table().len() as u64));
    assert!(account["parts"]["filtered out"].as_u64() > Some(0));
}
