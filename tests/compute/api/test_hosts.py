"""Hosts as the API shows them: services, hypervisors, zones and aggregates."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from pileus.compute.hosts import register
from pileus.compute.hosts.models import Host
from pileus.compute.hosts.wire import HostLoad
from pileus.compute.manifest import MANIFEST
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from pileus.placement import internal as placement
from tests.compute.api.conftest import Caller, Maker

ADMINS_ONLY = (
    "/os-services",
    "/os-hypervisors",
    "/os-hypervisors/detail",
    "/os-aggregates",
    "/os-availability-zone/detail",
    "/os-simple-tenant-usage",
)


@pytest.mark.parametrize("path", ADMINS_ONLY)
def test_only_administrators_see_hosts(member: Caller, admin: Caller, path: str) -> None:
    member.refused("GET", path, 403)
    admin.get(path)
    admin.refused("GET", f"{path}?colour=red", 400)


# services


def test_the_control_plane_is_seen_by_its_signs_of_life(cloud: Cloud, admin: Caller) -> None:
    assert admin.get("/os-services")["services"] == []
    (chore,) = MANIFEST.chores
    chore.work(cloud)
    chore.work(cloud)
    services = admin.get("/os-services")["services"]
    assert [(s["binary"], s["state"], s["zone"]) for s in services] == [
        ("nova-conductor", "up", "internal"),
        ("nova-scheduler", "up", "internal"),
    ]
    at = f"/os-services/{services[0]['id']}"
    assert "nova-compute" in admin.refused("PUT", at, 400, {"status": "disabled"})
    admin.refused("DELETE", at, 409)


def test_services_by_host_and_binary(cloud: Cloud, admin: Caller, host: Maker) -> None:
    host("n1")
    host("n2")
    MANIFEST.chores[0].work(cloud)
    assert len(admin.get("/os-services")["services"]) == 4
    assert [s["host"] for s in admin.get("/os-services?binary=nova-compute")["services"]] == ["n1", "n2"]
    assert [s["binary"] for s in admin.get("/os-services?host=n2")["services"]] == ["nova-compute"]


def test_disabling_a_host(admin: Caller, host: Maker, cloud: Cloud) -> None:
    at = f"/os-services/{host('n1')}"
    changed = admin.put(at, {"status": "disabled", "disabled_reason": "new fan"})["service"]
    assert (changed["status"], changed["disabled_reason"], changed["state"]) == ("disabled", "new fan", "up")
    assert admin.put(at, {"forced_down": True})["service"]["state"] == "down"
    assert admin.put(at, {"forced_down": False})["service"]["state"] == "up"
    changed = admin.put(at, {"status": "enabled"})["service"]
    assert (changed["status"], changed["disabled_reason"]) == ("enabled", None)
    for body in (
        {},
        {"status": "on"},
        {"disabled_reason": "x"},
        {"status": "enabled", "disabled_reason": "x"},
        {"x": 1},
    ):
        admin.refused("PUT", at, 400, body)
    admin.refused("PUT", "/os-services/none", 404, {"status": "enabled"})
    with cloud.db.writing() as db:
        db.query(Host).one().seen_at = clock.now() - timedelta(minutes=2)
    assert admin.get("/os-services")["services"][0]["state"] == "down"


def test_services_before_2_53(admin: Caller, host: Maker) -> None:
    host("n1")
    who = {"host": "n1", "binary": "nova-compute"}
    assert isinstance(admin.get("/os-services", version="2.52")["services"][0]["id"], int)
    assert admin.put("/os-services/disable", who, version="2.1")["service"] == who | {"status": "disabled"}
    admin.put("/os-services/disable-log-reason", who | {"disabled_reason": "new fan"}, version="2.1")
    assert admin.get("/os-services")["services"][0]["disabled_reason"] == "new fan"
    admin.put("/os-services/enable", who, version="2.52")
    assert admin.get("/os-services")["services"][0]["status"] == "enabled"
    admin.put("/os-services/force-down", who | {"forced_down": True}, version="2.11")
    assert admin.get("/os-services")["services"][0]["state"] == "down"
    admin.refused("PUT", "/os-services/force-down", 404, who | {"forced_down": True}, version="2.10")
    admin.refused("PUT", "/os-services/enable", 404, who | {"host": "n9"}, version="2.52")
    admin.refused("PUT", "/os-services/enable", 400, {"host": "n1"}, version="2.52")
    assert "forced_down" not in admin.get("/os-services", version="2.10")["services"][0]


def test_a_host_leaves_when_it_is_down_and_empty(admin: Caller, host: Maker, cloud: Cloud) -> None:
    host_id = host("n1")
    assert "stop it first" in admin.refused("DELETE", f"/os-services/{host_id}", 409)
    admin.put("/os-services/force-down", {"host": "n1", "binary": "nova-compute", "forced_down": True}, version="2.11")
    with cloud.db.writing() as db:
        placement.claim(db, placement.supplies(db)[host_id], "consumer", "p1", "u", {"VCPU": 1})
    assert "still has servers" in admin.refused("DELETE", f"/os-services/{host_id}", 409)
    with cloud.db.writing() as db:
        placement.release(db, "consumer")
    admin.delete(f"/os-services/{host_id}")
    admin.refused("DELETE", "/os-services/none", 404)
    with cloud.db.reading() as db:
        assert placement.supplies(db) == {}
    host("n1")


# hypervisors


def test_hypervisors(admin: Caller, host: Maker, server: Maker, cloud: Cloud) -> None:
    host_id = host("n1")
    server_id = server(host="n1")
    with cloud.db.writing() as db:
        placement.claim(
            db, placement.supplies(db)[host_id], server_id, "p1", "u", {"VCPU": 1, "MEMORY_MB": 128, "DISK_GB": 1}
        )
    old = admin.get(f"/os-hypervisors/{host_id}", version="2.87")["hypervisor"]
    assert (old["vcpus"], old["vcpus_used"], old["running_vms"], old["current_workload"]) == (4, 1, 1, 0)
    assert (old["memory_mb"], old["memory_mb_used"], old["free_ram_mb"]) == (8192, 128 + 512, 8192 - 640)
    assert (old["local_gb"], old["local_gb_used"], old["free_disk_gb"]) == (100, 1, 99)
    assert old["cpu_info"] == {"arch": "x86_64"}
    assert old["service"] == {"id": host_id, "host": "n1", "disabled_reason": None}
    new = admin.get("/os-hypervisors/detail")["hypervisors"][0]
    assert not {"vcpus", "running_vms", "cpu_info"} & set(new)
    assert new["uptime"] is None
    assert new["hypervisor_hostname"] == "n1"
    total = admin.get("/os-hypervisors/statistics", version="2.87")["hypervisor_statistics"]
    assert (total["count"], total["vcpus"], total["vcpus_used"], total["running_vms"]) == (1, 4, 1, 1)
    admin.put(f"/os-services/{host('n2')}", {"status": "disabled"})
    assert admin.get("/os-hypervisors/statistics", version="2.87")["hypervisor_statistics"]["count"] == 1
    admin.refused("GET", "/os-hypervisors/statistics", 404, version="2.88")
    assert "uptime" in admin.refused("GET", f"/os-hypervisors/{host_id}/uptime", 501, version="2.87")
    admin.refused("GET", f"/os-hypervisors/{host_id}/uptime", 404, version="2.88")
    with_servers = admin.get(f"/os-hypervisors/{host_id}?with_servers=true")["hypervisor"]
    assert with_servers["servers"] == [{"uuid": server_id, "name": f"instance-{server_id}"}]
    assert all("servers" not in h for h in admin.get("/os-hypervisors/detail")["hypervisors"])


def test_how_long_a_hypervisor_runs(admin: Caller, host: Maker, cloud: Cloud) -> None:
    host_id = host("n1")
    line = " 08:32:11 up 93 days, 18:25,  12 users,  load average: 0.20, 0.12, 0.14"
    with cloud.db.writing() as db:
        register.seen(db, "n1", [], [], HostLoad(line, {"cpu.percent": 0.5}))
        register.seen(db, "n1", [], [])
    shown = admin.get(f"/os-hypervisors/{host_id}/uptime", version="2.87")["hypervisor"]
    told = {"id": host_id, "hypervisor_hostname": "n1", "state": "up", "status": "enabled", "uptime": line}
    assert shown == told, "a report without it leaves it as it was"
    assert admin.get(f"/os-hypervisors/{host_id}")["hypervisor"]["uptime"] == line
    with cloud.db.writing() as db:
        db.execute(update(Host).values(forced_down=True))
    assert "unavailable" in admin.refused("GET", f"/os-hypervisors/{host_id}/uptime", 400, version="2.87")
    assert admin.get(f"/os-hypervisors/{host_id}")["hypervisor"]["uptime"] is None


def test_hypervisors_before_2_53(admin: Caller, host: Maker, server: Maker) -> None:
    host("n1")
    listed = admin.get("/os-hypervisors", version="2.52")["hypervisors"][0]
    assert isinstance(listed["id"], int)
    shown = admin.get(f"/os-hypervisors/{listed['id']}", version="2.27")["hypervisor"]
    assert shown["cpu_info"] == '{"arch":"x86_64"}'
    assert admin.get("/os-hypervisors/n/search", version="2.52")["hypervisors"] == [listed]
    assert "servers" not in admin.get("/os-hypervisors/n1/servers", version="2.52")["hypervisors"][0]
    server(host="n1")
    assert len(admin.get("/os-hypervisors/n1/servers", version="2.52")["hypervisors"][0]["servers"]) == 1
    admin.refused("GET", "/os-hypervisors/x/search", 404, version="2.52")
    admin.refused("GET", "/os-hypervisors/n/search", 404, version="2.53")


def test_hypervisor_lists(admin: Caller, host: Maker, queries: Callable[[], Any]) -> None:
    for name in ("n1", "n2", "other"):
        host(name)
    with queries() as seen:
        first = admin.get("/os-hypervisors?limit=2")
    assert len(seen) == 1
    link = first["hypervisors_links"][0]["href"].partition("/v2.1")[2]
    assert len(first["hypervisors"] + admin.get(link)["hypervisors"]) == 3
    with queries() as seen:
        admin.get("/os-hypervisors/detail?with_servers=1")
    assert len(seen) == 5  # hosts, counts, servers, and placement's two
    named = admin.get("/os-hypervisors?hypervisor_hostname_pattern=n")["hypervisors"]
    assert {h["hypervisor_hostname"] for h in named} == {"n1", "n2"}
    admin.refused("GET", "/os-hypervisors?hypervisor_hostname_pattern=zzz", 404)
    admin.refused("GET", "/os-hypervisors?hypervisor_hostname_pattern=n&limit=1", 400)
    admin.refused("GET", "/os-hypervisors?with_servers=perhaps", 400)
    admin.refused("GET", "/os-hypervisors/none", 404)


# zones and aggregates


def test_zones(admin: Caller, reader: Caller, host: Maker, cloud: Cloud) -> None:
    assert reader.get("/os-availability-zone") == {"availabilityZoneInfo": []}
    host_id = host("n1")
    MANIFEST.chores[0].work(cloud)
    nova = {"zoneName": "nova", "zoneState": {"available": True}, "hosts": None}
    assert reader.get("/os-availability-zone") == {"availabilityZoneInfo": [nova]}
    internal, zone = admin.get("/os-availability-zone/detail")["availabilityZoneInfo"]
    assert internal["zoneName"] == "internal"
    assert zone["hosts"]["n1"]["nova-compute"] | {"updated_at": ""} == {
        "active": True,
        "available": True,
        "updated_at": "",
    }
    admin.put(f"/os-services/{host_id}", {"status": "disabled"})
    assert reader.get("/os-availability-zone")["availabilityZoneInfo"][0]["zoneState"] == {"available": False}


def test_life_of_an_aggregate(admin: Caller, reader: Caller, host: Maker, cloud: Cloud) -> None:
    host("n1")
    made = admin.post("/os-aggregates", {"aggregate": {"name": "fast", "availability_zone": "east"}})["aggregate"]
    assert (made["name"], made["availability_zone"]) == ("fast", "east")
    at = f"/os-aggregates/{made['id']}"
    held = admin.post(f"{at}/action", {"add_host": {"host": "n1"}})["aggregate"]
    assert held["hosts"] == ["n1"]
    assert [z["zoneName"] for z in reader.get("/os-availability-zone")["availabilityZoneInfo"]] == ["east"]
    admin.refused("POST", f"{at}/action", 409, {"add_host": {"host": "n1"}})
    admin.refused("POST", f"{at}/action", 404, {"add_host": {"host": "n9"}})
    held = admin.post(f"{at}/action", {"set_metadata": {"metadata": {"ssd": "true"}}})["aggregate"]
    assert held["metadata"] == {"availability_zone": "east", "ssd": "true"}
    held = admin.post(f"{at}/action", {"set_metadata": {"metadata": {"ssd": None}}})["aggregate"]
    assert held["metadata"] == {"availability_zone": "east"}
    assert (
        admin.put(at, {"aggregate": {"name": "faster", "availability_zone": "west"}})["aggregate"]["name"] == "faster"
    )
    with cloud.db.reading() as db:
        assert db.query(Host).one().availability_zone == "west"
    assert "hosts" in admin.refused("DELETE", at, 400)
    assert admin.post(f"{at}/action", {"remove_host": {"host": "n1"}})["aggregate"]["hosts"] == []
    admin.refused("POST", f"{at}/action", 404, {"remove_host": {"host": "n1"}})
    assert [z["zoneName"] for z in reader.get("/os-availability-zone")["availabilityZoneInfo"]] == ["nova"]
    admin.delete(at, 200)
    admin.refused("GET", at, 404)


def test_aggregates_and_their_names(admin: Caller, queries: Callable[[], Any]) -> None:
    for name in ("a", "b", "c"):
        admin.post("/os-aggregates", {"aggregate": {"name": name}})
    admin.refused("POST", "/os-aggregates", 409, {"aggregate": {"name": "a"}})
    admin.refused("PUT", "/os-aggregates/2", 409, {"aggregate": {"name": "a"}})
    admin.put("/os-aggregates/1", {"aggregate": {"name": "a"}})
    with queries() as seen:
        assert len(admin.get("/os-aggregates")["aggregates"]) == 3
    assert len(seen) == 2  # aggregates, and all their hosts
    assert "uuid" in admin.get("/os-aggregates/1", version="2.41")["aggregate"]
    assert "uuid" not in admin.get("/os-aggregates/1", version="2.40")["aggregate"]
    for name in ("x", "0", "-1", "99999999999999999999", "1.0"):
        admin.refused("GET", f"/os-aggregates/{name}", 404)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "n" * 256},
        {"name": "x", "availability_zone": "a:b"},
        {"name": "x", "availability_zone": ""},
        {"name": "x", "colour": "red"},
        {"availability_zone": "x"},
    ],
)
def test_bad_aggregates(admin: Caller, wrong: dict[str, object]) -> None:
    admin.refused("POST", "/os-aggregates", 400, {"aggregate": wrong})


def test_bad_changes_of_aggregates(admin: Caller) -> None:
    admin.post("/os-aggregates", {"aggregate": {"name": "a"}})
    admin.refused("PUT", "/os-aggregates/1", 400, {"aggregate": {}})
    for metadata in ({"k": 1}, {"": "v"}, {"k": "v" * 256}, {"availability_zone": "a:b"}):
        admin.refused("POST", "/os-aggregates/1/action", 400, {"set_metadata": {"metadata": metadata}})
    admin.refused("POST", "/os-aggregates/1/action", 400, {"paint": {}})


def test_a_host_has_one_zone_and_keeps_it_under_servers(admin: Caller, host: Maker, server: Maker) -> None:
    host("n1")
    for name, zone in (("a", "east"), ("b", "west"), ("c", None)):
        admin.post("/os-aggregates", {"aggregate": {"name": name, "availability_zone": zone}})
    admin.post("/os-aggregates/1/action", {"add_host": {"host": "n1"}})
    assert "east" in admin.refused("POST", "/os-aggregates/2/action", 409, {"add_host": {"host": "n1"}})
    admin.post("/os-aggregates/3/action", {"add_host": {"host": "n1"}})
    west = {"set_metadata": {"metadata": {"availability_zone": "west"}}}
    assert "east" in admin.refused("POST", "/os-aggregates/3/action", 409, west)
    server(host="n1")
    assert "instances" in admin.refused("POST", "/os-aggregates/1/action", 409, west)
    assert "instances" in admin.refused("POST", "/os-aggregates/1/action", 409, {"remove_host": {"host": "n1"}})
    admin.post("/os-aggregates/3/action", {"remove_host": {"host": "n1"}})


def test_two_aggregates_of_one_zone(admin: Caller, reader: Caller, host: Maker) -> None:
    host("n1")
    for name in ("a", "b"):
        made = admin.post("/os-aggregates", {"aggregate": {"name": name, "availability_zone": "east"}})["aggregate"]
        admin.post(f"/os-aggregates/{made['id']}/action", {"add_host": {"host": "n1"}})
    for aggregate, zone in ((1, "east"), (2, "nova")):
        admin.post(f"/os-aggregates/{aggregate}/action", {"remove_host": {"host": "n1"}})
        assert [z["zoneName"] for z in reader.get("/os-availability-zone")["availabilityZoneInfo"]] == [zone]


# usage


def test_usage(
    cloud: Cloud, admin: Caller, reader: Caller, other: Caller, server: Maker, queries: Callable[[], Any]
) -> None:
    for project in ("p1", "p1", "p2"):
        server(project)
    start, end = clock.now() - timedelta(hours=1), clock.now() + timedelta(hours=2)
    period = f"start={start.isoformat()}&end={end.isoformat()}"
    with queries() as seen:
        usages = admin.get(f"/os-simple-tenant-usage?{period}")["tenant_usages"]
    assert len([s for s in seen if "FROM servers" in s and "guests" in s]) == 1
    assert [u["tenant_id"] for u in usages] == ["p1", "p2"]
    assert usages[0]["total_hours"] == pytest.approx(4, abs=0.1)
    assert usages[0]["total_memory_mb_usage"] == pytest.approx(4 * 128, abs=10)
    assert "server_usages" not in usages[0]
    own = reader.get(f"/os-simple-tenant-usage/p1?{period}")["tenant_usage"]
    assert [(s["vcpus"], s["state"]) for s in own["server_usages"]] == [(1, "building"), (1, "building")]
    other.refused("GET", "/os-simple-tenant-usage/p1", 403)
    assert admin.get("/os-simple-tenant-usage/ops?" + period) == {"tenant_usage": {}}
    first = admin.get(f"/os-simple-tenant-usage?{period}&limit=2&detailed=1")
    link = first["tenant_usages_links"][0]["href"].partition("/v2.1")[2]
    assert [u["tenant_id"] for u in admin.get(link)["tenant_usages"]] == ["p2"]
    for query in ("start=never", f"start={end.isoformat()}&end={start.isoformat()}", "limit=-1", "marker=x"):
        admin.refused("GET", f"/os-simple-tenant-usage?{query}", 400)
