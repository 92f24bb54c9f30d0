"""Injecting the operator's properties into imported images."""

import msgspec
import pytest

from pileus.image.plugins.metadata import MetadataInjection, injected

SETTINGS = MetadataInjection(inject={"hw_machine": "q35", "x_source": "imported"})
GIVEN: dict[str, str | None] = {"x_source": "mine", "kernel_id": None}


def test_what_the_operator_injects_wins() -> None:
    assert injected(SETTINGS, ("member",), GIVEN) == {"hw_machine": "q35", "x_source": "imported", "kernel_id": None}
    assert GIVEN["x_source"] == "mine"


@pytest.mark.parametrize("roles", [("admin",), ("member", "Admin")])
def test_administrators_are_left_alone(roles: tuple[str, ...]) -> None:
    assert injected(SETTINGS, roles, GIVEN) == GIVEN


def test_other_roles_can_be_left_alone() -> None:
    settings = MetadataInjection(inject={"a": "b"}, ignore_user_roles=("member",))
    assert injected(settings, ("member",), {}) == {}
    assert injected(settings, ("admin",), {}) == {"a": "b"}
    everyone = MetadataInjection(inject={"a": "b"}, ignore_user_roles=())
    assert injected(everyone, ("admin",), {}) == {"a": "b"}


@pytest.mark.parametrize("name", ["", "x" * 256, "status", "visibility", "os_glance_stage", "locations"])
def test_what_no_image_can_have_is_refused(name: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"inject": {name: "v"}}, MetadataInjection)


def test_a_value_is_a_string_of_bounded_length() -> None:
    with pytest.raises(msgspec.ValidationError, match="longer"):
        msgspec.convert({"inject": {"a": "x" * 65536}}, MetadataInjection)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"inject": {"a": 1}}, MetadataInjection)
