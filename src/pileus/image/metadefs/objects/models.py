"""Objects: properties that belong together."""

from typing import Any

from sqlalchemy import JSON, Text
from sqlalchemy.orm import Mapped, mapped_column

from pileus.image.metadefs.contents import Content
from pileus.kernel.db import Base


class MetadefObject(Content, Base):
    """`required` names properties that whoever uses the object should give."""

    __tablename__ = "metadef_objects"
    KIND = "object"
    description: Mapped[str | None] = mapped_column(Text)
    properties: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    required: Mapped[list[str]] = mapped_column(JSON, default=list)
