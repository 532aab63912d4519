//! The structure of the database: clean as migrated, and every broken barrier noticed, by the lint and by the server that
//! then refuses to start (DB-1 to DB-12).

use std::time::Duration;

use bulkhead_domain::ids::new_id;
use bulkhead_persistence::connect::{ConnectSettings, Tls};
use bulkhead_persistence::inspect::inspect;
use bulkhead_persistence::lint::Finding;
use bulkhead_tests::app::{Launch, TestApp};
use bulkhead_tests::binary::{self, Outcome};
use bulkhead_tests::cluster::{Cluster, Urls};
use bulkhead_tests::database::{self, environment};
use bulkhead_tests::keys::Key;
use bulkhead_tests::poll::until;
use bulkhead_tests::rows::Rows;
use bulkhead_tests::scratch::Scratch;
use secrecy::SecretString;
use serde_json::json;

async fn findings(url: &str) -> Vec<Finding> {
    let settings = ConnectSettings {
        url: SecretString::from(url),
        tls: Tls::Off,
        application_name: "tests".to_owned(),
        connect_timeout: Duration::from_secs(5),
    };
    inspect(&settings).await.expect("look at the database").findings
}

#[tokio::test]
async fn the_migrated_database_is_clean_for_every_role_that_serves() {
    let cluster = Cluster::shared();
    let urls = cluster.urls();
    for url in [&urls.url, &urls.auth_url, &urls.platform_url] {
        assert_eq!(findings(url).await, [], "{url}");
    }
}

/// What is broken, how it is mended, and the words by which a finding must name it.
const MUTATIONS: [(&str, &str, &str, &str); 21] = [
    (
        "a dropped policy",
        "drop policy tenant_isolation on bulkhead.tasks",
        "create policy tenant_isolation on bulkhead.tasks for all to bulkhead_app, bulkhead_auth
            using (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
            with check (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)",
        "tasks",
    ),
    (
        "a policy that lets everything through",
        "create policy wide on bulkhead.documents using (true)",
        "drop policy wide on bulkhead.documents",
        "documents",
    ),
    (
        "row-level security not forced",
        "alter table bulkhead.projects no force row level security",
        "alter table bulkhead.projects force row level security",
        "projects",
    ),
    (
        "row-level security disabled",
        "alter table bulkhead.users disable row level security",
        "alter table bulkhead.users enable row level security",
        "users",
    ),
    (
        "a reference that does not pair the tenants",
        "alter table bulkhead.projects add constraint projects_id_unique unique (id);
         alter table bulkhead.tasks drop constraint tasks_project_fk;
         alter table bulkhead.tasks add constraint tasks_project_fk foreign key (project_id) references bulkhead.projects (id)",
        "alter table bulkhead.tasks drop constraint tasks_project_fk;
         alter table bulkhead.projects drop constraint projects_id_unique;
         alter table bulkhead.tasks add constraint tasks_project_fk foreign key (tenant_id, project_id)
            references bulkhead.projects (tenant_id, id) on delete cascade",
        "tasks_project_fk",
    ),
    (
        "a unique index across tenants",
        "create unique index documents_name_unique on bulkhead.documents (name)",
        "drop index bulkhead.documents_name_unique",
        "documents_name_unique",
    ),
    ("a role that policies do not bind", "alter role bulkhead_app bypassrls", "alter role bulkhead_app nobypassrls", "bulkhead_app"),
    (
        "a role that is a member of the owner",
        "grant bulkhead_owner to bulkhead_app",
        "revoke bulkhead_owner from bulkhead_app",
        "bulkhead_app",
    ),
    (
        "credentials that requests may read",
        "grant select on bulkhead.user_credentials to bulkhead_app",
        "revoke select on bulkhead.user_credentials from bulkhead_app",
        "user_credentials",
    ),
    (
        "a view around the policies",
        "create view bulkhead.everything as select * from bulkhead.projects; grant select on bulkhead.everything to bulkhead_app",
        "drop view bulkhead.everything",
        "everything",
    ),
    (
        "a search that forgets its tenant",
        "do $$ begin execute replace(pg_get_functiondef('bulkhead.search_blogs'::regproc), 'where f.tenant_id = own', 'where true'); end $$",
        "do $$ begin execute replace(pg_get_functiondef('bulkhead.search_blogs'::regproc), 'where true', 'where f.tenant_id = own'); end $$",
        "search_blogs",
    ),
    (
        "a search whose names somebody else may resolve",
        "alter function bulkhead.search_tasks reset search_path",
        "alter function bulkhead.search_tasks set search_path = pg_catalog, pg_temp",
        "search_tasks",
    ),
    (
        "a search for anybody",
        "grant execute on function bulkhead.search_tasks to public",
        "revoke execute on function bulkhead.search_tasks from public",
        "search_tasks",
    ),
    (
        "a search with the owner's rights",
        "alter function bulkhead.search_books owner to bulkhead_owner",
        "alter function bulkhead.search_books owner to bulkhead_search",
        "search_books",
    ),
    (
        "one more function with its definer's rights",
        "create function bulkhead.search_users(query text) returns setof text language sql security definer
            as 'select username from bulkhead.users'; alter function bulkhead.search_users owner to bulkhead_search",
        "drop function bulkhead.search_users",
        "search_users",
    ),
    (
        "a search that may read texts",
        "grant select (description) on bulkhead.tasks to bulkhead_search",
        "revoke select (description) on bulkhead.tasks from bulkhead_search",
        "tasks.description",
    ),
    (
        "a search in a table that is not searched",
        "create policy search on bulkhead.users for select to bulkhead_search using (true)",
        "drop policy search on bulkhead.users",
        "policy search on users",
    ),
    ("a schema of a role that serves", "create schema aside authorization bulkhead_app", "drop schema aside", "bulkhead_app owns schema aside"),
    (
        "a table of a role that serves",
        "create schema aside; create table aside.notes (id int); alter table aside.notes owner to bulkhead_auth",
        "drop schema aside cascade",
        "bulkhead_auth owns relation aside.notes",
    ),
    (
        "a function of a role that serves",
        "create schema aside; create function aside.one() returns int language sql as 'select 1';
         alter function aside.one() owner to bulkhead_app",
        "drop schema aside cascade",
        "bulkhead_app owns function aside.one()",
    ),
    ("somebody who is the search", "alter role bulkhead_search login", "alter role bulkhead_search nologin", "bulkhead_search"),
];

/// What the operator's command says.
fn verify(urls: &Urls) -> Outcome {
    let mut command = binary::command(&["verify-isolation"]);
    command.envs(environment(urls));
    binary::run(command, "")
}

/// On a cluster of its own, because roles belong to the whole server.
#[tokio::test]
async fn every_broken_barrier_is_found_and_no_server_starts_until_it_is_mended() {
    let folder = Scratch::new("mutations");
    let cluster = Cluster::start(folder.path());
    let key = folder.write("key.pem", Key::generate().pem());
    let launch = Launch { urls: cluster.urls().clone(), key_file: key, settings: Vec::new() };
    let superuser = database::connect(&cluster.urls().superuser_inside()).await;
    drop(launch.start().expect("the control"));
    for (what, broken, mended, name) in MUTATIONS {
        superuser.batch_execute(broken).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        let found = findings(&cluster.urls().url).await;
        assert!(found.iter().any(|finding| finding.to_string().contains(name)), "{what}: {found:?}");
        let Err((status, output)) = launch.start() else { panic!("a server started with {what}") };
        assert!(!status.success() && output.contains(name), "{what}: {status} {output}");
        let verified = verify(cluster.urls());
        assert!(verified.code == Some(1) && verified.stderr.contains(name), "{what}: {verified:?}");
        superuser.batch_execute(mended).await.unwrap_or_else(|error| panic!("mending {what}: {error}"));
        assert_eq!(findings(&cluster.urls().url).await, [], "mended: {what}");
    }
    drop(launch.start().expect("all is mended"));
    let verified = verify(cluster.urls());
    assert_eq!(
        (verified.code, verified.stdout.trim()),
        (Some(0), "every barrier between tenants is in place")
    );
    drop(superuser);
    drop(cluster);
}

/// The tables with a tenant, and the runtime role that may read each.
async fn tables(urls: &Urls) -> Vec<(String, &'static str)> {
    let superuser = database::connect(&urls.superuser_inside()).await;
    let query = "select c.relname::text, has_table_privilege('bulkhead_app', c.oid, 'select')
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
        where c.relnamespace = 'bulkhead'::regnamespace and c.relkind in ('r', 'p') order by 1";
    let rows = superuser.query(query, &[]).await.expect("the catalogue");
    rows.iter().map(|row| (row.get(0), if row.get(1) { "app" } else { "auth" })).collect()
}

/// Reference tables that the log-in role reads across tenants, by design: it must find the tenant first, and know all
/// revocations.
const DIRECTORIES: [&str; 2] = ["tenant_domains", "revocations"];

#[tokio::test]
async fn db_12_as_the_runtime_role_nothing_of_another_tenant_can_be_seen_or_made_in_any_table() {
    let app = TestApp::start().await;
    for tenant in [&app.a, &app.b] {
        let owner = app.owner_of(tenant).await;
        let keyed = owner.with_header("Idempotency-Key", &new_id().to_string());
        assert_eq!(keyed.post("/api/v1/projects/", &json!({ "name": "keyed" })).await.status, 201);
        let machine = Rows::create_all(&owner, tenant).await.machine.expect("a client");
        let _ = machine.session(&app).await;
        assert_eq!(machine.at_work(&app, tenant).await.get("/api/v1/auth/me/").await.status, 200);
        until("its use to be written down", Duration::from_secs(10), async || {
            let usage = owner.get(&machine.path("usage/")).await.expect(200).json();
            (usage["requests"] != 0).then_some(())
        })
        .await;
    }
    let (a, b) = (app.a.id.to_string(), app.b.id.to_string());
    let (mut seen, mut inserted) = (Vec::new(), Vec::new());
    for (table, role) in tables(&app.urls).await {
        let url = if role == "app" { &app.urls.url } else { &app.urls.auth_url };
        let session = database::connect(url).await;
        let count = async |condition: &str| {
            let select = format!("select count(*) from bulkhead.{table} where {condition}");
            session.query_one(&select, &[]).await.map(|row| row.get::<_, i64>(0))
        };
        if !(role == "auth" && DIRECTORIES.contains(&table.as_str())) {
            assert_eq!(count("true").await.expect("count"), 0, "{table}: no tenant is set");
            for garbage in ["''", "'x'", "'00000000-0000-0000-0000-000000000000'"] {
                // Guesses in the name of no tenant are counted under nobody's id.
                if table == "credential_guards" && garbage.contains("000") {
                    continue;
                }
                session.batch_execute(&format!("set app.tenant_id = {garbage}")).await.expect("set");
                assert!(matches!(count("true").await, Ok(0) | Err(_)), "{table}: {garbage}");
            }
        }
        session.batch_execute(&format!("set app.tenant_id = '{a}'")).await.expect("set");
        if !(role == "auth" && DIRECTORIES.contains(&table.as_str())) {
            assert_eq!(count(&format!("tenant_id <> '{a}'")).await.expect("count"), 0, "{table}: only A's");
        }
        if count(&format!("tenant_id = '{a}'")).await.expect("count") > 0 {
            seen.push(table.clone());
            if insert_for(&session, &table, &b).await {
                inserted.push(table.clone());
            }
        }
    }
    assert!(seen.len() >= 14, "rows of A are needed to say something: {seen:?}");
    assert!(inserted.len() >= 7, "{inserted:?}");
}

/// Copies a row of A to B. Whether that was tried at all: a role without INSERT is refused before any policy.
async fn insert_for(session: &tokio_postgres::Client, table: &str, tenant: &str) -> bool {
    let query = "select string_agg(quote_ident(attname), ', ') from pg_attribute
        where attrelid = ('bulkhead.' || $1)::regclass and attnum > 0 and not attisdropped and attgenerated = ''
            and attname <> 'tenant_id'";
    let columns: String =
        session.query_one(&query.replace("$1", &format!("'{table}'")), &[]).await.expect("columns").get(0);
    let insert = format!(
        "insert into bulkhead.{table} (tenant_id, {columns}) select '{tenant}', {columns} from bulkhead.{table} limit 1"
    );
    let error = session.execute(&insert, &[]).await.expect_err("a row of A became one of B");
    let refusal = error.as_db_error().unwrap_or_else(|| panic!("{table}: {error}"));
    assert_eq!(refusal.code().code(), "42501", "{table}: {refusal}");
    refusal.message().contains("row-level security")
}

/// Functions that search take the tenant from the transaction, refuse without one, and answer nobody but the role of
/// requests; what they run on is out of its reach.
#[tokio::test]
async fn ten_14_a_search_function_answers_ids_of_the_tenant_of_the_transaction_and_refuses_without_one() {
    let app = TestApp::start().await;
    for tenant in [&app.a, &app.b] {
        let _ = Rows::create(&app.owner_of(tenant).await, tenant).await;
    }
    let session = database::connect(&app.urls.url).await;
    let everything = format!("'~{}':*", &app.a.marker[..6]);
    for table in ["projects", "tasks", "documents", "todos", "blogs", "books"] {
        let call = format!("select id::text from bulkhead.search_{table}($1, $2, $3)");
        let refused = session.query(&call, &[&everything, &"", &None::<&str>]).await.expect_err("no tenant");
        // Never set in this session; or once set in a transaction, and empty ever since.
        let code = refused.as_db_error().map(|error| error.code().code());
        assert!(matches!(code, Some("42704" | "22P02")), "{refused}");
        for (tenant, other) in [(&app.a, &app.b), (&app.b, &app.a)] {
            let begin = format!("begin; set local app.tenant_id = '{}'", tenant.id);
            session.batch_execute(&begin).await.expect("begin");
            let theirs = format!("'k{}{}':*", &other.id.to_string()[28..], &app.a.marker[..6]);
            let own = format!("select id::text from bulkhead.{table} order by 1");
            let own: Vec<String> = column(&session.query(&own, &[]).await.expect("rows"));
            assert_eq!(own.len(), 1, "{table}");
            // By words, by another tenant's words in the index, by the start of every title, by what resembles one.
            for (words, start, alike, expected) in [
                (Some(everything.as_str()), None, None, 1),
                (Some(theirs.as_str()), None, None, 0),
                (None, Some(""), None, 1),
                (None, None, Some("zqmark"), 1),
            ] {
                let found = session.query(&call, &[&words, &start, &alike]).await.expect("a search");
                let found: Vec<String> = column(&found);
                assert_eq!(found, own[..expected], "{table} {words:?} {start:?} {alike:?}");
            }
            session.batch_execute("commit").await.expect("commit");
        }
    }
    let refused = session.query("set role bulkhead_search", &[]).await.expect_err("nobody is the search");
    assert_eq!(refused.as_db_error().map(|error| error.code().code()), Some("42501"));
    let log_in = database::connect(&app.urls.auth_url).await;
    let call = "select id from bulkhead.search_tasks('', '', '')";
    let refused = log_in.query(call, &[]).await.expect_err("not for the log-in");
    assert_eq!(refused.as_db_error().map(|error| error.code().code()), Some("42501"));
}

fn column(rows: &[tokio_postgres::Row]) -> Vec<String> {
    rows.iter().map(|row| row.get(0)).collect()
}
