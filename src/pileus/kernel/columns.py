"""Column types that mean the same on every database."""

from sqlalchemy import String, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine


def exact(length: int) -> TypeEngine[str]:
    """A name that compares byte by byte (MariaDB folds case by default)."""
    binary = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return String(length).with_variant(binary, "mysql", "mariadb")


def long_text() -> TypeEngine[str]:
    """More than the 64 KiB that MariaDB's plain TEXT holds."""
    return Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
