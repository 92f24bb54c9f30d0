"""/v2/metadefs/namespaces/{namespace_name}/objects: properties that belong together."""

from functools import partial

from sqlalchemy import select

from pileus.image.metadefs import contents, names, paging
from pileus.image.metadefs.contents import Held
from pileus.image.metadefs.names import NAMESPACE, address
from pileus.image.metadefs.namespaces.models import Namespace
from pileus.image.metadefs.namespaces.queries import load
from pileus.image.metadefs.objects import actions
from pileus.image.metadefs.objects.models import MetadefObject
from pileus.image.metadefs.objects.schemas import ObjectBody
from pileus.image.metadefs.objects.views import view
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.listing import Listing
from pileus.kernel.http.routes import Route

PATH = f"{NAMESPACE}/objects"
LISTING = Listing(
    model=MetadefObject,
    key=MetadefObject.name,
    filters={},
    sort={
        "name": MetadefObject.name,
        "created_at": MetadefObject.created_at,
        "updated_at": MetadefObject.updated_at,
    },
    direction="desc",
)


def load_object(call: Call, namespace_name: str, object_name: str) -> Held[MetadefObject]:
    return contents.find(call, MetadefObject, namespace_name, object_name)


def index(call: Call, namespace: Namespace) -> Json:
    query = select(MetadefObject).where(MetadefObject.namespace_id == namespace.id)
    path = address(namespace.namespace, "objects")
    return paging.shown(call, LISTING, query, path, "objects", partial(view, namespace))


def create(call: Call, namespace: Namespace, body: ObjectBody) -> Reply:
    body.refuse_read_only()
    contents.check_new(call.db, MetadefObject, namespace, [names.check(body.name, "$.name")])
    item = actions.made(namespace, body)
    call.db.add(item)
    call.db.flush()
    return Reply(
        view(namespace, item), headers={"location": call.url(address(namespace.namespace, "objects", item.name))}
    )


def show(call: Call, held: Held[MetadefObject]) -> Json:
    return view(held.namespace, held.content)


def update(call: Call, held: Held[MetadefObject], body: ObjectBody) -> Json:
    body.refuse_read_only()
    contents.rename(call.db, held, body.name)
    actions.fill(held.content, body)
    return view(held.namespace, held.content)


def destroy(call: Call, held: Held[MetadefObject]) -> None:
    contents.remove(call.db, held)


def clear(call: Call, namespace: Namespace) -> None:
    contents.clear(call.db, MetadefObject, namespace)


ROUTES = (
    Route("GET", PATH, index, "get_metadef_objects", load=load, query=LISTING),
    Route("POST", PATH, create, "add_metadef_object", load=load, status=201),
    Route("DELETE", PATH, clear, "delete_metadef_object", load=load, status=204),
    Route("GET", f"{PATH}/{{object_name}}", show, "get_metadef_object", load=load_object),
    Route("PUT", f"{PATH}/{{object_name}}", update, "modify_metadef_object", load=load_object),
    Route("DELETE", f"{PATH}/{{object_name}}", destroy, "delete_metadef_object", load=load_object, status=204),
)
