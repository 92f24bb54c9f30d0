"""Giving and taking roles: user or group, in a project, a domain or the system, for itself or for the projects below."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select

from pileus.identity.assignments.models import SYSTEM, ActorKind, Assignment, TargetKind
from pileus.identity.domains.routes import domain
from pileus.identity.envelope import collection
from pileus.identity.groups.models import Group
from pileus.identity.groups.routes import group
from pileus.identity.projects.models import Project
from pileus.identity.projects.routes import project
from pileus.identity.roles.models import Role
from pileus.identity.roles.replies import ROLES
from pileus.identity.roles.routes import role
from pileus.identity.roles.routes import view as role_view
from pileus.identity.tokens import revocation
from pileus.identity.users.models import User
from pileus.identity.users.routes import user
from pileus.kernel.errors import Forbidden, NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route


@dataclass(frozen=True)
class Grant:
    """What a grant's path names. `role` None: all roles of that actor there."""

    actor: User | Group
    target: Project | None
    role: Role | None
    inherited: bool
    path: str

    @property
    def target_id(self) -> str:
        return self.target.id if self.target is not None else SYSTEM

    @property
    def target_kind(self) -> TargetKind:
        if self.target is None:
            return "system"
        return "domain" if self.target.is_domain else "project"

    @property
    def actor_kind(self) -> ActorKind:
        return "user" if isinstance(self.actor, User) else "group"

    def policy_target(self) -> dict[str, object]:
        where = self.target.policy_target() if self.target is not None else {}
        if self.target is not None and self.target.is_domain:
            where = {"target.domain.id": self.target.id}
        return {**self.actor.policy_target(), **where, **(self.role.policy_target() if self.role is not None else {})}


def _loader(target_kind: TargetKind, actor_kind: ActorKind, *, inherited: bool) -> Callable[..., Grant]:
    def grant(call: Call) -> Grant:
        params = call.params
        where = None
        if target_kind != "system":
            where = (domain if target_kind == "domain" else project)(call, params[f"{target_kind}_id"])
        actor = user(call, params["user_id"]) if actor_kind == "user" else group(call, params["group_id"])
        what = role(call, params["role_id"]) if "role_id" in params else None
        return Grant(actor, where, what, inherited, call.request.url.path.removeprefix("/identity"))

    return grant


def index(call: Call, target: Grant) -> Json:
    query = (
        select(Role)
        .join(Assignment, Assignment.role_id == Role.id)
        .where(
            Assignment.actor_id == target.actor.id,
            Assignment.target_id == target.target_id,
            Assignment.inherited.is_(target.inherited),
        )
        .order_by(Role.name)
    )
    return collection(call, target.path, "roles", [role_view(call, row) for row in call.db.scalars(query)])


def check(call: Call, target: Grant) -> None:
    _assignment(call, target)


def give(call: Call, target: Grant) -> None:
    assert target.role is not None
    if target.role.domain_id:
        place = target.target.domain_id or target.target.id if target.target is not None else ""
        if place != target.role.domain_id:
            raise Forbidden(f"Role {target.role.id} belongs to a domain and can only be given there.")
    call.db.merge(
        Assignment(
            actor_id=target.actor.id,
            target_id=target.target_id,
            role_id=target.role.id,
            inherited=target.inherited,
            actor_kind=target.actor_kind,
            target_kind=target.target_kind,
        )
    )
    revocation.look_again(call)


def take(call: Call, target: Grant) -> None:
    call.db.delete(_assignment(call, target))
    revocation.look_again(call)


def _assignment(call: Call, target: Grant) -> Assignment:
    assert target.role is not None
    row = call.db.get(Assignment, (target.actor.id, target.target_id, target.role.id, target.inherited))
    if row is None:
        raise NotFound(f"{target.actor_kind} {target.actor.id} was not given role {target.role.id} there.")
    return row


def _routes(path: str, target: TargetKind, actor: ActorKind, *, inherited: bool = False) -> tuple[Route, ...]:
    """The five operations on one kind of grant. `path` has `*` where the role is, or the list ends."""
    load = _loader(target, actor, inherited=inherited)
    system = target == "system"
    rule = {
        verb: f"identity:{verb}_system_grant{'s' if verb == 'list' else ''}_for_{actor}"
        if system
        else f"identity:{other}"
        for verb, other in (
            ("list", "list_grants"),
            ("check", "check_grant"),
            ("create", "create_grant"),
            ("revoke", "revoke_grant"),
        )
    }
    every, one = path.replace("/*", ""), path.replace("*", "{role_id}")
    return (
        Route("GET", every, index, rule["list"], load=load, reply=ROLES),
        Route("GET", one, check, rule["check"], load=load, status=204),
        Route("PUT", one, give, rule["create"], load=load, status=204),
        Route("DELETE", one, take, rule["revoke"], load=load, status=204),
    )


_INHERIT = "/v3/OS-INHERIT"
ROUTES = (
    *_routes("/v3/projects/{project_id}/users/{user_id}/roles/*", "project", "user"),
    *_routes("/v3/projects/{project_id}/groups/{group_id}/roles/*", "project", "group"),
    *_routes("/v3/domains/{domain_id}/users/{user_id}/roles/*", "domain", "user"),
    *_routes("/v3/domains/{domain_id}/groups/{group_id}/roles/*", "domain", "group"),
    *_routes("/v3/system/users/{user_id}/roles/*", "system", "user"),
    *_routes("/v3/system/groups/{group_id}/roles/*", "system", "group"),
    *_routes(
        _INHERIT + "/projects/{project_id}/users/{user_id}/roles/*/inherited_to_projects",
        "project",
        "user",
        inherited=True,
    ),
    *_routes(
        _INHERIT + "/projects/{project_id}/groups/{group_id}/roles/*/inherited_to_projects",
        "project",
        "group",
        inherited=True,
    ),
    *_routes(
        _INHERIT + "/domains/{domain_id}/users/{user_id}/roles/*/inherited_to_projects",
        "domain",
        "user",
        inherited=True,
    ),
    *_routes(
        _INHERIT + "/domains/{domain_id}/groups/{group_id}/roles/*/inherited_to_projects",
        "domain",
        "group",
        inherited=True,
    ),
)
