"""Who is in a group."""

from dataclasses import dataclass

from sqlalchemy import select

from pileus.identity.envelope import collection
from pileus.identity.groups.models import Group, Membership
from pileus.identity.groups.routes import group
from pileus.identity.tokens import revocation
from pileus.identity.users.models import User
from pileus.identity.users.routes import USERS, user
from pileus.identity.users.views import view
from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route


@dataclass(frozen=True)
class Place:
    """A user and a group, whether or not the one is in the other."""

    user: User
    group: Group

    def policy_target(self) -> dict[str, object]:
        return {**self.user.policy_target(), **self.group.policy_target()}


def place(call: Call, group_id: str, user_id: str) -> Place:
    return Place(user(call, user_id), group(call, group_id))


def index(call: Call, target: Group) -> Json:
    page = USERS.page(call, select(User).join(Membership).where(Membership.group_id == target.id))
    path = f"/v3/groups/{target.id}/users"
    link = USERS.next_link(call, page, path)
    return collection(call, path, "users", [view(call, row) for row in page.items], link)


def check(call: Call, target: Place) -> None:
    _membership(call, target)


def add(call: Call, target: Place) -> None:
    call.db.merge(Membership(user_id=target.user.id, group_id=target.group.id))
    revocation.look_again(call)


def remove(call: Call, target: Place) -> None:
    call.db.delete(_membership(call, target))
    revocation.look_again(call)


def _membership(call: Call, target: Place) -> Membership:
    row = call.db.get(Membership, (target.user.id, target.group.id))
    if row is None:
        raise NotFound(f"User {target.user.id} is not in group {target.group.id}.")
    return row


_ONE = "/v3/groups/{group_id}/users/{user_id}"
ROUTES = (
    Route("GET", "/v3/groups/{group_id}/users", index, "identity:list_users_in_group", load=group),
    Route("GET", _ONE, check, "identity:check_user_in_group", load=place, status=204),
    Route("PUT", _ONE, add, "identity:add_user_to_group", load=place, status=204),
    Route("DELETE", _ONE, remove, "identity:remove_user_from_group", load=place, status=204),
)
