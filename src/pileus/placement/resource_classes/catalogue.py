"""Which resource classes there are: the standard ones of os-resource-classes, and the custom ones of this cloud."""

import importlib
from collections.abc import Iterable
from functools import cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.kernel.errors import BadRequest
from pileus.placement.names import CUSTOM
from pileus.placement.resource_classes.models import CustomClass


@cache
def standard() -> tuple[str, ...]:
    """In the order in which they came into the world."""
    names: list[str] = importlib.import_module("os_resource_classes").STANDARDS
    return tuple(names)


def unknown(db: Session, names: Iterable[str]) -> set[str]:
    """Those of `names` that are no resource class of this cloud."""
    asked = set(names)
    custom = {name for name in asked if name.startswith(CUSTOM)}
    strange = (asked - custom).difference(standard())
    if custom:
        strange |= custom - set(db.scalars(select(CustomClass.name).where(CustomClass.name.in_(custom))))
    return strange


def need(db: Session, names: Iterable[str]) -> None:
    """Raise BadRequest when one of `names` is no class."""
    if strange := unknown(db, names):
        raise BadRequest(f"Unknown resource class: {', '.join(sorted(strange))}.")
