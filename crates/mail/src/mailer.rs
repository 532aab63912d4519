//! The mailer as callers see it: it takes a mail and is done. Delivery is in [`crate::delivery`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lettre::message::Mailbox;

use crate::Mail;
use crate::delivery::Queue;
use crate::message::compose;
use crate::settings::{MailSettings, MailerError, Transport};

/// Sends mail. Clones share one queue.
#[derive(Clone)]
pub struct Mailer {
    from: Option<Mailbox>,
    route: Route,
}

#[derive(Clone)]
enum Route {
    Off,
    Log,
    Smtp(Arc<Queue>),
}

impl Mailer {
    /// Makes the mailer and, for SMTP, the thread that delivers. The server is not asked yet: it may be down for a while.
    ///
    /// # Errors
    /// Settings that cannot work, or the system gives no thread.
    pub fn new(settings: MailSettings) -> Result<Self, MailerError> {
        let route = match settings.transport {
            Transport::Off => return Ok(Self { from: None, route: Route::Off }),
            Transport::Log => Route::Log,
            Transport::Smtp(smtp) => Route::Smtp(Arc::new(Queue::start(smtp)?)),
        };
        let from = settings.from.parse().or(Err(MailerError::From))?;
        Ok(Self { from: Some(from), route })
    }

    /// Whether mail goes anywhere. What works by mail only can refuse at once when it does not.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        !matches!(self.route, Route::Off)
    }

    /// Takes the mail. Never waits and never fails: what cannot be sent is given up with a warning in the log, which
    /// names neither the address nor the text.
    pub fn send(&self, mail: Mail) {
        let Some(from) = &self.from else { return };
        match &self.route {
            Route::Off => {}
            Route::Log => tracing::info!(to = mail.to, subject = mail.subject, text = mail.text, "mail"),
            Route::Smtp(queue) => match compose(from, mail) {
                Some(message) => queue.push(message),
                None => tracing::warn!("a mail was not sent: its recipient is not an address"),
            },
        }
    }

    /// Waits until every mail was delivered or given up, at most for `patience`: for the end of a process. Blocks.
    pub fn finish(&self, patience: Duration) {
        if let Route::Smtp(queue) = &self.route {
            queue.finish(patience);
        }
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let route = match self.route {
            Route::Off => "Off",
            Route::Log => "Log",
            Route::Smtp(_) => "Smtp",
        };
        f.debug_tuple("Mailer").field(&route).finish()
    }
}
