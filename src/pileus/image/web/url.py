"""A URL, read once and strictly: what is checked, connected to and asked for are all these parts, never the text."""

import re
import string
from dataclasses import dataclass
from urllib.parse import quote

import idna

from pileus.image.web.addresses import Address, parse
from pileus.image.web.errors import filtered

LONGEST = 8192  # characters
DEFAULT_PORTS = {"http": 80, "https": 443}

WHOLE = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<target>[^#]*)(?:#.*)?")
AUTHORITY = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)\]|(?P<name>[^:\[\]%]+))(?::(?P<port>[0-9]{0,5}))?")
LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
NAME = re.compile(rf"(?=.{{1,253}}\Z){LABEL}(?:\.{LABEL})*")
NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
"""Names that end so are IPv4 addresses to some resolvers, in decimal, hexadecimal or octal, whole or in parts."""


@dataclass(frozen=True, slots=True)
class Url:
    scheme: str
    host: str
    """An ASCII name in lower case without a trailing dot, or the address in its one usual form."""
    address: Address | None
    """Where the host is an address."""
    port: int
    target: str
    """Path and query, as sent; the fragment is not."""

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """As the header Host has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def read(text: str) -> Url:
    """Raises Refused."""
    if len(text) > LONGEST:
        raise filtered(f"it is longer than {LONGEST} characters")
    if not text.isprintable() or " " in text or "\\" in text:
        raise filtered("it has blanks, backslashes or control characters")
    parts = WHOLE.fullmatch(text)
    if parts is None:
        raise filtered("it is not an absolute URL")
    scheme = parts["scheme"].lower()
    if scheme not in DEFAULT_PORTS:
        raise filtered("its scheme is neither http nor https")
    if "@" in parts["authority"]:
        raise filtered("it has a user name or a password")
    authority = AUTHORITY.fullmatch(parts["authority"])
    if authority is None:
        raise filtered("its host or port is not valid")
    port = int(authority["port"] or DEFAULT_PORTS[scheme])
    if not 1 <= port <= 65535:
        raise filtered("its port is not valid")
    host, address = _host(authority["v6"], authority["name"])
    target = quote(parts["target"], safe=string.punctuation)  # only what is not ASCII changes
    return Url(scheme, host, address, port, target if target.startswith("/") else f"/{target}")


def _host(v6: str | None, name: str) -> tuple[str, Address | None]:
    try:
        if v6 is not None:
            address = parse(v6)
            return str(address), address
        host = _ascii(name).lower().removesuffix(".")
        if NUMBER.fullmatch(host):
            address = parse(host)  # four decimal parts, nothing else
            return str(address), address
    except ValueError:
        raise filtered("its host is not valid") from None
    if not NAME.fullmatch(host):
        raise filtered("its host is not valid")
    return host, None


def _ascii(name: str) -> str:
    """Raises ValueError."""
    if name.isascii():
        return name
    if len(name) > 253:
        raise ValueError(name)
    return idna.encode(name, uts46=True).decode()
