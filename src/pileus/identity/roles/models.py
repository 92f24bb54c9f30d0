"""Roles, and which role brings which others."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pileus.identity.columns import ID
from pileus.kernel.columns import exact
from pileus.kernel.db import Base, new_hex_id

GLOBAL = ""  # the `domain_id` of a role that belongs to no domain


class Role(Base):
    __tablename__ = "roles"
    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_hex_id)
    domain_id: Mapped[str] = mapped_column(ID, default=GLOBAL)
    name: Mapped[str] = mapped_column(exact(255))
    description: Mapped[str | None] = mapped_column(Text)
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    extra: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    __table_args__ = (UniqueConstraint("domain_id", "name"),)

    def policy_target(self) -> dict[str, object]:
        """The word None is upstream's way to ask for a global role in a rule."""
        return {
            "target.role.id": self.id,
            "target.role.name": self.name,
            "target.role.domain_id": self.domain_id or "None",
        }


class ImpliedRole(Base):
    __tablename__ = "implied_roles"
    prior_role_id: Mapped[str] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True)
    implied_role_id: Mapped[str] = mapped_column(
        ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True, index=True
    )
