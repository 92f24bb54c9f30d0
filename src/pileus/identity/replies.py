"""The types of identity's answers, as its API description shows them. They describe what `views` make; nothing is built with them."""

from typing import Any

import msgspec
from msgspec import field

from pileus.kernel.http.schema import UNSET, OpenShape, Shape, Unset

Reply = type[msgspec.Struct]


class SelfLink(Shape):
    own: str = field(name="self")


class PageLinks(Shape):
    own: str = field(name="self")
    previous: str | None
    following: str | None = field(name="next")


class IdAndName(OpenShape):
    id: str
    name: str


class Reference(OpenShape):
    """Something by its id; with its name where names were asked for."""

    id: str
    name: str = ""
    domain: IdAndName | None = None


class Links(Shape):
    links: PageLinks


def one(name: str, kind: object, **more: Any) -> Reply:
    """`{"<name>": …}`; `more`: what stands beside it."""
    return _made(f"One_{name}_of_{_word(kind)}", {name: kind, **more})


def many(name: str, kind: Any, **more: Any) -> Reply:
    """`{"<name>": […], "links": …}`; `truncated` where the operator's longest list was not long enough."""
    truncated = ("truncated", bool | Unset, UNSET)
    return _made(f"Many_{name}_of_{_word(kind)}", {name: list[kind], "links": PageLinks, **more}, truncated)


def _made(title: str, fields: dict[str, Any], *optional: tuple[str, Any, Any]) -> Reply:
    return msgspec.defstruct(title, [*fields.items(), *optional], bases=(Shape,), kw_only=True, module=__name__)


def _word(kind: object) -> str:
    return getattr(kind, "__name__", "anything")
