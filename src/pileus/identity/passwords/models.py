"""The hash of a user's password, apart from the user so that no listing ever loads it."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from pileus.identity.columns import ID
from pileus.kernel import clock
from pileus.kernel.db import Base


class Password(Base):
    """`self_service`: chosen by its user, not given by somebody else. When it expires is in the user's row, where lists find it."""

    __tablename__ = "passwords"
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    hash: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    self_service: Mapped[bool] = mapped_column(default=False)


class OldPassword(Base):
    """What was the password before, kept as long as it may not be chosen again."""

    __tablename__ = "old_passwords"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    hash: Mapped[str] = mapped_column(String(255))


class FailedLogins(Base):
    """Wrong passwords in a row. `last` (epoch milliseconds) is when the newest was given. The row "" is that of unknown users."""

    __tablename__ = "failed_logins"
    user_id: Mapped[str] = mapped_column(ID, primary_key=True)
    count: Mapped[int]
    last: Mapped[int] = mapped_column(BigInteger)
