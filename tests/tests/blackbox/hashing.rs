//! What many log-ins at once leave to everybody else: hashing a password is dear, and it is bounded.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::poll::until;
use bulkhead_tests::tenants::{self, PASSWORD};
use futures_util::future::join_all;
use serde_json::json;

const PATH: &str = "/api/v1/auth/token/";

#[tokio::test]
async fn more_log_ins_than_can_be_hashed_are_turned_away_and_everything_else_goes_on() {
    let app = Options::default().set("auth.hash_permits", 1).set("auth.hash_queue", 2).start().await;
    let me = app.user_of(&app.a).await;
    let body =
        json!({ "tenant": app.a.slug, "username": app.a.member.username, "password": "wrong wrong wrong" });
    let crowd = app.anonymous().expecting_faults();
    let crowd = join_all((0..40).map(|_| crowd.post(PATH, &body)));
    let (crowd, while_it_lasts) = tokio::join!(crowd, me.get("/api/v1/projects/"));
    assert_eq!(while_it_lasts.status, 200);
    let refused = crowd.iter().filter(|answer| answer.status == 503).collect::<Vec<_>>();
    assert!(crowd.iter().all(|answer| [401, 503].contains(&answer.status)));
    assert!(!refused.is_empty() && refused.iter().all(|answer| answer.header("retry-after").is_some()));
}

#[tokio::test]
async fn while_other_requests_are_at_work_one_core_is_left_to_them() {
    let app = Options::default().set("auth.hash_wait_ms", 60_000).start().await;
    let reader = app.scoped(&app.a, &["read:projects"]);
    let slow_name = format!("slow-{}", new_id().simple());
    let email = format!("{slow_name}@example.test");
    let slow = tenants::add_user(&app.operator, app.a.id, &slow_name, &email, "member", PASSWORD).await;
    let update = "update bulkhead.user_credentials set password_hash = $2 where user_id = $1::text::uuid";
    let hash = "pbkdf2_sha256$2000000$seasalt$CWWFdHOWwPnki7HvkcqN9iA2T3KLW1cf2uZ5kvArtVY=";
    app.operator.execute(update, &[&slow.id.to_string(), &hash]).await.expect("set the hash");
    let answered = async |name: &str| {
        let body = json!({ "tenant": app.a.slug, "username": name, "password": "wrong wrong wrong" });
        let _refusal = app.anonymous().post(PATH, &body).await.expect(401);
        Instant::now()
    };

    let turns = available_parallelism().map_or(1, NonZeroUsize::get).saturating_sub(1).max(1);
    let all_slow = join_all((0..turns).map(|_| answered(&slow_name)));
    let one_fast = async {
        until("the slow ones to be compared", Duration::from_secs(30), async || {
            (passwords_hashed(&app).await >= turns).then_some(())
        })
        .await;
        answered(&app.a.member.username).await
    };
    let reading = async {
        // Often enough that the server is never quiet, and not so often that nobody else gets a core.
        let mut often = tokio::time::interval(Duration::from_millis(20));
        loop {
            often.tick().await;
            let _page = reader.get("/api/v1/projects/").await.expect(200);
        }
    };
    let (slow, fast) = tokio::select! {
        answers = async { tokio::join!(all_slow, one_fast) } => answers,
        () = reading => unreachable!("reading does not end"),
    };
    let first_of_slow = slow.iter().min().expect("at least one");
    assert!(fast > *first_of_slow, "it waited until one of the usual turns was free");
}

async fn passwords_hashed(app: &TestApp) -> usize {
    let metrics = app.anonymous().get("/metrics").await.expect(200).text();
    let line = metrics.lines().find_map(|line| line.strip_prefix("bulkhead_passwords_hashed_total "));
    line.and_then(|count| count.parse().ok()).expect("a count of hashed passwords")
}
