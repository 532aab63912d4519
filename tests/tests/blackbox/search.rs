//! Search across resources (4.07): what is found, in which order, how it is shown, and what is refused.

use std::collections::BTreeSet;

use bulkhead_domain::search::Terms;
use bulkhead_tests::app::{PUBLIC_URL, TestApp, challenge};
use bulkhead_tests::client::Client;
use bulkhead_tests::rows::id;
use serde_json::{Value, json};

/// Makes a project, and gives its id.
async fn project(user: &Client, name: &str, description: &str) -> String {
    let body = json!({ "name": name, "description": description });
    id(&user.post("/api/v1/projects/", &body).await.expect(201).json()).to_owned()
}

/// What a search finds; its parameters as they stand in a URL.
async fn find(user: &Client, parameters: &str) -> Value {
    user.get(&format!("/api/v1/search/?{parameters}")).await.expect(200).json()
}

fn column<'a>(page: &'a Value, name: &str) -> Vec<&'a str> {
    let rows = page["results"].as_array().expect("results");
    rows.iter().map(|row| row[name].as_str().expect("a text")).collect()
}

async fn titles(user: &Client, parameters: &str) -> Vec<String> {
    column(&find(user, parameters).await, "title").iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_result_names_its_row_and_the_row_is_where_it_says() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let project = project(&user, "Apollo", "to the moon").await;
    let task = json!({ "project": project, "title": "Fuel", "description": "for apollo" });
    let task = user.post("/api/v1/tasks/", &task).await.expect(201).json();
    let document = json!({ "name": "apollo.pdf", "file_path": "/plans/x.pdf" });
    let document = user.post("/api/v1/documents/", &document).await.expect(201).json();
    let page = find(&user, "q=apollo").await;
    assert_eq!((&page["count"], &page["next"], &page["previous"]), (&json!(3), &json!(null), &json!(null)));
    let found: BTreeSet<(&str, &str)> = column(&page, "type").into_iter().zip(column(&page, "id")).collect();
    let all = [("projects", project.as_str()), ("tasks", id(&task)), ("documents", id(&document))];
    assert_eq!(found, all.into());
    assert_eq!(column(&page, "type")[2], "tasks", "a word in the text weighs less than one in the title");
    for row in page["results"].as_array().expect("results") {
        let url = row["url"].as_str().expect("a URL");
        let at_home = user.get(url.strip_prefix(PUBLIC_URL).expect("ours")).await.expect(200).json();
        assert_eq!((&at_home["id"], &at_home["updated_at"]), (&row["id"], &row["updated_at"]));
    }
    for (types, expected) in [("tasks", 1), ("tasks,documents", 2), ("documents%2C%20projects,documents", 2)]
    {
        assert_eq!(find(&user, &format!("q=apollo&types={types}")).await["count"], expected, "{types}");
    }
    for (path, word) in [("plans", "documents"), ("moon", "projects")] {
        assert_eq!(column(&find(&user, &format!("q={path}")).await, "type"), [word]);
    }
}

#[tokio::test]
async fn words_are_found_whole_unfinished_quoted_excluded_and_without_case_and_accents() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    for (name, description) in [
        ("Project Café", "opens late"),
        ("Quarterly report", "first draft of the numbers"),
        ("Report: cover sheet", "TPS"),
        ("O'Hara & Sons", "well-known_friends"),
        ("日本語 ノート", "Überraschung ½ 🔑key"),
        ("100% wool", "a/b/c.txt v2.0"),
    ] {
        let _ = project(&user, name, description).await;
    }
    for (q, expected) in [
        ("report", vec!["Quarterly report", "Report: cover sheet"]),
        ("REPORT%20cover", vec!["Report: cover sheet"]),
        ("rep", vec!["Quarterly report", "Report: cover sheet"]),
        ("rep%20", vec![]),
        ("rep%20cover", vec![]),
        ("cover%20sh", vec!["Report: cover sheet"]),
        ("report%20-draft", vec!["Report: cover sheet"]),
        ("report%20-%22first%20draft%22", vec!["Report: cover sheet"]),
        ("%22cover%20sheet%22", vec!["Report: cover sheet"]),
        ("%22sheet%20cover%22", vec![]),
        ("cafe%20or%20wool%20", vec!["100% wool", "Project Café"]),
        ("CAF%C3%89", vec!["Project Café"]),
        ("cafe%CC%81", vec!["Project Café"]),
        ("uberraschung", vec!["日本語 ノート"]),
        ("%E6%97%A5%E6%9C%AC", vec!["日本語 ノート"]),
        ("ohara", vec![]),
        ("o'hara", vec!["O'Hara & Sons"]),
        ("well-known", vec!["O'Hara & Sons"]),
        ("friends", vec!["O'Hara & Sons"]),
        ("c.txt", vec!["100% wool"]),
        ("v2", vec!["100% wool"]),
        ("100%25", vec!["100% wool"]),
        ("-report", vec![]),
        ("%F0%9F%94%91", vec![]),
        ("(((", vec![]),
        ("%25", vec![]),
    ] {
        let mut found = titles(&user, &format!("q={q}&types=projects")).await;
        found.sort();
        // What only resembles the words is told apart by its rank, and is another test's.
        let page = find(&user, &format!("q={q}&types=projects")).await;
        let alike = page["results"].as_array().expect("results").iter();
        if alike.clone().any(|row| row["rank"].as_i64().expect("a rank") < 1_000_000) {
            found.clear();
        }
        assert_eq!(found, expected, "{q}");
    }
}

#[tokio::test]
async fn the_beginning_of_a_title_ranks_first_then_words_in_titles_then_words_in_texts() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    for (name, description) in [
        ("Notes", "about a launch"),
        ("The launch", "nothing"),
        ("Launch pad", "nothing"),
        ("More notes", "launch, launch and launch"),
    ] {
        let _ = project(&user, name, description).await;
    }
    let found = titles(&user, "q=launch").await;
    assert_eq!(found[..2], ["Launch pad", "The launch"], "{found:?}");
    assert_eq!(found[2..], ["More notes", "Notes"], "more often is better: {found:?}");
}

#[tokio::test]
async fn a_mistyped_title_is_found_when_nothing_is_spelled_like_that() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    for name in ["Invoice 7", "Apollo project", "Zebra"] {
        let _ = project(&user, name, "").await;
    }
    for (q, expected) in [
        ("invioce", "Invoice 7"),
        ("projct", "Apollo project"),
        ("appollo", "Apollo project"),
        ("apolo%20project", "Apollo project"),
        ("%C3%A1pp%C3%B3llo", "Apollo project"),
    ] {
        let page = find(&user, &format!("q={q}")).await;
        assert_eq!(column(&page, "title"), [expected], "{q}");
        assert_eq!(page["count"], 1);
        assert!(page["results"][0]["rank"].as_i64().expect("a rank") < 1_000_000);
    }
    let _ = project(&user, "Projct", "as it is spelled").await;
    assert_eq!(titles(&user, "q=projct").await, ["Projct"], "now something is");
    assert_eq!(titles(&user, "q=xylophone").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_snippet_is_safe_html_with_marks_of_ours_only() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let evil = "<script>alert('needle')</script> <mark>x</mark> & \"needle\" \u{2}needle\u{3}";
    let _ = project(&user, "<b>Needle</b>", evil).await;
    let page = find(&user, "q=needle").await;
    let snippet = column(&page, "snippet")[0];
    let mark = "<mark>needle</mark>";
    assert_eq!(
        snippet,
        format!(
            "&lt;script&gt;alert(&#39;{mark}&#39;)&lt;/script&gt; &lt;mark&gt;x&lt;/mark&gt; &amp; &quot;{mark}&quot; {mark}"
        )
    );
    assert_eq!(column(&page, "title"), ["<b>Needle</b>"], "a title is plain text");
    let _ = project(&user, "Haystack <i>", "").await;
    let page = find(&user, "q=hay").await;
    assert_eq!(column(&page, "snippet"), ["<mark>Haystack</mark> &lt;i&gt;"]);
}

#[tokio::test]
async fn what_is_typed_is_a_value_and_never_a_word_of_sql_or_of_the_index() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let _ = project(&user, "plain", "words").await;
    let others = app.b.id.simple().to_string();
    let tag = format!("k{}", &others[24..]);
    for q in [
        "';drop table projects;--",
        "a' | 'b",
        "plain:*A",
        "!(plain)",
        "plain & !words | (",
        "\\",
        "'\\",
        "~",
        "'~plain'",
        "plain'::tsquery",
        "<-> <2> plain",
        "$1",
        "%s %I {title}",
        "\u{ff06} \u{ff5c} \u{ff08}",
        "\u{fe60}\u{2026}\u{bd}",
        "\u{fdfa}\u{fdfa}",
        "\"",
        "\"\"",
        "- - -",
        "or",
        "or or or",
        "-\"",
        &tag,
        &format!("{tag}plain"),
    ] {
        let encoded: String = q.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let found = user.get(&format!("/api/v1/search/?q={encoded}")).await;
        assert_eq!(found.status, 200, "{q}: {found}");
        let found = user.get(&format!("/api/v1/projects/?search={encoded}")).await;
        assert_eq!(found.status, 200, "{q}: {found}");
    }
    assert_eq!(titles(&user, "q=plain").await, ["plain"]);
}

#[tokio::test]
async fn parameters_that_cannot_be_used_are_refused_and_said_so() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let _ = project(&user, "one", "").await;
    let long = "x".repeat(501);
    let many = "ab+".repeat(33);
    for wrong in [
        String::new(),
        "q=".to_owned(),
        "q=%20%20".to_owned(),
        format!("q={long}"),
        format!("q={many}"),
        "q=a%00b".to_owned(),
        "q=a&q=b".to_owned(),
        "q=a&types=".to_owned(),
        "q=a&types=users".to_owned(),
        "q=a&types=projects,,tasks".to_owned(),
        "q=a&types=Projects".to_owned(),
        "q=a&page_size=0".to_owned(),
        "q=a&ordering=name".to_owned(),
        "q=a&page=2".to_owned(),
        "search=a".to_owned(),
    ] {
        let _ = user.get(&format!("/api/v1/search/?{wrong}")).await.expect_problem(400, "invalid_parameter");
    }
    for cursor in ["x", "", "e30"] {
        let refused = user.get(&format!("/api/v1/search/?q=a&cursor={cursor}")).await;
        let _ = refused.expect_problem(400, "invalid_cursor");
    }
    for (resource, wrong) in [("projects", &long), ("tasks", &many), ("api-clients", &long)] {
        let owner = app.owner_of(&app.a).await;
        let refused = owner.get(&format!("/api/v1/{resource}/?search={wrong}")).await;
        let _ = refused.expect_problem(400, "invalid_parameter");
    }
    let _ = find(&user, &format!("q={}", "x".repeat(500))).await;
    let _ = find(&user, &format!("q={}", "ab+".repeat(32))).await;
}

#[tokio::test]
async fn a_caller_finds_what_it_may_read_and_with_nothing_to_read_is_refused() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let project = project(&user, "Secret plan", "").await;
    let task = json!({ "project": project, "title": "Secret task" });
    let _ = user.post("/api/v1/tasks/", &task).await.expect(201);
    for (scopes, parameters, expected) in [
        (vec!["read:projects"], "", vec!["projects"]),
        (vec!["read:tasks", "write:projects"], "", vec!["tasks"]),
        (vec!["read:tasks"], "&types=tasks,projects", vec!["tasks"]),
        (vec!["read:*"], "", vec!["projects", "tasks"]),
    ] {
        let page = find(&app.scoped(&app.a, &scopes), &format!("q=secret{parameters}")).await;
        let found: BTreeSet<&str> = column(&page, "type").into_iter().collect();
        assert_eq!(found, expected.into_iter().collect(), "{scopes:?}");
        assert_eq!(page["count"], found.len(), "the count is of what may be seen");
    }
    for (scopes, parameters) in [
        (vec![], ""),
        (vec!["write:projects", "tenant:admin", "read:api-clients"], ""),
        (vec!["read:tasks"], "&types=projects"),
    ] {
        let refused = app.scoped(&app.a, &scopes).get(&format!("/api/v1/search/?q=secret{parameters}")).await;
        let refused = refused.expect_problem(403, "insufficient_scope");
        if !parameters.is_empty() {
            let expected = challenge("error=\"insufficient_scope\", scope=\"read:projects\"");
            assert_eq!(refused.header("www-authenticate"), Some(expected.as_str()));
        }
    }
}

#[tokio::test]
async fn words_that_a_symbol_joins_are_found_each_by_itself() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    for name in ["Preis \u{20ac}100", "1000\u{d7}2000", "\u{1f511}keyring", "left\u{2192}right", "caf\u{e9}"]
    {
        let _ = project(&user, name, "").await;
    }
    for (q, expected) in [
        ("%22100%22", "Preis \u{20ac}100"),
        ("%22%E2%82%AC100%22", "Preis \u{20ac}100"),
        ("2000", "1000\u{d7}2000"),
        ("keyr", "\u{1f511}keyring"),
        ("right", "left\u{2192}right"),
        // An accent is no letter of its own.
        ("caf%C3%A9", "caf\u{e9}"),
    ] {
        assert_eq!(titles(&user, &format!("q={q}")).await, [expected], "{q}");
    }
    assert_eq!(find(&user, "q=%CC%81%CC%81").await["count"], 0, "marks alone are no beginning");
}

/// The query is split into words by the server and the index by the database: at the same characters.
#[tokio::test]
async fn the_server_and_the_index_end_words_at_the_same_characters() {
    let app = TestApp::start().await;
    let query = "select n::bigint, array_length(string_to_array(bulkhead.search_tagged($1::text::uuid, 'a' || chr(n::integer) || 'b'), ' '), 1)
        from (select generate_series(1, 65535) union all select generate_series(126976, 129791)) c (n)
        where n not between 55296 and 57343";
    let rows = app.operator.query(query, &[&app.a.id.to_string()]).await.expect("the words");
    let mut apart = Vec::new();
    for row in &rows {
        let (code, words): (i64, i32) = (row.get(0), row.get(1));
        let character = u32::try_from(code).ok().and_then(char::from_u32).expect("a character");
        // Within quotation marks, where nothing else means anything; they themselves separate.
        let asked = if character == '"' { "a b".to_owned() } else { format!("\"a{character}b\"") };
        let terms = Terms::parse(&asked).expect("searchable");
        let mine: usize = terms.alternatives.iter().flatten().map(|term| term.words.len()).sum();
        if usize::try_from(words) != Ok(mine) {
            apart.push((character, words, mine));
        }
    }
    assert!(apart.is_empty(), "{} of {}: {:?}", apart.len(), rows.len(), &apart[..apart.len().min(20)]);
}
