"""What belongs to one user, below that user's path (`/v3/users/{user_id}/…`)."""

from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy.orm import InstrumentedAttribute

from pileus.identity.users.models import User
from pileus.identity.users.routes import user
from pileus.kernel.db import Base
from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call

T = TypeVar("T", bound=Base)


class Owned(Generic[T]):
    """A row with its user, who is what policy asks about."""

    def __init__(self, owner: User, row: T) -> None:
        self.owner = owner
        self.row = row

    def policy_target(self) -> dict[str, object]:
        return self.owner.policy_target()


def owned(
    model: type[T], owner_id: InstrumentedAttribute[str], parameter: str, what: str
) -> Callable[[Call], Owned[T]]:
    """For a route's `load`: the row that the path names by `parameter`. Another user's is as good as none."""

    def load(call: Call) -> Owned[T]:
        owner, key = user(call, call.params["user_id"]), call.params[parameter]
        row = call.db.get(model, key)
        if row is None or getattr(row, owner_id.key) != owner.id:
            call.enforce(call.route.policy, owner.policy_target())
            raise NotFound(f"{what} {key} could not be found.")
        return Owned(owner, row)

    return load
