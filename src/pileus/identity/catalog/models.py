"""Services, endpoints and regions that an administrator adds, and which projects see which endpoints.

They may refer to the cloud's own (`builtin`), which are no rows.
"""

from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from pileus.identity.columns import ID
from pileus.kernel.db import Base, new_hex_id

REGION_ID = String(255)


class Region(Base):
    __tablename__ = "regions"
    id: Mapped[str] = mapped_column(REGION_ID, primary_key=True, default=new_hex_id)
    parent_region_id: Mapped[str | None] = mapped_column(REGION_ID, index=True)
    description: Mapped[str] = mapped_column(Text, default="")
    extra: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class Service(Base):
    __tablename__ = "catalog_services"
    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_hex_id)
    type: Mapped[str] = mapped_column(String(255))
    name: Mapped[str | None] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    enabled: Mapped[bool] = mapped_column(default=True)
    extra: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class Endpoint(Base):
    __tablename__ = "catalog_endpoints"
    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_hex_id)
    service_id: Mapped[str] = mapped_column(ID, index=True)
    region_id: Mapped[str | None] = mapped_column(REGION_ID, index=True)
    interface: Mapped[str] = mapped_column(String(8))
    url: Mapped[str] = mapped_column(Text)
    name: Mapped[str | None] = mapped_column(String(255))
    enabled: Mapped[bool] = mapped_column(default=True)
    extra: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class ProjectEndpoint(Base):
    """The project's catalog shows the endpoint (and no longer all)."""

    __tablename__ = "project_endpoints"
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    endpoint_id: Mapped[str] = mapped_column(ID, primary_key=True, index=True)

    @property
    def key(self) -> tuple[str, str]:
        return self.project_id, self.endpoint_id


class EndpointGroup(Base):
    """Endpoints that have all the attributes of `filters` (service_id, region_id, interface, enabled)."""

    __tablename__ = "endpoint_groups"
    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_hex_id)
    name: Mapped[str] = mapped_column(String(255), index=True)
    description: Mapped[str | None] = mapped_column(Text)
    filters: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class ProjectEndpointGroup(Base):
    """The project's catalog shows the endpoints of the group (and no longer all)."""

    __tablename__ = "project_endpoint_groups"
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    endpoint_group_id: Mapped[str] = mapped_column(
        ForeignKey("endpoint_groups.id", ondelete="CASCADE"), primary_key=True, index=True
    )

    @property
    def key(self) -> tuple[str, str]:
        return self.project_id, self.endpoint_group_id
