"""Projects and domains. A domain is a project that holds others, as identity's API has it."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pileus.identity.columns import ID
from pileus.kernel.columns import exact
from pileus.kernel.db import Base, new_hex_id

ROOT = ""  # the `domain_id` of a domain: domain names are unique among themselves


class Project(Base):
    __tablename__ = "projects"
    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_hex_id)
    domain_id: Mapped[str] = mapped_column(ID)
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("projects.id"), index=True)
    name: Mapped[str] = mapped_column(exact(64))
    description: Mapped[str] = mapped_column(Text, default="")
    enabled: Mapped[bool] = mapped_column(default=True)
    is_domain: Mapped[bool] = mapped_column(default=False)
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    extra: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    __table_args__ = (UniqueConstraint("domain_id", "name"), Index(None, "name"))

    def policy_target(self) -> dict[str, object]:
        if self.is_domain:
            return {"target.domain.id": self.id, "target.project.id": self.id, "target.project.domain_id": self.id}
        return {"target.project.id": self.id, "target.project.domain_id": self.domain_id}


class ProjectAncestor(Base):
    """Every project above a project, its domain included. Parents never change, so these rows never do."""

    __tablename__ = "project_ancestors"
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    ancestor_id: Mapped[str] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    distance: Mapped[int]


class ProjectTag(Base):
    __tablename__ = "project_tags"
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(exact(255), primary_key=True, index=True)
