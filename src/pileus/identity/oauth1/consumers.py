"""OAuth1 consumers."""

from sqlalchemy import select

from pileus.identity.envelope import collection
from pileus.identity.lookup import find
from pileus.identity.oauth1 import replies
from pileus.identity.oauth1.derivation import Deriver
from pileus.identity.oauth1.models import Consumer
from pileus.identity.oauth1.schemas import ConsumerBody
from pileus.identity.tokens import revocation
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import Listing
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET

CONSUMERS = Listing(
    model=Consumer,
    key=Consumer.id,
    filters={},
    sort={"id": Consumer.id},
    default_sort=(("id", "asc"),),
    always_limited=False,
)


def consumer(call: Call, consumer_id: str) -> Consumer:
    return find(call, Consumer, consumer_id, "Consumer")


def index(call: Call) -> Json:
    page = CONSUMERS.page(call, select(Consumer))
    link = CONSUMERS.next_link(call, page, _ALL)
    return collection(call, _ALL, "consumers", [_view(call, row) for row in page.items], link)


def create(call: Call, body: ConsumerBody) -> Json:
    """The secret is told here and nowhere else."""
    made = Consumer(description=body.consumer.description or None)
    call.db.add(made)
    call.db.flush()
    return {"consumer": _view(call, made) | {"secret": call.cloud.part(Deriver).secret("consumer", made.id)}}


def show(call: Call, target: Consumer) -> Json:
    return {"consumer": _view(call, target)}


def update(call: Call, target: Consumer, body: ConsumerBody) -> Json:
    if body.consumer.description is not UNSET:
        target.description = body.consumer.description
    return {"consumer": _view(call, target)}


def destroy(call: Call, target: Consumer) -> None:
    """The database takes its request and access tokens along."""
    call.db.delete(target)
    revocation.look_again(call)


def _view(call: Call, row: Consumer) -> Json:
    return {"id": row.id, "description": row.description, "links": {"self": call.url(f"{_ALL}/{row.id}")}}


_ALL = "/v3/OS-OAUTH1/consumers"
_ONE = _ALL + "/{consumer_id}"
ROUTES = (
    Route("GET", _ALL, index, "identity:list_consumers", reply=replies.CONSUMERS, query=CONSUMERS),
    Route("POST", _ALL, create, "identity:create_consumer", status=201, reply=replies.CREATED),
    Route("GET", _ONE, show, "identity:get_consumer", load=consumer, reply=replies.CONSUMER),
    Route("PATCH", _ONE, update, "identity:update_consumer", load=consumer, reply=replies.CONSUMER),
    Route("DELETE", _ONE, destroy, "identity:delete_consumer", load=consumer, status=204),
)
