"""The ways in: an identity provider's protocol with its mapping, as far as it is open."""

from typing import NamedTuple

from sqlalchemy.orm import Session

from pileus.identity.federation.identity_providers import actions
from pileus.identity.federation.identity_providers.models import IdentityProvider
from pileus.identity.federation.mappings import rules
from pileus.identity.federation.mappings.models import Mapping
from pileus.identity.federation.mappings.rules import Rule
from pileus.identity.federation.protocols.models import Protocol
from pileus.identity.tokens.login import refused
from pileus.kernel.errors import Forbidden, NotFound


class Way(NamedTuple):
    """`remote_id_attribute` is the protocol's own; the way's type of proof has a default."""

    provider: IdentityProvider
    protocol_id: str
    rules: tuple[Rule, ...]
    schema_version: str
    remote_ids: tuple[str, ...]
    remote_id_attribute: str | None


def find(db: Session, idp_id: str, protocol_id: str) -> Way:
    """Raises NotFound, Forbidden (the provider is disabled)."""
    provider, protocol = db.get(IdentityProvider, idp_id), db.get(Protocol, (idp_id, protocol_id))
    if provider is None or protocol is None:
        raise NotFound(f"There is no protocol {protocol_id} of an identity provider {idp_id}.")
    if not provider.enabled:
        raise Forbidden(f"Identity provider {idp_id} is disabled.")
    mapping = db.get(Mapping, protocol.mapping_id)
    if mapping is None:
        raise refused(f"mapping {protocol.mapping_id} of {idp_id}/{protocol_id} is gone")
    known = tuple(actions.remote_ids(db, [idp_id])[idp_id])
    read = rules.read(mapping.rules, mapping.schema_version)
    return Way(provider, protocol_id, read, mapping.schema_version, known, protocol.remote_id_attribute)
