"""What a delegation leaves to the token that was made from it."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from pileus.kernel.context import AccessRule


class Limits(NamedTuple):
    """`grantor_id`: the user whose roles count. `role_ids`: those delegated, not yet expanded.

    `every`: the grantor must still have all of them, or the token is worth nothing. `access_rules` None: any request.
    `shown` is what the token's body says about the delegation. `epoch` counts the mass revocations of everybody else who took part.
    """

    grantor_id: str
    role_ids: tuple[str, ...]
    shown: Mapping[str, object]
    every: bool = False
    expires: datetime | None = None
    access_rules: tuple[AccessRule, ...] | None = None
    epoch: int = 0
