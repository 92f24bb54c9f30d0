"""What a new cloud starts with, made twice."""

from pathlib import Path

from starlette.testclient import TestClient

from pileus.kernel.http.app import App
from pileus.network import internal
from pileus.network.manifest import MANIFEST
from pileus.network.seed import seed
from tests.network.api.client import Api
from tests.whole import whole_cloud


def test_seeds_are_there_once(tmp_path: Path) -> None:
    with whole_cloud(tmp_path, seeds=True) as cloud:
        seed(cloud)
        with cloud.db.writing() as db:
            internal.register_host(db, "h1", "192.0.2.1", ["public"], "fake")
        with cloud.db.reading() as db:
            shot = internal.snapshot(db, "h1")
        password = (tmp_path / "secrets" / "demo_password").read_text().strip()
        http = TestClient(App(cloud, list(cloud.manifests.values())))
        user = {"name": "demo", "domain": {"id": "default"}, "password": password}
        scope = {"project": {"name": "demo", "domain": {"id": "default"}}}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
        demo = Api(http, http.post("/identity/v3/auth/tokens", json=body).headers["x-subject-token"])
        assert {one["name"]: one["router:external"] for one in demo.list("network")} == {
            "public": True,
            "private": False,
        }
        assert {one["name"]: one["cidr"] for one in demo.list("subnet")} == {
            "public-subnet": "172.24.4.0/24",
            "private-subnet": "10.1.0.0/24",
        }
        (router,) = demo.list("router")
        assert router["name"] == "router1" and router["external_gateway_info"]["enable_snat"] is True
        assert [one["name"] for one in demo.list("security_group")] == ["default"]
    assert MANIFEST.seed is seed
    assert len(shot.networks) == 2 and [one.id for one in shot.routers] == [router["id"]]
