"""Which traits there are: the standard ones of os-traits, and the custom ones of this cloud."""

import importlib
from collections.abc import Iterable
from functools import cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.placement.names import CUSTOM
from pileus.placement.traits.models import CustomTrait


@cache
def standard() -> frozenset[str]:
    """Loaded at the first question: os-traits imports some forty modules."""
    names: list[str] = importlib.import_module("os_traits").get_traits()
    return frozenset(names)


def unknown(db: Session, names: Iterable[str]) -> set[str]:
    """Those of `names` that are no trait of this cloud."""
    asked = set(names)
    custom = {name for name in asked if name.startswith(CUSTOM)}
    strange = {name for name in asked - custom if name not in standard()}
    if custom:
        strange |= custom - set(db.scalars(select(CustomTrait.name).where(CustomTrait.name.in_(custom))))
    return strange
