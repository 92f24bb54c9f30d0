"""Address pairs and DHCP options in requests. Options reach a DHCP server's files: nothing that could end a line passes."""

import re
from collections.abc import Sequence
from typing import Any

from pileus.network.errors import invalid
from pileus.network.ports import macs
from pileus.network.ports.schemas import AddressPairShape, DhcpOptionShape
from pileus.network.subnets import cidrs

_OPTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_:-]{0,63}")
LONGEST = 255


def pairs(given: Sequence[AddressPairShape], most: int, own_mac: str) -> list[dict[str, str]]:
    """With the port's own MAC where none is named. Raises BadRequest."""
    if len(given) > most:
        raise invalid(f"The number of allowed address pairs exceeds the maximum {most}.", "AddressPairsExhausted")
    out: list[dict[str, str]] = []
    for pair in given:
        net = cidrs.prefix(pair.ip_address)
        if net.is_multicast:
            raise invalid(f"'{pair.ip_address}' is a multicast address: it cannot be an allowed address pair.")
        text = str(net) if "/" in pair.ip_address else str(net.network_address)
        made = {"ip_address": text, "mac_address": macs.checked(pair.mac_address) if pair.mac_address else own_mac}
        if made in out:
            raise invalid(
                f"Request contains duplicate address pair: mac_address {made['mac_address']} ip_address {text}.",
                "DuplicateAddressPairInRequest",
            )
        out.append(made)
    return out


def dhcp(given: Sequence[DhcpOptionShape], held: Sequence[dict[str, Any]] = ()) -> list[dict[str, Any]]:
    """What is held with the changes on top."""
    out = {(option["opt_name"], option["ip_version"]): option for option in held}
    for option in given:
        if not _OPTION.fullmatch(option.opt_name):
            raise invalid(f"'{option.opt_name[:40]}' is not a DHCP option's name.")
        if option.ip_version not in (4, 6):
            raise invalid(f"'{option.ip_version}' is not in [4, 6].")
        key = (option.opt_name, option.ip_version)
        if option.opt_value is None:
            out.pop(key, None)
            continue
        if len(option.opt_value) > LONGEST or not option.opt_value.isprintable() or not option.opt_value:
            raise invalid(f"the value of DHCP option {option.opt_name} must be 1 to {LONGEST} printable characters.")
        out[key] = {"opt_name": option.opt_name, "opt_value": option.opt_value, "ip_version": option.ip_version}
    return list(out.values())
