"""A guest's view: one server of a living cloud, and the requests that the metadata agent of its host would send on."""

import asyncio
import base64
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import pytest

from pileus.composition import OWN_PORT
from pileus.kernel.http.app import App
from pileus.metadata.asker import signature
from tests.living import Living, living_cloud

USER_DATA = b"#!/bin/sh\necho \xff\x00 binary\n"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHBpbGV1cy10ZXN0LWtleS1vZi0zMi1ieXRlcy4uLi4u tester"
FIXED = ("10.77.0.9", "10.77.0.19")
DHCP = ("10.78.0.9",)


class Guest:
    """Signed requests of one server, and requests of whoever pretends."""

    def __init__(self, runner: asyncio.Runner, cloud: Living) -> None:
        self.runner = runner
        self.cloud = cloud
        app = App(cloud.cloud, OWN_PORT, prefixed=False)
        self.http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://169.254.169.254")
        self.server: dict[str, Any] = {}
        self.bare: dict[str, Any] = {}  # a second server, with nothing special
        self.ports: list[dict[str, Any]] = []

    def signed(self, server_id: str) -> dict[str, str]:
        secret = self.cloud.cloud.config.secret("metadata_secret")
        return {"x-instance-id": server_id, "x-instance-id-signature": signature(secret, server_id)}

    def ask(
        self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> httpx2.Response:
        """`headers` None: as the host's agent signs them for the first server."""
        sent = self.signed(self.server["id"]) if headers is None else dict(headers)
        return self.runner.run(self.http.request(method, path, headers=sent, content=body))

    def text(self, path: str) -> str:
        reply = self.ask(path)
        assert reply.status_code == 200, f"{path}: {reply.text}"
        return reply.text

    def api(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = self.runner.run(self.cloud.ask(method, path, body))
        assert status < 300, answer
        return answer

    def network(self, name: str, subnet: Mapping[str, Any], addresses: tuple[str, ...]) -> str:
        """A network of one subnet, and the id of a port on it."""
        made = self.api("POST", "/network/v2.0/networks", {"network": {"name": name}})["network"]["id"]
        wish = {"network_id": made, "ip_version": 4, **subnet}
        self.api("POST", "/network/v2.0/subnets", {"subnet": wish})
        port = {"network_id": made, "fixed_ips": [{"ip_address": address} for address in addresses]}
        shown: dict[str, Any] = self.api("POST", "/network/v2.0/ports", {"port": port})["port"]
        self.ports.append(shown)
        return str(shown["id"])

    def boot(self, name: str, **more: Any) -> dict[str, Any]:
        async def booted() -> dict[str, Any]:
            return await self.cloud.settled(await self.cloud.boot(name, **more), "ACTIVE")

        return self.runner.run(booted())


@pytest.fixture(scope="package")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    with asyncio.Runner() as runner:
        living = living_cloud(tmp_path_factory.mktemp("metadata"))
        made = Guest(runner, runner.run(living.__aenter__()))
        try:
            fixed = {
                "cidr": "10.77.0.0/24",
                "enable_dhcp": False,
                "dns_nameservers": ["10.77.0.53", "10.77.0.54"],
                "host_routes": [{"destination": "192.168.5.0/24", "nexthop": "10.77.0.7"}],
            }
            ports = [
                made.network("fixed", fixed, FIXED),
                made.network("dhcp", {"cidr": "10.78.0.0/24", "gateway_ip": None}, DHCP),
            ]
            key = {"name": "my key", "public_key": PUBLIC_KEY}
            made.api("POST", "/compute/v2.1/os-keypairs", {"keypair": key})
            made.server = made.boot(
                "First Guest",
                networks=[{"port": port} for port in ports],
                key_name="my key",
                user_data=base64.b64encode(USER_DATA).decode(),
                metadata={"role": "wéb", "tier": "1"},
                config_drive=True,
                adminPass="a-secret-of-the-guest",
            )
            made.bare = made.boot("bare")
            yield made
        finally:
            runner.run(made.http.aclose())
            runner.run(living.__aexit__(None, None, None))
