"""OAuth 1.0a (RFC 5849): consumers, and what users let them do. No secret is stored: `derivation` has them."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from pileus.identity.columns import ID
from pileus.kernel.db import Base, new_hex_id


class Consumer(Base):
    """A program that asks users for some of their roles."""

    __tablename__ = "oauth1_consumers"
    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_hex_id)
    description: Mapped[str | None] = mapped_column(Text)


class RequestToken(Base):
    """A consumer's question. `authorizing_user_id` None: not answered yet."""

    __tablename__ = "oauth1_request_tokens"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    consumer_id: Mapped[str] = mapped_column(ForeignKey("oauth1_consumers.id", ondelete="CASCADE"), index=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    authorizing_user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class RequestTokenRole(Base):
    __tablename__ = "oauth1_request_token_roles"
    token_id: Mapped[str] = mapped_column(ForeignKey("oauth1_request_tokens.id", ondelete="CASCADE"), primary_key=True)
    role_id: Mapped[str] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True, index=True)


class AccessToken(Base):
    """What a consumer logs in with, as the user who said yes."""

    __tablename__ = "oauth1_access_tokens"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    consumer_id: Mapped[str] = mapped_column(ForeignKey("oauth1_consumers.id", ondelete="CASCADE"), index=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime | None] = mapped_column(index=True)


class AccessTokenRole(Base):
    __tablename__ = "oauth1_access_token_roles"
    token_id: Mapped[str] = mapped_column(ForeignKey("oauth1_access_tokens.id", ondelete="CASCADE"), primary_key=True)
    role_id: Mapped[str] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True, index=True)


class Nonce(Base):
    """A signed request that was answered: `mark` is what must not come again, `timestamp` (epoch seconds) when it was made."""

    __tablename__ = "oauth1_nonces"
    mark: Mapped[str] = mapped_column(String(64), primary_key=True)
    timestamp: Mapped[int] = mapped_column(BigInteger, index=True)
