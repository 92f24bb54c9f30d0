"""Registered limits: what can be limited, and how much of it each project has by default."""

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pileus.identity.columns import ID
from pileus.kernel.columns import exact
from pileus.kernel.db import Base, new_hex_id

EVERYWHERE = ""  # the `region_id` of what is limited in all regions: NULLs would not be unique


class RegisteredLimit(Base):
    __tablename__ = "registered_limits"
    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_hex_id)
    service_id: Mapped[str] = mapped_column(ID)
    region_id: Mapped[str] = mapped_column(String(255), default=EVERYWHERE, index=True)
    resource_name: Mapped[str] = mapped_column(exact(255))
    default_limit: Mapped[int]
    description: Mapped[str | None] = mapped_column(Text)
    __table_args__ = (UniqueConstraint("service_id", "region_id", "resource_name"),)
