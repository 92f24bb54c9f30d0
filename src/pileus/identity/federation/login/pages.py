"""The few pages that a browser sees on its way through a login: forms that send themselves on, and a choice of providers."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse, Response

_SEND = "document.forms[0].submit()"
_HASH = base64.b64encode(hashlib.sha256(_SEND.encode()).digest()).decode()
_SAFE = {
    "cache-control": "no-store",
    "pragma": "no-cache",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def form(address: str, fields: Mapping[str, str]) -> Response:
    """A form that the browser posts to `address` at once."""
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items()
    )
    button = '<noscript><input type="submit" value="Continue"></noscript>'
    body = f'<form method="post" action="{escape(address)}">{inputs}{button}</form><script>{_SEND}</script>'
    parts = urlsplit(address)
    return _page(body, f"script-src 'sha256-{_HASH}'; form-action {parts.scheme}://{parts.netloc}")


def choice(addresses: Sequence[tuple[str, str]]) -> Response:
    """Links, by name."""
    links = "".join(f'<li><a href="{escape(address)}">{escape(name)}</a></li>' for name, address in addresses)
    return _page(f"<p>Log in with</p><ul>{links}</ul>", "form-action 'none'")


def _page(body: str, policy: str) -> Response:
    html = f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Login</title></head><body>{body}</body></html>'
    headers = {
        **_SAFE,
        "content-security-policy": f"default-src 'none'; {policy}; base-uri 'none'; frame-ancestors 'none'",
    }
    return HTMLResponse(html, headers=headers)
