from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pileus.kernel.db import Base
from pileus.network.attributes import StandardAttributes


class FloatingIp(StandardAttributes, Base):
    """`floating_port_id` holds the address on the external network; `port_id` is the port it leads to."""

    __tablename__ = "floating_ips"
    __table_args__: Any = (UniqueConstraint("port_id", "fixed_ip_address"),)
    floating_network_id: Mapped[str] = mapped_column(ForeignKey("networks.id"), index=True)
    floating_port_id: Mapped[str] = mapped_column(ForeignKey("ports.id"), index=True)
    floating_ip_address: Mapped[str] = mapped_column(String(64), index=True)
    port_id: Mapped[str | None] = mapped_column(ForeignKey("ports.id"))
    fixed_ip_address: Mapped[str | None] = mapped_column(String(64))
    router_id: Mapped[str | None] = mapped_column(ForeignKey("routers.id"), index=True)
    dns_name: Mapped[str] = mapped_column(String(255), default="")
    dns_domain: Mapped[str] = mapped_column(String(255), default="")
