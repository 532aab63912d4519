//! Lists (2.080, 2.084, 2.085): pages, counts, orderings, filters, search.

use std::collections::BTreeSet;

use bulkhead_tests::app::{PUBLIC_URL, TestApp};
use bulkhead_tests::client::Client;
use bulkhead_tests::rows::{Rows, id};
use serde_json::{Value, json};

/// Adds projects straight into the table: many rows are wanted here, not many requests.
async fn fill(app: &TestApp, count: i64) {
    let insert = "insert into bulkhead.projects (tenant_id, id, name, created_at)
        select $1::text::uuid, gen_random_uuid(), 'row ' || n, now() - make_interval(secs => (n / 3)::float8)
        from generate_series(1, $2::bigint) n";
    app.operator.execute(insert, &[&app.a.id.to_string(), &count]).await.expect("fill");
}

/// Follows `next` (or `previous`) from a page on; gives every page.
async fn walk(client: &Client, start: &str, link: &str) -> Vec<Value> {
    let mut pages = vec![client.get(start).await.expect(200).json()];
    while let Some(url) = pages.last().expect("one")[link].as_str().map(str::to_owned) {
        let target = url.strip_prefix(PUBLIC_URL).unwrap_or_else(|| panic!("{url} is not ours")).to_owned();
        pages.push(client.get(&target).await.expect(200).json());
        assert!(pages.len() < 1000, "the pages do not end");
    }
    pages
}

fn ids_of(pages: &[Value]) -> Vec<String> {
    pages
        .iter()
        .flat_map(|page| page["results"].as_array().expect("results").iter().map(|row| id(row).to_owned()))
        .collect()
}

fn column(page: &Value, name: &str) -> Vec<Value> {
    page["results"].as_array().expect("results").iter().map(|row| row[name].clone()).collect()
}

#[tokio::test]
async fn a_walk_by_cursor_sees_each_row_that_was_there_exactly_once_while_others_insert() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    fill(&app, 100).await;
    let there: BTreeSet<String> =
        ids_of(&walk(&user, "/api/v1/projects/?page_size=200", "next").await).into_iter().collect();
    assert_eq!(there.len(), 100);
    let writing = async {
        for number in 0..60 {
            let body = json!({ "name": format!("meanwhile {number}") });
            assert_eq!(user.post("/api/v1/projects/", &body).await.status, 201);
        }
    };
    let reading = async {
        let newest_first = ids_of(&walk(&user, "/api/v1/projects/?page_size=7", "next").await);
        let oldest_first =
            ids_of(&walk(&user, "/api/v1/projects/?page_size=7&ordering=created_at", "next").await);
        (newest_first, oldest_first)
    };
    let ((), (newest_first, oldest_first)) = tokio::join!(writing, reading);
    for seen in [newest_first, oldest_first] {
        let distinct: BTreeSet<String> = seen.iter().cloned().collect();
        assert_eq!(distinct.len(), seen.len(), "no row twice");
        assert!(there.is_subset(&distinct), "no row is missed");
    }
}

#[tokio::test]
async fn previous_leads_back_over_the_same_pages() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    fill(&app, 23).await;
    for ordering in ["-created_at", "created_at", "name", "-updated_at"] {
        let forward =
            walk(&user, &format!("/api/v1/projects/?page_size=5&ordering={ordering}"), "next").await;
        assert_eq!((forward.len(), ids_of(&forward).len()), (5, 23));
        assert_eq!(forward[0]["previous"], Value::Null);
        let last =
            forward.last().expect("a page")["previous"].as_str().expect("a page before the last").to_owned();
        let last = last.strip_prefix(PUBLIC_URL).expect("ours").to_owned();
        let mut back = walk(&user, &last, "previous").await;
        back.reverse();
        assert_eq!(ids_of(&back), ids_of(&forward[..4]), "{ordering}");
    }
}

#[tokio::test]
async fn pages_can_be_numbered_and_past_the_end_there_is_none() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let empty = user.get("/api/v1/projects/?page=1").await.expect(200).json();
    assert_eq!(empty, json!({ "count": 0, "next": null, "previous": null, "results": [] }));
    assert_eq!(user.get("/api/v1/projects/?page=last").await.expect(200).json()["results"], json!([]));
    fill(&app, 25).await;
    let numbered = walk(&user, "/api/v1/projects/?page_size=10&page=1", "next").await;
    assert_eq!(
        numbered.iter().map(|page| page["results"].as_array().expect("rows").len()).collect::<Vec<_>>(),
        [10, 10, 5]
    );
    assert_eq!(ids_of(&numbered), ids_of(&walk(&user, "/api/v1/projects/?page_size=10", "next").await));
    let last = user.get("/api/v1/projects/?page_size=10&page=last").await.expect(200).json();
    assert_eq!(last["results"], numbered[2]["results"]);
    assert!(last["previous"].as_str().expect("a page before").ends_with("page=2"));
    for page in ["4", "100"] {
        let past = user
            .get(&format!("/api/v1/projects/?page_size=10&page={page}"))
            .await
            .expect_problem(404, "not_found");
        assert_eq!(past.json()["detail"], "Invalid page.");
    }
    for page in ["0", "-1", "x", "1.0", "", "9223372036854775807", "9223372036854775808", "1e3"] {
        let refused = user.get(&format!("/api/v1/projects/?page={page}")).await;
        assert!([400, 404].contains(&refused.status), "{refused}");
    }
}

#[tokio::test]
async fn a_page_has_fifty_rows_unless_told_otherwise_and_two_hundred_at_most() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    fill(&app, 210).await;
    let rows = async |query: &str| {
        user.get(&format!("/api/v1/projects/{query}")).await.expect(200).json()["results"]
            .as_array()
            .expect("rows")
            .len()
    };
    for (query, expected) in [
        ("", 50),
        ("?page_size=1", 1),
        ("?page_size=200", 200),
        ("?page_size=201", 200),
        ("?page_size=99999999999", 200),
    ] {
        assert_eq!(rows(query).await, expected, "{query}");
    }
    for wrong in ["0", "-1", "x", "1.5", "", "1e2", "18446744073709551616"] {
        let _ = user
            .get(&format!("/api/v1/projects/?page_size={wrong}"))
            .await
            .expect_problem(400, "invalid_parameter");
    }
}

#[tokio::test]
async fn counting_is_exact_to_ten_thousand_capped_above_and_can_be_insisted_on_or_skipped() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    fill(&app, 10_000).await;
    let get = async |query: &str| {
        user.get(&format!("/api/v1/projects/?page_size=1&{query}")).await.expect(200).json()
    };
    let page = get("").await;
    assert_eq!((&page["count"], page.get("count_capped")), (&json!(10_000), None));
    assert_eq!(user.post("/api/v1/projects/", &json!({ "name": "one more" })).await.status, 201);
    let page = get("").await;
    assert_eq!((&page["count"], &page["count_capped"]), (&json!(10_000), &json!(true)));
    let page = get("count=exact").await;
    assert_eq!((&page["count"], page.get("count_capped")), (&json!(10_001), None));
    assert_eq!(get("count=none").await["count"], Value::Null);
    for last in [get("page=last").await, get("page=last&count=none").await] {
        assert_eq!(last["results"].as_array().expect("rows").len(), 1);
        let previous = last["previous"].as_str().expect("a page before");
        assert!(previous.ends_with("page=10000"), "{previous}");
    }
    let _ = user.get("/api/v1/projects/?count=maybe").await.expect_problem(400, "invalid_parameter");
}

#[tokio::test]
async fn orderings_hold_in_both_directions_and_rows_without_a_date_come_last_either_way() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let project =
        user.post("/api/v1/projects/", &json!({ "name": "P" })).await.expect(201).json()["id"].clone();
    let days =
        [Some("2026-03-01"), None, Some("2026-01-01"), Some("2026-02-01"), None, Some("2026-02-01"), None];
    for (number, day) in days.iter().enumerate() {
        let body = json!({ "project": project, "title": format!("t{number}"), "due_date": day });
        assert_eq!(user.post("/api/v1/tasks/", &body).await.status, 201);
    }
    let whole = async |ordering: &str| {
        let page = user.get(&format!("/api/v1/tasks/?ordering={ordering}")).await.expect(200).json();
        (column(&page, "due_date"), ids_of(&[page]))
    };
    let (rising, rising_ids) = whole("due_date").await;
    let (falling, falling_ids) = whole("-due_date").await;
    let dates = |values: [&str; 4]| {
        values.into_iter().map(|day| json!(day)).chain(vec![Value::Null; 3]).collect::<Vec<_>>()
    };
    assert_eq!(rising, dates(["2026-01-01", "2026-02-01", "2026-02-01", "2026-03-01"]));
    assert_eq!(falling, dates(["2026-03-01", "2026-02-01", "2026-02-01", "2026-01-01"]));
    for (ordering, expected) in [("due_date", rising_ids), ("-due_date", falling_ids)] {
        for size in 1..=4 {
            let start = format!("/api/v1/tasks/?ordering={ordering}&page_size={size}");
            let forward = walk(&user, &start, "next").await;
            assert_eq!(ids_of(&forward), expected, "{start}");
            let Some(last) = forward.last().expect("a page")["previous"].as_str() else { continue };
            let mut back = walk(&user, last.strip_prefix(PUBLIC_URL).expect("ours"), "previous").await;
            back.reverse();
            assert_eq!(ids_of(&back), ids_of(&forward[..forward.len() - 1]), "back over {start}");
        }
    }
    for wrong in [
        "tenant_id",
        "password_hash",
        "-",
        "",
        "id;drop",
        "due_date,title",
        "--due_date",
        "(a+)+$",
        "project_name",
    ] {
        let _ = user
            .get(&format!("/api/v1/tasks/?ordering={wrong}"))
            .await
            .expect_problem(400, "invalid_parameter");
    }
}

#[tokio::test]
async fn filters_are_typed_combined_and_an_unknown_one_is_refused() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let project =
        user.post("/api/v1/projects/", &json!({ "name": "P" })).await.expect(201).json()["id"].clone();
    for (title, status, priority, due) in [
        ("a", "todo", "high", json!("2026-01-10")),
        ("b", "todo", "low", json!("2026-01-20")),
        ("c", "done", "high", json!("2026-01-30")),
        ("d", "todo", "high", json!(null)),
    ] {
        let body = json!({ "project": project, "title": title, "status": status, "priority": priority, "due_date": due });
        assert_eq!(user.post("/api/v1/tasks/", &body).await.status, 201);
    }
    let titles = async |query: &str| {
        let page = user.get(&format!("/api/v1/tasks/?ordering=title&{query}")).await.expect(200).json();
        assert_eq!(
            page["count"],
            json!(page["results"].as_array().expect("rows").len()),
            "the count is of what is shown"
        );
        column(&page, "title")
            .iter()
            .map(|title| title.as_str().expect("a text").to_owned())
            .collect::<String>()
    };
    for (query, expected) in [
        ("status=todo", "abd"),
        ("status=todo&priority=high", "ad"),
        ("priority=critical", ""),
        ("due_after=2026-01-20", "bc"),
        ("due_before=2026-01-20", "a"),
        ("due_after=2026-01-10&due_before=2026-01-30", "ab"),
        (&format!("project={}", project.as_str().expect("an id")), "abcd"),
        ("created_after=2000-01-01", "abcd"),
        ("created_before=2000-01-01T00:00:00Z", ""),
        ("updated_after=2000-01-01T00:00:00%2B02:00", "abcd"),
        ("search=A", "a"),
    ] {
        assert_eq!(titles(query).await, expected, "{query}");
    }
    for wrong in [
        "status=open",
        "status=",
        "status=Todo",
        "priority=7",
        "project=x",
        "project=",
        "due_after=2026-02-30",
        "due_after=infinity",
        "created_after=now",
        "created_after=294277-01-01T00:00:00Z",
        "colour=red",
        "status=todo&status=done",
        "Status=todo",
        "status__in=todo",
    ] {
        let _ = user.get(&format!("/api/v1/tasks/?{wrong}")).await.expect_problem(400, "invalid_parameter");
    }
}

#[tokio::test]
async fn a_search_is_for_words_or_the_start_of_the_name_without_regard_to_case_and_no_character_means_anything_to_sql()
 {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    for name in [
        "Alpha",
        "alphabet",
        "beta alpha",
        "100%",
        "100 percent",
        "a_b",
        "axb",
        r"back\slash",
        r"trail\",
        "Äpfel",
        "O'Hara",
    ] {
        assert_eq!(user.post("/api/v1/projects/", &json!({ "name": name })).await.status, 201);
    }
    for (search, expected) in [
        ("alpha", vec!["Alpha", "alphabet", "beta alpha"]),
        ("ALPHA", vec!["Alpha", "alphabet", "beta alpha"]),
        ("alpha%20", vec!["Alpha", "beta alpha"]),
        ("alpha%20-beta", vec!["Alpha"]),
        ("a", vec!["Alpha", "a_b", "alphabet", "axb"]),
        ("100%25", vec!["100 percent", "100%"]),
        ("apf", vec!["Äpfel"]),
        ("%C3%84PF", vec!["Äpfel"]),
        ("a_", vec!["a_b"]),
        ("%25", vec![]),
        ("_", vec![]),
        (r"back%5C", vec![r"back\slash"]),
        ("trail%5C", vec![r"trail\"]),
        ("%5C", vec![]),
        ("o'h", vec!["O'Hara"]),
        ("hara", vec!["O'Hara"]),
        ("foo%20%26%20", vec![]),
        ("(((", vec![]),
        ("%F0%9F%94%91", vec![]),
    ] {
        let page =
            user.get(&format!("/api/v1/projects/?ordering=name&search={search}")).await.expect(200).json();
        assert_eq!(
            column(&page, "name"),
            expected.iter().map(|name| json!(name)).collect::<Vec<_>>(),
            "{search}"
        );
    }
    assert_eq!(user.get("/api/v1/projects/?search=").await.expect(200).json()["count"], 11, "no search");
    assert_eq!(user.get(&format!("/api/v1/projects/?search={}", "x".repeat(501))).await.status, 400);
    assert_eq!(user.get("/api/v1/projects/?search=a%00b").await.status, 400);
}

#[tokio::test]
async fn a_filter_for_what_is_empty_goes_with_the_links_to_the_next_page() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    for number in 0..6 {
        let kind = if number % 2 == 0 { "" } else { "text/plain" };
        let body = json!({ "name": format!("d{number}"), "content_type": kind });
        let _ = user.post("/api/v1/documents/", &body).await.expect(201);
    }
    let mut target = "/api/v1/documents/?content_type=&page_size=2".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = user.get(&target).await.expect(200).json();
        seen.extend(column(&page, "content_type"));
        let Some(next) = page["next"].as_str() else { break };
        target = next.strip_prefix(PUBLIC_URL).expect("ours").to_owned();
    }
    assert_eq!(seen, [json!(""), json!(""), json!("")]);
}

/// ADR 6: the words of a list's SQL come from constants, so each of them is tried against the real schema.
#[tokio::test]
async fn every_ordering_and_every_filter_of_every_list_runs_in_either_direction_of_paging() {
    let app = TestApp::start().await;
    let user = app.owner_of(&app.a).await;
    let rows = Rows::create(&user, &app.a).await;
    // Two of each, so that there is a second page to go to and to come back from.
    let _ = Rows::create_with(&user, "second").await;
    let mut tried = 0;
    for operation in app.contract.operations() {
        let parameters = operation.parameters("query");
        let Some((_, orderings)) = parameters.iter().find(|(name, _)| name == "ordering") else { continue };
        let usual = if operation.path.contains("by") { "status=todo&page_size=1" } else { "page_size=1" };
        let path = format!("{}?{usual}", operation.path.replace("{id}", rows.id("projects")));
        for ordering in orderings["schema"]["enum"].as_array().expect("the orderings") {
            let page = user
                .get(&format!("{path}&ordering={}", ordering.as_str().expect("a word")))
                .await
                .expect(200);
            if let Some(next) = page.json()["next"].as_str() {
                let second = user.get(next.strip_prefix(PUBLIC_URL).expect("ours")).await.expect(200).json();
                let back = second["previous"].as_str().expect("a way back");
                let _ = user.get(back.strip_prefix(PUBLIC_URL).expect("ours")).await.expect(200);
            }
            tried += 1;
        }
        let paging = ["ordering", "page", "page_size", "cursor", "status"];
        for (name, parameter) in parameters.iter().filter(|(name, _)| !paging.contains(&name.as_str())) {
            let value =
                match (parameter["schema"]["enum"][0].as_str(), parameter["schema"]["format"].as_str()) {
                    (Some(word), _) => word.to_owned(),
                    (None, Some("uuid")) => rows.id("projects").to_owned(),
                    (None, Some(_)) => "2026-01-01".to_owned(),
                    (None, None) if parameter["schema"]["type"] == "boolean" => "true".to_owned(),
                    (None, None) => "1".to_owned(),
                };
            let _ = user.get(&format!("{path}&{name}={value}")).await.expect(200);
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried}");
}
