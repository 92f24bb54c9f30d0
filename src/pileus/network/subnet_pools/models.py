from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from pileus.kernel.db import Base
from pileus.network.attributes import Named


class SubnetPool(Named, Base):
    __tablename__ = "subnet_pools"
    prefixes: Mapped[list[str]] = mapped_column(JSON)
    ip_version: Mapped[int]
    default_prefixlen: Mapped[int]
    min_prefixlen: Mapped[int]
    max_prefixlen: Mapped[int]
    shared: Mapped[bool] = mapped_column(default=False)
    is_default: Mapped[bool] = mapped_column(default=False)
    default_quota: Mapped[int | None]

    def policy_target(self) -> dict[str, object]:
        return {**super().policy_target(), "shared": self.shared}
