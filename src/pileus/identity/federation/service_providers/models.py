"""Service providers: other clouds that take this cloud's word for who its users are."""

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from pileus.identity.federation.names import NAME
from pileus.kernel.db import Base


class ServiceProvider(Base):
    """`sp_url` takes the assertion; `auth_url` gives the token."""

    __tablename__ = "service_providers"
    id: Mapped[str] = mapped_column(NAME, primary_key=True)
    auth_url: Mapped[str] = mapped_column(String(256))
    sp_url: Mapped[str] = mapped_column(String(256))
    enabled: Mapped[bool] = mapped_column(default=False)
    description: Mapped[str | None] = mapped_column(Text)
    relay_state_prefix: Mapped[str] = mapped_column(String(256))
