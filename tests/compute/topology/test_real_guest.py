"""From POST /servers to a real guest on its own CPU: API, scheduler, claim, agent, libvirt, kernel. Needs root and two CPUs."""

import asyncio
import os
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pileus.compute.drivers.libvirt import Driver
from pileus.compute.topology.models import ClaimedCpu
from tests.drivers.compute.rig import own_network, why_no_libvirt
from tests.living import Living, living_cloud

CONFIG = """
[agent]
virt_type = "qemu"
cpu_dedicated_set = "0"
cpu_shared_set = "1"
"""


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two CPUs")
def test_a_dedicated_cpu(tmp_path: Path) -> None:
    if why := why_no_libvirt():
        pytest.skip(why)
    config = tmp_path / "pileus.toml"
    config.write_text(CONFIG)

    async def story() -> None:
        async with living_cloud(tmp_path, overrides={"hypervisor": "libvirt"}, file=config) as cloud:
            try:
                cloud.image = Path(shutil.copy(cloud.image, tmp_path / "compute"))  # guests' user reads nothing else
                await boot_and_look(cloud)
            finally:
                await cloud.kill_agent()  # first: it would start libvirtd again
                cloud.driver.stop()

    with own_network():
        asyncio.run(story())


async def boot_and_look(cloud: Living) -> None:
    flavor = {"name": "pinned", "ram": 64, "vcpus": 1, "disk": 0}
    _, body = await cloud.ask("POST", "/compute/v2.1/flavors", {"flavor": flavor}, user="admin")
    path = f"/compute/v2.1/flavors/{body['flavor']['id']}"
    specs = {"extra_specs": {"hw:numa_nodes": "1", "hw:cpu_policy": "dedicated"}}
    status, _ = await cloud.ask("POST", f"{path}/os-extra_specs", specs, user="admin")
    assert status == 200
    first = await cloud.boot("first", flavorRef=body["flavor"]["id"])
    await cloud.settled(first, "ACTIVE", seconds=60)
    _, shown = await cloud.ask("GET", f"/compute/v2.1/servers/{first}/topology", user="admin")
    assert shown == {
        "nodes": [{"memory_mb": 64, "siblings": [], "vcpu_set": [0], "host_node": 0, "cpu_pinning": {"0": 0}}],
        "pagesize_kb": None,
    }
    assert isinstance(cloud.driver, Driver)
    domain = cloud.driver.connection.get().lookupByUUIDString(first)
    xml = ElementTree.fromstring(domain.XMLDesc())
    assert [pin.attrib for pin in xml.iterfind("cputune/vcpupin")] == [{"vcpu": "0", "cpuset": "0"}]
    assert [cell.get("cpus") for cell in xml.iterfind("cpu/numa/cell")] == ["0"]
    assert [tuple(states[:2]) for states in domain.vcpuPinInfo()] == [(True, False)]
    second = await cloud.settled(await cloud.boot("second", flavorRef=body["flavor"]["id"]), "ERROR")
    assert "has no NUMA cell with 1 free dedicated CPUs" in second["fault"]["message"]
    floating = await cloud.boot("floating", flavorRef="42")
    await cloud.settled(floating, "ACTIVE", seconds=60)
    shared = cloud.driver.connection.get().lookupByUUIDString(floating)
    assert [tuple(states[:2]) for states in shared.vcpuPinInfo()] == [(False, True)]
    for server_id in (first, floating):
        await cloud.ask("DELETE", f"/compute/v2.1/servers/{server_id}")
        await cloud.gone(server_id, seconds=30)
    with cloud.cloud.db.reading() as db:
        assert db.query(ClaimedCpu).count() == 0
