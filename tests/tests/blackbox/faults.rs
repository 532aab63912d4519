//! Faults of the world around the server (F1, F3, F7, F8, F15): what was acknowledged is there, what fails says 503, and all
//! is well again without a restart.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::Options;
use bulkhead_tests::client::Client;
use bulkhead_tests::cluster::Cluster;
use bulkhead_tests::database;
use bulkhead_tests::poll::until;
use bulkhead_tests::proxy::Mode;
use bulkhead_tests::rows::{Rows, id};
use bulkhead_tests::scratch::Scratch;
use futures_util::future::join_all;
use serde_json::json;

const PATH: &str = "/api/v1/projects/";

/// Creates projects until told to stop; gives the ids that were acknowledged, and how many attempts failed.
async fn create_until(client: Client, over: Arc<AtomicBool>) -> (Vec<String>, usize) {
    let (mut acknowledged, mut failed) = (Vec::new(), 0);
    while !over.load(Ordering::Relaxed) {
        let answer = client.post(PATH, &json!({ "name": new_id().to_string() })).await;
        match answer.status {
            201 => acknowledged.push(id(&answer.json()).to_owned()),
            503 => {
                assert!(answer.header("retry-after").is_some(), "{answer}");
                failed += 1;
            }
            status => panic!("{status}: {answer}"),
        }
    }
    (acknowledged, failed)
}

async fn all_there(client: &Client, acknowledged: &[String]) {
    for id in acknowledged {
        assert_eq!(
            client.get(&format!("{PATH}{id}/")).await.status,
            200,
            "{id} was acknowledged and is gone"
        );
    }
}

async fn recovers(client: &Client) {
    let start = Instant::now();
    until("recovery", Duration::from_secs(10), async || (client.get(PATH).await.status == 200).then_some(()))
        .await;
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
}

/// The process id of the server whose files are below `folder`.
fn postmaster(folder: &Path, socket: &Path) -> String {
    let beside = socket.parent().and_then(Path::parent).map(|cluster| cluster.join("data/postmaster.pid"));
    let below = folder.join("postgres/cluster/data/postmaster.pid");
    let text =
        [beside, Some(below)].into_iter().flatten().find_map(|path| std::fs::read_to_string(path).ok());
    text.expect("a running server").lines().next().expect("a process id").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f1_a_restart_of_postgresql_under_load_loses_nothing_that_was_acknowledged() {
    let folder = Scratch::new("restart");
    let cluster = Arc::new(Cluster::start(folder.path()));
    let app = Options::default().cluster(Arc::clone(&cluster)).start().await;
    let client = app.user_of(&app.a).await.expecting_faults();
    let over = Arc::<AtomicBool>::default();
    let load: Vec<_> =
        (0..4).map(|_| tokio::spawn(create_until(client.clone(), Arc::clone(&over)))).collect();
    until("some writes", Duration::from_secs(10), async || {
        (client.get(PATH).await.json()["count"].as_i64()? > 20).then_some(())
    })
    .await;
    // SIGQUIT: an immediate shutdown, with crash recovery at the next start.
    let pid = postmaster(folder.path(), &cluster.urls().socket());
    assert!(Command::new("kill").args(["-QUIT", &pid]).status().expect("run kill").success());
    until("the fall", Duration::from_secs(10), async || (client.get(PATH).await.status == 503).then_some(()))
        .await;
    assert_eq!(app.anonymous().get("/health/live").await.status, 200);
    let path = folder.path().to_path_buf();
    let again =
        tokio::task::spawn_blocking(move || Cluster::start(&path)).await.expect("start PostgreSQL again");
    recovers(&client).await;
    over.store(true, Ordering::Relaxed);
    let mut failures = 0;
    for worker in load {
        let (acknowledged, failed) = worker.await.expect("only 201 and 503");
        all_there(&client, &acknowledged).await;
        failures += failed;
    }
    assert!(failures > 0, "the restart was felt");
    drop(app);
    drop((again, cluster));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f3_sessions_that_are_terminated_again_and_again_are_replaced() {
    let app = Options::default().own_database().start().await;
    let client = app.user_of(&app.a).await.expecting_faults();
    let over = Arc::<AtomicBool>::default();
    let load: Vec<_> =
        (0..3).map(|_| tokio::spawn(create_until(client.clone(), Arc::clone(&over)))).collect();
    let superuser = database::connect(&app.urls.superuser_inside()).await;
    let terminate = "select count(pg_terminate_backend(pid)) from pg_stat_activity
        where datname = current_database() and usename in ('bulkhead_app', 'bulkhead_auth')";
    let mut terminated: i64 = 0;
    for _ in 0..20 {
        terminated += superuser.query_one(terminate, &[]).await.expect("terminate").get::<_, i64>(0);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    recovers(&client).await;
    over.store(true, Ordering::Relaxed);
    assert!(terminated > 10, "{terminated}");
    for worker in load {
        let (acknowledged, _) = worker.await.expect("only 201 and 503");
        assert!(!acknowledged.is_empty());
        all_there(&client, &acknowledged).await;
    }
}

#[tokio::test]
async fn f7_a_write_whose_reply_was_lost_is_retried_with_its_key_to_one_result() {
    let app = Options::default().pool(1).through_proxy().start().await;
    let client = app.user_of(&app.a).await.expecting_faults();
    assert_eq!(client.get(PATH).await.status, 200);
    let keyed = client.with_header("Idempotency-Key", &new_id().to_string());
    let body = json!({ "name": "once" });
    app.proxy().set(Mode::DropReply);
    let lost = keyed.post(PATH, &body).await;
    assert_eq!(lost.status, 503, "{lost}");
    app.proxy().set(Mode::Pass);
    until("the retry", Duration::from_secs(10), async || {
        (keyed.post(PATH, &body).await.status == 201).then_some(())
    })
    .await;
    assert_eq!(client.get(PATH).await.expect(200).json()["count"], 1);
}

#[tokio::test]
async fn f8_with_every_connection_taken_the_answer_is_503_in_time_and_what_needs_none_goes_on() {
    let app = Options::default().pool(2).own_database().set("database.acquire_timeout_ms", 300).start().await;
    let (of_a, of_b) =
        (app.user_of(&app.a).await.expecting_faults(), app.user_of(&app.b).await.expecting_faults());
    let mut superuser = database::connect(&app.urls.superuser_inside()).await;
    let lock = superuser.transaction().await.expect("begin");
    lock.batch_execute("lock table bulkhead.projects in access exclusive mode").await.expect("lock");
    let start = Instant::now();
    let crowd = join_all((0..8).map(|number| if number % 2 == 0 { of_a.get(PATH) } else { of_b.get(PATH) }));
    let meanwhile = async {
        for (client, path, status) in [
            (&app.anonymous(), PATH, 401),
            (&of_a, "/nothing", 404),
            (&of_a, "/health/live", 200),
            (&of_a, "/metrics", 200),
            (&of_a.with_token("garbage", None), PATH, 401),
        ] {
            let answer = client.get(path).await.expect(status);
            assert!(answer.took < Duration::from_millis(950), "{path} took {:?}", answer.took);
        }
        assert_eq!(of_a.delete(PATH).await.status, 405);
    };
    let (crowd, ()) = tokio::join!(crowd, meanwhile);
    for answer in &crowd {
        assert!(answer.status == 503 && answer.header("retry-after").is_some(), "{answer}");
    }
    assert!(
        crowd.iter().any(|answer| answer.status == 503 && answer.took < Duration::from_millis(2500)),
        "who waits for a connection is told soon"
    );
    assert!(start.elapsed() < Duration::from_secs(10));
    lock.rollback().await.expect("unlock");
    recovers(&of_a).await;
    recovers(&of_b).await;
}

#[tokio::test]
async fn f8_a_tenant_whose_rows_are_locked_does_not_take_every_connection_from_the_others() {
    let app = Options::default().pool(3).own_database().start().await;
    let (of_a, of_b) = (app.user_of(&app.a).await.expecting_faults(), app.user_of(&app.b).await);
    let rows = Rows::create(&of_a, &app.a).await;
    let mut superuser = database::connect(&app.urls.superuser_inside()).await;
    let lock = superuser.transaction().await.expect("begin");
    lock.batch_execute("select from bulkhead.projects for update").await.expect("lock A's rows");
    let path = format!("{PATH}{}/", rows.id("projects"));
    let (body, stuck) = (json!({ "description": "x" }), Arc::<AtomicBool>::default());
    let crowd = async {
        let answers = join_all((0..12).map(|_| of_a.patch(&path, &body))).await;
        stuck.store(true, Ordering::Relaxed);
        answers
    };
    let others = async {
        let mut served = 0;
        while !stuck.load(Ordering::Relaxed) {
            let answer = of_b.get(PATH).await.expect(200);
            assert!(answer.took < Duration::from_millis(1500), "B waited {:?}", answer.took);
            served += 1;
        }
        served
    };
    let (answers, served) = tokio::join!(crowd, others);
    assert!(answers.iter().all(|answer| [409, 503].contains(&answer.status)));
    assert!(served > 20, "{served}");
    lock.rollback().await.expect("unlock");
    assert_eq!(of_a.patch(&path, &body).await.status, 200);
}

#[tokio::test]
async fn f15_sigterm_lets_requests_under_way_finish_and_ends_well() {
    let mut app = Options::default().own_database().start().await;
    let client = app.user_of(&app.a).await;
    let mut superuser = database::connect(&app.urls.superuser_inside()).await;
    let lock = superuser.transaction().await.expect("begin");
    lock.batch_execute("lock table bulkhead.projects in share mode").await.expect("lock");
    let waiting = {
        let client = client.expecting_faults();
        tokio::spawn(async move { client.post(PATH, &json!({ "name": "under way" })).await })
    };
    let observer = database::connect(&app.urls.superuser_inside()).await;
    let query = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    until("the request to wait", Duration::from_secs(5), async || {
        (observer.query_one(query, &[]).await.expect("look").get::<_, i64>(0) > 0).then_some(())
    })
    .await;
    app.server.signal("TERM");
    let ready = app.anonymous().expecting_faults();
    until("readiness to end", Duration::from_secs(5), async || {
        match ready.try_raw("GET", "/health/ready", &[], None).await {
            Ok(answer) => (answer.status == 503).then_some(()),
            // It takes no new connections any more.
            Err(_) => Some(()),
        }
    })
    .await;
    lock.rollback().await.expect("unlock");
    assert_eq!(waiting.await.expect("an answer").status, 201, "it was under way");
    assert!(app.server.wait(Duration::from_secs(15)).success());
    app.restart().await;
    let client = app.user_of(&app.a).await;
    assert_eq!(client.get(PATH).await.expect(200).json()["count"], 1);
}

#[tokio::test]
async fn f15_while_it_drains_the_server_says_so_and_goes_on_working() {
    let mut app = Options::default().set("server.drain_seconds", 3).start().await;
    let client = app.user_of(&app.a).await;
    app.server.signal("TERM");
    let ready = app.anonymous().expecting_faults();
    until("readiness to end", Duration::from_secs(2), async || {
        let answer = ready.get("/health/ready").await;
        (answer.status == 503 && answer.json()["status"] == "stopping").then_some(())
    })
    .await;
    assert_eq!(client.get(PATH).await.status, 200, "a load balancer that has not noticed yet harms nobody");
    assert!(app.server.wait(Duration::from_secs(15)).success());
}
