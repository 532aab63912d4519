//! Hostile input (INP-1 to INP-15, INP-17) over every operation that the served document has: always a coded 4xx, never a 5xx
//! (which the client of the kit refuses by itself), and afterwards nothing has changed.

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::TestApp;
use bulkhead_tests::bodies::sound;
use bulkhead_tests::client::Client;
use bulkhead_tests::contract::Operation;
use bulkhead_tests::http::Response;
use bulkhead_tests::machine::Machine;
use bulkhead_tests::rows::{Rows, everything_of, people};
use serde_json::{Value, json};

/// Texts that have broken servers before.
const TEXTS: &[&str] = &[
    "",
    " ",
    "\0",
    "a\0b",
    "\u{feff}",
    "\u{202e}evil",
    "\u{200b}",
    "a\r\nSet-Cookie: x=y",
    "\u{1b}[31m",
    "'; drop table projects; --",
    "%",
    "_",
    "\\",
    "trailing\\",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "../../../etc/passwd",
    "null",
    "NaN",
    "Infinity",
    "-1",
    "0",
    "1.0",
    "1e400",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "true",
    "[]",
    "{}",
    "(a+)+$",
    "0000-00-00",
    "-5000-01-01",
    "0000-01-01",
    "9999-12-31",
    "10000-01-01",
    "294277-01-01",
    "2026-02-30",
    "infinity",
    "now",
    "epoch",
    "2026-06-30T23:59:60Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T00:00:00+99:99",
    "2026-01-01T00:00:00",
    "2026-01-01T00:00:00Z",
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "{0191e4a0-7b5c-7c3e-8f00-0123456789ab}",
    "foo & ",
    "a b",
    "!!!",
    "(((",
    "\u{1f511}\u{1f511}",
    "e\u{301}",
    "todo ",
    "Todo",
];

/// [`TEXTS`], and one that is too long to write down.
fn texts() -> Vec<String> {
    TEXTS.iter().map(|text| (*text).to_owned()).chain(["x".repeat(10_000)]).collect()
}

/// JSON values that are hardly ever what is wanted.
fn values() -> Vec<Value> {
    let mut values: Vec<Value> = texts().into_iter().map(Value::String).collect();
    values.extend([
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(-0.0),
        json!(1e300),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!([]),
        json!([1]),
        json!([null]),
        json!({}),
        json!({ "a": { "b": [] } }),
        json!({ "\0": "\0" }),
        json!({ "": "" }),
        json!("x".repeat(200_000)),
        json!({ "k": "x".repeat(100_000) }),
        json!(vec![vec!["x"; 100]; 100]),
    ]);
    values
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// All but logging out, which would end the session of whoever tries all others; `sessions` tries it.
fn operations(app: &TestApp) -> Vec<Operation> {
    let all = app.contract.operations().iter();
    all.filter(|known| !known.id.starts_with("auth_logout")).cloned().collect()
}

fn is_coded(answer: &Response) {
    assert!(answer.status < 400 || !answer.code().is_empty(), "{answer}");
}

#[tokio::test]
async fn inp_1_to_15_no_value_of_any_member_of_any_body_is_a_server_error() {
    let app = TestApp::start().await;
    let user = app.owner_of(&app.a).await;
    let other = Rows::create(&app.user_of(&app.b).await, &app.b).await;
    let before = everything_of(&app.operator, &app.b).await;
    let mut tried = 0;
    for operation in operations(&app).iter().filter(|known| known.body().is_some()) {
        let schema = app.contract.resolve(operation.body().expect("a body"));
        let members: Vec<String> =
            schema["properties"].as_object().expect("members").keys().cloned().collect();
        let rows = fresh(&user, &app, &new_id().to_string()).await;
        let path = path(operation, &rows);
        // Where passwords are compared each attempt costs a hash: there, one text in six will do, and all that is no text.
        let dear = operation.path.starts_with("/api/v1/auth/");
        let tries = |at: usize, value: &Value| !dear || !value.is_string() || at.is_multiple_of(6);
        for member in &members {
            let values = values().into_iter().enumerate().filter(|(at, value)| tries(*at, value));
            for (_, value) in values {
                let name = new_id().to_string();
                let mut body = sound(&app.contract, operation, &name, &rows).expect("a body");
                body[member] = value;
                is_coded(&user.send(&operation.method, &path, Some(&body)).await);
                tried += 1;
            }
        }
    }
    assert!(tried > 2000, "{tried}");
    assert_eq!(everything_of(&app.operator, &app.b).await, before);
    drop(other);
}

/// The operation's path, with the id of a row where it takes one.
fn path(operation: &Operation, rows: &Rows) -> String {
    if !operation.path.contains("{id}") {
        return operation.path.replace("{slug}", "nobody");
    }
    let resource = operation.path.split('/').nth(3).expect("a resource");
    // Of sessions and links there are none that could be spoilt.
    let id = if resource == "auth" { new_id().to_string() } else { rows.id(resource).to_owned() };
    operation.path.replace("{id}", &id)
}

async fn fresh(user: &Client, app: &TestApp, name: &str) -> Rows {
    let mut rows = Rows::create_with(user, &format!("{name} {}", app.a.marker)).await;
    rows.machine = Some(Machine::create(user, json!({})).await);
    let (person, invitation) = people(user, &app.a).await;
    (rows.user, rows.invitation) = (Some(person), Some(invitation));
    rows
}

/// Bodies that are no sound JSON object, or one that means nothing.
fn bodies() -> Vec<Vec<u8>> {
    let keys: String = (0..100_000).map(|number| format!("\"k{number}\":1,")).collect();
    vec![
        b"".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"\"x\"".to_vec(),
        b"7".to_vec(),
        b"{".to_vec(),
        b"{}x".to_vec(),
        b"{}{}".to_vec(),
        b"{\"name\":}".to_vec(),
        b"{'name':'x'}".to_vec(),
        b"{\"name\":\"x\",}".to_vec(),
        br#"{"name":"\ud800"}"#.to_vec(),
        br#"{"name":"\u0000"}"#.to_vec(),
        b"{\"name\":\"\xff\xfe\"}".to_vec(),
        b"{\"name\":\"\xc0\x80\"}".to_vec(),
        b"{\"name\":\"\xed\xa0\x80\"}".to_vec(),
        b"\xef\xbb\xbf{\"name\":[]}".to_vec(),
        "{\"name\":\"x\"}".encode_utf16().flat_map(u16::to_le_bytes).collect(),
        vec![b'['; 10_000],
        [vec![b'['; 10_000], vec![b']'; 10_000]].concat(),
        "{\"a\":".repeat(10_000).into_bytes(),
        format!("{{\"file_size\":{}}}", "9".repeat(100_000)).into_bytes(),
        br#"{"name":"x","metadata":{"n":1e400000},"title":7}"#.to_vec(),
        b"{\"name\":NaN}".to_vec(),
        b"{\"name\":1e400}".to_vec(),
        format!("{{{keys}\"name\":7,\"title\":7}}").into_bytes(),
        vec![b' '; 900_000],
        b"\0".to_vec(),
    ]
}

#[tokio::test]
async fn inp_2_11_17_no_body_of_any_form_is_a_server_error() {
    let app = TestApp::start().await;
    let user = app.owner_of(&app.a).await;
    let rows = fresh(&user, &app, "x").await;
    let before = everything_of(&app.operator, &app.b).await;
    // An object whose members mean nothing to a patch changes nothing.
    let is_object = |body: &[u8]| serde_json::from_slice::<Value>(body).is_ok_and(|value| value.is_object());
    let bodies: Vec<_> = bodies().into_iter().map(|body| (is_object(&body), body)).collect();
    for operation in operations(&app).iter().filter(|known| known.body().is_some()) {
        let path = path(operation, &rows);
        for (is_object, body) in &bodies {
            let answer =
                user.raw(&operation.method, &path, &[("Content-Type", "application/json")], Some(body)).await;
            assert!(
                *is_object || (400..500).contains(&answer.status),
                "{}: {answer} to {:?}",
                operation.id,
                String::from_utf8_lossy(&body[..body.len().min(60)])
            );
            is_coded(&answer);
        }
        for kind in [
            "text/plain",
            "application/xml",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencoded",
            "application/json; charset=utf-16",
            "",
            "json",
            "application/problem+json",
        ] {
            let answer = user.raw(&operation.method, &path, &[("Content-Type", kind)], Some(b"\0\xff")).await;
            // As a form it is sound, and names nobody.
            let names_nobody = kind.ends_with("form-urlencoded") && answer.status == 401;
            assert!(names_nobody || [400, 415].contains(&answer.status), "{kind}: {answer}");
        }
        for encoding in ["gzip", "br", "deflate", "identity, gzip", "x"] {
            let headers = [("Content-Type", "application/json"), ("Content-Encoding", encoding)];
            let answer = user.raw(&operation.method, &path, &headers, Some(b"\x1f\x8b\x08\0\0\0")).await;
            assert!([400, 413, 415].contains(&answer.status), "{encoding}: {answer}");
        }
        let huge = user
            .raw(
                &operation.method,
                &path,
                &[("Content-Type", "application/json")],
                Some(&vec![b'x'; 3 << 20]),
            )
            .await;
        let _ = huge.expect_problem(413, "too_large");
    }
    assert_eq!(everything_of(&app.operator, &app.b).await, before);
}

#[tokio::test]
async fn inp_3_4_5_8_9_10_no_value_of_any_parameter_is_a_server_error() {
    let app = TestApp::start().await;
    let user = app.owner_of(&app.a).await;
    let rows = fresh(&user, &app, "x").await;
    let mut tried = 0;
    for operation in operations(&app).iter().filter(|known| known.method == "GET") {
        let path = path(operation, &rows);
        let parameters = operation.parameters("query");
        for (name, _) in &parameters {
            for text in texts() {
                let answer = user.get(&format!("{path}?status=todo&{name}={}", encoded(&text))).await;
                is_coded(&answer);
                tried += 1;
            }
            for raw in ["%", "%zz", "%ff", "%c0%80", "%ed%a0%80", "+", "a=b=c", "&&&", "%00", "[]", "a;b"] {
                is_coded(&user.get(&format!("{path}?{name}={raw}")).await);
            }
            for header in operation.parameters("header") {
                is_coded(&user.with_header(&header.0, "\u{7f}\u{e9}\"'").get(&path).await);
            }
        }
    }
    assert!(tried > 3000, "{tried}");
}

#[tokio::test]
async fn inp_3_what_is_not_an_id_is_answered_like_an_unknown_one_on_every_route() {
    let app = TestApp::start().await;
    let user = app.owner_of(&app.a).await;
    for operation in operations(&app).iter().filter(|known| known.path.contains("{id}")) {
        for text in texts().iter().filter(|text| !text.is_empty()) {
            let path = operation.path.replace("{id}", &encoded(text));
            let body = operation.body().map(|_| json!({ "name": "x", "title": "x", "project": new_id() }));
            let answer = user.send(&operation.method, &path, body.as_ref()).await;
            assert!([400, 404, 414].contains(&answer.status), "{text:?}: {answer}");
        }
    }
}
