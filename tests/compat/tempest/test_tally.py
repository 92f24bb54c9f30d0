"""What is read from tempest's lines, and what of it is reported."""

from pathlib import Path

import pytest

from tests.compat.tempest.__main__ import report
from tests.compat.tempest.configuration import TEMPLATE, fill
from tests.compat.tempest.suite import name, select
from tests.compat.tempest.tally import Tally, area

A, B, C = "tempest.api.compute.a.Class.test_one", "tempest.api.compute.b.Class.test_two", "tempest.scenario.c.C.test_it"
D, E = "tempest.api.image.d.Class.test_four", "tempest.api.image.d.Class.test_five"
LINES = f"""\
{{0}} {A} [0.100s] ... ok
{{1}} {B} [1.200s] ... FAILED

Captured traceback:
~~~~~~~~~~~~~~~~~~~
    Traceback (most recent call last):

      File "x.py", line 1, in test_two
    raise exceptions.BadRequest(resp_body, resp=resp)

    tempest.lib.exceptions.BadRequest: Bad request
Details: {{'code': 400, 'message': 'no such action'}}

    testtools.matchers._impl.MismatchError: 1 != 2
Details: later
{{0}} setUpClass (tempest.api.image.d.Class) ... SKIPPED: Not there: yet
{{0}} tearDownClass (tempest.api.compute.a.Class) [0.000s] ... FAILED
    tempest.lib.exceptions.ServerFault: Got server fault
""".splitlines(keepends=True)


@pytest.fixture
def tally() -> Tally:
    tally = Tally([A, B, C, D, E])
    assert len(list(tally.read(LINES))) == 4
    return tally


def test_each_test_has_its_outcome_or_that_of_its_class(tally: Tally) -> None:
    assert tally.verdict(A) == ("passed", "")
    assert tally.verdict(B) == ("failed", "BadRequest: Bad request | {'code': 400, 'message': 'no such action'}")
    assert tally.verdict(C) == ("not run", "")
    assert tally.verdict(D) == tally.verdict(E) == ("skipped", "class: Not there: yet")
    assert tally.untidy() == ["tearDownClass (tempest.api.compute.a.Class): ServerFault: Got server fault"]


def test_the_report_is_a_table_and_a_file_for_each_kind(tally: Tally, tmp_path: Path) -> None:
    assert report(tally, tmp_path) == 1
    rows = [line.split() for line in (tmp_path / "table").read_text().splitlines()]
    assert rows[1:] == [
        ["compute", "1", "1", "0", "0", "2"],
        ["image", "0", "0", "2", "0", "2"],
        ["scenario", "0", "0", "0", "1", "1"],
        ["all", "1", "1", "2", "1", "5"],
    ]
    assert (tmp_path / "failed").read_text().startswith(f"{B}: BadRequest")
    assert (tmp_path / "not-run").read_text() == f"{C}: \n"
    assert len((tmp_path / "skipped").read_text().splitlines()) == 2


def test_areas() -> None:
    others = "tempest.serial_tests.api.admin.x.Y.test_z", "openstackclient.tests.functional.identity.v3.test_x.Y.test_z"
    assert [area(test) for test in (A, C, *others)] == ["compute", "scenario", "serial_tests", "identity"]


def test_tests_are_chosen_by_name_or_pattern() -> None:
    known = [f"{A}[id-1,smoke]", f"{C}[id-2](fast)"]
    assert name(known[1]) == f"{C}(fast)"
    assert select(known, None, [f"{A}[id-of-another-release]", "", "# note", "tempest.gone"]) == (
        [known[0]],
        ["tempest.gone"],
    )
    assert select(known, "scenario", None) == ([known[1]], [])
    assert select(known, None, None) == (known, [])


def test_every_place_of_the_template_must_be_filled() -> None:
    with pytest.raises(KeyError):
        fill(TEMPLATE.read_text(), {"WORK": "/w"})
    assert fill("a = @A_B@ $$PATH x@y.org", {"A_B": "1"}) == "a = 1 $$PATH x@y.org"
