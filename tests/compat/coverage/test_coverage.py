"""What the lists of operations say is there: with a route and a rule. What is missing may only become less."""

import json
from pathlib import Path

import pytest

from pileus.composition import SERVICES
from pileus.kernel.http.routes import Route, Tree, bind
from tests.compat.coverage.recorder import Recorder
from tests.compat.coverage.rows import LISTS, Row, rows
from tests.compat.coverage.table import table

MISSING = {"identity": 0, "image": 0, "placement": 0}  # rows at most
MANIFESTS = {manifest.name: manifest for manifest in SERVICES}


def test_every_list_is_held() -> None:
    assert {path.stem for path in LISTS.glob("*.tsv")} == set(MISSING)


@pytest.mark.parametrize("service", MISSING)
def test_operations_are_there_and_guarded(service: str) -> None:
    found = table(MANIFESTS[service], rows(service))
    missing = [f"{one.row.method} {one.row.path}: {one.missing}" for one in found if one.row.wanted and one.missing]
    assert len(missing) <= MISSING[service], missing


def test_rows_are_looked_up_as_they_are_meant() -> None:
    assert Row("POST", "/identity/v3/OS-OAUTH2/token", "optional").asked == "/v3/OS-OAUTH2/token"
    slip = Row("GET", "/v3/auth/OS-FEDERATION/identity_providers/{idp_id}/protocol/{protocol_id}/websso", "optional")
    assert slip.asked.endswith("/protocols/{protocol_id}/websso") and slip.wanted
    assert not Row("GET", "/v3/OS-SIMPLE-CERT/ca", "optional: extension").wanted
    assert Row("GET", "/v3/ec2tokens", "optional").refused and not Row("POST", "/v3/ec2tokens", "optional").refused


def test_an_operation_that_is_not_there_is_told() -> None:
    """The table says so, and so it does of one that no test has called with success."""
    identity = MANIFESTS["identity"]
    nowhere, users = table(identity, [Row("GET", "/v3/nowhere", "core"), Row("GET", "/v3/users", "core")])
    assert nowhere.lacks == ["route", "test"] and users.lacks == ["test"]
    calls = {"identity GET /v3/users": {"refused": [403], "answered": [200, 403]}}
    (head,) = table(identity, [Row("HEAD", "/v3/users", "core")], calls)
    assert head.head and head.tests == ("answered",) and head.rules == ("identity:list_users",)


class Here:
    """An application's tree, with the one route that the recorder asks for."""

    def __init__(self) -> None:
        self.tree = Tree()
        self.tree.add("/identity", bind(Route("GET", "/v3/users/{user_id}", lambda call: None, "anyone")))

    def _manifest_of(self, path: str) -> object:
        return MANIFESTS["identity"]


def test_calls_are_noted_by_template(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "calls.json")
    for test, method, path, status in (
        ("a", "GET", "/identity/v3/users/1", 200),
        ("b", "HEAD", "/identity/v3/users/2", 403),
        ("b", "POST", "/identity/v3/users/2", 405),
        ("c", "GET", "/identity/v3/nothing", 404),
        ("", "GET", "/identity/v3/users/1", 200),  # a fixture's
    ):
        recorder.test = test
        recorder.note(Here(), method, path, status)
    recorder.pytest_sessionfinish()
    assert json.loads((tmp_path / "calls.json").read_text()) == {
        "identity GET /v3/users/{user_id}": {"a": [200]},
        "identity HEAD /v3/users/{user_id}": {"b": [403]},
        "identity POST /v3/users/{user_id}": {"b": [405]},
    }
