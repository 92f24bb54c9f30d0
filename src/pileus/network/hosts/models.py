from datetime import datetime

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from pileus.kernel import clock
from pileus.kernel.db import Base, new_id


class NetworkHost(Base):
    """A host that an agent reports for; written by reports only."""

    __tablename__ = "network_hosts"
    host: Mapped[str] = mapped_column(String(255), primary_key=True)
    agent_id: Mapped[str] = mapped_column(String(36), default=new_id, unique=True)
    mechanism: Mapped[str] = mapped_column(String(64))
    tunnel_ip: Mapped[str] = mapped_column(String(64))
    physical_networks: Mapped[list[str]] = mapped_column(JSON, default=list)
    admin_state_up: Mapped[bool] = mapped_column(default=True)
    description: Mapped[str] = mapped_column(String(255), default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    started_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_seen: Mapped[datetime] = mapped_column(default=clock.now)
    applied_generation: Mapped[int] = mapped_column(default=0)
    notes: Mapped[list[str]] = mapped_column(JSON, default=list)
    faults: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)  # id of a network, port or router -> why
