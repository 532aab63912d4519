"""Authlib and its JOSE library as referees of the /oauth endpoints and the published keys: prints what they made of the
answers, as JSON."""
import json
import os

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet

url, client_id, secret = (os.environ[name] for name in ("BULKHEAD_URL", "CLIENT_ID", "CLIENT_SECRET"))
metadata = requests.get(f"{url}/.well-known/oauth-authorization-server", timeout=10).json()


def session_of(method="client_secret_basic", secret=secret, scope=None):
    return OAuth2Session(client_id, secret, scope=scope, token_endpoint_auth_method=method,
                         revocation_endpoint_auth_method=method, token_endpoint=metadata["token_endpoint"],
                         grant_type="client_credentials")


def ask(**how):
    session = session_of(**how)
    try:
        token = session.fetch_token()
    except OAuthError as error:
        return {"class": type(error).__name__, "error": error.error}
    reply = session.get(f"{url}/api/v1/projects/", timeout=10)
    kept = {name: token.get(name) for name in ("token_type", "scope", "expires_in")}
    return {**kept, "has_refresh_token": "refresh_token" in token, "call": reply.status_code}


def verified(token):
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=10).json())
    read = jwt.decode(token, keys, algorithms=["ES256"])
    demands = {"iss": {"essential": True, "value": metadata["issuer"]}, "aud": {"essential": True, "value": "multitenant-api"}}
    jwt.JWTClaimsRegistry(exp={"essential": True}, iat={"essential": True}, **demands).validate(read.claims)
    return {"header": read.header, "claims": read.claims}


def end_of(method):
    session = session_of(method)
    token = session.fetch_token()["access_token"]
    before = session.introspect_token(metadata["introspection_endpoint"], token=token).json()
    revoked = session.revoke_token(metadata["revocation_endpoint"], token=token).status_code
    after = session.introspect_token(metadata["introspection_endpoint"], token=token).json()
    return {"before": before, "revoked": revoked, "after": after}


print(json.dumps({
    "basic": ask(),
    "post": ask(method="client_secret_post"),
    "subset": ask(scope="read:projects"),
    "wrong_secret": ask(secret="wrong"),
    "wrong_secret_post": ask(method="client_secret_post", secret="wrong"),
    "unknown_scope": ask(scope="read:everything"),
    "verified": verified(session_of().fetch_token()["access_token"]),
    "end_basic": end_of("client_secret_basic"),
    "end_post": end_of("client_secret_post"),
}))
