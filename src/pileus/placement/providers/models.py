"""Resource providers and what they offer."""

from datetime import datetime

from sqlalchemy import Float, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from pileus.kernel import clock
from pileus.kernel.db import Base, new_id


class Provider(Base):
    """A host, or a part of one. `generation` rises with each change of its inventory or allocations: the claim's compare-and-swap."""

    __tablename__ = "resource_providers"
    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    generation: Mapped[int] = mapped_column(default=0)
    root_id: Mapped[str] = mapped_column(String(36), index=True)
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("resource_providers.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    __table_args__ = (Index(None, "created_at", "id"),)


class Inventory(Base):
    """How much of a resource class a provider has. Capacity is (total - reserved) * allocation_ratio."""

    __tablename__ = "inventories"
    provider_id: Mapped[str] = mapped_column(ForeignKey("resource_providers.id", ondelete="CASCADE"), primary_key=True)
    resource_class: Mapped[str] = mapped_column(String(255), primary_key=True)
    total: Mapped[int]
    reserved: Mapped[int] = mapped_column(default=0)
    min_unit: Mapped[int] = mapped_column(default=1)
    max_unit: Mapped[int]
    step_size: Mapped[int] = mapped_column(default=1)
    allocation_ratio: Mapped[float] = mapped_column(Float, default=1.0)

    @property
    def capacity(self) -> int:
        return int((self.total - self.reserved) * self.allocation_ratio)


class ProviderTrait(Base):
    __tablename__ = "resource_provider_traits"
    provider_id: Mapped[str] = mapped_column(ForeignKey("resource_providers.id", ondelete="CASCADE"), primary_key=True)
    trait: Mapped[str] = mapped_column(String(255), primary_key=True, index=True)


class ProviderAggregate(Base):
    __tablename__ = "resource_provider_aggregates"
    provider_id: Mapped[str] = mapped_column(ForeignKey("resource_providers.id", ondelete="CASCADE"), primary_key=True)
    aggregate_id: Mapped[str] = mapped_column(String(36), primary_key=True, index=True)
