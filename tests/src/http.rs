//! A small HTTP/1.1 client (RFC 9112). It sends exactly what it is told, malformed or not, and hides nothing of the
//! answer; an ordinary client would refuse to send half of what these tests need to send.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The longest that any answer may take here.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Header fields in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// From the first byte sent to the last received.
    pub took: Duration,
    /// What was asked, for messages.
    pub asked: String,
}

impl Response {
    /// The first field with this name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Every field with this name (lower case), as one list (RFC 9110 §5.3).
    #[must_use]
    pub fn header_list(&self, name: &str) -> String {
        let values = self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        values.collect::<Vec<_>>().join(", ")
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{self}: {error}"))
    }

    /// The code of a problem document.
    #[must_use]
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_else(|| panic!("no code in {self}")).to_owned()
    }

    /// Insists on a status.
    #[must_use]
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// Insists on a refusal with this status and code.
    #[must_use]
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{self}");
        self
    }
}

impl std::fmt::Display for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} → {} {}", self.asked, self.status, self.text())
    }
}

/// Writes a request out.
#[must_use]
pub fn bytes_of(method: &str, target: &str, headers: &[(String, String)], body: Option<&[u8]>) -> Vec<u8> {
    let mut head = format!("{method} {target} HTTP/1.1\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        head.push_str("Host: api.test\r\n");
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = body {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("Connection: close\r\n\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body.unwrap_or_default());
    bytes
}

/// Sends bytes on a connection of their own and reads one answer; `Err` when the connection ended without one.
///
/// # Errors
/// What became of the connection.
pub async fn exchange(address: SocketAddr, request: &[u8]) -> Result<Response, String> {
    let asked =
        String::from_utf8_lossy(request).lines().next().unwrap_or_default().chars().take(160).collect();
    let start = Instant::now();
    let talking = async {
        let mut stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        // Nothing here is to wait for a full segment.
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let mut received = Vec::new();
        {
            let (mut reader, mut writer) = stream.split();
            // A server that refuses early may close before it has read everything; its answer still counts.
            let writing = async {
                let _ = writer.write_all(request).await;
            };
            let reading = async {
                let outcome = reader.read_to_end(&mut received).await;
                outcome.map(drop).map_err(|error| error.to_string())
            };
            let ((), outcome) = tokio::join!(writing, reading);
            if let Err(error) = outcome
                && received.is_empty()
            {
                return Err(error);
            }
        }
        Ok(received)
    };
    let received =
        tokio::time::timeout(PATIENCE, talking).await.map_err(|_| format!("no answer to {asked}"))??;
    let head_only = request.starts_with(b"HEAD ");
    let mut response = parse(&received, head_only)
        .ok_or_else(|| format!("{asked}: not an HTTP answer: {:?}", String::from_utf8_lossy(&received)))?;
    (response.took, response.asked) = (start.elapsed(), asked);
    Ok(response)
}

/// Reads an answer; `None` when it is not a complete one.
#[must_use]
pub fn parse(received: &[u8], head_only: bool) -> Option<Response> {
    let end = received.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&received[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status: u16 = lines.next()?.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
    let rest = &received[end + 4..];
    if status == 100 {
        return parse(rest, head_only);
    }
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let field = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let body = if head_only || status == 204 || status == 304 {
        Vec::new()
    } else if field("transfer-encoding") == Some("chunked") {
        unchunked(rest)?
    } else {
        let length: usize = field("content-length").map_or(Some(rest.len()), |text| text.parse().ok())?;
        rest.get(..length)?.to_vec()
    };
    Some(Response { status, headers, body, took: Duration::ZERO, asked: String::new() })
}

fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(end + 2..end + 2 + size)?);
        rest = rest.get(end + 4 + size..)?;
    }
}
