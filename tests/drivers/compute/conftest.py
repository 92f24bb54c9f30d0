"""The drivers that the contract suite runs on: the fake one everywhere, libvirt where root and its packages are."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pileus.compute.drivers import fake, libvirt
from tests.drivers.compute.rig import LibvirtRig, Rig, own_network, why_no_libvirt

NO_LIBVIRT = why_no_libvirt()
LIBVIRT_MARKS = [pytest.mark.system, pytest.mark.skipif(bool(NO_LIBVIRT), reason=NO_LIBVIRT)]
DRIVERS = ["fake", pytest.param("libvirt", marks=LIBVIRT_MARKS)]


@pytest.fixture(scope="module")
def libvirt_rig() -> Iterator[LibvirtRig]:
    """One libvirtd for a module's tests, in a network namespace of its own.

    Its state lies below a folder that only root may enter: guests, which run as another user, must get there all the same.
    """
    with tempfile.TemporaryDirectory(prefix="pileus-test-") as closed, own_network():
        folder = Path(closed) / "state"
        settings = libvirt.Settings(state_dir=str(folder), call_timeout=4)
        rig = LibvirtRig(lambda: libvirt.Driver(settings), folder)
        try:
            yield rig
        finally:
            for server_id in rig.driver.disk_ids() | set(rig.driver.guests()):
                rig.driver.ensure_absent(server_id)
            rig.driver.stop()


@pytest.fixture
def fake_rig(tmp_path: Path) -> Rig:
    return Rig(lambda: fake.Driver(fake.Settings(state_dir=str(tmp_path))), tmp_path)


@pytest.fixture(params=DRIVERS)
def rig(request: pytest.FixtureRequest) -> Rig:
    """Each driver in turn."""
    found = request.getfixturevalue(f"{request.param}_rig")
    assert isinstance(found, Rig)
    return found
