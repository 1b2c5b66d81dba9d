//! Who may depend on whom, held against `cargo metadata`.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use probeline_testkit::workspace;
use serde_json::Value;

/// Every package of the workspace, without its `probeline-`, and the packages of the workspace it may build
/// upon.
///
/// Leaves know bytes or numbers; `record` knows rows; `scan` and `signature` reason about rows; `cli`
/// connects rows to files; a tool puts these together and never builds upon another tool.
const MAY_USE: &[(&str, &[&str])] = &[
    ("capfile", &[]),
    ("chart", &[]),
    ("geo", &[]),
    ("packet", &[]),
    ("record", &[]),
    ("simulate", &[]),
    ("testkit", &[]),
    ("capture", &["capfile"]),
    ("cli", &["record"]),
    ("scan", &["record"]),
    ("signature", &["record"]),
    ("csv2parquet", &["cli", "record"]),
    ("fingerprint", &["cli", "record", "signature"]),
    ("geo-enrich", &["cli", "geo", "record"]),
    ("hist", &["chart", "cli", "record"]),
    ("pcap-cap", &["capfile", "capture", "cli"]),
    ("pcap-sim", &["capfile", "cli", "record", "simulate"]),
    ("pkt2csv", &["capfile", "capture", "cli", "packet", "record"]),
    ("scan-classify", &["cli", "record", "scan"]),
    ("scan-group", &["cli", "geo", "record", "scan"]),
    ("trace-audit", &["cli", "record", "signature"]),
    ("pipelines", &["testkit"]),
];

/// Libraries that few may know: who may be built upon them, and who may use them in tests besides. `tools`
/// stands for every tool.
const CONFINED: &[(&str, &[&str], &[&str])] = &[
    ("anyhow", &["cli", "tools"], &["geo"]),
    ("clap", &["cli", "tools"], &[]),
    ("csv", &["testkit"], &["*"]),
    ("etherparse", &[], &["*"]),
    ("flate2", &["capfile", "cli", "geo"], &["*"]),
    ("maxminddb", &["geo"], &[]),
    ("maxminddb-writer", &[], &["geo", "tools"]),
    ("parquet", &["csv2parquet"], &[]),
    ("pcap", &["capture"], &[]),
    ("proptest", &[], &["*"]),
    ("resvg", &["chart"], &[]),
    ("tempfile", &["scan", "testkit"], &["*"]),
    ("toml", &["testkit"], &[]),
    ("tzf-rs", &["geo"], &[]),
    ("zstd", &["capfile", "cli"], &["*"]),
];

struct Package {
    /// Without `probeline-`.
    name: String,
    /// `tools/hist`.
    folder: String,
    /// Name and whether it is for tests only.
    dependencies: Vec<(String, bool)>,
    binaries: Vec<String>,
}

impl Package {
    fn is_tool(&self) -> bool {
        self.folder.starts_with("tools/")
    }

    fn is_among(&self, names: &[&str]) -> bool {
        names.iter().any(|name| *name == "*" || *name == self.name || (*name == "tools" && self.is_tool()))
    }
}

fn packages() -> &'static [Package] {
    static PACKAGES: OnceLock<Vec<Package>> = OnceLock::new();
    PACKAGES.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.current_dir(workspace()).args(["metadata", "--no-deps", "--format-version", "1"]);
        let output = command.output().expect("cargo");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
        list(&metadata["packages"]).iter().map(package).collect()
    })
}

fn package(value: &Value) -> Package {
    let name = text(&value["name"]).strip_prefix("probeline-");
    let manifest = Path::new(text(&value["manifest_path"]));
    let folder = manifest.parent().and_then(|dir| dir.strip_prefix(workspace()).ok());
    let targets = list(&value["targets"]).iter();
    let binaries = targets.filter(|target| list(&target["kind"]).iter().any(|kind| kind == "bin"));
    Package {
        name: name.expect("every package is called probeline-something").to_owned(),
        folder: folder.expect("members are inside the workspace").display().to_string(),
        dependencies: list(&value["dependencies"])
            .iter()
            .map(|dependency| (text(&dependency["name"]).to_owned(), dependency["kind"] == "dev"))
            .collect(),
        binaries: binaries.map(|target| text(&target["name"]).to_owned()).collect(),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list in cargo metadata")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text in cargo metadata")
}

#[test]
fn the_table_names_every_package() {
    let known: BTreeSet<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    let there: BTreeSet<&str> = packages().iter().map(|package| package.name.as_str()).collect();
    assert_eq!(known, there, "a package came or went: say in MAY_USE what it may build upon");
    assert_eq!(known.len(), MAY_USE.len(), "a package is named twice");
}

#[test]
fn packages_build_upon_what_the_table_allows() {
    let mut wrong = Vec::new();
    for package in packages() {
        let (_, allowed) = MAY_USE.iter().find(|(name, _)| *name == package.name).expect("tested above");
        for (dependency, tests_only) in &package.dependencies {
            let Some(internal) = dependency.strip_prefix("probeline-") else { continue };
            // Tests may use the test kit anywhere, and what lies below; nothing but tests may use the kit.
            let below = MAY_USE.iter().any(|(name, _)| *name == internal) && !is_tool(internal);
            let fine = allowed.contains(&internal) || (*tests_only && below);
            if !fine {
                wrong.push(format!("{} must not use {internal}", package.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_tool(name: &str) -> bool {
    packages().iter().any(|package| package.name == name && package.is_tool())
}

#[test]
fn the_table_itself_keeps_the_rules() {
    let tools: BTreeSet<&str> =
        packages().iter().filter(|package| package.is_tool()).map(|package| package.name.as_str()).collect();
    for (name, allowed) in MAY_USE {
        for used in *allowed {
            assert!(!tools.contains(used), "{name} would build upon the tool {used}");
            assert!(*used != "testkit" || *name == "pipelines", "{name} would build upon what is for tests");
        }
    }
    let mut settled: BTreeSet<&str> = BTreeSet::new();
    while settled.len() < MAY_USE.len() {
        let ready: Vec<&str> = MAY_USE
            .iter()
            .filter(|(name, allowed)| {
                !settled.contains(name) && allowed.iter().all(|used| settled.contains(used))
            })
            .map(|(name, _)| *name)
            .collect();
        assert!(!ready.is_empty(), "the table allows a cycle");
        settled.extend(ready);
    }
}

#[test]
fn libraries_stay_where_they_belong() {
    let mut wrong = Vec::new();
    for package in packages() {
        for (dependency, tests_only) in &package.dependencies {
            let Some((_, users, testers)) = CONFINED.iter().find(|(name, ..)| name == dependency) else {
                continue;
            };
            let fine = package.is_among(users) || (*tests_only && package.is_among(testers));
            if !fine {
                wrong.push(format!("{} must not use {dependency}", package.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_tool_is_its_folder_its_binary_and_a_short_main() {
    let mut tools = 0;
    for package in packages().iter().filter(|package| package.is_tool()) {
        tools += 1;
        assert_eq!(package.folder, format!("tools/{}", package.name));
        assert_eq!(package.binaries, std::slice::from_ref(&package.name), "{}", package.folder);
        let main = workspace().join(&package.folder).join("src/main.rs");
        let code = std::fs::read_to_string(&main).unwrap_or_else(|e| panic!("{}: {e}", main.display()));
        let lines =
            code.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with("//"));
        let lines = lines.count();
        assert!(lines <= 10, "{} has {lines} lines of code, more than 10", main.display());
    }
    assert_eq!(tools, 10);
}

#[test]
fn only_tools_have_binaries() {
    for package in packages().iter().filter(|package| !package.is_tool()) {
        assert!(package.binaries.is_empty(), "{} has binaries: {:?}", package.folder, package.binaries);
    }
}

#[test]
fn every_package_keeps_the_workspace_lints() {
    for package in packages() {
        let manifest = workspace().join(&package.folder).join("Cargo.toml");
        let manifest = std::fs::read_to_string(&manifest).expect("a manifest");
        let lints = manifest.split("[lints]").nth(1).unwrap_or("");
        assert!(
            lints.trim_start().starts_with("workspace = true"),
            "{}: [lints] workspace = true",
            package.folder
        );
    }
}
