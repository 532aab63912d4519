// What a page does that people write against this API: it keeps its tokens, refreshes them when a call is refused, sends the
// call again, and tries again blindly when the server seems to be in trouble. It is told in its address where the API is
// (`api`), the tenant (`tenant`, or else the first label of the host) and whether the refresh token is for a cookie
// (`keep=cookie`). Nothing here asserts anything; the tests look at `calls`, and at the state of the body: busy, in, out, or
// unreachable.
"use strict";

const query = new URLSearchParams(location.search);
const api = query.get("api");
const tenant = query.get("tenant") ?? location.hostname.split(".")[0];
const inCookie = query.get("keep") === "cookie";

const TOKEN = "/api/v1/auth/token/";
const REFRESH = "/api/v1/auth/token/refresh/";
const LOG_OUT = "/api/v1/auth/logout/";
const ME = "/api/v1/auth/me/";

// The statuses after which it is worth to try again, and how long to wait before, in milliseconds.
const PASSING = [408, 429, 500, 502, 503, 504];
const PAUSES = [1000, 2000];

// Everything that was sent, in order, and what came of it; the status is 0 where there was no answer to read.
const calls = [];

// With a cookie, nothing is kept that another script could find.
const kept = inCookie
    ? new Map()
    : {
          get: (name) => localStorage.getItem(name) ?? undefined,
          set: (name, value) => localStorage.setItem(name, value),
          delete: (name) => localStorage.removeItem(name),
      };

function keep(reply) {
    kept.set("access", reply.access);
    if (reply.refresh) kept.set("refresh", reply.refresh);
}

function forget() {
    kept.delete("access");
    kept.delete("refresh");
}

// Sends a request, again if need be. Throws when no answer came, and when there is one that this page may not read: a
// script cannot tell these apart.
async function send(method, path, { token, body, headers } = {}) {
    const fields = new Headers(headers);
    if (token) fields.set("Authorization", `Bearer ${token}`);
    if (body) fields.set("Content-Type", "application/json");
    const request = {
        method,
        headers: fields,
        body: body && JSON.stringify(body),
        credentials: inCookie ? "include" : "omit",
    };
    for (let attempt = 0; ; attempt += 1) {
        const response = await fetch(api + path, request).catch(() => null);
        const field = (name) => response?.headers.get(name) ?? null;
        calls.push({
            method,
            path,
            status: response?.status ?? 0,
            cacheControl: field("cache-control"),
            correlationId: field("x-correlation-id"),
            replayed: field("idempotency-replayed"),
        });
        if (attempt < PAUSES.length && (!response || PASSING.includes(response.status))) {
            await new Promise((resolve) => setTimeout(resolve, PAUSES[attempt]));
            continue;
        }
        if (!response) throw new TypeError(`no answer from ${path}`);
        return response;
    }
}

let refreshing = null;

// Refreshes; whoever asks meanwhile waits for the same answer. Whether there are new tokens.
function refresh() {
    refreshing ??= exchange().finally(() => {
        refreshing = null;
    });
    return refreshing;
}

async function exchange() {
    const old = kept.get("refresh");
    if (!inCookie && !old) return false;
    const response = await send("POST", REFRESH, { body: inCookie ? {} : { refresh: old } });
    if (response.ok) keep(await response.json());
    return response.ok;
}

// Calls as the person who is logged in, with at most one refresh between.
async function call(method, path, body, headers) {
    const token = kept.get("access");
    const response = await send(method, path, { token, body, headers });
    if (response.status !== 401) return response;
    // Another call may have got new tokens since this one was sent.
    if (kept.get("access") === token && !(await refresh())) {
        forget();
        return response;
    }
    return send(method, path, { token: kept.get("access"), body, headers });
}

function display(state, name = "") {
    document.getElementById("who").textContent = name;
    document.body.dataset.state = state;
}

// Asks who is logged in, and shows it.
async function show() {
    display("busy");
    if (!inCookie && !kept.get("access")) return display("out");
    const response = await call("GET", ME).catch(() => null);
    if (!response) return display("unreachable");
    return response.ok ? display("in", (await response.json()).username) : display("out");
}

async function logIn(username, password) {
    display("busy");
    const body = { tenant, username, password };
    if (inCookie) body.refresh_in = "cookie";
    const response = await send("POST", TOKEN, { body }).catch(() => null);
    if (!response) return display("unreachable");
    if (!response.ok) return display("out");
    keep(await response.json());
    return show();
}

async function logOut() {
    display("busy");
    await call("POST", LOG_OUT).catch(() => null);
    forget();
    display("out");
}

document.getElementById("log-in").addEventListener("submit", (event) => {
    event.preventDefault();
    const { username, password } = event.target.elements;
    logIn(username.value, password.value);
});
document.getElementById("log-out").addEventListener("click", logOut);
show();
