//! Malformed HTTP (INP-16), written byte by byte: refused, or the connection is closed, and the server goes on serving.

use bulkhead_tests::app::TestApp;
use bulkhead_tests::http::exchange;

/// What is wrong, and the request.
fn cases() -> Vec<(&'static str, String)> {
    let body = r#"{"tenant":"x","username":"x","password":"x"}"#;
    let post = "POST /api/v1/auth/token/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n";
    vec![
        (
            "both lengths",
            format!(
                "{post}Content-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{body}",
                body.len()
            ),
        ),
        ("two lengths", format!("{post}Content-Length: 3\r\nContent-Length: {}\r\n\r\n{body}", body.len())),
        ("signed length", format!("{post}Content-Length: +{}\r\n\r\n{body}", body.len())),
        ("negative length", format!("{post}Content-Length: -1\r\n\r\n{body}")),
        ("huge length", format!("{post}Content-Length: 99999999999999999999\r\n\r\n{body}")),
        ("unknown coding", format!("{post}Transfer-Encoding: xchunked\r\n\r\n{body}")),
        (
            "chunk size overflow",
            format!("{post}Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n{body}"),
        ),
        ("chunk size rubbish", format!("{post}Transfer-Encoding: chunked\r\n\r\nxyz\r\n{body}")),
        ("blank before colon", "GET /health/ HTTP/1.1\r\nHost : x\r\nConnection: close\r\n\r\n".to_owned()),
        (
            "folded line",
            "GET /health/ HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\nConnection: close\r\n\r\n".to_owned(),
        ),
        ("no version", "GET /health/\r\n\r\n".to_owned()),
        ("wrong version", "GET /health/ HTTP/9.9\r\nHost: x\r\n\r\n".to_owned()),
        (
            "NUL in a field",
            "GET /health/ HTTP/1.1\r\nHost: x\r\nX: a\0b\r\nConnection: close\r\n\r\n".to_owned(),
        ),
        ("bare CR", "GET /health/ HTTP/1.1\r\nHost: x\rX: y\r\nConnection: close\r\n\r\n".to_owned()),
        (
            "many fields",
            format!(
                "GET /health/ HTTP/1.1\r\nHost: x\r\n{}Connection: close\r\n\r\n",
                "X: y\r\n".repeat(500)
            ),
        ),
        (
            "a large head",
            format!(
                "GET /health/ HTTP/1.1\r\nHost: x\r\nX: {}\r\nConnection: close\r\n\r\n",
                "y".repeat(200_000)
            ),
        ),
        (
            "a long target",
            format!("GET /{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "y".repeat(20_000)),
        ),
        ("TLS", "\u{16}\u{3}\u{1}\0\u{5}hello\r\n\r\n".to_owned()),
        ("rubbish", "\u{1}\u{2}\u{3}\r\n\r\n".to_owned()),
    ]
}

/// Raw requests that no HTTP library would send. The server answers 4xx, or closes; and it goes on serving.
#[tokio::test]
async fn inp_16_malformed_http_is_refused_and_desynchronises_nothing() {
    let app = TestApp::start().await;
    for (what, request) in cases() {
        match exchange(app.server.address(), request.as_bytes()).await {
            // 401 would mean that the body was read after all.
            Ok(answer) => assert!([400, 413, 414, 431, 505].contains(&answer.status), "{what}: {answer}"),
            Err(end) => assert!(!end.starts_with("no answer"), "{what}: neither refused nor closed"),
        }
    }
    // An HTTP/1.0 request and an absolute target are sound.
    for request in [
        "GET /health/ HTTP/1.0\r\n\r\n",
        "GET http://api.test/health/ HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n",
    ] {
        assert_eq!(
            exchange(app.server.address(), request.as_bytes()).await.expect("an answer").status,
            200,
            "{request}"
        );
    }
    // The first of two pipelined requests carries the start of another: it must stay a body.
    let hidden = "GET /api/v1/projects/ HTTP/1.1\r\nHost: x\r\n\r\n";
    let pipelined = format!(
        "POST /api/v1/auth/token/verify/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{hidden}GET /health/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        hidden.len()
    );
    let first = exchange(app.server.address(), pipelined.as_bytes()).await.expect("an answer");
    assert_eq!(first.status, 400, "the body is no JSON");
    assert_eq!(app.anonymous().get("/health/").await.status, 200, "it still serves");
}
