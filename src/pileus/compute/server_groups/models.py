"""Server groups: which servers should share a host, and which must not."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from pileus.kernel import clock
from pileus.kernel.db import Base, new_id


class ServerGroup(Base):
    """`policy`: affinity, anti-affinity, soft-affinity, soft-anti-affinity."""

    __tablename__ = "server_groups"
    __table_args__ = (Index(None, "project_id", "created_at"),)
    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(255))
    project_id: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[str] = mapped_column(String(64))
    policy: Mapped[str] = mapped_column(String(32))
    rules: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    members: Mapped[list["ServerGroupMember"]] = relationship(
        lazy="selectin", cascade="all, delete-orphan", passive_deletes=True, order_by="ServerGroupMember.server_id"
    )


class ServerGroupMember(Base):
    """A server is in one group at most, from its creation to its end."""

    __tablename__ = "server_group_members"
    server_id: Mapped[str] = mapped_column(ForeignKey("servers.id", ondelete="CASCADE"), primary_key=True)
    group_id: Mapped[str] = mapped_column(ForeignKey("server_groups.id", ondelete="CASCADE"), index=True)
