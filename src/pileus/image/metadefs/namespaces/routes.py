"""/v2/metadefs/namespaces: what definitions are grouped by."""

from pileus.image.metadefs import paging
from pileus.image.metadefs.names import NAMESPACE, NAMESPACES, address
from pileus.image.metadefs.namespaces import actions
from pileus.image.metadefs.namespaces.models import Namespace
from pileus.image.metadefs.namespaces.queries import LISTING, listed, load
from pileus.image.metadefs.namespaces.schemas import NamespaceBody
from pileus.image.metadefs.namespaces.views import attributes, brief, whole
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET


def index(call: Call) -> Json:
    return paging.shown(call, LISTING, listed(call.context), NAMESPACES, "namespaces", brief)


def create(call: Call, body: NamespaceBody) -> Reply:
    body.refuse_read_only()
    namespace = actions.create(call.db, call.context.project_id, body)
    for rule, given in (
        ("add_metadef_resource_type_association", body.resource_type_associations),
        ("add_metadef_property", body.properties),
        ("add_metadef_object", body.objects),
        ("add_metadef_tags", body.tags),
    ):
        if given is not UNSET:  # each under the rule for adding it by itself
            call.enforce(rule, namespace.policy_target())
    return Reply(whole(call.db, namespace), headers={"location": call.url(address(namespace.namespace))})


def show(call: Call, namespace: Namespace) -> Json:
    return whole(call.db, namespace, call.query_value("resource_type"))


def update(call: Call, namespace: Namespace, body: NamespaceBody) -> Json:
    body.refuse_read_only()
    actions.update(call.db, namespace, body)
    return attributes(namespace)


def destroy(call: Call, namespace: Namespace) -> None:
    actions.delete(call.db, namespace)


ROUTES = (
    Route("GET", NAMESPACES, index, "get_metadef_namespaces", query=LISTING),
    Route("POST", NAMESPACES, create, "add_metadef_namespace", status=201),
    Route("GET", NAMESPACE, show, "get_metadef_namespace", load=load, query=("resource_type",)),
    Route("PUT", NAMESPACE, update, "modify_metadef_namespace", load=load),
    Route("DELETE", NAMESPACE, destroy, "delete_metadef_namespace", load=load, status=204),
)
