"""Users, their passwords and their projects."""

from sqlalchemy import select

from pileus.identity import options, placement
from pileus.identity.envelope import collection, extras
from pileus.identity.filters import names
from pileus.identity.lookup import find
from pileus.identity.passwords import routes as passwords
from pileus.identity.passwords.hashing import Hasher
from pileus.identity.placement import InDomain
from pileus.identity.projects import queries as projects
from pileus.identity.projects.listing import PROJECTS
from pileus.identity.projects.views import views as project_views
from pileus.identity.tokens import revocation
from pileus.identity.users import actions
from pileus.identity.users.models import User
from pileus.identity.users.schemas import NewUser, NewUserBody, UserChange, UserChangeBody
from pileus.identity.users.views import view
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import Listing, exact, flag
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET

USERS = Listing(
    model=User,
    key=User.id,
    filters={**names("name", User.name), "domain_id": exact(User.domain_id), "enabled": flag(User.enabled)},
    sort={"name": User.name, "id": User.id},
    default_sort=(("name", "asc"),),
    always_limited=False,
)


def user(call: Call, user_id: str) -> User:
    return find(call, User, user_id, "User")


def index(call: Call, target: InDomain) -> Json:
    query = select(User)
    if target.domain_id is not None:
        query = query.where(User.domain_id == target.domain_id)
    page = USERS.page(call, query)
    link = USERS.next_link(call, page, "/v3/users")
    return collection(call, "/v3/users", "users", [view(call, row) for row in page.items], link)


def create(call: Call, target: InDomain, body: NewUserBody) -> Json:
    given = body.user
    domain = placement.existing_domain(call, str(target.domain_id))
    actions.free_name(call.db, domain.id, given.name)
    made = User(
        domain_id=domain.id,
        name=given.name,
        enabled=given.enabled,
        default_project_id=given.default_project_id,
        description=given.description,
        options=options.merged({}, given.options),
        extra=extras(call.body["user"], NewUser),
    )
    call.db.add(made)
    call.db.flush()
    if given.password is not None:
        actions.set_password(call.db, made, call.cloud.part(Hasher).hash(given.password), keep=0)
    return {"user": view(call, made)}


def show(call: Call, target: User) -> Json:
    return {"user": view(call, target)}


def update(call: Call, target: User, body: UserChangeBody) -> Json:
    given = body.user
    actions.change(call.db, target, given, extras(call.body["user"], UserChange))
    if given.password is not UNSET:
        hashed = call.cloud.part(Hasher).hash(given.password) if given.password is not None else None
        actions.set_password(call.db, target, hashed, keep=passwords.kept(call.cloud))
    if given.enabled is False or given.password is not UNSET:
        revocation.end_all(call, target)
    call.db.flush()
    revocation.look_again(call)
    return {"user": view(call, target)}


def destroy(call: Call, target: User) -> None:
    actions.remove(call.db, target)
    revocation.look_again(call)


def list_projects(call: Call, target: User) -> Json:
    page = PROJECTS.page(call, projects.with_roles(target.id))
    path = f"/v3/users/{target.id}/projects"
    link = PROJECTS.next_link(call, page, path)
    return collection(call, path, "projects", project_views(call, page.items), link)


ROUTES = (
    Route("GET", "/v3/users", index, "identity:list_users", load=placement.listing),
    Route("POST", "/v3/users", create, "identity:create_user", load=placement.new("user"), status=201, offload=True),
    Route("GET", "/v3/users/{user_id}", show, "identity:get_user", load=user),
    Route("PATCH", "/v3/users/{user_id}", update, "identity:update_user", load=user, offload=True),
    Route("DELETE", "/v3/users/{user_id}", destroy, "identity:delete_user", load=user, status=204),
    Route("GET", "/v3/users/{user_id}/projects", list_projects, "identity:list_user_projects", load=user),
)
