"""Server groups over HTTP, and what the scheduler makes of them."""

from collections.abc import Callable
from typing import Any

import pytest

from pileus.compute.hosts.models import Host
from pileus.compute.scheduler.filters import in_use, refuse
from pileus.compute.scheduler.request import Request
from pileus.compute.scheduler.state import read
from pileus.compute.server_groups import hints, membership
from pileus.compute.server_groups.membership import GroupFacts
from pileus.compute.servers.models import Server
from pileus.compute.servers.schemas import SchedulerHints
from pileus.compute.settings import ComputeSettings
from pileus.kernel.cloud import Cloud
from pileus.kernel.errors import BadRequest, OverQuota
from pileus.placement import internal as placement
from tests.compute.api.conftest import Caller, Maker

PATH = "/os-server-groups"


def new(caller: Caller, policy: str = "affinity", **more: object) -> Any:
    return caller.post(PATH, {"server_group": {"name": "g", "policy": policy, **more}})["server_group"]


def test_life_of_a_group(member: Caller, reader: Caller) -> None:
    group = new(member, "anti-affinity", rules={"max_server_per_host": 2})
    assert (group["policy"], group["rules"], group["members"]) == ("anti-affinity", {"max_server_per_host": 2}, [])
    assert (group["project_id"], group["user_id"]) == ("p1", "user-of-p1")
    assert reader.get(f"{PATH}/{group['id']}")["server_group"] == group
    assert reader.get(PATH)["server_groups"] == [group]
    member.delete(f"{PATH}/{group['id']}")
    member.refused("DELETE", f"{PATH}/{group['id']}", 404)


def test_microversions(member: Caller) -> None:
    made = member.post(PATH, {"server_group": {"name": "g", "policies": ["affinity"]}}, version="2.1")["server_group"]
    assert set(made) == {"id", "name", "policies", "members", "metadata"}
    soft = {"server_group": {"name": "g", "policies": ["soft-affinity"]}}
    member.refused("POST", PATH, 400, soft, version="2.14")
    member.post(PATH, soft, version="2.15")
    member.refused("POST", PATH, 400, soft, version="2.64")
    member.refused("POST", PATH, 400, {"server_group": {"name": "g", "policy": "affinity"}}, version="2.63")


@pytest.mark.parametrize(
    "wrong",
    [
        {"policy": "friendship"},
        {"name": ""},
        {"rules": {"max_server_per_host": 2}},
        {"policy": "anti-affinity", "rules": {"max_server_per_host": 0}},
        {"policy": "anti-affinity", "rules": {"colour": 1}},
        {"colour": "red"},
    ],
)
def test_bad_groups(member: Caller, wrong: dict[str, object]) -> None:
    member.refused("POST", PATH, 400, {"server_group": {"name": "g", "policy": "affinity"} | wrong})
    member.refused("POST", PATH, 400, {"server_group": {"name": "g"}})


def test_who_sees_and_changes_what(member: Caller, reader: Caller, other: Caller, admin: Caller) -> None:
    group = new(member)
    place = f"{PATH}/{group['id']}"
    other.refused("GET", place, 404)
    other.refused("DELETE", place, 404)
    reader.refused("DELETE", place, 403)
    reader.refused("POST", PATH, 403, {"server_group": {"name": "g", "policy": "affinity"}})
    assert other.get(f"{PATH}?all_projects=1")["server_groups"] == []
    assert admin.get(PATH)["server_groups"] == []
    assert admin.get(f"{PATH}?all_projects=1")["server_groups"] == [group]
    admin.get(place)


def test_pages_and_quota(
    member: Caller, admin: Caller, cloud: Cloud, server: Maker, queries: Callable[[], Any]
) -> None:
    admin.put("/os-quota-sets/p1", {"quota_set": {"server_groups": 3}})
    ids = [new(member)["id"] for _ in range(3)]
    assert "Quota" in member.refused("POST", PATH, 403, {"server_group": {"name": "g", "policy": "affinity"}})
    assert member.get("/limits")["limits"]["absolute"]["totalServerGroupsUsed"] == 3
    member_id = server()
    with cloud.db.writing() as db:
        group = membership.find(db, "p1", ids[0])
        assert group is not None
        membership.join(db, group, member_id)
        assert membership.size(db, group) == 1
        assert membership.groups_of(db, [member_id]) == {member_id: ids[0]}
        assert membership.find(db, "p2", ids[0]) is None
    with queries() as seen:
        groups = member.get(PATH)["server_groups"]
    assert [g["id"] for g in groups] == ids
    assert groups[0]["members"] == [member_id]
    assert len(seen) == 2  # groups, and all their members
    assert [g["id"] for g in member.get(f"{PATH}?limit=1&offset=1")["server_groups"]] == ids[1:2]
    member.refused("GET", f"{PATH}?limit=-1", 400)
    member.refused("GET", f"{PATH}?colour=red", 400)
    member.delete(f"{PATH}/{ids[0]}")
    member.get(f"/servers/{member_id}/tags")


@pytest.fixture
def verdict(cloud: Cloud, host: Maker) -> Callable[..., str | None]:
    """The name of the check that refuses host n1."""
    host("n1")

    def judge(**wish: Any) -> str | None:
        with cloud.db.reading() as db:
            row = db.query(Host).one()
            request = Request(resources={"VCPU": 1}, image_properties={}, extra_specs={}, **wish)
            (state,) = read(db, [placement.supplies(db)[row.id]])
            refused = refuse(in_use(ComputeSettings()), request, state)
        return refused[0] if refused else None

    return judge


def test_the_filters(verdict: Callable[..., str | None]) -> None:
    assert verdict() is None
    assert verdict(group=GroupFacts("affinity", {})) is None
    assert verdict(group=GroupFacts("affinity", {"n1": 1})) is None
    assert verdict(group=GroupFacts("affinity", {"n2": 1})) == "ServerGroupAffinityFilter"
    assert verdict(group=GroupFacts("anti-affinity", {"n2": 1})) is None
    assert verdict(group=GroupFacts("anti-affinity", {"n1": 1})) == "ServerGroupAntiAffinityFilter"
    assert verdict(group=GroupFacts("anti-affinity", {"n1": 1}, 2)) is None
    assert verdict(group=GroupFacts("soft-anti-affinity", {"n1": 1})) is None
    assert verdict(same_hosts=frozenset({"n1"})) is None
    assert verdict(same_hosts=frozenset({"n2"})) == "SameHostFilter"
    assert verdict(same_hosts=frozenset()) == "SameHostFilter"
    assert verdict(different_hosts=frozenset({"n1"})) == "DifferentHostFilter"
    assert verdict(different_hosts=frozenset({"n2"})) is None


def test_what_the_scheduler_is_told(member: Caller, cloud: Cloud, host: Maker, server: Maker) -> None:
    host("n1")
    group_id = new(member, "anti-affinity", rules={"max_server_per_host": 4})["id"]
    here, foreign = server(host="n1"), server(project="p2", host="n1")
    with cloud.db.writing() as db:
        group = membership.find(db, "p1", group_id)
        assert group is not None
        membership.join(db, group, here)
        membership.join(db, group, foreign)
        assert membership.facts(db, group) == GroupFacts("anti-affinity", {"n1": 2}, 4)
        assert membership.hosts_of(db, "p1", [here]) == {"n1"}
        assert membership.hosts_of(db, "p1", [foreign]) == set()


def test_hints_of_a_request(member: Caller, cloud: Cloud, host: Maker, server: Maker) -> None:
    host("n1")
    group_id, one, two = new(member, "anti-affinity")["id"], server(host="n1"), server(host="n1")
    foreign = server(project="p2", host="n1")
    plain = Request({"VCPU": 1}, {}, {})
    with cloud.db.writing() as db:
        assert hints.narrow(db, plain, hints.read(db, "p1", SchedulerHints())) == plain
        near = hints.read(db, "p1", SchedulerHints(same_host=one, different_host=[two]))
        assert near == hints.Hints(None, frozenset({"n1"}), frozenset({"n1"}))
        assert hints.read(db, "p1", SchedulerHints(same_host=[foreign])).same_hosts == frozenset()
        grouped = hints.read(db, "p1", SchedulerHints(group=group_id))
        assert hints.narrow(db, plain, grouped).group == GroupFacts("anti-affinity", {})
        hints.join(db, grouped, one, 1)
        assert hints.narrow(db, plain, grouped).group == GroupFacts("anti-affinity", {"n1": 1})
        with pytest.raises(OverQuota):
            hints.join(db, grouped, two, 1)
        hints.join(db, grouped, two, -1)
        hints.join(db, hints.Hints(), foreign, 0)
        for project, asked in (("p2", group_id), ("p1", "none")):
            with pytest.raises(BadRequest, match="could not be found"):
                hints.read(db, project, SchedulerHints(group=asked))


def test_a_server_that_goes_leaves_its_group(member: Caller, cloud: Cloud, server: Maker) -> None:
    group_id, server_id = new(member)["id"], server()
    with cloud.db.writing() as db:
        group = membership.find(db, "p1", group_id)
        assert group is not None
        membership.join(db, group, server_id)
    assert member.get(f"{PATH}/{group_id}")["server_group"]["members"] == [server_id]
    with cloud.db.writing() as db:
        db.delete(db.get_one(Server, server_id))
    assert member.get(f"{PATH}/{group_id}")["server_group"]["members"] == []
