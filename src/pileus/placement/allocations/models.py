"""Who uses what: a consumer's allocations live and die in the same transaction as the consumer itself."""

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from pileus.kernel.db import Base


class Consumer(Base):
    """A server (or whatever an API user of placement calls one)."""

    __tablename__ = "consumers"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    project_id: Mapped[str] = mapped_column(String(255), index=True)
    user_id: Mapped[str] = mapped_column(String(255))
    consumer_type: Mapped[str] = mapped_column(String(255), default="INSTANCE")
    generation: Mapped[int] = mapped_column(default=0)


class Allocation(Base):
    __tablename__ = "allocations"
    consumer_id: Mapped[str] = mapped_column(ForeignKey("consumers.id", ondelete="CASCADE"), primary_key=True)
    provider_id: Mapped[str] = mapped_column(ForeignKey("resource_providers.id"), primary_key=True)
    resource_class: Mapped[str] = mapped_column(String(255), primary_key=True)
    used: Mapped[int]
    __table_args__ = (Index(None, "provider_id", "resource_class", "used"),)
