"""Traits that the cloud's users made; the standard ones are in no table."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from pileus.kernel import clock
from pileus.kernel.db import Base


class CustomTrait(Base):
    __tablename__ = "custom_traits"
    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
