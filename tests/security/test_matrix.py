"""Every operation × every kind of caller × own, others', lent, shared and unknown things: as the golden files have it, and never
more than these rules allow. Ruled out: policy engine confusion (LP 2148398, CVE-2024-53916, OSSA-2026-016), 2014-0056.
"""

import pytest

from tests.security.matrix import GOLDEN, Cell, rows, tables
from tests.security.world import PEOPLE, World

Row = tuple[Cell, dict[str, int]]

# What callers without a project's or the system's roles may do: look at what is everybody's, and mind their own login.
OPEN_TO_ALL = {
    "compute": ("extensions", "flavors", "versions", "os-keypairs", "limits", "defaults", "os-availability-zone"),
    "network": ("extensions", "networks", "subnet", "ports", "routers", "floatingips", "security-group", "agents"),
    "identity": (
        "auth",
        "regions",
        "limits",
        "security_compliance",
        "GET /v3/credentials ",
        "OS-FEDERATION/",
        "/OS-OAUTH1/authorize/",
    ),
}
OF_ONES_OWN = ("os-keypairs", "/auth/tokens", "/OS-OAUTH1/authorize/")  # the last hands on roles that one has
OF_SERVICES = {
    "compute POST /v2.1/os-server-external-events",
    "compute POST /v2.1/os-keypairs",
}  # key pairs are its own


@pytest.fixture(scope="module")
def found(world: World) -> list[tuple[Cell, tuple[int, ...]]]:
    return list(rows(world))


@pytest.fixture(scope="module")
def answers(found: list[tuple[Cell, tuple[int, ...]]]) -> list[Row]:
    return [(cell, dict(zip(PEOPLE, statuses, strict=True))) for cell, statuses in found]


def said(cell: Cell, who: str, status: int) -> str:
    return f"{who}: {cell.operation} {cell.action or ''} about {cell.target} -> {status}"


def test_the_golden_files_hold(found: list[tuple[Cell, tuple[int, ...]]]) -> None:
    """After a wanted change: `PYTHONPATH=src:. python -m tests.security.matrix`, and read what differs."""
    made = tables(found)
    assert sorted(made) == sorted(path.name for path in GOLDEN.glob("*.tsv"))
    for name, table in made.items():
        assert table.splitlines() == (GOLDEN / name).read_text().splitlines(), name


def test_nothing_breaks(answers: list[Row]) -> None:
    assert [said(c, who, s) for c, row in answers for who, s in row.items() if s >= 500 and s != 501] == []


def test_who_is_nobody_gets_nothing(answers: list[Row]) -> None:
    assert [said(c, "none", row["none"]) for c, row in answers if not c.public and row["none"] != 401] == []


@pytest.mark.parametrize(
    ("side", "strangers"), [("blue", ("manager", "member", "reader", "unscoped")), ("red", ("other",))]
)
def test_what_is_anothers_is_refused(answers: list[Row], side: str, strangers: tuple[str, ...]) -> None:
    """404 hides it, 403 refuses it; 400 to 409 or success would say that it was looked at."""
    lax = [
        said(cell, who, row[who])
        for cell, row in answers
        if cell.target == side and "{" in cell.operation and not cell.public
        for who in strangers
        if row[who] not in (403, 404, 410) and not cell.operation.endswith("/defaults")
    ]
    assert lax == []


def test_refusals_of_others_and_of_unknown_things_are_the_same(answers: list[Row]) -> None:
    """Whether an id exists in another project can not be told from the answer."""
    about = {(c.operation, c.action, c.target): row for c, row in answers}
    told = [
        said(c, "member", row["member"])
        for c, row in answers
        if c.target == "blue" and "{" in c.operation and (unknown := about.get((c.operation, c.action, "fake")))
        and unknown["member"] != row["member"]
        and not c.operation.endswith("/defaults")  # the same for every project
        and "/OS-OAUTH1/authorize/" not in c.operation  # the id is a secret, which only its consumer hands out
    ]  # fmt: skip
    assert told == []


def test_readers_change_nothing(answers: list[Row]) -> None:
    """But key pairs and application credentials, which are the user's own."""
    changed = [
        said(cell, who, row[who])
        for cell, row in answers
        if cell.method not in ("GET", "HEAD") and not cell.public and cell.action != "os-getConsoleOutput"
        for who in ("reader", "system", "unscoped", "domain_reader")
        if row[who] < 400 and not any(word in cell.operation for word in OF_ONES_OWN)
    ]
    assert changed == []


def test_services_change_only_what_is_between_services(answers: list[Row]) -> None:
    """The role `service` is not that of an administrator."""
    changed = {
        cell.operation
        for cell, row in answers
        if cell.method not in ("GET", "HEAD") and not cell.public and row["service"] < 400
        and not cell.operation.startswith("placement ")
    }  # fmt: skip
    assert changed == OF_SERVICES


def test_no_role_no_more_than_what_is_open(answers: list[Row]) -> None:
    seen = {cell.operation for cell, row in answers if row["unscoped"] < 300 and not cell.public}
    assert [op for op in seen if not any(word in f"{op} " for word in OPEN_TO_ALL.get(op.split()[0], ()))] == []


def test_each_row_about_ones_own_is_reached(answers: list[Row]) -> None:
    """The matrix says something only where the rightful caller gets past validation: bodies and ids are good."""
    spoiled = [
        said(cell, "admin", row["admin"])
        for cell, row in answers
        if row["admin"] in (400, 415) and cell.target != "fake" and not cell.public
        and not cell.operation.endswith(("GET /usages", "GET /allocation_candidates"))
    ]  # fmt: skip
    assert spoiled == []
