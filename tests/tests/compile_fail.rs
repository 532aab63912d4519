//! What must not compile: reaching a tenant's rows without its scope, and storing what must not be stored. Each case
//! stands in `compile-fail/` with the compiler's answer beside it; with `BLESS=1` the answers are written anew.
//!
//! The cases are compiled against our crates as they were built for this very test, so nothing is built for them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bulkhead_tests::binary::workspace;
use bulkhead_tests::scratch::Scratch;
use serde_json::Value;

/// Where the cases are, within the workspace.
const FOLDER: &str = "tests/compile-fail";
/// The compiler's last lines, which say nothing about the case.
const CLOSING: [&str; 3] = ["error: aborting", "Some errors have", "For more information"];
/// The crates that a case may name.
const NAMED: [&str; 2] = ["bulkhead_domain", "bulkhead_persistence"];

fn program(variable: &str, name: &str) -> OsString {
    std::env::var_os(variable).unwrap_or_else(|| name.into())
}

/// Where our crates are. Cargo says so for each that this test needs, and builds none that is as it should be.
fn built() -> BTreeMap<String, PathBuf> {
    let mut cargo = Command::new(program("CARGO", "cargo"));
    cargo.current_dir(workspace()).args(["test", "--no-run", "--locked", "--quiet", "--message-format=json"]);
    let output =
        cargo.args(["--package", "bulkhead-tests", "--test", "compile_fail"]).output().expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).expect("text");
    let of = |message: Value| {
        let name = message["target"]["name"].as_str()?.to_owned();
        let files = message["filenames"].as_array()?.iter().filter_map(Value::as_str);
        let library =
            files.map(PathBuf::from).find(|file| file.extension().is_some_and(|end| end == "rlib"))?;
        NAMED.contains(&name.as_str()).then_some((name, library))
    };
    said.lines().filter_map(|line| of(serde_json::from_str(line).expect("a message"))).collect()
}

/// What the compiler says of a case, without the numbers of lines of other files, which change.
fn said_of(case: &Path, built: &BTreeMap<String, PathBuf>, scratch: &Path) -> String {
    let mut rustc = Command::new(program("RUSTC", "rustc"));
    rustc.current_dir(workspace()).args(["--edition=2024", "--crate-type=bin", "--emit=metadata"]);
    rustc.args(["--color=never", "--diagnostic-width=140", "-Adead_code", "--out-dir"]).arg(scratch);
    for (name, library) in built {
        let folder = library.parent().expect("a folder");
        rustc.arg("--extern").arg(format!("{name}={}", library.display()));
        rustc.arg("-L").arg(format!("dependency={}", folder.display()));
    }
    let output = rustc.arg(case).output().expect("rustc");
    assert!(!output.status.success(), "{} compiles", case.display());
    let mut said = String::new();
    let mut elsewhere = false;
    for line in String::from_utf8(output.stderr).expect("text").lines() {
        if CLOSING.iter().any(|start| line.starts_with(start)) {
            continue;
        }
        if let Some(file) =
            line.trim_start().strip_prefix("--> ").or_else(|| line.trim_start().strip_prefix("::: "))
        {
            elsewhere = !file.starts_with(FOLDER);
        }
        let line = if elsewhere { without_number(line) } else { line.to_owned() };
        // The margin is as wide as the longest number.
        said.push_str(line.trim());
        said.push('\n');
    }
    said.trim_end().to_owned() + "\n"
}

/// A line of a file that is not the case's own, without its number.
fn without_number(line: &str) -> String {
    let bare = line.trim_start();
    if bare.starts_with("--> ") || bare.starts_with("::: ") {
        return line.rsplitn(3, ':').last().unwrap_or_default().to_owned();
    }
    let digits = bare.chars().take_while(char::is_ascii_digit).count();
    if digits == 0 { line.to_owned() } else { line.replacen(&bare[..digits], &" ".repeat(digits), 1) }
}

#[test]
fn nothing_reaches_a_tenants_rows_without_its_scope() {
    let (built, scratch) = (built(), Scratch::new("compile-fail"));
    assert_eq!(built.len(), NAMED.len(), "{built:?}");
    let folder = workspace().join(FOLDER);
    let cases = fs::read_dir(&folder).expect("the cases").map(|entry| entry.expect("a case").file_name());
    let cases: Vec<PathBuf> =
        cases.map(PathBuf::from).filter(|name| name.extension().is_some_and(|end| end == "rs")).collect();
    assert!(cases.len() >= 7, "{cases:?}");
    let mut wrong = Vec::new();
    for case in cases {
        let said = said_of(&Path::new(FOLDER).join(&case), &built, scratch.path());
        let answer = folder.join(case.with_extension("stderr"));
        if std::env::var_os("BLESS").is_some() {
            fs::write(&answer, &said).expect("write the answer");
        }
        let expected = fs::read_to_string(&answer).unwrap_or_default();
        if said != expected {
            wrong.push(format!("{}: expected\n{expected}\nand it is\n{said}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
