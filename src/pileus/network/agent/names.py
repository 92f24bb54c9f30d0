"""Names of devices that derive from ids: 15 characters at most, so the first 11 of an id."""

import re

_ID = re.compile(r"[0-9a-fA-F][0-9a-fA-F-]{10,63}")


class BadId(ValueError):
    """An id that can not become the name of a device, a rule or a file."""


def checked_id(value: str) -> str:
    """The id itself when it is made of hex digits and dashes only, so that it can stand in any command or file name."""
    if not _ID.fullmatch(value):
        raise BadId(f"not an id: {value!r}")
    return value


def bridge_name(network_id: str) -> str:
    return f"brq{checked_id(network_id)[:11]}"


def tap_name(port_id: str) -> str:
    return f"tap{checked_id(port_id)[:11]}"


def vxlan_name(segmentation_id: int) -> str:
    return f"vxlan-{segmentation_id:d}"


def patch_names(network_id: str) -> tuple[str, str]:
    """The two ends of the cable between a flat network's bridge and its physical network's bridge, in this order."""
    return f"px-{checked_id(network_id)[:11]}", f"py-{network_id[:11]}"
