//! Requests that are broken off at any moment (TEN-30, F14): no connection goes back into the pool inside a transaction
//! or with a tenant set, so nobody ever sees another tenant's rows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::database;
use bulkhead_tests::http::{bytes_of, parse};
use bulkhead_tests::rows::Rows;
use bulkhead_tests::tenants::MARKER;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const REQUESTS: usize = 20_000;
const AT_ONCE: usize = 24;

/// A small generator (xorshift), so that a run can be repeated with its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// A request as one of the tenants, and the marker that may show in its answer.
#[derive(Clone)]
struct Sent {
    bytes: Vec<u8>,
    marker: String,
}

async fn requests(app: &TestApp) -> Vec<Sent> {
    let mut all = Vec::new();
    for tenant in [&app.a, &app.b] {
        let user = app.user_of(tenant).await;
        let rows = Rows::create(&user, tenant).await;
        let headers = vec![
            ("Authorization".to_owned(), format!("Bearer {}", user.token())),
            ("Content-Type".to_owned(), "application/json".to_owned()),
        ];
        let project = format!("/api/v1/projects/{}/", rows.id("projects"));
        let change = format!("{{\"description\":\"{}\"}}", tenant.marker);
        for (method, target, body) in [
            ("GET", "/api/v1/projects/", None),
            ("GET", "/api/v1/tasks/", None),
            ("GET", "/api/v1/documents/?page=1", None),
            ("GET", project.as_str(), None),
            ("GET", "/api/v1/projects/statistics/", None),
            ("PATCH", &project, Some(change.as_bytes())),
        ] {
            all.push(Sent { bytes: bytes_of(method, target, &headers, body), marker: tenant.marker.clone() });
        }
    }
    all
}

/// Sends a request and goes away at some moment, or stays for the answer; gives the status of an answer that came.
async fn one(app: &TestApp, sent: &Sent, dice: &mut Dice) -> Option<u16> {
    let mut stream = TcpStream::connect(app.server.address()).await.ok()?;
    stream.write_all(&sent.bytes).await.ok()?;
    let mut received = Vec::new();
    match dice.roll(4) {
        // At once.
        0 => return None,
        // After a moment within the usual time of an answer.
        1 => {
            let moment = Duration::from_micros(dice.roll(4000));
            let _ = tokio::time::timeout(moment, stream.read_to_end(&mut received)).await;
        }
        // After half of the answer.
        2 => {
            let mut some = vec![0; 64];
            let read = stream.read(&mut some).await.unwrap_or(0);
            received.extend_from_slice(&some[..read]);
        }
        _ => {
            let reading =
                tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut received)).await;
            reading.expect("an answer in time").ok()?;
        }
    }
    let text = String::from_utf8_lossy(&received);
    for (at, _) in text.match_indices(MARKER) {
        let found: String = text[at..].chars().take(sent.marker.len()).collect();
        assert!(sent.marker.starts_with(&found), "LEAK: {found} for {}: {text}", sent.marker);
    }
    parse(&received, false).map(|response| response.status)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_thousand_requests_broken_off_at_random_leave_no_transaction_behind_and_mix_no_tenants() {
    let app = Arc::new(Options::default().pool(2).own_database().start().await);
    let requests = Arc::new(requests(&app).await);
    let (done, over) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
    let watching = tokio::spawn(idle_transactions(app.urls.superuser_inside(), Arc::clone(&over)));
    let answered = Arc::<AtomicUsize>::default();
    let workers = (0..AT_ONCE).map(|number| {
        let (app, requests, done, answered) =
            (Arc::clone(&app), Arc::clone(&requests), Arc::clone(&done), Arc::clone(&answered));
        tokio::spawn(async move {
            let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (number as u64 + 1));
            while done.fetch_add(1, Ordering::Relaxed) < REQUESTS {
                let which = usize::try_from(dice.roll(requests.len() as u64)).expect("small");
                if let Some(status) = one(&app, &requests[which], &mut dice).await {
                    assert!([200, 409, 503].contains(&status), "{status}");
                    answered.fetch_add(usize::from(status == 200), Ordering::Relaxed);
                }
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.expect("no leak");
    }
    over.store(true, Ordering::Relaxed);
    let longest = watching.await.expect("watching");
    assert!(longest < 2.0, "a session was idle in a transaction for {longest} s");
    assert!(
        answered.load(Ordering::Relaxed) > REQUESTS / 10,
        "too few answers to say anything: {answered:?}"
    );
    for tenant in [&app.a, &app.b] {
        assert_eq!(app.user_of(tenant).await.get("/api/v1/projects/").await.expect(200).json()["count"], 1);
    }
    let metrics = app.anonymous().get("/metrics").await.expect(200).text();
    assert!(metrics.contains("bulkhead_rls_violation_total 0"), "{metrics}");
}

/// The longest time, in seconds, that a session of this database was seen idle in a transaction.
async fn idle_transactions(url: String, over: Arc<AtomicBool>) -> f64 {
    let session = database::connect(&url).await;
    let query =
        "select coalesce(max(extract(epoch from now() - state_change)), 0)::float8 from pg_stat_activity
        where datname = current_database() and state like 'idle in transaction%'";
    let mut longest: f64 = 0.0;
    while !over.load(Ordering::Relaxed) {
        longest = longest.max(session.query_one(query, &[]).await.expect("look").get(0));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    longest
}
