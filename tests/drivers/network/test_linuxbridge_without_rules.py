"""When the kernel refuses the rules: what was guarded stays guarded, and nothing new is plugged."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.network.agent.l2.lab import namespace, new_id, port_of

from pileus.network.agent.firewall import rules
from pileus.network.agent.names import tap_name
from pileus.network.agent.namespaces import ProgramFailed, entered
from pileus.network.agent.netlink import Netlink
from pileus.network.agent.snapshot import HostNetwork, Network, Snapshot
from pileus.network.drivers.linuxbridge import LinuxBridgeDriver

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces: needs root"),
]


def test_a_new_port_is_kept_off_its_bridge_until_its_rules_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(new_id(), "local", None, None, 1400, ())
    old, new = (port_of(network.id, f"fa:16:3e:00:00:0{number}", f"10.0.0.{number}") for number in (1, 2))
    wanted = Snapshot("h", 2, (network,), (old, new))

    def refuse(text: str, *options: str) -> str:
        raise ProgramFailed("nft ended with 1: out of memory")

    with TemporaryDirectory(prefix="plt-") as state, namespace("host") as host, entered(host):
        Path(state).chmod(0o755)
        driver = LinuxBridgeDriver(HostNetwork("h", state, "127.0.0.1"))
        driver.start()
        try:
            assert driver.apply(Snapshot("h", 1, (network,), (old,))).ports_up == (old.id,)
            with monkeypatch.context() as broken:
                broken.setattr(rules, "_nft", refuse)
                report = driver.apply(wanted)
            assert report.ports_up == (old.id,)
            assert "out of memory" in report.faults[new.id]
            with Netlink() as netlink:
                assert tap_name(old.id) in netlink.links()
                assert tap_name(new.id) not in netlink.links()
            assert set(driver.apply(wanted).ports_up) == {old.id, new.id}
        finally:
            driver.stop(remove=True)
