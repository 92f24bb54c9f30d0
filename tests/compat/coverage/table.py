"""What our route tables have for each operation, and which tests have called it."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from pileus.kernel.http.routes import PUBLIC, Tree, bind
from pileus.kernel.manifest import Manifest
from tests.compat.coverage.rows import Row

Calls = Mapping[str, Mapping[str, list[int]]]  # "identity GET /v3/users" -> test -> statuses


class Found(NamedTuple):
    """`route`: the template that answers, "" for none. `head`: by the GET's handler."""

    row: Row
    route: str
    rules: tuple[str, ...]
    tests: tuple[str, ...] = ()
    head: bool = False

    @property
    def missing(self) -> list[str]:
        """What the operation lacks, tests aside."""
        if self.row.refused:
            return []
        return ["route"] if not self.route else [] if self.rules else ["policy"]

    @property
    def lacks(self) -> list[str]:
        return self.missing + ([] if self.tests else ["test"])


def table(manifest: Manifest, wanted: Iterable[Row], calls: Calls | None = None) -> list[Found]:
    tree = Tree()
    for route in manifest.routes:
        tree.add("", bind(route))
    return [_found(manifest, tree, row, calls or {}) for row in wanted]


def _found(manifest: Manifest, tree: Tree, row: Row, calls: Calls) -> Found:
    at = tree.find(row.example, ("HEAD", "GET") if row.method == "HEAD" else (row.method,))
    bound = at[0].methods.get(row.method, []) if at is not None else []
    head = not bound and row.method == "HEAD" and manifest.head_as_get
    if head and at is not None:
        bound = at[0].methods.get("GET", [])
    paths = list(dict.fromkeys(b.route.path for b in bound))
    rules = tuple("anyone" if rule == PUBLIC else rule for b in bound for rule in b.route.rules)
    if row.refused and not bound:
        called = calls.get(f"{manifest.name} {row.method} {row.asked}", {})
        return Found(row, "", ("405",), _tests([called], lambda status: status == 405))
    asked = [f"{manifest.name} {m} {path}" for path in paths for m in ((row.method, "GET") if head else (row.method,))]
    own = {b.route.status for b in bound}  # 410 of what the API itself has given up
    tests = _tests([calls.get(name, {}) for name in asked], lambda status: status < 400 or status in own)
    return Found(row, paths[0] if paths else "", tuple(dict.fromkeys(rules)), tests, head)


def _tests(calls: Iterable[Mapping[str, list[int]]], counts: Callable[[int], bool]) -> tuple[str, ...]:
    found = {test for call in calls for test, statuses in call.items() if any(map(counts, statuses))}
    return tuple(sorted(found))
