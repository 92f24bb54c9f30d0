"""Identity providers: where federated users come from."""

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from pileus.identity.federation.names import NAME
from pileus.kernel.columns import exact
from pileus.kernel.db import Base


class IdentityProvider(Base):
    """`authorization_ttl`: minutes that a login's group memberships outlive it; None: the configuration's."""

    __tablename__ = "identity_providers"
    id: Mapped[str] = mapped_column(NAME, primary_key=True)
    domain_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), unique=True)
    enabled: Mapped[bool] = mapped_column(default=False)
    description: Mapped[str | None] = mapped_column(Text)
    authorization_ttl: Mapped[int | None]


class RemoteId(Base):
    """A name by which the provider is known in its own assertions; of one provider only."""

    __tablename__ = "identity_provider_remote_ids"
    remote_id: Mapped[str] = mapped_column(exact(255), primary_key=True)
    identity_provider_id: Mapped[str] = mapped_column(
        ForeignKey("identity_providers.id", ondelete="CASCADE"), index=True
    )
