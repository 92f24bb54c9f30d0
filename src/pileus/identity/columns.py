"""Column types of identity's tables."""

from sqlalchemy import String

ID = String(64)
