"""How placement words its errors, and the codes that tell faults of one status apart (Placement API, Errors)."""

from pileus.kernel.errors import ApiError, Conflict
from pileus.kernel.http.call import Json
from pileus.placement.names import UUID

UNDEFINED = "placement.undefined_code"
CONCURRENT_UPDATE = "placement.concurrent_update"
INVENTORY_IN_USE = "placement.inventory.inuse"
DUPLICATE_NAME = "placement.duplicate_name"
PROVIDER_IN_USE = "placement.resource_provider.inuse"
PROVIDER_HAS_CHILDREN = "placement.resource_provider.cannot_delete_parent"
PROVIDER_NOT_FOUND = "placement.resource_provider.not_found"
DUPLICATE_KEY = "placement.query.duplicate_key"
BAD_VALUE = "placement.query.bad_value"
MISSING_VALUE = "placement.query.missing_value"


def error_body(error: ApiError, request_id: str) -> Json:
    detail = _worded(error.message)
    entry = {"status": error.status, "title": error.title, "detail": detail, "request_id": request_id}
    return {"errors": [entry | {"code": error.kind or UNDEFINED}]}


def _worded(message: str) -> str:
    """Bodies of a wrong shape in the words that placement's clients look for."""
    if not message.startswith("Invalid input: "):
        return message
    shape = message.removeprefix("Invalid input: ").replace(
        f"Expected `str` matching regex {UUID!r}", "What is given is not a 'uuid'"
    )
    return f"JSON does not validate: {shape}"


def concurrent(message: str) -> Conflict:
    """Somebody else was faster: read again, then decide again."""
    return Conflict(message, kind=CONCURRENT_UPDATE)
