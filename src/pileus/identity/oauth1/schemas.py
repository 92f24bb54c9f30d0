"""Bodies of OS-OAUTH1."""

from pileus.identity.held import RoleRef
from pileus.kernel.http.schema import UNSET, Shape, Unset


class ConsumerShape(Shape):
    description: str | Unset | None = UNSET


class ConsumerBody(Shape):
    consumer: ConsumerShape


class Authorization(Shape):
    roles: list[RoleRef]
