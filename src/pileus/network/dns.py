"""DNS names in requests. They end up in a DHCP server's files, so nothing but letters, digits, dashes and dots passes."""

import re

from pileus.network.errors import invalid

_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
LONGEST = 255


def domain(text: str) -> str:
    """A domain; upstream wants a final dot, both forms are taken. Empty is none."""
    labels = text.removesuffix(".").split(".")
    if text and (len(text) > LONGEST or not all(_LABEL.fullmatch(label) for label in labels)):
        raise invalid(f"'{text[:40]}' not a valid PQDN or FQDN.")
    return text


def hostname(text: str) -> str:
    """The name of a port: one label or more. Empty is none."""
    return domain(text)
