//! `docs/adding-a-resource.md`, followed to the letter in a copy of the workspace: it is short, it builds, and every attack
//! of the isolation matrix runs on the resource that it adds.
//!
//! The copy is `target/new-resource`. Other people's crates are not built again for it. Ours are, and into a folder of their
//! own: cargo tells two copies of a workspace apart by nothing but their folders, and other tests are using what is in this
//! one's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bulkhead_tests::binary::workspace;
use bulkhead_tests::page::{self, Block, PAGE};

/// What a resource may cost.
const MOST_FILES: usize = 5;
const MOST_LINES_ELSEWHERE: usize = 2;
const MOST_LINES: usize = 280;

#[test]
fn the_page_takes_five_files_and_two_lines_at_the_most() {
    let blocks = page::blocks();
    let (elsewhere, files): (Vec<&Block>, Vec<&Block>) =
        blocks.iter().partition(|block| block.behind.is_some());
    let lines = |blocks: &[&Block]| blocks.iter().map(|block| block.text.lines().count()).sum::<usize>();
    let (in_files, in_others) = (lines(&files), lines(&elsewhere));
    eprintln!("{} files of {in_files} lines, {in_others} lines elsewhere", files.len());
    assert!(files.len() <= MOST_FILES, "{}", files.len());
    assert!(in_others <= MOST_LINES_ELSEWHERE, "{in_others}");
    assert!(in_files + in_others <= MOST_LINES, "{in_files} and {in_others}");
}

/// The folder that the tests were built into: this test's own file is in `debug/deps` of it.
fn built() -> PathBuf {
    let exe = std::env::current_exe().expect("this file");
    exe.ancestors().nth(3).expect("a folder of builds").to_path_buf()
}

/// Whether a file of a build is of one of our own crates.
fn is_ours(name: &str) -> bool {
    ["bulkhead", "blackbox", "compile_fail", "token_cost"].iter().any(|ours| name.contains(ours))
}

/// Gives a build what there is of other people's crates, without a copy of it: nobody writes into these files again.
fn share(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("make a folder");
    for entry in fs::read_dir(from).expect("a folder of builds").flatten() {
        let target = to.join(entry.file_name());
        if is_ours(&entry.file_name().to_string_lossy()) || (target.exists() && !target.is_dir()) {
            continue;
        }
        if entry.path().is_dir() {
            share(&entry.path(), &target);
        } else {
            // Another build may have removed it since.
            let _ = fs::hard_link(entry.path(), &target);
        }
    }
}

/// Copies the workspace without what was built from it. Times are copied too, so that what did not change since the last
/// copy is not built again.
fn copy_to(copy: &Path) {
    if copy.exists() {
        fs::remove_dir_all(copy).expect("remove the last copy");
    }
    fs::create_dir_all(copy).expect("make the copy's folder");
    for entry in fs::read_dir(workspace()).expect("the workspace").flatten() {
        if !["target", ".git", ".bulkhead"].iter().any(|other| entry.file_name() == *other) {
            run(Command::new("cp").arg("-a").arg(entry.path()).arg(copy));
        }
    }
}

/// Runs a command, which must succeed.
fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    said
}

/// A command in the copy, without what the run of these tests set for itself.
fn in_copy(copy: &Path, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(copy);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let ours = ["CARGO", "NEXTEST", "BULKHEAD", "RUST_", "LD_LIBRARY_PATH", "__"];
        if ours.iter().any(|start| text.starts_with(start)) && text != "CARGO_HOME" {
            command.env_remove(&name);
        }
    }
    let target = built().join("new-resource-built");
    command.env("BULKHEAD_TEST_BINARY", target.join("debug/bulkhead"));
    command.env("CARGO_TARGET_DIR", target).env("CARGO_NET_OFFLINE", "true");
    command
}

#[test]
fn the_resource_of_the_page_builds_and_every_attack_of_the_matrix_runs_on_it() {
    let copy = built().join("new-resource");
    copy_to(&copy);
    for folder in ["deps", "build", ".fingerprint"] {
        share(&built().join("debug").join(folder), &built().join("new-resource-built/debug").join(folder));
    }
    let written =
        fs::metadata(workspace().join(PAGE)).and_then(|page| page.modified()).expect("the page's time");
    let blocks = page::blocks();
    for block in &blocks {
        block.put(&copy, written);
    }
    let rust = blocks.iter().filter(|block| block.behind.is_none() && block.path.ends_with(".rs"));
    run(in_copy(&copy, "rustfmt").args(["--edition", "2024", "--check"]).args(rust.map(|block| &block.path)));
    run(&mut in_copy(&copy, "scripts/check-source"));

    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run(in_copy(&copy, &cargo).args(["build", "--locked", "--package", "bulkhead-cli"]));
    let mut tests = in_copy(&copy, "scripts/with-test-cluster");
    tests.arg(&cargo).args(["test", "--locked", "--package", "bulkhead-tests", "--test", "blackbox", "--"]);
    let said = run(tests.args(["matrix::", "isolation::", "invoices::", "the_migrated_database_is_clean"]));
    for name in ["another_tenants_row_is_answered", "an_invoice_says_since_when", "ten_3_6_13_14"] {
        let ran = said.lines().any(|line| line.contains(name) && line.ends_with("ok"));
        assert!(ran, "{name} did not run:\n{said}");
    }
}
