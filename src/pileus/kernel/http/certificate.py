"""The certificate that a client showed to the front which ends TLS, as that front passes it on.

Forms: RFC 9440 (`:base64 of DER:`), bare base64 of DER, URL-encoded PEM. The header is believed from trusted peers alone; a front
must replace it, so one that comes twice is worth nothing.
"""

import base64
import binascii
import hashlib
import ipaddress
import ssl
from functools import lru_cache
from urllib.parse import unquote

from starlette.requests import Request

from pileus.kernel.config import CloudSettings


def shown(settings: CloudSettings, request: Request) -> bytes | None:
    """DER. None: no certificate, or nobody who may speak of one."""
    if not settings.tls_client_header or request.client is None:
        return None
    given = request.headers.getlist(settings.tls_client_header)
    if len(given) != 1 or not _trusted(settings.trusted_proxies, request.client.host):
        return None
    return _der(given[0].strip())


def thumbprint(der: bytes) -> str:
    """`x5t#S256` (RFC 8705): SHA-256, base64url without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


@lru_cache(maxsize=256)
def _trusted(proxies: tuple[str, ...], peer: str) -> bool:
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(proxy, strict=False) for proxy in proxies)


def _der(text: str) -> bytes | None:
    try:
        if "BEGIN" in text:
            return ssl.PEM_cert_to_DER_cert(unquote(text))
        return base64.b64decode(text[1:-1] if text[:1] == text[-1:] == ":" else text, validate=True) or None
    except (ValueError, binascii.Error):
        return None
