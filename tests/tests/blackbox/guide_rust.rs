//! The Rust of the guide, word for word, and a run of it. The library's HTTP client is the kit's.

use bulkhead_tests::http::{bytes_of, exchange};
use oauth2::basic::{BasicClient, BasicErrorResponse, BasicTokenResponse};
use oauth2::{AsyncHttpClient, ClientId, ClientSecret, RequestTokenError, Scope, TokenUrl};

/// Gets a token. `TokenResponse::access_token` is the text to send, `TokenResponse::expires_in` how long to keep it.
async fn fetch_token<H, E>(
    (client_id, client_secret): (&str, &str),
    token_url: TokenUrl,
    scopes: &[&str],
    http: &H,
) -> Result<BasicTokenResponse, RequestTokenError<E, BasicErrorResponse>>
where
    H: for<'c> AsyncHttpClient<'c, Error = E>,
    E: std::error::Error + 'static,
{
    let client = BasicClient::new(ClientId::new(client_id.to_owned()))
        .set_client_secret(ClientSecret::new(client_secret.to_owned()))
        .set_token_uri(token_url);
    let scopes = scopes.iter().map(|scope| Scope::new((*scope).to_owned()));
    client.exchange_client_credentials().add_scopes(scopes).request_async(http).await
}

use bulkhead_tests::app::TestApp;
use bulkhead_tests::guide;
use bulkhead_tests::machine::Machine;
use oauth2::basic::BasicErrorResponseType;
use oauth2::{HttpRequest, HttpResponse, TokenResponse as _};
use serde_json::json;
use std::net::SocketAddr;

type Answer = Result<BasicTokenResponse, RequestTokenError<std::io::Error, BasicErrorResponse>>;

/// Sends what the library wants to send.
async fn send(address: SocketAddr, request: HttpRequest) -> Result<HttpResponse, std::io::Error> {
    let text = |value: &oauth2::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: Vec<_> =
        request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let bytes = bytes_of(request.method().as_str(), request.uri().path(), &headers, Some(request.body()));
    let answer = exchange(address, &bytes).await.map_err(std::io::Error::other)?;
    let mut response = oauth2::http::Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    response.body(answer.body).map_err(std::io::Error::other)
}

async fn ask(app: &TestApp, machine: &Machine, secret: &str, scopes: &[&str]) -> Answer {
    let address = app.server.address();
    let http = move |request| send(address, request);
    let token_url = TokenUrl::new(format!("http://{address}/oauth/token")).unwrap();
    fetch_token((&machine.client_id, secret), token_url, scopes, &http).await
}

fn refusal(answer: Answer) -> BasicErrorResponseType {
    match answer {
        Err(RequestTokenError::ServerResponse(response)) => response.error().clone(),
        other => panic!("not a refusal: {other:?}"),
    }
}

#[tokio::test]
async fn the_rust_of_the_guide_gets_a_token_that_creates_a_project() {
    let app = TestApp::start().await;
    let machine = Machine::create(
        &app.owner_of(&app.a).await,
        json!({ "name": "oauth2", "roles": ["write"], "scopes": [] }),
    )
    .await;
    let token = ask(&app, &machine, &machine.secret, &[]).await.unwrap();
    assert_eq!(token.expires_in().unwrap().as_secs(), 900);
    assert!(token.refresh_token().is_none());
    let client = app.with_token(token.access_token().secret(), &app.a);
    let _ = client.post("/api/v1/projects/", &json!({ "name": "Made by oauth2" })).await.expect(201);

    let part = ask(&app, &machine, &machine.secret, &["read:projects", "read:tasks"]).await.unwrap();
    let scopes: Vec<&str> = part.scopes().unwrap().iter().map(|scope| scope.as_str()).collect();
    assert_eq!(scopes, ["read:projects", "read:tasks"]);
}

#[tokio::test]
async fn the_oauth2_crate_reads_refusals_as_what_they_are() {
    let app = TestApp::start().await;
    let machine = Machine::create(
        &app.owner_of(&app.a).await,
        json!({ "name": "oauth2", "roles": ["read"], "scopes": [] }),
    )
    .await;
    let wrong = ask(&app, &machine, "wrong", &[]).await;
    assert_eq!(refusal(wrong), BasicErrorResponseType::InvalidClient);
    let too_much = ask(&app, &machine, &machine.secret, &["write:projects"]).await;
    assert_eq!(refusal(too_much), BasicErrorResponseType::InvalidScope);
}

#[test]
fn the_guide_shows_the_rust_that_runs_here() {
    let guide = guide::text();
    let (_, rest) = guide.split_once("```rust\n").expect("a block of Rust");
    let (block, _) = rest.split_once("```").expect("its end");
    assert!(
        include_str!("guide_rust.rs").contains(block),
        "the guide shows other Rust than runs here:\n{block}"
    );
}
