//! Search: pages, and what other tenants' rows must not change (TEN-14).

use std::collections::BTreeSet;

use bulkhead_tests::app::{PUBLIC_URL, TestApp};
use bulkhead_tests::client::Client;
use bulkhead_tests::rows::{Rows, id, resources};
use bulkhead_tests::tenants::Tenant;
use serde_json::{Value, json};

/// Adds projects straight into the table: many rows are wanted here, not many requests.
async fn fill(app: &TestApp, tenant: &Tenant, count: i64, name: &str, description: &str) {
    let insert = "insert into bulkhead.projects (tenant_id, id, name, description)
        select $1::text::uuid, gen_random_uuid(), $3::text || ' ' || n, repeat($4::text || ' ', 1 + n::integer % 3)
        from generate_series(1, $2::bigint) n";
    app.operator.execute(insert, &[&tenant.id.to_string(), &count, &name, &description]).await.expect("fill");
}

fn ids(pages: &[Value]) -> Vec<String> {
    pages
        .iter()
        .flat_map(|page| page["results"].as_array().expect("results").iter().map(|row| id(row).to_owned()))
        .collect()
}

async fn walk(client: &Client, start: &str, link: &str) -> Vec<Value> {
    let mut pages = vec![client.get(start).await.expect(200).json()];
    while let Some(url) = pages.last().expect("one")[link].as_str().map(str::to_owned) {
        let target = url.strip_prefix(PUBLIC_URL).unwrap_or_else(|| panic!("{url} is not ours"));
        pages.push(client.get(target).await.expect(200).json());
        assert!(pages.len() < 1000, "the pages do not end");
    }
    pages
}

#[tokio::test]
async fn pages_follow_one_another_in_one_order_and_lead_back_while_others_insert() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    fill(&app, &app.a, 40, "alpha", "beta").await;
    fill(&app, &app.a, 20, "other", "alpha beta").await;
    let whole = user.get("/api/v1/search/?q=alpha&page_size=200").await.expect(200).json();
    assert_eq!(whole["count"], 60);
    let there = ids(std::slice::from_ref(&whole));
    let ranks: Vec<i64> = whole["results"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["rank"].as_i64().expect("a rank"))
        .collect();
    assert!(ranks.is_sorted_by(|a, b| a >= b), "{ranks:?}");
    for size in [1, 7, 59, 60] {
        let forward = walk(&user, &format!("/api/v1/search/?q=alpha&page_size={size}"), "next").await;
        assert_eq!(ids(&forward), there, "{size}");
        assert!(forward.iter().all(|page| page["count"] == 60));
        assert_eq!(forward[0]["previous"], Value::Null);
        let Some(last) = forward.last().expect("a page")["previous"].as_str() else { continue };
        let mut back = walk(&user, last.strip_prefix(PUBLIC_URL).expect("ours"), "previous").await;
        back.reverse();
        assert_eq!(ids(&back), ids(&forward[..forward.len() - 1]), "back with {size}");
    }
    let writing = async {
        for number in 0..40 {
            let body = json!({ "name": format!("meanwhile {number}"), "description": "alpha" });
            assert_eq!(user.post("/api/v1/projects/", &body).await.status, 201);
        }
    };
    let reading = walk(&user, "/api/v1/search/?q=alpha&page_size=4", "next");
    let ((), pages) = tokio::join!(writing, reading);
    let seen = ids(&pages);
    let distinct: BTreeSet<&String> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len(), "no row twice");
    assert!(there.iter().all(|row| distinct.contains(row)), "no row is missed");
}

#[tokio::test]
async fn what_resembles_is_paged_too_and_a_later_exact_match_does_not_end_it() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    fill(&app, &app.a, 9, "catalogue", "").await;
    let start = "/api/v1/search/?q=catalouge&page_size=4";
    let pages = walk(&user, start, "next").await;
    assert_eq!((pages.len(), ids(&pages).len()), (3, 9));
    let first = user.get(start).await.expect(200).json();
    assert_eq!(user.post("/api/v1/projects/", &json!({ "name": "catalouge" })).await.status, 201);
    let next =
        first["next"].as_str().expect("a next page").strip_prefix(PUBLIC_URL).expect("ours").to_owned();
    let second = user.get(&next).await.expect(200).json();
    assert_eq!(second["results"], pages[1]["results"]);
}

#[tokio::test]
async fn a_cursor_of_another_tenant_or_another_search_is_refused() {
    let app = TestApp::start().await;
    let (of_a, of_b) = (app.user_of(&app.a).await, app.user_of(&app.b).await);
    for (tenant, user) in [(&app.a, &of_a), (&app.b, &of_b)] {
        fill(&app, tenant, 3, "alpha", "beta").await;
        assert_eq!(user.get("/api/v1/search/?q=alpha").await.expect(200).json()["count"], 3);
    }
    let page = of_b.get("/api/v1/search/?q=alpha&page_size=1").await.expect(200).json();
    let cursor =
        page["next"].as_str().expect("a next page").split("cursor=").nth(1).expect("a cursor").to_owned();
    assert_eq!(
        of_b.get(&format!("/api/v1/search/?q=alpha&cursor={cursor}")).await.status,
        200,
        "the control"
    );
    let of_a = of_a.get(&format!("/api/v1/search/?q=alpha&cursor={cursor}")).await;
    let _ = of_a.expect_problem(400, "invalid_cursor");
    let of_b = of_b.get(&format!("/api/v1/search/?q=beta&cursor={cursor}")).await;
    let _ = of_b.expect_problem(400, "invalid_cursor");
}

#[tokio::test]
async fn ten_14_another_tenants_marker_finds_nothing_and_its_rows_change_neither_order_rank_nor_count() {
    let app = TestApp::start().await;
    let (of_a, of_b) = (app.user_of(&app.a).await, app.user_of(&app.b).await);
    let _ = Rows::create(&of_a, &app.a).await;
    let foreign = Rows::create(&of_b, &app.b).await;
    let marker = &app.b.marker;
    for q in [
        marker.clone(),
        marker.to_uppercase(),
        marker[..12].to_owned(),
        format!("{marker} project"),
        format!("\"{marker}\""),
    ] {
        let q = q.replace(' ', "+").replace('"', "%22");
        let found = of_a.get(&format!("/api/v1/search/?q={q}")).await.expect(200);
        for resource in resources() {
            assert!(!found.text().contains(foreign.id(&resource)), "{q}: {found}");
        }
        // That the client looks through every answer for other tenants' markers is the rest of it.
    }
    assert_eq!(
        of_b.get(&format!("/api/v1/search/?q={marker}")).await.expect(200).json()["count"],
        6,
        "the control"
    );
    fill(&app, &app.a, 30, "common", "rare words").await;
    let searches = [
        "q=common",
        "q=rare",
        "q=rare+common",
        "q=com",
        "q=cmmon&page_size=7",
        "q=words+or+rare&page_size=5",
    ];
    let look = async || {
        let mut pages = Vec::new();
        for search in searches {
            pages.push(of_a.get(&format!("/api/v1/search/?{search}")).await.expect(200).text());
            pages.push(
                of_a.get(&format!("/api/v1/projects/?{}", search.replace("q=", "search=")))
                    .await
                    .expect(200)
                    .text(),
            );
        }
        pages
    };
    let before = look().await;
    fill(&app, &app.b, 10_000, "common", "common words, and rare ones").await;
    assert_eq!(look().await, before);
}

/// The most that is taken, where every row has every word: it ends before the database's time-out.
#[tokio::test]
async fn the_widest_searches_end_in_time() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    fill(&app, &app.a, 5_000, "aa ab ac ad ae af ag", "aa ab ac").await;
    let or = "aa+or+".repeat(15) + "ab";
    let not = "aa+".to_owned() + &"-zz+".repeat(31);
    for q in ["aa", "aa+-ab", &or, &not, &"aa+".repeat(32), &"%22aa+ab+ac%22+".repeat(10), &"a".repeat(500)] {
        let _ = user.get(&format!("/api/v1/search/?q={q}")).await.expect(200);
        let _ = user.get(&format!("/api/v1/projects/?search={q}")).await.expect(200);
    }
}
