"""What the owner of a server wants. What its host sees is in `compute.guests`; status is computed from both (`states`)."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from pileus.compute.guests.models import Guest
from pileus.kernel import clock
from pileus.kernel.db import Base, new_id
from pileus.kernel.reconcile import Converging


class Server(Converging, Base):
    """`wanted` is active, stopped, paused or deleted; `verb` is the last request, which names the task while the host is behind.

    `hard_reboots` and `soft_reboots` count requests: the host performs each once. The flavor and the image's properties are copies:
    later changes of either do not change a server.
    """

    __tablename__ = "servers"
    __table_args__ = (
        Index(None, "retry_at"),
        Index(None, "project_id", "created_at"),
        Index(None, "host", "wanted"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    project_id: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[str] = mapped_column(String(64), index=True)
    name: Mapped[str] = mapped_column(String(255), index=True)
    hostname: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(String(255))
    reservation_id: Mapped[str] = mapped_column(String(32))
    launch_index: Mapped[int] = mapped_column(default=0)

    flavor_id: Mapped[str] = mapped_column(String(255), index=True)
    flavor: Mapped[dict[str, Any]] = mapped_column(
        JSON
    )  # name, vcpus, ram (MiB), disk, ephemeral (GiB), swap (MiB), extra_specs
    image_id: Mapped[str | None] = mapped_column(String(36), index=True)
    image: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # formats, size, hash, properties, …
    key_name: Mapped[str | None] = mapped_column(String(255))
    public_key: Mapped[str | None] = mapped_column(Text)
    key_type: Mapped[str] = mapped_column(String(16), default="ssh")
    user_data: Mapped[str | None] = mapped_column(Text)  # base64, as it was given
    config_drive: Mapped[bool] = mapped_column(default=False)
    admin_pass: Mapped[str | None] = mapped_column(
        String(255)
    )  # for metadata's admin_pass, as upstream hands it to cloud-init
    password_data: Mapped[str | None] = mapped_column(Text)  # what the guest posted to the metadata password service
    meta: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    system_meta: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    access_ip_v4: Mapped[str | None] = mapped_column(String(39))
    access_ip_v6: Mapped[str | None] = mapped_column(String(39))
    disk_config: Mapped[str] = mapped_column(String(8), default="MANUAL")
    scheduler_hints: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)

    availability_zone: Mapped[str | None] = mapped_column(String(255))
    host_id: Mapped[str | None] = mapped_column(ForeignKey("compute_hosts.id"))
    host: Mapped[str | None] = mapped_column(String(255))

    wanted: Mapped[str] = mapped_column(String(16), default="active")
    verb: Mapped[str] = mapped_column(String(16), default="create")
    hard_reboots: Mapped[int] = mapped_column(default=0)
    soft_reboots: Mapped[int] = mapped_column(default=0)
    locked_by: Mapped[str | None] = mapped_column(String(8))  # owner, admin
    locked_reason: Mapped[str | None] = mapped_column(String(255))
    fault: Mapped[dict[str, Any] | None] = mapped_column(
        JSON(none_as_null=True)
    )  # code, message, details, created; present: status ERROR

    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    launched_at: Mapped[datetime | None]

    guest: Mapped[Guest | None] = relationship(
        primaryjoin="foreign(Guest.server_id) == Server.id", lazy="joined", uselist=False, viewonly=True
    )
    tags: Mapped[list["ServerTag"]] = relationship(
        lazy="selectin", cascade="all, delete-orphan", order_by="ServerTag.tag"
    )


class ServerTag(Base):
    __tablename__ = "server_tags"
    server_id: Mapped[str] = mapped_column(ForeignKey("servers.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(60), primary_key=True)
