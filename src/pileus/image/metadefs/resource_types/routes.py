"""/v2/metadefs/resource_types, and which of them a namespace is for."""

from sqlalchemy import select

from pileus.image.metadefs.contents import check_unprotected, times
from pileus.image.metadefs.names import NAMESPACE, ROOT
from pileus.image.metadefs.namespaces.models import Namespace, ResourceType
from pileus.image.metadefs.namespaces.queries import load
from pileus.image.metadefs.resource_types import actions
from pileus.image.metadefs.resource_types.schemas import AssociationBody
from pileus.image.metadefs.resource_types.views import view
from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route

PATH = f"{NAMESPACE}/resource_types"


def known(call: Call) -> Json:
    found = call.db.scalars(select(ResourceType).order_by(ResourceType.name))
    return {"resource_types": [{"name": kind.name, **times(kind)} for kind in found]}


def index(call: Call, namespace: Namespace) -> Json:
    return {"resource_type_associations": [view(association) for association in namespace.associations]}


def associate(call: Call, namespace: Namespace, body: AssociationBody) -> Json:
    body.refuse_read_only()
    (association,) = actions.add(call.db, namespace, [body], "$.name")
    return view(association)


def dissociate(call: Call, namespace: Namespace, name: str) -> None:
    association = next((held for held in namespace.associations if held.name == name), None)
    if association is None:
        raise NotFound(f"Namespace {namespace.namespace} is not associated with resource type {name}.")
    check_unprotected(namespace)
    namespace.associations.remove(association)


ROUTES = (
    Route("GET", f"{ROOT}/resource_types", known, "list_metadef_resource_types"),
    Route("GET", PATH, index, "get_metadef_resource_type", load=load),
    Route("POST", PATH, associate, "add_metadef_resource_type_association", load=load, status=201),
    Route(
        "DELETE",
        f"{PATH}/{{name}}",
        dissociate,
        "remove_metadef_resource_type_association",
        load=load,
        status=204,
    ),
)
