"""Refusals in OAuth 2.0's form (RFC 6749, 5.2), which is not identity's."""

from starlette.responses import JSONResponse

FRESH = {"cache-control": "no-store", "pragma": "no-cache"}
CHALLENGE = 'Basic realm="OS-OAUTH2", charset="UTF-8"'


class Refusal(Exception):
    """`code` is one of RFC 6749's words."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description

    def response(self) -> JSONResponse:
        unknown = self.code == "invalid_client"
        headers = FRESH | ({"www-authenticate": CHALLENGE} if unknown else {})
        body = {"error": self.code, "error_description": self.description}
        return JSONResponse(body, 401 if unknown else 400, headers)


def unknown_client() -> Refusal:
    return Refusal("invalid_client", "Client authentication failed.")
