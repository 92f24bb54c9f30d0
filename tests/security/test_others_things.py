"""What tricks with ids, owners and internal fields give: nothing (2014-0056, 2015-5240/CVE-2026-50266, CVE-2026-46448)."""

from typing import Any

import pytest

from tests.security.world import USER_DATA, World


@pytest.fixture(autouse=True)
def unchanged(world: World) -> Any:
    with world.taken_back():
        yield


def server(world: World, **more: object) -> dict[str, Any]:
    wish = {"name": "x", "imageRef": world.ids["shared"]["image"], "flavorRef": "42", "networks": "none", **more}
    return {"server": wish}


@pytest.mark.parametrize(
    ("kind", "field"), [("network", "uuid"), ("port", "port"), ("server_port", "port"), ("loose_port", "port")]
)
def test_servers_are_not_plugged_into_anothers_network(world: World, kind: str, field: str) -> None:
    wish = server(world, networks=[{field: world.ids["blue"][kind]}])
    assert world.ask("member", "POST", "/compute/v2.1/servers", wish).status in (400, 404)


def test_others_images_keys_groups_and_server_groups_are_not_used(world: World) -> None:
    blue = world.ids["blue"]
    for more in (
        {"imageRef": blue["image"]},
        {"key_name": blue["keypair"]},
        {"security_groups": [{"name": blue["security_group"]}], "networks": [{"uuid": world.ids["red"]["network"]}]},
    ):
        assert world.ask("member", "POST", "/compute/v2.1/servers", server(world, **more)).status == 400, more
    hinted = server(world) | {"os:scheduler_hints": {"group": blue["server_group"]}}
    assert world.ask("member", "POST", "/compute/v2.1/servers", hinted).status == 400


@pytest.mark.parametrize(
    "name", ["_nova_check_type", "force_hosts", "requested_destination", "host", "cell", "reservation", "x"]
)
@pytest.mark.parametrize("wrapper", ["os:scheduler_hints", "OS-SCH-HNT:scheduler_hints"])
def test_hints_that_are_internal_are_refused(world: World, name: str, wrapper: str) -> None:
    body = server(world) | {wrapper: {name: ["rebuild"]}}
    assert world.ask("member", "POST", "/compute/v2.1/servers", body).status == 400


@pytest.mark.parametrize(
    "more",
    [{"host": "host1"}, {"hypervisor_hostname": "host1"}, {"availability_zone": "nova:host1"},
     {"availability_zone": ":host1"}, {"availability_zone": "nova:host1:host1"}],
)  # fmt: skip
def test_only_administrators_choose_a_host(world: World, more: dict[str, object]) -> None:
    assert world.ask("member", "POST", "/compute/v2.1/servers", server(world, **more)).status in (400, 403)
    assert world.ask("manager", "POST", "/compute/v2.1/servers", server(world, **more)).status in (400, 403)


@pytest.mark.parametrize(
    "field",
    ["id", "project_id", "user_id", "host_id", "wanted", "status", "OS-EXT-STS:vm_state", "locked", "reservation_id",
     "OS-EXT-SRV-ATTR:host", "image", "flavor", "generation", "os:scheduler_hints", "launch_index"],
)  # fmt: skip
def test_fields_that_are_not_the_callers_are_refused(world: World, field: str) -> None:
    assert world.ask("member", "POST", "/compute/v2.1/servers", server(world, **{field: "x"})).status == 400
    path = f"/compute/v2.1/servers/{world.ids['red']['server']}"
    assert world.ask("member", "PUT", path, {"server": {field: "x"}}).status == 400


PORT_TRICKS: tuple[dict[str, object], ...] = (
    {"device_owner": "network:dhcp"},
    {"device_owner": "network:router_interface"},
    {"device_owner": "NETWORK:dhcp"},
    {"mac_address": "fa:16:3e:00:00:01"},
    {"port_security_enabled": False},
    {"allowed_address_pairs": [{"ip_address": "0.0.0.0/0"}]},
    {"fixed_ips": [{"ip_address": "203.0.113.1"}]},
    {"binding:host_id": "host1"},
    {"binding:profile": {"pci": "0000:00:1f.0"}},
    {"binding:vif_type": "bridge"},
    {"binding:vif_details": {}},
    {"status": "ACTIVE"},
    {"made_by": "service"},
    {"server_id": "x"},
    {"router_id": "x"},
)


@pytest.mark.parametrize("trick", PORT_TRICKS, ids=str)
@pytest.mark.parametrize("who", ["member", "manager"])
def test_ports_on_a_shared_network_keep_their_guards(world: World, who: str, trick: dict[str, object]) -> None:
    shared = world.ids["shared"]["network"]
    wish = {"port": {"network_id": shared, **trick}}
    assert world.ask(who, "POST", "/network/v2.0/ports", wish).status in (400, 403)


@pytest.mark.parametrize("trick", [t for t in PORT_TRICKS if "mac_address" not in t], ids=str)
def test_changing_a_port_on_a_shared_network_keeps_its_guards(world: World, trick: dict[str, object]) -> None:
    port = world.ids["red"]["shared_port"]
    assert world.ask("member", "PUT", f"/network/v2.0/ports/{port}", {"port": trick}).status in (400, 403)


def test_binding_is_the_clouds_on_ones_own_network_too(world: World) -> None:
    network = world.ids["red"]["network"]
    for name, value in (("binding:host_id", "host1"), ("binding:profile", {"x": "y"}), ("binding:vif_type", "ovs")):
        wish = {"port": {"network_id": network, name: value}}
        assert world.ask("manager", "POST", "/network/v2.0/ports", wish).status in (400, 403), name


def test_an_address_on_a_shared_network_is_not_chosen_through_compute(world: World) -> None:
    """Networking refuses `fixed_ips:ip_address` to who does not own the network; a boot must not get around that."""
    shared = world.ids["shared"]["network"]
    port = {"port": {"network_id": shared, "fixed_ips": [{"ip_address": "203.0.113.77"}]}}
    assert world.ask("member", "POST", "/network/v2.0/ports", port).status == 403
    wish = server(world, networks=[{"uuid": shared, "fixed_ip": "203.0.113.77"}])
    assert world.ask("member", "POST", "/compute/v2.1/servers", wish).status in (400, 403)


def test_a_port_that_claims_anothers_server_is_not_that_servers(world: World) -> None:
    """`device_id` is free text: it gives neither the metadata of that server nor a place in its addresses."""
    from pileus.network import internal as network
    from pileus.network.agent.metadata.directory import directory

    blue, red = world.ids["blue"]["server"], world.ids["red"]
    wish = {"network_id": red["network"], "device_id": blue, "device_owner": "compute:nova"}
    answer = world.ask("member", "POST", "/network/v2.0/ports", {"port": wish})
    assert answer.status in (201, 400, 403, 409)
    with world.cloud.db.writing() as db:
        from pileus.network.ports.models import Port

        row = db.get(Port, red["loose_port"])
        assert row is not None
        row.device_id, row.device_owner = blue, "compute:nova"
        db.flush()
        assert red["loose_port"] not in {port.id for port in network.ports_of(db, [blue]).get(blue, [])}
        found = directory(network.snapshot(db, "host1"))
    mine = {asker.server_id for asker in found.values() if asker.project_id == red["project"]}
    assert blue not in mine and red["server"] in mine
    shown = world.must("other", "GET", f"/compute/v2.1/servers/{blue}/os-interface")["interfaceAttachments"]
    assert [item["port_id"] for item in shown] == [world.ids["blue"]["server_port"]]


@pytest.mark.parametrize("kind", ["port", "loose_port", "server_port"])
def test_routers_take_no_port_of_another(world: World, kind: str) -> None:
    path = f"/network/v2.0/routers/{world.ids['red']['router']}/add_router_interface"
    assert world.ask("member", "PUT", path, {"port_id": world.ids["blue"][kind]}).status == 404
    assert world.ask("member", "PUT", path, {"subnet_id": world.ids["blue"]["subnet"]}).status == 404


def test_routers_get_no_gateway_on_anothers_network(world: World) -> None:
    info = {"external_gateway_info": {"network_id": world.ids["blue"]["network"]}}
    path = f"/network/v2.0/routers/{world.ids['red']['router']}"
    assert world.ask("member", "PUT", path, {"router": info}).status == 404
    own = {"external_gateway_info": {"network_id": world.ids["red"]["network"]}}
    assert world.ask("member", "PUT", path, {"router": own}).status in (400, 409)


def test_floating_ips_lead_to_no_port_of_another(world: World) -> None:
    red, blue = world.ids["red"], world.ids["blue"]
    wish = {"floating_network_id": world.ids["shared"]["network"], "port_id": blue["port"]}
    assert world.ask("member", "POST", "/network/v2.0/floatingips", {"floatingip": wish}).status in (400, 404)
    path = f"/network/v2.0/floatingips/{red['floatingip']}"
    assert world.ask("member", "PUT", path, {"floatingip": {"port_id": blue["server_port"]}}).status in (400, 404)


def test_rules_and_ports_name_no_group_of_another(world: World) -> None:
    red, blue = world.ids["red"], world.ids["blue"]
    rule = {
        "security_group_id": red["security_group"],
        "direction": "ingress",
        "remote_group_id": blue["security_group"],
    }
    answer = world.ask("member", "POST", "/network/v2.0/security-group-rules", {"security_group_rule": rule})
    assert answer.status in (400, 404)
    port = {"port": {"security_groups": [blue["security_group"]]}}
    assert world.ask("member", "PUT", f"/network/v2.0/ports/{red['port']}", port).status in (400, 404)
    subnet = {"subnet": {"network_id": blue["network"], "ip_version": 4, "cidr": "10.99.0.0/24"}}
    assert world.ask("member", "POST", "/network/v2.0/subnets", subnet).status in (403, 404)


def test_a_parent_in_the_address_owns_the_child(world: World) -> None:
    """`/servers/{mine}/…/{theirs}` and the like find nothing."""
    red, blue = world.ids["red"], world.ids["blue"]
    user = red["user"]
    for path in (
        f"/compute/v2.1/servers/{red['server']}/os-interface/{blue['server_port']}",
        f"/compute/v2.1/servers/{red['server']}/os-instance-actions/{blue['request']}",
        f"/identity/v3/users/{user}/application_credentials/{blue['application_credential']}",
        f"/image/v2/images/{red['image']}/members/{blue['project']}",
    ):
        assert world.ask("member", "GET", path).status == 404, path
    gone = f"/identity/v3/users/{user}/application_credentials/{blue['application_credential']}"
    assert world.ask("member", "DELETE", gone).status == 404


def test_key_pairs_of_others_stay_hidden(world: World) -> None:
    other = world.ids["blue"]["user"]
    for path in ("os-keypairs?user_id={}", "os-keypairs/blue-key?user_id={}"):
        assert world.ask("member", "GET", f"/compute/v2.1/{path.format(other)}").status == 403
    assert world.ask("member", "GET", "/compute/v2.1/os-keypairs/blue-key").status == 404
    assert world.ask("member", "DELETE", f"/compute/v2.1/os-keypairs/blue-key?user_id={other}").status == 403
    wish = {"keypair": {"name": "x", "user_id": other, "public_key": "ssh-ed25519 AAAA x"}}
    assert world.ask("member", "POST", "/compute/v2.1/os-keypairs", wish).status == 403


@pytest.mark.parametrize(
    "query",
    ["project_id={blue}", "tenant_id={blue}", "all_tenants=0&project_id={blue}", "user_id={user}", "uuid={server}",
     "name=blue", "ip=10.2", "host=host1", "reservation_id=", "tags=known", "deleted=False", "not-tags=x",
     "sort_key=name&marker={server}", "marker={server}"],
)  # fmt: skip
def test_no_filter_of_servers_shows_anothers(world: World, query: str) -> None:
    blue = world.ids["blue"]
    text = query.format(blue=blue["project"], user=blue["user"], server=blue["server"])
    for path in ("servers", "servers/detail"):
        answer = world.ask("member", "GET", f"/compute/v2.1/{path}?{text}")
        assert blue["server"].encode() not in answer.body or answer.status == 400
        assert b"blue-server" not in answer.body and USER_DATA.encode() not in answer.body


@pytest.mark.parametrize(
    "path",
    ["/network/v2.0/ports?project_id={blue}", "/network/v2.0/ports?network_id={shared}", "/network/v2.0/ports?id={port}",
     "/network/v2.0/floatingips?tenant_id={blue}", "/network/v2.0/security-groups?project_id={blue}",
     "/image/v2/images?owner={blue}", "/image/v2/images?visibility=private", "/image/v2/images?member_status=all",
     "/network/v2.0/routers?project_id={blue}", "/network/v2.0/agents", "/compute/v2.1/os-server-groups?all_projects=1"],
)  # fmt: skip
def test_no_list_shows_what_is_anothers(world: World, path: str) -> None:
    blue = world.ids["blue"]
    at = path.format(blue=blue["project"], shared=world.ids["shared"]["network"], port=blue["port"])
    body = world.ask("member", "GET", at).body
    for kind in ("server", "port", "server_port", "router", "floatingip", "security_group", "image", "server_group"):
        assert f'"id":"{blue[kind]}"'.encode() not in body, kind
    assert b'"host1"' not in body
