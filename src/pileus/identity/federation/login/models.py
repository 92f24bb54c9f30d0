"""Who came from which identity provider, the groups that outlive a login, and what may be used only once."""

from datetime import datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from pileus.identity.federation.identity_providers.models import IdentityProvider
from pileus.identity.federation.names import NAME
from pileus.identity.federation.protocols.models import Protocol
from pileus.kernel.columns import exact
from pileus.kernel.db import Base


class FederatedUser(Base):
    """`unique_id` is the provider's name for the user: it never changes, the name that is shown may."""

    __tablename__ = "federated_users"
    identity_provider_id: Mapped[str] = mapped_column(NAME, primary_key=True)
    protocol_id: Mapped[str] = mapped_column(NAME, primary_key=True)
    unique_id: Mapped[str] = mapped_column(exact(255), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    display_name: Mapped[str] = mapped_column(exact(255))
    __table_args__ = (
        ForeignKeyConstraint(
            ["identity_provider_id", "protocol_id"],
            [Protocol.__table__.c.identity_provider_id, Protocol.__table__.c.id],
            name="fk_federated_users_protocol",
            ondelete="CASCADE",
        ),
    )


class ExpiringMembership(Base):
    """A group that the last login put the user into, for as long as the provider's `authorization_ttl` says."""

    __tablename__ = "expiring_memberships"
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    group_id: Mapped[str] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True, index=True)
    identity_provider_id: Mapped[str] = mapped_column(ForeignKey(IdentityProvider.id, ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime]


class UsedProof(Base):
    """A proof of a login that must not work again (an assertion, a code): the SHA-256 of its name, until it would be over."""

    __tablename__ = "federation_used_proofs"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime]
    __table_args__ = (Index(None, "expires_at"),)
