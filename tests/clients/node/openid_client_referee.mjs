// openid-client and jose as referees of discovery, the /oauth endpoints and the published keys: prints what they made of
// the answers, as JSON.
import { createRemoteJWKSet, jwtVerify } from "jose";
import * as client from "openid-client";

const { BULKHEAD_URL, CLIENT_ID, CLIENT_SECRET } = process.env;
const url = new URL(BULKHEAD_URL);
const options = { algorithm: "oauth2", execute: [client.allowInsecureRequests] };

const configured = (method = client.ClientSecretBasic, secret = CLIENT_SECRET) =>
  client.discovery(url, CLIENT_ID, undefined, method(secret), options);

// An error's own words, and those that came with the answer.
const told = (error) => ({ class: error.constructor.name, code: error.code, error: error.error, status: error.status, cause: error.cause });

async function ask(config, parameters = {}) {
  try {
    const token = await client.clientCredentialsGrant(config, parameters);
    const reply = await client.fetchProtectedResource(config, token.access_token, new URL("/api/v1/projects/", url), "GET");
    const { token_type, scope, expires_in } = token;
    return { token_type, scope, expires_in, has_refresh_token: "refresh_token" in token, call: reply.status };
  } catch (error) {
    return told(error);
  }
}

async function endOf(config) {
  const { access_token } = await client.clientCredentialsGrant(config);
  const before = await client.tokenIntrospection(config, access_token);
  await client.tokenRevocation(config, access_token);
  return { before, after: await client.tokenIntrospection(config, access_token) };
}

async function verified(config) {
  const { access_token } = await client.clientCredentialsGrant(config);
  const { issuer, jwks_uri } = config.serverMetadata();
  const expected = { algorithms: ["ES256"], typ: "at+jwt", issuer, audience: "multitenant-api", requiredClaims: ["exp", "iat", "sub"] };
  const { protectedHeader, payload } = await jwtVerify(access_token, createRemoteJWKSet(new URL(jwks_uri)), expected);
  return { header: protectedHeader, claims: payload };
}

const [basic, post] = [await configured(), await configured(client.ClientSecretPost)];
console.log(JSON.stringify({
  issuer: basic.serverMetadata().issuer,
  basic: await ask(basic),
  post: await ask(post),
  subset: await ask(basic, { scope: "read:projects" }),
  resource: await ask(basic, { resource: BULKHEAD_URL }),
  wrong_secret: await ask(await configured(client.ClientSecretBasic, "wrong")),
  wrong_secret_post: await ask(await configured(client.ClientSecretPost, "wrong")),
  unknown_scope: await ask(basic, { scope: "read:everything" }),
  verified: await verified(basic),
  end_basic: await endOf(basic),
  end_post: await endOf(post),
}));
