//! The API as a page in a real browser meets it, with the browser's own rules for origins, preflights, caches and cookies. The
//! page is `tests/page`; where there is no browser, these tests say so and do not run.

use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::browser::{Browser, Tab};
use bulkhead_tests::tenants::User;
use bulkhead_tests::web_page::Page;
use serde_json::{Value, json};

const ME: &str = "/api/v1/auth/me/";
const LOG_IN: &str = "/api/v1/auth/token/";
const REFRESH: &str = "/api/v1/auth/token/refresh/";
const LOG_OUT: &str = "/api/v1/auth/logout/";
const PROJECTS: &str = "/api/v1/projects/";

/// A browser, a page, and a server that lets the page call from `localhost`.
struct World {
    page: Page,
    app: TestApp,
    browser: Browser,
}

impl World {
    /// `None` where there is no browser.
    async fn start(options: Options) -> Option<Self> {
        let started = Browser::start().await;
        let browser = started.map_err(|missing| eprintln!("NOT RUN: the browser: {}", missing.why)).ok()?;
        let page = Page::start().await;
        let app = options.set("cors.allowed_origins", page.origin("localhost")).start().await;
        Some(Self { page, app, browser })
    }

    /// A tab with the page, from this host, for tenant A.
    async fn open(&self, host: &str) -> Tab<'_> {
        let (origin, api) = (self.page.origin(host), self.app.server.address());
        self.browser.open(&format!("{origin}/?api=http://{api}&tenant={}", self.app.a.slug)).await
    }

    /// A token of a member of A that was sound an hour ago.
    fn expired(&self) -> Value {
        let mut claims = self.app.claims(&self.app.a, self.app.a.member.id, &["read:*", "write:*"]);
        for name in ["iat", "nbf", "exp"] {
            claims[name] = json!(claims[name].as_i64().expect("a time") - 3600);
        }
        json!(self.app.key.token(&claims))
    }
}

/// Fills the form and sends it.
async fn log_in(tab: &Tab<'_>, user: &User) {
    let body = "const form = document.getElementById('log-in');
        form.username.value = arguments[0];
        form.password.value = arguments[1];
        form.requestSubmit();";
    tab.run(body, &[json!(user.username), json!(user.password)]).await;
}

/// Waits until the page is no longer busy, and insists on what became of it.
async fn is(tab: &Tab<'_>, state: &str) {
    tab.until("document.body.dataset.state !== 'busy'").await;
    let found = tab.run("return [document.body.dataset.state, calls]", &[]).await;
    assert_eq!(found[0], state, "{}", found[1]);
}

/// What the page keeps under this name.
async fn kept(tab: &Tab<'_>, name: &str) -> Value {
    tab.run("return localStorage.getItem(arguments[0])", &[json!(name)]).await
}

async fn put(tab: &Tab<'_>, name: &str, value: &Value) {
    tab.run("localStorage.setItem(arguments[0], arguments[1])", &[json!(name), value.clone()]).await;
}

/// Everything that the page sent since it was loaded or this was last asked: method, path and status.
async fn calls(tab: &Tab<'_>) -> Value {
    tab.run("return calls.splice(0).map(({ method, path, status }) => [method, path, status])", &[]).await
}

#[tokio::test]
async fn fault_4_22_a_page_logs_in_outlives_a_reload_and_refreshes_and_no_cache_may_keep_its_tokens() {
    let Some(world) = World::start(Options::default()).await else { return };
    let tab = world.open("localhost").await;
    is(&tab, "out").await;
    log_in(&tab, &world.app.a.member).await;
    is(&tab, "in").await;
    let who = "return document.getElementById('who').textContent";
    assert_eq!(tab.run(who, &[]).await, json!(world.app.a.member.username));
    let fields = "return calls.map((call) => [call.cacheControl, Boolean(call.correlationId)])";
    let told = tab.run(fields, &[]).await;
    assert_eq!(told[0], json!(["no-store", true]), "{told}");
    assert_eq!(calls(&tab).await, json!([["POST", LOG_IN, 200], ["GET", ME, 200]]));
    tab.reload().await;
    is(&tab, "in").await;
    assert_eq!(calls(&tab).await, json!([["GET", ME, 200]]));
    let old = kept(&tab, "refresh").await;
    put(&tab, "access", &world.expired()).await;
    tab.reload().await;
    is(&tab, "in").await;
    let told = tab.run(fields, &[]).await;
    assert_eq!(told[1], json!(["no-store", true]), "{told}");
    assert_eq!(calls(&tab).await, json!([["GET", ME, 401], ["POST", REFRESH, 200], ["GET", ME, 200]]));
    assert_ne!(kept(&tab, "refresh").await, old);
}

#[tokio::test]
async fn a_page_whose_token_expired_refreshes_once_for_all_its_calls_and_blind_retries_create_one_project() {
    let Some(world) = World::start(Options::default()).await else { return };
    let tab = world.open("localhost").await;
    log_in(&tab, &world.app.a.owner).await;
    is(&tab, "in").await;
    put(&tab, "access", &world.expired()).await;
    let _ = calls(&tab).await;
    let many = "const all = [1, 2, 3, 4].map(() => call('GET', arguments[0]));
        all.push(call('POST', arguments[0], { name: 'Once' }));
        return (await Promise.all(all)).map((response) => response.status)";
    assert_eq!(tab.run(many, &[json!(PROJECTS)]).await, json!([200, 200, 200, 200, 201]));
    let sent = calls(&tab).await;
    let refreshes = sent.as_array().unwrap().iter().filter(|call| call[1] == REFRESH);
    assert_eq!(refreshes.count(), 1, "{sent}");
    assert_eq!(sent.as_array().unwrap().len(), 5 + 1 + 5, "{sent}");
    // The answer to each first attempt is lost, after the work was done.
    let lossy = "const real = window.fetch;
        window.fetch = async (...request) => {
            const response = await real(...request);
            window.fetch = real;
            throw new TypeError(`lost: ${response.status}`);
        };
        const headers = arguments[2] ? { 'Idempotency-Key': arguments[2] } : {};
        const response = await call('POST', arguments[0], { name: arguments[1] }, headers);
        return [response.status, calls.at(-1).replayed]";
    let with_key = tab.run(lossy, &[json!(PROJECTS), json!("Keyed"), json!("first-try")]).await;
    assert_eq!(with_key, json!([201, "true"]));
    let without = tab.run(lossy, &[json!(PROJECTS), json!("Bare"), Value::Null]).await;
    assert_eq!(without, json!([409, null]), "it is told that there is one");
    let list = world.app.owner_of(&world.app.a).await.get(PROJECTS).await.expect(200).json();
    let mut names: Vec<&str> =
        list["results"].as_array().unwrap().iter().map(|project| project["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["Bare", "Keyed", "Once"]);
}

/// Makes a tab's next refresh wait, its token already in hand, until the other tab's does.
const TOGETHER: &str = "const real = window.fetch;
    const met = () => new Promise((resolve) => {
        const channel = new BroadcastChannel('together');
        channel.onmessage = ({ data }) => {
            if (data === 'here') channel.postMessage('heard');
            resolve();
        };
        channel.postMessage('here');
    });
    window.fetch = async (url, request) => {
        if (!url.endsWith('/token/refresh/')) return real(url, request);
        window.fetch = real;
        await met();
        const response = await real(url, request);
        window.successor = (await response.clone().json()).refresh;
        return response;
    };
    window.asked = show();";

#[tokio::test]
async fn fault_4_8_two_tabs_refresh_at_once_and_go_on_but_the_used_tokens_later_return_ends_the_session() {
    let Some(world) = World::start(Options::default()).await else { return };
    let one = world.open("localhost").await;
    log_in(&one, &world.app.a.member).await;
    is(&one, "in").await;
    let two = world.open("localhost").await;
    is(&two, "in").await;
    let first = kept(&one, "refresh").await;
    put(&one, "access", &world.expired()).await;
    for tab in [&one, &two] {
        let _ = calls(tab).await;
        tab.run(TOGETHER, &[]).await;
    }
    for tab in [&one, &two] {
        tab.run("await window.asked", &[]).await;
        is(tab, "in").await;
        assert_eq!(calls(tab).await, json!([["GET", ME, 401], ["POST", REFRESH, 200], ["GET", ME, 200]]));
        let successor = tab.run("return window.successor", &[]).await;
        assert_eq!(successor, kept(tab, "refresh").await, "both got the same");
        assert_ne!(successor, first);
    }
    let update = "update bulkhead.refresh_families set rotated_at = rotated_at - interval '1 hour'
        where tenant_id = $1::text::uuid";
    world.app.operator.execute(update, &[&world.app.a.id.to_string()]).await.expect("end the grace");
    let replay = "return (await send('POST', arguments[0], { body: { refresh: arguments[1] } })).status";
    assert_eq!(one.run(replay, &[json!(REFRESH), first]).await, 401);
    let _ = calls(&two).await;
    two.run("await show()", &[]).await;
    is(&two, "out").await;
    assert_eq!(calls(&two).await, json!([["GET", ME, 401], ["POST", REFRESH, 401]]));
    one.run("await show()", &[]).await;
    is(&one, "out").await;
}

#[tokio::test]
async fn fault_4_37_pages_of_listed_origins_may_call_and_those_of_others_neither_log_in_nor_read() {
    let Some(world) = World::start(Options::default().set("cors.base_domain", "localhost")).await else {
        return;
    };
    let user = &world.app.a.member;
    let stranger = world.open("127.0.0.1").await;
    log_in(&stranger, user).await;
    is(&stranger, "unreachable").await;
    let failed = json!(["POST", LOG_IN, 0]);
    assert_eq!(calls(&stranger).await, json!([failed, failed, failed]), "as if there were no server");
    let sessions = "select count(*) from bulkhead.refresh_families where tenant_id = $1::text::uuid";
    let count = world.app.operator.query_one(sessions, &[&world.app.a.id.to_string()]).await.expect("count");
    assert_eq!(count.get::<_, i64>(0), 0, "the password was never sent");
    // Without a preflight, the request is sent; not even then is there anything to read.
    let read = "return fetch(api + '/health/live/').then(() => 'read', (error) => error.name)";
    assert_eq!(stranger.run(read, &[]).await, "TypeError");
    let listed = world.open("localhost").await;
    log_in(&listed, user).await;
    is(&listed, "in").await;
    assert_eq!(listed.run(read, &[]).await, "read");
    // A tenant's own host below the base domain, where the page takes the tenant from.
    let host = format!("{}.localhost", world.app.a.slug);
    let (origin, api) = (world.page.origin(&host), world.app.server.address());
    let own = world.browser.open(&format!("{origin}/?api=http://{api}")).await;
    is(&own, "out").await;
    log_in(&own, user).await;
    is(&own, "in").await;
    assert_eq!(own.run(read, &[]).await, "read");
}

#[tokio::test]
async fn fault_4_7_logging_out_in_one_tab_ends_the_other_at_its_next_call_and_tokens_put_aside_are_dead() {
    let Some(world) = World::start(Options::default()).await else { return };
    let (one, two) = (world.open("localhost").await, world.open("localhost").await);
    // Once with a live access token, once with one that has to be refreshed before it can log out.
    for is_expired in [false, true] {
        log_in(&one, &world.app.a.member).await;
        is(&one, "in").await;
        two.run("await show()", &[]).await;
        is(&two, "in").await;
        let (access, refresh) = (kept(&two, "access").await, kept(&two, "refresh").await);
        if is_expired {
            put(&one, "access", &world.expired()).await;
        }
        let _ = calls(&one).await;
        one.run("document.getElementById('log-out').click()", &[]).await;
        is(&one, "out").await;
        let expected = if is_expired {
            json!([["POST", LOG_OUT, 401], ["POST", REFRESH, 200], ["POST", LOG_OUT, 200]])
        } else {
            json!([["POST", LOG_OUT, 200]])
        };
        assert_eq!(calls(&one).await, expected);
        assert_eq!(kept(&two, "access").await, Value::Null);
        put(&two, "access", &access).await;
        put(&two, "refresh", &refresh).await;
        let _ = calls(&two).await;
        two.run("await show()", &[]).await;
        is(&two, "out").await;
        assert_eq!(calls(&two).await, json!([["GET", ME, 401], ["POST", REFRESH, 401]]));
    }
}

#[tokio::test]
async fn a_refresh_token_in_a_cookie_is_hidden_from_scripts_and_keeps_the_session_over_a_reload() {
    let Some(world) = World::start(Options::default().set("auth.refresh_cookie", true)).await else {
        return;
    };
    // The page is of the API's site, since cookies do not tell ports apart, and below the only path that the cookie goes
    // to: there its scripts would see it if any did.
    let port = world.app.server.address().port();
    let query = format!("api=http://localhost:{port}&tenant={}&keep=cookie", world.app.a.slug);
    let url = |host: &str| format!("{}/api/v1/auth/?{query}", world.page.origin(host));
    let tab = world.browser.open(&url("localhost")).await;
    is(&tab, "out").await;
    log_in(&tab, &world.app.a.member).await;
    is(&tab, "in").await;
    let seen = "return [document.cookie, Object.entries(localStorage), Object.entries(sessionStorage)]";
    assert_eq!(tab.run(seen, &[]).await, json!(["", [], []]));
    let cookies = tab.cookies().await;
    let cookie = &cookies[0];
    assert_eq!(cookie["name"], "__Secure-bulkhead-refresh", "{cookies}");
    for (attribute, value) in
        [("httpOnly", json!(true)), ("secure", json!(true)), ("sameSite", json!("Strict"))]
    {
        assert_eq!(cookie[attribute], value, "{cookies}");
    }
    tab.reload().await;
    is(&tab, "in").await;
    assert_eq!(calls(&tab).await, json!([["GET", ME, 401], ["POST", REFRESH, 200], ["GET", ME, 200]]));
    assert_ne!(tab.cookies().await[0]["value"], cookie["value"], "it was used up");
    let stranger = world.browser.open(&url("127.0.0.1")).await;
    is(&stranger, "unreachable").await;
    // A form needs no preflight, so it reaches the server, but the cookie does not go with it.
    let form = "const body = new URLSearchParams();
        const request = { method: 'POST', mode: 'no-cors', credentials: 'include', body };
        return (await fetch(api + arguments[0], request)).type";
    for path in [REFRESH, LOG_OUT] {
        assert_eq!(stranger.run(form, &[json!(path)]).await, "opaque");
    }
    tab.reload().await;
    is(&tab, "in").await;
    tab.run("document.getElementById('log-out').click()", &[]).await;
    is(&tab, "out").await;
    assert_eq!(tab.cookies().await, json!([]));
    tab.reload().await;
    is(&tab, "out").await;
}
