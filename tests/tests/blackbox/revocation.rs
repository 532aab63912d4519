//! What ends a client's tokens, on the server that did it and on the others; that knowing of it costs no request a look into
//! the database; and what happens when nobody can know.

use std::time::{Duration, Instant};

use bulkhead_tests::app::Options;
use bulkhead_tests::client::Client;
use bulkhead_tests::machine::Machine;
use bulkhead_tests::oauth::{REVOKE, World, post_form};
use bulkhead_tests::poll::until;
use bulkhead_tests::proxy::Mode;
use bulkhead_tests::rows::Rows;
use bulkhead_tests::scratch::Scratch;
use bulkhead_tests::server::Server;
use bulkhead_tests::statements::{Counted, Statements};
use bulkhead_tests::tenants::Tenant;
use serde_json::json;

const PATH: &str = "/api/v1/projects/";
/// Servers ask four times a second; the rest is for a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whoever presents this token, at another server.
fn at(world: &World, server: &Server, token: &str, tenant: &Tenant) -> Client {
    world.anonymous_at(server).with_token(token, Some(&tenant.marker))
}

async fn ends(client: &Client, what: &str) {
    let start = Instant::now();
    until(what, PATIENCE, async || (client.get(PATH).await.status == 401).then_some(())).await;
    println!("{what}: refused by the other server after {:?}", start.elapsed());
}

/// Does a deed that ends a client's tokens, at the first server.
async fn deed(world: &World, deed: &str, machine: &Machine, token: &str) {
    let admin = world.admin(&world.a).await;
    let answer = match deed {
        "delete" => admin.delete(&machine.path("")).await,
        "retire" => {
            let secrets = admin.get(&machine.path("secrets/")).await.expect(200).json();
            let body = json!({ "secret": secrets[0]["id"], "force": true });
            admin.post(&machine.path("retire-secret/"), &body).await
        }
        "rotate" => admin.post(&machine.path("secrets/"), &json!({ "overlap_seconds": 0 })).await,
        "patch of roles" => admin.patch(&machine.path(""), &json!({ "roles": ["read"] })).await,
        "patch of networks" => {
            admin.patch(&machine.path(""), &json!({ "allowed_ips": ["127.0.0.0/8"] })).await
        }
        "revocation of one token" => {
            let pairs = [&machine.form()[..], &[("token", token)]].concat();
            post_form(&world.anonymous(), REVOKE, &pairs).await
        }
        other => admin.send("POST", &machine.path(other), None).await,
    };
    assert!([200, 201, 204].contains(&answer.status), "{answer}");
}

#[tokio::test]
async fn cli_5_what_ends_a_token_is_obeyed_by_the_next_request_here_and_soon_by_every_other_server() {
    let world = World::usual().await;
    let second = world.another_server().await;
    let (bystander, of_b) = (world.worker(&world.a).await, world.worker(&world.b).await);
    let others = [
        (world.token(&bystander).await, &world.a),
        (world.token(&of_b).await, &world.b),
        (world.user_of(&world.a).await.token().to_owned(), &world.a),
    ];
    for what in [
        "disable/",
        "delete",
        "retire",
        "rotate",
        "revoke-tokens/",
        "patch of roles",
        "patch of networks",
        "revocation of one token",
    ] {
        let machine = world.worker(&world.a).await;
        let (token, sibling) = (world.token(&machine).await, world.token(&machine).await);
        let (here, there) = (world.with_token(&token, &world.a), at(&world, &second, &token, &world.a));
        assert_eq!((here.get(PATH).await.status, there.get(PATH).await.status), (200, 200));
        deed(&world, what, &machine, &token).await;
        let _ = here.get(PATH).await.expect_problem(401, "token_not_valid");
        ends(&there, what).await;
        let sibling_lives = what == "revocation of one token";
        for client in [world.with_token(&sibling, &world.a), at(&world, &second, &sibling, &world.a)] {
            assert_eq!(client.get(PATH).await.status, if sibling_lives { 200 } else { 401 }, "{what}");
        }
        // Enabled again or not, a token from before stays dead.
        if what == "disable/" {
            deed(&world, "enable/", &machine, &token).await;
            assert_eq!(here.get(PATH).await.status, 401);
            let fresh = world.token(&machine).await;
            for client in [world.with_token(&fresh, &world.a), at(&world, &second, &fresh, &world.a)] {
                assert_eq!(client.get(PATH).await.status, 200);
            }
        }
        for (token, tenant) in &others {
            for client in [world.with_token(token, tenant), at(&world, &second, token, tenant)] {
                assert_eq!(client.get(PATH).await.status, 200, "{what} ended a bystander's token");
            }
        }
    }
}

#[tokio::test]
async fn a_suspended_tenants_clients_are_refused_everywhere_and_their_old_tokens_stay_dead() {
    let world = World::usual().await;
    let second = world.another_server().await;
    let (of_a, of_b) = (world.worker(&world.a).await, world.worker(&world.b).await);
    let (token_of_a, token_of_b) = (world.token(&of_a).await, world.token(&of_b).await);
    let actors = [world.with_token(&token_of_a, &world.a), at(&world, &second, &token_of_a, &world.a)];
    world.suspend(&world.a, true);
    for actor in &actors {
        ends(actor, "the suspension").await;
    }
    assert_eq!(world.ask(&of_a, &[]).await.status, 401);
    world.suspend(&world.a, false);
    let fresh = world.token(&of_a).await;
    for actor in &actors {
        assert_eq!(actor.get(PATH).await.status, 401);
    }
    assert_eq!(world.status(&world.a, &fresh).await, 200);
    for client in [world.with_token(&token_of_b, &world.b), at(&world, &second, &token_of_b, &world.b)] {
        assert_eq!(client.get(PATH).await.status, 200);
    }
}

#[tokio::test]
async fn a_clients_request_reads_its_row_and_nothing_about_clients_tenants_or_revocations() {
    const REQUESTS: i64 = 200;
    let folder = Scratch::new("statements");
    let (cluster, statements) = Statements::cluster(folder.path()).await;
    let world = World::start(Options::default().cluster(cluster).pool(1)).await;
    let machine = world.worker(&world.a).await;
    let actor = world.with_token(&world.token(&machine).await, &world.a);
    let rows = Rows::create(&actor, &world.a).await;
    // So that there is something to look up.
    for what in ["disable/", "revoke-tokens/", "revocation of one token"] {
        let other = world.worker(&world.a).await;
        let token = world.token(&other).await;
        deed(&world, what, &other, &token).await;
    }
    let target = format!("{PATH}{}/", rows.id("projects"));
    let _ = actor.get(&target).await.expect(200);
    let start = Instant::now();
    statements.reset().await;
    for _ in 0..REQUESTS {
        let _ = actor.get(&target).await.expect(200);
    }
    let counted = statements.counted().await;
    // Servers ask every 250 ms at the most. What clients did is written every second, in two transactions of this tenant's: some
    // statements, such as COMMIT, are of both.
    let elapsed = i64::try_from(start.elapsed().as_millis()).expect("not that long");
    let by_the_clock = (elapsed / 250 + 2) + 2 * (elapsed / 1000 + 1);
    let is_transaction = |one: &&Counted| one.role == "bulkhead_app" && one.calls == REQUESTS;
    let (once_each, others): (Vec<_>, Vec<_>) = counted.iter().partition(is_transaction);
    let starts = [
        "BEGIN READ ONLY".to_owned(),
        "COMMIT".to_owned(),
        "SELECT \"projects\".".to_owned(),
        format!("SET LOCAL app.tenant_id = '{}'", world.a.id),
    ];
    assert_eq!(once_each.len(), starts.len(), "{counted:#?}");
    assert!(once_each.iter().zip(&starts).all(|(one, start)| one.text.starts_with(start)), "{once_each:#?}");
    assert!(others.iter().all(|one| one.calls <= by_the_clock), "{by_the_clock}: {others:#?}");
    let watcher = others.iter().find(|one| one.text.contains("revocations"));
    assert!(watcher.is_none_or(|one| one.role == "bulkhead_auth"), "{others:#?}");
}

#[tokio::test]
async fn while_revocations_cannot_be_known_a_machines_token_is_answered_503() {
    let world = World::start(Options::default().through_proxy()).await;
    let machine = world.worker(&world.a).await;
    let actor = world.with_token(&world.token(&machine).await, &world.a).expecting_faults();
    // Refused by its body, before the database is asked for anything.
    let status = async || actor.post(PATH, &json!({})).await;
    assert_eq!(status().await.status, 400);
    world.proxy().set(Mode::Refuse);
    let answer = until("tokens to be refused", PATIENCE, async || {
        let answer = status().await;
        assert!([400, 503].contains(&answer.status), "{answer}");
        (answer.status == 503).then_some(answer)
    })
    .await;
    assert!(answer.header("retry-after").is_some_and(|wait| wait.parse::<u32>().is_ok()), "{answer}");
    world.proxy().set(Mode::Pass);
    until("tokens to be believed again", PATIENCE, async || (status().await.status == 400).then_some(()))
        .await;
}
