"""How a property is defined: a name's JSON schema, of the few keywords that the API knows."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from pileus.image.metadefs.names import Name
from pileus.kernel.http.call import Json
from pileus.kernel.http.schema import UNSET, OpenShape, Unset

Kind = Literal["array", "boolean", "integer", "number", "object", "string"]
Count = Annotated[int, Meta(ge=0)]
Number = int | float


class Items(OpenShape):
    """What an array holds."""

    type: Kind | Unset = UNSET
    enum: list[Any] | Unset = UNSET


class Definition(OpenShape, kw_only=True, rename="camel"):
    """A property within a namespace or an object. The API leaves these open; what it does not know is not kept."""

    type: Kind
    title: str
    description: str | Unset = UNSET
    operators: list[str] | Unset = UNSET
    default: Any = UNSET
    readonly: bool | Unset = UNSET
    minimum: Number | Unset = UNSET
    maximum: Number | Unset = UNSET
    enum: list[Any] | Unset = UNSET
    pattern: str | Unset = UNSET
    min_length: Count | Unset = UNSET
    max_length: Count | Unset = UNSET
    items: Items | Unset = UNSET
    min_items: Count | Unset = UNSET
    max_items: Count | Unset = UNSET
    unique_items: bool | Unset = UNSET
    additional_items: bool | Unset = UNSET
    required: list[str] | Unset = UNSET


class NamedDefinition(Definition, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A property by itself: strict, and says its name."""

    name: Name


Definitions = dict[str, Definition]


def keywords(definition: Definition) -> Json:
    """What is stored, and shown: the keywords that were given."""
    found: Json = msgspec.to_builtins(definition)
    found.pop("name", None)
    return found


def stored(definitions: Definitions) -> Json:
    return {name: keywords(definition) for name, definition in definitions.items()}
