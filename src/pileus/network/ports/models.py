from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, Index, String, Table, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from pileus.kernel import clock
from pileus.kernel.db import Base
from pileus.network.attributes import Named
from pileus.network.networks.models import Network

DHCP = "network:dhcp"
ROUTER_INTERFACE = "network:router_interface"
ROUTER_GATEWAY = "network:router_gateway"
FLOATING_IP = "network:floatingip"
ROUTER_OWNERS = (ROUTER_INTERFACE, ROUTER_GATEWAY)
SERVICE_PREFIX = "network:"
USER, COMPUTE, SERVICE = "user", "compute", "network"  # who made a port

port_groups = Table(
    "port_security_groups",
    Base.metadata,
    Column("port_id", String(36), ForeignKey("ports.id", ondelete="CASCADE"), primary_key=True),
    Column("security_group_id", String(36), ForeignKey("security_groups.id"), primary_key=True, index=True),
)


class IpAllocation(Base):
    """An address of a port. The key is the promise that no address is given twice."""

    __tablename__ = "ip_allocations"
    subnet_id: Mapped[str] = mapped_column(ForeignKey("subnets.id"), primary_key=True)
    ip_address: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)
    port_id: Mapped[str] = mapped_column(ForeignKey("ports.id", ondelete="CASCADE"), index=True)
    position: Mapped[int] = mapped_column(default=0)


class PortGroup(Base):
    """Membership of a port in a security group."""

    __table__ = port_groups
    port_id: Mapped[str]
    security_group_id: Mapped[str]


class PortFact(Base):
    """What the host of a port last reported of it."""

    __tablename__ = "port_facts"
    port_id: Mapped[str] = mapped_column(ForeignKey("ports.id", ondelete="CASCADE"), primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    up: Mapped[bool]
    fault: Mapped[str | None] = mapped_column(String(255))
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)


class Port(Named, Base):
    __tablename__ = "ports"
    __table_args__: Any = (UniqueConstraint("network_id", "mac_address"), Index(None, "device_id"), Index(None, "host"))
    network_id: Mapped[str] = mapped_column(ForeignKey("networks.id"), index=True)
    network: Mapped[Network] = relationship(lazy="joined", innerjoin=True)
    mac_address: Mapped[str] = mapped_column(String(32))
    admin_state_up: Mapped[bool] = mapped_column(default=True)
    device_id: Mapped[str] = mapped_column(String(255), default="")
    device_owner: Mapped[str] = mapped_column(String(255), default="")
    host: Mapped[str] = mapped_column(String(255), default="")
    vnic_type: Mapped[str] = mapped_column(String(64), default="normal")
    vif_type: Mapped[str] = mapped_column(String(64), default="unbound")
    vif_details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    binding_profile: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    port_security_enabled: Mapped[bool] = mapped_column(default=True)
    address_pairs: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)  # mac_address, ip_address
    dhcp_options: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)  # opt_name, opt_value, ip_version
    dns_name: Mapped[str] = mapped_column(String(255), default="")
    # What a port really belongs to. `device_id` and `device_owner` are words that users may write, these three are not.
    server_id: Mapped[str | None] = mapped_column(String(36), index=True)
    router_id: Mapped[str | None] = mapped_column(String(36), index=True)
    made_by: Mapped[str] = mapped_column(String(16), default=USER)
    fixed_ips: Mapped[list[IpAllocation]] = relationship(
        lazy="selectin", order_by=[IpAllocation.position, IpAllocation.ip_address], passive_deletes=True, cascade="all"
    )
    groups: Mapped[list[PortGroup]] = relationship(
        lazy="selectin", order_by=[port_groups.c.security_group_id], passive_deletes=True, cascade="all, delete-orphan"
    )
    fact: Mapped[PortFact | None] = relationship(lazy="joined", viewonly=True)

    def policy_target(self) -> dict[str, object]:
        return {**super().policy_target(), **self.network.parent_target()}
