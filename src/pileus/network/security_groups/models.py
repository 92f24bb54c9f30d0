from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from pileus.kernel.db import Base
from pileus.network.attributes import Named, StandardAttributes


class SecurityGroupRule(StandardAttributes, Base):
    """None means any. Ports are type and code when the protocol is an ICMP."""

    __tablename__ = "security_group_rules"
    security_group_id: Mapped[str] = mapped_column(ForeignKey("security_groups.id", ondelete="CASCADE"), index=True)
    direction: Mapped[str] = mapped_column(String(8))
    ethertype: Mapped[str] = mapped_column(String(8))
    protocol: Mapped[str | None] = mapped_column(String(40))
    port_range_min: Mapped[int | None]
    port_range_max: Mapped[int | None]
    remote_ip_prefix: Mapped[str | None] = mapped_column(String(64))
    remote_group_id: Mapped[str | None] = mapped_column(
        ForeignKey("security_groups.id", ondelete="CASCADE"), index=True
    )


class SecurityGroup(Named, Base):
    __tablename__ = "security_groups"
    stateful: Mapped[bool] = mapped_column(default=True)
    rules: Mapped[list[SecurityGroupRule]] = relationship(
        foreign_keys=[SecurityGroupRule.security_group_id],
        lazy="selectin",
        cascade="all, delete-orphan",
        order_by=[SecurityGroupRule.created_at, SecurityGroupRule.id],
    )


class DefaultGroup(Base):
    """Which group is a project's default one; the key makes sure that there is one."""

    __tablename__ = "default_security_groups"
    project_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    security_group_id: Mapped[str] = mapped_column(ForeignKey("security_groups.id", ondelete="CASCADE"), index=True)
