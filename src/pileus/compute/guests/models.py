"""What a host says of the guests on it. Only the host's reports write here."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from pileus.kernel import clock
from pileus.kernel.db import Base


class Guest(Base):
    """`state`: running, paused, stopped, crashed, absent. `generation` is the server's generation that the host has made true."""

    __tablename__ = "guests"
    server_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    host: Mapped[str] = mapped_column(String(255), index=True)
    state: Mapped[str] = mapped_column(String(16))
    generation: Mapped[int] = mapped_column(default=0)
    fault: Mapped[dict[str, Any] | None] = mapped_column(
        JSON(none_as_null=True)
    )  # message, detail, permanent, attempts
    reported_at: Mapped[datetime] = mapped_column(default=clock.now)
