"""Reading key pairs: they are found by user and name."""

from urllib.parse import urlencode

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pileus.compute.keypairs.models import Keypair
from pileus.compute.paging import limit_of
from pileus.kernel.errors import BadRequest, NotFound
from pileus.kernel.http.call import Call
from pileus.kernel.http.listing import Page


def find(db: Session, user_id: str, name: str) -> Keypair:
    key = db.get(Keypair, (user_id, name))
    if key is None:
        raise NotFound(f"Keypair {name} not found for user {user_id}")
    return key


def count(db: Session, user_id: str) -> int:
    return db.scalar(select(func.count()).select_from(Keypair).where(Keypair.user_id == user_id)) or 0


def page(call: Call, user_id: str) -> Page[Keypair]:
    """By name; all of them before 2.35."""
    query = select(Keypair).where(Keypair.user_id == user_id).order_by(Keypair.name)
    if not call.at_least(2, 35):
        return Page(list(call.db.scalars(query)), None, False)
    limit, marker = limit_of(call), call.query_value("marker")
    if marker is not None:
        if call.db.get(Keypair, (user_id, marker)) is None:
            raise BadRequest(f"marker [{marker}] not found")
        query = query.where(Keypair.name > marker)
    rows = list(call.db.scalars(query.limit(limit + 1)))
    return Page(rows[:limit], limit, len(rows) > limit)


def next_link(call: Call, page: Page[Keypair]) -> str | None:
    if not page.more or not page.items:
        return None
    rest = [(name, value) for name, value in call.query if name != "marker"]
    return call.url("/v2.1/os-keypairs") + "?" + urlencode([*rest, ("marker", page.items[-1].name)])
