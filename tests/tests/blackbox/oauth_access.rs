//! What a client's access token says and opens: its claims (RFC 9068), its tenant, its rights, its end, whatever key signed
//! it.

use std::process::Command;

use bulkhead_domain::clock::now;
use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::{Options, PUBLIC_URL, challenge};
use bulkhead_tests::keys::claims_of;
use bulkhead_tests::machine::Machine;
use bulkhead_tests::oauth::{FORM, OLD_TOKEN, TOKEN, World, encoded, refused};
use bulkhead_tests::rows::Rows;
use bulkhead_tests::scratch::Scratch;
use serde_json::{Value, json};

fn header_of(token: &str) -> Value {
    claims_of(&format!("x.{}", token.split('.').next().expect("a header")))
}

#[tokio::test]
async fn a_token_has_the_header_and_the_claims_of_the_profile_and_nothing_else() {
    let world = World::usual().await;
    let machine = world.machine(&world.a, json!({ "roles": ["read"] })).await;
    let token = world.token(&machine).await;
    assert_eq!(header_of(&token), json!({ "alg": "ES256", "kid": world.key.kid(), "typ": "at+jwt" }));
    let claims = claims_of(&token);
    let secrets = world.admin(&world.a).await.get(&machine.path("secrets/")).await.expect(200).json();
    let expected = json!({
        "iss": PUBLIC_URL, "aud": "multitenant-api", "sub": machine.id, "client_id": machine.client_id,
        "client_type": "service_account", "token_type": "access", "tenant": world.a.id, "tenant_id": world.a.id,
        "tenant_slug": world.a.slug, "roles": ["read"], "scopes": ["read:*"], "scope": "read:*",
        "token_version": claims["token_version"], "tenant_version": claims["tenant_version"],
        "secret_id": secrets[0]["id"],
        "jti": claims["jti"], "iat": claims["iat"], "nbf": claims["iat"], "exp": claims["exp"],
    });
    assert_eq!(claims, expected);
    let number = |name: &str| claims[name].as_i64().expect("a whole number");
    assert_eq!(number("exp") - number("iat"), 900);
    assert!((now().timestamp() - number("iat")).abs() < 30 && number("token_version") >= 0);
    assert!(claims["jti"].as_str().is_some_and(|jti| jti.len() == 32));
    let again = claims_of(&world.token(&machine).await);
    assert_ne!(again["jti"], claims["jti"]);
}

#[tokio::test]
async fn cli_3_no_field_and_no_header_gets_a_client_of_one_tenant_a_token_for_another() {
    let world = World::usual().await;
    let (mine, theirs) = (world.worker(&world.a).await, world.worker(&world.b).await);
    let b = &world.b;
    let id = b.id.to_string();
    let mut fields = Vec::new();
    for name in [
        "tenant",
        "tenant_id",
        "tenant_slug",
        "audience",
        "aud",
        "organization",
        "account",
        "sub",
        "realm",
        "X-Tenant-ID",
    ] {
        fields.extend([&id, &b.slug, &b.host].map(|value| (name, value.clone())));
    }
    for (name, value) in &fields {
        let reply = world.ask(&mine, &[(name, value)]).await.expect(200).json();
        let claims = claims_of(reply["access_token"].as_str().expect("a token"));
        assert_eq!(
            (&claims["tenant"], &claims["tenant_id"]),
            (&json!(world.a.id), &json!(world.a.id)),
            "{name}"
        );
        assert!(!claims.to_string().contains(&id), "{name}");
    }
    let pairs = [&[("grant_type", "client_credentials")][..], &mine.form()[..]].concat();
    let body = encoded(&pairs);
    for (name, value) in [
        ("X-Tenant", &b.slug),
        ("X-Tenant-ID", &id),
        ("X-Tenant-Slug", &b.slug),
        ("Host", &b.host),
        ("X-Forwarded-Host", &b.host),
        ("Forwarded", &format!("host={}", b.host)),
        ("Origin", &format!("https://{}", b.host)),
        ("X-Client-ID", &theirs.client_id),
    ] {
        let answer = world
            .anonymous()
            .raw("POST", TOKEN, &[("Content-Type", FORM), (name, value)], Some(body.as_bytes()))
            .await;
        let token = answer.expect(200).json()["access_token"].as_str().expect("a token").to_owned();
        assert_eq!(claims_of(&token)["tenant"], json!(world.a.id), "{name}");
    }
    // Nor does one tenant's secret fit another's name, nor a name with the other tenant written into it.
    let (tenant_of_b, client_of_a) = (&theirs.client_id[..39], &mine.client_id[39..]);
    for client_id in [theirs.client_id.clone(), format!("{tenant_of_b}{client_of_a}")] {
        let answer = world.ask(&Machine { client_id, ..mine.clone() }, &[]).await;
        refused(&answer, 401, "invalid_client");
    }
    let rows = Rows::create(&world.user_of(b).await, b).await;
    let actor = world.with_token(&world.token(&mine).await, &world.a);
    for name in ["projects", "tasks", "documents"] {
        let target = format!("/api/v1/{name}/{}/", rows.id(name));
        let _ = actor.get(&target).await.expect(404);
        let _ = actor.with_header("X-Tenant", &b.slug).delete(&target).await.expect(404);
    }
}

#[tokio::test]
async fn roles_are_narrowed_by_scopes_and_each_word_opens_what_it_names_and_no_more() {
    let world = World::usual().await;
    let rows = Rows::create(&world.user_of(&world.a).await, &world.a).await;
    // What may be done: read projects, write projects, read documents, delete tasks, administer.
    for (roles, scopes, may) in [
        (vec!["read"], vec![], [true, false, true, false, false]),
        (vec!["write"], vec![], [true, true, true, true, false]),
        (vec!["admin"], vec![], [true, true, true, true, true]),
        (vec!["read", "write"], vec!["read:*"], [true, false, true, false, false]),
        (vec!["read"], vec!["write:projects"], [false; 5]),
        (vec!["write"], vec!["tenant:admin"], [false; 5]),
        (vec!["admin"], vec!["read:projects"], [true, false, false, false, false]),
        (vec![], vec!["write:projects"], [false, true, false, false, false]),
        (vec![], vec!["delete:*", "read:documents"], [false, false, true, true, false]),
        (vec![], vec!["tenant:admin"], [false, false, false, false, true]),
        (vec![], vec!["admin"], [false, false, false, false, true]),
        (vec![], vec![], [false; 5]),
    ] {
        let machine = world.machine(&world.a, json!({ "roles": roles, "scopes": scopes })).await;
        let actor = world.with_token(&world.token(&machine).await, &world.a);
        let project = format!("/api/v1/projects/{}/", rows.id("projects"));
        let unknown = format!("/api/v1/tasks/{}/", new_id());
        let done = [
            (actor.get(&project).await, 200),
            (actor.patch(&project, &json!({ "description": "x" })).await, 200),
            (actor.get(&format!("/api/v1/documents/{}/", rows.id("documents"))).await, 200),
            (actor.delete(&unknown).await, 404),
            (actor.get("/api/v1/api-clients/").await, 200),
        ];
        for ((answer, allowed), may) in done.iter().zip(may) {
            assert_eq!(answer.status, if may { *allowed } else { 403 }, "{roles:?} {scopes:?}: {answer}");
            if !may {
                assert!(
                    answer.header_list("www-authenticate").contains("error=\"insufficient_scope\", scope="),
                    "{answer}"
                );
            }
        }
    }
    // Asking for less makes a token that may do less.
    let machine = world.worker(&world.a).await;
    let reply = world.ask(&machine, &[("scope", "read:tasks")]).await.expect(200).json();
    let actor = world.with_token(reply["access_token"].as_str().expect("a token"), &world.a);
    assert_eq!(actor.get("/api/v1/tasks/").await.status, 200);
    assert_eq!(actor.get("/api/v1/projects/").await.status, 403);
}

#[tokio::test]
async fn nothing_but_a_scope_that_exists_can_be_given() {
    let world = World::usual().await;
    let admin = world.admin(&world.a).await;
    for scope in ["openid", "read:nonsense", "everything:*", "read:", ":*", "*", "superuser"] {
        let fields = json!({ "name": new_id().to_string(), "scopes": [scope] });
        let _ = admin.post("/api/v1/api-clients/", &fields).await.expect_problem(400, "invalid");
    }
}

#[tokio::test]
async fn a_token_is_not_made_to_live_longer_than_its_secret_or_its_client() {
    let world = World::usual().await;
    let end = now().timestamp() + 300;
    let date = now() + std::time::Duration::from_secs(300);
    let machine =
        world.machine(&world.a, json!({ "roles": ["read"], "expires_at": date.to_rfc3339() })).await;
    let lasting = world.worker(&world.a).await;
    let admin = world.admin(&world.a).await;
    let rotation = json!({ "overlap_seconds": 0, "expires_in_seconds": 300 });
    let rotated = admin.post(&lasting.path("secrets/"), &rotation).await.expect(201).json();
    let secret = world.noted(rotated["client_secret"].as_str().expect("a secret"));
    let rotated = Machine { secret, ..lasting };
    for machine in [machine, rotated] {
        let reply = world.ask(&machine, &[]).await.expect(200).json();
        let exp =
            claims_of(reply["access_token"].as_str().expect("a token"))["exp"].as_i64().expect("a number");
        // The second client was made a moment later.
        assert!(
            exp <= end + 60 && reply["expires_in"].as_i64().is_some_and(|seconds| seconds <= 300),
            "{exp} {end}"
        );
        let body = json!({ "client_id": machine.client_id, "client_secret": machine.secret });
        let reply = world.anonymous().post(OLD_TOKEN, &body).await.expect(200).json();
        for name in ["access_token_expires_at", "refresh_token_expires_at"] {
            assert!(reply[name].as_i64().is_some_and(|at| at <= end + 60), "{name}");
        }
    }
}

#[tokio::test]
async fn every_algorithm_serves_as_well() {
    let keys = Scratch::new("algorithms");
    for (algorithm, arguments) in [
        ("RS256", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"][..]),
        ("EdDSA", &["-algorithm", "ED25519"]),
        ("HS256", &[]),
    ] {
        let secret: String = (0..2).map(|_| new_id().simple().to_string()).collect();
        let file = if arguments.is_empty() {
            keys.write("secret", &secret)
        } else {
            let made = Command::new("openssl").arg("genpkey").args(arguments).output().expect("run openssl");
            assert!(made.status.success(), "{made:?}");
            keys.write(algorithm, &String::from_utf8(made.stdout).expect("PEM"))
        };
        let options = Options::default().set("auth.algorithm", algorithm);
        let world = World::start(options.set("auth.signing_key_file", file.display())).await;
        let machine = world.worker(&world.a).await;
        let token = world.token(&machine).await;
        assert_eq!(header_of(&token)["alg"], algorithm);
        let rows = Rows::create(&world.with_token(&token, &world.a), &world.a).await;
        for name in ["projects", "tasks", "documents"] {
            let actor = world.with_token(&token, &world.a);
            let _ = actor.get(&format!("/api/v1/{name}/{}/", rows.id(name))).await.expect(200);
            let _ = actor.get(&format!("/api/v1/{name}/")).await.expect(200);
        }
        let keys = world.anonymous().get("/.well-known/jwks.json").await.expect(200).json();
        let keys = keys["keys"].as_array().expect("keys");
        assert_eq!(keys.len(), usize::from(algorithm != "HS256"), "a secret is never published");
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(keys.iter().all(|key| key.get(private).is_none()), "{private}");
        }
    }
}

#[tokio::test]
async fn a_machines_bearer_token_is_used_and_refused_as_rfc_6750_has_it() {
    const PATH: &str = "/api/v1/projects/";
    let world = World::usual().await;
    let token = world.token(&world.worker(&world.a).await).await;
    let get = async |headers: &[(&str, &str)], target: &str| {
        world.anonymous().raw("GET", target, headers, None).await
    };
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let answer = get(&[("Authorization", &format!("{scheme} {token}"))], PATH).await.expect(200);
        assert!(answer.header_list("cache-control").contains("private"), "{answer}");
        assert!(answer.header_list("vary").contains("Authorization"), "{answer}");
    }
    let nobody = get(&[], PATH).await.expect(401);
    assert_eq!(nobody.header_list("www-authenticate"), challenge(""), "no error code without a token");
    for target in [format!("{PATH}?access_token={token}"), format!("{PATH}?token={token}")] {
        assert_eq!(get(&[], &target).await.status, 401);
    }
    let mut expired = claims_of(&token);
    for name in ["exp", "iat", "nbf"] {
        expired[name] = json!(expired[name].as_i64().expect("a number") - 10_000);
    }
    for wrong in [world.key.token(&expired), format!("{token}x"), "rubbish".to_owned()] {
        let answer = get(&[("Authorization", &format!("Bearer {wrong}"))], PATH).await.expect(401);
        assert!(answer.header_list("www-authenticate").contains("error=\"invalid_token\""), "{answer}");
    }
}
