"""Namespaces: what definitions are grouped by, who may see them, and which types of resources they are for."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from pileus.image.metadefs import names
from pileus.kernel import clock
from pileus.kernel.db import Base

PUBLIC, PRIVATE = "public", "private"


class ResourceType(Base):
    """A type of resources, such as OS::Nova::Flavor. It stays when no namespace is for it any more."""

    __tablename__ = "metadef_resource_types"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(names.COLUMN, unique=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)


class Association(Base):
    """A namespace is for a type of resources, on which its properties' names begin with `prefix`.

    `properties_target` says which of a resource's several sets of pairs is meant.
    """

    __tablename__ = "metadef_associations"
    namespace_id: Mapped[int] = mapped_column(ForeignKey("metadef_namespaces.id", ondelete="CASCADE"), primary_key=True)
    resource_type_id: Mapped[int] = mapped_column(
        ForeignKey("metadef_resource_types.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    prefix: Mapped[str | None] = mapped_column(String(80))
    properties_target: Mapped[str | None] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
    resource_type: Mapped[ResourceType] = relationship(lazy="joined", innerjoin=True)

    @property
    def name(self) -> str:
        return self.resource_type.name


class Namespace(Base):
    """`owner` is a project's id. A private namespace is that project's alone."""

    __tablename__ = "metadef_namespaces"
    id: Mapped[int] = mapped_column(primary_key=True)
    namespace: Mapped[str] = mapped_column(names.COLUMN, unique=True)
    display_name: Mapped[str | None] = mapped_column(String(80))
    description: Mapped[str | None] = mapped_column(Text)
    visibility: Mapped[str] = mapped_column(String(16), default=PRIVATE)
    protected: Mapped[bool] = mapped_column(default=False)
    owner: Mapped[str | None] = mapped_column(String(255), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
    associations: Mapped[list[Association]] = relationship(
        lazy="selectin",
        cascade="all, delete-orphan",
        passive_deletes=True,
        order_by=(Association.created_at, Association.resource_type_id),
    )

    def policy_target(self) -> dict[str, object]:
        """The names that upstream's rules use."""
        target = {"project_id": self.owner, "owner": self.owner, "visibility": self.visibility}
        return {name: value for name, value in target.items() if value is not None}

    def prefix_for(self, resource_type: str | None) -> str | None:
        """What names begin with on resources of that type; None when the namespace is not for them."""
        return next((held.prefix or "" for held in self.associations if held.name == resource_type), None)
