"""A service of one resource, to show what the kernel does by itself."""

from datetime import datetime
from typing import Annotated

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, mapped_column

from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from pileus.kernel.context import Authenticator
from pileus.kernel.db import Base, new_id
from pileus.kernel.errors import ApiError, NotFound
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.listing import Listing, contains, exact
from pileus.kernel.http.routes import PUBLIC, Action, Route
from pileus.kernel.http.schema import UNSET, Shape, Unset, since
from pileus.kernel.manifest import Manifest
from pileus.kernel.microversion import Microversions, Version
from pileus.kernel.policy import Rule
from tests.cloud import Tokens


class Toy(Base):
    __tablename__ = "toys"
    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    project_id: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class ToyShape(Shape):
    name: str
    size: int = 1
    colour: Annotated[str | Unset, since("1.5")] = UNSET


class ToyBody(Shape):
    toy: ToyShape


class Paint(Shape):
    colour: str


TOYS = Listing(
    model=Toy,
    key=Toy.id,
    filters={"name": exact(Toy.name), "name~": contains(Toy.name)},
    sort={"name": Toy.name, "size": Toy.size, "created_at": Toy.created_at},
    max_limit=3,
)


def find(call: Call, toy_id: str) -> Toy:
    toy = call.db.get(Toy, toy_id)
    if toy is None or not call.context.sees_project(toy.project_id):
        raise NotFound(f"Toy {toy_id} could not be found.")
    return toy


def view(toy: Toy) -> Json:
    return {"id": toy.id, "name": toy.name, "size": toy.size}


def index(call: Call) -> Json:
    page = TOYS.page(call, select(Toy).where(Toy.project_id == call.context.project_id))
    link = TOYS.next_link(call, page, "/toys")
    return {"toys": [view(t) for t in page.items]} | ({"next": link} if link else {})


def create(call: Call, body: ToyBody) -> Reply:
    toy = Toy(name=body.toy.name, size=body.toy.size, project_id=call.context.project_id)
    call.db.add(toy)
    call.db.flush()
    call.poke("control", "toy", id=toy.id)
    return Reply({"toy": view(toy)}, status=201)


def show(call: Call, toy: Toy) -> Json:
    return {"toy": view(toy)}


def destroy(call: Call, toy: Toy) -> None:
    call.db.delete(toy)


def paint(call: Call, toy: Toy, body: Paint) -> Json:
    return {"painted": body.colour}


def crash(call: Call) -> Json:
    raise RuntimeError("secret detail")


def about(call: Call) -> Json:
    return {"version": str(call.version)}


ROUTES = (
    Route("GET", "/", about, PUBLIC),
    Route("GET", "/toys", index, "toys:list"),
    Route("POST", "/toys", create, "toys:create"),
    Route("GET", "/toys/{toy_id}", show, "toys:show", load=find),
    Route("DELETE", "/toys/{toy_id}", destroy, "toys:delete", load=find, status=204),
    Route("POST", "/toys/{toy_id}/action", load=find, actions={"paint": Action(paint, "toys:paint", status=200)}),
    Route("GET", "/crash", crash, "toys:list"),
)
RULES = (
    Rule("toys:list", "rule:reader_or_admin", ""),
    Rule("toys:create", "rule:member_or_admin", ""),
    Rule("toys:show", "rule:reader_or_admin", ""),
    Rule("toys:delete", "rule:member_or_admin", ""),
    Rule("toys:paint", "rule:manager_or_admin", ""),
)


def error_body(error: ApiError, request_id: str) -> Json:
    return {"fault": {"code": error.status, "message": error.message}}


def setup(cloud: Cloud) -> None:
    cloud.add(Tokens(), Authenticator)


MANIFEST = Manifest(
    name="toybox",
    routes=ROUTES,
    policies=RULES,
    error_body=error_body,
    types={"toybox": "/"},
    microversions=Microversions("toybox", Version(1, 0), Version(1, 9), "X-Toy-Version"),
    setup=setup,
)
