"""Limits: how much of something registered one project or domain may have, in place of the default."""

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from pileus.identity.columns import ID
from pileus.identity.projects.models import Project
from pileus.identity.registered_limits.models import RegisteredLimit
from pileus.kernel.db import Base, new_hex_id


class Limit(Base):
    """`holder_id` is the project, or the domain where `of_domain`."""

    __tablename__ = "limits"
    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_hex_id)
    registered_limit_id: Mapped[str] = mapped_column(ForeignKey("registered_limits.id"))
    holder_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    of_domain: Mapped[bool] = mapped_column(default=False)
    resource_limit: Mapped[int]
    description: Mapped[str | None] = mapped_column(Text)
    registered: Mapped[RegisteredLimit] = relationship(lazy="joined", innerjoin=True)
    holder: Mapped[Project] = relationship(lazy="select")
    __table_args__ = (UniqueConstraint("registered_limit_id", "holder_id"),)

    @property
    def project_id(self) -> str | None:
        return None if self.of_domain else self.holder_id

    @property
    def domain_id(self) -> str | None:
        return self.holder_id if self.of_domain else None

    def policy_target(self) -> dict[str, object]:
        return {
            "target.limit.project_id": self.project_id,
            "target.limit.domain.id": self.domain_id,
            "target.limit.project.domain_id": None if self.of_domain else self.holder.domain_id,
        }
