//! The binary under test: where it is, and how it is run to its end.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The binary: `BULKHEAD_TEST_BINARY`, or the debug build of this workspace.
#[must_use]
pub fn path() -> PathBuf {
    let named = std::env::var_os("BULKHEAD_TEST_BINARY").map(PathBuf::from);
    let built = workspace().join("target/debug/bulkhead");
    let path = named.unwrap_or(built);
    assert!(path.is_file(), "{} is not there; run `cargo build --package bulkhead-cli`", path.display());
    path
}

/// The workspace's folder.
#[must_use]
pub fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in the workspace").to_path_buf()
}

/// A command of the binary, with an environment that holds nothing of the caller's settings.
#[must_use]
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(path());
    command.args(arguments).env_clear();
    for name in ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// What a command left behind.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Runs a command to its end, with `input` on its standard input.
#[must_use]
pub fn run(mut command: Command, input: &str) -> Outcome {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("start the binary");
    // A command that does not read its input may be gone already.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().expect("wait for the binary");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the binary writes UTF-8");
    Outcome { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}
