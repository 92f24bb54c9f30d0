"""Ports, password, topology and news of a server."""

import pytest

from pileus.compute.servers.models import Server
from pileus.kernel.bus.memory import MemoryBus
from pileus.kernel.cloud import Cloud
from pileus.network import internal as network
from pileus.network.internal import AddressFacts, PortFacts
from tests.compute.api.conftest import Caller, Maker


def port(server_id: str) -> PortFacts:
    return PortFacts(
        id="port-1",
        server_id=server_id,
        project_id="p1",
        mac_address="fa:16:3e:00:00:01",
        network_id="net-1",
        network_name="private",
        mtu=1450,
        fixed_ips=(AddressFacts("10.0.0.5", "subnet-1", 4),),
        subnets=(),
        security_groups=("default",),
        status="ACTIVE",
        admin_state_up=True,
        devname="tap1",
        host="n1",
        vnic_type="normal",
        vif_type="bridge",
        vif_details={},
        made_by_compute=True,
    )


def test_ports(server: Maker, reader: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    server_id = server()
    monkeypatch.setattr(network, "ports_of", lambda db, ids: {server_id: [port(server_id)]})
    path = f"/servers/{server_id}/os-interface"
    shown = {
        "port_id": "port-1",
        "net_id": "net-1",
        "mac_addr": "fa:16:3e:00:00:01",
        "port_state": "ACTIVE",
        "fixed_ips": [{"subnet_id": "subnet-1", "ip_address": "10.0.0.5"}],
    }
    assert reader.get(path, version="2.69") == {"interfaceAttachments": [shown]}
    assert reader.get(f"{path}/port-1") == {"interfaceAttachment": shown | {"tag": None}}
    reader.refused("GET", f"{path}/port-2", 404)


def test_password(cloud: Cloud, server: Maker, reader: Caller, member: Caller, other: Caller) -> None:
    path = f"/servers/{server(password_data='secret')}/os-server-password"
    assert reader.get(path) == {"password": "secret"}
    other.refused("GET", path, 404)
    reader.refused("DELETE", path, 403)
    member.delete(path)
    assert reader.get(path) == {"password": ""}


def test_topology(server: Maker, reader: Caller, other: Caller) -> None:
    path = f"/servers/{server()}/topology"
    assert reader.get(path) == {"nodes": [], "pagesize_kb": None}
    reader.refused("GET", path, 404, version="2.77")
    other.refused("GET", path, 404)


def test_news_are_hints(cloud: Cloud, host: Maker, server: Maker, admin: Caller, member: Caller) -> None:
    host("n1")
    placed, waiting, gone = server(host="n1"), server(), "00000000-0000-0000-0000-000000000000"
    path = "/os-server-external-events"

    def tell(*ids: str) -> list[dict[str, str]]:
        return [{"name": "network-vif-plugged", "server_uuid": server_id, "tag": "port"} for server_id in ids]

    one = admin.post(path, {"events": tell(placed)})["events"]
    assert one == [tell(placed)[0] | {"status": "completed", "code": 200}]
    assert isinstance(cloud.bus, MemoryBus)
    assert cloud.bus.casts == [("control", "server", {"server_id": placed})]
    mixed = admin.post(path, {"events": tell(placed, waiting, gone)}, 207)["events"]
    assert [event["code"] for event in mixed] == [200, 422, 404]
    admin.refused("POST", path, 404, {"events": tell(gone)})
    member.refused("POST", path, 403, {"events": tell(placed)})
    for bad in ([], tell("x"), [{"name": "lunch", "server_uuid": placed}], [tell(placed)[0] | {"status": "perhaps"}]):
        admin.refused("POST", path, 400, {"events": bad})
    volume = {"events": [{"name": "volume-extended", "server_uuid": placed}]}
    admin.refused("POST", path, 400, volume, version="2.50")
    admin.post(path, volume, version="2.51")


def test_hosts_as_they_were(cloud: Cloud, host: Maker, server: Maker, admin: Caller, member: Caller) -> None:
    host("n1")
    server(host="n1")
    server(host="n1")
    server()
    assert admin.get("/os-hosts", version="2.1")["hosts"] == [{"host_name": "n1", "service": "compute", "zone": "nova"}]
    assert admin.get("/os-hosts?zone=east", version="2.1")["hosts"] == []
    assert len(admin.get("/os-hosts?zone=", version="2.1")["hosts"]) == 1
    rows = {row["resource"]["project"]: row["resource"] for row in admin.get("/os-hosts/n1", version="2.42")["host"]}
    assert (rows["(total)"]["cpu"], rows["(used_now)"]["memory_mb"]) == (4, 512)
    assert (rows["p1"]["cpu"], rows["p1"]["memory_mb"], rows["p1"]["disk_gb"]) == (2, 256, 2)
    assert admin.put("/os-hosts/n1", {"status": "disable"}, version="2.42") == {"host": "n1", "status": "disabled"}
    assert admin.get("/os-services")["services"][0]["status"] == "disabled"
    admin.refused("PUT", "/os-hosts/n1", 400, {}, version="2.42")
    admin.refused("PUT", "/os-hosts/n1", 501, {"maintenance_mode": "enable"}, version="2.42")
    admin.refused("GET", "/os-hosts/n1/reboot", 501, version="2.42")
    admin.refused("GET", "/os-hosts/n9", 404, version="2.42")
    admin.refused("GET", "/os-hosts", 404, version="2.43")
    member.refused("GET", "/os-hosts", 403, version="2.42")


def test_a_server_is_untouched_by_news(cloud: Cloud, host: Maker, server: Maker, admin: Caller) -> None:
    host("n1")
    server_id = server(host="n1")
    admin.post("/os-server-external-events", {"events": [{"name": "network-changed", "server_uuid": server_id}]})
    with cloud.db.reading() as db:
        row = db.get(Server, server_id)
        assert row is not None
        assert row.generation == 1
