"""/v2/metadefs/namespaces/{namespace_name}/tags: words that resources may be given."""

from sqlalchemy import delete, select

from pileus.image.metadefs import contents, names, paging
from pileus.image.metadefs.bodies import Timed
from pileus.image.metadefs.contents import Held, times
from pileus.image.metadefs.names import NAMESPACE, Name, address
from pileus.image.metadefs.namespaces.models import Namespace
from pileus.image.metadefs.namespaces.queries import load
from pileus.image.metadefs.tags import actions
from pileus.image.metadefs.tags.models import MetadefTag
from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.listing import Listing, boolean
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import OpenShape

PATH = f"{NAMESPACE}/tags"
LISTING = Listing(
    model=MetadefTag,
    key=MetadefTag.name,
    filters={},
    sort={"name": MetadefTag.name, "created_at": MetadefTag.created_at, "updated_at": MetadefTag.updated_at},
    direction="desc",
)


class TagBody(Timed, kw_only=True):
    name: Name


class TagsBody(OpenShape):
    tags: list[TagBody]


def load_tag(call: Call, namespace_name: str, tag_name: str) -> Held[MetadefTag]:
    return contents.find(call, MetadefTag, namespace_name, tag_name)


def view(tag: MetadefTag) -> Json:
    return {"name": tag.name, **times(tag)}


def index(call: Call, namespace: Namespace) -> Json:
    query = select(MetadefTag).where(MetadefTag.namespace_id == namespace.id)
    return paging.shown(call, LISTING, query, address(namespace.namespace, "tags"), "tags", view)


def create_several(call: Call, namespace: Namespace, body: TagsBody) -> Json:
    """In place of the tags that there are, unless the header `X-Openstack-Append` says that these are more."""
    for tag in body.tags:
        tag.refuse_read_only()
    if not boolean(call.request.headers.get("x-openstack-append", "false")):
        call.db.execute(delete(MetadefTag).where(MetadefTag.namespace_id == namespace.id))
    return {"tags": [view(tag) for tag in actions.add(call.db, namespace, [tag.name for tag in body.tags])]}


def create(call: Call, namespace: Namespace, tag_name: str) -> Reply:
    if len(tag_name) > names.LONGEST:
        raise BadRequest(f"A tag has {names.LONGEST} characters at most.")
    (tag,) = actions.add(call.db, namespace, [tag_name])
    return Reply(view(tag), headers={"location": call.url(address(namespace.namespace, "tags", tag.name))})


def show(call: Call, held: Held[MetadefTag]) -> Json:
    return view(held.content)


def update(call: Call, held: Held[MetadefTag], body: TagBody) -> Json:
    body.refuse_read_only()
    contents.rename(call.db, held, body.name)
    return view(held.content)


def destroy(call: Call, held: Held[MetadefTag]) -> None:
    contents.remove(call.db, held)


def clear(call: Call, namespace: Namespace) -> None:
    contents.clear(call.db, MetadefTag, namespace)


ROUTES = (
    Route("GET", PATH, index, "get_metadef_tags", load=load, query=LISTING),
    Route("POST", PATH, create_several, "add_metadef_tags", load=load, status=201),
    Route("DELETE", PATH, clear, "delete_metadef_tags", load=load, status=204),
    Route("GET", f"{PATH}/{{tag_name}}", show, "get_metadef_tag", load=load_tag),
    Route("POST", f"{PATH}/{{tag_name}}", create, "add_metadef_tag", load=load, status=201),
    Route("PUT", f"{PATH}/{{tag_name}}", update, "modify_metadef_tag", load=load_tag),
    Route("DELETE", f"{PATH}/{{tag_name}}", destroy, "delete_metadef_tag", load=load_tag, status=204),
)
