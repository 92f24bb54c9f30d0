"""A port's extra DHCP options: which names may be used, and what kind of value each takes.

The names are those that `dnsmasq --help dhcp` and `--help dhcp6` print, without the ones that carry packed structures.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial

from pileus.network.agent.dhcp import values
from pileus.network.agent.snapshot import DhcpOption

Encoder = Callable[[str], str]

# Message type, lease times and identifiers: the exchange itself rests on them.
_SERVER_OWN = frozenset({*range(50, 58), 61, 82})


def _routes(value: str) -> str:
    """Pairs of destination and next hop: `10.1.0.0/16,10.0.0.1,…`."""
    words = [word.strip() for word in value.split(",")]
    if len(words) % 2:
        raise values.UnsafeValueError(f"{value[:80]!r} is not a list of destination,next-hop pairs")
    return ",".join(
        values.address(word, 4) if position % 2 else values.network(word, 4) for position, word in enumerate(words)
    )


_address4 = partial(values.several, partial(values.address, version=4))
_domains = partial(values.several, values.domain)


def _address6(value: str) -> str:
    return ",".join(f"[{values.address(word.strip(), 6)}]" for word in value.split(","))


def _named(encode: Encoder, names: str) -> dict[str, Encoder]:
    return dict.fromkeys(names.split(), encode)


_V4: Mapping[str, Encoder] = (
    _named(
        _address4,
        "netmask router dns-server log-server lpr-server swap-server nis-server ntp-server netbios-ns netbios-dd"
        " x-windows-fs x-windows-dm nis+-server mobile-ip-home smtp-server pop3-server nntp-server irc-server"
        " tftp-server-address server-ip-address router-solicitation",
    )
    | _named(
        values.number,
        "time-offset boot-file-size max-datagram-reassembly default-ttl mtu arp-timeout tcp-ttl tcp-keepalive"
        " netbios-nodetype T1 T2 ipv6-only ip-forward-enable non-local-source-routing all-subnets-local"
        " router-discovery trailer-encapsulation ethernet-encap",
    )
    | _named(_domains, "domain-search")
    | _named(_routes, "classless-static-route")
    | _named(
        values.text,
        "domain-name root-path extension-path nis-domain netbios-scope vendor-class nis+-domain tftp-server"
        " bootfile-name user-class posix-timezone tzdb-timezone",
    )
)
_V6: Mapping[str, Encoder] = (
    _named(_address6, "sip-server dns-server nis-server nis+-server sntp-server ntp-server")
    | _named(_domains, "sip-server-domain domain-search nis-domain nis+-domain")
    | _named(values.number, "information-refresh-time")
    | _named(values.text, "posix-timezone tzdb-timezone bootfile-url bootfile-param")
)


def line(tag: str, option: DhcpOption) -> str:
    """The option as a line of the opts file, for the hosts that carry `tag`; `UnsafeValueError` when it can not be one.

    A bare number stands for an option without a name and takes text.
    """
    encode, name = _encoder(option)
    return f"tag:{tag},{name},{encode(option.value)}"


def _encoder(option: DhcpOption) -> tuple[Encoder, str]:
    """How the value is written, and the option's name as dnsmasq spells it."""
    six = option.ip_version == 6
    if re.fullmatch("[0-9]{1,3}", option.name):
        code = int(option.name)
        if not 1 <= code <= 254 or (not six and code in _SERVER_OWN):
            raise values.UnsafeValueError(f"DHCP option {code} is the server's own or out of range")
        return values.text, f"option6:{code}" if six else str(code)
    encode = (_V6 if six else _V4).get(option.name)
    if encode is None:
        raise values.UnsafeValueError(f"{option.name[:80]!r} is not a DHCP option for IPv{option.ip_version}")
    return encode, f"option6:{option.name}" if six else f"option:{option.name}"
