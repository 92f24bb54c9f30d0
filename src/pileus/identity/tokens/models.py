"""Single tokens that were ended before their time."""

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from pileus.kernel.db import Base


class RevokedToken(Base):
    """`expires` (epoch milliseconds) is when the token would have ended anyway and the row may go."""

    __tablename__ = "revoked_tokens"
    audit_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    expires: Mapped[int] = mapped_column(BigInteger, index=True)
