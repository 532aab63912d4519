//! The thread that delivers over SMTP, and the bounded queue before it: attempts, pauses, deadlines, and what is logged when
//! a mail is given up.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use lettre::message::Message;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use secrecy::ExposeSecret as _;
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{sleep, timeout};

use crate::settings::{MailerError, Smtp, SmtpTls};

/// Mails that may wait. Each takes a few kilobytes.
const CAPACITY: usize = 1_000;
/// Connections to the server at once.
const CONNECTIONS: usize = 4;
/// How long one attempt may take.
const DEADLINE: Duration = Duration::from_secs(30);
/// The pauses between attempts. Together longer than the five minutes for which servers that greylist turn mail away.
const PAUSES: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(10), Duration::from_secs(60), Duration::from_secs(300)];

type Connector = AsyncSmtpTransport<Tokio1Executor>;

/// Mails on their way.
pub(crate) struct Queue {
    messages: Sender<Message>,
    waiting: Arc<Waiting>,
}

/// How many mails are on their way: the bound of the queue, which includes those between two attempts.
#[derive(Default)]
struct Waiting {
    count: Mutex<usize>,
    is_empty: Condvar,
}

impl Queue {
    /// Starts the thread.
    ///
    /// # Errors
    /// The server's name cannot be used, or the system gives no thread.
    pub(crate) fn start(smtp: Smtp) -> Result<Self, MailerError> {
        let connector = connector(smtp)?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (messages, queued) = channel(CAPACITY);
        let waiting = Arc::<Waiting>::default();
        let shared = Arc::clone(&waiting);
        // Of its own, so that it depends on no worker's life and takes no worker's time.
        thread::Builder::new()
            .name("mail".to_owned())
            .spawn(move || runtime.block_on(deliver_all(connector, queued, shared)))?;
        Ok(Self { messages, waiting })
    }

    /// Adds a mail, or gives it up when too many wait already.
    pub(crate) fn push(&self, message: Message) {
        if !self.waiting.enter() {
            tracing::warn!(waiting = CAPACITY, "a mail was not sent: too many are waiting");
        } else if self.messages.try_send(message).is_err() {
            self.waiting.leave();
            tracing::error!("a mail was not sent: the thread that sends has ended");
        }
    }

    /// Waits until there are none left, at most for `patience`.
    pub(crate) fn finish(&self, patience: Duration) {
        let count = self.waiting.count.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = self.waiting.is_empty.wait_timeout_while(count, patience, |count| *count > 0);
        let (count, _) = ended.unwrap_or_else(PoisonError::into_inner);
        if *count > 0 {
            tracing::warn!(mails = *count, "mails were not sent: the server stops");
        }
    }
}

impl Waiting {
    /// Counts one more, if there is room.
    fn enter(&self) -> bool {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = *count < CAPACITY;
        *count += usize::from(has_room);
        has_room
    }

    fn leave(&self) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.is_empty.notify_all();
        }
    }
}

fn connector(smtp: Smtp) -> Result<Connector, MailerError> {
    let Smtp { host, port, tls, username, password } = smtp;
    let parameters = || TlsParameters::new(host.clone()).or(Err(MailerError::Tls));
    let tls = match tls {
        SmtpTls::None => Tls::None,
        SmtpTls::StartTls => Tls::Required(parameters()?),
        SmtpTls::Tls => Tls::Wrapper(parameters()?),
    };
    // "Dangerous" is the library's word for starting without TLS; it is set in the same breath.
    let builder = Connector::builder_dangerous(host).port(port).tls(tls).timeout(Some(DEADLINE));
    let builder = match (username, password) {
        (Some(username), password) => {
            let password = password.map(|password| password.expose_secret().to_owned());
            builder.credentials(Credentials::new(username, password.unwrap_or_default()))
        }
        (None, _) => builder,
    };
    Ok(builder.build())
}

/// Delivers what comes until the queue is gone. Those that wait for their next attempt hold nobody up.
async fn deliver_all(connector: Connector, mut queued: Receiver<Message>, waiting: Arc<Waiting>) {
    let (connector, connections) = (Arc::new(connector), Arc::new(Semaphore::new(CONNECTIONS)));
    while let Some(message) = queued.recv().await {
        let (connector, connections, waiting) =
            (Arc::clone(&connector), Arc::clone(&connections), Arc::clone(&waiting));
        tokio::spawn(async move {
            deliver(&connector, &connections, message).await;
            waiting.leave();
        });
    }
}

/// Delivers one mail, or gives it up.
async fn deliver(connector: &Connector, connections: &Semaphore, message: Message) {
    let mut pauses = PAUSES.into_iter();
    loop {
        let Err(fault) = attempt(connector, connections, message.clone()).await else { return };
        let pause = pauses.next().filter(|_| fault.may_pass);
        // What the server said is not logged: it likes to repeat the address.
        let Some(pause) = pause else {
            tracing::error!(reason = fault.reason, code = fault.code, "a mail was given up");
            return;
        };
        tracing::warn!(reason = fault.reason, code = fault.code, "a mail could not be sent yet");
        sleep(pause).await;
    }
}

/// Why an attempt failed.
struct Fault {
    reason: &'static str,
    /// The server's reply code, if it came to that.
    code: Option<String>,
    /// Whether another attempt may succeed.
    may_pass: bool,
}

async fn attempt(connector: &Connector, connections: &Semaphore, message: Message) -> Result<(), Fault> {
    let closed = |_| Fault { reason: "closed", code: None, may_pass: false };
    let _turn = connections.acquire().await.map_err(closed)?;
    match timeout(DEADLINE, connector.send(message)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Fault {
            reason: match () {
                () if error.is_permanent() => "refused",
                () if error.is_transient() => "put off",
                () if error.is_tls() => "TLS",
                () if error.is_client() => "the server lacks what is needed",
                () if error.is_timeout() => "timeout",
                () => "connection",
            },
            code: error.status().map(|code| code.to_string()),
            may_pass: !error.is_permanent() && !error.is_client(),
        }),
        Err(_) => Err(Fault { reason: "timeout", code: None, may_pass: true }),
    }
}
