"""Draw `session.svg`: a real terminal session with a real cloud. As root, from the clone: `python3 -m docs.images.render [FILE]`.

The commands below run in one shell, in a network namespace of their own, with the newest client from PyPI; what they print
is drawn as it came. Not shown: the wait until the guest's SSH answers. The cloud is taken down and its folder removed.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path

from tests.system.client import install
from tests.system.namespace import network_namespace

HERE = Path(__file__).parent
CLONE = HERE.parents[1]
FOLDER = Path("/srv/pileus-session")  # the session's own: nothing else may be there
STATE = FOLDER / "state"
SESSION = (
    f"./pileus up --detach --state {STATE}",
    f"export OS_CLIENT_CONFIG_FILE={STATE}/clouds.yaml OS_CLOUD=pileus-demo",
    "openstack keypair create mine > key; chmod 600 key",
    "openstack security group rule create --protocol tcp --dst-port 22 default > /dev/null",
    "openstack server create --image pico --flavor m1.nano --network private --key-name mine --wait first > /dev/null",
    "ip=$(openstack floating ip create public -f value -c floating_ip_address)",
    "openstack server add floating ip first $ip",
    "openstack server list -c Name -c Status -c Networks -c Image -c Flavor",
    "ssh -F ssh.conf -i key cirros@$ip 'hostname; uname -sr; curl -s 169.254.169.254/latest/meta-data/local-ipv4'",
)
UNTIL_SSH = "for n in $(seq 60); do ssh -F ssh.conf -i key cirros@$ip true 2> /dev/null && break; sleep 1; done"
SSH_CONF = "StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nLogLevel ERROR\nBatchMode yes\nConnectTimeout 5\n"
END = "--the-command-has-ended--"

WIDTH = 124  # characters a line; longer lines go on in the next, as in a terminal
CELL, LINE, MARGIN, SIZE = 7.8, 18, 16, 13  # pixels
COLOURS = {"prompt": "#7ee787", "command": "#ffffff", "output": "#c9d1d9"}


class Shell:
    """One bash that runs commands in turn."""

    def __init__(self, program: Path) -> None:
        environment = {"PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(FOLDER), "LANG": "C.UTF-8"}
        self._process = subprocess.Popen(
            ["bash"],
            cwd=FOLDER,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def run(self, command: str) -> list[str]:
        """What it printed. Raises RuntimeError when it failed: a broken session is no picture."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{command} < /dev/null\necho; echo {END} $?\n")
        self._process.stdin.flush()
        lines: list[str] = []
        for line in self._process.stdout:
            if line.startswith(END):
                if line.split()[1] != "0":
                    raise RuntimeError(f"{command}: {''.join(lines)}")
                return "".join(lines).strip("\n").split("\n") if "".join(lines).strip() else []
            lines.append(line)
        raise RuntimeError(f"the shell ended in {command}")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


@contextmanager
def shell() -> Iterator[Shell]:
    """A shell in a folder of its own, inside a network namespace; afterwards neither is left, nor the cloud."""
    FOLDER.mkdir(mode=0o711)
    try:
        (FOLDER / "pileus").symlink_to(CLONE / "pileus")
        (FOLDER / "ssh.conf").write_text(SSH_CONF)
        program = install()
        with network_namespace(f"pileus-session-{os.getpid()}"):
            opened = Shell(program)
            try:
                yield opened
            finally:
                opened.close()
                subprocess.run([CLONE / "pileus", "down", "--all", "--state", STATE], check=True)
    finally:
        shutil.rmtree(FOLDER)


def record() -> list[tuple[str, str]]:
    """(kind, text) of each line of the session."""
    lines: list[tuple[str, str]] = []
    with shell() as opened:
        for command in SESSION:
            if command.startswith("ssh "):
                opened.run(UNTIL_SSH)
            lines.append(("command", f"# {command}"))
            lines += [("output", line) for line in opened.run(command)]
    return lines


def draw(lines: list[tuple[str, str]]) -> str:
    """The lines as an SVG terminal."""
    rows = [
        ("prompt" if kind == "command" and at == 0 else kind, text[at : at + WIDTH])
        for kind, text in lines
        for at in range(0, max(len(text), 1), WIDTH)
    ]
    width, height = round(WIDTH * CELL) + 2 * MARGIN, len(rows) * LINE + 2 * MARGIN + LINE
    dots = "".join(
        f'<circle cx="{MARGIN + 4 + 18 * n}" cy="{MARGIN}" r="5" fill="{colour}"/>'
        for n, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
    )
    texts = []
    for number, (kind, text) in enumerate(rows):
        y = MARGIN + LINE * (number + 2)
        words = escape(text)
        if kind == "prompt":
            words = f'<tspan fill="{COLOURS["prompt"]}">#</tspan><tspan fill="{COLOURS["command"]}">{words[1:]}</tspan>'
        texts.append(f'<text x="{MARGIN}" y="{y}" fill="{COLOURS.get(kind, COLOURS["output"])}">{words}</text>')
    body = "\n".join(texts)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" viewBox="0 0 {width} {height}" width="{width}" height="{height}">
<style>text {{ font: {SIZE}px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }}</style>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
{dots}
{body}
</svg>
"""


if __name__ == "__main__":
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "session.svg"
    out.write_text(draw(record()))
