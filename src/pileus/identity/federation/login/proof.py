"""What every kind of relying party hands on: what a trusted identity provider says about whoever logs in."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from pileus.identity.federation.login.ways import Way
from pileus.identity.tokens.login import refused


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """Already verified. `issuer_attribute` holds the provider's name for itself. `once`: a name of this proof that may be used
    only once, until `once_until`. `ends`: when the session there is over.
    """

    attributes: Mapping[str, tuple[str, ...]]
    issuer_attribute: str | None = None
    once: str | None = None
    once_until: datetime | None = None
    ends: datetime | None = None


def check_issuer(way: Way, proof: Proof) -> None:
    """The proof must come from the provider that it is used for. Raises Unauthorized."""
    attribute = way.remote_id_attribute or (proof.issuer_attribute if way.remote_ids else None)
    if attribute is None:
        return
    said = proof.attributes.get(attribute, ())
    if len(said) != 1 or said[0] not in way.remote_ids:
        raise refused(f"{attribute} is {list(said)}; identity provider {way.provider.id} has {list(way.remote_ids)}")
