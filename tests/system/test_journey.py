"""The newcomer's journey, with the real client and a real guest: docs/walks/post-servers.md in motion."""

import json
import subprocess
from functools import partial
from pathlib import Path

from tests.system.client import OpenStack
from tests.system.installation import Installation, wait_for

SSH = (
    *("ssh", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"),
    *("-o", "BatchMode=yes", "-o", "ConnectTimeout=5"),
)


def ssh(address: str, key: Path, command: str) -> str | None:
    """Output of a command in the guest, or None when it can not be reached."""
    done = subprocess.run(
        [*SSH, "-i", str(key), f"cirros@{address}", command], capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout if done.returncode == 0 else None


def test_journey(cloud: Installation, tmp_path: Path) -> None:
    openstack = OpenStack(cloud.state / "clouds.yaml", "pileus-demo")
    admin = OpenStack(cloud.state / "clouds.yaml", "pileus")
    assert openstack("token", "issue")["project_id"]
    catalog = {entry["Type"] for entry in openstack("catalog", "list")}
    assert {"identity", "image", "network", "compute", "placement"} <= catalog

    saved = tmp_path / "pico.qcow2"
    openstack.text("image", "save", "--file", str(saved), "pico")
    openstack("image", "create", "--file", str(saved), "--disk-format", "qcow2", "mine")
    assert {"pico", "mine"} <= {image["Name"] for image in openstack("image", "list")}
    image = openstack("image", "show", "mine")
    assert (image["status"], image["size"]) == ("active", saved.stat().st_size)

    openstack("network", "create", "lan")
    openstack("subnet", "create", "--network", "lan", "--subnet-range", "10.99.0.0/24", "lan-v4")
    openstack("router", "create", "gateway")
    openstack.text("router", "set", "--external-gateway", "public", "gateway")
    openstack.text("router", "add", "subnet", "gateway", "lan-v4")
    openstack("security", "group", "create", "shell")
    openstack("security", "group", "rule", "create", "--protocol", "icmp", "shell")
    openstack("security", "group", "rule", "create", "--protocol", "tcp", "--dst-port", "22", "shell")
    key = tmp_path / "key"
    openstack.text("keypair", "create", "--private-key", str(key), "mykey")
    key.chmod(0o600)
    assert "m1.nano" in {flavor["Name"] for flavor in openstack("flavor", "list")}

    server = openstack(
        *("server", "create", "--wait", "--image", "mine", "--flavor", "m1.nano", "--network", "lan"),
        *("--security-group", "shell", "--key-name", "mykey", "first-light"),
    )
    assert server["status"] == "ACTIVE"
    assert "first-light" in {row["Name"] for row in openstack("server", "list")}
    shown = openstack("server", "show", "first-light")
    fixed = shown["addresses"]["lan"][0]
    ports = [port["ID"] for port in openstack("port", "list", "--server", server["id"])]
    assert ports

    wait_for(
        "login line", lambda: "login as 'cirros' user" in openstack.text("console", "log", "show", "first-light"), 60, 1
    )
    assert "Linux version" in openstack.text("console", "log", "show", "first-light")

    floating = openstack("floating", "ip", "create", "public")["floating_ip_address"]
    openstack.text("server", "add", "floating", "ip", "first-light", floating)
    ping = ["ping", "-c", "1", "-W", "1", floating]
    wait_for("ping", lambda: subprocess.run(ping, capture_output=True, check=False).returncode == 0, 60, 0.2)
    assert wait_for("SSH", lambda: ssh(floating, key, "hostname"), 60, 0.5).strip() == "first-light"

    metadata = "http://169.254.169.254"
    document = json.loads(ssh(floating, key, f"curl -s {metadata}/openstack/latest/meta_data.json") or "")
    assert (document["uuid"], document["name"]) == (server["id"], "first-light")
    listing = (ssh(floating, key, f"curl -s {metadata}/latest/meta-data/") or "").split()
    assert {"instance-id", "local-ipv4", "public-keys/"} <= set(listing)
    assert ssh(floating, key, f"curl -s {metadata}/latest/meta-data/local-ipv4") == fixed
    assert ssh(floating, key, f"curl -s {metadata}/latest/meta-data/public-ipv4") == floating
    assert "ssh" in (ssh(floating, key, "cat ~/.ssh/authorized_keys") or "")
    routes = ssh(floating, key, "ip route") or ""
    assert "default via 10.99.0.1" in routes
    assert "169.254.169.254 via" in routes

    def boot_id() -> str | None:
        return ssh(floating, key, "cat /proc/sys/kernel/random/boot_id")

    def rebooted(before: str | None) -> bool:
        return boot_id() not in (before, None)

    for kind in ("--soft", "--hard"):
        before = boot_id()
        openstack.text("server", "reboot", "--wait", kind, "first-light")
        wait_for(f"{kind} reboot", partial(rebooted, before), 90, 0.5)
    openstack.text("server", "stop", "first-light")
    wait_for("SHUTOFF", lambda: openstack("server", "show", "first-light")["status"] == "SHUTOFF", 60, 1)
    assert cloud.guests_of(server["id"]) == []
    openstack.text("server", "start", "first-light")
    wait_for("ACTIVE", lambda: openstack("server", "show", "first-light")["status"] == "ACTIVE", 60, 1)
    wait_for("SSH after start", lambda: ssh(floating, key, "true") is not None, 60, 0.5)
    openstack.text("server", "pause", "first-light")
    wait_for("PAUSED", lambda: openstack("server", "show", "first-light")["status"] == "PAUSED", 30, 1)
    assert ssh(floating, key, "true") is None
    openstack.text("server", "unpause", "first-light")
    wait_for("SSH after unpause", lambda: ssh(floating, key, "true") is not None, 60, 0.5)

    openstack.text("server", "delete", "--wait", "first-light")
    wait_for("no trace", lambda: cloud.traces(server["id"], ports) == [], 15, 0.5)
    assert [port["ID"] for port in admin("port", "list") if port["ID"] in ports] == []
    usage = admin("hypervisor", "list", "--long")
    assert usage
