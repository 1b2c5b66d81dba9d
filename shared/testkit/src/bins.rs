//! Where the compiled tools are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("this crate is in shared/testkit").to_path_buf()
}

/// The directory of the compiled tools: `PROBELINE_BIN_DIR`, else where cargo put this very test's siblings
/// (`target/<profile>`).
pub fn bin_dir() -> PathBuf {
    match std::env::var_os("PROBELINE_BIN_DIR") {
        Some(dir) => {
            let dir = PathBuf::from(dir);
            dir.canonicalize().unwrap_or_else(|e| panic!("PROBELINE_BIN_DIR {}: {e}", dir.display()))
        }
        None => profile_dir(),
    }
}

/// `target/<profile>`, from this executable's own `target/<profile>/deps/<test>-<hash>`.
fn profile_dir() -> PathBuf {
    let exe = std::env::current_exe().expect("a test knows its own executable");
    let dir = exe.parent().expect("an executable is in a directory");
    if dir.ends_with("deps") { dir.parent().unwrap_or(dir).to_path_buf() } else { dir.to_path_buf() }
}

/// The path of a compiled tool, up to date with its sources.
///
/// Cargo compiles the tools for a test only where both are of one package, so this asks cargo to, once a tool
/// and test process; that takes a fraction of a second where there is nothing to do. `PROBELINE_BIN_DIR` (set
/// by
/// `make test`, which has built them) names tools to take as they are.
///
/// # Panics
/// When there is no such tool, or it does not compile.
pub fn bin(name: &str) -> PathBuf {
    let path = bin_dir().join(name);
    if std::env::var_os("PROBELINE_BIN_DIR").is_none()
        && let Err(why) = build_once(name)
    {
        panic!("{name} could not be built; run `make test`, which builds the tools first\n{why}");
    }
    assert!(path.is_file(), "no {} here; run `make test`, which builds the tools first", path.display());
    path
}

/// Makes every tool whose name occurs in the script ready, and gives the directory they are in.
pub(crate) fn ready_for(script: &str) -> PathBuf {
    for name in names() {
        if script.contains(name.as_str()) {
            bin(&name);
        }
    }
    bin_dir()
}

/// Whether the tool compiles: its error where it does not.
///
/// # Errors
/// The compiler's own words.
pub fn built(name: &str) -> Result<(), String> {
    if std::env::var_os("PROBELINE_BIN_DIR").is_some() {
        return if bin_dir().join(name).is_file() { Ok(()) } else { Err(format!("no {name}")) };
    }
    build_once(name)
}

/// The tools: the names of the folders in `tools/`.
fn names() -> Vec<String> {
    let tools = workspace().join("tools");
    let entries = std::fs::read_dir(&tools).unwrap_or_else(|e| panic!("{}: {e}", tools.display()));
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn build_once(name: &str) -> Result<(), String> {
    static BUILT: OnceLock<Mutex<BTreeMap<String, Result<(), String>>>> = OnceLock::new();
    let built = BUILT.get_or_init(Mutex::default);
    // A test that failed while it held the lock has left the map as it was.
    let mut built = built.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    built.entry(name.to_owned()).or_insert_with(|| build(name)).clone()
}

fn build(name: &str) -> Result<(), String> {
    let profile_dir = profile_dir();
    let target_dir = profile_dir.parent().expect("target/<profile>");
    let profile = match profile_dir.file_name().and_then(|name| name.to_str()) {
        // The profile in which `cargo test` builds the tools of the packages it tests; it shares its folder
        // with dev.
        Some("debug") => "test",
        Some(other) => other,
        None => return Err(format!("{} names no profile", profile_dir.display())),
    };
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(workspace())
        .args(["build", "--quiet", "--profile", profile, "--target-dir"])
        .arg(target_dir)
        .args(["--package", &format!("probeline-{name}"), "--bin", name])
        .output()
        .map_err(|e| format!("cargo: {e}"))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}
