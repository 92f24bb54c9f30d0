"""Refused logins, so that an operator can say why somebody does not get in."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from pileus.identity.columns import ID
from pileus.kernel import clock
from pileus.kernel.db import Base


class RefusedLogin(Base):
    """One of the newest (`notes.MOST`). `who` is the name or id that was given, `remote` the address that it came from."""

    __tablename__ = "refused_logins"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    user_id: Mapped[str | None] = mapped_column(ID, index=True)
    who: Mapped[str] = mapped_column(String(255), index=True)
    reason: Mapped[str] = mapped_column(String(32))
    detail: Mapped[str] = mapped_column(String(255))
    remote: Mapped[str] = mapped_column(String(64))
    request_id: Mapped[str] = mapped_column(String(64))
