"""Images: what the API says of them, and where their data is."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, func
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, attribute_keyed_dict, column_property, mapped_column, relationship

from pileus.image.locations.models import ImageLocation
from pileus.kernel import clock
from pileus.kernel.db import Base, new_id

QUEUED, SAVING, ACTIVE, DEACTIVATED = "queued", "saving", "active", "deactivated"
UPLOADING, IMPORTING = "uploading", "importing"  # data is or goes to where imports take it from; an import runs
PENDING_DELETE = "pending_delete"  # deleted for users; the data stays for a while
READABLE = (ACTIVE, DEACTIVATED)
# Users' words are compared byte by byte: else a hidden property could be asked for under another spelling. MariaDB folds case
# and ignores blanks at the end unless it is told not to.
EXACT = "utf8mb4_nopad_bin"
WORD = String(255).with_variant(mysql.VARCHAR(255, charset="utf8mb4", collation=EXACT), "mysql", "mariadb")
WORDS = Text().with_variant(mysql.TEXT(charset="utf8mb4", collation=EXACT), "mysql", "mariadb")


class ImageProperty(Base):
    """A custom property: any name that is not an attribute of the API's own."""

    __tablename__ = "image_properties"
    image_id: Mapped[str] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(WORD, primary_key=True)
    value: Mapped[str | None] = mapped_column(WORDS)


class ImageTag(Base):
    __tablename__ = "image_tags"
    image_id: Mapped[str] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"), primary_key=True)
    value: Mapped[str] = mapped_column(WORD, primary_key=True)


class Image(Base):
    """`owner` is a project's id. Sizes in bytes, `min_disk` in GiB, `min_ram` in MiB.

    Where the data is, say its `locations`; they are loaded only by those who ask. `scrub_at`: when a deleted image's data goes.
    """

    __tablename__ = "images"
    __table_args__ = (  # what lists filter by, in the order that they have if none is asked for
        Index(None, "owner", "created_at"),
        Index(None, "visibility", "created_at"),
        Index(None, "status", "created_at"),
        Index(None, "created_at"),
        Index(None, "updated_at"),
        Index(None, "name"),
    )
    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    name: Mapped[str | None] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(16), default=QUEUED)
    visibility: Mapped[str] = mapped_column(String(16), default="shared")
    owner: Mapped[str | None] = mapped_column(String(64))
    disk_format: Mapped[str | None] = mapped_column(String(16))
    container_format: Mapped[str | None] = mapped_column(String(16))
    size: Mapped[int | None] = mapped_column(BigInteger)
    virtual_size: Mapped[int | None] = mapped_column(BigInteger)
    checksum: Mapped[str | None] = mapped_column(String(32))
    os_hash_algo: Mapped[str | None] = mapped_column(String(16))
    os_hash_value: Mapped[str | None] = mapped_column(String(128))
    min_disk: Mapped[int] = mapped_column(default=0)
    min_ram: Mapped[int] = mapped_column(default=0)
    protected: Mapped[bool] = mapped_column(default=False)
    os_hidden: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
    scrub_at: Mapped[datetime | None]
    # Paging compares with these, which are never NULL.
    name_or_empty: Mapped[str] = column_property(func.coalesce(name, ""))
    size_or_zero: Mapped[int] = column_property(func.coalesce(size, 0))
    disk_format_or_empty: Mapped[str] = column_property(func.coalesce(disk_format, ""))
    container_format_or_empty: Mapped[str] = column_property(func.coalesce(container_format, ""))

    extra: Mapped[dict[str, ImageProperty]] = relationship(
        collection_class=attribute_keyed_dict("name"),
        lazy="selectin",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    tag_rows: Mapped[list[ImageTag]] = relationship(
        lazy="selectin", cascade="all, delete-orphan", passive_deletes=True, order_by=ImageTag.value
    )
    locations: Mapped[list[ImageLocation]] = relationship(
        cascade="all, delete-orphan", passive_deletes=True, order_by=ImageLocation.position
    )

    @property
    def properties(self) -> dict[str, str | None]:
        return {name: row.value for name, row in self.extra.items()}

    @property
    def tags(self) -> list[str]:
        return [row.value for row in self.tag_rows]
