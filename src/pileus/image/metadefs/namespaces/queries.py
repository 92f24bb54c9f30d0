"""Which namespaces a caller may see, finding one, listing them."""

from sqlalchemy import ColumnElement, Select, exists, or_, select, true

from pileus.image.metadefs.namespaces.models import PRIVATE, PUBLIC, Association, Namespace, ResourceType
from pileus.kernel.context import Context
from pileus.kernel.errors import BadRequest, NotFound
from pileus.kernel.http.call import Call
from pileus.kernel.http.listing import Listing


def visible(context: Context) -> ColumnElement[bool]:
    if context.is_admin:
        return true()
    public = Namespace.visibility == PUBLIC
    return public if context.project_id is None else or_(public, Namespace.owner == context.project_id)


def load(call: Call, namespace_name: str) -> Namespace:
    """Raises NotFound for what is not there and for what the caller may not see alike."""
    query = select(Namespace).where(Namespace.namespace == namespace_name, visible(call.context))
    namespace = call.db.scalar(query.with_for_update() if call.route.writes else query)
    if namespace is None:
        raise NotFound(f"No metadata definition namespace found with name {namespace_name}.")
    return namespace


def listed(context: Context) -> Select[Namespace]:
    return select(Namespace).where(visible(context))


def _of_visibility(values: list[str]) -> ColumnElement[bool]:
    if values[-1] not in (PUBLIC, PRIVATE):
        raise BadRequest(f"visibility is {PUBLIC} or {PRIVATE}, not {values[-1]!r}")
    return Namespace.visibility == values[-1]


def _for_resource_types(values: list[str]) -> ColumnElement[bool]:
    """For any of the types, which come with commas in between."""
    wanted = [name for value in values for name in value.split(",") if name]
    return exists().where(
        Association.namespace_id == Namespace.id,
        Association.resource_type_id == ResourceType.id,
        ResourceType.name.in_(wanted),
    )


LISTING = Listing(
    model=Namespace,
    key=Namespace.namespace,
    filters={"visibility": _of_visibility, "resource_types": _for_resource_types},
    sort={
        "namespace": Namespace.namespace,
        "created_at": Namespace.created_at,
        "updated_at": Namespace.updated_at,
    },
    direction="desc",
)
