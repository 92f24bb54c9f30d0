"""Which route a path and a method find."""

import pytest

from pileus.kernel.http.call import Call
from pileus.kernel.http.routes import PUBLIC, Route, Tree, bind


def handler(call: Call) -> None: ...


TABLE = (
    Route("GET", "/things/default", handler, PUBLIC),
    Route("GET", "/things/{id}", handler, PUBLIC),
    Route("DELETE", "/things/{id}", handler, PUBLIC),
    Route("GET", "/things/{id}/parts", handler, PUBLIC),
)


@pytest.mark.parametrize(
    ("path", "methods", "found", "values"),
    [
        ("/things/default", ("GET",), "/things/default", []),
        ("/things/other", ("GET",), "/things/{id}", ["other"]),
        ("/things/default", ("DELETE",), "/things/{id}", ["default"]),
        ("/things/default/parts", ("HEAD", "GET"), "/things/{id}/parts", ["default"]),
        ("/things/default/", ("PATCH",), "/things/default", []),
        ("/things", ("GET",), None, []),
    ],
)
def test_a_fixed_segment_wins_where_it_has_the_method(
    path: str, methods: tuple[str, ...], found: str | None, values: list[str]
) -> None:
    tree = Tree()
    for route in TABLE:
        tree.add("", bind(route))
    result = tree.find(path, methods)
    if found is None:
        assert result is None
    else:
        assert result is not None
        node, given = result
        assert given == values
        assert {bound.route.path for bounds in node.methods.values() for bound in bounds} == {found}
