//! The operator's commands about tenants' hosts, trial and paid time, run as an operator runs them.

use std::time::Duration;

use bulkhead_domain::clock::now;
use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::TestApp;
use bulkhead_tests::binary::{self, Outcome};
use bulkhead_tests::cluster::Cluster;
use bulkhead_tests::database::{OwnDatabase, environment};
use bulkhead_tests::tenants::PASSWORD;
use serde_json::{Value, json};

fn run(app: &TestApp, arguments: &[&str]) -> Outcome {
    let mut command = binary::command(arguments);
    command.envs(environment(&app.urls));
    binary::run(command, "")
}

/// The document of a command that must succeed.
fn done(app: &TestApp, arguments: &[&str]) -> Value {
    let outcome = run(app, &[&["--json"], arguments].concat());
    assert_eq!(outcome.code, Some(0), "{arguments:?}: {outcome:?}");
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome:?}"))
}

fn refused(app: &TestApp, arguments: &[&str], code: i32, why: &str) {
    let outcome = run(app, arguments);
    assert_eq!(outcome.code, Some(code), "{arguments:?}: {outcome:?}");
    assert!(outcome.stderr.contains(why) && outcome.stdout.is_empty(), "{outcome:?}");
    let outcome = run(app, &[&["--json"], arguments].concat());
    assert_eq!((outcome.code, outcome.stdout.starts_with('{')), (Some(code), code == 1), "{outcome:?}");
}

/// A host that no other test has.
fn host(word: &str) -> String {
    format!("{word}-{}.test", &new_id().simple().to_string()[20..])
}

/// The tenant's hosts as they are listed: the primary one first.
fn hosts(app: &TestApp, slug: &str) -> Vec<(String, bool)> {
    let listed = done(app, &["list-domains", "--tenant", slug]);
    let all = listed["domains"].as_array().expect("a list");
    assert_eq!(listed["count"], all.len());
    assert!(all.iter().all(|one| one["tenant"] == slug), "{listed}");
    all.iter()
        .map(|one| (one["domain"].as_str().expect("a host").to_owned(), one["is_primary"] == true))
        .collect()
}

/// What the audit trail has of the tenant's hosts.
async fn trail(app: &TestApp) -> Vec<(String, Value)> {
    let select = "select action, target::text, actor_kind from bulkhead.audit_log where tenant_id = $1::text::uuid and action like 'domain.%'
        order by id";
    let rows = app.operator.query(select, &[&app.a.id.to_string()]).await.expect("read the trail");
    assert!(rows.iter().all(|row| row.get::<_, &str>(2) == "operator"));
    let parsed = |text: &str| serde_json::from_str(text).expect("JSON");
    rows.iter().map(|row| (row.get(0), parsed(row.get(1)))).collect()
}

#[tokio::test]
async fn a_tenant_keeps_exactly_one_primary_host_for_as_long_as_it_has_any() {
    let app = TestApp::start().await;
    let (slug, first) = (app.a.slug.as_str(), app.a.host.clone());
    let (second, third) = (host("second"), host("third"));
    let added = done(&app, &["add-domain", "--tenant", slug, "--domain", &second.to_uppercase()]);
    assert_eq!((&added["domain"], &added["is_primary"]), (&json!(second), &json!(false)));
    let _ =
        done(&app, &["create_domain", "--tenant", &app.a.id.to_string(), "--domain", &third, "--primary"]);
    let primary = |name: &String| (name.clone(), true);
    let other = |name: &String| (name.clone(), false);
    let sorted = |mut names: Vec<(String, bool)>| {
        names.sort_by_key(|(name, is_primary)| (!is_primary, name.clone()));
        names
    };
    assert_eq!(hosts(&app, slug), sorted(vec![primary(&third), other(&first), other(&second)]));
    // Again, with the place and without: nothing but the place changes, and only the first time.
    for _ in 0..2 {
        let again = done(&app, &["add-domain", "--tenant", slug, "--domain", &second, "--primary"]);
        assert_eq!(again["is_primary"], true);
        let again = done(&app, &["add-domain", "--tenant", slug, "--domain", &second]);
        assert_eq!(again["is_primary"], true);
    }
    let removed = done(&app, &["remove-domain", "--domain", &second]);
    assert_eq!(removed, json!({ "domain": second, "tenant": slug, "primary_now": first }), "the oldest");
    let removed = done(&app, &["delete_domain", "--domain", &third]);
    assert_eq!(removed["primary_now"], Value::Null, "it was not the primary one");
    assert_eq!(hosts(&app, slug), [primary(&first)]);
    let removed = done(&app, &["remove-domain", "--domain", &first]);
    assert_eq!(removed["primary_now"], Value::Null);
    assert_eq!(hosts(&app, slug), []);
    let added = done(&app, &["add-domain", "--tenant", slug, "--domain", &third]);
    assert_eq!(added["is_primary"], true, "the first is the primary one");
    let deeds = ["add", "add", "make_primary", "remove", "remove", "remove", "add"];
    let trail = trail(&app).await;
    let actions: Vec<&str> = trail.iter().map(|(action, _)| action.as_str()).collect();
    assert_eq!(actions, deeds.map(|deed| format!("domain.{deed}")));
    assert_eq!(trail[3].1, json!({ "domain": second, "primary_now": first }));
}

#[tokio::test]
async fn a_host_that_is_none_or_is_taken_or_is_nobodys_is_refused_and_nothing_changes() {
    let app = TestApp::start().await;
    let (slug, fresh) = (app.a.slug.as_str(), host("fresh"));
    for bad in [
        "https://a.test",
        "a.test:80",
        "a.test/x",
        "a_b.test",
        "-a.test",
        "",
        "a b",
        "münchen.test",
        "*.test",
    ] {
        refused(&app, &["add-domain", "--tenant", slug, &format!("--domain={bad}")], 1, "is not a host name");
    }
    for taken in [app.b.host.clone(), format!(" {}. ", app.b.host.to_uppercase())] {
        let arguments = ["add-domain", "--tenant", slug, "--domain", &taken, "--primary"];
        refused(&app, &arguments, 1, "belongs to a tenant already");
    }
    refused(&app, &["add-domain", "--tenant", "no-such-tenant", "--domain", &fresh], 1, "no such tenant");
    refused(&app, &["list-domains", "--tenant", "no-such-tenant"], 1, "no such tenant");
    refused(&app, &["remove-domain", "--domain", &fresh], 1, "no tenant has this domain");
    refused(&app, &["add-domain", "--tenant", slug], 2, "--domain");
    assert_eq!(hosts(&app, slug), [(app.a.host.clone(), true)]);
    assert_eq!(hosts(&app, &app.b.slug), [(app.b.host.clone(), true)]);
    assert_eq!(trail(&app).await, []);
}

#[tokio::test]
async fn of_hosts_that_are_added_and_removed_at_once_one_is_the_primary() {
    let app = TestApp::start().await;
    let slug = app.a.slug.as_str();
    let names: Vec<String> = (0..4).map(|number| host(&format!("n{number}"))).collect();
    std::thread::scope(|scope| {
        for name in &names {
            let add = || run(&app, &["add-domain", "--tenant", slug, "--domain", name, "--primary"]);
            scope.spawn(move || assert_eq!(add().code, Some(0), "{:?}", add()));
        }
        let first = || run(&app, &["remove-domain", "--domain", &app.a.host]);
        scope.spawn(move || assert_eq!(first().code, Some(0)));
    });
    let left = hosts(&app, slug);
    assert_eq!(left.len(), 4);
    assert_eq!(left.iter().filter(|(_, is_primary)| *is_primary).count(), 1, "{left:?}");
}

#[tokio::test]
async fn whoever_is_sent_to_an_added_host_logs_in_there_without_naming_the_tenant() {
    let app = TestApp::start().await;
    let added = host("login");
    let _ = done(&app, &["add-domain", "--tenant", &app.a.slug, "--domain", &added]);
    let body = json!({ "username": app.a.member.username, "password": PASSWORD });
    let there = app.anonymous().with_header("Host", &added);
    let tokens = there.post("/api/v1/auth/token/", &body).await.expect(200).json();
    let token = tokens["access"].as_str().expect("a token");
    let me = app.with_token(token, &app.a).with_header("Host", &added).get("/api/v1/auth/me/").await;
    assert_eq!(me.expect(200).json()["tenant_slug"], app.a.slug);
    let of_b = app.user_of(&app.b).await.with_header("Host", &added);
    let _ = of_b.get("/api/v1/projects/").await.expect_problem(403, "cross_tenant_access");
    let _ = done(&app, &["remove-domain", "--domain", &added]);
    let _ = there.post("/api/v1/auth/token/", &body).await.expect(401);
    // A server that has not heard of the host yet; the other one forgets it within its time.
    let fresh = app.launch.start().expect("another server");
    let of_b = app.anonymous_at(&fresh).with_token(of_b.token(), Some(&app.b.marker));
    assert_eq!(of_b.with_header("Host", &added).get("/api/v1/projects/").await.status, 200, "it is nobody's");
}

#[tokio::test]
async fn an_operator_changes_what_is_given_of_a_tenant_and_nothing_else() {
    let app = TestApp::start().await;
    let slug = app.a.slug.as_str();
    let owner = app.owner_of(&app.a).await;
    let see = async || owner.get("/api/v1/tenant/").await.expect(200).json();
    let before = see().await;
    let set = |more: &[&str]| done(&app, &[&["set-tenant", "--tenant", slug], more].concat());
    let changed = set(&["--on-trial", "false", "--paid-until", "2031-02-28"]);
    assert_eq!(changed, see().await);
    assert_eq!((&changed["on_trial"], &changed["paid_until"]), (&json!(false), &json!("2031-02-28")));
    assert_eq!((&changed["name"], &changed["settings"]), (&before["name"], &before["settings"]));
    let changed = set(&["--name", "Acme", "--registration", "open", "--settings", r#"{"theme": "dark"}"#]);
    assert_eq!((&changed["name"], &changed["registration"]), (&json!("Acme"), &json!("open")));
    assert_eq!(
        (&changed["settings"], &changed["paid_until"]),
        (&json!({ "theme": "dark" }), &json!("2031-02-28"))
    );
    assert_eq!(set(&["--paid-until", "none", "--on-trial", "true"])["paid_until"], Value::Null);
    let trail = owner.get("/api/v1/audit/?action=tenant.change").await.expect(200).json();
    assert_eq!((&trail["count"], &trail["results"][0]["actor_kind"]), (&json!(3), &json!("operator")));
    assert_eq!(trail["results"][2]["target"]["changed"], json!(["on_trial", "paid_until"]));
    for (wrong, why) in [
        (vec![], "required"),
        (vec!["--paid-until", "2031-02-30"], "YYYY-MM-DD"),
        (vec!["--on-trial", "perhaps"], "true"),
        (vec!["--settings", "[]"], "JSON object"),
        (vec!["--settings", "{"], "EOF"),
        (vec!["--registration", "maybe"], "closed, invite or open"),
        (vec!["--name", " "], "blank"),
    ] {
        refused(&app, &[&["set-tenant", "--tenant", slug], &wrong[..]].concat(), 2, why);
    }
    refused(&app, &["set-tenant", "--tenant", "no-such-tenant", "--name", "x"], 1, "no such tenant");
}

#[test]
fn tenants_are_suspended_for_what_they_owe_when_somebody_says_so_and_never_before() {
    let own = OwnDatabase::create(&Cluster::shared());
    let json = |arguments: &[&str]| -> Value {
        let outcome =
            binary::run(own.command(&[&["--json"], arguments].concat()), "correct horse battery staple\n");
        assert_eq!(outcome.code, Some(0), "{arguments:?}: {outcome:?}");
        serde_json::from_str(&outcome.stdout).expect("JSON")
    };
    let day = |days: i64| {
        let time = Duration::from_secs(86_400) * u32::try_from(days.abs()).expect("few");
        (if days < 0 { now() - time } else { now() + time }).date_naive().to_string()
    };
    for (slug, paid_until) in [
        ("overdue", Some(day(-1))),
        ("long-overdue", Some(day(-400))),
        ("paid", Some(day(1))),
        ("free", None),
    ] {
        let email = format!("anna@{slug}.test");
        let mut arguments =
            vec!["create-tenant", "--slug", slug, "--admin-username", "anna", "--admin-email", &email];
        arguments.extend(["--password-stdin", "--on-trial", "false"]);
        arguments.extend(paid_until.iter().flat_map(|day| ["--paid-until", day.as_str()]));
        let made = json(&arguments);
        assert_eq!((&made["on_trial"], &made["paid_until"]), (&json!(false), &json!(paid_until)));
    }
    let status = || -> Vec<String> {
        let listed = json(&["list-tenants"]);
        let all = listed["tenants"].as_array().expect("a list").clone();
        all.iter().map(|one| format!("{} {}", one["slug"], one["status"]).replace('"', "")).collect()
    };
    let untouched = ["free active", "long-overdue active", "overdue active", "paid active"];
    assert_eq!(status(), untouched, "nothing happens by itself");
    let slugs = |document: &Value| -> Vec<String> {
        let all = document["tenants"].as_array().expect("a list");
        all.iter().map(|one| one["slug"].as_str().expect("a slug").to_owned()).collect()
    };
    let looked = json(&["suspend-overdue", "--dry-run"]);
    assert_eq!(
        (slugs(&looked), &looked["dry_run"]),
        (vec!["long-overdue".into(), "overdue".into()], &json!(true))
    );
    assert_eq!(status(), untouched, "looking changes nothing");
    let done = json(&["suspend_overdue"]);
    assert_eq!((slugs(&done), &done["dry_run"]), (slugs(&looked), &json!(false)));
    assert_eq!(status(), ["free active", "long-overdue suspended", "overdue suspended", "paid active"]);
    assert_eq!(json(&["suspend-overdue"])["count"], 0, "who is suspended is not suspended again");
    let _ = json(&["set-tenant", "--tenant", "overdue", "--paid-until", &day(0)]);
    let _ = json(&["resume-tenant", "--tenant", "overdue"]);
    assert_eq!(json(&["suspend-overdue"])["count"], 0, "the last paid day is paid");
}
