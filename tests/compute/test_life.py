"""A server's whole life on the fake drivers: verbs, faults, lost and doubled messages, an agent that dies at every step."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy import delete, update

from pileus.cli.audit import findings
from pileus.compute.drivers.base import GuestFailed, GuestSpec
from pileus.compute.guests.models import Guest
from pileus.compute.hosts.models import Host
from pileus.compute.scheduler import choose
from pileus.kernel.bus.memory import MemoryBus
from pileus.network import internal as network
from pileus.placement import audit
from pileus.placement import internal as placement
from pileus.placement.providers.models import Inventory
from tests.living import Living, living_cloud


def run(folder: Path, story: Any, **options: Any) -> None:
    async def live() -> None:
        async with living_cloud(folder, **options) as cloud:
            await story(cloud)

    asyncio.run(live())


async def whole_life(cloud: Living) -> None:
    server_id = await cloud.boot(config_drive=True)
    active = await cloud.settled(server_id, "ACTIVE")
    assert active["OS-EXT-SRV-ATTR:host"] == "host1"
    for action, status in (
        ({"os-stop": None}, "SHUTOFF"),
        ({"os-start": None}, "ACTIVE"),
        ({"pause": None}, "PAUSED"),
        ({"unpause": None}, "ACTIVE"),
        ({"reboot": {"type": "SOFT"}}, "ACTIVE"),
        ({"reboot": {"type": "HARD"}}, "ACTIVE"),
    ):
        await cloud.act(server_id, action)
        await cloud.settled(server_id, status)
    assert cloud.driver.guests()[server_id].state == "running"
    code, body = await cloud.ask("GET", f"/compute/v2.1/servers/{server_id}/os-instance-actions")
    assert code == 200
    assert [entry["action"] for entry in body["instanceActions"]] == [
        *("reboot", "reboot", "unpause", "pause", "start", "stop", "create")
    ]
    await cloud.ask("DELETE", f"/compute/v2.1/servers/{server_id}")
    await cloud.gone(server_id)
    assert cloud.traces(server_id) == []


def test_a_whole_life(tmp_path: Path) -> None:
    run(tmp_path, whole_life)


def test_a_bus_that_loses_every_hint_costs_time_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryBus, "cast", lambda self, topic, method, args: None)
    run(tmp_path, whole_life, interval=0.05)


def test_a_bus_that_doubles_every_hint_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    once = MemoryBus.cast

    def twice(self: MemoryBus, topic: str, method: str, args: Mapping[str, Any]) -> None:
        once(self, topic, method, args)
        once(self, topic, method, args)

    monkeypatch.setattr(MemoryBus, "cast", twice)
    run(tmp_path, whole_life)


class Dying:
    """A driver whose process dies (as far as its callers can tell) right before or after its nth change."""

    CHANGES = ("ensure_disks", "ensure_running", "ensure_unpaused", "ensure_stopped", "ensure_absent")

    def __init__(self, driver: Any, dies_at: int, after: bool) -> None:
        self._driver, self._left, self._after = driver, dies_at, after
        self.died = False

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._driver, name)
        if name not in self.CHANGES:
            return real

        def call(*args: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                self.died = True
            if self.died:
                raise asyncio.CancelledError
            answer = real(*args)
            if self._left == 0:
                self.died = True
                raise asyncio.CancelledError
            return answer

        return call


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("dies_at", [1, 2, 3, 4])
def test_an_agent_that_dies_at_any_step_of_a_boot_and_a_delete(tmp_path: Path, dies_at: int, after: bool) -> None:
    async def story(cloud: Living) -> None:
        await cloud.kill_agent()
        dying: Any = Dying(cloud.driver, dies_at, after)
        await cloud.start_agent(dying)
        server_id = await cloud.boot()
        if dies_at <= 3:
            await cloud.until("death", lambda: dying.died)
        else:
            await cloud.settled(server_id, "ACTIVE")
            await cloud.ask("DELETE", f"/compute/v2.1/servers/{server_id}")
            await cloud.until("death", lambda: dying.died)
        await cloud.kill_agent()
        await cloud.start_agent()
        if dies_at <= 3:
            await cloud.settled(server_id, "ACTIVE")
            assert list(cloud.driver.guests()) == [server_id]
            await cloud.ask("DELETE", f"/compute/v2.1/servers/{server_id}")
        await cloud.gone(server_id)
        assert cloud.traces(server_id) == []

    run(tmp_path, story)


def test_a_guest_that_shuts_itself_down_is_followed_and_started_again(tmp_path: Path) -> None:
    async def story(cloud: Living) -> None:
        server_id = await cloud.boot()
        await cloud.settled(server_id, "ACTIVE")
        cloud.driver.ensure_stopped(server_id, 0)
        await cloud.settled(server_id, "SHUTOFF")
        await cloud.act(server_id, {"os-start": None})
        await cloud.settled(server_id, "ACTIVE")

    run(tmp_path, story)


def test_a_host_that_cannot_leaves_a_fault_that_speaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(cloud: Living) -> None:
        def fails(*_: Any) -> None:
            raise GuestFailed("The image can not be started on this host.", "secret detail of the host", permanent=True)

        monkeypatch.setattr(cloud.driver, "ensure_running", fails)
        server_id = await cloud.boot()
        shown = await cloud.settled(server_id, "ERROR")
        assert shown["fault"]["message"] == "The image can not be started on this host."
        status, body = await cloud.ask("GET", f"/compute/v2.1/servers/{server_id}")
        assert (status, "details" in body["server"]["fault"]) == (200, False)
        await cloud.ask("DELETE", f"/compute/v2.1/servers/{server_id}")
        await cloud.gone(server_id)
        assert cloud.traces(server_id) == []

    run(tmp_path, story)


def test_no_valid_host_says_which_check_and_claims_nothing(tmp_path: Path) -> None:
    async def story(cloud: Living) -> None:
        flavor = {"name": "wide", "ram": 64, "vcpus": 1, "disk": 10**8}
        status, body = await cloud.ask("POST", "/compute/v2.1/flavors", {"flavor": flavor}, user="admin")
        assert status == 200, body
        server_id = await cloud.boot(flavorRef=body["flavor"]["id"])
        shown = await cloud.settled(server_id, "ERROR")
        assert shown["fault"]["message"] == "No valid host was found. 1 host: 1 lacks 100000000 DISK_GB (Placement)"
        assert shown["fault"]["details"].startswith("host1: lacks 100000000 DISK_GB: it gives at most ")
        with cloud.cloud.db.reading() as db:
            assert audit.orphans(db, set()) == []
        await cloud.ask("DELETE", f"/compute/v2.1/servers/{server_id}")
        await cloud.gone(server_id)
        assert cloud.traces(server_id) == []

    run(tmp_path, story)


def test_servers_of_one_request_that_find_no_host_share_one_explanation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    explain = Mock(wraps=choose.explain)
    monkeypatch.setattr(choose, "explain", explain)

    async def story(cloud: Living) -> None:
        flavor = {"name": "vast", "ram": 64, "vcpus": 600, "disk": 0}
        _, body = await cloud.ask("POST", "/compute/v2.1/flavors", {"flavor": flavor}, user="admin")
        quota = {"quota_set": {"cores": -1}}
        project = (await cloud.ask("GET", "/identity/v3/projects?name=demo", user="admin"))[1]["projects"][0]["id"]
        await cloud.ask("PUT", f"/compute/v2.1/os-quota-sets/{project}", quota, user="admin")
        with cloud.cloud.db.writing() as db:
            db.execute(update(Inventory).where(Inventory.resource_class == "VCPU").values(allocation_ratio=1.0))
        await cloud.boot("many", flavorRef=body["flavor"]["id"], min_count=4)
        servers = (await cloud.ask("GET", "/compute/v2.1/servers/detail"))[1]["servers"]
        assert [server["status"] for server in servers].count("ERROR") == 3, "one fits"
        messages = {server["fault"]["message"] for server in servers if server["status"] == "ERROR"}
        assert messages == {"No valid host was found. 1 host: 1 lacks 600 VCPU (Placement)"}
        assert explain.call_count == 1

    run(tmp_path, story)


def test_the_quota_counts_rows(tmp_path: Path) -> None:
    async def story(cloud: Living) -> None:
        made = [await cloud.boot(f"s{n}") for n in range(10)]
        wish = {"name": "x", "imageRef": cloud.image_id, "flavorRef": "42", "networks": "none"}
        status, body = await cloud.ask("POST", "/compute/v2.1/servers", {"server": wish})
        assert (status, "instances" in body["forbidden"]["message"]) == (403, True)
        await cloud.ask("DELETE", f"/compute/v2.1/servers/{made[0]}")
        await cloud.gone(made[0])
        await cloud.boot("another")

    run(tmp_path, story)


BAD = [
    ({"name": ""}, "name"),
    ({"nmae": "x"}, "nmae"),
    ({"flavorRef": "no-such"}, "lavor"),
    ({"imageRef": "5f0ce7d3-0000-4000-8000-000000000000"}, "image"),
    ({"imageRef": "../../etc/passwd"}, "image"),
    ({"key_name": "missing"}, "key_name"),
    ({"networks": [{"uuid": "5f0ce7d3-0000-4000-8000-000000000000"}]}, "etwork"),
    ({"networks": "sometimes"}, "networks"),
    ({"user_data": "not base64!"}, "base 64"),
    ({"min_count": 3, "max_count": 2}, "min_count"),
    ({"min_count": 0}, "min_count"),
    ({"availability_zone": "moon"}, "availability zone"),
    ({"metadata": {"k": 5}}, "metadata"),
    ({"accessIPv4": "1.2.3"}, "1.2.3"),
    ({"security_groups": [{"name": "nope"}], "networks": "auto"}, "ecurity"),
    ({"block_device_mapping_v2": [{"source_type": "volume", "uuid": "x", "boot_index": 0}]}, "Block Device"),
    ({"hostname": "-bad-"}, "hostname"),
]


@pytest.mark.parametrize(("change", "part"), BAD, ids=lambda value: str(value)[:40])
def test_bad_input_is_refused_with_words_and_changes_nothing(tmp_path: Path, change: dict[str, Any], part: str) -> None:
    async def story(cloud: Living) -> None:
        wish = {"name": "x", "imageRef": cloud.image_id, "flavorRef": "42", "networks": "none"} | change
        status, body = await cloud.ask("POST", "/compute/v2.1/servers", {"server": wish})
        assert status == 400, body
        assert part in body["badRequest"]["message"]
        assert (await cloud.ask("GET", "/compute/v2.1/servers"))[1] == {"servers": []}

    run(tmp_path, story)


def test_scheduler_hints_of_the_inside_are_refused(tmp_path: Path) -> None:
    async def story(cloud: Living) -> None:
        wish = {"name": "x", "imageRef": cloud.image_id, "flavorRef": "42", "networks": "none"}
        body = {"server": wish, "os:scheduler_hints": {"_nova_check_type": ["rebuild"]}}
        assert (await cloud.ask("POST", "/compute/v2.1/servers", body))[0] == 400

    run(tmp_path, story)


def test_verbs_that_the_state_forbids(tmp_path: Path) -> None:
    async def story(cloud: Living) -> None:
        server_id = await cloud.boot()
        await cloud.settled(server_id, "ACTIVE")
        path = f"/compute/v2.1/servers/{server_id}/action"
        for action in ({"os-start": None}, {"unpause": None}):
            status, body = await cloud.ask("POST", path, action)
            assert status == 409
            assert "vm_state active" in body["conflictingRequest"]["message"]
        assert (await cloud.ask("POST", path, {"reboot": {"type": "MAYBE"}}))[0] == 400
        await cloud.act(server_id, {"lock": None})
        assert (await cloud.ask("POST", path, {"os-stop": None}))[0] == 409
        await cloud.act(server_id, {"unlock": None})
        await cloud.act(server_id, {"os-stop": None})
        await cloud.settled(server_id, "SHUTOFF")

    run(tmp_path, story)


def test_a_failed_boot_is_deleted_without_waiting_for_the_next_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(cloud: Living) -> None:
        tried: list[int] = []

        def fails(*_: Any) -> None:
            tried.append(1)
            raise GuestFailed("Not now.")

        monkeypatch.setattr(cloud.driver, "ensure_running", fails)
        server_id = await cloud.boot()
        await cloud.until("a try", lambda: bool(tried))
        await cloud.ask("DELETE", f"/compute/v2.1/servers/{server_id}")
        await cloud.gone(server_id, 1.5)
        assert len(tried) == 1
        assert cloud.traces(server_id) == []

    run(tmp_path, story)


def test_a_guest_without_a_row_is_told_of_and_left_alone(tmp_path: Path) -> None:
    async def story(cloud: Living) -> None:
        server_id = await cloud.boot()
        await cloud.settled(server_id, "ACTIVE")
        await cloud.kill_agent()
        with cloud.cloud.db.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM servers")
        await cloud.start_agent()

        def noted() -> bool:
            with cloud.cloud.db.reading() as db:
                return any(server_id in note for host in db.query(Host) for note in host.notes)

        await cloud.until("a note", noted)
        assert cloud.driver.guests()[server_id].state == "running"
        with cloud.cloud.db.writing() as db:
            assert findings(db) != [], "what else is left of the server"
            network.release_device(db, server_id)
            placement.release(db, server_id)
            db.execute(delete(Guest))

    run(tmp_path, story)


def test_a_host_boot_brings_guests_back_even_when_the_first_try_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(cloud: Living) -> None:
        server_id = await cloud.boot()
        await cloud.settled(server_id, "ACTIVE")
        await cloud.kill_agent()
        cloud.driver.ensure_stopped(server_id, 0)
        monkeypatch.setattr("tests.living.boot_id", lambda: "after")
        real, failures = cloud.driver.ensure_running, [GuestFailed("not yet")]

        def late(spec: GuestSpec) -> None:
            if failures:
                raise failures.pop()
            real(spec)

        monkeypatch.setattr(cloud.driver, "ensure_running", late)
        await cloud.start_agent()
        await cloud.until("the guest", lambda: cloud.driver.guests()[server_id].state == "running")
        shown = await cloud.settled(server_id, "ACTIVE")
        assert shown["OS-EXT-STS:power_state"] == 1

    run(tmp_path, story)
