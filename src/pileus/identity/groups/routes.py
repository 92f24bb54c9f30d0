"""Groups of users: a role given to a group is given to everyone in it."""

from sqlalchemy import delete, select

from pileus.identity import placement
from pileus.identity.assignments import privilege
from pileus.identity.assignments.models import Assignment
from pileus.identity.directories import looks
from pileus.identity.envelope import collection, extras
from pileus.identity.filters import names
from pileus.identity.groups import replies
from pileus.identity.groups.models import Group, Membership
from pileus.identity.groups.schemas import GroupChange, GroupChangeBody, NewGroup, NewGroupBody
from pileus.identity.listing import Listing
from pileus.identity.lookup import find
from pileus.identity.placement import InDomain
from pileus.identity.tokens import revocation
from pileus.identity.users.models import User
from pileus.identity.users.routes import user
from pileus.kernel.errors import BadRequest, Conflict
from pileus.kernel.http.call import Call, Json, Later
from pileus.kernel.http.listing import exact
from pileus.kernel.http.routes import Route

GROUPS = Listing(
    model=Group,
    key=Group.id,
    filters={**names("name", Group.name), "domain_id": exact(Group.domain_id)},
    sort={"name": Group.name, "id": Group.id},
    default_sort=(("name", "asc"),),
)


def group(call: Call, group_id: str) -> Group:
    return find(call, Group, group_id, "Group")


def subordinate(call: Call, group_id: str) -> Group:
    """For changes: not of a group that stands above the caller."""
    found = group(call, group_id)
    privilege.check(call, found, found)
    return found


def view(call: Call, row: Group) -> Json:
    return row.extra | {
        "id": row.id,
        "name": row.name,
        "domain_id": row.domain_id,
        "description": row.description,
        "links": {"self": call.url(f"/v3/groups/{row.id}")},
    }


def index(call: Call, target: InDomain) -> Json | Later:
    domain_id = target.domain_id or call.query_value("domain_id")
    return looks.groups(call, domain_id, lambda: _index(call, target))


def _index(call: Call, target: InDomain) -> Json:
    query = looks.hide_gone(call, select(Group), Group.id)
    if target.domain_id is not None:
        query = query.where(Group.domain_id == target.domain_id)
    page = GROUPS.page(call, query)
    link = GROUPS.next_link(call, page, "/v3/groups")
    return collection(call, "/v3/groups", "groups", [view(call, row) for row in page.items], link)


def create(call: Call, target: InDomain, body: NewGroupBody) -> Json:
    domain = placement.existing_domain(call, str(target.domain_id))
    looks.check_writable(call, domain.id)
    _free_name(call, domain.id, body.group.name)
    extra = extras(call.body["group"], NewGroup)
    made = Group(domain_id=domain.id, name=body.group.name, description=body.group.description or "", extra=extra)
    call.db.add(made)
    call.db.flush()
    return {"group": view(call, made)}


def show(call: Call, target: Group) -> Json | Later:
    return looks.group(call, target, lambda: {"group": view(call, group(call, target.id))})


def update(call: Call, target: Group, body: GroupChangeBody) -> Json:
    given = body.group
    looks.check_writable(call, target.domain_id, target)
    if isinstance(given.domain_id, str) and given.domain_id != target.domain_id:
        raise BadRequest("domain_id of a group can not be changed.")
    if isinstance(given.name, str) and given.name != target.name:
        _free_name(call, target.domain_id, given.name)
        target.name = given.name
    if isinstance(given.description, str | None):
        target.description = given.description or ""
    target.extra = {**target.extra, **extras(call.body["group"], GroupChange)}
    return {"group": view(call, target)}


def destroy(call: Call, target: Group) -> None:
    looks.check_writable(call, target.domain_id, target)
    call.db.execute(delete(Assignment).where(Assignment.actor_id == target.id))
    call.db.delete(target)
    revocation.look_again(call)


def of_user(call: Call, target: User) -> Json | Later:
    return looks.groups_of(call, target, lambda: _of_user(call, target))


def _of_user(call: Call, target: User) -> Json:
    page = GROUPS.page(call, select(Group).join(Membership).where(Membership.user_id == target.id))
    path = f"/v3/users/{target.id}/groups"
    link = GROUPS.next_link(call, page, path)
    return collection(call, path, "groups", [view(call, row) for row in page.items], link)


def _free_name(call: Call, domain_id: str, name: str) -> None:
    if call.db.scalar(select(Group.id).where(Group.domain_id == domain_id, Group.name == name)) is not None:
        raise Conflict(f"A group named {name!r} exists in domain {domain_id} already.")


ROUTES = (
    Route(
        "GET", "/v3/groups", index, "identity:list_groups", load=placement.listing, reply=replies.GROUPS, query=GROUPS
    ),
    Route(
        "POST",
        "/v3/groups",
        create,
        "identity:create_group",
        load=placement.new("group"),
        status=201,
        reply=replies.GROUP,
    ),
    Route("GET", "/v3/groups/{group_id}", show, "identity:get_group", load=group, reply=replies.GROUP),
    Route("PATCH", "/v3/groups/{group_id}", update, "identity:update_group", load=subordinate, reply=replies.GROUP),
    Route("DELETE", "/v3/groups/{group_id}", destroy, "identity:delete_group", load=subordinate, status=204),
    Route(
        "GET",
        "/v3/users/{user_id}/groups",
        of_user,
        "identity:list_groups_for_user",
        load=user,
        reply=replies.GROUPS,
        query=GROUPS,
    ),
)
