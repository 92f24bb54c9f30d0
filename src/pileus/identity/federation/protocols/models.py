"""Protocols: the ways in from an identity provider, each with the mapping that it uses."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from pileus.identity.federation.identity_providers.models import IdentityProvider
from pileus.identity.federation.mappings.models import Mapping
from pileus.identity.federation.names import NAME
from pileus.kernel.db import Base


class Protocol(Base):
    """`remote_id_attribute` is the attribute of an assertion that must hold one of the provider's remote ids."""

    __tablename__ = "federation_protocols"
    identity_provider_id: Mapped[str] = mapped_column(
        ForeignKey(IdentityProvider.id, ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[str] = mapped_column(NAME, primary_key=True)
    mapping_id: Mapped[str] = mapped_column(ForeignKey(Mapping.id), index=True)
    remote_id_attribute: Mapped[str | None] = mapped_column(String(64))
