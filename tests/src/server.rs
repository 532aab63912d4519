//! The server as a child process: started, listened to, told to stop, and killed with the test.

use std::io::{BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a start may take on a busy machine.
const START: Duration = Duration::from_secs(15);

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    output: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts `command` and waits until it says where it listens.
    ///
    /// # Errors
    /// The exit status and all output, when it ended instead.
    pub fn start(mut command: Command) -> Result<Self, (ExitStatus, String)> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("start the server");
        let output = Arc::<Mutex<Vec<String>>>::default();
        let readers = [
            collect(child.stdout.take().expect("a pipe"), &output),
            collect(child.stderr.take().expect("a pipe"), &output),
        ];
        let deadline = Instant::now() + START;
        loop {
            let told = address_in(&output.lock().expect("readers do not panic"));
            if let Some(address) = told {
                return Ok(Self { child, address, output });
            }
            if let Some(status) = child.try_wait().expect("look at the server") {
                readers.into_iter().for_each(|reader| reader.join().expect("readers do not panic"));
                return Err((status, output.lock().expect("readers do not panic").join("\n")));
            }
            if Instant::now() > deadline {
                let _ = child.kill();
                panic!(
                    "the server did not start: {}",
                    output.lock().expect("readers do not panic").join("\n")
                );
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything that it wrote.
    #[must_use]
    pub fn output(&self) -> String {
        self.output.lock().expect("readers do not panic").join("\n")
    }

    /// The log lines of the request with this correlation id.
    #[must_use]
    pub fn log_of(&self, correlation_id: &str) -> Vec<Value> {
        let output = self.output.lock().expect("readers do not panic");
        let lines = output.iter().filter(|line| line.contains(correlation_id));
        lines.map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"))).collect()
    }

    /// Sends a signal, by its name without SIG.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status();
        assert!(sent.expect("run kill").success());
    }

    /// Waits until it ends by itself.
    pub fn wait(&mut self, patience: Duration) -> ExitStatus {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait().expect("look at the server") {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "the server did not end within {patience:?}: {}",
                self.output()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the server wrote:\n{}", tail(&self.output()));
        }
    }
}

/// The end of a long text: what is said next to a failure.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}

fn collect(
    pipe: impl Read + Send + 'static,
    output: &Arc<Mutex<Vec<String>>>,
) -> std::thread::JoinHandle<()> {
    let output = Arc::clone(output);
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            output.lock().expect("readers do not panic").push(line);
        }
    })
}

/// The address in the line that says so.
fn address_in(lines: &[String]) -> Option<SocketAddr> {
    lines.iter().find_map(|line| {
        let line: Value = serde_json::from_str(line).ok()?;
        line.get("address").or_else(|| line.pointer("/fields/address"))?.as_str()?.parse().ok()
    })
}
