"""The unprivileged user that guests run as."""

import grp
import pwd
from dataclasses import dataclass

DEBIAN_UID = 64055  # reserved for libvirt-qemu in Debian's policy, whether or not a package has made the user


@dataclass(frozen=True)
class QemuUser:
    """Ids, and how qemu.conf writes them."""

    uid: int
    gid: int

    @property
    def text(self) -> str:
        return f"+{self.uid}"

    @property
    def group_text(self) -> str:
        return f"+{self.gid}"


def find_qemu_user(name: str) -> QemuUser:
    """The user `name`; where no package made it, Debian's reserved id serves without an entry in the user database."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return QemuUser(DEBIAN_UID, DEBIAN_UID)
    try:
        return QemuUser(entry.pw_uid, grp.getgrnam(name).gr_gid)
    except KeyError:
        return QemuUser(entry.pw_uid, entry.pw_gid)
