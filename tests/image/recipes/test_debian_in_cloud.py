"""The Debian guest in a real cloud: built, added and booted by the commands of the guide. PILEUS_SLOW_TESTS=1 runs it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pileus.image.recipes import debian
from tests.image.recipes.guest import make_key
from tests.image.recipes.test_debian_boot import BOOT_SECONDS, CACHE
from tests.system.installation import Installation, installation, wait_for
from tests.system.namespace import network_namespace

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(os.geteuid() != 0, reason="guests and networks need root"),
    pytest.mark.skipif("PILEUS_SLOW_TESTS" not in os.environ, reason="takes minutes: PILEUS_SLOW_TESTS=1 runs it"),
]
SSH = (
    *("ssh", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"),
    *("-o", "BatchMode=yes", "-o", "ConnectTimeout=10"),
)


@pytest.fixture
def cloud() -> Iterator[Installation]:
    folder = Path(tempfile.mkdtemp(prefix="pileus-debian-", dir="/var/tmp"))
    folder.chmod(0o711)
    try:
        image = debian.build(folder / "debian.qcow2", cache=CACHE)  # before there is no way out
        with network_namespace(f"debian-{os.getpid()}"), installation(folder / "state") as cloud:
            cloud.pileus("image", "add", str(image), "--name", "debian-12")
            yield cloud
    finally:
        shutil.rmtree(folder)


def test_debian_in_this_cloud(cloud: Installation, tmp_path: Path) -> None:
    def one(path: str, kind: str) -> Any:
        return cloud.call("GET", path)[kind][0]

    key = {"name": "mine", "public_key": make_key(tmp_path)}
    cloud.call("POST", "/compute/v2.1/os-keypairs", {"keypair": key}, version="compute 2.1")
    group = one("/network/v2.0/security-groups?name=default", "security_groups")
    rule = {"security_group_id": group["id"], "direction": "ingress", "protocol": "tcp", "port_range_min": 22}
    cloud.call("POST", "/network/v2.0/security-group-rules", {"security_group_rule": rule | {"port_range_max": 22}})
    image = one("/image/v2/images?name=debian-12", "images")
    assert (image["disk_format"], image["min_disk"]) == ("qcow2", 2)
    server_id = cloud.boot("whole-debian", imageRef=image["id"], flavorRef="2", key_name="mine", config_drive=True)
    cloud.wait_active(server_id)
    port = one(f"/network/v2.0/ports?device_id={server_id}", "ports")
    public = one("/network/v2.0/networks?name=public", "networks")
    floating = {"floating_network_id": public["id"], "port_id": port["id"]}
    made = cloud.call("POST", "/network/v2.0/floatingips", {"floatingip": floating})
    address = made["floatingip"]["floating_ip_address"]

    def ask(command: str) -> str:
        call = (*SSH, "-i", str(tmp_path / "key"), f"debian@{address}", command)
        return subprocess.run(call, capture_output=True, text=True, timeout=120, check=False).stdout

    def console() -> str:
        body = {"os-getConsoleOutput": {"length": 200}}
        output: str = cloud.call("POST", f"/compute/v2.1/servers/{server_id}/action", body)["output"]
        return output

    wait_for("cloud-init", lambda: "finished at" in console(), BOOT_SECONDS, 5)
    assert wait_for("SSH", lambda: ask("hostname"), 60, 2) == "whole-debian\n"
    assert "DataSourceConfigDrive" in ask("cat /run/cloud-init/result.json")
    assert server_id in ask("curl -s http://169.254.169.254/openstack/latest/meta_data.json")
    assert int(ask("df -BG --output=size / | tail -n 1").strip(" G\n")) >= 19
    assert ask("systemctl --failed --quiet --no-legend") == ""
    cloud.call("DELETE", f"/compute/v2.1/servers/{server_id}")
    cloud.wait_gone(server_id)
