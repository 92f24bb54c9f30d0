"""Typed encoders: the only way for a value to get into dnsmasq's files and arguments.

A tenant chooses host names, addresses and extra options. Each encoder parses its value and renders it anew, so that no
line break, comma, quote, NUL or shell character can pass; what does not parse raises `UnsafeValueError`.
"""

import ipaddress
import re
from collections.abc import Callable

_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")
_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")
_LABEL = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?")
_TEXT = re.compile(r"[0-9A-Za-z ._/:@%+=~?&!*-]{1,255}")


class UnsafeValueError(ValueError):
    """The value can not be written for dnsmasq; the text names it and says why."""


def identifier(value: str) -> str:
    """An id as part of a tag or a file name: letters, digits and dashes."""
    return _matching(_ID, value, "an identifier")


def mac(value: str) -> str:
    return _matching(_MAC, value.lower(), "a MAC address")


def address(value: str, version: int | None = None) -> str:
    """An IP address of `version`; a scope (fe80::1%eth0) is refused."""
    try:
        parsed = ipaddress.ip_address(value)
    except ValueError:
        raise UnsafeValueError(f"{value!r} is not an IP address") from None
    if version not in (None, parsed.version) or "%" in value:
        raise UnsafeValueError(f"{value!r} is not a plain IPv{version or parsed.version} address")
    return str(parsed)


def network(value: str, version: int) -> str:
    """A CIDR with its host bits cleared."""
    try:
        parsed = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise UnsafeValueError(f"{value!r} is not a CIDR") from None
    if parsed.version != version or "%" in value:
        raise UnsafeValueError(f"{value!r} is not an IPv{version} CIDR")
    return str(parsed)


def hostname(value: str) -> str:
    """One DNS label of at most 63 characters."""
    return _matching(_LABEL, value, "a host name")


def domain(value: str) -> str:
    """A DNS name, without its closing dot."""
    name = value.removesuffix(".")
    if len(name) > 253:
        raise UnsafeValueError(f"the domain {value[:20]!r}… is longer than 253 characters")
    return ".".join(_matching(_LABEL, label, f"a label of a domain ({value!r})") for label in name.split("."))


def number(value: str) -> str:
    """An unsigned 32-bit integer in decimal."""
    if not (value.isascii() and value.isdigit() and len(value) <= 10 and int(value) < 2**32):
        raise UnsafeValueError(f"{value!r} is not a number from 0 to 4294967295")
    return str(int(value))


def text(value: str) -> str:
    """Free text of 1 to 255 characters from a short alphabet that covers file names, URLs and paths."""
    return _matching(_TEXT, value, "what an option may hold: 1 to 255 letters, digits, spaces or any of ._/:@%+=~?&!*-")


def several(encode: Callable[[str], str], value: str) -> str:
    """A comma-separated list, each element through `encode`."""
    return ",".join(encode(element.strip()) for element in value.split(","))


def _matching(pattern: re.Pattern[str], value: str, noun: str) -> str:
    if not pattern.fullmatch(value):
        raise UnsafeValueError(f"{value[:80]!r} is not {noun}")
    return value
