"""The entries of the catalog, of three kinds: services, endpoints, regions.

Those of the cloud itself are shown like the others and changed in the configuration only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from pileus.identity.catalog import replies
from pileus.identity.catalog.models import Endpoint, Region, Service
from pileus.identity.catalog.paging import matching, page
from pileus.identity.envelope import collection
from pileus.identity.lookup import missing
from pileus.kernel.cloud import Cloud
from pileus.kernel.errors import Forbidden
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Handler, Route

T = TypeVar("T", Service, Endpoint, Region)


@dataclass(frozen=True)
class Entries(Generic[T]):
    """All entries of one kind.

    `kind` is its word in paths, bodies and rules; `own` are the cloud's; `filters` the attributes that a list can be narrowed by.
    `takes_along`: columns of other tables that name an entry; their rows go when it goes.
    """

    kind: str
    model: type[T]
    own: Callable[[Cloud], Sequence[T]]
    view: Callable[[Call, T], Json]
    order: tuple[InstrumentedAttribute[Any], ...]
    filters: tuple[str, ...]
    takes_along: tuple[InstrumentedAttribute[str], ...]

    def all(self, cloud: Cloud, db: Session) -> list[T]:
        found = list(self.own(cloud))
        ids = {row.id for row in found}
        found.extend(row for row in db.scalars(select(self.model).order_by(*self.order)) if row.id not in ids)
        return found

    def get(self, cloud: Cloud, db: Session, key: str) -> T | None:
        return next((row for row in self.own(cloud) if row.id == key), None) or db.get(self.model, key)

    def named(self, call: Call) -> T:
        """For a route's `load`: the entry that the path names. Raises NotFound."""
        key = call.params[f"{self.kind}_id"]
        row = self.get(call.cloud, call.db, key)
        if row is None:
            raise missing(call, self.kind.title(), key)
        return row

    def index(self, call: Call) -> Json:
        return self.listed(call, self.all(call.cloud, call.db), f"/v3/{self.kind}s")

    def listed(self, call: Call, rows: Sequence[T], path: str) -> Json:
        """The answer of a list: of these, what the request's query asks for."""
        rows, following = page(call, matching(call, rows, self.filters), path)
        return collection(call, path, f"{self.kind}s", [self.view(call, row) for row in rows], following)

    def show(self, call: Call, target: T) -> Json:
        return {self.kind: self.view(call, target)}

    def added(self, call: Call, row: T) -> Json:
        call.db.add(row)
        call.db.flush()
        return self.show(call, row)

    def destroy(self, call: Call, target: T) -> None:
        check_own(call, target)
        for column in self.takes_along:
            call.db.execute(delete(column.class_).where(column == target.id))
        call.db.delete(target)

    def routes(self, create: Handler, update: Handler, destroy: Handler | None = None) -> tuple[Route, ...]:
        every, one = f"/v3/{self.kind}s", f"/v3/{self.kind}s/{{{self.kind}_id}}"
        find = self.named
        return (
            Route(
                "GET",
                every,
                self.index,
                f"identity:list_{self.kind}s",
                reply=replies.MANY[self.kind],
                query=self.filters,
            ),
            Route("POST", every, create, f"identity:create_{self.kind}", status=201, reply=replies.ONE[self.kind]),
            Route("GET", one, self.show, f"identity:get_{self.kind}", load=find, reply=replies.ONE[self.kind]),
            Route("PATCH", one, update, f"identity:update_{self.kind}", load=find, reply=replies.ONE[self.kind]),
            Route("DELETE", one, destroy or self.destroy, f"identity:delete_{self.kind}", load=find, status=204),
        )


def check_own(call: Call, row: Service | Endpoint | Region) -> None:
    """Raises Forbidden for what the cloud itself puts into the catalog."""
    if row not in call.db:
        raise Forbidden(f"{row.id} belongs to this cloud itself: the configuration file decides it.")
