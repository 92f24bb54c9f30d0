"""The token endpoint, as OAuth 2.0 has it: forms in, errors of its own."""

from pileus.kernel.http.call import Json
from pileus.kernel.http.openapi import answer, form


def _refused() -> Json:
    words = {"error": {"type": "string"}, "error_description": {"type": "string"}}
    return answer("Refused", {"type": "object", "properties": words, "required": ["error"]})


_FORM = {"grant_type": {"const": "client_credentials"}, "client_id": {"type": "string"}}
DESCRIBED = {"requestBody": form(_FORM, ["grant_type"]), "responses": {"400": _refused(), "401": _refused()}}
TOKEN = {
    "type": "object",
    "properties": {
        "access_token": {"type": "string"},
        "token_type": {"const": "Bearer"},
        "expires_in": {"type": "integer", "minimum": 0},
    },
    "required": ["access_token", "token_type", "expires_in"],
}
