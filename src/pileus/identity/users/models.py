"""Users. What proves them is in `passwords` and `application_credentials`."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pileus.identity.columns import ID
from pileus.kernel.columns import exact
from pileus.kernel.db import Base, new_hex_id


class User(Base):
    """`token_epoch` rises when all tokens of the user must end: password changed, disabled.

    `last_active_at` is known while users can be disabled for inactivity, and None for those whom that does not concern.
    """

    __tablename__ = "users"
    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_hex_id)
    domain_id: Mapped[str] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str] = mapped_column(exact(255))
    enabled: Mapped[bool] = mapped_column(default=True)
    default_project_id: Mapped[str | None] = mapped_column(ID)
    description: Mapped[str | None] = mapped_column(Text)
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    extra: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    token_epoch: Mapped[int] = mapped_column(default=0)
    password_expires_at: Mapped[datetime | None] = mapped_column(index=True)
    last_active_at: Mapped[datetime | None] = mapped_column(index=True)
    __table_args__ = (UniqueConstraint("domain_id", "name"), Index(None, "name"))

    def policy_target(self) -> dict[str, object]:
        return {"target.user.id": self.id, "target.user.domain_id": self.domain_id, "user_id": self.id}
