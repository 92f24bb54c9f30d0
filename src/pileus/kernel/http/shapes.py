"""JSON schemas of request and reply types, with the microversions of their fields."""

import typing
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from pileus.kernel.http.call import Json
from pileus.kernel.http.schema import Since, Until

_REF = "#/components/schemas/"


class Shapes:
    """The types of one service: `components` holds the schemas of all structs, `of` points into it."""

    def __init__(self, kinds: Iterable[Any]) -> None:
        plain = {repr(kind): kind for kind in kinds}
        structs = list(dict.fromkeys(struct for kind in plain.values() for struct in _structs(kind)))
        found, self.components = msgspec.json.schema_components(
            [*plain.values(), *structs], schema_hook=_anything, ref_template=_REF + "{name}"
        )
        self._of = dict(zip(plain, found, strict=False))
        for struct, schema in zip(structs, found[len(plain) :], strict=True):
            _mark(struct, self.components[schema["$ref"].removeprefix(_REF)])

    def of(self, kind: Any) -> Json:
        return self._of[repr(kind)]


def _anything(_kind: type) -> Json:
    return {"description": "anything"}


def _structs(hint: Any, seen: frozenset[Any] = frozenset()) -> list[type[msgspec.Struct]]:
    """Every struct that a value of the type may hold, at any depth."""
    if isinstance(hint, type) and not typing.get_args(hint):
        if not issubclass(hint, msgspec.Struct) or hint in seen:
            return []
        within = [_structs(field.type, seen | {hint}) for field in msgspec.structs.fields(hint)]
        return [hint, *(struct for structs in within for struct in structs)]
    return [struct for arg in typing.get_args(hint) for struct in _structs(arg, seen)]


def _mark(struct: type[msgspec.Struct], schema: Json) -> None:
    """Say of each field which microversions know it."""
    hints = typing.get_type_hints(struct, include_extras=True)
    for field in msgspec.structs.fields(struct):
        marks = getattr(hints.get(field.name), "__metadata__", ())
        first = next((str(mark.version) for mark in marks if isinstance(mark, Since)), None)
        last = next((str(mark.version) for mark in marks if isinstance(mark, Until)), None)
        if first or last:
            schema["properties"][field.encode_name]["description"] = range_words(first, last)


def range_words(first: str | None, last: str | None) -> str:
    words = ([f"since microversion {first}"] if first else []) + ([f"until microversion {last}"] if last else [])
    return ", ".join(words)


def like(example: object) -> Json:
    """The schema of what looks like the example: the same names, of the same types."""
    if isinstance(example, Mapping):
        properties = {str(name): like(value) for name, value in example.items()}
        return {"type": "object", "properties": properties, "required": list(properties)}
    if isinstance(example, list | tuple):
        return {"type": "array", "items": like(example[0]) if example else {}}
    kinds: tuple[tuple[type, str], ...] = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"))
    return next(({"type": name} for kind, name in kinds if isinstance(example, kind)), {})
