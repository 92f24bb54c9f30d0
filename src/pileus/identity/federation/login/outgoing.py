"""Requests to identity providers: only to addresses of the configuration (or of their own discovery document), never to what a
caller names; bounded in time and size; no redirects; HTTPS, but on this host itself.
"""

import http.client
import ssl
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

import msgspec

from pileus.kernel.http.call import Json

SECONDS = 5.0  # for each wait on the provider
LONGEST = 1 << 20  # bytes of an answer
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class ProviderFailed(Exception):
    """The provider does not answer, or not as it must; the message is for an operator."""


def get(url: str, *, bearer: str | None = None, ca_file: str = "") -> Json:
    """The JSON object at an address. Raises ProviderFailed."""
    headers = {"accept": "application/json", **({"authorization": f"Bearer {bearer}"} if bearer else {})}
    return _ask("GET", url, None, headers, ca_file)


def post(url: str, form: Mapping[str, str], *, authorization: str | None = None, ca_file: str = "") -> Json:
    """The JSON object that a form is answered with. Raises ProviderFailed."""
    headers = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded"}
    headers |= {"authorization": authorization} if authorization else {}
    return _ask("POST", url, urlencode(form).encode(), headers, ca_file)


def _ask(method: str, url: str, body: bytes | None, headers: Mapping[str, str], ca_file: str) -> Json:
    parts = urlsplit(url)
    try:
        connection = _connect(parts.scheme, parts.hostname or "", parts.port, ca_file)
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(method, path, body, dict(headers))
            reply = connection.getresponse()
            data = reply.read(LONGEST + 1)
        finally:
            connection.close()
        if reply.status != 200 or len(data) > LONGEST:
            raise ProviderFailed(f"{method} {url} answers {reply.status}, {len(data)} bytes")
        return msgspec.json.decode(data, type=dict)
    except (OSError, ValueError, http.client.HTTPException, msgspec.MsgspecError) as error:
        raise ProviderFailed(f"{method} {url}: {error}") from None


def _connect(scheme: str, host: str, port: int | None, ca_file: str) -> http.client.HTTPConnection:
    if scheme == "https":
        trust = ssl.create_default_context(cafile=ca_file or None)
        return http.client.HTTPSConnection(host, port, timeout=SECONDS, context=trust)
    if scheme == "http" and host in LOOPBACK:
        return http.client.HTTPConnection(host, port, timeout=SECONDS)
    raise ProviderFailed(f"{scheme}://{host} is not https")
