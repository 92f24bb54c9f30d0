"""Which host has, or is to have, which image."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from pileus.kernel import clock
from pileus.kernel.db import Base


class CachedImage(Base):
    """`size` in bytes, None while the copy is only asked for. `failures`: how often it could not be made."""

    __tablename__ = "cached_images"
    __table_args__ = (Index(None, "image_id"),)
    host: Mapped[str] = mapped_column(String(255), primary_key=True)
    image_id: Mapped[str] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"), primary_key=True)
    size: Mapped[int | None] = mapped_column(BigInteger)
    hits: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_modified: Mapped[datetime] = mapped_column(default=clock.now)
    last_accessed: Mapped[datetime] = mapped_column(default=clock.now)
