//! A real browser: headless Chromium, driven over WebDriver (W3C), which is JSON over HTTP to chromedriver. What a page
//! does is the page's own affair; here are tabs, scripts in them, and what the browser tells of cookies.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::http::{self, Response};
use crate::poll::until;
use crate::runtimes::{self, Missing};
use crate::scratch::Scratch;

/// The longest that anything may take here: a browser starts slowly on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a browser has to end by itself.
const FAREWELL: Duration = Duration::from_secs(10);

/// The sandbox is left out because it does not work for root, nor in most containers, and the only pages are the tests'.
/// The others keep the browser from doing anything but what it is told.
const ARGUMENTS: [&str; 11] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
];

/// A browser with a profile of its own. It ends when it is dropped.
pub struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
    /// The process id of the browser itself.
    process: String,
    scratch: Scratch,
}

impl Browser {
    /// Starts one.
    ///
    /// # Errors
    /// Why there is none on this machine.
    pub async fn start() -> Result<Self, Missing> {
        let (chromium, driver) = runtimes::browser()?;
        let scratch = Scratch::new("browser");
        let log = scratch.path().join("driver.log");
        let file = File::create(&log).expect("make a log");
        let mut command = Command::new(driver);
        command.arg("--port=0").env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        // Whatever is written to either goes with the profile.
        command.env("HOME", scratch.path()).env("TMPDIR", scratch.path());
        command.stdin(Stdio::null()).stdout(file.try_clone().expect("one log for both")).stderr(file);
        let driver = command.spawn().expect("start chromedriver");
        // From here on it is ended whatever happens.
        let (address, process) = (SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), String::new());
        let mut browser = Self { driver, address, session: String::new(), process, scratch };
        let listening = until("chromedriver to listen", PATIENCE, async || port_in(&log)).await;
        browser.address.set_port(listening);
        browser.open_session(&chromium).await;
        Ok(browser)
    }

    async fn open_session(&mut self, chromium: &Path) {
        let profile = format!("--user-data-dir={}", self.scratch.path().join("profile").display());
        let arguments: Vec<&str> = ARGUMENTS.into_iter().chain([profile.as_str()]).collect();
        let options = json!({ "binary": chromium, "args": arguments });
        let wanted = json!({ "browserName": "chrome", "goog:chromeOptions": options });
        let opened =
            self.send("POST", "/session", &json!({ "capabilities": { "alwaysMatch": wanted } })).await;
        opened["sessionId"].as_str().expect("a session").clone_into(&mut self.session);
        self.process = opened["capabilities"]["goog:processID"].to_string();
    }

    /// A new tab with the page at this address, once that is loaded.
    pub async fn open(&self, url: &str) -> Tab<'_> {
        let opened = self.command("POST", "window/new", &json!({ "type": "tab" })).await;
        let tab = Tab { browser: self, handle: opened["handle"].clone() };
        tab.command("POST", "url", &json!({ "url": url })).await;
        tab
    }

    async fn command(&self, method: &str, name: &str, body: &Value) -> Value {
        self.send(method, &format!("/session/{}/{name}", self.session), body).await
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let host = [("Host".to_owned(), self.address.to_string())];
        let request = http::bytes_of(method, path, &host, (method == "POST").then_some(body.as_bytes()));
        let talking = tokio::time::timeout(PATIENCE, answer_to(self.address, &request)).await;
        let answer = talking.unwrap_or_else(|_| panic!("no answer to {method} {path} {body}"));
        assert_eq!(answer.status, 200, "{method} {path} {body}: {}", answer.text());
        answer.json()["value"].take()
    }

    /// Has chromedriver end with its browser, so that nobody writes to the profile any more; whether it will.
    fn say_farewell(&self) -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&self.address, FAREWELL)?;
        stream.set_read_timeout(Some(FAREWELL))?;
        let host = [("Host".to_owned(), self.address.to_string())];
        stream.write_all(&http::bytes_of("GET", "/shutdown", &host, None))?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        Ok(answer.ends_with(b"200"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.say_farewell().unwrap_or(false) && !self.process.is_empty() {
            let _ = Command::new("kill").args(["-KILL", &self.process]).status();
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// chromedriver keeps its connections open, whatever it is told, so an answer ends where it says.
async fn answer_to(address: SocketAddr, request: &[u8]) -> Response {
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("connect to chromedriver");
    stream.write_all(request).await.expect("write to chromedriver");
    let mut received = Vec::new();
    loop {
        let count = stream.read_buf(&mut received).await.expect("read from chromedriver");
        if let Some(answer) = http::parse(&received, false) {
            return answer;
        }
        assert!(count > 0, "half an answer: {}", String::from_utf8_lossy(&received));
    }
}

/// Where chromedriver listens, once it says so.
fn port_in(log: &Path) -> Option<u16> {
    let log = std::fs::read_to_string(log).expect("read the log");
    let (_, rest) = log.split_once("started successfully on port ")?;
    rest.split_once('.')?.0.parse().ok()
}

/// A tab. Commands to the tabs of a browser are to follow one another: each first turns to its tab.
pub struct Tab<'a> {
    browser: &'a Browser,
    handle: Value,
}

impl Tab<'_> {
    /// Runs the body of an async function in the page, with `arguments`; what it returned.
    pub async fn run(&self, body: &str, arguments: &[Value]) -> Value {
        let script = format!("return (async () => {{ {body} }})()");
        self.command("POST", "execute/sync", &json!({ "script": script, "args": arguments })).await
    }

    /// Waits until an expression holds in the page.
    pub async fn until(&self, expression: &str) {
        let body = format!("return Boolean({expression})");
        until(expression, PATIENCE, async || (self.run(&body, &[]).await == true).then_some(())).await;
    }

    /// Loads the page anew.
    pub async fn reload(&self) {
        self.command("POST", "refresh", &json!({})).await;
    }

    /// The cookies that go to the address of this page, also those that its scripts cannot see.
    pub async fn cookies(&self) -> Value {
        self.command("GET", "cookie", &json!({})).await
    }

    async fn command(&self, method: &str, name: &str, body: &Value) -> Value {
        self.browser.command("POST", "window", &json!({ "handle": self.handle })).await;
        self.browser.command(method, name, body).await
    }
}
