//! Joining in tests: a server whose mail goes to an inbox, and what people do with what is in it.

use serde_json::{Value, json};

use crate::app::{Options, TestApp};
use crate::client::Client;
use crate::http::Response;
use crate::smtp::{Inbox, Message};
use crate::tenants::Tenant;

/// Members.
pub const USERS: &str = "/api/v1/users/";
/// Invitations.
pub const INVITATIONS: &str = "/api/v1/invitations/";
/// Accepting one.
pub const ACCEPT: &str = "/api/v1/auth/invitations/accept/";
/// Registering.
pub const REGISTER: &str = "/api/v1/auth/register/";
/// A password that somebody chooses.
pub const CHOSEN: &str = "four unlikely words together";

/// A server that sends mail, and the mailbox.
pub struct Post {
    /// The server.
    pub app: TestApp,
    /// Where its mail goes.
    pub inbox: Inbox,
}

impl Post {
    /// The usual world.
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    /// Another one.
    pub async fn with(options: Options) -> Self {
        let inbox = Inbox::start().await;
        let app = options.mail_to(&inbox).start().await;
        Self { app, inbox }
    }

    /// Invites somebody; the invitation, and the token from the mail.
    pub async fn invite(&self, administrator: &Client, body: &Value) -> (Value, String) {
        let made = administrator.post(INVITATIONS, body).await.expect(201).json();
        let mail = self.inbox.next_to(body["email"].as_str().expect("an address")).await;
        (made, token_in(&mail))
    }

    /// Accepts an invitation with the usual password.
    pub async fn accept(&self, token: &str) -> Response {
        self.app.anonymous().post(ACCEPT, &json!({ "token": token, "password": CHOSEN })).await
    }

    /// What becomes of a log-in.
    pub async fn log_in(&self, tenant: &Tenant, name: &str, password: &str) -> Response {
        let body = json!({ "tenant": tenant.slug, "username": name, "password": password });
        self.app.anonymous().post("/api/v1/auth/token/", &body).await
    }

    /// Lets the tenant take whoever comes, or not.
    pub async fn set_registration(&self, tenant: &Tenant, policy: &str) {
        let update = "update bulkhead.tenants set registration = $2 where id = $1::text::uuid";
        self.app.operator.execute(update, &[&tenant.id.to_string(), &policy]).await.expect("set the policy");
    }
}

/// The token in a mail's link.
#[must_use]
pub fn token_in(mail: &Message) -> String {
    let (_, rest) = mail.text.split_once("#token=").unwrap_or_else(|| panic!("no link in {mail:?}"));
    rest.split_whitespace().next().expect("a token").to_owned()
}
