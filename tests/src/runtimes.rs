//! Programs in other languages: running one in a folder of its own with the packages that `scripts/install-test-clients`
//! installed. What cannot run here is told as missing, with the reason; it is for the test to say so.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use crate::binary::{Outcome, workspace};
use crate::scratch::Scratch;

/// The longest that a program may take; a compiler may be among them.
const PATIENCE: Duration = Duration::from_secs(50);

/// A runtime that is on this machine.
#[derive(Clone, Debug)]
pub struct Runtime {
    program: PathBuf,
    arguments: &'static [&'static str],
    /// The name of the file that the program is written to.
    file: &'static str,
    /// What has to lie beside that file.
    beside: Vec<PathBuf>,
}

/// Why a runtime cannot be used.
#[derive(Clone, Debug)]
pub struct Missing {
    /// One sentence.
    pub why: String,
    /// Whether nothing could be done about it: the language is not on this machine, or its packages were tried to install.
    pub is_excused: bool,
}

/// The runtime with this name.
///
/// # Errors
/// Why there is none.
pub fn find(name: &str) -> Result<Runtime, Missing> {
    match name {
        "sh" => on_path("curl").and_then(|_| runtime(on_path("sh")?, &[], "example.sh", "", &[])),
        "python" => {
            on_path("python3")?;
            runtime(installed("python/bin/python"), &["-B"], "example.py", "python", &["python/pyvenv.cfg"])
        }
        "node" => runtime(on_path("node")?, &[], "example.mjs", "", &[]),
        "npm" => runtime(on_path("node")?, &[], "example.mjs", "node", &["node/node_modules"]),
        "go" => runtime(on_path("go")?, &["run"], "main.go", "go", &["go/go.mod", "go/go.sum"]),
        other => panic!("no runtime is called {other}"),
    }
}

fn runtime(
    program: PathBuf,
    arguments: &'static [&'static str],
    file: &'static str,
    packages: &str,
    beside: &[&str],
) -> Result<Runtime, Missing> {
    let beside: Vec<PathBuf> = beside.iter().map(|path| installed(path)).collect();
    if beside.iter().all(|path| path.exists()) {
        return Ok(Runtime { program, arguments, file, beside });
    }
    Err(not_installed(packages))
}

/// The browser and its driver.
///
/// # Errors
/// Why there is none.
pub fn browser() -> Result<(PathBuf, PathBuf), Missing> {
    let both = on_path("chromium").and_then(|browser| Ok((browser, on_path("chromedriver")?)));
    both.map_err(|_| not_installed("browser"))
}

fn not_installed(packages: &str) -> Missing {
    let note = std::fs::read_to_string(installed(&format!("{packages}.missing")));
    let is_excused = note.is_ok();
    let why =
        note.unwrap_or_else(|_| format!("run scripts/install-test-clients, for the packages of {packages}"));
    Missing { why: why.trim().to_owned(), is_excused }
}

fn installed(path: &str) -> PathBuf {
    workspace().join(".bulkhead/test-clients").join(path)
}

fn on_path(name: &str) -> Result<PathBuf, Missing> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.ok_or_else(|| Missing { why: format!("{name} is not on this machine"), is_excused: true })
}

impl Runtime {
    /// Runs `code` to its end, with these variables and little else.
    pub async fn run(&self, code: &str, variables: &[(String, String)]) -> Outcome {
        let scratch = Scratch::new("program");
        let file = scratch.write(self.file, code);
        for path in &self.beside {
            symlink(path, scratch.path().join(path.file_name().expect("a name"))).expect("link");
        }
        let mut command = tokio::process::Command::new(&self.program);
        command.args(self.arguments).arg(&file).current_dir(scratch.path()).env_clear();
        for name in ["PATH", "TMPDIR", "HOME"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        // Python's libraries want TLS even on the loopback interface, unless they are told.
        command.env("OAUTHLIB_INSECURE_TRANSPORT", "1").env("AUTHLIB_INSECURE_TRANSPORT", "1");
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let running = command.spawn().expect("start a program").wait_with_output();
        let ended = tokio::time::timeout(PATIENCE, running).await;
        let output = ended.unwrap_or_else(|_| panic!("no end within {PATIENCE:?}:\n{code}")).expect("wait");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Outcome { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}
