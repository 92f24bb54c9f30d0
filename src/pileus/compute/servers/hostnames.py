"""Host names of servers: given since microversion 2.90, with a domain since 2.94, else made from the server's name."""

import re
from collections.abc import Iterator

from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call

LABEL = r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"


def checked(call: Call, hostname: str) -> str:
    """Raises BadRequest for what is no host name, or has a domain before 2.94."""
    dotted = rf"(\.{LABEL})*" if call.at_least(2, 94) else ""
    if re.fullmatch(LABEL + dotted, hostname) is None:
        form = "labels of 1 to 63 letters, digits and hyphens, joined by dots" if dotted else "one label (RFC 1123)"
        raise BadRequest(f"Invalid input for field hostname: {hostname!r} is not {form}.")
    return hostname


def made_from(name: str) -> str:
    """A host name (RFC 1123 label) from a server's name."""
    text = "".join(_letters(name)).strip("-.")[:63].rstrip("-.")
    return text.lower() or "server"


def first_label(hostname: str) -> str:
    """What DHCP and DNS know the server by: the domain is the network's."""
    return hostname.partition(".")[0]


def _letters(name: str) -> Iterator[str]:
    for char in re.sub(r"[ _.]", "-", name):
        if re.match(r"[A-Za-z0-9-]", char):
            yield char
