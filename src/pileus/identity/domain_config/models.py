"""Options that a domain sets for itself."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from pileus.kernel.columns import exact
from pileus.kernel.db import Base


class DomainOption(Base):
    """`value` of a secret option is sealed (`sealing.py`)."""

    __tablename__ = "domain_options"
    domain_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    section: Mapped[str] = mapped_column(exact(32), primary_key=True)
    name: Mapped[str] = mapped_column(exact(64), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
    __table_args__ = (Index(None, "section", "name"),)
