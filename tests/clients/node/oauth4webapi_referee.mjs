// oauth4webapi, the strictest of them, as a referee of discovery, the /oauth endpoints, the form of access tokens
// (RFC 9068) and refusals (RFC 6750): prints what it made of the answers, as JSON.
import * as oauth from "oauth4webapi";

const { BULKHEAD_URL, CLIENT_ID, CLIENT_SECRET } = process.env;
const url = new URL(BULKHEAD_URL);
const plain = { [oauth.allowInsecureRequests]: true };
const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { algorithm: "oauth2", ...plain }));
const client = { client_id: CLIENT_ID };
const [basic, post] = [oauth.ClientSecretBasic(CLIENT_SECRET), oauth.ClientSecretPost(CLIENT_SECRET)];

// An error's own words, and those that came with the answer.
const told = (error) => ({ class: error.constructor.name, code: error.code, error: error.error, status: error.status, cause: error.cause });

async function grant(method, parameters = {}) {
  const reply = await oauth.clientCredentialsGrantRequest(server, client, method, parameters, plain);
  return oauth.processClientCredentialsResponse(server, client, reply);
}

async function call(token, verb, path) {
  try {
    return (await oauth.protectedResourceRequest(token, verb, new URL(path, url), undefined, undefined, plain)).status;
  } catch (error) {
    return told(error);
  }
}

async function ask(method, parameters) {
  try {
    const token = await grant(method, parameters);
    const { token_type, scope, expires_in } = token;
    return { token_type, scope, expires_in, has_refresh_token: "refresh_token" in token, call: await call(token.access_token, "GET", "/api/v1/projects/") };
  } catch (error) {
    return told(error);
  }
}

async function endOf(method) {
  const { access_token } = await grant(method);
  const look = async () => {
    const reply = await oauth.introspectionRequest(server, client, method, access_token, plain);
    return oauth.processIntrospectionResponse(server, client, reply);
  };
  const before = await look();
  await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, method, access_token, plain));
  return { before, after: await look(), call: await call(access_token, "GET", "/api/v1/projects/") };
}

async function verified() {
  const { access_token } = await grant(basic);
  const request = new Request(new URL("/anything", url), { headers: { Authorization: `Bearer ${access_token}` } });
  return { claims: await oauth.validateJwtAccessToken(server, request, "multitenant-api", plain) };
}

const weak = await grant(basic, { scope: "read:projects" });
console.log(JSON.stringify({
  basic: await ask(basic),
  post: await ask(post),
  subset: await ask(basic, { scope: "read:projects" }),
  wrong_secret: await ask(oauth.ClientSecretBasic("wrong")),
  wrong_secret_post: await ask(oauth.ClientSecretPost("wrong")),
  unknown_scope: await ask(basic, { scope: "read:everything" }),
  too_weak: await call(weak.access_token, "GET", "/api/v1/tasks/"),
  verified: await verified(),
  end_basic: await endOf(basic),
  end_post: await endOf(post),
}));
