"""The service's own errors, and the body that all of them get."""

from pileus.kernel.errors import ApiError, BadRequest, Conflict, NotFound
from pileus.kernel.http.call import Json

DEFAULT_KINDS = {
    400: "HTTPBadRequest",
    403: "HTTPForbidden",
    404: "HTTPNotFound",
    405: "HTTPMethodNotAllowed",
    409: "HTTPConflict",
    413: "HTTPRequestEntityTooLarge",
    415: "HTTPUnsupportedMediaType",
    503: "HTTPServiceUnavailable",
}


class RevisionMismatch(ApiError):
    """412: `If-Match: revision_number=N` named another revision."""

    status, title = 412, "Precondition Failed"


def error_body(error: ApiError, _request_id: str) -> Json:
    """Neutron's form; a bad token gets the form of the token check that stands before every service."""
    if error.status == 401:
        return {"error": {"code": 401, "title": error.title, "message": error.message}}
    kind = error.kind or DEFAULT_KINDS.get(error.status, "HTTPInternalServerError")
    return {"NeutronError": {"type": kind, "message": error.message, "detail": ""}}


def not_found(what: str, identifier: str, kind: str = "") -> NotFound:
    """`not_found("Network", id)`: type NetworkNotFound."""
    return NotFound(f"{what} {identifier} could not be found.", kind=kind or what.title().replace(" ", "") + "NotFound")


def invalid(message: str, kind: str = "InvalidInput") -> BadRequest:
    return BadRequest(f"Invalid input for operation: {message}", kind=kind)


def conflict(message: str, kind: str) -> Conflict:
    return Conflict(message, kind=kind)
