from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from pileus.kernel.db import Base
from pileus.network.attributes import Named
from pileus.network.networks.models import Network

SLAAC, STATEFUL, STATELESS = "slaac", "dhcpv6-stateful", "dhcpv6-stateless"


class Subnet(Named, Base):
    __tablename__ = "subnets"
    network_id: Mapped[str] = mapped_column(ForeignKey("networks.id"), index=True)
    network: Mapped[Network] = relationship(lazy="joined", innerjoin=True)
    cidr: Mapped[str] = mapped_column(String(64))
    ip_version: Mapped[int]
    gateway_ip: Mapped[str | None] = mapped_column(String(64))
    enable_dhcp: Mapped[bool] = mapped_column(default=True)
    allocation_pools: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)  # start, end
    dns_nameservers: Mapped[list[str]] = mapped_column(JSON, default=list)
    host_routes: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)  # destination, nexthop
    ipv6_ra_mode: Mapped[str | None] = mapped_column(String(16))
    ipv6_address_mode: Mapped[str | None] = mapped_column(String(16))
    subnetpool_id: Mapped[str | None] = mapped_column(ForeignKey("subnet_pools.id"), index=True)
    service_types: Mapped[list[str]] = mapped_column(JSON, default=list)
    dns_publish_fixed_ip: Mapped[bool] = mapped_column(default=False)

    @property
    def from_mac(self) -> bool:
        """Addresses follow from the MAC (SLAAC): nothing is handed out."""
        return self.ipv6_address_mode in (SLAAC, STATELESS)

    def policy_target(self) -> dict[str, object]:
        external = self.network.external
        return {
            **super().policy_target(),
            **self.network.parent_target(),
            "shared": self.network.shared,
            "router:external": external,
        }
