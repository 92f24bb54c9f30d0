"""The one tree of errors that reach a caller. A service's manifest decides how their body looks."""


class ApiError(Exception):
    """An answer of 4xx or 5xx. `message` is for the caller to act on; `headers` go out with it.

    `kind` names the fault where a service's body carries a type (Neutron's `type`, Placement's `code`).
    """

    status = 500
    title = "Internal Server Error"

    def __init__(self, message: str, *, kind: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.headers = headers or {}


class BadRequest(ApiError):
    status, title = 400, "Bad Request"


class Unauthorized(ApiError):
    status, title = 401, "Unauthorized"


class Forbidden(ApiError):
    status, title = 403, "Forbidden"


class OverQuota(Forbidden):
    """403 as compute and image answer; network answers 409 and says so with its own error."""


class NotFound(ApiError):
    status, title = 404, "Not Found"


class MethodNotAllowed(ApiError):
    status, title = 405, "Method Not Allowed"


class NotAcceptable(ApiError):
    status, title = 406, "Not Acceptable"


class Conflict(ApiError):
    status, title = 409, "Conflict"


class Gone(ApiError):
    status, title = 410, "Gone"


class TooLarge(ApiError):
    status, title = 413, "Request Entity Too Large"


class UnsupportedMediaType(ApiError):
    status, title = 415, "Unsupported Media Type"


class RangeNotSatisfiable(ApiError):
    status, title = 416, "Requested Range Not Satisfiable"


class NotImplementedHere(ApiError):
    """501: the configured driver lacks the capability; never a placeholder for code that is not written."""

    status, title = 501, "Not Implemented"


class Unavailable(ApiError):
    status, title = 503, "Service Unavailable"
