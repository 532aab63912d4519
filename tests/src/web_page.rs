//! The page of `tests/page`, served the way a browser application is: from origins that are not the API's. One port is
//! several of them, by the host's name in the address: `localhost`, what is below it, and `127.0.0.1`.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const INDEX: &str = include_str!("../page/index.html");
const SCRIPT: &str = include_str!("../page/app.js");

/// The page. It is there before the server is started, which has to know its origin, and ends when it is dropped.
pub struct Page {
    port: u16,
    serving: JoinHandle<()>,
}

impl Page {
    /// Serves it, below every path.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
        let port = listener.local_addr().expect("an address").port();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
        Self { port, serving }
    }

    /// The origin that it has under this name.
    #[must_use]
    pub fn origin(&self, host: &str) -> String {
        format!("http://{host}:{}", self.port)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Answers one request. A browser may also open connections that it then does not use.
async fn serve(mut stream: TcpStream) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_buf(&mut request).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return,
        }
    }
    let line = String::from_utf8_lossy(&request);
    let target = line.split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    let (kind, body) = if path.ends_with(".js") { ("text/javascript", SCRIPT) } else { ("text/html", INDEX) };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    // The browser may have gone away.
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
}
