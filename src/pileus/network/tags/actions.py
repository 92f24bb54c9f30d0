"""Writes of tags."""

from collections.abc import Sequence

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from pileus.network.attributes import StandardAttributes, Tag
from pileus.network.errors import invalid

LONGEST, MOST = 255, 50


def replace(db: Session, row: StandardAttributes, tags: Sequence[str]) -> list[str]:
    """Exactly these tags. Raises BadRequest."""
    wanted = sorted(set(tags))
    if len(wanted) > MOST:
        raise invalid(f"a resource may have {MOST} tags.")
    for tag in wanted:
        check(tag)
    db.execute(delete(Tag).where(Tag.resource_id == row.id))
    if wanted:
        db.execute(insert(Tag), [{"resource_id": row.id, "tag": tag} for tag in wanted])
    row.touch()
    return wanted


def check(tag: str) -> str:
    if not 0 < len(tag) <= LONGEST or "," in tag or "/" in tag or not tag.isprintable():
        raise invalid(f"'{tag[:40]}' is not a tag: 1 to {LONGEST} printable characters without comma and slash.")
    return tag


def held(db: Session, row: StandardAttributes) -> list[str]:
    return list(db.scalars(select(Tag.tag).where(Tag.resource_id == row.id).order_by(Tag.tag)))
