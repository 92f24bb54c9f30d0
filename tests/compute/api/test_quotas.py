"""Quotas and limits over HTTP."""

from collections.abc import Mapping

import pytest

from pileus.compute.flavors.models import Flavor
from pileus.compute.quota_sets.limits import QUOTAS
from pileus.compute.servers.quota import within_quota
from pileus.compute.settings import ComputeSettings
from pileus.identity.catalog import builtin
from pileus.identity.limits.enforcement import MODELS
from pileus.identity.limits.models import Limit
from pileus.identity.limits.unified import UnifiedLimits
from pileus.identity.projects.models import ProjectAncestor
from pileus.identity.registered_limits.models import RegisteredLimit
from pileus.kernel import quotas
from pileus.kernel.cloud import Cloud
from pileus.kernel.errors import OverQuota
from tests.compute.api.conftest import Caller, Maker

Q = "/os-quota-sets/p1"
CLASS = "/os-quota-class-sets/default"


def test_defaults(reader: Caller) -> None:
    shown = reader.get(Q)["quota_set"]
    assert shown == reader.get(f"{Q}/defaults")["quota_set"]
    assert (shown["id"], shown["instances"], shown["cores"], shown["ram"]) == ("p1", 10, 20, 51200)


def test_a_projects_own_limits(admin: Caller, reader: Caller, other: Caller) -> None:
    assert admin.put(Q, {"quota_set": {"cores": 4, "ram": -1}})["quota_set"]["cores"] == 4
    assert reader.get(Q)["quota_set"]["cores"] == 4
    assert reader.get(Q)["quota_set"]["ram"] == -1
    assert reader.get(Q)["quota_set"]["instances"] == 10
    assert other.get("/os-quota-sets/p2")["quota_set"]["cores"] == 20
    admin.delete(Q, 202)
    assert reader.get(Q)["quota_set"]["cores"] == 20


def test_the_default_class_is_under_all_projects(admin: Caller, reader: Caller) -> None:
    admin.put(Q, {"quota_set": {"cores": 4}})
    assert admin.put(CLASS, {"quota_class_set": {"cores": 8, "instances": 3}})["quota_class_set"]["cores"] == 8
    shown = reader.get(Q)["quota_set"]
    assert (shown["cores"], shown["instances"]) == (4, 3)
    assert reader.get(f"{Q}/defaults")["quota_set"]["cores"] == 8
    assert admin.get(CLASS)["quota_class_set"]["id"] == "default"
    admin.refused("GET", "/os-quota-class-sets/gold", 400)
    reader.refused("GET", CLASS, 403)


def test_what_is_used(admin: Caller, reader: Caller, server: Maker) -> None:
    server()
    server()
    server(project="p2")
    shown = reader.get(f"{Q}/detail")["quota_set"]
    assert shown["instances"] == {"limit": 10, "in_use": 2, "reserved": 0}
    assert (shown["cores"]["in_use"], shown["ram"]["in_use"]) == (2, 256)
    assert "already used" in admin.refused("PUT", Q, 400, {"quota_set": {"instances": 1}})
    assert admin.put(Q, {"quota_set": {"instances": 1, "force": True}})["quota_set"]["instances"] == 1
    absolute = reader.get("/limits")["limits"]["absolute"]
    assert (absolute["maxTotalInstances"], absolute["totalInstancesUsed"]) == (1, 2)
    assert (absolute["totalCoresUsed"], absolute["totalRAMUsed"]) == (2, 256)


def test_microversions(reader: Caller, admin: Caller) -> None:
    first, middle, last = (set(reader.get(Q, version=v)["quota_set"]) for v in ("2.35", "2.36", "2.57"))
    assert first - middle == {"fixed_ips", "floating_ips", "security_groups", "security_group_rules"}
    assert middle - last == {"injected_files", "injected_file_content_bytes", "injected_file_path_bytes"}
    assert "server_groups" not in admin.get(CLASS, version="2.49")["quota_class_set"]
    assert "server_groups" in admin.get(CLASS, version="2.50")["quota_class_set"]
    admin.refused("PUT", Q, 400, {"quota_set": {"injected_files": 1}}, version="2.57")
    admin.put(Q, {"quota_set": {"injected_files": 1, "floating_ips": 5}}, version="2.35")
    limits = [set(reader.get("/limits", version=v)["limits"]["absolute"]) for v in ("2.1", "2.36", "2.39", "2.57")]
    assert "maxSecurityGroups" in limits[0] - limits[1]
    assert limits[1] - limits[2] == {"maxImageMeta"}
    assert limits[2] - limits[3] == {"maxPersonality", "maxPersonalitySize"}


@pytest.mark.parametrize(
    "wrong", [{"cores": -2}, {"cores": "many"}, {"cores": 2**31}, {"colours": 1}, {"cores": None}, {"force": "maybe"}]
)
def test_bad_quotas(admin: Caller, wrong: dict[str, object]) -> None:
    admin.refused("PUT", Q, 400, {"quota_set": wrong})
    if "force" not in wrong:
        admin.refused("PUT", CLASS, 400, {"quota_class_set": wrong})


def test_who_may(member: Caller, other: Caller, admin: Caller) -> None:
    member.refused("PUT", Q, 403, {"quota_set": {"cores": 100}})
    member.refused("DELETE", Q, 403)
    other.refused("GET", Q, 403)
    other.refused("GET", f"{Q}/detail", 403)
    assert "nobody" in admin.refused("GET", "/os-quota-sets/nobody", 400)
    assert "user_id" in admin.refused("PUT", f"{Q}?user_id=u", 400, {"quota_set": {"cores": 1}})
    admin.refused("GET", f"{Q}?colour=red", 400)


def test_limits_of_another_project(admin: Caller, other: Caller, server: Maker) -> None:
    server()
    assert admin.get("/limits?tenant_id=p1")["limits"]["absolute"]["totalInstancesUsed"] == 1
    other.refused("GET", "/limits?tenant_id=p1", 403)
    other.refused("GET", "/limits?reserved=1", 400)


def register(cloud: Cloud, defaults: Mapping[str, int], *, of_domain: Mapping[str, int]) -> None:
    """Identity's limits from now on, of the strict model."""
    quotas.use(cloud.db, UnifiedLimits("RegionOne", MODELS["strict_two_level"]))
    with cloud.db.writing() as db:
        db.add_all(
            ProjectAncestor(project_id=project, ancestor_id="default", distance=1) for project in ("p1", "p2", "ops")
        )
        for name, amount in defaults.items():
            row = RegisteredLimit(
                service_id=builtin.service_id("compute"), resource_name=name, default_limit=amount, region_id=""
            )
            db.add(row)
            if name in of_domain:
                limit = Limit(registered=row, holder_id="default", of_domain=True, resource_limit=of_domain[name])
                db.add(limit)


def test_limits_of_identity(cloud: Cloud, admin: Caller, reader: Caller) -> None:
    register(cloud, {"servers": 3, "class:VCPU": 30, "class:MEMORY_MB": 300, "server_key_pairs": 4}, of_domain={})
    shown = reader.get(Q)["quota_set"]
    names = ("instances", "cores", "ram", "key_pairs", "metadata_items")
    assert [shown[name] for name in names] == [3, 30, 300, 4, 128]
    assert reader.get(f"{Q}/defaults")["quota_set"] == shown
    assert reader.get("/limits")["limits"]["absolute"]["maxTotalInstances"] == 3
    for method, path, body in (
        ("PUT", Q, {"quota_set": {"cores": 1}}),
        ("DELETE", Q, None),
        ("PUT", CLASS, {"quota_class_set": {"cores": 1}}),
    ):
        assert "identity" in admin.refused(method, path, 403, body)


def test_a_limit_of_the_domain_bounds_what_its_projects_have_together(
    cloud: Cloud, member: Caller, other: Caller, server: Maker
) -> None:
    register(cloud, {"server_groups": 5, "servers": 10}, of_domain={"server_groups": 2, "servers": 3})
    group = {"server_group": {"name": "g", "policy": "affinity"}}
    made = [caller.post("/os-server-groups", group)["server_group"]["id"] for caller in (member, other)]
    assert "Quota exceeded" in member.refused("POST", "/os-server-groups", 403, group)
    other.delete(f"/os-server-groups/{made[1]}")
    member.post("/os-server-groups", group)
    server()
    server(project="p2")
    flavor = Flavor(name="f", ram=1, vcpus=1, disk=1)
    with cloud.db.reading() as db:
        bounds = quotas.bounds(db, QUOTAS, "p1", cloud.settings(ComputeSettings).quotas())
        assert within_quota(db, bounds, flavor, 1, 5) == 1
        with pytest.raises(OverQuota, match="Requested 2, but already used 2 of 3 instances"):
            within_quota(db, bounds, flavor, 2, 5)
