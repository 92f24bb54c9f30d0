"""Roles: what an assignment gives."""

from sqlalchemy import delete, select

from pileus.identity import options, placement
from pileus.identity.assignments.models import Assignment
from pileus.identity.envelope import collection, extras
from pileus.identity.filters import names
from pileus.identity.listing import Listing
from pileus.identity.lookup import find
from pileus.identity.placement import InDomain
from pileus.identity.roles import replies
from pileus.identity.roles.models import GLOBAL, Role
from pileus.identity.roles.schemas import NewRole, NewRoleBody, RoleChange, RoleChangeBody
from pileus.identity.tokens import revocation
from pileus.kernel.errors import BadRequest, Conflict
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET

ROLES = Listing(
    model=Role,
    key=Role.id,
    filters=names("name", Role.name),
    sort={"name": Role.name, "id": Role.id},
    default_sort=(("name", "asc"),),
)


class SeenRole:
    """A role and the domain of the token that looks at it."""

    def __init__(self, role: Role, seer: InDomain) -> None:
        self.role = role
        self.seer = seer

    def policy_target(self) -> dict[str, object]:
        return {**self.role.policy_target(), **self.seer.policy_target()}


def role(call: Call, role_id: str) -> Role:
    return find(call, Role, role_id, "Role")


def seen_role(call: Call, role_id: str) -> SeenRole:
    return SeenRole(role(call, role_id), placement.listing(call))


def view(call: Call, row: Role) -> Json:
    return row.extra | {
        "id": row.id,
        "name": row.name,
        "domain_id": row.domain_id or None,
        "description": row.description,
        "options": row.options,
        "links": {"self": call.url(f"/v3/roles/{row.id}")},
    }


def index(call: Call, _seer: InDomain) -> Json:
    """Global roles, unless a domain's own are asked for."""
    query = select(Role).where(Role.domain_id == (call.query_value("domain_id") or GLOBAL))
    page = ROLES.page(call, query)
    link = ROLES.next_link(call, page, "/v3/roles")
    return collection(call, "/v3/roles", "roles", [view(call, row) for row in page.items], link)


def create(call: Call, body: NewRoleBody) -> Json:
    given = body.role
    if given.domain_id is not None:
        placement.existing_domain(call, given.domain_id)
    domain_id = given.domain_id or GLOBAL
    _free_name(call, domain_id, given.name)
    made = Role(
        domain_id=domain_id,
        name=given.name,
        description=given.description,
        options=options.merged({}, given.options),
        extra=extras(call.body["role"], NewRole),
    )
    call.db.add(made)
    call.db.flush()
    revocation.look_again(call)
    return {"role": view(call, made)}


def show(call: Call, target: SeenRole) -> Json:
    return {"role": view(call, target.role)}


def update(call: Call, target: Role, body: RoleChangeBody) -> Json:
    given = body.role
    options.check_mutable(target.options, f"Role {target.id}", options.asked(given.options))
    if given.domain_id is not UNSET and (given.domain_id or GLOBAL) != target.domain_id:
        raise BadRequest("domain_id of a role can not be changed.")
    if given.name is not UNSET and given.name != target.name:
        _free_name(call, target.domain_id, given.name)
        target.name = given.name
    if given.description is not UNSET:
        target.description = given.description
    target.options = options.merged(target.options, given.options)
    target.extra = {**target.extra, **extras(call.body["role"], RoleChange)}
    revocation.look_again(call)
    return {"role": view(call, target)}


def destroy(call: Call, target: Role) -> None:
    options.check_mutable(target.options, f"Role {target.id}")
    call.db.execute(delete(Assignment).where(Assignment.role_id == target.id))
    call.db.delete(target)
    revocation.look_again(call)


def _free_name(call: Call, domain_id: str, name: str) -> None:
    if call.db.scalar(select(Role.id).where(Role.domain_id == domain_id, Role.name == name)) is not None:
        raise Conflict(f"A role named {name!r} exists already.")


ROUTES = (
    Route("GET", "/v3/roles", index, "identity:list_roles", load=placement.listing, reply=replies.ROLES, query=ROLES),
    Route("POST", "/v3/roles", create, "identity:create_role", status=201, reply=replies.ROLE),
    Route("GET", "/v3/roles/{role_id}", show, "identity:get_role", load=seen_role, reply=replies.ROLE),
    Route("PATCH", "/v3/roles/{role_id}", update, "identity:update_role", load=role, reply=replies.ROLE),
    Route("DELETE", "/v3/roles/{role_id}", destroy, "identity:delete_role", load=role, status=204),
)
