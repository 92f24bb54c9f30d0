"""One entry of the operator's lists: a host or a network, with or without a port."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from pileus.image.web.addresses import Address
from pileus.image.web.url import NAME, Url

ENTRY = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^:\[\]]+))(?::(?P<port>[0-9]{1,5}))?", re.ASCII)


PORTS = range(1, 65536)


@dataclass(frozen=True, slots=True)
class Rule:
    """`name` or `network`; without `port` it is of every port."""

    name: str
    network: IPv4Network | IPv6Network | None
    port: int | None

    @classmethod
    def parse(cls, text: str) -> "Rule":
        """`mirror.example.org:8080`, `.example.org`, `10.0.0.0/8`, `[fd00::/8]:80`, `::1`. Raises ValueError, which names it."""
        parts = ENTRY.fullmatch(f"[{text}]" if text.count(":") > 1 and not text.startswith("[") else text)
        if parts is None or int(parts["port"] or 1) not in PORTS:
            raise ValueError(f"{text!r} is neither a host nor a network")
        port = int(parts["port"]) if parts["port"] else None
        host = (parts["v6"] or parts["host"]).lower()
        try:
            return cls("", ip_network(host, strict=False), port)
        except ValueError:
            if parts["v6"] or not NAME.fullmatch(host.removeprefix(".")):
                raise ValueError(f"{text!r} is neither a host nor a network") from None
            return cls(host, None, port)

    def names(self, url: Url) -> bool:
        """The URL's host, whatever it resolves to."""
        if not self.name or url.address is not None or not self._has(url.port):
            return False
        return url.host.endswith(self.name) if self.name.startswith(".") else url.host == self.name

    def covers(self, address: Address, port: int) -> bool:
        return self.network is not None and self._has(port) and address in self.network

    def may_cover(self, port: int) -> bool:
        """An address that is not known yet."""
        return self.network is not None and self._has(port)

    def _has(self, port: int) -> bool:
        return self.port is None or self.port == port
