//! Access tokens over HTTP (TOK-1 to TOK-18). The token's own module tests the reader; here, that nothing around it lets
//! through what it refuses.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::{PUBLIC_URL, TestApp};
use bulkhead_tests::http::{bytes_of, exchange};
use bulkhead_tests::keys::Key;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/projects/";
const ALL: [&str; 3] = ["read:*", "write:*", "delete:*"];

async fn status(app: &TestApp, token: &str) -> u16 {
    app.with_token(token, &app.a).get(PATH).await.status
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test]
async fn tok_1_to_3_only_a_signature_by_our_key_with_its_own_algorithm_counts() {
    let app = TestApp::start().await;
    let claims = app.claims(&app.a, app.a.member.id, &ALL);
    let sound = app.key.token(&claims);
    assert_eq!(status(&app, &sound).await, 200, "the control");
    let parts: Vec<&str> = sound.split('.').collect();
    let mut wrong = Vec::new();
    for algorithm in [
        json!("none"),
        json!("None"),
        json!("nOnE"),
        json!(""),
        json!("HS256"),
        json!("ES384"),
        json!("RS256"),
        json!(7),
        json!(null),
    ] {
        let header = encoded(&json!({ "alg": algorithm, "kid": app.key.kid(), "typ": "at+jwt" }));
        for signature in ["", parts[2]] {
            wrong.push(format!("{header}.{}.{signature}", parts[1]));
        }
    }
    // HS256 with every spelling of the public key as its secret.
    let header = json!({ "alg": "HS256", "kid": app.key.kid(), "typ": "at+jwt" });
    for secret in
        [app.key.public().to_vec(), app.key.jwk().to_string().into_bytes(), app.key.kid().into_bytes()]
    {
        let signed = format!("{}.{}", encoded(&header), parts[1]);
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &secret);
        let signature = aws_lc_rs::hmac::sign(&key, signed.as_bytes());
        wrong.push(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref())));
    }
    for (name, value) in [
        ("tenant", json!(app.b.id)),
        ("sub", json!(new_id())),
        ("exp", json!(i64::MAX)),
        ("scopes", json!(["tenant:admin"])),
    ] {
        let mut edited = claims.clone();
        edited[name] = value;
        wrong.push(format!("{}.{}.{}", parts[0], encoded(&edited), parts[2]));
    }
    let zeros = URL_SAFE_NO_PAD.encode([0_u8; 64]);
    let other = app.key.token(&app.claims(&app.a, app.a.owner.id, &ALL));
    let transplanted = other.split('.').nth(2).expect("a signature");
    for signature in ["", &zeros, &parts[2][..80], transplanted] {
        wrong.push(format!("{}.{}.{signature}", parts[0], parts[1]));
    }
    for token in wrong {
        assert_eq!(status(&app, &token).await, 401, "{token}");
    }
}

#[tokio::test]
async fn tok_4_and_5_keys_are_found_by_kid_in_our_own_set_and_nowhere_else() {
    let app = TestApp::start().await;
    let claims = app.claims(&app.a, app.a.member.id, &ALL).to_string();
    let sink = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listen");
    let url = format!("http://{}/keys", sink.local_addr().expect("an address"));
    let mine = Key::generate();
    for (name, value) in
        [("jwk", mine.jwk()), ("jku", json!(url)), ("x5u", json!(url)), ("x5c", json!(["AAAA"]))]
    {
        for kid in [mine.kid(), app.key.kid()] {
            let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": kid, name: value });
            assert_eq!(status(&app, &mine.token_of(&header.to_string(), &claims)).await, 401, "{header}");
        }
    }
    for kid in [
        json!("unknown"),
        json!("../../../etc/passwd"),
        json!("' or 1=1 --"),
        json!(url),
        json!("a\0b"),
        json!("k".repeat(10_000)),
        json!(7),
        json!(["x"]),
        json!(null),
    ] {
        let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": kid });
        assert_eq!(status(&app, &app.key.token_of(&header.to_string(), &claims)).await, 401, "{header}");
    }
    let connected = tokio::time::timeout(std::time::Duration::from_millis(100), sink.accept()).await;
    assert!(connected.is_err(), "the server fetched a key");
}

#[tokio::test]
async fn tok_7_to_16_every_claim_that_decides_something_must_be_there_and_be_right() {
    let app = TestApp::start().await;
    let sound = app.claims(&app.a, app.a.member.id, &ALL);
    let now = sound["iat"].as_i64().expect("a number");
    let with = |name: &str, value: Value| {
        let mut claims = sound.clone();
        claims[name] = value;
        claims
    };
    let mut wrong = Vec::new();
    for value in
        [json!(now - 31), json!("x"), json!(-1), json!(1e300), json!(null), json!([now + 600]), json!({})]
    {
        wrong.push(with("exp", value));
    }
    for name in ["nbf", "iat"] {
        wrong.extend([json!(now + 120), json!("x"), json!(null)].map(|value| with(name, value)));
    }
    for name in ["iss", "aud"] {
        let values =
            [json!("other"), json!(7), json!([]), json!(["other"]), json!({}), json!(null), json!("")];
        wrong.extend(values.map(|value| with(name, value)));
    }
    wrong.push(with("iss", json!([PUBLIC_URL])));
    for name in ["sub", "tenant", "user_id"] {
        let id = sound[name].as_str().expect("a text");
        let values = [
            json!(""),
            json!("x"),
            json!(7),
            json!([id]),
            json!(format!("{{{id}}}")),
            json!(id.to_uppercase()),
            json!(null),
        ];
        wrong.extend(values.map(|value| with(name, value)));
    }
    wrong.push(with("tenant_id", json!(app.b.id)));
    wrong.push(with("token_type", json!("refresh")));
    wrong.push(with("client_type", json!("service_account")));
    for name in ["exp", "iat", "nbf", "iss", "aud", "sub", "tenant", "token_type", "scopes", "sid"] {
        let mut claims = sound.clone();
        claims.as_object_mut().expect("an object").remove(name);
        wrong.push(claims);
    }
    for claims in wrong {
        // An upper-case id without letters is no other spelling.
        if claims != sound {
            assert_eq!(status(&app, &app.key.token(&claims)).await, 401, "{claims}");
        }
    }
    assert_eq!(status(&app, &app.key.token(&with("aud", json!(["other", "multitenant-api"])))).await, 200);
    let twice = sound.to_string().replacen('{', &format!("{{\"tenant\":\"{}\",", app.b.id), 1);
    assert_eq!(
        status(&app, &app.key.token_of(&app.key.header().to_string(), &twice)).await,
        401,
        "tenant twice"
    );
}

#[tokio::test]
async fn tok_14_only_our_own_form_of_a_token_is_read() {
    let app = TestApp::start().await;
    let claims = app.claims(&app.a, app.a.member.id, &ALL).to_string();
    let kid = app.key.kid();
    for header in [
        json!({ "alg": "ES256", "kid": kid }),
        json!({ "alg": "ES256", "kid": kid, "typ": "JWT" }),
        json!({ "alg": "ES256", "kid": kid, "typ": "refresh+jwt" }),
        json!({ "alg": "ES256", "kid": kid, "typ": "at+jwt", "crit": ["x"], "x": 1 }),
        json!({ "alg": "ES256", "kid": kid, "typ": "at+jwt", "crit": ["b64"], "b64": false }),
        json!([]),
    ] {
        assert_eq!(status(&app, &app.key.token_of(&header.to_string(), &claims)).await, 401, "{header}");
    }
    let sound = app.key.token(&app.claims(&app.a, app.a.member.id, &ALL));
    let parts: Vec<&str> = sound.split('.').collect();
    let spellings = [
        format!("{sound}.x"),
        format!("{sound}.x.y"),
        format!("{}.{}", parts[0], parts[1]),
        format!("{sound}="),
        format!("{sound}=="),
        format!(" {sound}"),
        format!("{sound} "),
        sound.replacen('.', "..", 1),
        format!("{{\"payload\":\"{}\"}}", parts[1]),
        "x".repeat(60_000),
    ];
    for token in spellings {
        // Blanks around a field's value are no part of it (RFC 9110 §5.5).
        let expected = if token.trim_end() == sound { 200 } else { 401 };
        assert_eq!(status(&app, &token).await, expected, "{token}");
    }
}

#[tokio::test]
async fn tok_17_fault_4_23_one_authorization_header_with_the_bearer_scheme_in_any_case_and_no_other_place() {
    let app = TestApp::start().await;
    let token = app.key.token(&app.claims(&app.a, app.a.member.id, &ALL));
    let get = async |headers: &[(&str, &str)], target: &str| {
        app.anonymous().raw("GET", target, headers, None).await.status
    };
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        assert_eq!(get(&[("Authorization", &format!("{scheme} {token}"))], PATH).await, 200, "{scheme}");
    }
    for value in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Basic {token}"),
        format!("Token {token}"),
        token.clone(),
        format!("Bearer {token}, Bearer {token}"),
        format!("Bearer\t{token}"),
        format!("Bearer {token} {token}"),
    ] {
        assert_eq!(get(&[("Authorization", &value)], PATH).await, 401, "{value}");
    }
    let header = format!("Bearer {token}");
    assert_eq!(
        get(&[("Authorization", &header), ("Authorization", &header)], PATH).await,
        401,
        "two headers"
    );
    assert_eq!(get(&[("Cookie", &format!("access={token}; Authorization=Bearer {token}"))], PATH).await, 401);
    for name in ["access_token", "token", "authorization"] {
        assert_eq!(get(&[], &format!("{PATH}?{name}={token}")).await, 401, "{name}");
    }
    let huge = bytes_of(
        "GET",
        PATH,
        &[("Authorization".to_owned(), format!("Bearer {}", "x".repeat(200_000)))],
        None,
    );
    if let Ok(answer) = exchange(app.server.address(), &huge).await {
        assert!((400..500).contains(&answer.status), "{answer}");
    }
}

#[tokio::test]
async fn tok_18_a_sound_token_of_a_stranger_finds_nothing() {
    let app = TestApp::start().await;
    // Signed by our own key: a member of A who claims to be in B, and a user whom nobody knows.
    let stranger = app.with_token(&app.key.token(&app.claims(&app.b, app.a.member.id, &ALL)), &app.b);
    assert!([401, 403, 404].contains(&stranger.get("/api/v1/auth/me/").await.status));
    let nobody = app.with_token(&app.key.token(&app.claims(&app.a, new_id(), &ALL)), &app.a);
    assert!([401, 403, 404].contains(&nobody.get("/api/v1/auth/me/").await.status));
}
