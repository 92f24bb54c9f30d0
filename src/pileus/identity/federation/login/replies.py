"""What a login through a provider is answered with: a token, a question to carry to the provider, or a page that leads there."""

from pileus.kernel.http.openapi import answer, form

_TEXT = {"type": "string"}
QUESTION = "application/vnd.paos+xml"
METADATA = "application/samlmetadata+xml"
PAGE = "text/html"
_TOKEN = {"type": "object", "properties": {"token": {"type": "object"}}, "required": ["token"]}
TOKEN = {"responses": {"201": answer("A token", _TOKEN)}}
_PAGES = {"302": {"description": "To the identity provider"}}

WALK = {
    "requestBody": form({"SAMLResponse": _TEXT, "RelayState": _TEXT, "origin": _TEXT}, []),
    "responses": _PAGES,
}
