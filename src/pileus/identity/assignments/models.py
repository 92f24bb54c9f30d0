"""Who has which role where."""

from typing import Literal

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from pileus.identity.columns import ID
from pileus.kernel.db import Base

ActorKind = Literal["user", "group"]
TargetKind = Literal["project", "domain", "system"]
SYSTEM = "system"  # the `target_id` of the whole cloud


class Assignment(Base):
    """`inherited`: holds for the projects below the target and not for the target itself."""

    __tablename__ = "role_assignments"
    actor_id: Mapped[str] = mapped_column(ID, primary_key=True)
    target_id: Mapped[str] = mapped_column(ID, primary_key=True)
    role_id: Mapped[str] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True)
    inherited: Mapped[bool] = mapped_column(primary_key=True, default=False)
    actor_kind: Mapped[ActorKind] = mapped_column(String(8))
    target_kind: Mapped[TargetKind] = mapped_column(String(8))
    __table_args__ = (  # each gives the order that lists have: by actor, target, role
        Index(None, "target_id", "actor_id", "role_id", "inherited"),
        Index(None, "role_id", "actor_id", "target_id", "inherited"),
    )
