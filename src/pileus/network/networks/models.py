from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from pileus.kernel.db import Base
from pileus.network.attributes import Named, Wanted


class Network(Named, Base):
    __tablename__ = "networks"
    admin_state_up: Mapped[bool] = mapped_column(default=True)
    shared: Mapped[bool] = mapped_column(default=False)
    external: Mapped[bool] = mapped_column(default=False)
    is_default: Mapped[bool] = mapped_column(default=False)
    mtu: Mapped[int] = mapped_column(default=1500)
    port_security_enabled: Mapped[bool] = mapped_column(default=True)
    dns_domain: Mapped[str] = mapped_column(String(255), default="")
    availability_zone_hints: Mapped[list[str]] = mapped_column(JSON, default=list)
    segment: Mapped["Segment"] = relationship(
        lambda: Segment, lazy="joined", innerjoin=True, cascade="all, delete-orphan"
    )

    def policy_target(self) -> dict[str, object]:
        return {
            **super().policy_target(),
            "shared": self.shared,
            "router:external": self.external,
            **self.parent_target(),
        }

    def parent_target(self) -> dict[str, object]:
        """What rules about a subnet or port may ask of its network."""
        return {
            "network:project_id": self.project_id,
            "network:tenant_id": self.project_id,
            "network:shared": self.shared,
        }


class Segment(Wanted, Base):
    """What carries a network. Empty and 0 stand for "has none", so that the constraint holds for every type."""

    __tablename__ = "network_segments"
    __table_args__: Any = (UniqueConstraint("network_type", "physical_network", "segmentation_id"),)
    network_id: Mapped[str] = mapped_column(ForeignKey("networks.id", ondelete="CASCADE"), primary_key=True)
    network_type: Mapped[str] = mapped_column(String(32))
    physical_network: Mapped[str] = mapped_column(String(64), default="")
    segmentation_id: Mapped[int] = mapped_column(default=0)
