"""Aggregates: groups of hosts with metadata. One with `availability_zone` gives its hosts their zone."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from pileus.kernel import clock
from pileus.kernel.db import Base, new_id


class Aggregate(Base):
    __tablename__ = "aggregates"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    uuid: Mapped[str] = mapped_column(String(36), unique=True, default=new_id)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    meta: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime | None] = mapped_column(onupdate=clock.now)
    members: Mapped[list["AggregateHost"]] = relationship(
        lazy="selectin", cascade="all, delete-orphan", order_by="AggregateHost.host"
    )

    @property
    def zone(self) -> str | None:
        return self.meta.get("availability_zone")

    @property
    def hosts(self) -> list[str]:
        return [member.host for member in self.members]


class AggregateHost(Base):
    __tablename__ = "aggregate_hosts"
    aggregate_id: Mapped[int] = mapped_column(ForeignKey("aggregates.id", ondelete="CASCADE"), primary_key=True)
    host: Mapped[str] = mapped_column(String(255), primary_key=True, index=True)
