"""A real SAML2 identity provider (pysaml2) on loopback, in a thread: redirect and POST for browsers, SOAP for ECP clients.

Its one user, diana, has logged in with the browser; ECP clients send her password.
"""

import base64
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pileus.identity.federation import saml_keys
from pileus.identity.federation.pysaml2 import saml2, xmlsec1
from tests.identity.federation.conftest import free_port

PASSWORD = "amazon"
USER = {
    "uid": ["diana"],
    "givenName": ["Diana"],
    "mail": ["diana@example.org"],
    "eduPersonAffiliation": ["staff", "a;admins"],
}
CONTEXT = {"class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:Password", "authn_auth": "http://127.0.0.1"}


class SamlProvider:
    """`metadata` is the file for service providers. `lifetime` of its assertions in minutes."""

    def __init__(self, folder: Path, port: int, lifetime: int = 5) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from saml2.server import Server

        folder.mkdir(parents=True, exist_ok=True)
        self.address = f"http://127.0.0.1:{port}"
        self.entity_id = f"{self.address}/idp"
        self.metadata = folder / "idp.xml"
        self._sp = folder / "sp.xml"
        keys = saml_keys.ready(folder, "Test provider")
        self._config = {
            "entityid": self.entity_id,
            "xmlsec_binary": xmlsec1(),
            "key_file": str(keys.key),
            "cert_file": str(keys.certificate),
            "service": {
                "idp": {
                    "endpoints": {
                        "single_sign_on_service": [
                            (f"{self.address}/redirect", saml2.BINDING_HTTP_REDIRECT),
                            (f"{self.address}/soap", saml2.BINDING_SOAP),
                        ]
                    },
                    "policy": {"default": {"lifetime": {"minutes": lifetime}, "attribute_restrictions": None}},
                    "name_id_format": ["urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"],
                }
            },
        }
        self._make: Any = Server
        self.server: Any = None
        config = saml2.config.IdPConfig().load({**self._config})
        self.metadata.write_text(str(saml2.metadata.entity_descriptor(config)))

    def trust(self, metadata: str) -> None:
        """The service provider's metadata document, as its operator sends it."""
        self._sp.write_text(metadata)
        config = saml2.config.IdPConfig().load({**self._config, "metadata": {"local": [str(self._sp)]}})
        self.server = self._make(config=config)

    def answer(self, request_id: str | None, consumer: str, entity_id: str, **more: Any) -> str:
        """A response with a signed assertion, for the service provider at `consumer`."""
        name = saml2.saml.NameID(text="diana-persistent", format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent")
        wanted = {"identity": USER, "name_id": name, "authn": CONTEXT, "sign_assertion": True, "sign_response": False}
        algorithms = {"sign_alg": saml2.xmldsig.SIG_RSA_SHA256, "digest_alg": saml2.xmldsig.DIGEST_SHA256}
        wanted |= {"in_response_to": request_id, "destination": consumer, "sp_entity_id": entity_id, **algorithms}
        return str(self.server.create_authn_response(**(wanted | more)))


class _Handler(BaseHTTPRequestHandler):
    provider: SamlProvider

    def do_GET(self) -> None:
        """From a browser: the answer is a page with the response, as the POST binding has it."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        asked = self.provider.server.parse_authn_request(query["SAMLRequest"], saml2.BINDING_HTTP_REDIRECT).message
        response = self.provider.answer(asked.id, asked.assertion_consumer_service_url, asked.issuer.text)
        encoded = base64.b64encode(response.encode()).decode()
        self._send(200, f"{encoded}\n{query['RelayState']}\n{asked.assertion_consumer_service_url}", "text/plain")

    def do_POST(self) -> None:
        """From an ECP client."""
        text = self.rfile.read(int(self.headers["content-length"])).decode()
        given = base64.b64encode(f"diana:{PASSWORD}".encode()).decode()
        if self.headers["authorization"] != f"Basic {given}":
            return self._send(401, "", "text/plain")
        asked = self.provider.server.parse_authn_request(text, saml2.BINDING_SOAP).message
        consumer = asked.assertion_consumer_service_url
        response = self.provider.answer(asked.id, consumer, asked.issuer.text).partition("?>")[2]
        actor = 'S:mustUnderstand="1" S:actor="http://schemas.xmlsoap.org/soap/actor/next"'
        header = (
            '<ecp:Response xmlns:ecp="urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp" '
            f'{actor} AssertionConsumerServiceURL="{consumer}"/>'
        )
        soap = "http://schemas.xmlsoap.org/soap/envelope/"
        envelope = f'<S:Envelope xmlns:S="{soap}"><S:Header>{header}</S:Header><S:Body>{response}</S:Body></S:Envelope>'
        return self._send(200, envelope, "text/xml")

    def _send(self, status: int, body: str, kind: str) -> None:
        data = body.encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@contextmanager
def running(folder: Path) -> Iterator[SamlProvider]:
    port = free_port()
    provider = SamlProvider(folder, port)
    handler = type("Handler", (_Handler,), {"provider": provider})
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join(10)
