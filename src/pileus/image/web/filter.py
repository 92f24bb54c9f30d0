"""Where users' URLs may lead: the rules of this cloud and of its operator."""

from collections.abc import Iterable

from pileus.image.web.addresses import Address, beyond_nat64, is_public
from pileus.image.web.errors import filtered
from pileus.image.web.rules import Rule
from pileus.image.web.settings import WebSettings
from pileus.image.web.url import Url


class Filter:
    """`deny` wins over `allow`; `allow` lifts the checks of address and port; else addresses are public and ports listed."""

    def __init__(self, settings: WebSettings) -> None:
        self._schemes = settings.schemes
        self._ports = settings.ports
        self._allow = [Rule.parse(entry) for entry in settings.allow]
        self._deny = [Rule.parse(entry) for entry in settings.deny]

    def check(self, url: Url) -> None:
        """What can be said without resolving the host. Raises Refused."""
        if url.scheme not in self._schemes:
            raise filtered(f"{url.scheme} is not allowed")
        if any(rule.names(url) for rule in self._deny):
            raise filtered("its host is not allowed")
        if url.address is not None:
            self.admit(url, (url.address,))
        elif url.port not in self._ports and not any(
            rule.names(url) or rule.may_cover(url.port) for rule in self._allow
        ):
            raise filtered(f"port {url.port} is not allowed")

    def admit(self, url: Url, addresses: Iterable[Address]) -> None:
        """What the host has resolved to: one address that is not allowed is enough. Raises Refused."""
        for address in addresses:
            if not self._admits(url, address):
                raise filtered("its host or port is not allowed")

    def _admits(self, url: Url, address: Address) -> bool:
        port = url.port
        if any(rule.covers(address, port) or rule.covers(beyond_nat64(address), port) for rule in self._deny):
            return False
        if any(rule.names(url) or rule.covers(address, port) for rule in self._allow):
            return True
        return port in self._ports and is_public(address)
