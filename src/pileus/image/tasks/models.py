"""Tasks: what takes longer than a request. The reconcile role works on them, one process at a time on each."""

from datetime import datetime

from sqlalchemy import JSON, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from pileus.kernel import clock
from pileus.kernel.db import Base, new_id
from pileus.kernel.reconcile import Converging

PENDING, PROCESSING, SUCCESS, FAILURE = "pending", "processing", "success", "failure"
RUNNING = (PENDING, PROCESSING)
IMPORT = "import"  # an image from a URL, made by the task: the administrators' older way
API_IMAGE_IMPORT = "api_image_import"
COPY_IMAGE = "copy_image"
LOCATION_IMPORT = "location_import"


class Task(Converging, Base):
    """`input` is what was asked for, `result` what came of it, `message` how far it is or why it failed.

    `sealed` is the token that the task acts with elsewhere, encrypted; it goes when the task ends.
    """

    __tablename__ = "image_tasks"
    __table_args__ = (Index(None, "retry_at"), Index(None, "created_at"), Index(None, "expires_at"))
    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    type: Mapped[str] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(16), default=PENDING)
    owner: Mapped[str | None] = mapped_column(String(64), index=True)
    image_id: Mapped[str | None] = mapped_column(String(36), index=True)
    user_id: Mapped[str | None] = mapped_column(String(64))
    request_id: Mapped[str | None] = mapped_column(String(64))
    input: Mapped[dict[str, object]] = mapped_column(JSON, default=dict)
    result: Mapped[dict[str, object] | None] = mapped_column(JSON)
    message: Mapped[str] = mapped_column(Text, default="")
    sealed: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
