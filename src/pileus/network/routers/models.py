from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from pileus.kernel.db import Base
from pileus.network.attributes import Named
from pileus.network.ports.models import Port


class Router(Named, Base):
    """Its interfaces are the ports whose `device_id` it is; `host` is the network host that runs it."""

    __tablename__ = "routers"
    admin_state_up: Mapped[bool] = mapped_column(default=True)
    enable_snat: Mapped[bool] = mapped_column(default=True)
    gateway_port_id: Mapped[str | None] = mapped_column(ForeignKey("ports.id"), index=True)
    gateway_port: Mapped[Port | None] = relationship(lazy="joined")
    routes: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)  # destination, nexthop
    host: Mapped[str] = mapped_column(String(255), default="", index=True)
    availability_zone_hints: Mapped[list[str]] = mapped_column(JSON, default=list)
