"""Roles given to users and groups in every kind of place, for themselves and for the projects below."""

import pytest

from tests.identity.people import Caller

PLACES = ("projects/{project}", "domains/default", "system")
ACTORS = ("users", "groups")
INHERITED = [(place, actor) for place in PLACES[:2] for actor in ACTORS]


@pytest.fixture
def ids(admin: Caller) -> dict[str, str]:
    project = admin.ask("POST", "/projects", {"project": {"name": "p"}}, status=201)["project"]["id"]
    user = admin.ask("POST", "/users", {"user": {"name": "u"}}, status=201)["user"]["id"]
    group = admin.ask("POST", "/groups", {"group": {"name": "g"}}, status=201)["group"]["id"]
    return {"project": project, "users": user, "groups": group}


def walk(admin: Caller, every: str, one: str, role: str) -> None:
    """Not there, given, given again, listed, taken, gone."""
    admin.ask("GET", one, status=404)
    admin.ask("DELETE", one, status=404)
    for _ in range(2):
        admin.ask("PUT", one, status=204)
    admin.ask("GET", one, status=204)
    admin.ask("HEAD", one, status=204)
    if every:
        assert [found["id"] for found in admin.ask("GET", every)["roles"]] == [role]
        admin.ask("HEAD", every)
    admin.ask("DELETE", one, status=204)
    admin.ask("GET", one, status=404)


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize("place", PLACES)
def test_a_role_is_given_and_taken(admin: Caller, ids: dict[str, str], place: str, actor: str) -> None:
    role = admin.ask("GET", "/roles?name=reader")["roles"][0]["id"]
    every = f"/{place.format(**ids)}/{actor}/{ids[actor]}/roles"
    walk(admin, every, f"{every}/{role}", role)


@pytest.mark.parametrize(("place", "actor"), INHERITED)
def test_a_role_for_what_is_below(admin: Caller, ids: dict[str, str], place: str, actor: str) -> None:
    """It is apart from the role in the place itself. Only a domain's can be listed."""
    role = admin.ask("GET", "/roles?name=reader")["roles"][0]["id"]
    roles = f"{place.format(**ids)}/{actor}/{ids[actor]}/roles"
    every = f"/OS-INHERIT/{roles}/inherited_to_projects" if place == "domains/default" else ""
    one = f"/OS-INHERIT/{roles}/{role}/inherited_to_projects"
    walk(admin, every, one, role)
    admin.ask("PUT", one, status=204)
    admin.ask("GET", f"/{roles}/{role}", status=404)
