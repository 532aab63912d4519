"""requests-oauthlib and oauthlib as referees of the token endpoint: prints what they made of its answers, as JSON."""
import json
import os

from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error
from requests_oauthlib import OAuth2Session

url, client_id, secret = (os.environ[name] for name in ("BULKHEAD_URL", "CLIENT_ID", "CLIENT_SECRET"))


def ask(scope=None, secret=secret, post=False):
    session = OAuth2Session(client=BackendApplicationClient(client_id=client_id, scope=scope))
    how = {"include_client_id": True} if post else {}
    try:
        token = session.fetch_token(f"{url}/oauth/token", client_id=client_id, client_secret=secret, timeout=10, **how)
    except OAuth2Error as error:
        return {"class": type(error).__name__, "error": error.error, "status": error.status_code}
    reply = session.get(f"{url}/api/v1/projects/", timeout=10)
    kept = {name: token.get(name) for name in ("token_type", "scope", "expires_in")}
    return {**kept, "has_refresh_token": "refresh_token" in token, "call": reply.status_code}


print(json.dumps({
    "basic": ask(),
    "post": ask(post=True),
    "subset": ask(scope=["read:projects"]),
    "wrong_secret": ask(secret="wrong"),
    "wrong_secret_post": ask(secret="wrong", post=True),
    "unknown_scope": ask(scope=["read:everything"]),
}))
