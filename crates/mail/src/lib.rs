//! Mail that the product sends: plain text to one person. Sending is in the background and never fails a request.
//!
//! Knows no request, no tenant and no template: whoever calls it brings the address and the text. The one thing that runs
//! in the background is the thread that delivers over SMTP.

mod delivery;
mod mailer;
mod message;
mod settings;

use std::fmt;

pub use mailer::Mailer;
pub use settings::{MailSettings, MailerError, Smtp, SmtpTls, Transport};

/// A mail to one person. Shows nothing when printed: its text may hold a link that logs somebody in.
#[derive(Clone)]
pub struct Mail {
    /// The bare address: `anna@example.com`.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Plain text of any script, with `\n` at the end of its lines.
    pub text: String,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mail(..)")
    }
}
