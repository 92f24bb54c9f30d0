"""Policies that identity keeps for other services, and for which endpoints they are."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from pileus.identity.columns import ID
from pileus.kernel.db import Base, new_hex_id


class PolicyBlob(Base):
    """`blob` is what a client put there, a text or an object; nobody reads it here."""

    __tablename__ = "policies"
    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_hex_id)
    type: Mapped[str] = mapped_column(String(255), index=True)
    blob: Mapped[Any] = mapped_column(JSON)
    extra: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class PolicyAssociation(Base):
    """Either an endpoint, or a service, or a service in a region: the others are empty. Each has one policy at most."""

    __tablename__ = "policy_associations"
    endpoint_id: Mapped[str] = mapped_column(ID, primary_key=True, default="")
    service_id: Mapped[str] = mapped_column(ID, primary_key=True, default="", index=True)
    region_id: Mapped[str] = mapped_column(String(255), primary_key=True, default="", index=True)
    policy_id: Mapped[str] = mapped_column(ForeignKey("policies.id", ondelete="CASCADE"), index=True)
