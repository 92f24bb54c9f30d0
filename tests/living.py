"""The whole cloud alive in one process: API, reconcilers and an agent with fake drivers, no privileges and no sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import text

from pileus.cli.audit import findings
from pileus.composition import SERVICES
from pileus.compute.agent.guests import Guests
from pileus.compute.agent.journal import Journal, boot_id
from pileus.compute.agent.loop import Agent
from pileus.compute.drivers.base import Driver
from pileus.compute.hosts.desk import Desk
from pileus.compute.servers.models import Server
from pileus.compute.servers.reconcile import Servers
from pileus.identity import internal as identity
from pileus.image import internal as images
from pileus.kernel.bus.base import CONTROL
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.app import App
from pileus.kernel.reconcile import Reconciler
from pileus.roles.agent import drivers, host_network
from tests.whole import whole_cloud

Json = dict[str, Any]


class Living:
    """A cloud, a client of it, and the knobs that tests turn."""

    def __init__(self, folder: Path, cloud: Cloud, interval: float) -> None:
        self.folder = folder
        self.cloud = cloud
        self.interval = interval
        self.image = folder / "blank.raw"
        self.image.write_bytes(bytes(1 << 20))
        self.reconciler = Reconciler(
            "servers", Server, Servers(cloud).step, cloud.db, lease_seconds=2, interval=interval
        )
        self.driver, self.network = drivers(cloud.config, "host1")
        self._tasks: list[asyncio.Task[None]] = []
        self._agent: asyncio.Task[None] | None = None
        app = App(cloud, SERVICES)
        self.http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1:8780")
        self.tokens: dict[str, str] = {}

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        desk = Desk(self.cloud, lambda server_id: loop.call_soon_threadsafe(self.reconciler.poke, server_id))
        await self.cloud.bus.serve(CONTROL, desk.handle)
        self._tasks.append(asyncio.create_task(self.reconciler.run()))
        with self.cloud.db.reading() as db:
            admin = identity.project_id(db, "admin")
        assert admin is not None
        self.image_id = images.import_file(
            self.cloud, self.image, name="pico", disk_format="raw", owner=admin, visibility="public", properties={}
        )
        self.driver.start()
        await self.start_agent()

    async def start_agent(self, driver: Driver | None = None) -> None:
        """A new agent process, as far as state goes: the journal is read anew. `driver` may be one that fails."""
        guests = Guests(driver or self.driver, Journal(self.folder / "agent"), lambda ref: self.image, boot_id())
        settings = host_network(self.cloud.config, "host1")
        agent = Agent(
            self.cloud.bus,
            driver or self.driver,
            self.network,
            settings,
            guests,
            mechanism="fake",
            interval=self.interval,
        )
        self._agent = asyncio.create_task(agent.run())
        await self.until("the host", lambda: self._hosts() == 1)

    async def kill_agent(self) -> None:
        assert self._agent is not None
        self._agent.cancel()
        await asyncio.gather(self._agent, return_exceptions=True)

    def _hosts(self) -> int:
        from pileus.placement import internal as placement

        with self.cloud.db.reading() as db:
            return len(placement.supplies(db))

    async def stop(self) -> None:
        await self.kill_agent()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.http.aclose()

    async def until(self, what: str, look: Callable[[], bool], seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while not look():
                await asyncio.sleep(0.01)

    async def token(self, user: str) -> str:
        if user not in self.tokens:
            secret = self.cloud.config.secret(f"{user}_password")
            password = {"user": {"name": user, "domain": {"id": "default"}, "password": secret}}
            scope = {"project": {"name": user, "domain": {"id": "default"}}}
            body = {"auth": {"identity": {"methods": ["password"], "password": password}, "scope": scope}}
            reply = await self.http.post("/identity/v3/auth/tokens", json=body)
            assert reply.status_code == 201, reply.text
            self.tokens[user] = reply.headers["x-subject-token"]
        return self.tokens[user]

    async def ask(
        self, method: str, path: str, body: Any = None, user: str = "demo", version: str = "compute 2.96"
    ) -> tuple[int, Any]:
        headers = {"x-auth-token": await self.token(user), "openstack-api-version": version}
        reply = await self.http.request(method, path, json=body, headers=headers)
        return reply.status_code, reply.json() if reply.content else None

    async def boot(self, name: str = "one", **more: Any) -> str:
        wish = {"name": name, "imageRef": self.image_id, "flavorRef": "42", "networks": "none"} | more
        status, body = await self.ask("POST", "/compute/v2.1/servers", {"server": wish})
        assert status == 202, body
        made: str = body["server"]["id"]
        return made

    async def act(self, server_id: str, action: Mapping[str, Any]) -> None:
        status, body = await self.ask("POST", f"/compute/v2.1/servers/{server_id}/action", dict(action))
        assert status == 202, body

    async def show(self, server_id: str) -> Json | None:
        status, body = await self.ask("GET", f"/compute/v2.1/servers/{server_id}", user="admin")
        return body["server"] if status == 200 else None

    async def settled(self, server_id: str, status: str, seconds: float = 10) -> Json:
        """The server, once it has that status and no task."""
        found: Json | None = None
        try:
            async with asyncio.timeout(seconds):
                while True:
                    found = await self.show(server_id)
                    if found and found["status"] == status and found["OS-EXT-STS:task_state"] is None:
                        return found
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"not {status} within {seconds} s: {found}") from None

    async def gone(self, server_id: str, seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while await self.show(server_id) is not None:
                await asyncio.sleep(0.01)

    def traces(self, server_id: str) -> list[str]:
        """Everything that still speaks of the server: must be empty once it is gone."""
        found = [f"guest {g}" for g in self.driver.guests() if g == server_id]
        found += [f"disk of {d}" for d in self.driver.disk_ids() if d == server_id]
        found += [str(path) for path in self.folder.rglob(f"*{server_id}*")]
        with self.cloud.db.engine.connect() as connection:
            for table, column in (
                ("servers", "id"),
                ("guests", "server_id"),
                ("allocations", "consumer_id"),
                ("consumers", "id"),
                ("instance_actions", "server_id"),
                ("ports", "device_id"),
            ):
                rows = connection.execute(
                    text(f"SELECT count(*) FROM {table} WHERE {column} = :id"), {"id": server_id}
                ).scalar()
                found += [f"{rows} rows in {table}"] if rows else []
        return found


@asynccontextmanager
async def living_cloud(
    folder: Path,
    *,
    interval: float = 0.2,
    overrides: Mapping[str, Any] | None = None,
    file: Path | None = None,
) -> AsyncIterator[Living]:
    """`interval`: seconds between looks when nothing hints at news, for the agent and the reconciler. `file`: a configuration."""
    with whole_cloud(folder, seeds=True, overrides=overrides, file=file) as cloud:
        living = Living(folder, cloud, interval)
        await living.start()
        try:
            yield living
        finally:
            await living.stop()
        with cloud.db.reading() as db:
            assert findings(db) == [], "what `pileus audit` would say after the test"
