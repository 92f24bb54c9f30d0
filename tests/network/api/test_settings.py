"""The section's values reach the code, and wrong ones stop the start."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pileus.kernel.cloud import Cloud
from pileus.kernel.config import ConfigError
from pileus.network import settings
from pileus.network.manifest import setup
from pileus.network.settings import NetworkSettings
from tests.network.api.client import Api


def test_values_are_found_by_the_session(cloud: Cloud, member: Api) -> None:
    settings.register(cloud.db.url, NetworkSettings(quota_network=1, mtu=9000, vni_ranges=("77:77",)))
    assert member.make("network")["mtu"] == 8950
    assert member.refused(409, "network") == "OverQuota"
    settings.register(cloud.db.url, NetworkSettings(vni_ranges=("77:77",)))
    assert member.refused(409, "network") == "NoNetworkAvailable"


@pytest.mark.parametrize(
    "wrong",
    [
        {"vni_ranges": ("9:1",)},
        {"vni_ranges": ("x",)},
        {"tenant_network_types": ("gre",)},
        {"type_drivers": ("magic",)},
    ],
)
def test_wrong_values_stop_the_start(tmp_path: Path, wrong: Mapping[str, Any]) -> None:
    own = NetworkSettings(**wrong)
    cloud = SimpleNamespace(settings=lambda _kind: own, db=SimpleNamespace(url=f"sqlite:///{tmp_path}/x"))
    with pytest.raises(ConfigError, match=r"section \[network\]"):
        setup(cast(Cloud, cloud))
