from pathlib import Path

import pytest

from pileus.setup import libvirt_binding
from pileus.setup.errors import SetupError

DEBIAN = (
    "libvirt.py",
    "libvirt_qemu.py",
    "libvirtaio.py",
    "libvirtmod.cpython-311-x86_64-linux-gnu.so",
    "libvirtmod_qemu.cpython-311-x86_64-linux-gnu.so",
)


@pytest.fixture
def debian(tmp_path: Path) -> Path:
    folder = tmp_path / "dist-packages"
    folder.mkdir()
    for name in (*DEBIAN, "libvirtmod_lxc.cpython-311-x86_64-linux-gnu.so", "unrelated.py"):
        (folder / name).touch()
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    (tmp_path / "venv/lib/python3.11/site-packages").mkdir(parents=True)
    return tmp_path / "venv"


def linked(environment: Path) -> set[str]:
    return {link.name for link in (environment / "lib/python3.11/site-packages").iterdir() if link.exists()}


def test_the_binding_alone_is_linked_and_twice_equals_once(environment: Path, debian: Path) -> None:
    libvirt_binding.ensure(environment, debian)
    libvirt_binding.ensure(environment, debian)
    assert linked(environment) == set(DEBIAN)


def test_dangling_links_are_renewed(environment: Path, debian: Path) -> None:
    for name in DEBIAN:
        (environment / "lib/python3.11/site-packages" / name).symlink_to("/nonexistent/file")
    libvirt_binding.ensure(environment, debian)
    assert linked(environment) == set(DEBIAN)


def test_an_incomplete_package_is_named(environment: Path, debian: Path) -> None:
    (debian / "libvirtmod.cpython-311-x86_64-linux-gnu.so").unlink()
    with pytest.raises(SetupError, match=r"libvirtmod\.\*\.so") as caught:
        libvirt_binding.ensure(environment, debian)
    assert "python3-libvirt" in caught.value.remedy
    assert "libvirt.py" not in linked(environment)
