"""The kernel's table of connections: read it whole, mark or drop single entries.

Source: linux/netfilter/nfnetlink_conntrack.h, linux/netfilter/nf_tables.h (for the number of the ruleset).
"""

import ipaddress
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple, Self

from pileus.network.agent import nlsocket as wire
from pileus.network.agent.firewall.match import Flow
from pileus.network.agent.nlsocket import Attributes, NetlinkError, NetlinkSocket

_UPDATE, _GET, _DELETE = 1 << 8, (1 << 8) | 1, (1 << 8) | 2
_GET_GENERATION = (10 << 8) | 16
_TUPLE, _MARK, _ZONE = 1, 8, 18
_ENOENT = 2
_NETFILTER = 12


class Connection(NamedTuple):
    zone: int
    mark: int
    flow: Flow
    identity: bytes  # the original tuple as the kernel wrote it


def _number(value: bytes | None) -> int:
    return int.from_bytes(value, "big") if value else 0


def _flow(parts: Attributes) -> Flow:
    addresses, protocol = wire.parse(parts[1]), wire.parse(parts[2])
    source, destination = (addresses.get(kind) or addresses[kind + 2] for kind in (1, 2))
    number = _number(protocol.get(1))
    if number == 1:
        first, second = 5, 6
    elif number == 58:
        first, second = 8, 9
    else:
        first, second = 2, 3
    return Flow(
        number,
        ipaddress.ip_address(source),
        ipaddress.ip_address(destination),
        _number(protocol.get(first)),
        _number(protocol.get(second)),
    )


class Conntrack:
    """One netfilter socket in the caller's namespace."""

    def __init__(self) -> None:
        self._socket = NetlinkSocket(_NETFILTER, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.close()

    def connections(self, zones: range) -> Iterator[Connection]:
        """Connections whose zone is in the range."""
        for body in self._socket.dump(_GET, struct.pack(">BBH", 0, 0, 0)):
            found = wire.parse(body, 4)
            zone = _number(found.get(_ZONE))
            if zone in zones:
                yield Connection(zone, _number(found.get(_MARK)), _flow(wire.parse(found[_TUPLE])), found[_TUPLE])

    def mark(self, connection: Connection, mark: int) -> None:
        """Set the mark of a connection, if it is still there."""
        self._change(_UPDATE, connection, wire.be32(_MARK, mark))

    def drop(self, connection: Connection) -> None:
        """Forget a connection, if it is still there."""
        self._change(_DELETE, connection)

    def _change(self, kind: int, connection: Connection, *attributes: bytes) -> None:
        family = socket.AF_INET if connection.flow.source.version == 4 else socket.AF_INET6
        payload = struct.pack(">BBH", family, 0, 0) + wire.nested(_TUPLE, connection.identity)
        payload += wire.be16(_ZONE, connection.zone) + b"".join(attributes)
        try:
            self._socket.request(kind, payload)
        except NetlinkError as error:
            if error.errno != _ENOENT:
                raise

    def ruleset_generation(self) -> int:
        """A number that rises by one with each nft transaction in this namespace, whoever made it."""
        replies = self._socket.get(_GET_GENERATION, struct.pack(">BBH", 0, 0, 0))
        return _number(wire.parse(replies[0], 4).get(1))
