"""The form of identity's answers: collections with links, open objects, errors."""

from collections.abc import Mapping, Sequence

import msgspec

from pileus.kernel.errors import ApiError
from pileus.kernel.http.call import Call, Json


def links(call: Call, path: str, following: str | None = None) -> Json:
    query = call.request.url.query
    return {"self": call.url(path) + (f"?{query}" if query else ""), "previous": None, "next": following}


def collection(call: Call, path: str, name: str, items: Sequence[Json], following: str | None = None) -> Json:
    """`truncated` tells those who asked for all that there is more."""
    body: Json = {name: list(items), "links": links(call, path, following)}
    if following is not None and call.query_value("limit") is None:
        body["truncated"] = True
    return body


def error_body(error: ApiError, request_id: str) -> Json:
    return {"error": {"code": error.status, "message": error.message, "title": error.title}}


def extras(given: object, shape: type[msgspec.Struct]) -> Json:
    """Attributes of the caller's own: identity keeps what its API does not define (`email`, a client's properties)."""
    known = {field.encode_name for field in msgspec.structs.fields(shape)} | {"id", "links"}
    return {name: value for name, value in given.items() if name not in known} if isinstance(given, Mapping) else {}
