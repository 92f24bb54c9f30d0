"""/v2/schemas/metadefs: JSON schemas of metadata definitions, for clients that read them to learn the attributes."""

from collections.abc import Mapping
from typing import get_args

from pileus.image.metadefs.definitions import Kind
from pileus.image.metadefs.names import LONGEST
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Handler, Route

STRING: Json = {"type": "string"}
BOOLEAN: Json = {"type": "boolean"}
ANY_LIST: Json = {"type": "array"}
KIND: Json = {"type": "string", "enum": list(get_args(Kind))}
COUNT: Json = {"$ref": "#/definitions/positiveInteger"}
COUNT_FROM_0: Json = {"$ref": "#/definitions/positiveIntegerDefault0"}
STRINGS: Json = {"$ref": "#/definitions/stringArray"}
PROPERTIES: Json = {"$ref": "#/definitions/property"}
LINK: Json = {"type": "string", "readOnly": True}


def _text(description: str, longest: int = LONGEST) -> Json:
    return {"type": "string", "maxLength": longest, "description": description}


def _times(of: str) -> Json:
    return {
        f"{name}_at": {
            "type": "string",
            "format": "date-time",
            "readOnly": True,
            "description": f"When the {of} was {how}",
        }
        for name, how in (("created", "created"), ("updated", "last changed"))
    }


KEYWORDS: Json = {
    "title": STRING,
    "type": KIND,
    "description": STRING,
    "operators": {"type": "array", "items": STRING},
    "default": {},
    "readonly": BOOLEAN,
    "minimum": {"type": "number"},
    "maximum": {"type": "number"},
    "enum": ANY_LIST,
    "pattern": {"type": "string", "format": "regex"},
    "minLength": COUNT_FROM_0,
    "maxLength": COUNT,
    "items": {"type": "object", "properties": {"type": KIND, "enum": ANY_LIST}},
    "minItems": COUNT_FROM_0,
    "maxItems": COUNT,
    "uniqueItems": {"type": "boolean", "default": False},
    "additionalItems": BOOLEAN,
    "required": STRINGS,
}
NUMBERS: Json = {
    "positiveInteger": {"type": "integer", "minimum": 0},
    "positiveIntegerDefault0": {"allOf": [{"$ref": "#/definitions/positiveInteger"}, {"default": 0}]},
    "stringArray": {"type": "array", "items": STRING, "uniqueItems": True},
}
DEFINITIONS: Json = NUMBERS | {
    "property": {
        "type": "object",
        "additionalProperties": {"type": "object", "properties": KEYWORDS, "required": ["title", "type"]},
    },
}
CONTENT: Json = {"name": STRING, "description": STRING, "properties": PROPERTIES, "required": STRINGS}
PREFIX = _text("What the names of properties begin with on such resources, with its separator")
TARGET = _text("Which of a resource's several sets of pairs is meant, where it has several")

NAMESPACE: Json = {
    "namespace": _text("The name, unique in the cloud"),
    "display_name": _text("A name to read"),
    "description": _text("What the definitions are for", 500),
    "visibility": {"type": "string", "enum": ["public", "private"], "description": "Who may see the namespace"},
    "protected": {"type": "boolean", "description": "Whether the namespace is kept from being deleted"},
    "owner": _text("The project that the namespace belongs to", 255),
    **_times("namespace"),
    "self": LINK,
    "schema": LINK,
    "resource_type_associations": {
        "type": "array",
        "items": {"type": "object", "properties": {"name": STRING, "prefix": STRING, "properties_target": STRING}},
    },
    "properties": PROPERTIES,
    "objects": {"type": "array", "items": {"type": "object", "properties": CONTENT}},
    "tags": {"type": "array", "items": {"type": "object", "properties": {"name": STRING}}},
}
OBJECT: Json = CONTENT | {"name": _text("The name, unique in the namespace"), **_times("object")}
OBJECT |= {"self": LINK, "schema": LINK}
PROPERTY: Json = {"name": _text("The name, unique in the namespace"), **KEYWORDS}
TAG: Json = {"name": _text("The tag, unique in the namespace"), **_times("tag")}
ASSOCIATION: Json = {"name": _text("The type of resources, such as OS::Nova::Flavor")}
ASSOCIATION |= {"prefix": PREFIX, "properties_target": TARGET, **_times("association")}


def _single(name: str, properties: Json, required: tuple[str, ...], definitions: Json | None = None) -> Json:
    body: Json = {"name": name, "properties": properties, "required": list(required), "additionalProperties": False}
    return body | ({"definitions": definitions} if definitions else {})


def _list_of(name: str, item: Json, *, by_name: bool = False) -> Json:
    """References lead to the root of a document: so the definitions are there, and not in the item."""
    definitions = item.get("definitions")
    shape = {key: value for key, value in item.items() if key != "definitions"}
    held = {"type": "object", "additionalProperties": shape} if by_name else {"type": "array", "items": shape}
    body: Json = {
        "name": name,
        "properties": {name: held, "first": STRING, "next": STRING, "schema": STRING},
        "links": [
            {"href": "{first}", "rel": "first"},
            {"href": "{next}", "rel": "next"},
            {"href": "{schema}", "rel": "describedby"},
        ],
    }
    return body | ({"definitions": definitions} if definitions else {})


NAMESPACE_SCHEMA = _single("namespace", NAMESPACE, ("namespace",), DEFINITIONS)
OBJECT_SCHEMA = _single("object", OBJECT, ("name",), DEFINITIONS)
PROPERTY_SCHEMA = _single("property", PROPERTY, ("name", "title", "type"), NUMBERS)
LISTED_PROPERTY = _single("property", PROPERTY, ("title", "type"), NUMBERS)  # its name is the key
TAG_SCHEMA = _single("tag", TAG, ("name",))
ASSOCIATION_SCHEMA = _single("resource_type_association", ASSOCIATION, ("name",))

SCHEMAS: Mapping[str, Json] = {
    "namespace": NAMESPACE_SCHEMA,
    "namespaces": _list_of("namespaces", NAMESPACE_SCHEMA),
    "object": OBJECT_SCHEMA,
    "objects": _list_of("objects", OBJECT_SCHEMA),
    "property": PROPERTY_SCHEMA,
    "properties": _list_of("properties", LISTED_PROPERTY, by_name=True),
    "resource_type": ASSOCIATION_SCHEMA,
    "resource_types": _list_of("resource_type_associations", ASSOCIATION_SCHEMA),
    "tag": TAG_SCHEMA,
    "tags": _list_of("tags", TAG_SCHEMA),
}


def _handler(body: Json) -> Handler:
    def show(call: Call) -> Json:
        return body

    return show


ROUTES = tuple(
    Route("GET", f"/v2/schemas/metadefs/{name}", _handler(body), "get_metadef_namespaces")
    for name, body in SCHEMAS.items()
)
