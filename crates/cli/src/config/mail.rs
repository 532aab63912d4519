//! `[mail]`: the settings, and which of them are refused. Sending is `bulkhead-mail`'s matter.

use bulkhead_mail::{MailSettings, Smtp, SmtpTls, Transport};
use secrecy::SecretString;
use serde::Deserialize;

use super::check::is_example;
use super::environment::variable_of;
use super::settings::{Settings, filled, secret};

/// `[mail]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mail {
    transport: Way,
    #[serde(deserialize_with = "filled")]
    host: Option<String>,
    port: u16,
    tls: Encryption,
    #[serde(deserialize_with = "filled")]
    username: Option<String>,
    #[serde(deserialize_with = "secret")]
    password: Option<SecretString>,
    #[serde(deserialize_with = "filled")]
    from: Option<String>,
    #[serde(deserialize_with = "filled")]
    pub(crate) frontend_url: Option<String>,
}

/// Where mail goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Way {
    Off,
    Log,
    Smtp,
}

/// Whether the connection to the mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encryption {
    None,
    StartTls,
    Tls,
}

impl Mail {
    /// What the mailer is told.
    pub(crate) fn mailer(&self) -> MailSettings {
        let transport = match self.transport {
            Way::Off => Transport::Off,
            Way::Log => Transport::Log,
            Way::Smtp => Transport::Smtp(Smtp {
                host: self.host.clone().unwrap_or_default(),
                port: self.port,
                tls: match self.tls {
                    Encryption::None => SmtpTls::None,
                    Encryption::StartTls => SmtpTls::StartTls,
                    Encryption::Tls => SmtpTls::Tls,
                },
                username: self.username.clone(),
                password: self.password.clone(),
            }),
        };
        MailSettings { transport, from: self.from.clone().unwrap_or_default() }
    }
}

/// What is refused everywhere.
pub(super) fn refusals(mail: &Mail) -> Vec<String> {
    let url = mail.frontend_url.as_deref();
    [
        (mail.transport == Way::Smtp && mail.host.is_none(), "`mail.host` is not set; name the mail server"),
        (
            mail.transport != Way::Off && mail.from.is_none(),
            "`mail.from` is not set; give the sender's address",
        ),
        (mail.port == 0, "`mail.port` is 0; set it between 1 and 65535"),
        (
            mail.password.is_some() && mail.username.is_none(),
            "`mail.password` is set without `mail.username`; set both or neither",
        ),
        (
            url.is_some_and(|url| !is_link(url)),
            "`mail.frontend_url` must be https://HOST, with a port and a path if need be, and nothing after",
        ),
    ]
    .into_iter()
    .filter(|(is_refused, _)| *is_refused)
    .map(|(_, why)| why.to_owned())
    .collect()
}

/// What links can be appended to.
fn is_link(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_plain =
        |rest: &str| !rest.contains(['?', '#', '@', '\\']) && rest.chars().all(|c| c.is_ascii_graphic());
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', ':']) && is_plain(rest))
}

/// What development may do and production may not.
pub(super) fn production(settings: &Settings) -> Vec<String> {
    let mail = &settings.mail;
    let allow = variable_of("server.allow_http");
    let is_plain = mail.frontend_url.as_ref().is_some_and(|url| url.starts_with("http://"));
    let password = mail.password.as_ref();
    [
        (
            mail.transport == Way::Log,
            "`mail.transport` is log, which writes links that log people in to the log; set smtp or off"
                .to_owned(),
        ),
        (
            is_plain && !settings.server.allow_http,
            format!("`mail.frontend_url` is not https; change it, or set {allow}=true"),
        ),
        (
            password.is_some() && mail.tls == Encryption::None,
            "`mail.password` would cross the network in the clear; set `mail.tls`".to_owned(),
        ),
        (
            password.is_some_and(is_example),
            format!("`mail.password` is an example; set the real one in {}", variable_of("mail.password")),
        ),
    ]
    .into_iter()
    .filter(|(is_refused, _)| *is_refused)
    .map(|(_, why)| why)
    .collect()
}
