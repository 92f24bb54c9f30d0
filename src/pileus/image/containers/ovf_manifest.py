"""The digests of a package's files (DSP0243, 6.1): lines such as `SHA256(disk.vmdk)= 0123…`."""

import re
from typing import NamedTuple

from pileus.image.containers.tar_header import TarRefused

MOST_BYTES = 64 * 1024
ALGORITHMS = ("sha1", "sha256", "sha512")
LINE = re.compile(r"(SHA1|SHA256|SHA512) ?\(([^()]+)\) ?= ?([0-9A-Fa-f]{40,128})")


class Digest(NamedTuple):
    """`value` in hex, lower case."""

    algorithm: str
    value: str


def read_manifest(text: bytes) -> dict[str, Digest]:
    """File name → digest. Raises `TarRefused`."""
    digests: dict[str, Digest] = {}
    for line in text.decode("utf-8", "replace").splitlines():
        if not line.strip():
            continue
        entry = LINE.fullmatch(line.strip())
        if entry is None:
            raise TarRefused(f"its manifest has a line of no known form: {line[:80]!r}")
        if entry[2] in digests:
            raise TarRefused(f"its manifest names {entry[2][:80]!r} twice")
        digests[entry[2]] = Digest(entry[1].lower(), entry[3].lower())
    return digests
