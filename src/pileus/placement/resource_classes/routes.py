"""Resource classes: what can be counted (Placement API, Resource classes)."""

from sqlalchemy import exists, select, update

from pileus.kernel.errors import BadRequest, Conflict, NotFound
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import Shape
from pileus.placement.allocations.models import Allocation
from pileus.placement.freshness import fresh, href
from pileus.placement.names import CustomName, is_custom
from pileus.placement.providers.models import Inventory
from pileus.placement.resource_classes import catalogue
from pileus.placement.resource_classes.models import CustomClass

PATH = "/resource_classes"
ONE = f"{PATH}/{{name}}"


class ClassBody(Shape):
    name: CustomName


def view(call: Call, name: str) -> Json:
    return {"name": name, "links": [{"rel": "self", "href": href(call, f"{PATH}/{name}")}]}


def index(call: Call) -> Reply:
    custom = call.db.scalars(select(CustomClass.name).order_by(CustomClass.name))
    return fresh(call, {"resource_classes": [view(call, name) for name in (*catalogue.standard(), *custom)]})


def create(call: Call, body: ClassBody) -> Reply:
    if call.db.get(CustomClass, body.name) is not None:
        raise Conflict(f"Resource class {body.name} exists already.")
    return _made(call, body.name)


def show(call: Call, name: str) -> Reply:
    if catalogue.unknown(call.db, [name]):
        raise NotFound(f"No such resource class: {name}.")
    return fresh(call, view(call, name))


def rename(call: Call, name: str, body: ClassBody) -> Reply:
    """What PUT meant before 1.7. Inventories and allocations carry the name, so they follow."""
    held = _custom(call, name, "change")
    if body.name != name:
        if call.db.get(CustomClass, body.name) is not None:
            raise Conflict(f"Resource class {body.name} exists already.")
        held.name = body.name
        for table in (Inventory, Allocation):
            changed = update(table).where(table.resource_class == name).values(resource_class=body.name)
            call.db.execute(changed.execution_options(synchronize_session=False))
    return fresh(call, view(call, body.name))


def ensure(call: Call, name: str) -> Reply:
    if not is_custom(name):
        raise BadRequest(
            f"{name} can not be made: a custom resource class begins with CUSTOM_, goes on with A-Z, 0-9 and _, "
            "and has at most 255 characters."
        )
    if call.db.get(CustomClass, name) is None:
        return _made(call, name)
    return fresh(call, status=204, headers={"location": call.url(f"{PATH}/{name}")})


def destroy(call: Call, name: str) -> None:
    held = _custom(call, name, "delete")
    if call.db.scalar(select(exists().where(Inventory.resource_class == name))):
        raise Conflict(f"Resource class {name} is in use by an inventory.")
    call.db.delete(held)


def _made(call: Call, name: str) -> Reply:
    call.db.add(CustomClass(name=name))
    call.db.flush()
    return fresh(call, status=201, headers={"location": call.url(f"{PATH}/{name}")})


def _custom(call: Call, name: str, verb: str) -> CustomClass:
    held = call.db.get(CustomClass, name, with_for_update=True)
    if held is None:
        if catalogue.unknown(call.db, [name]):
            raise NotFound(f"No such resource class: {name}.")
        raise BadRequest(f"Cannot {verb} standard resource class {name}.")
    return held


ROUTES = (
    Route("GET", PATH, index, "placement:resource_classes:list", since="1.2"),
    Route("POST", PATH, create, "placement:resource_classes:create", since="1.2"),
    Route("GET", ONE, show, "placement:resource_classes:show", since="1.2"),
    Route("PUT", ONE, rename, "placement:resource_classes:update", since="1.2", until="1.6"),
    Route("PUT", ONE, ensure, "placement:resource_classes:update", since="1.7"),
    Route("DELETE", ONE, destroy, "placement:resource_classes:delete", since="1.2", status=204),
)
