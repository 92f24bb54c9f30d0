"""One guest under TCG on a network of its own: a namespace with a tap, DHCP and, if wanted, a metadata service."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

ADDRESS, GATEWAY, METADATA_ADDRESS, MAC = "10.77.0.5", "10.77.0.1", "169.254.169.254", "52:54:00:77:00:05"
LOGIN_LINE = "login as 'cirros' user. default password: 'gocubsgo'. use 'sudo' for root."
PASSWORDLESS = ("-o", "BatchMode=yes", "-o", "PreferredAuthentications=publickey")

_RESPONDER = """
import http.server, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments): pass
http.server.ThreadingHTTPServer((sys.argv[1], 80), lambda *a: Handler(*a, directory=sys.argv[2])).serve_forever()
"""


class Network:
    """A namespace whose tap leads to one guest; DHCP hands out ADDRESS, MTU 1400 and classless routes."""

    def __init__(self, folder: Path, documents: Path | None = None) -> None:
        self.name = f"pico-{os.getpid()}"
        self._folder = folder
        self._documents = documents
        self._exit = ExitStack()

    def __enter__(self) -> "Network":
        _run("ip", "netns", "add", self.name)
        self._exit.callback(_run, "ip", "netns", "delete", self.name)
        for command in (
            "link set lo up",
            "tuntap add dev tap0 mode tap",
            "link set tap0 up",
            f"address add {GATEWAY}/24 dev tap0",
            f"address add {METADATA_ADDRESS}/32 dev tap0",
        ):
            self.run("ip", *command.split())
        routes = f"{METADATA_ADDRESS}/32,{GATEWAY},0.0.0.0/0,{GATEWAY}"
        self.start(
            *("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=tap0"),
            *(f"--dhcp-range={GATEWAY},static", f"--dhcp-host={MAC},{ADDRESS}", "--leasefile-ro", "--no-ping"),
            *(f"--dhcp-option=option:classless-static-route,{routes}", "--dhcp-option-force=option:mtu,1400"),
            *("--dhcp-option=option:dns-server,10.77.0.1", f"--pid-file={self._folder}/dnsmasq.pid"),
        )
        if self._documents:
            self.start(sys.executable, "-c", _RESPONDER, METADATA_ADDRESS, str(self._documents))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()

    def inside(self, *command: str) -> tuple[str, ...]:
        return ("nsenter", f"--net=/run/netns/{self.name}", *command)

    def run(self, *command: str) -> str:
        return _run(*self.inside(*command))

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(self.inside(*command), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._exit.callback(_end, process)
        return process


class Guest:
    """A running qemu with an overlay of `image`, one CPU and a virtio disk and NIC on `network`."""

    def __init__(
        self,
        network: Network,
        image: Path,
        folder: Path,
        *,
        memory: int = 128,
        disk: str = "1G",
        more: Sequence[str] = (),
    ) -> None:
        self._network = network
        self._folder = folder
        self.key = folder / "key"
        self._monitor = folder / "monitor"
        overlay = folder / "overlay.qcow2"
        _run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(image), str(overlay), disk)
        self.started = time.monotonic()
        self.process = network.start(
            *("qemu-system-x86_64", "-nodefaults", "-machine", "pc,accel=tcg", "-cpu", "max", "-m", str(memory)),
            *("-vga", "std", "-display", "none", "-serial", f"file:{folder}/console"),
            *("-qmp", f"unix:{self._monitor},server,wait=off"),
            *("-drive", f"file={overlay},if=none,id=root", "-device", "virtio-blk-pci,drive=root,bootindex=1"),
            *("-netdev", "tap,id=net,ifname=tap0,script=no,downscript=no"),
            *("-device", f"virtio-net-pci,netdev=net,mac={MAC},romfile=", "-device", "virtio-rng-pci", *more),
        )

    @property
    def console(self) -> str:
        file = self._folder / "console"
        return file.read_text(errors="replace") if file.exists() else ""

    def ssh(self, command: str, *options: str, user: str = "cirros") -> subprocess.CompletedProcess[str]:
        """Run `command` in the guest; the exit status is the command's, or 255 if there is no connection."""
        trust = ("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR")
        ssh = ("ssh", "-i", str(self.key), *trust, "-o", "ConnectTimeout=2", *(options or PASSWORDLESS))
        call = self._network.inside(*ssh, f"{user}@{ADDRESS}", command)
        return subprocess.run(call, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)

    def wait_for_ssh(self, seconds: float = 60) -> float:
        """Seconds from the start of qemu until a command ran over SSH."""
        self.wait(lambda: self.ssh("true").returncode == 0, seconds, pause=0.05)
        return time.monotonic() - self.started

    def wait(self, happened: Callable[[], bool], seconds: float, *, pause: float = 0.1) -> None:
        deadline = time.monotonic() + seconds
        while not happened():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {seconds} s in vain; the console ends with\n{self.console[-3000:]}")
            time.sleep(pause)

    def monitor(self, command: str, **arguments: object) -> object:
        """Run one QMP command and return what it returned."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._monitor))
            with connection.makefile("rw") as stream:
                stream.readline()
                for message in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                    stream.write(json.dumps(message) + "\n")
                    stream.flush()
                    while not ((reply := json.loads(stream.readline())).keys() & {"return", "error"}):
                        pass
        if "error" in reply:
            raise AssertionError(f"{command}: {reply['error']}")
        result: object = reply["return"]
        return result


def make_key(folder: Path, kind: str = "ecdsa") -> str:
    """A key pair in `folder`; its public half."""
    _run("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(folder / "key"))
    return (folder / "key.pub").read_text().strip()


def write_documents(folder: Path, key: str, *, hostname: str, user_data: str | None = None) -> Path:
    """The tree of OpenStack's metadata below `folder`, as the service serves it and the config drive holds it."""
    latest = folder / "openstack/latest"
    latest.mkdir(parents=True)
    document = {
        "uuid": "5ea1ed00-0000-4000-8000-000000000001",
        "name": hostname,
        "hostname": f"{hostname}.novalocal",
        "meta": {"hostname": "not-this-one"},
        "public_keys": {"mine": f"{key}\n"},
    }
    (latest / "meta_data.json").write_text(json.dumps(document))
    if user_data is not None:
        (latest / "user_data").write_text(user_data)
    return folder


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise AssertionError(f"{' '.join(command)}: {done.stderr or done.stdout}")
    return done.stdout


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
