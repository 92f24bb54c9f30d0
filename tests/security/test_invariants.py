"""What must hold of the rows whatever was asked and in whichever order (CVE-2026-46448, 2017-17051)."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sqlalchemy import text

from pileus.kernel.http.app import App
from tests.security.asgi import Asgi
from tests.security.world import HOST, VERSIONS, World, world_of


def broken(world: World) -> list[str]:
    """Each invariant as a query for what offends it."""
    queries = {
        "a server on a host without an allocation": (
            "SELECT id FROM servers WHERE host IS NOT NULL AND id NOT IN (SELECT consumer_id FROM allocations)"
        ),
        "a consumer without a server": "SELECT id FROM consumers WHERE id NOT IN (SELECT id FROM servers)",
        "an allocation without a consumer": (
            "SELECT consumer_id FROM allocations WHERE consumer_id NOT IN (SELECT id FROM consumers)"
        ),
        "an address twice": (
            "SELECT subnet_id || ip_address FROM network_ip_allocations GROUP BY subnet_id, ip_address HAVING count(*) > 1"
        ),
        "a port of a server that is not there": (
            "SELECT id FROM ports WHERE server_id IS NOT NULL AND server_id NOT IN (SELECT id FROM servers)"
        ),
    }
    found = []
    with world.cloud.db.engine.connect() as connection:
        tables = {row[0] for row in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))}
        allocated = next(name for name in tables if name.endswith("ip_allocations"))
        for what, query in queries.items():
            asked = text(query.replace("network_ip_allocations", allocated))
            found += [f"{what}: {row[0]}" for row in connection.execute(asked)]
    return found


def usage(world: World) -> dict[str, tuple[int, float]]:
    """Used and capacity by resource class, of the one host."""
    provider = world.ids["shared"]["provider"]
    path = f"/placement/resource_providers/{provider}"
    used: Mapping[str, int] = world.must("admin", "GET", f"{path}/usages")["usages"]
    stock: Mapping[str, Any] = world.must("admin", "GET", f"{path}/inventories")["inventories"]
    return {
        name: (used[name], (have["total"] - have["reserved"]) * have["allocation_ratio"])
        for name, have in stock.items()
    }


def test_sixteen_at_once_never_overcommit(tmp_path: Path) -> None:
    """Threads, each with an application of its own on one database: as many fit as fit, no address is given twice."""
    with world_of(tmp_path) as world:
        assert broken(world) == []
        red = world.ids["red"]
        limits = {"quota_set": {"instances": -1, "cores": -1, "ram": -1}}
        world.must("admin", "PUT", f"/compute/v2.1/os-quota-sets/{red['project']}", limits)
        used, most = usage(world)["MEMORY_MB"]
        big = int(most - used) // 5
        flavor = {"flavor": {"name": "big", "ram": big, "vcpus": 1, "disk": 1, "id": "big"}}
        world.must("admin", "POST", "/compute/v2.1/flavors", flavor)

        def boot(number: int) -> int:
            client = Asgi(App(world.cloud, world.app.manifests), seconds=60)
            wish: dict[str, Any] = {"name": f"s{number}", "imageRef": red["image"], "flavorRef": "big"}
            wish |= {"networks": [{"uuid": red["network"]}]}
            try:
                path = "/compute/v2.1/servers"
                return client.ask("POST", path, {"server": wish}, token=world.tokens["member"], headers=VERSIONS).status
            finally:
                client.close()

        with ThreadPoolExecutor(16) as pool:
            statuses = list(pool.map(boot, range(16)))
        assert set(statuses) <= {202, 409, 503}
        assert broken(world) == []
        for name, (taken, capacity) in usage(world).items():
            assert taken <= capacity, name
        servers = world.must("member", "GET", "/compute/v2.1/servers/detail")["servers"]
        placed = [s for s in servers if s["name"].startswith("s") and s["status"] != "ERROR"]
        assert len(placed) == 5


def test_a_mixed_life_keeps_the_invariants(tmp_path: Path) -> None:
    """Good boots, refused ones and deletes in turn."""
    with world_of(tmp_path) as world:
        red = world.ids["red"]
        wishes: list[dict[str, Any]] = [
            {"networks": [{"uuid": red["network"]}]},
            {"networks": [{"port": red["loose_port"]}]},
            {"networks": [{"port": red["loose_port"]}]},
            {"networks": [{"uuid": red["network"], "fixed_ip": "10.1.0.200"}]},
            {"networks": [{"uuid": red["network"], "fixed_ip": "10.1.0.200"}]},
            {"networks": [{"uuid": red["network"]}, {"uuid": "11111111-2222-4333-8444-555555555555"}]},
            {"networks": "none", "max_count": 3, "min_count": 2},
            {"networks": "none", "min_count": 1000},
            {"networks": "none", "flavorRef": "5"},
            {"networks": "none", "security_groups": [{"name": "none such"}]},
        ]
        made = []
        for number, wish in enumerate(wishes):
            body = {"server": {"name": f"m{number}", "imageRef": red["image"], "flavorRef": "42", **wish}}
            answer = world.ask("member", "POST", "/compute/v2.1/servers", body)
            assert answer.status in (202, 400, 403, 404, 409), answer.body
            made += [answer.json["server"]["id"]] if answer.status == 202 else []
            assert broken(world) == [], number
        assert len(made) >= 4
        for server in made:
            assert world.ask("member", "DELETE", f"/compute/v2.1/servers/{server}").status == 204
            assert broken(world) == []
        assert (
            world.must("admin", "GET", f"/compute/v2.1/servers/{red['server']}")["server"]["OS-EXT-SRV-ATTR:host"]
            == HOST
        )
