"""Limits of projects and domains."""

from sqlalchemy import ColumnElement, Select, false, or_, select
from sqlalchemy.orm import contains_eager

from pileus.identity.envelope import collection
from pileus.identity.limits import enforcement, replies
from pileus.identity.limits.models import Limit
from pileus.identity.limits.policy import SEE_ALL
from pileus.identity.limits.schemas import NewLimit, NewLimitsBody, UpdatedLimitBody
from pileus.identity.limits.views import view
from pileus.identity.lookup import find
from pileus.identity.projects.models import Project
from pileus.identity.registered_limits.models import EVERYWHERE, RegisteredLimit
from pileus.kernel.errors import BadRequest, Conflict, Forbidden
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import Filter, Listing, exact
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET


def _held_by(domain: bool) -> Filter:
    return lambda values: Limit.of_domain.is_(domain) & Limit.holder_id.in_(values)


LIMITS = Listing(
    model=Limit,
    key=Limit.id,
    filters={
        "service_id": exact(RegisteredLimit.service_id),
        "region_id": exact(RegisteredLimit.region_id),
        "resource_name": exact(RegisteredLimit.resource_name),
        "project_id": _held_by(domain=False),
        "domain_id": _held_by(domain=True),
    },
    sort={"id": Limit.id, "resource_limit": Limit.resource_limit},
    default_sort=(("id", "asc"),),
    always_limited=False,
)


def limit(call: Call, limit_id: str) -> Limit:
    return find(call, Limit, limit_id, "Limit")


def _visible(call: Call) -> Select[Limit]:
    query = select(Limit).join(Limit.registered).options(contains_eager(Limit.registered))
    return query if call.allows(SEE_ALL, {}) else query.where(_own(call))


def _own(call: Call) -> ColumnElement[bool]:
    context = call.context
    if context.project_id is not None:
        return Limit.holder_id == context.project_id
    if context.domain_id is not None:
        inside = select(Project.id).where(Project.domain_id == context.domain_id)
        return or_(Limit.holder_id == context.domain_id, Limit.holder_id.in_(inside))
    return false()


def index(call: Call) -> Json:
    page = LIMITS.page(call, _visible(call))
    following = LIMITS.next_link(call, page, "/v3/limits")
    return collection(call, "/v3/limits", "limits", [view(call, row) for row in page.items], following)


def show_model(call: Call) -> Json:
    model = enforcement.of(call.cloud)
    return {"model": {"name": model.name, "description": model.description}}


def create(call: Call, body: NewLimitsBody) -> Json:
    """All or none: those of one request may depend on each other."""
    made = [_make(call, given) for given in body.limits]
    for row in made:
        enforcement.of(call.cloud).check(call.db, row)
    return {"limits": [view(call, row) for row in made]}


def _make(call: Call, given: NewLimit) -> Limit:
    registered = call.db.scalar(
        select(RegisteredLimit).where(
            RegisteredLimit.service_id == given.service_id,
            RegisteredLimit.region_id == (given.region_id or EVERYWHERE),
            RegisteredLimit.resource_name == given.resource_name,
        )
    )
    if registered is None:
        where = f" in region {given.region_id}" if given.region_id else ""
        raise Forbidden(f"{given.resource_name} of service {given.service_id}{where} is not registered: do that first.")
    holder = _holder(call, given)
    same = select(Limit.id).where(Limit.registered_limit_id == registered.id, Limit.holder_id == holder.id)
    if (other := call.db.scalar(same)) is not None:
        raise Conflict(f"{holder.id} has a limit of {given.resource_name} already: {other}.")
    made = Limit(
        registered=registered,
        holder=holder,
        of_domain=given.domain_id is not None,
        resource_limit=given.resource_limit,
        description=given.description,
    )
    call.db.add(made)
    call.db.flush()
    return made


def _holder(call: Call, given: NewLimit) -> Project:
    if (given.project_id is None) == (given.domain_id is None):
        raise BadRequest("A limit names either project_id or domain_id.")
    what, key = ("Domain", given.domain_id) if given.project_id is None else ("Project", given.project_id)
    holder = call.db.get(Project, key)
    if holder is None or holder.is_domain != (what == "Domain"):
        raise BadRequest(f"{what} {key} could not be found.")
    return holder


def show(call: Call, target: Limit) -> Json:
    return {"limit": view(call, target)}


def update(call: Call, target: Limit, body: UpdatedLimitBody) -> Json:
    given = body.limit
    target.description = target.description if given.description is UNSET else given.description
    if given.resource_limit is not UNSET:
        target.resource_limit = given.resource_limit
        enforcement.of(call.cloud).check(call.db, target)
    return {"limit": view(call, target)}


def destroy(call: Call, target: Limit) -> None:
    call.db.delete(target)


_ONE = "/v3/limits/{limit_id}"
ROUTES = (
    Route("GET", "/v3/limits", index, "identity:list_limits", reply=replies.LIMITS, query=LIMITS),
    Route("POST", "/v3/limits", create, "identity:create_limits", status=201, reply=replies.CREATED),
    Route("GET", "/v3/limits/model", show_model, "identity:get_limit_model", reply=replies.MODEL),
    Route("GET", _ONE, show, SEE_ALL, load=limit, reply=replies.LIMIT),
    Route("PATCH", _ONE, update, "identity:update_limit", load=limit, reply=replies.LIMIT),
    Route("DELETE", _ONE, destroy, "identity:delete_limit", load=limit, status=204),
)
