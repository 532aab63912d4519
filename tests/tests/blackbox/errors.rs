//! Refusals that no operation makes: unknown paths and methods, bodies that are too large or too slow; CORS, HEAD, OPTIONS.

use std::time::Duration;

use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::rows::Rows;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::test]
async fn an_unknown_path_is_a_problem_document_with_and_without_a_token() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    for path in [
        "/",
        "/nothing",
        "/api",
        "/api/v2/projects/",
        "/api/v1/unknown/",
        "/api/v1/projects/x/y/z/",
        "/.env",
        "/admin/",
    ] {
        for client in [app.anonymous(), user.clone()] {
            for method in ["GET", "POST", "DELETE"] {
                let _ = client.send(method, path, None).await.expect_problem(404, "not_found");
            }
        }
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_have_is_refused_with_those_that_it_has() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let rows = Rows::create(&user, &app.a).await;
    let member = format!("/api/v1/projects/{}/", rows.id("projects"));
    for (method, path, allow) in [
        ("DELETE", "/api/v1/projects/", "GET, HEAD, POST, OPTIONS"),
        ("PUT", "/api/v1/projects/", "GET, HEAD, POST, OPTIONS"),
        ("POST", member.as_str(), "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
        ("TRACE", &member, "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
        ("PROPFIND", &member, "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
        ("POST", "/api/v1/projects/statistics/", "GET, HEAD, OPTIONS"),
        ("GET", "/api/v1/auth/token/", "POST, OPTIONS"),
    ] {
        for client in [app.anonymous(), user.clone()] {
            let refused = client.send(method, path, None).await.expect_problem(405, "method_not_allowed");
            assert_eq!(refused.header("allow"), Some(allow), "{method} {path}");
        }
    }
    assert_eq!(user.get(&member).await.status, 200);
}

#[tokio::test]
async fn rbac_5_head_is_get_without_a_body_and_options_says_what_may_be_done() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let rows = Rows::create(&user, &app.a).await;
    for path in ["/api/v1/projects/".to_owned(), format!("/api/v1/tasks/{}/", rows.id("tasks"))] {
        let (head, get) =
            (user.send("HEAD", &path, None).await.expect(200), user.get(&path).await.expect(200));
        assert_eq!(
            (head.body.len(), head.header("content-length"), head.header("etag")),
            (0, get.header("content-length"), get.header("etag"))
        );
        assert_eq!(app.anonymous().send("HEAD", &path, None).await.status, 401);
        let options = app.anonymous().send("OPTIONS", &path, None).await.expect(204);
        assert!(options.header("allow").expect("Allow").starts_with("GET, HEAD"));
    }
    let missing = user.send("HEAD", "/api/v1/tasks/00000000-0000-0000-0000-000000000000/", None).await;
    assert_eq!((missing.status, missing.body.len()), (404, 0));
}

#[tokio::test]
async fn a_body_that_is_too_large_or_too_slow_is_refused_and_ties_nobody_up() {
    let app = Options::default()
        .set("server.body_limit_bytes", 2048)
        .set("server.body_timeout_seconds", 1)
        .start()
        .await;
    let user = app.user_of(&app.a).await;
    let large = json!({ "name": "x", "description": "d".repeat(4000) });
    let _ = user.post("/api/v1/projects/", &large).await.expect_problem(413, "too_large");
    let chunk = "x".repeat(1500);
    let chunked = format!(
        "POST /api/v1/projects/ HTTP/1.1\r\nHost: api.test\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{:x}\r\n{chunk}\r\n{:x}\r\n{chunk}\r\n0\r\n\r\n",
        user.token(),
        chunk.len(),
        chunk.len()
    );
    let answer =
        bulkhead_tests::http::exchange(app.server.address(), chunked.as_bytes()).await.expect("an answer");
    assert_eq!(answer.status, 413, "{answer}");

    let mut slow = tokio::net::TcpStream::connect(app.server.address()).await.expect("connect");
    let head = format!(
        "POST /api/v1/projects/ HTTP/1.1\r\nHost: api.test\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{{",
        user.token()
    );
    slow.write_all(head.as_bytes()).await.expect("send");
    assert_eq!(user.get("/api/v1/projects/").await.status, 200, "others go on");
    let mut received = Vec::new();
    let reading = tokio::time::timeout(Duration::from_secs(10), slow.read_to_end(&mut received)).await;
    reading.expect("an answer in time").expect("an answer");
    assert!(received.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&received));
}

#[tokio::test]
async fn cors_lets_in_the_origins_that_are_named_and_no_other() {
    let app = Options::default()
        .set("cors.allowed_origins", "https://app.example.com")
        .set("cors.base_domain", "tenants.example.com")
        .start()
        .await;
    let preflight = async |origin: &str| {
        let headers = [
            ("Origin", origin),
            ("Access-Control-Request-Method", "PATCH"),
            ("Access-Control-Request-Headers", "authorization,content-type,if-match"),
        ];
        app.anonymous().raw("OPTIONS", "/api/v1/projects/", &headers, None).await
    };
    for origin in ["https://app.example.com", "https://acme.tenants.example.com"] {
        let allowed = preflight(origin).await;
        assert!([200, 204].contains(&allowed.status), "{allowed}");
        assert_eq!(allowed.header("access-control-allow-origin"), Some(origin));
        assert!(allowed.header("access-control-allow-methods").expect("methods").contains("PATCH"));
        assert!(allowed.header("access-control-max-age").is_some());
        assert_ne!(allowed.header("access-control-allow-credentials"), Some("true"));
        // A refusal must be readable by the page too.
        let refused =
            app.anonymous().raw("GET", "/api/v1/projects/", &[("Origin", origin)], None).await.expect(401);
        assert_eq!(refused.header("access-control-allow-origin"), Some(origin));
        assert!(
            refused.header("access-control-expose-headers").expect("exposed").contains("x-correlation-id")
        );
        assert!(refused.header_list("vary").contains("Origin"));
    }
    for origin in [
        "https://evil.example",
        "null",
        "https://app.example.com.evil.org",
        "https://eviltenants.example.com",
        "http://app.example.com",
    ] {
        assert_eq!(preflight(origin).await.header("access-control-allow-origin"), None, "{origin}");
        let answer = app.anonymous().raw("GET", "/api/v1/projects/", &[("Origin", origin)], None).await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
    }
}

#[tokio::test]
async fn a_host_that_is_not_served_is_refused() {
    let app = Options::default().set("server.allowed_hosts", "api.test,.tenants.test").start().await;
    for host in ["api.test", "API.TEST", "api.test:8000", "x.tenants.test", "tenants.test"] {
        assert_eq!(
            app.anonymous().with_header("Host", host).get("/api/v1/projects/").await.status,
            401,
            "{host}"
        );
    }
    for host in ["evil.test", "eviltenants.test", "", "api.test.evil.org"] {
        assert_eq!(
            app.anonymous().with_header("Host", host).get("/api/v1/projects/").await.status,
            400,
            "{host}"
        );
    }
    let forwarded =
        app.anonymous().with_header("Host", "evil.test").with_header("X-Forwarded-Host", "api.test");
    assert_eq!(
        forwarded.get("/api/v1/projects/").await.status,
        400,
        "what a client says of a proxy does not count"
    );
}

#[tokio::test]
async fn err_1_no_refusal_tells_how_the_server_is_made() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let body = json!({ "name": "x" });
    assert_eq!(user.post("/api/v1/projects/", &body).await.status, 201);
    let answers = [
        user.post("/api/v1/projects/", &body).await,
        user.post("/api/v1/tasks/", &json!({ "title": "x", "project": bulkhead_domain::ids::new_id() }))
            .await,
        user.get("/api/v1/projects/?ordering=x").await,
        user.raw("POST", "/api/v1/projects/", &[("Content-Type", "application/json")], Some(b"{")).await,
        app.anonymous().get("/nothing").await,
        user.with_token("x.y.z", None).get("/api/v1/projects/").await,
    ];
    for answer in answers {
        let text = format!("{} {:?}", answer.text(), answer.headers).to_lowercase();
        for word in [
            "select ",
            "insert ",
            "constraint",
            "_unique",
            "_fk",
            "postgres",
            "diesel",
            "tokio",
            "actix",
            "src/",
            ".rs",
            "panicked",
            "rust",
            "0.1.0",
        ] {
            assert!(!text.contains(word), "{word} in {text}");
        }
        assert_eq!(answer.header("server"), None);
    }
}
