"""Who is in a group."""

from dataclasses import dataclass

from sqlalchemy import select

from pileus.identity.assignments import privilege
from pileus.identity.directories import looks
from pileus.identity.envelope import collection
from pileus.identity.groups.models import Group, Membership
from pileus.identity.groups.routes import group
from pileus.identity.tokens import revocation
from pileus.identity.users import replies
from pileus.identity.users.models import User
from pileus.identity.users.routes import USERS, user
from pileus.identity.users.views import view
from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call, Json, Later
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


def subordinate(call: Call, group_id: str, user_id: str) -> Place:
    """For changes: a group's roles are those of everyone who is put into it."""
    found = place(call, group_id, user_id)
    privilege.check(call, found, found.user, found.group)
    return found


def index(call: Call, target: Group) -> Json | Later:
    return looks.members(call, target, lambda: _index(call, target))


def _index(call: Call, target: Group) -> Json:
    page = USERS.page(call, select(User).join(Membership).where(Membership.group_id == target.id))
    path = f"/v3/groups/{target.id}/users"
    link = USERS.next_link(call, page, path)
    return collection(call, path, "users", [view(call, row) for row in page.items], link)


def check(call: Call, target: Place) -> None:
    looks.membership(call, target.user, target.group)
    _membership(call, target)


def add(call: Call, target: Place) -> None:
    _check_writable(call, target)
    call.db.merge(Membership(user_id=target.user.id, group_id=target.group.id))
    revocation.look_again(call)


def remove(call: Call, target: Place) -> None:
    _check_writable(call, target)
    call.db.delete(_membership(call, target))
    revocation.look_again(call)


def _membership(call: Call, target: Place) -> Membership:
    row = call.db.get(Membership, (target.user.id, target.group.id))
    if row is None:
        raise NotFound(f"User {target.user.id} is not in group {target.group.id}.")
    return row


def _check_writable(call: Call, target: Place) -> None:
    """Users of a directory are in groups of that directory only, and there it is only read."""
    for side in (target.user, target.group):
        looks.check_writable(call, side.domain_id, side)


_ONE = "/v3/groups/{group_id}/users/{user_id}"
ROUTES = (
    Route("GET", "/v3/groups/{group_id}/users", index, "identity:list_users_in_group", load=group, reply=replies.USERS),
    Route("GET", _ONE, check, "identity:check_user_in_group", load=place, status=204, offload=True),
    Route("PUT", _ONE, add, "identity:add_user_to_group", load=subordinate, status=204),
    Route("DELETE", _ONE, remove, "identity:remove_user_from_group", load=subordinate, status=204),
)
