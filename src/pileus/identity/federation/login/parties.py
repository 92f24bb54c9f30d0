"""The relying parties of this process: made when somebody first logs in through them, for their libraries are large."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple, Unpack

from pileus.identity.federation.login.oidc.provider import OpenIdProvider
from pileus.identity.federation.login.seals import Seals
from pileus.identity.federation.settings import OidcProvider, Provider, Saml2Provider
from pileus.identity.settings import IdentitySettings
from pileus.identity.tokens.login import refused
from pileus.kernel.cloud import Cloud
from pileus.kernel.errors import Unavailable

if TYPE_CHECKING:
    from pileus.identity.federation.login.saml2.party import Saml2Party

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
THREADS = 8
MOST = 64  # logins at a time, those that wait for a thread included


class Parties:
    """Its logins have threads of their own: while a provider is slow, everything else goes on."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._settings = cloud.settings(IdentitySettings).federation
        self._oidc: dict[str, OpenIdProvider] = {}
        self._saml2: dict[str, Saml2Party] = {}
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(THREADS, "federation")
        self._busy = 0
        self.seals = Seals(cloud.config.state / "keys" / "federation")

    async def run(self, work: Callable[[Unpack[Ts]], T], *args: *Ts) -> T:
        """In a thread. Raises Unavailable when too many are on their way already."""
        if self._busy >= MOST:
            raise Unavailable(
                "Too many logins through identity providers at a time; try again.", headers={"retry-after": "2"}
            )
        self._busy += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)
        finally:
            self._busy -= 1

    def settings(self, idp_id: str, protocol_id: str) -> Provider:
        """Raises Unauthorized when the configuration has nothing for that way in."""
        found = self._settings.get(f"{idp_id}/{protocol_id}")
        if found is None:
            raise refused(f'the configuration has no [identity.federation."{idp_id}/{protocol_id}"]')
        return found

    def with_protocol(self, protocol_id: str) -> list[str]:
        """The identity providers that the configuration has for a protocol."""
        pairs = (key.rpartition("/") for key in self._settings)
        return sorted(idp_id for idp_id, _, protocol in pairs if protocol == protocol_id)

    def oidc(self, idp_id: str, protocol_id: str, settings: OidcProvider) -> OpenIdProvider:
        with self._lock:
            return self._oidc.setdefault(f"{idp_id}/{protocol_id}", OpenIdProvider(settings))

    def saml2(self, idp_id: str, protocol_id: str, settings: Saml2Provider) -> "Saml2Party":
        from pileus.identity.federation.login.saml2.party import Saml2Party

        key = f"{idp_id}/{protocol_id}"
        with self._lock:
            if key not in self._saml2:
                self._saml2[key] = Saml2Party(self._cloud, idp_id, protocol_id, settings)
            return self._saml2[key]
