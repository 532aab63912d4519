//! The OpenAPI document as served and as printed.

use std::collections::BTreeSet;

use bulkhead_tests::app::{PUBLIC_URL, TestApp};
use bulkhead_tests::binary;
use bulkhead_tests::rows::resources;
use serde_json::Value;

fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_document_is_openapi_3_1_whose_names_are_unique_and_whose_references_resolve() {
    let app = TestApp::start().await;
    let document = app.contract.document();
    assert!(document["openapi"].as_str().expect("a version").starts_with("3.1"));
    let parsed: oas3::OpenApiV3Spec = serde_json::from_value(document.clone()).expect("an OpenAPI document");
    let operations: Vec<String> =
        parsed.operations().filter_map(|(_, _, operation)| operation.operation_id.clone()).collect();
    let distinct: BTreeSet<&String> = operations.iter().collect();
    assert_eq!(
        (operations.len(), distinct.len()),
        (app.contract.operations().len(), app.contract.operations().len())
    );
    let mut found = Vec::new();
    references(document, &mut found);
    for reference in &found {
        let pointer = reference.strip_prefix('#').expect("a local reference");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for name in document["components"]["schemas"].as_object().expect("schemas").keys() {
        let reference = format!("#/components/schemas/{name}");
        assert!(found.contains(&reference.as_str()), "nothing uses {name}");
    }
}

#[tokio::test]
async fn lists_are_described_as_lists_of_their_own_rows() {
    let app = TestApp::start().await;
    let lists = [
        ("projects_list", "Project"),
        ("tasks_list", "Task"),
        ("documents_list", "Document"),
        ("users_list", "Member"),
        ("invitations_list", "Invitation"),
        ("api_clients_list", "ApiClient"),
        ("api_client_attempts_list", "ApiClientAttempt"),
        ("audit_log_list", "AuditEntry"),
    ];
    for (operation, row) in lists {
        let operation = app.contract.operations().iter().find(|known| known.id == operation).expect("a list");
        let schema =
            operation.value.pointer("/responses/200/content/application~1json/schema").expect("a schema");
        let items = &app.contract.resolve(schema)["properties"]["results"]["items"];
        assert_eq!(items["$ref"], format!("#/components/schemas/{row}"));
    }
}

#[tokio::test]
async fn every_path_of_the_document_is_served_with_just_its_methods() {
    let app = TestApp::start().await;
    let paths = app.contract.document()["paths"].as_object().expect("paths").clone();
    for (path, item) in paths {
        let target = path.replace("{id}", "00000000-0000-0000-0000-000000000000").replace("{slug}", "nobody");
        for slash in [target.as_str(), target.trim_end_matches('/')] {
            let allow = app.anonymous().send("OPTIONS", slash, None).await.expect(204);
            let allow: BTreeSet<&str> = allow.header("allow").expect("Allow").split(", ").collect();
            let mut expected: BTreeSet<String> =
                item.as_object().expect("methods").keys().map(|method| method.to_uppercase()).collect();
            if expected.contains("GET") {
                expected.insert("HEAD".to_owned());
            }
            expected.insert("OPTIONS".to_owned());
            assert_eq!(allow, expected.iter().map(String::as_str).collect(), "{slash}");
        }
    }
}

#[tokio::test]
async fn the_document_comes_as_json_and_yaml_and_its_pages_load_nothing_from_elsewhere() {
    let app = TestApp::start().await;
    for (path, headers) in
        [("/api/schema/?format=yaml", vec![]), ("/api/schema/", vec![("Accept", "application/yaml")])]
    {
        let yaml = app.anonymous().raw("GET", path, &headers, None).await.expect(200);
        assert!(yaml.text().starts_with("openapi:"), "{path}");
    }
    for path in ["/api/docs/", "/api/redoc/"] {
        let page = app.anonymous().get(path).await.expect(200);
        assert!(page.header("content-type").expect("a type").starts_with("text/html"));
        assert!(page.header("content-security-policy").expect("a policy").starts_with("default-src 'none'"));
        let text = page.text();
        for elsewhere in ["src=\"http", "href=\"http", "cdn.", "unpkg", "jsdelivr", "googleapis"] {
            let script = text.split("<script").next().expect("a head");
            assert!(!script.contains(elsewhere), "{elsewhere} in {path}");
        }
    }
}

#[tokio::test]
async fn the_committed_document_is_the_one_that_the_binary_prints() {
    let printed = binary::run(binary::command(&["openapi"]), "");
    assert_eq!(printed.code, Some(0), "{}", printed.stderr);
    let committed =
        std::fs::read_to_string(binary::workspace().join("docs/openapi.json")).unwrap_or_default();
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    assert!(
        read(&committed) == read(&printed.stdout),
        "docs/openapi.json is out of date; run `make openapi` and review the difference"
    );
}

#[tokio::test]
async fn the_root_of_the_api_leads_anybody_to_every_list_and_to_the_documents() {
    let app = TestApp::start().await;
    let links = app.anonymous().get("/api/v1/").await.expect(200).json();
    assert_eq!(app.anonymous().get("/api/v1").await.expect(200).json(), links);
    let user = app.owner_of(&app.a).await;
    for (name, url) in links.as_object().expect("an object") {
        let target = url.as_str().and_then(|url| url.strip_prefix(PUBLIC_URL)).expect("our own URL");
        assert!([200, 400].contains(&user.get(target).await.status), "{name}: {target}");
    }
    for name in resources().chain(["api-clients", "audit", "schema", "docs", "redoc"].map(str::to_owned)) {
        assert!(links[&name].is_string(), "{name}: {links}");
    }
    assert_eq!(links["projects"], format!("{PUBLIC_URL}/api/v1/projects/"));
    let mut launch = app.launch.clone();
    launch.settings.push(("BULKHEAD_DOCS__EXPOSE".to_owned(), "false".to_owned()));
    let quiet = launch.start().expect("a server without documents");
    let links = app.anonymous_at(&quiet).get("/api/v1/").await.expect(200).json();
    assert!(links["docs"].is_null() && links["schema"].is_null() && links["projects"].is_string(), "{links}");
}
