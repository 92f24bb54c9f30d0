"""A user's delegated logins: one project, some of the user's roles, a secret of their own, perhaps only some requests."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pileus.identity.columns import ID
from pileus.kernel.columns import exact
from pileus.kernel.db import Base, new_hex_id


class ApplicationCredential(Base):
    """`ruled`: it may make the requests that its access rules allow and no others, were it none at all."""

    __tablename__ = "application_credentials"
    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_hex_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(exact(255))
    description: Mapped[str | None] = mapped_column(Text)
    secret_hash: Mapped[str] = mapped_column(String(255))
    expires_at: Mapped[datetime | None]
    unrestricted: Mapped[bool] = mapped_column(default=False)
    ruled: Mapped[bool] = mapped_column(default=False)
    __table_args__ = (UniqueConstraint("user_id", "name"),)


class ApplicationCredentialRole(Base):
    __tablename__ = "application_credential_roles"
    application_credential_id: Mapped[str] = mapped_column(
        ForeignKey("application_credentials.id", ondelete="CASCADE"), primary_key=True
    )
    role_id: Mapped[str] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True, index=True)


class AccessRule(Base):
    """A request that a user's credentials may be narrowed to; those with the same rule share the row."""

    __tablename__ = "access_rules"
    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_hex_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    service: Mapped[str] = mapped_column(exact(64))
    path: Mapped[str] = mapped_column(exact(255))
    method: Mapped[str] = mapped_column(exact(16))
    __table_args__ = (UniqueConstraint("user_id", "service", "path", "method"),)


class ApplicationCredentialRule(Base):
    __tablename__ = "application_credential_rules"
    application_credential_id: Mapped[str] = mapped_column(
        ForeignKey("application_credentials.id", ondelete="CASCADE"), primary_key=True
    )
    access_rule_id: Mapped[str] = mapped_column(
        ForeignKey("access_rules.id", ondelete="CASCADE"), primary_key=True, index=True
    )
