"""Where images' data is: one row for each place."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from pileus.kernel import clock
from pileus.kernel.db import Base, new_id


class ImageLocation(Base):
    """`key` is the store's name for the data, or the URL in a store that is only read; `size` in bytes, once known.

    `until` is the lease of the process that writes the data; None: the data is whole. `details` are a user's own words.
    """

    __tablename__ = "image_locations"
    __table_args__ = (Index(None, "image_id", "position"), Index(None, "until"))
    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    image_id: Mapped[str] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"))
    store: Mapped[str] = mapped_column(String(255))
    key: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(default=0)
    size: Mapped[int | None] = mapped_column(BigInteger)
    details: Mapped[dict[str, object]] = mapped_column(JSON, default=dict)
    until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
