"""Deny by default: what is absent never matches what is absent."""

from pathlib import Path

import pytest

from pileus.kernel.context import Context
from pileus.kernel.policy import BASE_RULES, Policy, Rule

PERSONAS = {
    "project reader": Context(project_id="p", roles=("reader",)),
    "project member": Context(project_id="p", roles=("member", "reader")),
    "system reader": Context(system_scope="all", roles=("reader",)),
    "system manager": Context(system_scope="all", roles=("manager", "member", "reader")),
    "domain manager": Context(domain_id="d", roles=("manager", "member", "reader")),
    "nobody": Context(),
}


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    return Policy([Rule("thing:show", "rule:reader_or_admin", "")], tmp_path / "policy.yaml")


@pytest.mark.parametrize("persona", [name for name in PERSONAS if "project" not in name])
@pytest.mark.parametrize("target", [{}, {"project_id": None}, {"project_id": "p"}, {"project_id": ""}])
@pytest.mark.parametrize(
    "rule", [rule.name for rule in BASE_RULES if rule.name.startswith("project_") or rule.name == "owner"]
)
def test_who_has_no_project_owns_nothing(policy: Policy, persona: str, target: dict[str, object], rule: str) -> None:
    assert not policy.allows(PERSONAS[persona], rule, target)


def test_who_owns_the_target_may(policy: Policy) -> None:
    assert policy.allows(PERSONAS["project reader"], "thing:show", {"project_id": "p"})
    assert not policy.allows(PERSONAS["project reader"], "thing:show", {"project_id": "q"})
    assert not policy.allows(PERSONAS["project reader"], "project_member", {"project_id": "p"})


def test_an_unknown_rule_is_an_error_not_an_open_door(policy: Policy) -> None:
    with pytest.raises(LookupError):
        policy.allows(PERSONAS["project reader"], "thing:no-such-rule", {})


def test_an_edited_file_is_taken_up_and_a_broken_one_is_not(policy: Policy, tmp_path: Path) -> None:
    reader, file = PERSONAS["project reader"], tmp_path / "policy.yaml"
    other = {"project_id": "q"}
    assert not policy.allows(reader, "thing:show", other)
    for text, expected in (
        ('"thing:show": "@"\n', True),
        ('"thing:show": [unclosed\n', True),
        ('"thing:show": "!"\n', False),
    ):
        file.write_text(text)
        policy._look_again = 0
        assert policy.allows(reader, "thing:show", other) is expected, text


def test_a_verdict_is_worked_out_once_for_the_same_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = Policy([Rule("thing:get", "project_id:%(project_id)s and role:reader", "See a thing")], tmp_path / "none")
    asked: list[str] = []
    real = checked._enforcer.enforce

    def enforce(rule: str, target: dict[str, object], credentials: dict[str, object]) -> object:
        asked.append(rule)
        return real(rule, target, credentials)

    monkeypatch.setattr(checked._enforcer, "enforce", enforce)
    reader, other = Context(project_id="a", roles=("reader",)), Context(project_id="b", roles=("reader",))
    for _ in range(3):
        assert checked.allows(reader, "thing:get", {"project_id": "a"})
        assert not checked.allows(reader, "thing:get", {"project_id": "b"})
        assert checked.allows(other, "thing:get", {"project_id": "b"})
        assert not checked.allows(Context(project_id="a"), "thing:get", {"project_id": "a"})
        assert not checked.allows(Context(user_id="a", roles=("reader",)), "thing:get", {"project_id": "a"})
    assert len(asked) == 5
    for _ in range(2):
        assert checked.allows(reader, "thing:get", {"project_id": "a", "tags": ["x"]})
    assert len(asked) == 7, "a target with a list in it is looked at anew"


def test_what_another_server_decides_is_asked_each_time(tmp_path: Path) -> None:
    checked = Policy(
        [Rule("thing:get", "@", "See a thing"), Rule("thing:put", "http://127.0.0.1:1/x", "Ask")], tmp_path / "none"
    )
    for _ in range(2):
        assert checked.allows(Context(), "thing:get", {})
    assert checked._verdicts == {}
