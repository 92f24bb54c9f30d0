"""Which rows of `users` and `groups` mirror an entry of a directory."""

from datetime import datetime
from typing import Literal

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pileus.identity.columns import ID
from pileus.kernel.columns import exact
from pileus.kernel.db import Base

Entity = Literal["user", "group"]


class IdMapping(Base):
    """`gone_at`: since when the directory no longer has the entry; its row is disabled, and kept so that it can come back.

    `signed_in`: the user has logged in at least once, so that tokens may exist which depend on the entry.
    """

    __tablename__ = "id_mappings"
    public_id: Mapped[str] = mapped_column(ID, primary_key=True)
    domain_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    entity: Mapped[Entity] = mapped_column(String(8))
    local_id: Mapped[str] = mapped_column(exact(255))
    signed_in: Mapped[bool] = mapped_column(default=False)
    gone_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("domain_id", "entity", "local_id"),)
