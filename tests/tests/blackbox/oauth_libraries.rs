//! Other people's OAuth 2 libraries as referees: `tests/clients/` has the programs, which print what the libraries made of
//! the server's answers. The oauth2 crate is in `guide_rust`.

use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::binary::workspace;
use bulkhead_tests::front::Front;
use bulkhead_tests::machine::Machine;
use bulkhead_tests::runtimes;
use serde_json::{Value, json};

/// What a referee found, and whom it was.
struct Finding {
    said: Value,
    url: String,
    app: TestApp,
    machine: Machine,
}

/// Runs a program of `tests/clients/` as a client that may read projects and write tasks; `None` where it cannot run.
async fn referee(runtime: &str, path: &str) -> Option<Finding> {
    let found =
        runtimes::find(runtime).map_err(|missing| eprintln!("NOT RUN: {path}: {}", missing.why)).ok()?;
    let (front, app) = Front::start(Options::default()).await;
    let scopes = ["read:projects", "write:tasks"];
    let machine = Machine::create(
        &app.owner_of(&app.a).await,
        json!({ "name": "referee", "roles": ["write"], "scopes": scopes }),
    )
    .await;
    let code = std::fs::read_to_string(workspace().join("tests/clients").join(path)).unwrap();
    let outcome = found.run(&code, &machine.environment(&front.url())).await;
    assert_eq!(outcome.code, Some(0), "{path}: {}\n{}", outcome.stdout, outcome.stderr);
    let said = serde_json::from_str(&outcome.stdout).unwrap_or_else(|e| panic!("{e}: {}", outcome.stdout));
    Some(Finding { said, url: front.url(), app, machine })
}

impl Finding {
    /// Both ways of sending the credentials get a usable token without a refresh token; asking for a part gets that part.
    fn check_grants(&self) {
        for how in ["basic", "post", "subset"] {
            let granted = &self.said[how];
            let scope = match &granted["scope"] {
                Value::Array(words) => words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
                text => text.as_str().unwrap_or_else(|| panic!("{granted}")).to_owned(),
            };
            let expected = if how == "subset" { "read:projects" } else { "read:projects write:tasks" };
            assert_eq!(scope, expected, "{how}: {granted}");
            assert_eq!(granted["token_type"].as_str().unwrap().to_lowercase(), "bearer", "{granted}");
            assert_eq!(granted["expires_in"], 900, "{granted}");
            assert_eq!(granted["has_refresh_token"], false, "{granted}");
            assert_eq!(granted["call"], 200, "{how}: {granted}");
        }
    }

    /// The claims that the library vouched for.
    fn check_claims(&self, claims: &Value) {
        assert_eq!(claims["iss"], self.url);
        assert_eq!(claims["aud"], "multitenant-api");
        assert_eq!(claims["client_id"], self.machine.client_id);
        assert_eq!(claims["sub"], self.machine.id);
        assert_eq!(claims["tenant"], self.app.a.id.to_string());
        assert_eq!(claims["scope"], "read:projects write:tasks");
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
    }

    /// A token is told as valid, and as nothing but invalid after it was revoked.
    fn check_ends(&self) {
        for how in ["end_basic", "end_post"] {
            let end = &self.said[how];
            assert_eq!(end["before"]["active"], true, "{end}");
            self.check_claims(&end["before"]);
            assert_eq!(end["after"], json!({ "active": false }), "{end}");
        }
    }
}

#[tokio::test]
async fn requests_oauthlib_gets_tokens_and_raises_its_own_errors() {
    let Some(found) = referee("python", "python/requests_oauthlib_referee.py").await else { return };
    found.check_grants();
    let said = &found.said;
    for how in ["wrong_secret", "wrong_secret_post"] {
        assert_eq!(
            said[how],
            json!({ "class": "InvalidClientError", "error": "invalid_client", "status": 401 })
        );
    }
    let refused = json!({ "class": "InvalidScopeError", "error": "invalid_scope", "status": 400 });
    assert_eq!(said["unknown_scope"], refused);
}

#[tokio::test]
async fn authlib_gets_verifies_introspects_and_revokes_tokens() {
    let Some(found) = referee("python", "python/authlib_referee.py").await else { return };
    found.check_grants();
    let said = &found.said;
    for how in ["wrong_secret", "wrong_secret_post"] {
        assert_eq!(said[how], json!({ "class": "OAuthError", "error": "invalid_client" }));
    }
    assert_eq!(said["unknown_scope"], json!({ "class": "OAuthError", "error": "invalid_scope" }));
    let header = json!({ "alg": "ES256", "kid": found.app.key.kid(), "typ": "at+jwt" });
    assert_eq!(said["verified"]["header"], header);
    found.check_claims(&said["verified"]["claims"]);
    found.check_ends();
    assert_eq!((&said["end_basic"]["revoked"], &said["end_post"]["revoked"]), (&json!(200), &json!(200)));
}

#[tokio::test]
async fn openid_client_discovers_gets_verifies_introspects_and_revokes_tokens() {
    let Some(found) = referee("npm", "node/openid_client_referee.mjs").await else { return };
    found.check_grants();
    let said = &found.said;
    assert_eq!(said["issuer"], found.url);
    assert_eq!(said["resource"]["call"], 200, "{}", said["resource"]);
    check_refusals(said);
    let header = json!({ "alg": "ES256", "kid": found.app.key.kid(), "typ": "at+jwt" });
    assert_eq!(said["verified"]["header"], header);
    found.check_claims(&said["verified"]["claims"]);
    found.check_ends();
}

#[tokio::test]
async fn oauth4webapi_takes_every_answer_and_calls_our_tokens_rfc_9068_ones() {
    let Some(found) = referee("npm", "node/oauth4webapi_referee.mjs").await else { return };
    found.check_grants();
    let said = &found.said;
    check_refusals(said);
    found.check_claims(&said["verified"]["claims"]);
    found.check_ends();
    let weak = &said["too_weak"]["cause"][0];
    assert_eq!(weak["scheme"], "bearer", "{}", said["too_weak"]);
    assert_eq!(weak["parameters"]["error"], "insufficient_scope");
    assert_eq!(weak["parameters"]["scope"], "read:tasks");
    let revoked = &said["end_basic"]["call"]["cause"][0]["parameters"];
    assert_eq!(revoked["error"], "invalid_token", "{}", said["end_basic"]);
}

/// These two tell of the challenge of a 401, where there has to be one (RFC 9110 §15.5.2), and otherwise of the body.
fn check_refusals(said: &Value) {
    for (how, scheme) in [("wrong_secret", "basic"), ("wrong_secret_post", "bearer")] {
        let refused = &said[how];
        assert_eq!(refused["class"], "WWWAuthenticateChallengeError", "{refused}");
        assert_eq!(refused["status"], 401, "{refused}");
        assert_eq!(refused["cause"][0]["scheme"], scheme, "{refused}");
        assert_eq!(refused["cause"][0]["parameters"]["error"], "invalid_client", "{refused}");
    }
    let unknown = &said["unknown_scope"];
    assert_eq!(unknown["class"], "ResponseBodyError", "{unknown}");
    assert_eq!((&unknown["error"], &unknown["status"]), (&json!("invalid_scope"), &json!(400)));
}
