"""`kill -9` of every process at five moments of a boot and of a delete: afterwards the server is ACTIVE, or gone, and nothing is left."""

import time
from pathlib import Path

import pytest

from tests.system.installation import Installation, Refused, wait_for

MOMENTS = (0.0, 0.08, 0.2, 0.5, 1.0)  # seconds after the request was accepted
ROLES = ("api", "reconcile", "agent", "libvirtd", "dnsmasq")


def pids(cloud: Installation, victim: str) -> list[int]:
    """Processes of that kind which belong to this cloud."""
    if victim in ("api", "reconcile", "agent"):
        return [cloud.pid(victim)]
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if command[0].rpartition(b"/")[2].decode() == victim and str(cloud.state).encode() in b" ".join(command):
            found.append(int(entry.name))
    return found


def strike(cloud: Installation, victim: str, moment: float) -> None:
    time.sleep(moment)
    for pid in pids(cloud, victim):
        try:
            cloud.kill(pid)
        except ProcessLookupError:
            continue


def ports_of(cloud: Installation, server_id: str) -> list[str]:
    found = cloud.call("GET", f"/network/v2.0/ports?device_id={server_id}", user="admin")["ports"]
    return [port["id"] for port in found]


def answers(cloud: Installation) -> bool:
    try:
        cloud.call("GET", "/compute/v2.1/servers")
    except (OSError, Refused):
        return False
    return True


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("victim", ROLES)
def test_killed_in_a_boot_and_in_a_delete(cloud: Installation, victim: str, moment: float) -> None:
    server_id = cloud.boot(f"kill-{victim}-{moment}")
    strike(cloud, victim, moment)
    wait_for("the API", lambda: answers(cloud), 30)
    cloud.wait_active(server_id, 90)
    assert len(cloud.guests_of(server_id)) == 1
    ports = ports_of(cloud, server_id)
    assert len(ports) == 1
    wait_for("the DHCP server", lambda: pids(cloud, "dnsmasq"), 30)

    cloud.call("DELETE", f"/compute/v2.1/servers/{server_id}")
    strike(cloud, victim, moment)
    wait_for("the API", lambda: answers(cloud), 30)
    cloud.wait_gone(server_id, 90)
    wait_for("no trace", lambda: cloud.traces(server_id, ports) == [], 30, 0.5)


def test_guests_outlive_the_control_plane(cloud: Installation) -> None:
    server_id = cloud.boot("survivor")
    cloud.wait_active(server_id)
    before = cloud.guests_of(server_id)
    cloud.pileus("down")
    assert cloud.guests_of(server_id) == before
    cloud.pileus("up", "--detach")
    cloud.wait_active(server_id)
    assert cloud.guests_of(server_id) == before
    cloud.call("DELETE", f"/compute/v2.1/servers/{server_id}")
    cloud.wait_gone(server_id)
