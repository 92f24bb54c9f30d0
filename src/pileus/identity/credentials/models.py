"""What users keep here: EC2 key pairs, certificates, seeds of one-time passcodes. The content is sealed (`sealing.py`)."""

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from pileus.identity.columns import ID
from pileus.identity.tokens.payload import Delegation, DelegationKind
from pileus.kernel.columns import exact, long_text
from pileus.kernel.db import Base, new_hex_id


class Credential(Base):
    """`access_hash` (SHA-256, hex) finds an EC2 key pair by its public half. `key_hash` names the key that sealed it.

    A row made with a delegated token bears that delegation for good: what it opens is worth no more.
    `used_step`: the newest step of time whose passcode was taken (type totp).
    """

    __tablename__ = "credentials"
    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_hex_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    project_id: Mapped[str | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    type: Mapped[str] = mapped_column(exact(255))
    access_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    sealed: Mapped[str] = mapped_column(long_text())
    key_hash: Mapped[str] = mapped_column(String(64), index=True)
    delegation_kind: Mapped[DelegationKind | None] = mapped_column(String(32))
    delegation_id: Mapped[str | None] = mapped_column(ID)
    used_step: Mapped[int | None] = mapped_column(BigInteger)
    extra: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    __table_args__ = (Index(None, "user_id", "type"),)

    @property
    def delegation(self) -> Delegation | None:
        if self.delegation_kind is None or self.delegation_id is None:
            return None
        return Delegation(self.delegation_kind, self.delegation_id)
