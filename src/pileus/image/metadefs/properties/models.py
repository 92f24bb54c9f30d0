"""Properties that stand by themselves in a namespace."""

from typing import Any

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from pileus.image.metadefs.contents import Content
from pileus.kernel.db import Base


class MetadefProperty(Content, Base):
    """`definition` holds the keywords of its JSON schema."""

    __tablename__ = "metadef_properties"
    KIND = "property"
    definition: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
