"""Compute by itself, over HTTP in this process: callers by project and roles, rows of hosts and servers made directly."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from starlette.testclient import TestClient

from pileus.compute.drivers.base import HostFacts
from pileus.compute.guests.models import Guest
from pileus.compute.hosts import register
from pileus.compute.hosts.models import Host
from pileus.compute.manifest import MANIFEST
from pileus.compute.servers.models import Server
from pileus.compute.settings import ComputeSettings
from pileus.identity.projects.models import ROOT, Project
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from pileus.kernel.context import Authenticator
from pileus.kernel.http.app import App
from tests.cloud import Tokens, cloud_of


class Caller:
    """Answers must have the status that the test names; what comes back is their JSON."""

    def __init__(self, client: TestClient, token: str) -> None:
        self.client = client
        self.token = token

    def ask(self, method: str, path: str, status: int, body: object = None, version: str = "2.96") -> Any:
        headers = {"x-auth-token": self.token, "openstack-api-version": f"compute {version}"}
        reply = self.client.request(method, f"/compute/v2.1{path}", json=body, headers=headers)
        assert reply.status_code == status, f"{method} {path}: {reply.status_code} {reply.text}"
        return reply.json() if reply.content else None

    def get(self, path: str, status: int = 200, version: str = "2.96") -> Any:
        return self.ask("GET", path, status, None, version)

    def post(self, path: str, body: object, status: int = 200, version: str = "2.96") -> Any:
        return self.ask("POST", path, status, body, version)

    def put(self, path: str, body: object = None, status: int = 200, version: str = "2.96") -> Any:
        return self.ask("PUT", path, status, body, version)

    def delete(self, path: str, status: int = 204, version: str = "2.96") -> Any:
        return self.ask("DELETE", path, status, None, version)

    def refused(self, method: str, path: str, status: int, body: object = None, version: str = "2.96") -> str:
        """The message of a refusal, which has compute's form."""
        (fault,) = self.ask(method, path, status, body, version).values()
        assert fault["code"] == status
        return str(fault["message"])


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with cloud_of(tmp_path, MANIFEST) as cloud:
        cloud.add(Tokens(), Authenticator)
        with cloud.db.writing() as db:
            db.add(Project(id="default", domain_id=ROOT, name="Default", is_domain=True))
            db.flush()
            db.add_all(Project(id=p, domain_id="default", parent_id="default", name=p) for p in ("p1", "p2", "ops"))
        assert MANIFEST.seed is not None
        MANIFEST.seed(cloud)
        yield cloud


@pytest.fixture
def client(cloud: Cloud) -> TestClient:
    return TestClient(App(cloud, [MANIFEST]), raise_server_exceptions=False)


@pytest.fixture
def member(client: TestClient) -> Caller:
    return Caller(client, "p1:member,reader")


@pytest.fixture
def reader(client: TestClient) -> Caller:
    return Caller(client, "p1:reader")


@pytest.fixture
def other(client: TestClient) -> Caller:
    """A member of another project."""
    return Caller(client, "p2:member,reader")


@pytest.fixture
def admin(client: TestClient) -> Caller:
    return Caller(client, "ops:admin,manager,member,reader")


Maker = Callable[..., str]


@pytest.fixture
def host(cloud: Cloud) -> Maker:
    """Makes a host that is up, with 4 CPUs, 8 GiB and 100 GB; gives its id."""

    def make(name: str) -> str:
        with cloud.db.writing() as db:
            facts = HostFacts("QEMU", 8002000, 4, 8192, 100, {"arch": "x86_64"})
            return register.host(db, cloud.settings(ComputeSettings), name, "192.0.2.1", facts).id

    return make


@pytest.fixture
def server(cloud: Cloud) -> Maker:
    """Makes a running server of a project, on a host if one is named; gives its id."""

    def make(project: str = "p1", host: str | None = None, **more: Any) -> str:
        with cloud.db.writing() as db:
            row = db.query(Host).filter(Host.name == host).one() if host else None
            sizes = {"name": "m1.nano", "vcpus": 1, "ram": 128, "disk": 1, "ephemeral": 0, "swap": 0, "extra_specs": {}}
            made = Server(
                project_id=project,
                user_id=f"user-of-{project}",
                name="web",
                hostname="web",
                reservation_id="r-1",
                flavor_id="42",
                flavor=sizes,
                host_id=row.id if row else None,
                host=host,
                launched_at=clock.now(),
                **more,
            )
            db.add(made)
            db.flush()
            if host:
                db.add(Guest(server_id=made.id, host=host, state="running", generation=1))
            return made.id

    return make


@pytest.fixture
def queries() -> Callable[[], Any]:
    """`with queries() as seen:` gathers the statements that read."""

    @contextmanager
    def counting() -> Iterator[list[str]]:
        seen: list[str] = []

        def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if statement.lstrip().upper().startswith("SELECT"):
                seen.append(statement)

        event.listen(Engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(Engine, "before_cursor_execute", note)

    return counting
