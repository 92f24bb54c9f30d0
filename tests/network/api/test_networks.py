"""Networks and subnets over HTTP: attributes, visibility, lists."""

import pytest

from pileus.kernel import quotas
from pileus.kernel.cloud import Cloud
from tests.network.api.client import Api, fault, net, public
from tests.shared_limits import Shared


def test_life_of_a_network(member: Api, reader: Api, other: Api) -> None:
    made = member.make("network", name="n", description="d", admin_state_up="true")
    assert made["status"] == "ACTIVE" and made["project_id"] == made["tenant_id"] == "p1"
    assert (
        made["mtu"] == 1450 and made["subnets"] == [] and made["shared"] is False and made["router:external"] is False
    )
    assert reader.show("network", made["id"]) == made
    changed = member.change("network", made["id"], name="m", mtu=1400)
    assert (changed["name"], changed["mtu"]) == ("m", 1400)
    assert changed["revision_number"] > made["revision_number"]
    reader.change("network", made["id"], 403, name="x")
    assert fault(other.show("network", made["id"], 404)) == "NetworkNotFound"
    other.drop("network", made["id"], 404)
    member.drop("network", made["id"])
    member.show("network", made["id"], 404)


def test_provider_attributes_are_for_administrators(member: Api, admin: Api) -> None:
    made = member.make("network", name="n")
    assert not [name for name in made if name.startswith("provider:")]
    shown = admin.show("network", made["id"])
    assert shown["provider:network_type"] == "vxlan" and shown["provider:segmentation_id"] > 0
    assert (
        member.refused(403, "network", **{"provider:network_type": "vxlan", "provider:segmentation_id": 7})
        == "PolicyNotAuthorized"
    )
    for attribute in ("shared", "router:external"):
        assert member.refused(403, "network", **{attribute: True}) == "PolicyNotAuthorized"
        member.make("network", **{attribute: False})
    admin.make("network", **{"provider:network_type": "vxlan", "provider:segmentation_id": 7777})
    again = {"provider:network_type": "vxlan", "provider:segmentation_id": 7777}
    assert admin.refused(409, "network", **again) == "TunnelIdInUse"
    admin.make("network", **{"provider:network_type": "flat", "provider:physical_network": "other"})
    flat = {"provider:network_type": "flat", "provider:physical_network": "other"}
    assert admin.refused(409, "network", **flat) == "FlatNetworkInUse"
    for bad in ({"provider:network_type": "gre"}, {"provider:network_type": "flat"}, {"provider:segmentation_id": 5}):
        admin.refused(400, "network", **bad)


def test_shared_and_external_networks_are_seen_by_all_and_changed_by_none(admin: Api, member: Api) -> None:
    ext, subnet = public(admin)
    shared = admin.make("network", name="s", shared=True)
    assert {one["id"] for one in member.list("network")} == {ext["id"], shared["id"]}
    assert member.show("subnet", subnet["id"])["cidr"] == "172.24.4.0/24"
    assert fault(member.change("network", shared["id"], 403, name="x")) == "PolicyNotAuthorized"
    member.drop("network", ext["id"], 403)
    assert [one["id"] for one in member.list("network", "router:external=True")] == [ext["id"]]
    assert (
        member.refused(403, "subnet", network_id=shared["id"], ip_version=4, cidr="10.9.0.0/24")
        == "PolicyNotAuthorized"
    )
    member.make("port", network_id=shared["id"])
    assert fault(admin.change("network", shared["id"], 409, shared=False)) == "InvalidSharedSetting"


def test_fields_filters_sorting_pages_and_links(member: Api) -> None:
    ids = [member.make("network", name=name)["id"] for name in ("a", "b", "c", "d", "e")]
    assert member.list("network", "fields=id&name=b") == [{"id": ids[1]}]
    assert member.call("GET", f"networks/{ids[0]}?fields=name")["network"] == {"name": "a"}
    assert [one["name"] for one in member.list("network", "sort_key=name&sort_dir=desc")] == ["e", "d", "c", "b", "a"]
    seen, path = [], "networks?sort_key=name&limit=2"
    while path:
        body = member.call("GET", path)
        seen += [one["name"] for one in body["networks"]]
        links = {link["rel"]: link["href"] for link in body.get("networks_links", [])}
        path = links["next"].partition("/v2.0/")[2] if "next" in links else ""
    assert seen == ["a", "b", "c", "d", "e"]
    back = member.call("GET", links["previous"].partition("/v2.0/")[2])
    assert [one["name"] for one in back["networks"]] == ["c", "d"]
    assert member.list("network", "status=DOWN") == [] and len(member.list("network", "status=ACTIVE")) == 5
    for bad in ("colour=red", "sort_key=secret", "limit=x", "admin_state_up=perhaps", "marker=nothing"):
        member.call("GET", f"networks?{bad}", None, 400)


def test_bulk_is_all_or_none(member: Api) -> None:
    made = member.call("POST", "networks", {"networks": [{"name": "a"}, {"name": "b"}]}, 201)["networks"]
    assert [one["name"] for one in made] == ["a", "b"]
    member.call("POST", "networks", {"networks": [{"name": "c"}, {"name": "d", "mtu": 3}]}, 400)
    assert len(member.list("network")) == 2
    bodies: tuple[dict[str, object], ...] = (
        {"networks": []},
        {},
        {"network": {"name": "x"}, "networks": [{"name": "y"}]},
    )
    for bad in bodies:
        member.call("POST", "networks", bad, 400)


@pytest.mark.parametrize(
    "bad",
    [{"name": 5}, {"name": "x" * 256}, {"colour": "red"}, {"mtu": 9000}, {"admin_state_up": "perhaps"}, {"dns_domain": "a\nb."},
     {"project_id": "p2"}, {"availability_zone_hints": ["mars"]}, {"name": "a\nb"}],
)  # fmt: skip
def test_bad_networks_change_nothing(member: Api, bad: dict[str, object]) -> None:
    assert member.refused(400, "network", **bad)
    assert member.list("network") == []


def test_another_projects_network_is_an_administrators_to_make(admin: Api, member: Api) -> None:
    made = admin.make("network", name="n", project_id="p1")
    assert member.show("network", made["id"])["project_id"] == "p1"


def test_quota_refuses_with_409(admin: Api, member: Api) -> None:
    admin.change("quota", "p1", network=1)
    member.make("network")
    assert member.refused(409, "network") == "OverQuota"
    details = member.call("GET", "quotas/p1/details.json")["quota"]["network"]
    assert details == {"limit": 1, "used": 1, "reserved": 0}
    member.call("PUT", "quotas/p1", {"quota": {"network": 5}}, 403)
    member.call("GET", "quotas/p2", None, 403)
    admin.call("PUT", "quotas/p1", {"quota": {"bananas": 5}}, 400)
    admin.drop("quota", "p1")
    assert member.call("GET", "quotas/p1")["quota"]["network"] == 100


def test_projects_may_share_a_limit(cloud: Cloud, member: Api, other: Api) -> None:
    quotas.use(cloud.db, Shared(network=1, router=-1))
    made = member.make("network")
    assert other.refused(409, "network") == "OverQuota"
    other.make("router")
    member.drop("network", made["id"])
    other.make("network")
    assert member.call("GET", "quotas/p1")["quota"]["network"] == 100


def test_tags(member: Api, other: Api, reader: Api) -> None:
    one, two = member.make("network", name="a")["id"], member.make("network", name="b")["id"]
    assert member.call("PUT", f"networks/{one}/tags", {"tags": ["red", "blue", "red"]}) == {"tags": ["blue", "red"]}
    member.call("PUT", f"networks/{two}/tags/red", None, 201)
    assert [n["id"] for n in member.list("network", "tags=red,blue")] == [one]
    assert len(member.list("network", "tags-any=red,blue")) == 2
    assert [n["id"] for n in member.list("network", "not-tags-any=blue")] == [two]
    member.call("GET", f"networks/{one}/tags/green", None, 404)
    member.call("GET", f"networks/{one}/tags/red", None, 204)
    member.call("DELETE", f"networks/{one}/tags/red", None, 204)
    assert member.show("network", one)["tags"] == ["blue"]
    reader.call("PUT", f"networks/{one}/tags", {"tags": []}, 403)
    other.call("GET", f"networks/{one}/tags", None, 404)
    member.call("PUT", f"networks/{one}/tags", {"tags": ["a,b"]}, 400)


def test_if_match(member: Api) -> None:
    made = member.make("network")
    path, body = f"networks/{made['id']}", {"network": {"name": "x"}}
    wrong = {"if-match": f"revision_number={made['revision_number'] + 7}"}
    assert fault(member.call("PUT", path, body, 412, headers=wrong)) == "RevisionNumberConstraintFailed"
    member.call("PUT", path, body, headers={"if-match": f"revision_number={made['revision_number']}"})


def test_an_external_network_goes_with_its_idle_floating_ips(admin: Api, member: Api) -> None:
    ext, _ = public(admin)
    member.make("floatingip", floating_network_id=ext["id"])
    router = member.make("router", external_gateway_info={"network_id": ext["id"]})
    assert fault(admin.drop("network", ext["id"], 409)) == "NetworkInUse"
    member.drop("router", router["id"])
    admin.drop("network", ext["id"])
    assert member.list("floatingip") == admin.list("port") == []


def test_a_network_goes_with_its_subnets_but_not_under_a_port(member: Api) -> None:
    network, subnet = net(member)
    port = member.make("port", network_id=network["id"])
    assert fault(member.drop("network", network["id"], 409)) == "NetworkInUse"
    assert fault(member.drop("subnet", subnet["id"], 409)) == "SubnetInUse"
    member.drop("port", port["id"])
    member.drop("network", network["id"])
    member.show("subnet", subnet["id"], 404)
    assert member.list("port") == []
