"""Asking whether a server would boot: the same answer as a boot gives, and nothing is left of the question."""

from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from pileus.compute.servers.models import Server
from pileus.network.ports.models import Port
from pileus.placement.allocations.models import Allocation
from tests.compute.test_life import run
from tests.living import Living

PATH = "/compute/v2.1/pileus-boot-forecasts"


def counts(cloud: Living) -> list[int | None]:
    with cloud.cloud.db.reading() as db:
        return [db.scalar(select(func.count()).select_from(model)) for model in (Server, Port, Allocation)]


def wish(cloud: Living, **more: Any) -> dict[str, Any]:
    return {"server": {"name": "x", "imageRef": cloud.image_id, "flavorRef": "42", "networks": "auto", **more}}


def test_a_forecast_writes_nothing(tmp_path: Path) -> None:
    async def story(cloud: Living) -> None:
        before = counts(cloud)
        status, body = await cloud.ask("POST", PATH, wish(cloud, min_count=2))
        assert (status, body) == (
            200,
            {"boot_forecast": {"fits": True, "servers": 2, "summary": "This would boot now."}},
        )
        status, body = await cloud.ask("POST", PATH, wish(cloud, networks="none"), user="admin")
        assert body["boot_forecast"]["hosts"] == ["host1"] and body["boot_forecast"]["refusals"] == []
        assert counts(cloud) == before
        await cloud.boot("real")
        assert counts(cloud) != before

    run(tmp_path, story)


def test_a_forecast_refuses_as_a_boot_does(tmp_path: Path) -> None:
    async def story(cloud: Living) -> None:
        flavor = {"name": "wide", "ram": 64, "vcpus": 1, "disk": 10**8}
        _, body = await cloud.ask("POST", "/compute/v2.1/flavors", {"flavor": flavor}, user="admin")
        wide = {"flavorRef": body["flavor"]["id"], "networks": "none"}
        status, body = await cloud.ask("POST", PATH, wish(cloud, **wide))
        forecast = body["boot_forecast"]
        assert (status, forecast["fits"], set(forecast)) == (200, False, {"fits", "servers", "summary"})
        assert forecast["summary"] == (
            "0 of 1 would boot now. No valid host was found. 1 host: 1 lacks 100000000 DISK_GB (Placement)"
        )
        _, body = await cloud.ask("POST", PATH, wish(cloud, **wide), user="admin")
        (refusal,) = body["boot_forecast"]["refusals"]
        assert (refusal["host"], refusal["filter"]) == ("host1", "Placement")
        assert refusal["reason"].startswith("lacks 100000000 DISK_GB: it gives at most ")
        for bad, said in (
            ({"flavorRef": "none"}, 400),
            ({"imageRef": "none"}, 400),
            ({"min_count": 11, "networks": "none"}, 403),
        ):
            status, _ = await cloud.ask("POST", PATH, wish(cloud, **bad))
            same, _ = await cloud.ask("POST", "/compute/v2.1/servers", wish(cloud, **bad))
            assert status == same == said, bad
        assert counts(cloud)[0] == 0

    run(tmp_path, story)
