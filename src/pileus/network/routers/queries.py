from sqlalchemy import Select, select

from pileus.kernel.http.call import Call
from pileus.kernel.http.listing import flag
from pileus.network.errors import not_found
from pileus.network.rest.lists import listing, visible
from pileus.network.rest.words import always
from pileus.network.routers.models import Router

ROUTERS = listing(
    Router,
    {
        "admin_state_up": flag(Router.admin_state_up),
        "status": always("ACTIVE"),
        "distributed": always("False", "false"),
        "ha": always("False", "false"),
    },
    sort=("admin_state_up",),
)


def find(call: Call, router_id: str) -> Router:
    router = call.db.get(Router, router_id)
    if router is None or not call.context.sees_project(router.project_id):
        raise not_found("Router", router_id)
    return router


def seen(call: Call) -> Select[Router]:
    own = visible(call, Router.project_id)
    query = select(Router)
    return query if own is None else query.where(own)
