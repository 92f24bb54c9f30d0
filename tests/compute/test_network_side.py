"""A server with a port: addresses, security groups, and nothing left of the port afterwards."""

import asyncio
from pathlib import Path

from tests.living import Living, living_cloud


def test_addresses_groups_and_release(tmp_path: Path) -> None:
    async def story(cloud: Living) -> None:
        _, networks = await cloud.ask("GET", "/network/v2.0/networks?name=private")
        network = networks["networks"][0]["id"]
        server_id = await cloud.boot(networks=[{"uuid": network}])
        active = await cloud.settled(server_id, "ACTIVE")
        (address,) = active["addresses"]["private"]
        assert address["OS-EXT-IPS:type"] == "fixed"
        assert active["security_groups"] == [{"name": "default"}]
        path = f"/compute/v2.1/servers/{server_id}"
        assert (await cloud.ask("GET", f"{path}/ips/private"))[1]["private"][0]["addr"] == address["addr"]
        assert [
            s["id"] for s in (await cloud.ask("GET", f"/compute/v2.1/servers?ip={address['addr']}"))[1]["servers"]
        ] == [server_id]

        await cloud.ask("POST", "/network/v2.0/security-groups", {"security_group": {"name": "web"}})
        status, _ = await cloud.ask("POST", f"{path}/action", {"addSecurityGroup": {"name": "web"}}, user="admin")
        assert status == 202
        shown = (await cloud.ask("GET", f"{path}/os-security-groups"))[1]["security_groups"]
        assert [group["name"] for group in shown] == ["default", "web"]
        assert {rule["group"]["name"] for rule in shown[0]["rules"]} == {"default"}
        await cloud.act(server_id, {"removeSecurityGroup": {"name": "default"}})
        assert (await cloud.show(server_id) or {})["security_groups"] == [{"name": "web"}]
        status, _ = await cloud.ask("POST", f"{path}/action", {"removeSecurityGroup": {"name": "default"}})
        assert status == 404

        assert (await cloud.ask("POST", f"{path}/action", {"os-resetState": {"state": "error"}}))[0] == 403
        assert (await cloud.ask("POST", f"{path}/action", {"os-resetState": {"state": "error"}}, user="admin"))[
            0
        ] == 202
        await cloud.settled(server_id, "ERROR")
        assert (await cloud.ask("POST", f"{path}/action", {"os-resetState": {"state": "active"}}, user="admin"))[
            0
        ] == 202
        await cloud.settled(server_id, "ACTIVE")

        await cloud.ask("DELETE", path)
        await cloud.gone(server_id)
        assert cloud.traces(server_id) == []

    async def live() -> None:
        async with living_cloud(tmp_path) as cloud:
            await story(cloud)

    asyncio.run(live())
