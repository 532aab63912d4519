//! Actors: somebody who sends requests, with or without a token. Every answer is checked against the contract and
//! against what must hold for every answer; a test adds what it is about.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;

use crate::contract::Contract;
use crate::http::{self, Response};
use crate::tenants::MARKER;

/// Somebody who sends requests.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    contract: Arc<Contract>,
    token: Option<String>,
    /// The marker of the tenant that it works for.
    marker: Option<String>,
    headers: Vec<(String, String)>,
    fault_is_expected: bool,
}

impl Client {
    pub(crate) const fn new(address: SocketAddr, contract: Arc<Contract>) -> Self {
        Self { address, contract, token: None, marker: None, headers: Vec::new(), fault_is_expected: false }
    }

    /// The same with this token, and with the marker that its tenant's rows carry.
    #[must_use]
    pub fn with_token(&self, token: &str, marker: Option<&str>) -> Self {
        Self { token: Some(token.to_owned()), marker: marker.map(str::to_owned), ..self.clone() }
    }

    /// The same with a header in every request.
    #[must_use]
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.push((name.to_owned(), value.to_owned()));
        other
    }

    /// The same where a status of 500 or above is no failure of the test.
    #[must_use]
    pub fn expecting_faults(&self) -> Self {
        Self { fault_is_expected: true, ..self.clone() }
    }

    /// The token.
    #[must_use]
    pub fn token(&self) -> &str {
        self.token.as_deref().expect("an actor with a token")
    }

    /// The contract that answers are held to.
    #[must_use]
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// The server's address.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// GET.
    pub async fn get(&self, target: &str) -> Response {
        self.send("GET", target, None).await
    }

    /// POST with JSON.
    pub async fn post(&self, target: &str, body: &Value) -> Response {
        self.send("POST", target, Some(body)).await
    }

    /// PUT with JSON.
    pub async fn put(&self, target: &str, body: &Value) -> Response {
        self.send("PUT", target, Some(body)).await
    }

    /// PATCH with JSON.
    pub async fn patch(&self, target: &str, body: &Value) -> Response {
        self.send("PATCH", target, Some(body)).await
    }

    /// DELETE.
    pub async fn delete(&self, target: &str) -> Response {
        self.send("DELETE", target, None).await
    }

    /// Any method, with or without JSON.
    pub async fn send(&self, method: &str, target: &str, body: Option<&Value>) -> Response {
        let text = body.map(Value::to_string);
        let kind = [("Content-Type", "application/json")];
        let headers = if text.is_some() { &kind[..] } else { &[] };
        self.raw(method, target, headers, text.as_deref().map(str::as_bytes)).await
    }

    /// Any method, header fields and bytes.
    pub async fn raw(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Response {
        let outcome = self.try_raw(method, target, headers, body).await;
        outcome.unwrap_or_else(|error| panic!("{method} {target}: {error}"))
    }

    /// The same, for a server that may go away.
    ///
    /// # Errors
    /// What became of the connection.
    pub async fn try_raw(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Response, String> {
        let mut fields = self.headers.clone();
        if let Some(token) = &self.token {
            fields.push(("Authorization".to_owned(), format!("Bearer {token}")));
        }
        fields.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let request = http::bytes_of(method, target, &fields, body);
        let response = http::exchange(self.address, &request).await?;
        self.check(method, target, &request, &response);
        Ok(response)
    }

    /// What must hold for every answer.
    fn check(&self, method: &str, target: &str, request: &[u8], response: &Response) {
        assert!(response.status < 500 || self.fault_is_expected, "{response}");
        self.check_markers(request, response);
        if response.status == 431 || (response.status == 400 && response.header("x-correlation-id").is_none())
        {
            // Refused by the parser, before there was a request.
            return;
        }
        let correlation_id = response.header("x-correlation-id").unwrap_or_default();
        assert!(!correlation_id.is_empty(), "no correlation id: {response}");
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"), "{response}");
        assert!(response.header("x-response-time").is_some_and(|time| time.ends_with("ms")), "{response}");
        if response.header("content-type") == Some("application/problem+json") && !response.body.is_empty() {
            assert_eq!(response.json()["correlation_id"], correlation_id, "{response}");
        }
        self.contract.check(method, target, response);
    }

    /// No answer may hold another tenant's marker, unless the request held it.
    fn check_markers(&self, request: &[u8], response: &Response) {
        let sent = String::from_utf8_lossy(request);
        let mut received = response.text();
        response.headers.iter().for_each(|(_, value)| received.push_str(value));
        for (at, _) in received.match_indices(MARKER) {
            let marker: String = received[at..].chars().take(MARKER.len() + 16).collect();
            let known = self.marker.as_ref() == Some(&marker) || sent.contains(&marker);
            assert!(known, "LEAK: {marker} in {response}");
        }
    }
}
