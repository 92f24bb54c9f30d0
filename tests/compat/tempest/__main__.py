"""Runs tempest against a cloud and says, for each area, what passed, failed and was skipped."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pileus.cli import running
from pileus.setup import places
from tests.compat import simulated_hosts
from tests.compat.tempest import environment, served
from tests.compat.tempest.configuration import TEMPLATE, fill, formats, images, values
from tests.compat.tempest.endpoint import Endpoint
from tests.compat.tempest.suite import Suite, name, select
from tests.compat.tempest.tally import FAILED, NOT_RUN, SKIPPED, Tally, printed
from tests.system.installation import REPOSITORY, installation
from tests.system.namespace import network_namespace

ADDRESS = "192.0.2.1"  # where one test serves; cloud.toml does not let users' URLs lead there
SECOND = "image-second"


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.compat.tempest", description=__doc__)
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("pattern", nargs="?", metavar="REGEX", help="tests whose id matches (default: all)")
    chosen.add_argument("--list", type=Path, metavar="FILE", help="tests named in a file, one a line")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--state", type=Path, metavar="DIR", help="the running cloud of this state folder")
    where.add_argument("--fake", action="store_true", help="a new cloud with fake hypervisor and network")
    parser.add_argument(
        "--hosts", type=int, default=1, metavar="N", help="of a new cloud with fakes: tests of several hosts run too"
    )
    parser.add_argument("--no-login", action="store_true", help="boot guests but never log in to them")
    parser.add_argument(
        "--any-bytes",
        action="store_true",
        help="images of the format raw alone, and a second address of their service: what tempest skips otherwise",
    )
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="tests at a time (default 2)")
    parser.add_argument("--minutes", type=float, default=120, metavar="N", help="end after this time (default 120)")
    parser.add_argument(
        "--out", type=Path, default=places.find().cache / "tempest", metavar="DIR", help="where reports go"
    )
    given = parser.parse_args()
    if given.hosts > 1 and not given.fake:
        parser.error("--hosts is for --fake")
    return given


@contextmanager
def new_cloud(fake: bool, hosts: int = 1) -> Iterator[Path]:
    """The state folder of a cloud that lives as long as the block: as root, in a network namespace of its own."""
    if not fake and os.geteuid() != 0:
        raise SystemExit("Real guests need root; `--fake` needs no privileges.")
    subprocess.run([str(REPOSITORY / "pileus"), "setup"], check=True)  # the namespace has no way out to fetch anything
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="pileus-tempest-", dir="/var/tmp"))
        folder.chmod(0o711)
        stack.callback(shutil.rmtree, folder)
        extra = ["--config", str(Path(__file__).with_name("cloud.toml")), *(["--fake"] if fake else [])]
        if os.geteuid() == 0:
            stack.enter_context(network_namespace(f"pileus-tempest-{os.getpid()}"))
            _address()
        cloud = stack.enter_context(installation(folder / "state", *extra))
        if hosts > 1:
            stack.enter_context(simulated_hosts.hosts(cloud.state, hosts - 1))
        yield cloud.state


def _address() -> None:
    """An address in the namespace that is not loopback: the one from which a test thinks that it reaches the world."""
    world = "1.1.1.1"  # asked for the way to there, the kernel names the address
    for command in (f"address add {ADDRESS}/32 dev lo", f"route add {world}/32 dev lo src {ADDRESS}"):
        subprocess.run(["ip", *command.split()], check=True)


def _manifest(folder: Path) -> Path:
    """Images of every format, fit for use and not, made by the tests of formats."""
    paths = os.pathsep.join([str(REPOSITORY / "src"), str(REPOSITORY)])
    command = [sys.executable, "-m", "tests.image.formats.manifest", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, env=os.environ | {"PYTHONPATH": paths}, check=True)
    return folder / "manifest.yaml"


def main() -> int:
    given = options()
    home = environment.install()
    out: Path = given.out.absolute()
    listed = given.list.read_text().splitlines() if given.list else None
    suite = Suite(out, home)
    with ExitStack() as stack:
        state = given.state.absolute() if given.state else stack.enter_context(new_cloud(given.fake, given.hosts))
        cloud = Endpoint(state)
        disk = out / "guest.qcow2"
        image = cloud.first("/image/v2/images?name=pico", "images")["id"]
        cloud.download(image, disk)
        alternative = cloud.upload("tempest-alternative", disk)
        stack.callback(cloud.delete_image, alternative)
        guests = running.facts(state)["overrides"]["hypervisor"] != "fake" and not given.no_login
        settings = cloud.settings("image")
        port = served.port(settings)
        http = stack.enter_context(served.served(out / "served", disk, port)) if port else ""
        if given.any_bytes:
            stack.callback(cloud.delete, f"/identity/v3/services/{cloud.second_address(SECOND, '/image')}")
        facts = (
            values(cloud, out, image=image, alternative=alternative, disk=disk, guests=guests)
            | images(settings, http, _manifest(out / "formats"))
            | formats(given.any_bytes, SECOND if given.any_bytes else "")
        )
        suite.configure(fill(TEMPLATE.read_text(), facts))
        chosen, unknown = select(suite.tests(), given.pattern, listed)
        tally = Tally([name(test) for test in chosen] + unknown)
        print(f"{len(chosen)} tests with tempest {environment.RELEASE} on {cloud.url} ({state})", flush=True)
        for line in tally.read(suite.run(chosen, given.workers, given.minutes * 60)):
            print(line, flush=True)
    return report(tally, out)


def report(tally: Tally, out: Path) -> int:
    """The table, and a file for each kind of test that did not pass. Exit status 1 when one failed or did not run."""
    table = printed(tally.table())
    print(f"\n{table}\n")
    (out / "table").write_text(table + "\n")
    for outcome in (FAILED, SKIPPED, NOT_RUN):
        lines = tally.listing(outcome)
        (out / outcome.replace(" ", "-")).write_text("".join(f"{line}\n" for line in lines))
        if lines:
            print(f"{len(lines)} {outcome}: {out / outcome.replace(' ', '-')}")
    for line in tally.untidy():
        print(f"clean-up: {line}")
    return 1 if tally.listing(FAILED) or tally.listing(NOT_RUN) else 0


if __name__ == "__main__":
    sys.exit(main())
