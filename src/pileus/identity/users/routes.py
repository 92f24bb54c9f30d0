"""Users, their passwords and their projects."""

from collections.abc import Sequence

from sqlalchemy import select

from pileus.identity import filters, options, placement
from pileus.identity.assignments import privilege
from pileus.identity.directories import looks
from pileus.identity.envelope import collection, extras
from pileus.identity.listing import Listing
from pileus.identity.lookup import find
from pileus.identity.passwords import actions as passwords
from pileus.identity.passwords import lockout
from pileus.identity.placement import InDomain
from pileus.identity.projects import queries as projects
from pileus.identity.projects.listing import PROJECTS
from pileus.identity.projects.replies import PROJECTS as PROJECTS_REPLY
from pileus.identity.projects.views import views as project_views
from pileus.identity.tokens import revocation
from pileus.identity.users import actions, activity, federated, replies
from pileus.identity.users.models import User
from pileus.identity.users.schemas import NewUser, NewUserBody, UserChange, UserChangeBody
from pileus.identity.users.views import view
from pileus.kernel.http.call import Call, Json, Later
from pileus.kernel.http.listing import exact, flag
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET

USERS = Listing(
    model=User,
    key=User.id,
    filters={
        **filters.names("name", User.name),
        "domain_id": exact(User.domain_id),
        "enabled": flag(User.enabled),
        "password_expires_at": filters.moment(User.password_expires_at),
        **federated.FILTERS,
    },
    sort={"name": User.name, "id": User.id},
    default_sort=(("name", "asc"),),
)


def user(call: Call, user_id: str) -> User:
    return find(call, User, user_id, "User")


def subordinate(call: Call, user_id: str) -> User:
    """For changes: not of a user who stands above the caller."""
    found = user(call, user_id)
    privilege.check(call, found, found)
    return found


def index(call: Call, target: InDomain) -> Json | Later:
    return looks.users(call, target.domain_id or call.query_value("domain_id"), lambda: _index(call, target))


def _index(call: Call, target: InDomain) -> Json:
    query = looks.hide_gone(call, select(User), User.id)
    if target.domain_id is not None:
        query = query.where(User.domain_id == target.domain_id)
    page = USERS.page(call, query)
    link = USERS.next_link(call, page, "/v3/users")
    return collection(call, "/v3/users", "users", _whole(call, page.items), link)


def create(call: Call, target: InDomain, body: NewUserBody) -> Json:
    given = body.user
    domain = placement.existing_domain(call, str(target.domain_id))
    looks.check_writable(call, domain.id)
    actions.free_name(call.db, domain.id, given.name)
    actions.check_default_project(call.db, given.default_project_id)
    chosen = options.merged({}, given.options)
    made = User(
        domain_id=domain.id,
        name=given.name,
        enabled=given.enabled,
        default_project_id=given.default_project_id,
        description=given.description,
        options=chosen,
        extra=extras(call.body["user"], NewUser),
        last_active_at=activity.starting(call.cloud, chosen),
    )
    call.db.add(made)
    call.db.flush()
    if given.password is not None:
        passwords.put(call.cloud, call.db, made, given.password)
    federated.put(call, made, given.federated)
    return {"user": _whole(call, [made])[0]}


def _whole(call: Call, rows: Sequence[User]) -> list[Json]:
    known = federated.shown(call, rows)
    return [view(call, row) | known.get(row.id, {}) for row in rows]


def show(call: Call, target: User) -> Json | Later:
    return looks.user(call, target, lambda: {"user": _whole(call, [user(call, target.id)])[0]})


def update(call: Call, target: User, body: UserChangeBody) -> Json:
    given = body.user
    looks.check_writable(call, target.domain_id, target, call.body["user"])
    actions.change(call.db, target, given, extras(call.body["user"], UserChange))
    if given.federated is not UNSET:
        federated.put(call, target, given.federated)
    if given.enabled is True or given.options is not UNSET:
        target.last_active_at = activity.starting(call.cloud, target.options)
    if given.password is not UNSET:
        passwords.put(call.cloud, call.db, target, given.password)
    elif given.options is not UNSET:
        passwords.options_changed(call.cloud, call.db, target)
    if given.enabled is True or given.password is not UNSET:
        lockout.unlock(call.db, target.id)
    if given.enabled is False or given.password is not UNSET:
        revocation.end_all(call, target)
    call.db.flush()
    revocation.look_again(call)
    return {"user": _whole(call, [target])[0]}


def destroy(call: Call, target: User) -> None:
    looks.check_writable(call, target.domain_id, target)
    actions.remove(call.db, target)
    revocation.look_again(call)


def list_projects(call: Call, target: User) -> Json:
    page = PROJECTS.page(call, projects.with_roles(target.id))
    path = f"/v3/users/{target.id}/projects"
    link = PROJECTS.next_link(call, page, path)
    return collection(call, path, "projects", project_views(call, page.items), link)


ROUTES = (
    Route("GET", "/v3/users", index, "identity:list_users", load=placement.listing, reply=replies.USERS, query=USERS),
    Route(
        "POST",
        "/v3/users",
        create,
        "identity:create_user",
        load=placement.new("user"),
        status=201,
        offload=True,
        reply=replies.USER,
    ),
    Route("GET", "/v3/users/{user_id}", show, "identity:get_user", load=user, reply=replies.USER),
    Route(
        "PATCH",
        "/v3/users/{user_id}",
        update,
        "identity:update_user",
        load=subordinate,
        offload=True,
        reply=replies.USER,
    ),
    Route("DELETE", "/v3/users/{user_id}", destroy, "identity:delete_user", load=subordinate, status=204),
    Route(
        "GET",
        "/v3/users/{user_id}/projects",
        list_projects,
        "identity:list_user_projects",
        load=user,
        reply=PROJECTS_REPLY,
        query=PROJECTS,
    ),
)
