"""From microversion 2.75 on, names in the query that an operation does not know are refused; before, they are ignored."""

from collections.abc import Collection

from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call

PAGING = ("limit", "marker")


def refuse_unknown(call: Call, known: Collection[str] = (), *, since: tuple[int, int] = (2, 75)) -> None:
    """Raises BadRequest that names what is unknown. `since` is for operations that were strict earlier."""
    if call.version < since:
        return
    unknown = sorted({name for name, _ in call.query} - set(known))
    if unknown:
        raise BadRequest(f"Additional properties are not allowed ({', '.join(map(repr, unknown))} in the query)")
