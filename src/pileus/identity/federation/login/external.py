"""Logins that a trusted front has done: a web server before the cloud that sets headers, and that no client can go around.

Only the peers in `trusted_fronts` are believed. The front must drop these headers from what clients send.
"""

from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from pileus.identity.federation.login.proof import Proof
from pileus.identity.federation.mappings.tester import split
from pileus.identity.federation.settings import ExternalProvider
from pileus.identity.seeds import DEFAULT_DOMAIN
from pileus.identity.settings import IdentitySettings
from pileus.identity.tokens.login import Login, refused
from pileus.identity.tokens.schemas import Identity
from pileus.identity.users import queries
from pileus.kernel.config import ConfigError
from pileus.kernel.http.call import Call


@cache
def networks(fronts: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    """Raises ConfigError for what is neither an address nor a network."""
    try:
        return tuple(ip_network(front, strict=False) for front in fronts)
    except ValueError as error:
        raise ConfigError(f"[identity] trusted_fronts: {error}") from None


def remote_user(call: Call) -> str:
    """Raises Unauthorized unless a trusted front says who it is."""
    settings = call.cloud.settings(IdentitySettings)
    peer = call.request.client.host if call.request.client else ""
    try:
        address = ip_address(peer)
    except ValueError:
        raise refused(f"the peer {peer!r} is no trusted front") from None
    if not any(address in network for network in networks(settings.trusted_fronts)):
        raise refused(f"{peer} is no trusted front")
    user = call.request.headers.get(settings.remote_user_header)
    if not user:
        raise refused(f"the front at {peer} sent no {settings.remote_user_header}")
    return user


def proof(call: Call, provider: ExternalProvider) -> Proof:
    """Values of a header are separated by `;`, as in a web server's environment."""
    user = remote_user(call)
    sent = {name: call.request.headers.get(header, "") for name, header in provider.headers.items()}
    return Proof(attributes={**split(sent), "REMOTE_USER": (user,)})


def prove(call: Call, _: Identity) -> Login:
    """Method `external`: a user of the default domain."""
    name = remote_user(call)
    user_id = queries.id_of(call.db, name, domain_id=DEFAULT_DOMAIN)
    if user_id is None:
        raise refused(f"there is no user {name} in domain {DEFAULT_DOMAIN}")
    return Login(user_id=user_id, methods=("external",))
