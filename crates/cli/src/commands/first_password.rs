//! How a user that a command creates comes to a password: the operator gives one, or a token with which the user sets it.

use bulkhead_domain::ids::TenantId;
use bulkhead_domain::person::Username;
use bulkhead_persistence::platform::{Platform, PlatformError};
use clap::Args;
use secrecy::SecretString;
use serde_json::Value;

use super::reset_password::{self, PasswordToken};
use crate::context::Context;
use crate::failure::Failure;
use crate::passwords;

/// The arguments about it.
#[derive(Debug, Args)]
pub(super) struct FirstPassword {
    /// Read the password from standard input, one line
    #[arg(long, conflicts_with = "one_time_token")]
    password_stdin: bool,
    /// Give no password, and print a token with which the user sets one, once, within 24 hours
    #[arg(long)]
    one_time_token: bool,
}

impl FirstPassword {
    /// The hash of the password to create the user with, if it gets one. `known` are words that it must not be.
    ///
    /// # Errors
    /// It is too weak, the two entries differ, or there is nobody to ask.
    pub(super) async fn hash(
        &self,
        context: &Context,
        known: &[&str],
    ) -> Result<Option<SecretString>, Failure> {
        if self.one_time_token {
            return Ok(None);
        }
        let password = passwords::new_password(context, self.password_stdin, known)?;
        passwords::hash(context, password).await.map(Some)
    }

    /// The token for the user, now that it is created, if it gets one.
    ///
    /// # Errors
    /// The database is away. `bulkhead reset-password` makes another token.
    pub(super) async fn token(
        &self,
        platform: &mut Platform,
        tenant: TenantId,
        username: &Username,
    ) -> Result<Option<PasswordToken>, PlatformError> {
        if !self.one_time_token {
            return Ok(None);
        }
        reset_password::issue(platform, tenant, username.as_str()).await.map(Some)
    }
}

/// Tells what was done, and the token if there is one.
pub(super) fn tell(context: &Context, document: Value, done: &str, token: Option<&PasswordToken>) {
    match token {
        Some(token) => token.tell(context, document, done),
        None => context.output.tell(&document, done),
    }
}
