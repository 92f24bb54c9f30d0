"""The cloud's own processes that compute's API names: conductor and scheduler. Hosts are rows of their own."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from pileus.compute.hosts.models import DOWN_AFTER
from pileus.kernel import clock
from pileus.kernel.db import Base, new_id


class ControlService(Base):
    __tablename__ = "compute_control_services"
    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    binary: Mapped[str] = mapped_column(String(64))
    host: Mapped[str] = mapped_column(String(255))
    seen_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def up(self) -> bool:
        return clock.now() - self.seen_at < DOWN_AFTER
