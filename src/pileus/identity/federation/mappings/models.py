"""Mappings: from what an identity provider says to users, groups and projects of this cloud."""

from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from pileus.identity.federation.names import NAME
from pileus.kernel.db import Base


class Mapping(Base):
    __tablename__ = "federation_mappings"
    id: Mapped[str] = mapped_column(NAME, primary_key=True)
    rules: Mapped[list[Any]] = mapped_column(JSON)
    schema_version: Mapped[str] = mapped_column(String(5), default="1.0")
