"""A real OpenID Connect provider (idpyoidc) on loopback, as a process of its own.

`python openid_provider.py <port> <folder>`: signs with `<folder>/keys.json`, which it makes unless it is there. Its one user, diana,
has logged in already.
"""

import base64
import hashlib
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

from idpyoidc.server import Server
from idpyoidc.server.configure import OPConfiguration
from idpyoidc.server.oauth2.introspection import Introspection
from idpyoidc.server.oidc.authorization import Authorization
from idpyoidc.server.oidc.provider_config import ProviderConfiguration
from idpyoidc.server.oidc.token import Token
from idpyoidc.server.oidc.userinfo import UserInfo
from idpyoidc.server.user_authn.user import NoAuthn

USERS = {
    "diana": {"sub": "diana", "name": "Diana Prince", "email": "diana@example.org", "groups": ["staff", "a;admins"]}
}
SECRET, OTHER_SECRET, PASSWORD = (
    "pileus-client-secret-of-enough-length",
    "other-client-secret-of-enough-length",
    "amazon",
)
CRYPT = {
    "kwargs": {
        "keys": {
            "key_defs": [{"type": "OCT", "use": ["enc"], "kid": "p"}, {"type": "OCT", "use": ["enc"], "kid": "s"}]
        },
        "iterations": 1,
    }
}
CLAIMS = {"name": None, "email": None, "groups": None}


def _client(secret: str, redirect: str) -> dict[str, Any]:
    return {
        "client_secret": secret,
        "redirect_uris": [(redirect, {})],
        "client_salt": "salted",
        "token_endpoint_auth_method": "client_secret_basic",
        "response_types_supported": ["code"],
        "response_types": ["code"],
        "grant_types_supported": ["authorization_code"],
        "allowed_scopes": ["openid", "profile", "email"],
    }


def provider(address: str, folder: Path, redirect: str) -> Server:
    token = {
        "class": "idpyoidc.server.token.jwt_token.JWTToken",
        "kwargs": {"lifetime": 3600, "base_claims": CLAIMS, "aud": []},
    }
    helper = "idpyoidc.server.oidc.token_helper.access_token.AccessTokenHelper"
    config = {
        "issuer": address,
        "httpc_params": {"verify": False, "timeout": 1},
        "preference": {"grant_types_supported": ["authorization_code"], "subject_types_supported": ["public"]},
        "keys": {
            "uri_path": "jwks.json",
            "private_path": str(folder / "keys.json"),
            "key_defs": [{"type": "RSA", "use": ["sig"]}, {"type": "EC", "crv": "P-256", "use": ["sig"]}],
            "read_only": False,
        },
        "token_handler_args": {
            "code": {"lifetime": 600, "kwargs": {"crypt_conf": CRYPT}},
            "token": token,
            "refresh": token,
            "id_token": {"class": "idpyoidc.server.token.id_token.IDToken", "kwargs": {"base_claims": CLAIMS}},
        },
        "endpoint": {
            "provider_config": {
                "path": ".well-known/openid-configuration",
                "class": ProviderConfiguration,
                "kwargs": {},
            },
            "authorization": {"path": "authorization", "class": Authorization, "kwargs": {}},
            "token": {
                "path": "token",
                "class": Token,
                "kwargs": {
                    "client_authn_method": ["client_secret_basic", "client_secret_post"],
                    "grant_types_helpers": {
                        "authorization_code": {"class": helper},
                    },
                },
            },
            "introspection": {
                "path": "introspection",
                "class": Introspection,
                "kwargs": {"client_authn_method": ["client_secret_basic"], "release": list(CLAIMS)},
            },
            "userinfo": {"path": "userinfo", "class": UserInfo, "kwargs": {}},
        },
        "authentication": {"person": {"acr": "urn:person", "class": NoAuthn, "kwargs": {"user": "diana"}}},
        "userinfo": {"class": "idpyoidc.server.user_info.UserInfo", "kwargs": {"db": USERS}},
        "add_on": {
            "pkce": {
                "function": "idpyoidc.server.oauth2.add_on.pkce.add_support",
                "kwargs": {"essential": True},
            }
        },
        "authz": {
            "class": "idpyoidc.server.authz.AuthzHandling",
            "kwargs": {
                "grant_config": {
                    "usage_rules": {
                        "authorization_code": {"supports_minting": ["access_token", "id_token"], "max_usage": 1},
                        "access_token": {},
                    },
                    "expires_in": 43200,
                }
            },
        },
        "session_params": {
            "encrypter": CRYPT,
            "sub_func": {"public": {"class": "idpyoidc.server.session.manager.PublicID", "kwargs": {"salt": "s"}}},
        },
    }
    server = Server(OPConfiguration(config, base_path=str(folder)), cwd=str(folder))
    server.keyjar.import_jwks(server.keyjar.export_jwks(True, ""), address)
    server.context.cdb["pileus"] = _client(SECRET, redirect)
    server.context.cdb["other"] = _client(OTHER_SECRET, redirect)
    return server


class Handler(BaseHTTPRequestHandler):
    op: Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/jwks.json":
            self._send(200, self.op.keyjar.export_jwks_as_json().encode(), "application/json")
        else:
            self._endpoint(parts.path, query)

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["content-length"])).decode()
        form = {name: values[0] for name, values in parse_qs(text).items()}
        if form.get("grant_type") == "password":
            return self._password(form)
        return self._endpoint(urlsplit(self.path).path, form)

    def _password(self, form: dict[str, str]) -> None:
        """The library's own way for this grant does not work: the same as two steps of the code flow."""
        _, _, pair = (self.headers["authorization"] or "").partition(" ")
        name, _, secret = base64.b64decode(pair).decode().partition(":")
        client_id, client = unquote_plus(name), self.op.context.cdb.get(unquote_plus(name), {})
        if client.get("client_secret") != unquote_plus(secret) or (form["username"], form["password"]) != (
            "diana",
            PASSWORD,
        ):
            return self._send(401, b'{"error": "invalid_grant"}', "application/json")
        verifier, redirect = "v" * 43, client["redirect_uris"][0][0]
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": redirect,
            "scope": form["scope"],
            "state": "s",
        }
        challenge = {"code_challenge": digest, "code_challenge_method": "S256", "nonce": "none"}
        authorization, token = self.op.endpoint["authorization"], self.op.endpoint["token"]
        code = authorization.process_request(authorization.parse_request({**asked, **challenge}))["response_args"][
            "code"
        ]
        wanted = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
        headers = {"headers": {"authorization": self.headers["authorization"]}}
        done = token.process_request(token.parse_request(wanted, http_info=headers))
        return self._send(200, token.do_response(**done)["response"].encode(), "application/json")

    def _endpoint(self, path: str, args: dict[str, str]) -> None:
        names = {endpoint.endpoint_path.lstrip("/"): endpoint for endpoint in self.op.endpoint.values()}
        endpoint = names.get(path.lstrip("/"))
        if endpoint is None:
            return self._send(404, b"{}", "application/json")
        http_info = {
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "method": self.command,
            "url": self.path,
            "cookie": [],
        }
        request = endpoint.parse_request(args, http_info=http_info)
        if "error" in request:
            return self._send(400, request.to_json().encode(), "application/json")
        done = endpoint.process_request(request, http_info=http_info)
        if "error" in done:
            return self._send(400, json.dumps(dict(done)).encode(), "application/json")
        if "redirect_location" in done:
            return self._send(302, b"", "text/html", done["redirect_location"])
        reply = endpoint.do_response(request=request, **done)
        if reply.get("response_placement", endpoint.response_placement) == "url":
            return self._send(302, b"", "text/html", reply["response"])
        return self._send(200, reply["response"].encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str, location: str = "") -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        if location:
            self.send_header("location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


def main() -> None:
    port, folder, redirect = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    Handler.op = provider(f"http://127.0.0.1:{port}", folder, redirect)
    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        print("ready", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
