//! A mail server on loopback that keeps what it is sent: RFC 5321 as far as one client needs it, without TLS and without
//! log-in. It can put a mail off once, as servers that greylist do.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::poll;

/// How long a mail may take on a busy machine, with one attempt put off.
const PATIENCE: Duration = Duration::from_secs(20);

/// A mail that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The recipient of the envelope.
    pub to: String,
    /// Decoded.
    pub subject: String,
    /// Decoded, with `\n` at the end of its lines.
    pub text: String,
    /// As they came, with long ones in one line.
    pub headers: String,
}

/// The server, and the mails that it holds. It ends when it is dropped.
#[derive(Debug)]
pub struct Inbox {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: tokio::task::JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    messages: Mutex<Vec<Message>>,
    put_off: AtomicUsize,
    attempts: AtomicUsize,
}

impl Inbox {
    /// Starts one.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::<Shared>::default();
        let serving = Arc::clone(&shared);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let serving = Arc::clone(&serving);
                // A client that breaks off gets no mail through, which is all there is to say.
                tokio::spawn(async move { converse(client, &serving).await.ok() });
            }
        });
        Self { address, shared, accepting }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers 451 to the next `times` mails.
    pub fn put_off(&self, times: usize) {
        self.shared.put_off.store(times, Ordering::SeqCst);
    }

    /// How often a mail was begun, put off or not.
    #[must_use]
    pub fn attempts(&self) -> usize {
        self.shared.attempts.load(Ordering::SeqCst)
    }

    /// How many mails it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.messages.lock().expect("nobody panics with it").len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits for a mail to `email` and takes it out, the oldest first.
    ///
    /// # Panics
    /// None came.
    pub async fn next_to(&self, email: &str) -> Message {
        poll::until(&format!("a mail to {email}"), PATIENCE, async || {
            let mut messages = self.shared.messages.lock().expect("nobody panics with it");
            let at = messages.iter().position(|message| message.to == email)?;
            Some(messages.remove(at))
        })
        .await
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// One connection, to its end.
async fn converse(client: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut stream = BufReader::new(client);
    let mut recipients: Option<Vec<String>> = None;
    stream.write_all(b"220 localhost ESMTP\r\n").await?;
    while let Some(line) = read_line(&mut stream).await? {
        let text = String::from_utf8_lossy(&line).into_owned();
        let verb = text.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let reply = match (verb.as_str(), &mut recipients) {
            ("EHLO", _) => "250-localhost\r\n250 8BITMIME",
            ("HELO" | "NOOP", _) => "250 OK",
            ("RSET", _) => {
                recipients = None;
                "250 OK"
            }
            ("MAIL", None) => begin(shared, &mut recipients),
            ("RCPT", Some(recipients)) => {
                recipients.push(address_in(&text).to_owned());
                "250 OK"
            }
            ("DATA", Some(to)) if !to.is_empty() => {
                stream.write_all(b"354 Go ahead\r\n").await?;
                let Some(data) = read_data(&mut stream).await? else { return Ok(()) };
                let arrived = to.iter().map(|to| read_message(to, &data));
                shared.messages.lock().expect("nobody panics with it").extend(arrived);
                recipients = None;
                "250 Kept"
            }
            ("QUIT", _) => {
                stream.write_all(b"221 Bye\r\n").await?;
                return Ok(());
            }
            ("MAIL" | "RCPT" | "DATA", _) => "503 Out of order",
            _ => "500 Unknown",
        };
        stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
    }
    Ok(())
}

/// Takes a mail on, or puts it off.
fn begin(shared: &Shared, recipients: &mut Option<Vec<String>>) -> &'static str {
    shared.attempts.fetch_add(1, Ordering::SeqCst);
    let less = |left: usize| left.checked_sub(1);
    if shared.put_off.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
        return "451 Later";
    }
    *recipients = Some(Vec::new());
    "250 OK"
}

/// What stands between the angle brackets.
fn address_in(command: &str) -> &str {
    command.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(address, _)| address)
}

/// A line without its end; `None` at the end of the connection.
async fn read_line(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if stream.read_until(b'\n', &mut line).await? == 0 {
        return Ok(None);
    }
    assert!(line.ends_with(b"\r\n"), "a line of mail ends in CR LF: {:?}", String::from_utf8_lossy(&line));
    line.truncate(line.len() - 2);
    Ok(Some(line))
}

/// The lines up to the single dot, each without the dot that was put before another (RFC 5321 §4.5.2).
async fn read_data(stream: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut data = String::new();
    while let Some(line) = read_line(stream).await? {
        if line == b"." {
            return Ok(Some(data));
        }
        let line = line.strip_prefix(b".").unwrap_or(&line);
        data.push_str(&String::from_utf8_lossy(line));
        data.push('\n');
    }
    Ok(None)
}

/// Takes a mail of one part apart.
fn read_message(to: &str, data: &str) -> Message {
    let (headers, body) = data.split_once("\n\n").unwrap_or((data, ""));
    let headers = headers.replace("\n ", " ").replace("\n\t", " ");
    let fields = headers.lines().filter_map(|line| line.split_once(':'));
    let fields: HashMap<_, _> =
        fields.map(|(name, value)| (name.to_ascii_lowercase(), value.trim())).collect();
    let field = |name: &str| fields.get(name).copied().unwrap_or_default();
    let bytes = match field("content-transfer-encoding").to_ascii_lowercase().as_str() {
        "base64" => STANDARD.decode(body.replace('\n', "")).expect("base64"),
        "quoted-printable" => unquote(&body.replace("=\n", "")),
        _ => body.as_bytes().to_vec(),
    };
    let text = String::from_utf8(bytes).expect("UTF-8").replace("\r\n", "\n");
    let subject = decode_words(field("subject"));
    Message { to: to.to_owned(), subject, text, headers: headers.clone() }
}

/// `=C3=A9` (RFC 2045 §6.7), line ends aside.
fn unquote(text: &str) -> Vec<u8> {
    let mut parts = text.split('=');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(code, 16).expect("two hexadecimal digits"));
        bytes.extend_from_slice(rest.as_bytes());
    }
    bytes
}

/// `=?utf-8?b?...?=` and `=?utf-8?q?...?=` among plain words; the blanks between two of them do not count (RFC 2047 §6.2).
fn decode_words(text: &str) -> String {
    let (mut decoded, mut pending) = (Vec::new(), "");
    for word in text.split_inclusive(' ') {
        let (bare, blank) = word.strip_suffix(' ').map_or((word, ""), |bare| (bare, " "));
        let encoded = bare.strip_prefix("=?").and_then(|rest| rest.strip_suffix("?="));
        match encoded.map(|encoded| encoded.splitn(3, '?').collect::<Vec<_>>()).as_deref() {
            Some([_, "b" | "B", body]) => decoded.extend(STANDARD.decode(body).expect("base64")),
            Some([_, "q" | "Q", body]) => decoded.extend(unquote(&body.replace('_', " "))),
            _ => {
                decoded.extend_from_slice(pending.as_bytes());
                decoded.extend_from_slice(word.as_bytes());
                pending = "";
                continue;
            }
        }
        pending = blank;
    }
    String::from_utf8(decoded).expect("UTF-8")
}
