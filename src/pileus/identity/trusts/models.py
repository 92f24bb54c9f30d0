"""Trusts: a user (the trustor) lets another (the trustee) act with some of its roles in one project."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from pileus.identity.columns import ID
from pileus.kernel.db import Base, new_hex_id


class Trust(Base):
    """Never changed but for its uses. `redelegation_count`: how many further trusts may hang below it, one under the other.

    `redelegated_trust_id` is the trust whose token it was made with: it ends with that one. `last_used` is kept of those with
    a number of uses, so that it is known when the last of their tokens is over.
    """

    __tablename__ = "trusts"
    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_hex_id)
    trustor_user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    trustee_user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    project_id: Mapped[str | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    impersonation: Mapped[bool]
    expires_at: Mapped[datetime | None] = mapped_column(index=True)
    remaining_uses: Mapped[int | None]
    last_used: Mapped[datetime | None]
    redelegation_count: Mapped[int] = mapped_column(default=0)
    redelegated_trust_id: Mapped[str | None] = mapped_column(ForeignKey("trusts.id", ondelete="CASCADE"), index=True)

    def policy_target(self) -> dict[str, object]:
        return {
            "target.trust.trustor_user_id": self.trustor_user_id,
            "target.trust.trustee_user_id": self.trustee_user_id,
        }


class TrustRole(Base):
    """No foreign key to the role: a trust whose role is deleted is worth nothing, rather than less."""

    __tablename__ = "trust_roles"
    trust_id: Mapped[str] = mapped_column(ForeignKey("trusts.id", ondelete="CASCADE"), primary_key=True)
    role_id: Mapped[str] = mapped_column(ID, primary_key=True)
