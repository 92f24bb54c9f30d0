"""What bodies of the catalog share: attributes that the service alone sets."""

from typing import Any

import msgspec

from pileus.kernel.errors import Forbidden
from pileus.kernel.http.schema import UNSET, Shape


class Timed(Shape, kw_only=True):
    """Clients may send back what they were shown only where it is not read-only."""

    created_at: Any = UNSET
    updated_at: Any = UNSET

    def refuse_read_only(self) -> None:
        for name in ("created_at", "updated_at", "link"):
            if getattr(self, name, UNSET) is not UNSET:
                raise Forbidden(f"Attribute '{'self' if name == 'link' else name}' is read-only.")


class Linked(Timed, kw_only=True):
    """`schema` is taken and not kept: clients send it back with the rest."""

    link: Any = msgspec.field(default=UNSET, name="self")
    schema: Any = UNSET
