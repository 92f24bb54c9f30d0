"""Numbers that page a list, for resources whose marker is unique only within a server, a user or a project."""

from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call

LARGEST_PAGE = 1000


def limit_of(call: Call) -> int:
    return min(_number(call, "limit", LARGEST_PAGE), LARGEST_PAGE)


def offset_of(call: Call) -> int:
    return _number(call, "offset", 0)


def _number(call: Call, name: str, default: int) -> int:
    text = call.query_value(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise BadRequest(f"Invalid input for query parameter {name}: {text!r} is not a number from 0 on")
    return int(text)
