"""A real server from POST to SSH, and the same qemu started by hand: what the cloud adds to it."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.system.installation import Installation, wait_for

from bench.clouds import cloud, last_words
from bench.figures import Figure
from bench.machine import Meter
from bench.qemu import ByHand, Recipe
from bench.ssh import answers, login, new_key

PATIENCE = 90  # seconds that a guest has for each stage
STAGES = ("accepted", "ACTIVE", "first DHCP lease", "SSH answers", "logged in by SSH")
AIMS = {"accepted": 0.020}


@dataclass(frozen=True)
class Boot:
    """Seconds from before the POST to each stage."""

    stages: dict[str, float]
    others: float
    recipe: Recipe


def measure(runs: int) -> list[Figure]:
    if os.geteuid() != 0:
        raise RuntimeError("real guests need root")
    with cloud() as running:
        desk = Desk(running)
        first = desk.boot("first")  # brings the image into the host's cache
        boots, alone, others = [], [], []
        for number in range(runs):
            boots.append(desk.boot(f"bench-{number}"))
            with Meter(running.state) as meter:
                alone.append(ByHand(boots[-1].recipe, running.state.parent / f"by-hand-{number}"))
            others.append(meter.others)
    return _figures(first, boots, alone, others)


def _figures(first: Boot, boots: list[Boot], alone: list[ByHand], others: list[float]) -> list[Figure]:
    busy = [boot.others for boot in boots]
    added = [boot.stages["ACTIVE"] - run.running for boot, run in zip(boots, alone, strict=True)]
    to_active = "POST /servers to ACTIVE, the first server of all"
    running, answering = [run.running for run in alone], [run.answers for run in alone]
    return [
        *(Figure(f"POST /servers to {s}", "s", [boot.stages[s] for boot in boots], busy, AIMS.get(s)) for s in STAGES),
        Figure("qemu by hand to running", "s", running, others, note="same command line; QMP `cont`"),
        Figure("qemu by hand to SSH answers", "s", answering, others, note="user networking, no cloud"),
        Figure("ACTIVE later than qemu by hand runs", "s", added, busy, 0.5),
        Figure(to_active, "s", [first.stages["ACTIVE"]], [first.others], note="one run: the image comes to the host"),
    ]


class Desk:
    """The demo user, who boots servers and deletes them."""

    def __init__(self, cloud: Installation) -> None:
        self.cloud = cloud
        self.key = cloud.state.parent / "key"
        wish = {"name": "bench", "public_key": new_key(self.key)}
        cloud.call("POST", "/compute/v2.1/os-keypairs", {"keypair": wish})
        self.networks = {n["name"]: n["id"] for n in cloud.call("GET", "/network/v2.0/networks")["networks"]}
        group = cloud.call("GET", "/network/v2.0/security-groups?name=default")["security_groups"][0]["id"]
        rule = {
            "security_group_id": group,
            "direction": "ingress",
            "protocol": "tcp",
            "port_range_min": 22,
            "port_range_max": 22,
        }
        cloud.call("POST", "/network/v2.0/security-group-rules", {"security_group_rule": rule})

    def boot(self, name: str) -> Boot:
        port = self._make("port", network_id=self.networks["private"])
        floating = self._make("floatingip", floating_network_id=self.networks["public"], port_id=port["id"])
        address = floating["floating_ip_address"]
        leases = self.cloud.state / "dhcp" / self.networks["private"] / "leases"
        image = self.cloud.call("GET", "/image/v2/images?name=pico")["images"][0]["id"]
        wish = {
            "name": name,
            "imageRef": image,
            "flavorRef": "42",
            "key_name": "bench",
            "networks": [{"port": port["id"]}],
        }
        with Meter(self.cloud.state) as meter:
            clock = Clock()
            server = self.cloud.call("POST", "/compute/v2.1/servers", {"server": wish})["server"]["id"]
            clock.mark("accepted")
            clock.wait("ACTIVE", lambda: self._active(server))
            clock.wait("first DHCP lease", lambda: port["mac_address"] in leases.read_text(), 0.005)
            clock.wait("SSH answers", lambda: answers(address))
            clock.wait("logged in by SSH", lambda: login(address, self.key), 0.2)
        recipe = Recipe(self.cloud.guests_of(server)[0])
        self._delete(server, port["id"], floating["id"])
        return Boot(clock.stages, meter.others, recipe)

    def _make(self, kind: str, **wish: Any) -> Any:
        return self.cloud.call("POST", f"/network/v2.0/{kind}s", {kind: wish})[kind]

    def _active(self, server: str) -> bool:
        status = self.cloud.call("GET", f"/compute/v2.1/servers/{server}")["server"]["status"]
        assert status != "ERROR", f"{server} is in ERROR\n{last_words(self.cloud.state)}"
        return bool(status == "ACTIVE")

    def _delete(self, server: str, port: str, floating: str) -> None:
        self.cloud.call("DELETE", f"/compute/v2.1/servers/{server}")
        self.cloud.wait_gone(server)
        self.cloud.call("DELETE", f"/network/v2.0/floatingips/{floating}")
        self.cloud.call("DELETE", f"/network/v2.0/ports/{port}")


class Clock:
    """Seconds since it was made, by stage."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.stages: dict[str, float] = {}

    def mark(self, stage: str) -> None:
        self.stages[stage] = time.monotonic() - self.started

    def wait(self, stage: str, look: Callable[[], bool], every: float = 0.02) -> None:
        wait_for(stage, look, PATIENCE, every)
        self.mark(stage)
