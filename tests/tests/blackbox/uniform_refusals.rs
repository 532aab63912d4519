//! CLI-2: whoever is not let in learns nothing of why. The answer, the work that it takes and the time that it takes are the
//! same for whatever is wrong.

use std::time::Duration;

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::Options;
use bulkhead_tests::http::Response;
use bulkhead_tests::machine::Machine;
use bulkhead_tests::oauth::{FORM, OLD_TOKEN, TOKEN, World, encoded};
use bulkhead_tests::scratch::Scratch;
use bulkhead_tests::statements::{Counted, Statements};
use serde_json::json;

/// Every way not to be let in. Tenant B is suspended afterwards.
async fn wrong_ones(world: &World) -> Vec<(&'static str, Machine)> {
    let sound = world.worker(&world.a).await;
    let named = |client_id: String| Machine { client_id, ..sound.clone() };
    let mut wrong = vec![
        (
            "an unknown client",
            named(format!("{}{}", &sound.client_id[..39], &new_id().simple().to_string()[8..])),
        ),
        ("an unknown tenant", named(format!("client_{}{}", new_id().simple(), &sound.client_id[39..]))),
        ("a malformed name", named("client_a1b2c3d4e5f6".to_owned())),
        ("a hostile name", named("' or 1=1 --".to_owned())),
        (
            "a wrong secret",
            Machine { secret: format!("{}x", &sound.secret[..sound.secret.len() - 1]), ..sound.clone() },
        ),
        ("rubbish for a secret", Machine { secret: "x".to_owned(), ..sound.clone() }),
    ];
    let disabled = world.worker(&world.a).await;
    let _ = world.admin(&world.a).await.send("POST", &disabled.path("disable/"), None).await.expect(200);
    wrong.push(("a disabled client", disabled));
    for (what, table, column) in [
        ("an expired client", "api_clients", "id"),
        ("an expired secret", "api_client_secrets", "api_client_id"),
    ] {
        let machine = world.worker(&world.a).await;
        let id = &machine.id;
        let past = format!(
            "update bulkhead.{table} set expires_at = now() - interval '1 second' where {column} = '{id}'"
        );
        world.as_superuser(&past).await;
        wrong.push((what, machine));
    }
    let elsewhere = json!({ "roles": ["read"], "allowed_ips": ["203.0.113.0/24"] });
    wrong.push(("a wrong address", world.machine(&world.a, elsewhere).await));
    let of_b = world.worker(&world.b).await;
    wrong.push(("another tenant's client", Machine { secret: sound.secret.clone(), ..of_b.clone() }));
    wrong.push(("a client of a suspended tenant", of_b));
    world.suspend(&world.b, true);
    wrong
}

/// One attempt, in one of the ways to make it. The way is the client's own choice, so answers may differ by it.
async fn attempt(world: &World, machine: &Machine, way: usize) -> Response {
    let client = world.anonymous();
    let grant = [("grant_type", "client_credentials")];
    match way {
        0 => world.ask(machine, &[]).await,
        1 => {
            let headers = [("Content-Type", FORM), ("Authorization", &machine.basic())];
            client.raw("POST", TOKEN, &headers, Some(encoded(&grant).as_bytes())).await
        }
        _ => {
            client
                .post(OLD_TOKEN, &json!({ "client_id": machine.client_id, "client_secret": machine.secret }))
                .await
        }
    }
}

/// All that a client sees but what is different for each request.
fn seen(answer: &Response) -> (u16, Vec<(String, String)>, serde_json::Value) {
    let varying = ["x-correlation-id", "date", "x-response-time"];
    let headers = answer.headers.iter().filter(|(name, _)| !varying.contains(&name.as_str()));
    // Neither the order of fields nor that of words in a list of names means anything, and both are random here.
    let sorted = |value: &str| {
        let mut words: Vec<&str> = value.split(", ").collect();
        words.sort_unstable();
        words.join(", ")
    };
    let mut headers: Vec<_> = headers.map(|(name, value)| (name.clone(), sorted(value))).collect();
    headers.sort();
    let mut body = answer.json();
    body["correlation_id"] = json!(null);
    (answer.status, headers, body)
}

#[tokio::test]
async fn cli_2_every_refusal_is_the_same_to_the_last_header_and_byte() {
    let world = World::usual().await;
    let wrong = wrong_ones(&world).await;
    for way in 0..3 {
        let first = seen(&attempt(&world, &wrong[0].1, way).await);
        assert_eq!(first.0, 401);
        for (what, machine) in &wrong {
            let answer = attempt(&world, machine, way).await;
            assert_eq!(seen(&answer), first, "{what}");
            // Nor does a scope or a target make a difference.
            assert_eq!(
                seen(&world.ask(machine, &[("scope", "tenant:admin")]).await),
                seen(&world.ask(&wrong[0].1, &[]).await),
                "{what}"
            );
        }
    }
    // An address that is written into a header is not where a request comes from.
    let (_, elsewhere) = wrong.iter().find(|(what, _)| *what == "a wrong address").expect("there is one");
    let body = encoded(&[&[("grant_type", "client_credentials")][..], &elsewhere.form()[..]].concat());
    for (name, value) in [
        ("X-Forwarded-For", "203.0.113.7"),
        ("Forwarded", "for=203.0.113.7"),
        ("X-Real-IP", "203.0.113.7"),
        ("True-Client-IP", "203.0.113.7"),
    ] {
        let answer = world
            .anonymous()
            .raw("POST", TOKEN, &[("Content-Type", FORM), (name, value)], Some(body.as_bytes()))
            .await;
        assert_eq!(answer.status, 401, "{name}");
    }
}

#[tokio::test]
async fn cli_2_every_refusal_asks_the_database_the_same_questions() {
    let folder = Scratch::new("refusals");
    let (cluster, statements) = Statements::cluster(folder.path()).await;
    let world = World::start(Options::default().cluster(cluster).pool(1)).await;
    let wrong = wrong_ones(&world).await;
    let mut asked: Vec<(&str, Vec<Counted>)> = Vec::new();
    for (what, machine) in &wrong {
        statements.reset().await;
        for _ in 0..5 {
            assert_eq!(attempt(&world, machine, 0).await.status, 401);
        }
        let mut counted = statements.counted().await;
        // What was attempted is written down later, by nobody's request.
        counted.retain(|one| {
            one.text.contains("api_clients")
                || one.text.contains("bulkhead.tenants")
                || one.text.contains("\"tenants\"")
        });
        counted.retain(|one| one.text.trim_start().to_lowercase().starts_with("select"));
        assert!(!counted.is_empty() && counted.iter().all(|one| one.calls == 5), "{what}: {counted:#?}");
        asked.push((*what, counted));
    }
    for (what, counted) in &asked {
        assert_eq!(counted, &asked[0].1, "{what}");
    }
}

#[tokio::test]
async fn cli_2_no_refusal_takes_so_much_longer_that_it_tells_what_was_wrong() {
    const ROUNDS: usize = 60;
    let world = World::usual().await;
    let wrong = wrong_ones(&world).await;
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); wrong.len()];
    // In turn, so that whatever else happens on the machine happens to all of them.
    for round in 0..ROUNDS {
        for (at, (_, machine)) in wrong.iter().enumerate() {
            let answer = attempt(&world, machine, round % 3).await;
            times[at].push(answer.took);
        }
    }
    let medians: Vec<Duration> = times
        .iter_mut()
        .map(|times| {
            times.sort();
            times[times.len() / 2]
        })
        .collect();
    let told: Vec<_> = wrong.iter().map(|(what, _)| *what).zip(&medians).collect();
    for median in &medians {
        let ratio = median.as_secs_f64() / medians[0].as_secs_f64();
        assert!((0.33..3.0).contains(&ratio), "{told:?}");
    }
}
