//! Isolation beyond single rows (TEN-3 to TEN-25): lists, filters, counts, bodies, cursors, keys, headers, paths.

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::TestApp;
use bulkhead_tests::bodies::sound;
use bulkhead_tests::rows::{Rows, everything_of, id, resources};
use serde_json::{Value, json};

use crate::matrix::comparable;

/// The resources that people work with, and what administrators see.
fn listed() -> impl Iterator<Item = String> {
    resources().chain(["api-clients".to_owned()])
}

fn ids(list: &Value) -> Vec<&str> {
    list["results"].as_array().expect("results").iter().map(id).collect()
}

#[tokio::test]
async fn ten_3_6_13_14_lists_filters_searches_and_counts_never_show_another_tenants_rows() {
    let app = TestApp::start().await;
    let (of_a, of_b) = (app.owner_of(&app.a).await, app.owner_of(&app.b).await);
    let own = Rows::create_all(&of_a, &app.a).await;
    let foreign = Rows::create_all(&of_b, &app.b).await;
    for resource in listed() {
        let resource = resource.as_str();
        let path = format!("/api/v1/{resource}/");
        let list = of_a.get(&path).await.expect(200).json();
        assert_eq!((ids(&list), &list["count"]), (vec![own.id(resource)], &json!(1)));
        let searches = [app.b.marker.clone(), app.b.marker.to_uppercase(), app.b.marker[..8].to_owned()];
        for search in searches {
            let found = of_a.get(&format!("{path}?search={search}&count=exact")).await.expect(200).json();
            assert!(!ids(&found).contains(&foreign.id(resource)), "{found}");
        }
        let found = of_a.get(&format!("{path}?search={}", app.b.marker)).await.json();
        assert_eq!((&found["count"], &found["results"]), (&json!(0), &json!([])));
    }
    for resource in ["tasks", "documents"] {
        let of_foreign =
            of_a.get(&format!("/api/v1/{resource}/?project={}", foreign.id("projects"))).await.expect(200);
        let of_random = of_a.get(&format!("/api/v1/{resource}/?project={}", new_id())).await.expect(200);
        assert_eq!(comparable(&of_foreign), comparable(&of_random));
    }
    for query in ["?page=1", "?page=last", "?count=none", "?ordering=created_at", "?created_after=2000-01-01"]
    {
        for resource in listed() {
            let list = of_a.get(&format!("/api/v1/{resource}/{query}")).await.expect(200).json();
            assert_eq!(ids(&list), [own.id(&resource)], "{resource}{query}");
        }
    }
    let counts = of_a.get("/api/v1/projects/statistics/").await.expect(200).json();
    assert_eq!((&counts["total_projects"], &counts["projects_with_tasks"]), (&json!(1), &json!(1)));
    let todo = of_a.get("/api/v1/tasks/by-status/?status=todo").await.expect(200).json();
    assert_eq!(todo, json!([own.row("tasks")]));
}

#[tokio::test]
async fn ten_8_10_a_body_that_names_another_tenants_project_is_answered_like_one_that_names_none() {
    let app = TestApp::start().await;
    let (of_a, of_b) = (app.user_of(&app.a).await, app.user_of(&app.b).await);
    let own = Rows::create(&of_a, &app.a).await;
    let foreign = Rows::create(&of_b, &app.b).await;
    let before = everything_of(&app.operator, &app.a).await;
    let task = format!("/api/v1/tasks/{}/", own.id("tasks"));
    let document = format!("/api/v1/documents/{}/", own.id("documents"));
    let requests = [
        ("POST", "/api/v1/tasks/", json!({ "title": "x" })),
        ("PUT", &task, json!({ "title": "x" })),
        ("PATCH", &task, json!({})),
        ("POST", "/api/v1/documents/", json!({ "name": "x" })),
        ("PUT", &document, json!({ "name": "x" })),
        ("PATCH", &document, json!({})),
    ];
    for (method, path, body) in requests {
        let send = async |project: &str| {
            let mut body = body.clone();
            body["project"] = json!(project);
            of_a.send(method, path, Some(&body)).await
        };
        let (known, unknown) = (send(foreign.id("projects")).await, send(&new_id().to_string()).await);
        assert_eq!(comparable(&known), comparable(&unknown), "{method} {path}");
        let problem = known.expect_problem(400, "invalid").json();
        assert_eq!(problem["errors"]["project"], json!(["Project does not belong to your tenant."]));
    }
    assert_eq!(everything_of(&app.operator, &app.a).await, before);
    let path = format!("/api/v1/projects/{}/", foreign.id("projects"));
    assert_eq!(of_b.delete(&path).await.status, 204, "nothing of A holds on to it");
}

#[tokio::test]
async fn ten_4_a_cursor_of_another_tenant_list_or_ordering_is_refused() {
    let app = TestApp::start().await;
    let (of_a, of_b) = (app.user_of(&app.a).await, app.user_of(&app.b).await);
    for (user, _) in [(&of_a, "a"), (&of_b, "b")] {
        for number in 0..3 {
            let body = json!({ "name": format!("{number}") });
            assert_eq!(user.post("/api/v1/projects/", &body).await.status, 201);
        }
    }
    let page = of_b.get("/api/v1/projects/?page_size=1").await.expect(200).json();
    let next = page["next"].as_str().expect("a next page").to_owned();
    let cursor =
        next.split("cursor=").nth(1).expect("a cursor").split('&').next().expect("a cursor").to_owned();
    assert_eq!(of_b.get(&format!("/api/v1/projects/?cursor={cursor}")).await.status, 200, "the control");
    let _ =
        of_a.get(&format!("/api/v1/projects/?cursor={cursor}")).await.expect_problem(400, "invalid_cursor");
    for other in
        ["tasks/?", "documents/?", "projects/?ordering=created_at&", "projects/?ordering=-updated_at&"]
    {
        let refused = of_b.get(&format!("/api/v1/{other}cursor={cursor}")).await;
        let _ = refused.expect_problem(400, "invalid_cursor");
    }
    for edited in [
        format!("{cursor}x"),
        cursor[1..].to_owned(),
        String::new(),
        "e30".to_owned(),
        "%00".to_owned(),
        "A".repeat(5000),
    ] {
        let refused = of_b.get(&format!("/api/v1/projects/?cursor={edited}")).await;
        assert!([400, 414].contains(&refused.status), "{refused}");
    }
}

#[tokio::test]
async fn ten_4_18_entity_tags_and_retry_keys_of_another_tenant_mean_nothing() {
    let app = TestApp::start().await;
    let (of_a, of_b) = (app.user_of(&app.a).await, app.user_of(&app.b).await);
    let key = new_id().to_string();
    let body = json!({ "name": "the same name" });
    let created_b =
        of_b.with_header("Idempotency-Key", &key).post("/api/v1/projects/", &body).await.expect(201);
    let created_a =
        of_a.with_header("Idempotency-Key", &key).post("/api/v1/projects/", &body).await.expect(201);
    assert_ne!(id(&created_a.json()), id(&created_b.json()), "IDM-3: not B's reply");
    assert!(created_a.header("idempotency-replayed").is_none());
    let list = of_a.get("/api/v1/projects/").await.expect(200);
    assert!(list.header_list("vary").contains("Authorization"), "{:?}", list.headers);
    let tag = created_b.header("etag").expect("a tag").to_owned();
    let path = format!("/api/v1/projects/{}/", id(&created_a.json()));
    assert_eq!(of_a.with_header("If-None-Match", &tag).get(&path).await.status, 200, "B's tag is not A's");
}

#[tokio::test]
async fn ten_20_21_24_no_header_query_or_method_override_changes_the_tenant_or_the_method() {
    let app = TestApp::start().await;
    let (of_a, of_b) = (app.user_of(&app.a).await, app.user_of(&app.b).await);
    let own = Rows::create(&of_a, &app.a).await;
    let foreign = Rows::create(&of_b, &app.b).await;
    let (b_id, b_slug) = (app.b.id.to_string(), app.b.slug.clone());
    let headers = [
        ("X-Tenant-ID", b_id.as_str()),
        ("X-Tenant", &b_slug),
        ("X-Tenant-Slug", &b_slug),
        ("X-Org", &b_id),
        ("X-Forwarded-Host", &app.b.host),
        ("X-Original-URL", "/api/v1/tasks/"),
        ("X-Rewrite-URL", "/api/v1/tasks/"),
        ("X-User-ID", &app.b.owner.id.to_string()),
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-HTTP-Method", "DELETE"),
        ("Forwarded", &format!("host={}", app.b.host)),
    ];
    for (name, value) in headers {
        let other = of_a.with_header(name, value);
        let list = other.get("/api/v1/projects/").await.expect(200).json();
        assert_eq!(ids(&list), [own.id("projects")], "{name}");
        assert_eq!(
            other.get(&format!("/api/v1/projects/{}/", foreign.id("projects"))).await.status,
            404,
            "{name}"
        );
        let post = other
            .post("/api/v1/projects/", &json!({ "name": new_id().to_string(), "_method": "DELETE" }))
            .await;
        let made = post.expect(201).json();
        assert_eq!(of_a.delete(&format!("/api/v1/projects/{}/", id(&made))).await.status, 204, "made in A");
    }
    // A token on a host that belongs to another tenant is refused; whatever else, it never shows B.
    let elsewhere = of_a.with_header("Host", &app.b.host).get("/api/v1/projects/").await;
    assert!(
        elsewhere.status == 200 && ids(&elsewhere.json()) == [own.id("projects")] || elsewhere.status >= 400
    );
    for query in [format!("tenant_id={b_id}"), format!("tenant={b_slug}"), format!("tenant_id__in={b_id}")] {
        let refused = of_a.get(&format!("/api/v1/projects/?{query}")).await;
        let _ = refused.expect_problem(400, "invalid_parameter");
    }
}

#[tokio::test]
async fn ten_22_other_spellings_of_a_path_reach_nothing_that_the_usual_one_does_not() {
    let app = TestApp::start().await;
    let (of_a, of_b) = (app.user_of(&app.a).await, app.user_of(&app.b).await);
    let own = Rows::create(&of_a, &app.a).await;
    let foreign = Rows::create(&of_b, &app.b).await;
    let spell = |id: &str| {
        [
            format!("//api/v1/projects/{id}/"),
            format!("/api/v1//projects/{id}/"),
            format!("/api/v1/projects/../projects/{id}/"),
            format!("/api/v1/tasks/../projects/{id}/"),
            format!("/api/v1/projects/%2e%2e/projects/{id}/"),
            format!("/api/v1/projects;x=1/{id}/"),
            format!("/api/v1/projects/{id};x/"),
            format!("/API/V1/PROJECTS/{id}/"),
            format!("/api/v1/projects/{id}%2f"),
            format!("/api/v1/projects%2f{id}/"),
            format!("/api/v1/projects/{}/", id.replace('-', "%2d")),
            format!("/api/v1/projects/{}/", id.replace('-', "%252d")),
            format!("/api/v1/projects/{id}%00/"),
            format!("/api/v1/projects/{id}%20/"),
            format!("/api/v1/projects/%7b{id}%7d/"),
            format!("/api/v1/projects/{id}//"),
            format!("/api/v1/projects/{}/", id.replace('-', "")),
            format!("/api/v1/projects/urn:uuid:{id}/"),
        ]
    };
    for (known, unknown) in spell(foreign.id("projects")).into_iter().zip(spell(&new_id().to_string())) {
        let (answer, other) = (of_a.get(&known).await, of_a.get(&unknown).await);
        assert!([400, 404].contains(&answer.status), "{answer}");
        assert_eq!(comparable(&answer), comparable(&other), "{known}");
    }
    for spelling in spell(own.id("projects")) {
        let nobody = app.anonymous().get(&spelling).await;
        assert!([400, 401, 404].contains(&nobody.status), "{nobody}");
    }
}

#[tokio::test]
async fn ten_23_members_that_are_not_the_clients_to_write_are_never_written() {
    let app = TestApp::start().await;
    let of_a = app.owner_of(&app.a).await;
    let of_b = app.owner_of(&app.b).await;
    let own = Rows::create(&of_a, &app.a).await;
    let b_before = everything_of(&app.operator, &app.b).await;
    let forged_id = new_id().to_string();
    let forged = json!({ "tenant_id": app.b.id, "tenant": app.b.slug, "id": forged_id, "created_at": "2000-01-01T00:00:00Z",
        "updated_at": "2000-01-01T00:00:00Z", "version": 99, "role": "owner", "is_admin": true, "token_epoch": 7,
        "password_hash": "x", "created_by": app.b.owner.id, "tasks_count": 7, "project_name": "forged", "name_search": "forged" });
    for resource in resources() {
        let path = format!("/api/v1/{resource}/");
        let create = app.contract.operation("POST", &path).expect("a way to make one");
        let mut body = sound(&app.contract, create, &new_id().to_string(), &own).expect("a body");
        body.as_object_mut().expect("an object").extend(forged.as_object().expect("an object").clone());
        let row = of_a.post(&path, &body).await.expect(201).json();
        assert_ne!(row["id"], forged["id"]);
        assert!(!row["created_at"].as_str().expect("a time").starts_with("2000"));
        let member = format!("{path}{}/", id(&row));
        for method in ["PUT", "PATCH"] {
            body["name"] = json!(new_id());
            let changed = of_a.send(method, &member, Some(&body)).await.expect(200).json();
            assert_eq!((&changed["id"], &changed["created_at"]), (&row["id"], &row["created_at"]));
        }
        assert_eq!(of_b.get(&member).await.status, 404, "it is not B's");
        assert_eq!(of_a.get(&format!("{path}{forged_id}/")).await.status, 404);
    }
    assert_eq!(everything_of(&app.operator, &app.b).await, b_before);
}

#[tokio::test]
async fn ten_25_of_a_member_that_is_there_twice_the_one_that_is_checked_is_the_one_that_is_stored() {
    let app = TestApp::start().await;
    let (of_a, of_b) = (app.user_of(&app.a).await, app.user_of(&app.b).await);
    let own = Rows::create(&of_a, &app.a).await;
    let foreign = Rows::create(&of_b, &app.b).await;
    let (ours, theirs) = (own.id("projects"), foreign.id("projects"));
    for (first, second) in [(ours, theirs), (theirs, ours)] {
        let body = format!(r#"{{"title":"x","project":"{first}","project":"{second}"}}"#);
        let kind = [("Content-Type", "application/json")];
        let answer = of_a.raw("POST", "/api/v1/tasks/", &kind, Some(body.as_bytes())).await;
        match answer.status {
            201 => assert_eq!(answer.json()["project"], ours),
            status => assert_eq!(status, 400, "{answer}"),
        }
    }
}
