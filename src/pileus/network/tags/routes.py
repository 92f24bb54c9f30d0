"""The same tags for every kind of thing: one line of `TAGGED` each. A tag is guarded by rules of the collection it hangs on."""

from sqlalchemy import delete

from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import Loader, Route
from pileus.kernel.http.schema import Shape
from pileus.kernel.policy import Rule
from pileus.network.attributes import StandardAttributes, Tag
from pileus.network.floating_ips.queries import find as find_floating_ip
from pileus.network.networks.queries import find as find_network
from pileus.network.policy import MEMBER, NET_OWNER, READER, rules
from pileus.network.ports.queries import find as find_port
from pileus.network.routers.queries import find as find_router
from pileus.network.security_groups.queries import find as find_group
from pileus.network.subnet_pools.routes import find as find_pool
from pileus.network.subnets.queries import find as find_subnet
from pileus.network.tags import actions


class TagsBody(Shape):
    tags: list[str]


def index(call: Call, row: StandardAttributes) -> Json:
    return {"tags": actions.held(call.db, row)}


def replace(call: Call, row: StandardAttributes, body: TagsBody) -> Json:
    return {"tags": actions.replace(call.db, row, body.tags)}


def extend(call: Call, row: StandardAttributes, body: TagsBody) -> Json:
    return {"tags": actions.replace(call.db, row, [*actions.held(call.db, row), *body.tags])}


def clear(call: Call, row: StandardAttributes) -> None:
    actions.replace(call.db, row, [])


def show(call: Call, row: StandardAttributes, tag: str) -> None:
    if tag not in actions.held(call.db, row):
        raise NotFound(f"Tag {tag} could not be found.", kind="TagNotFound")


def add(call: Call, row: StandardAttributes, tag: str) -> Reply:
    actions.replace(call.db, row, [*actions.held(call.db, row), actions.check(tag)])
    return Reply(status=201)


def remove(call: Call, row: StandardAttributes, tag: str) -> None:
    show(call, row, tag)
    call.db.execute(delete(Tag).where(Tag.resource_id == row.id, Tag.tag == tag))
    row.touch()


TAGGED: dict[str, tuple[str, Loader]] = {
    "networks": ("network_id", find_network),
    "subnets": ("subnet_id", find_subnet),
    "subnetpools": ("subnetpool_id", find_pool),
    "ports": ("port_id", find_port),
    "routers": ("router_id", find_router),
    "floatingips": ("floatingip_id", find_floating_ip),
    "security-groups": ("security_group_id", find_group),
}


def _routes(collection: str, key: str, load: Loader) -> tuple[Route, ...]:
    kind = collection.replace("-", "_")
    every, one = f"/v2.0/{collection}/{{{key}}}/tags", f"/v2.0/{collection}/{{{key}}}/tags/{{tag}}"
    return (
        Route("GET", every, index, f"get_{kind}_tags", load=load),
        Route("PUT", every, replace, f"update_{kind}_tags", load=load),
        Route("POST", every, extend, f"create_{kind}_tags", load=load),
        Route("DELETE", every, clear, f"delete_{kind}_tags", load=load, status=204),
        Route("GET", one, show, f"get_{kind}_tags", load=load, status=204),
        Route("PUT", one, add, f"update_{kind}_tags", load=load, status=201),
        Route("DELETE", one, remove, f"delete_{kind}_tags", load=load, status=204),
    )


def _rules(collection: str) -> tuple[Rule, ...]:
    kind = collection.replace("-", "_")
    write = f"{MEMBER} or {NET_OWNER}" if kind in ("subnets", "ports") else MEMBER
    read = f"{READER} or rule:shared or rule:external or (role:reader and rule:network_owner)"
    return rules(
        {
            f"get_{kind}_tags": read,
            f"create_{kind}_tags": write,
            f"update_{kind}_tags": write,
            f"delete_{kind}_tags": write,
        },
        "Tags",
    )


ROUTES = tuple(route for collection, (key, load) in TAGGED.items() for route in _routes(collection, key, load))
RULES = tuple(rule for collection in TAGGED for rule in _rules(collection))
