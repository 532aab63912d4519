//! What the older systems' people and frontends bring along: their hashes, and the paths that they call.

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::binary::{self, Outcome};
use bulkhead_tests::database::environment;
use serde_json::json;

/// Hashes as Django's `make_password` makes them.
fn django_hash(password: &str) -> String {
    use aws_lc_rs::pbkdf2;
    use base64::Engine as _;
    let (salt, rounds) = ("pepperpepper", std::num::NonZeroU32::new(20_000).expect("rounds"));
    let mut out = [0_u8; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt.as_bytes(), password.as_bytes(), &mut out);
    format!("pbkdf2_sha256${rounds}${salt}${}", base64::engine::general_purpose::STANDARD.encode(out))
}

fn import(app: &TestApp, arguments: &[&str], file: &str) -> Outcome {
    let words = ["import-users", "--tenant", &app.a.slug].into_iter().chain(arguments.iter().copied());
    let mut command = binary::command(&words.chain(["-"]).collect::<Vec<_>>());
    command.envs(environment(&app.urls));
    binary::run(command, file)
}

#[tokio::test]
async fn people_are_imported_with_their_hashes_all_of_them_or_none() {
    let app = TestApp::start().await;
    let tail = new_id().simple().to_string();
    let (anna, bob) = (format!("anna-{tail}"), format!("bob-{tail}"));
    let hash = django_hash("correct horse battery");
    let table = format!(
        "id,username,email,password,role,is_active\n1,{anna},{anna}@example.test,{hash},viewer,True\n2,{bob},{bob}@example.test,{hash},,False\n"
    );
    let log_in = async |name: &str| {
        let body = json!({ "tenant": app.a.slug, "username": name, "password": "correct horse battery" });
        app.anonymous().post("/api/v1/auth/token/", &body).await
    };
    let rehearsed = import(&app, &["--format", "csv", "--dry-run"], &table);
    assert_eq!(rehearsed.code, Some(0), "{rehearsed:?}");
    assert_eq!(log_in(&anna).await.status, 401, "a rehearsal changes nothing");

    let wrong = format!("{table}3,{anna},else-{tail}@example.test,{hash},,True\n");
    let refused = import(&app, &["--format", "csv"], &wrong);
    assert!(refused.code == Some(1) && refused.stderr.contains("row 4"), "{refused:?}");
    assert!(!refused.stderr.contains("pepperpepper"), "no hash is quoted: {refused:?}");
    assert_eq!(log_in(&anna).await.status, 401, "none of them");

    for hash in [
        "$argon2id$rubbish",
        "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQxMjM0$qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo",
    ] {
        let dear = format!("{table}3,\"x-{tail}\",x-{tail}@example.test,\"{hash}\",,True\n");
        let refused = import(&app, &["--format", "csv"], &dear);
        assert!(refused.code == Some(1) && refused.stderr.contains("row 4"), "{hash}: {refused:?}");
    }
    let done = import(&app, &["--format", "csv", "--json"], &table);
    assert_eq!(done.code, Some(0), "{done:?}");
    let tokens = log_in(&anna).await.expect(200).json();
    let me = app.with_token(tokens["access"].as_str().expect("a token"), &app.a);
    assert_eq!(me.get("/api/v1/auth/me/").await.expect(200).json()["role"], "viewer");
    assert_eq!(log_in(&bob).await.status, 401, "he was not active there either");
    let again = import(&app, &["--format", "csv", "--skip-existing", "--json"], &table);
    assert!(again.code == Some(0) && again.stdout.contains("\"skipped\": 2"), "{again:?}");
}

#[tokio::test]
async fn paths_of_older_systems_are_served_where_the_operator_says_so() {
    let app = Options::default().set("compat.aliases", true).start().await;
    let user = &app.a.member;
    let body = json!({ "tenant": app.a.slug, "username": user.username, "password": user.password });
    for path in ["/auth/login/", "/auth/login", "/api/token/"] {
        let tokens = app.anonymous().post(path, &body).await.expect(200).json();
        let me = app.with_token(tokens["access"].as_str().expect("a token"), &app.a);
        assert_eq!(me.get("/api/profile/").await.expect(200).json()["username"], json!(user.username));
        let refresh = json!({ "refresh": tokens["refresh"] });
        assert_eq!(app.anonymous().post("/api/token/refresh/", &refresh).await.status, 200);
        assert_eq!(me.send("POST", "/auth/logout/", None).await.status, 200);
        assert_eq!(me.get("/api/profile/").await.status, 401);
    }
    let _ = app.anonymous().post("/auth/signup/", &json!({})).await.expect_problem(400, "invalid");

    let without = TestApp::start().await;
    for path in ["/auth/login/", "/api/token/", "/api/profile/"] {
        let _ = without.anonymous().get(path).await.expect_problem(404, "not_found");
    }
}
