"""The mapping engine: every form of rule, and rules and assertions that nobody would write."""

import contextlib
import string
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pileus.identity.federation.mappings import rules, tester
from pileus.identity.federation.mappings.engine import Unmapped, evaluate
from pileus.kernel.errors import BadRequest
from tests.identity.federation.ground import rule
from tests.identity.people import Json

D = {"id": "d1"}
NAME, GROUPS = {"type": "NAME"}, {"type": "GROUPS"}
USER = {"user": {"name": "{0}"}}


def run(given: list[Json], version: str = "1.0", **assertion: str) -> Json:
    return tester.evaluate(given, assertion, version)


def names(result: Json) -> list[str]:
    return [name for name, _ in result["group_names"]]


def test_references_and_texts_between_them() -> None:
    found = run(
        [
            rule(
                [{"type": "F"}, {"type": "L"}, {"type": "E"}],
                {"user": {"name": "{0} {1}", "id": "x-{2}", "email": "{2}"}},
            )
        ],
        F="Ann",
        L="Lee",
        E="a@b",
    )
    assert found["user"] == {"id": "x-a@b", "name": "Ann Lee", "email": "a@b", "type": "ephemeral", "domain": None}


def test_id_and_name_stand_in_for_each_other_and_the_environment_for_both() -> None:
    assert run([rule([NAME], {"user": {"id": "{0}"}})], NAME="a")["user"]["name"] == "a"
    assert run([rule([NAME], USER)], NAME="a")["user"]["id"] == "a"
    only_groups = [rule([NAME], {"group": {"id": "g"}})]
    assert run(only_groups, NAME="a", REMOTE_USER="ann")["user"]["name"] == "ann"
    assert run([rule([NAME], {"user": {"email": "{0}"}})], NAME="e", REMOTE_USER="ann")["user"]["email"] == "e"
    assert "REMOTE_USER" in run(only_groups, NAME="a")["error"]


@pytest.mark.parametrize(
    ("condition", "text", "holds"),
    [
        ({"any_one_of": ["a", "b"]}, "x;b", True),
        ({"any_one_of": ["a", "b"]}, "x;bb", False),
        ({"not_any_of": ["a", "b"]}, "x;bb", True),
        ({"not_any_of": ["a", "b"]}, "x;b", False),
        ({"any_one_of": [".*@yeah.com$"], "regex": True}, "o;me@yeah.com", True),
        ({"any_one_of": [".*@yeah.com$"], "regex": True}, "me@yeah.com.evil", False),
        ({"any_one_of": [".*@yeah.com$"]}, "me@yeah.com", False),
        ({"any_one_of": [".*@yeah.com$"], "regex": False}, "me@yeah.com", False),
        ({"not_any_of": ["^contract"], "regex": True}, "staff", True),
        ({"not_any_of": ["^contract"], "regex": True}, "staff;contractor", False),
        ({"any_one_of": []}, "x", False),
        ({"not_any_of": []}, "x", True),
        ({}, "x", True),
        ({}, "", False),
        ({}, ";;", False),
    ],
)
def test_conditions(condition: Json, text: str, holds: bool) -> None:
    found = run([rule([NAME, {"type": "C", **condition}], USER)], NAME="ann", C=text)
    assert ("error" not in found) is holds, found


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ({"whitelist": ["a", "b"]}, ["a"]),
        ({"blacklist": ["a", "b"]}, ["admins", "c"]),
        ({"whitelist": ["^a"], "regex": True}, ["a", "admins"]),
        ({"blacklist": ["^a"], "regex": True}, ["c"]),
        ({"whitelist": []}, []),
        ({}, ["a", "admins", "c"]),
    ],
)
def test_filters_of_what_a_reference_has(condition: Json, kept: list[str]) -> None:
    given = [rule([NAME, {**GROUPS, **condition}], USER, {"groups": "{1}", "domain": D})]
    assert names(run(given, NAME="ann", GROUPS="a;admins;c")) == kept


def test_conditions_are_no_references() -> None:
    found = run([rule([{"type": "C", "any_one_of": ["x"]}, NAME], USER)], NAME="ann", C="x")
    assert found["user"]["name"] == "ann"


def test_every_form_of_groups() -> None:
    local: list[Json] = [
        {"group": {"id": "{1}"}},
        {"group": {"name": "g-{1}", "domain": {"name": "{0}'s"}}},
        {"groups": "{1}", "domain": D},
        {"group_ids": ["x", "{1}"]},
    ]
    found = run([rule([NAME, GROUPS], USER, *local)], NAME="ann", GROUPS="a;b")
    assert found["group_ids"] == ["a", "b", "x"]
    assert names(found) == ["g-a", "g-b", "a", "b"]
    assert found["group_names"][0][1] == {"id": None, "name": "ann's"}


def test_rules_add_up_and_the_first_user_counts() -> None:
    given = [
        rule([{"type": "NO"}], {"user": {"name": "never"}}),
        rule([NAME], USER),
        rule([NAME], {"user": {"name": "late"}, "group": {"id": "g1"}}),
        rule([{"type": "ORG", "not_any_of": ["Contractor"]}], {"group": {"id": "staff"}}),
        rule([{"type": "ORG", "any_one_of": ["Contractor"]}], {"group": {"id": "contractors"}}),
    ]
    found = run(given, NAME="ann", ORG="Contractor")
    assert found["user"]["name"] == "ann" and found["group_ids"] == ["g1", "contractors"]


def test_projects() -> None:
    projects = [
        {"name": "Production", "roles": [{"name": "reader"}]},
        {"name": "Project for {0}", "roles": [{"name": "{1}"}, {"name": "member"}]},
    ]
    found = run([rule([NAME, {"type": "R"}], USER, {"projects": projects})], NAME="ann", R="admin")
    assert found["projects"] == [
        {"name": "Production", "roles": ["reader"], "domain": None},
        {"name": "Project for ann", "roles": ["admin", "member"], "domain": None},
    ]


def test_domains_of_schema_2() -> None:
    project = {"name": "p", "roles": [{"name": "reader"}]}
    local = {
        "user": {"name": "{0}"},
        "projects": [project, project | {"domain": {"name": "own"}}],
        "domain": {"name": "d"},
    }
    found = run([rule([NAME], local)], "2.0", NAME="ann")
    assert found["user"]["domain"] == {"id": None, "name": "d"} and found["user"]["type"] == "ephemeral"
    assert [project["domain"]["name"] for project in found["projects"]] == ["d", "own"]
    assert "2.0" in run([rule([NAME], local)], NAME="ann")["error"]


def test_local_users_need_a_domain() -> None:
    user = {"name": "{0}", "type": "local"}
    assert run([rule([NAME], {"user": user})], NAME="ann")["user"]["type"] == "ephemeral"
    found = run([rule([NAME], {"user": user | {"domain": D}})], NAME="ann")["user"]
    assert found["type"] == "local" and found["domain"] == {"id": "d1", "name": None}


def test_several_values_stay_one_name() -> None:
    assert run([rule([NAME], USER)], NAME="a;b")["user"]["name"] == "a;b"


def test_what_looks_like_a_reference_in_an_attribute_is_none() -> None:
    found = run([rule([NAME, GROUPS], {"user": {"name": "{0}", "email": "{1}"}})], NAME="{1}{0}", GROUPS="secret")
    assert found["user"]["name"] == "{1}{0}"


@pytest.mark.parametrize(
    "bad",
    [
        [],
        {},
        "rules",
        [{}],
        [{"local": [USER]}],
        [{"local": [], "remote": [NAME]}],
        [{"local": [USER], "remote": []}],
        [{"local": [USER], "remote": [NAME], "more": 1}],
        [rule([{}], USER)],
        [rule([{"type": ""}], USER)],
        [rule([{"type": 1}], USER)],
        [rule([NAME | {"any_one_of": "a"}], USER)],
        [rule([NAME | {"any_one_of": ["a"], "not_any_of": ["b"]}], USER)],
        [rule([NAME | {"whitelist": ["a"], "blacklist": ["b"]}], USER)],
        [rule([NAME | {"any_one_of": ["a"], "whitelist": ["b"]}], USER)],
        [rule([NAME | {"regex": True}], USER)],
        [rule([NAME | {"any_one_of": ["("], "regex": True}], USER)],
        [rule([NAME | {"any_one_of": ["x" * 513], "regex": True}], USER)],
        [rule([NAME | {"any_one_of": ["a"], "regex": "yes"}], USER)],
        [rule([NAME], {"user": {"name": "{1}"}})],
        [rule([NAME | {"any_one_of": ["a"]}], USER)],
        [rule([NAME], {})],
        [rule([NAME], {"colour": "red"})],
        [rule([NAME], {"user": {"name": "{0}", "type": "other"}})],
        [rule([NAME], {"user": {"name": "{0}", "domain": {}}})],
        [rule([NAME], {"user": {"name": "{0}", "domain": {"id": "a", "name": "b"}}})],
        [rule([NAME], {"group": {}})],
        [rule([NAME], {"group": {"name": "g"}})],
        [rule([NAME], {"group": {"id": "g", "name": "g", "domain": D}})],
        [rule([NAME], {"groups": "{0}"})],
        [rule([NAME], USER | {"domain": D})],
        [rule([NAME], {"projects": [{"name": "p"}]})],
        [rule([NAME], {"projects": [{"name": "p", "roles": []}]})],
        [rule([NAME], {"projects": [{"name": "p", "roles": [{"id": "r"}]}]})],
        [rule([NAME], {"projects": [{"name": "p", "roles": [{"name": "r"}], "domain": D}]})],
    ],
)
def test_rules_that_can_not_work_are_refused(bad: Any) -> None:
    with pytest.raises(BadRequest) as caught:
        rules.read(bad, "1.0")
    assert len(caught.value.message) > 10


def test_a_pattern_can_not_hold_a_worker() -> None:
    """With `re` this takes longer than anybody lives."""
    given = [rule([NAME, {"type": "C", "not_any_of": ["^(a|aa)+$"], "regex": True}], USER)]
    began = time.monotonic()
    found = run(given, NAME="ann", C="a" * 60 + "!")
    assert time.monotonic() - began < 2
    assert "too long" in found["error"]  # not "does not match", which would let her in


def test_a_template_can_not_explode() -> None:
    many = ";".join(str(i) for i in range(100))
    given = [rule([NAME, GROUPS], USER, {"group_ids": "{0}{1}{1}"})]
    assert "1000000" in run(given, NAME=many, GROUPS=many)["error"]


def test_the_lines_of_the_tester() -> None:
    assert tester.assertion("NAME: ann\n\n URL : https://x \nnothing\n") == {"NAME": "ann", "URL": "https://x"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)
TEXTS = st.lists(st.text(string.printable, max_size=12), max_size=3)
TEMPLATE = st.text("ab{}012", min_size=1, max_size=8)
REQUIREMENT = st.builds(
    lambda kind, more: {"type": kind, **more},
    st.sampled_from(["A", "B", "C"]),
    st.just({})
    | st.dictionaries(st.sampled_from(["any_one_of", "not_any_of", "whitelist", "blacklist"]), TEXTS, max_size=1)
    | st.fixed_dictionaries({"whitelist": TEXTS, "regex": st.booleans()}),
)
LOCAL = st.fixed_dictionaries(
    {},
    optional={
        "user": st.fixed_dictionaries({"name": TEMPLATE}, optional={"id": TEMPLATE, "email": TEMPLATE}),
        "group": st.fixed_dictionaries({"id": TEMPLATE}),
        "group_ids": TEMPLATE | st.lists(TEMPLATE, max_size=2),
        "projects": st.lists(st.fixed_dictionaries({"name": TEMPLATE, "roles": st.just([{"name": "r"}])}), max_size=2),
    },
)
RULES = st.lists(
    st.fixed_dictionaries(
        {"local": st.lists(LOCAL, min_size=1, max_size=3), "remote": st.lists(REQUIREMENT, min_size=1, max_size=3)}
    ),
    min_size=1,
    max_size=3,
)
ASSERTION = st.dictionaries(
    st.sampled_from(["A", "B", "C", "REMOTE_USER"]),
    st.lists(st.text(max_size=10), max_size=4).map(tuple),
)


@given(JSON | st.lists(st.dictionaries(st.sampled_from(["local", "remote"]), JSON)), st.sampled_from(["1.0", "2.0"]))
@settings(max_examples=300, deadline=None)
def test_any_json_is_read_or_refused(raw: object, version: str) -> None:
    with contextlib.suppress(BadRequest):
        rules.read(raw, version)


@given(RULES, ASSERTION)
@settings(max_examples=300, deadline=None)
def test_any_assertion_is_mapped_or_not(raw: list[Json], assertion: dict[str, tuple[str, ...]]) -> None:
    """What comes out is made of what went in; and rules that were taken never fail in another way."""
    try:
        read = rules.read(raw, "1.0")
        found = evaluate(read, assertion, "1.0")
    except (BadRequest, Unmapped):
        return
    assert found.user.id and found.user.name
    assert all(found.group_ids)
    assert found == evaluate(read, assertion, "1.0")
    if found.user.name not in assertion.get("REMOTE_USER", ()):
        assert any("user" in local for each in raw for local in each["local"])


@given(st.lists(st.text("abc", min_size=1, max_size=2)), st.lists(st.text("abc", min_size=1, max_size=2)))
def test_whitelist_and_blacklist_share_out_what_is_said(said: list[str], listed: list[str]) -> None:
    def kept(kind: str) -> set[str]:
        local = {"group_ids": "{0}"}
        try:
            read = rules.read([rule([{"type": "A", kind: listed}], USER | local)], "1.0")
            return set(evaluate(read, {"A": tuple(said), "REMOTE_USER": ("u",)}, "1.0").group_ids)
        except Unmapped:
            return set()

    assert kept("whitelist") == set(said) & set(listed)
    assert kept("blacklist") == set(said) - set(listed)
