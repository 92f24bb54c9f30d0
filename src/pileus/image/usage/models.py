"""What makes requests of one project wait for each other where a quota is counted."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from pileus.kernel.db import Base


class QuotaHold(Base):
    """A row to lock, of no other meaning. `project_id` is "" where limits hold for several projects together."""

    __tablename__ = "image_quota_holds"
    project_id: Mapped[str] = mapped_column(String(64), primary_key=True)
