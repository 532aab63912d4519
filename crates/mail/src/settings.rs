//! What the mailer must be told. Reading it from files and the environment is `cli`'s business.

use std::io;

use secrecy::SecretString;

/// How mail is sent.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// Where to.
    pub transport: Transport,
    /// Who it is from: `no-reply@example.com` or `Example <no-reply@example.com>`.
    pub from: String,
}

/// Where mail goes.
#[derive(Clone, Debug)]
pub enum Transport {
    /// Nowhere.
    Off,
    /// To the log, with its text, links and all: for development only.
    Log,
    /// To a server that takes it further.
    Smtp(Smtp),
}

/// A server that takes mail.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// Its name, which its certificate must bear.
    pub host: String,
    /// Its port: usually 587 with STARTTLS, 465 with TLS, 25 with neither.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub tls: SmtpTls,
    /// Who we are there, if it asks.
    pub username: Option<String>,
    /// The password that goes with it.
    pub password: Option<SecretString>,
}

/// Whether a connection is encrypted. There is no half-checked mode: where it is, the certificate is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// It is not: for a server on the same machine.
    None,
    /// From the STARTTLS command on, before anything that matters (RFC 3207). A server without it gets no mail.
    StartTls,
    /// From the first byte on (RFC 8314).
    Tls,
}

/// Why there is no mailer.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    /// The sender is no address.
    #[error(
        "the sender of mails is not an address; write no-reply@example.com or Example <no-reply@example.com>"
    )]
    From,
    /// The server's name is no name, or the TLS library failed.
    #[error("the mail server's name cannot be used with TLS")]
    Tls,
    /// The system gives no thread.
    #[error("cannot start the thread that sends mail: {0}")]
    Thread(#[from] io::Error),
}
