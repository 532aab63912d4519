//! One PostgreSQL server on one private folder: create, start, notice that it runs, stop. Whoever calls holds the
//! start lock; who may stop it is decided in `dev_cluster`.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::binaries::Binaries;
use super::error::{DevClusterError, io};
use super::place::Place;

/// A process id beyond what any system hands out.
const NOBODY: u32 = 2_147_483_646;

/// How long a start, with crash recovery, or a stop may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Makes the data folder, if there is none. A half-made one, from an interrupted first start, is made anew.
pub(super) fn create(place: &Place, binaries: &Binaries) -> Result<(), DevClusterError> {
    if place.version().is_some() {
        return Ok(());
    }
    let unfinished = place.cluster.join("data.new");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(io("remove", &unfinished))?;
    }
    let mut initdb = command(place, binaries, "initdb");
    // The socket's folder lets nobody else in, so trust trusts only this user.
    initdb.args(["-U", "postgres", "-E", "UTF8", "--locale=C", "--auth=trust", "-D"]).arg(&unfinished);
    run("initdb", initdb)?;
    let configuration = unfinished.join("postgresql.conf");
    let given = fs::read_to_string(&configuration).map_err(io("read", &configuration))?;
    fs::write(&configuration, format!("{given}\ninclude 'bulkhead.conf'\n"))
        .map_err(io("write", &configuration))?;
    fs::rename(&unfinished, place.data()).map_err(io("rename", &unfinished))
}

/// Starts the server and waits until it answers.
pub(super) fn start(place: &Place, binaries: &Binaries) -> Result<(), DevClusterError> {
    write_configuration(place)?;
    clear_stale_locks(place, binaries)?;
    let mut pg_ctl = pg_ctl(place, binaries);
    pg_ctl.arg("-l").arg(place.log()).arg("start");
    run("pg_ctl start", pg_ctl).map_err(|error| explain(place, error))
}

/// Stops the server: sessions are ended, transactions rolled back.
pub(super) fn stop(place: &Place, binaries: &Binaries) -> Result<(), DevClusterError> {
    let mut pg_ctl = pg_ctl(place, binaries);
    pg_ctl.args(["-m", "fast", "stop"]);
    run("pg_ctl stop", pg_ctl)
}

/// Whether a server runs on the folder and takes sessions. One that is just recovering is waited for.
pub(super) fn is_running(place: &Place) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while UnixStream::connect(place.socket()).is_ok() {
        // PostgreSQL keeps its state in the 8th line of the file.
        let Ok(pid_file) = fs::read_to_string(place.data().join("postmaster.pid")) else { return false };
        if pid_file.lines().nth(7).is_some_and(|state| state.trim() == "ready") {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

/// Settings that depend on where the folder is now; it may have been moved since the last start.
fn write_configuration(place: &Place) -> Result<(), DevClusterError> {
    let path = place.data().join("bulkhead.conf");
    let folder = place.socket_folder.display().to_string().replace('\'', "''");
    let text = format!(
        "# Written at every start.\nlisten_addresses = ''\nport = 5432\nunix_socket_directories = '{folder}'\n\
         unix_socket_permissions = 0700\nmax_connections = 200\nlog_destination = 'stderr'\n\
         logging_collector = off\n"
    );
    fs::write(&path, text).map_err(io("write", &path))?;
    place.hand_over(&path)
}

/// After a crash the lock files name a process that is gone, or one that is something else by now (or a zombie, in a
/// container whose first process reaps nobody). PostgreSQL refuses to start over the latter. And a server that lost
/// its socket has to go before another starts.
fn clear_stale_locks(place: &Place, binaries: &Binaries) -> Result<(), DevClusterError> {
    let pid_file = place.data().join("postmaster.pid");
    if let Ok(text) = fs::read_to_string(&pid_file) {
        let (pid, rest) = text.split_once('\n').unwrap_or((&text, ""));
        let data = place.data().display().to_string();
        let command = pid.trim().parse().ok().and_then(command_line);
        if command.is_some_and(|command| command.contains(&data)) {
            return stop(place, binaries);
        }
        // Not removed: with the rest of the file PostgreSQL itself makes sure that no orphaned session still writes.
        fs::write(&pid_file, format!("{NOBODY}\n{rest}")).map_err(io("write", &pid_file))?;
    }
    let socket_lock = place.socket().with_extension("5432.lock");
    match fs::remove_file(&socket_lock) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(io("remove", socket_lock)(error)),
        _ => Ok(()),
    }
}

/// What a process was started as. /proc where there is one: small images have no `ps`.
fn command_line(pid: u32) -> Option<String> {
    if let Ok(words) = fs::read(format!("/proc/{pid}/cmdline")) {
        return Some(String::from_utf8_lossy(&words).replace('\0', " "));
    }
    let output = Command::new("ps").args(["-o", "args=", "-p", &pid.to_string()]).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned()).filter(|line| !line.trim().is_empty())
}

fn pg_ctl(place: &Place, binaries: &Binaries) -> Command {
    let mut pg_ctl = command(place, binaries, "pg_ctl");
    pg_ctl.arg("-D").arg(place.data()).args(["-w", "-s", "-t", &PATIENCE.as_secs().to_string()]);
    pg_ctl
}

/// One of PostgreSQL's programs, run as the right user and deaf to the caller's own PostgreSQL variables.
fn command(place: &Place, binaries: &Binaries, program: &str) -> Command {
    let mut command = Command::new(binaries.program(program));
    let foreign = std::env::vars_os().map(|(name, _)| name);
    for name in foreign.filter(|name| name.to_string_lossy().starts_with("PG")) {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C").current_dir(&place.cluster).stdin(Stdio::null());
    // A group of its own: Ctrl-C reaches this program, which then stops PostgreSQL in order.
    command.process_group(0);
    if let Some(account) = place.account {
        command.uid(account.uid).gid(account.gid);
    }
    command
}

fn run(program: &'static str, mut command: Command) -> Result<(), DevClusterError> {
    let path = Path::new(command.get_program()).to_path_buf();
    let output = command.output().map_err(io("run", path))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let reason = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it gave no reason");
    Err(DevClusterError::Program { program, reason: reason.trim().to_owned() })
}

/// `pg_ctl` only says "could not start server"; the log's last FATAL line says why.
fn explain(place: &Place, error: DevClusterError) -> DevClusterError {
    let DevClusterError::Program { program, .. } = &error else { return error };
    let log = fs::read_to_string(place.log()).unwrap_or_default();
    let fatal = log.lines().rev().take(20).find_map(|line| line.split_once("FATAL:"));
    match fatal {
        Some((_, reason)) => DevClusterError::Program { program, reason: reason.trim().to_owned() },
        None => error,
    }
}
