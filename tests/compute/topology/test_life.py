"""Servers with a topology over HTTP, on a fake host with cells and cards: what they get, what is shown to whom, what is given back."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import func, select

from pileus.compute.agent.settings import AgentSettings
from pileus.compute.drivers import fake
from pileus.compute.hosts.desk import spec_of
from pileus.compute.servers.models import Server
from pileus.compute.topology import claims
from pileus.compute.topology.hardware import DeviceSpec
from pileus.compute.topology.models import ClaimedCpu, ClaimedDevice, GuestClaim, HostHardware
from pileus.identity import internal as identity
from pileus.image import internal as images
from tests.compute.test_life import run
from tests.compute.topology.hosts import card, machine
from tests.living import Living

PINNED = {"cpu_policy": "dedicated"}
CELLS = {**PINNED, "numa_nodes": "2", "cpu_threads": "2", "mem_page_size": "2MB"}
CONFIG = """
[compute]
pci_alias = [{name = "gpu", vendor_id = "10de", product_id = "1eb8"}]
"""


@dataclass
class Flavors:
    """Makes flavors of one size with extra specs; the host has two cells of four CPUs, the last three of each dedicated."""

    cloud: Living

    async def make(self, specs: Mapping[str, str], vcpus: int = 2, ram: int = 64, *, status: int = 200) -> str:
        flavor = {"name": f"f{vcpus}-{sorted(specs.items())}", "ram": ram, "vcpus": vcpus, "disk": 0}
        code, body = await self.cloud.ask("POST", "/compute/v2.1/flavors", {"flavor": flavor}, user="admin")
        assert code == 200, body
        made: str = body["flavor"]["id"]
        named = {"alias": "pci_passthrough:alias"}
        asked = {"extra_specs": {named.get(key, f"hw:{key}"): value for key, value in specs.items()}}
        code, body = await self.cloud.ask("POST", f"/compute/v2.1/flavors/{made}/os-extra_specs", asked, user="admin")
        assert code == status, body
        return made


def on_cells(folder: Path, story: Any) -> None:
    config = folder / "pileus.toml"
    config.write_text(CONFIG)

    async def live(cloud: Living) -> None:
        await cloud.kill_agent()
        hardware = machine(cells=2, cpus=4)
        settings = fake.Settings(
            vcpus=8,
            memory_mb=16384,
            cells=hardware.cells,
            devices=(card(1, 0), card(2, 1), card(3, 1, product="ffff")),
            cpu_dedicated_set="1-3,5-7",
            cpu_shared_set="0,4",
            pci_device_spec=(DeviceSpec(vendor_id="10de", product_id="1eb8"),),
        )
        cloud.driver = fake.Driver(settings)
        await cloud.start_agent()
        await cloud.until("the cells", lambda: bool(hosts_cells(cloud) == 2))
        await story(cloud, Flavors(cloud))

    run(folder, live, file=config)


def hosts_cells(cloud: Living) -> int:
    with cloud.cloud.db.reading() as db:
        host = db.scalar(select(HostHardware))
        return len(host.hardware().cells) if host is not None else 0


def counts(cloud: Living) -> list[int | None]:
    with cloud.cloud.db.reading() as db:
        return [db.scalar(select(func.count()).select_from(m)) for m in (GuestClaim, ClaimedCpu, ClaimedDevice)]


async def topology(cloud: Living, server_id: str, user: str = "demo") -> Any:
    status, body = await cloud.ask("GET", f"/compute/v2.1/servers/{server_id}/topology", user=user)
    assert status == 200, body
    return body


def test_a_server_with_cells_of_its_own(tmp_path: Path) -> None:
    async def story(cloud: Living, flavors: Flavors) -> None:
        flavor = await flavors.make(CELLS, 4, 128)
        server_id = await cloud.boot(flavorRef=flavor)
        await cloud.settled(server_id, "ACTIVE")
        nodes = [
            {"memory_mb": 64, "siblings": [[0, 1]], "vcpu_set": [0, 1]},
            {"memory_mb": 64, "siblings": [[2, 3]], "vcpu_set": [2, 3]},
        ]
        assert await topology(cloud, server_id) == {"nodes": nodes, "pagesize_kb": 2048}
        told = await topology(cloud, server_id, "admin")
        assert {node["host_node"] for node in told["nodes"]} == {0, 1}
        pins = [cpu for node in told["nodes"] for cpu in node["cpu_pinning"].values()]
        assert len(set(pins)) == 4 and not set(pins) & {0, 4}
        assert counts(cloud) == [1, 4, 0]
        path = "/compute/v2.1/os-hypervisors/detail"
        _, body = await cloud.ask("GET", path, user="admin", version="compute 2.87")
        assert [(host["vcpus"], host["vcpus_used"]) for host in body["hypervisors"]] == [(8, 4)]
        await cloud.act(server_id, {"reboot": {"type": "HARD"}})
        await cloud.settled(server_id, "ACTIVE")
        assert await topology(cloud, server_id, "admin") == told, "a restart moves nothing"
        await cloud.kill_agent()
        await cloud.start_agent()
        assert counts(cloud) == [1, 4, 0], "nor does an agent's"
        with cloud.cloud.db.reading() as db:
            row = db.get(Server, server_id)
            assert row is not None
            spec = spec_of(row, [], None, claims.of_servers(db, [server_id])[server_id])
        assert spec.cpu_layout is not None and spec.cpu_layout.threads == 2
        assert msgspec.convert(msgspec.to_builtins(spec), type(spec)) == spec, "as it crosses the bus"
        await cloud.ask("DELETE", f"/compute/v2.1/servers/{server_id}")
        await cloud.gone(server_id)
        assert counts(cloud) == [0, 0, 0]

    on_cells(tmp_path, story)


def test_devices_and_what_is_said_when_they_are_gone(tmp_path: Path) -> None:
    async def story(cloud: Living, flavors: Flavors) -> None:
        flavor = await flavors.make({"alias": "gpu:1"}, 1)
        first, second = await cloud.boot("a", flavorRef=flavor), await cloud.boot("b", flavorRef=flavor)
        await cloud.settled(first, "ACTIVE")
        await cloud.settled(second, "ACTIVE")
        assert await topology(cloud, first, "admin") == {"nodes": [], "pagesize_kb": None}
        third = await cloud.settled(await cloud.boot("c", flavorRef=flavor), "ERROR")
        assert third["fault"]["message"] == (
            "No valid host was found. 1 host: 1 lacks 1 PCI device gpu (PciPassthroughFilter)"
        )
        assert third["fault"]["details"] == "host1: lacks 1 PCI device gpu: 0 free (PciPassthroughFilter)"
        assert counts(cloud) == [2, 0, 2]
        await cloud.ask("DELETE", f"/compute/v2.1/servers/{first}")
        await cloud.gone(first)
        assert counts(cloud) == [1, 0, 1]
        await cloud.settled(await cloud.boot("d", flavorRef=flavor), "ACTIVE")
        strict = await flavors.make({"alias": "gpu:1", **PINNED})
        code, body = await cloud.ask(
            "POST",
            "/compute/v2.1/pileus-boot-forecasts",
            {"server": {"name": "x", "imageRef": cloud.image_id, "flavorRef": strict, "networks": "none"}},
        )
        assert code == 200 and body["boot_forecast"]["fits"] is False

    on_cells(tmp_path, story)


def test_refusals_explain_themselves_and_claim_nothing(tmp_path: Path) -> None:
    async def story(cloud: Living, flavors: Flavors) -> None:
        for specs, vcpus, said in (
            ({"cpu_policy": "dedicated"}, 4, "has no NUMA cell with 4 free dedicated CPUs"),
            ({"cpu_policy": "dedicated", "cpu_thread_policy": "require"}, 2, "has no thread siblings"),
            ({"numa_nodes": "3"}, 3, "has fewer NUMA cells than 3"),
            ({"numa_nodes": "1"}, 2, "has no NUMA cell with 2 shared CPUs"),
        ):
            flavor = await flavors.make(specs, vcpus, 96)
            server = await cloud.settled(await cloud.boot(flavorRef=flavor), "ERROR")
            assert said in server["fault"]["message"] and "(NUMATopologyFilter)" in server["fault"]["message"]
            assert " in cell " not in server["fault"]["message"]
            assert await topology(cloud, server["id"]) == {"nodes": [], "pagesize_kb": None}
        assert counts(cloud) == [0, 0, 0]

    on_cells(tmp_path, story)


def test_contradictions_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    async def story(cloud: Living, flavors: Flavors) -> None:
        await flavors.make({"cpu_policy": "lazy"}, status=400)
        await flavors.make({"mem_page_size": "3 bananas"}, status=400)
        for specs, said in (
            ({"alias": "tape:1"}, "PCI alias tape is not defined."),
            ({"numa_nodes": "4"}, "4 NUMA nodes can not be made of 2 virtual CPUs."),
            ({"cpu_thread_policy": "prefer"}, "needs hw:cpu_policy=dedicated"),
            ({"cpu_sockets": "4"}, "No CPU topology of 4 sockets"),
        ):
            flavor = await flavors.make(specs)
            wish = {"name": "x", "imageRef": cloud.image_id, "flavorRef": flavor, "networks": "none"}
            code, body = await cloud.ask("POST", "/compute/v2.1/servers", {"server": wish})
            assert code == 400 and said in body["badRequest"]["message"], body
        _, body = await cloud.ask("GET", "/compute/v2.1/servers")
        assert body["servers"] == []

    on_cells(tmp_path, story)


def test_an_image_may_ask_and_a_flavor_may_forbid(tmp_path: Path) -> None:
    async def story(cloud: Living, flavors: Flavors) -> None:
        with cloud.cloud.db.reading() as db:
            admin = identity.project_id(db, "admin")
        assert admin is not None
        properties = {"hw_cpu_policy": "dedicated", "hw_numa_nodes": "2"}
        image = images.import_file(
            cloud.cloud,
            cloud.image,
            name="fast",
            disk_format="raw",
            owner=admin,
            visibility="public",
            properties=properties,
        )
        server_id = await cloud.boot(imageRef=image, flavorRef=await flavors.make({}, 2))
        await cloud.settled(server_id, "ACTIVE")
        assert len((await topology(cloud, server_id))["nodes"]) == 2
        assert counts(cloud) == [1, 2, 0]
        for specs, said in (
            ({"cpu_policy": "shared"}, "does not permit"),
            ({"numa_nodes": "1"}, "not permitted to override"),
        ):
            flavor = await flavors.make(specs)
            wish = {"name": "x", "imageRef": image, "flavorRef": flavor, "networks": "none"}
            code, body = await cloud.ask("POST", "/compute/v2.1/servers", {"server": wish})
            assert code == 400 and said in body["badRequest"]["message"], body

    on_cells(tmp_path, story)


def test_several_servers_of_one_request(tmp_path: Path) -> None:
    async def story(cloud: Living, flavors: Flavors) -> None:
        flavor = await flavors.make(PINNED, 3)
        await cloud.boot(flavorRef=flavor, min_count=2)
        assert counts(cloud) == [2, 6, 0]

    on_cells(tmp_path, story)


def test_sets_of_one_host_may_not_meet() -> None:
    for wrong in ({"cpu_dedicated_set": "1-3", "cpu_shared_set": "3"}, {"cpu_dedicated_set": "x"}):
        try:
            msgspec.convert(wrong, AgentSettings)
        except msgspec.ValidationError as error:
            assert "CPU" in str(error)
        else:
            raise AssertionError(wrong)
