//! A TCP proxy in front of PostgreSQL that counts round trips and breaks connections on purpose.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

use crate::cluster::Urls;

/// A simple query (message Q, 13 bytes after the letter) that asks nothing.
const PING: &[u8] = b"Q\0\0\0\rSELECT 1\0";

/// How the proxy behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Passes everything on.
    Pass,
    /// Passes everything on, each piece this much later.
    Delay(Duration),
    /// Ends new connections at once, and the present ones.
    Refuse,
    /// Takes everything and passes nothing on.
    BlackHole,
    /// Ends each connection after this many bytes from the server.
    CutAfter(usize),
    /// Passes requests on and ends the connection instead of answering.
    DropReply,
}

/// The proxy. It ends when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    round_trips: Arc<AtomicUsize>,
    statements: Arc<Mutex<Vec<u8>>>,
    accepting: tokio::task::JoinHandle<()>,
}

#[derive(Clone)]
struct Shared {
    upstream: PathBuf,
    mode: watch::Receiver<Mode>,
    round_trips: Arc<AtomicUsize>,
    statements: Arc<Mutex<Vec<u8>>>,
}

impl Proxy {
    /// Starts one in front of a unix socket.
    pub async fn start(upstream: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
        let address = listener.local_addr().expect("an address");
        let (mode, watching) = watch::channel(Mode::Pass);
        let round_trips = Arc::<AtomicUsize>::default();
        let statements = Arc::<Mutex<Vec<u8>>>::default();
        let shared = Shared {
            upstream: upstream.to_path_buf(),
            mode: watching,
            round_trips: Arc::clone(&round_trips),
            statements: Arc::clone(&statements),
        };
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let shared = shared.clone();
                tokio::spawn(async move {
                    // How a connection ends is the test's matter.
                    let _ = carry(client, shared).await;
                });
            }
        });
        Self { address, mode, round_trips, statements, accepting }
    }

    /// Behaves otherwise from now on.
    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Round trips of tenants' requests since the proxy started: bursts from the client that follow an answer of the
    /// server. The other roles' sessions do not count, nor does a ping: the server asks by itself, all the time, for
    /// revocations and whether the database is there.
    #[must_use]
    pub fn round_trips(&self) -> usize {
        self.round_trips.load(Ordering::SeqCst)
    }

    /// What clients sent since this was last asked.
    #[must_use]
    pub fn take_statements(&self) -> String {
        let bytes = std::mem::take(&mut *self.statements.lock().expect("nobody panics while holding this"));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The URLs by which a server goes through the proxy.
    #[must_use]
    pub fn urls(&self, urls: &Urls) -> Urls {
        let through = |url: &str| {
            let config: tokio_postgres::Config = url.parse().expect("a database URL");
            let (user, name) =
                (config.get_user().unwrap_or_default(), config.get_dbname().unwrap_or_default());
            format!("postgresql://{user}@{}/{name}", self.address)
        };
        Urls { url: through(&urls.url), auth_url: through(&urls.auth_url), ..urls.clone() }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.mode.send_replace(Mode::Refuse);
    }
}

async fn carry(mut client: TcpStream, mut shared: Shared) -> std::io::Result<()> {
    if *shared.mode.borrow() == Mode::Refuse {
        return Ok(());
    }
    client.set_nodelay(true)?;
    let mut server = UnixStream::connect(&shared.upstream).await?;
    let answered = AtomicBool::new(true);
    let mut from_server = 0;
    let mut is_counted = None;
    let (mut up, mut down) = (vec![0_u8; 64 * 1024], vec![0_u8; 64 * 1024]);
    loop {
        tokio::select! {
            changed = shared.mode.changed() => {
                if changed.is_err() || *shared.mode.borrow() == Mode::Refuse {
                    return Ok(());
                }
            }
            read = client.read(&mut up) => {
                let read = read?;
                if read == 0 {
                    return Ok(());
                }
                // The first message names the role.
                let role = b"bulkhead_app";
                let counted = *is_counted.get_or_insert_with(|| up[..read].windows(role.len()).any(|part| part == role));
                let counted = counted && &up[..read] != PING;
                if answered.swap(false, Ordering::SeqCst) && counted {
                    shared.round_trips.fetch_add(1, Ordering::SeqCst);
                }
                if counted {
                    let mut statements = shared.statements.lock().expect("nobody panics while holding this");
                    statements.extend_from_slice(&up[..read]);
                }
                if pause(&shared).await {
                    server.write_all(&up[..read]).await?;
                }
            }
            read = server.read(&mut down) => {
                let read = read?;
                if read == 0 {
                    return Ok(());
                }
                answered.store(true, Ordering::SeqCst);
                from_server += read;
                let mode = *shared.mode.borrow();
                if mode == Mode::DropReply || matches!(mode, Mode::CutAfter(limit) if from_server > limit) {
                    return Ok(());
                }
                if pause(&shared).await {
                    client.write_all(&down[..read]).await?;
                }
            }
        }
    }
}

/// Waits as the mode says; whether the bytes may pass at all.
async fn pause(shared: &Shared) -> bool {
    let mode = *shared.mode.borrow();
    if let Mode::Delay(delay) = mode {
        tokio::time::sleep(delay).await;
    }
    mode != Mode::BlackHole
}
