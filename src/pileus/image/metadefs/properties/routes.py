"""/v2/metadefs/namespaces/{namespace_name}/properties: how single properties are defined."""

from pileus.image.metadefs import contents, names
from pileus.image.metadefs.contents import Held
from pileus.image.metadefs.definitions import NamedDefinition, keywords
from pileus.image.metadefs.names import NAMESPACE, address
from pileus.image.metadefs.namespaces.models import Namespace
from pileus.image.metadefs.namespaces.queries import load
from pileus.image.metadefs.properties.models import MetadefProperty
from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import Route

PATH = f"{NAMESPACE}/properties"


def load_property(call: Call, namespace_name: str, property_name: str) -> Held[MetadefProperty]:
    """With `resource_type` in the query the name is the one on such resources: with the association's prefix."""
    resource_type = call.query_value("resource_type")
    if resource_type is None or call.request.method != "GET":
        return contents.find(call, MetadefProperty, namespace_name, property_name)
    namespace = load(call, namespace_name)
    prefix = namespace.prefix_for(resource_type)
    if prefix is None:
        raise NotFound(f"Namespace {namespace_name} is not associated with resource type {resource_type}.")
    if not property_name.startswith(prefix):
        raise NotFound(f"Property {property_name} does not start with {prefix}, the prefix for {resource_type}.")
    return contents.find(call, MetadefProperty, namespace_name, property_name.removeprefix(prefix))


def view(item: MetadefProperty) -> Json:
    return {"name": item.name, **item.definition}


def index(call: Call, namespace: Namespace) -> Json:
    found = contents.all_of(call.db, namespace, MetadefProperty)
    return {"properties": {item.name: item.definition for item in found}}


def create(call: Call, namespace: Namespace, body: NamedDefinition) -> Reply:
    contents.check_new(call.db, MetadefProperty, namespace, [names.check(body.name, "$.name")])
    item = MetadefProperty(namespace_id=namespace.id, name=body.name, definition=keywords(body))
    call.db.add(item)
    call.db.flush()
    return Reply(view(item), headers={"location": call.url(address(namespace.namespace, "properties", item.name))})


def show(call: Call, held: Held[MetadefProperty]) -> Json:
    return view(held.content)


def update(call: Call, held: Held[MetadefProperty], body: NamedDefinition) -> Json:
    contents.rename(call.db, held, body.name)
    held.content.definition = keywords(body)
    return view(held.content)


def destroy(call: Call, held: Held[MetadefProperty]) -> None:
    contents.remove(call.db, held)


def clear(call: Call, namespace: Namespace) -> None:
    contents.clear(call.db, MetadefProperty, namespace)


ONE = f"{PATH}/{{property_name}}"
ROUTES = (
    Route("GET", PATH, index, "get_metadef_properties", load=load),
    Route("POST", PATH, create, "add_metadef_property", load=load, status=201),
    Route("DELETE", PATH, clear, "remove_metadef_property", load=load, status=204),
    Route("GET", ONE, show, "get_metadef_property", load=load_property, query=("resource_type",)),
    Route("PUT", ONE, update, "modify_metadef_property", load=load_property),
    Route("DELETE", ONE, destroy, "remove_metadef_property", load=load_property, status=204),
)
