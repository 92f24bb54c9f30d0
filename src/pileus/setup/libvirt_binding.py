"""Debian's libvirt binding inside a virtual environment; docs/decisions says why it is linked and not compiled."""

import os
from pathlib import Path

from pileus.setup.errors import SetupError

PACKAGE = "python3-libvirt"
_DEBIAN = Path("/usr/lib/python3/dist-packages")
_EXTENSIONS = ("libvirtmod.*.so", "libvirtmod_qemu.*.so")
_MODULES = ("libvirtaio.py", "libvirt_qemu.py", "libvirt.py")  # the last one made says that all are there


def ensure(environment: Path, debian: Path = _DEBIAN) -> None:
    """Link the package's modules into the environment; raises SetupError where the package is not whole."""
    packages = next(environment.glob("lib/python3*/site-packages"))
    if (packages / _MODULES[-1]).exists():
        return
    for pattern in (*_EXTENSIONS, *_MODULES):
        found = sorted(debian.glob(pattern))
        if not found:
            raise SetupError(
                f"{debian} holds no {pattern}, though {PACKAGE} should bring it",
                f"apt-get install --reinstall {PACKAGE}",
            )
        for module in found:
            _link(module, packages / module.name)


def _link(target: Path, name: Path) -> None:
    # Through a rename, so that two at once, or a dangling link of an earlier package, do no harm.
    temporary = name.with_name(f".{name.name}.{os.getpid()}")
    temporary.symlink_to(target)
    temporary.replace(name)
