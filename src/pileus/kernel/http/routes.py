"""The visible tables: which request runs which handler, under which rule."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pileus.kernel.microversion import Version, version

Handler = Callable[..., Any]
Loader = Callable[..., Any]
PUBLIC = "!public"  # in place of a rule: no token needed (version documents, login)


@dataclass(frozen=True)
class Action:
    """One verb of `POST …/action`: `{"<name>": body}`. The handler's `body` annotation is its schema; none: null or {}."""

    handler: Handler
    policy: str
    status: int = 202
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True)
class Route:
    """One operation.

    The handler is called as `handler(call, loaded?, **path parameters it names, body=?)`; the annotation of `body` is the
    schema. `load(call, …path parameters it names)` finds the target first: it raises NotFound, and what it returns is what the
    policy rule is checked against (its `project_id`, `user_id`, …) and what the handler gets. A target of another project that
    the caller may not see answers 404. `write` says whether the transaction writes (by default: all but GET and HEAD).
    `offload` runs in a thread (long computations); `stream` hands over the raw request: an async handler with transactions of its own.
    `reply`, `query` and `described` are for the API's description (`openapi`) alone: the type of the answer's body, a JSON schema or
    a media type; the names that the query may have, or the Listing that reads them; and what the table can not say, as OpenAPI does.
    """

    method: str
    path: str
    handler: Handler | None = None
    policy: str = ""
    load: Loader | None = None
    actions: Mapping[str, Action] | None = None
    status: int = 200
    since: str | None = None
    until: str | None = None
    write: bool | None = None
    offload: bool = False
    stream: bool = False
    name: str = ""
    reply: object = None
    query: object = ()
    described: Mapping[str, Any] = field(default_factory=dict)

    @property
    def writes(self) -> bool:
        return self.method not in ("GET", "HEAD") if self.write is None else self.write

    @property
    def rules(self) -> list[str]:
        """Every rule that guards this operation."""
        return [self.policy] if self.policy else [action.policy for action in (self.actions or {}).values()]


@dataclass(frozen=True)
class Plan:
    """How to call one handler, read once from its signature."""

    handler: Handler
    body: Any = None
    wants_target: bool = False
    path_params: tuple[str, ...] = ()
    since: Version | None = None
    until: Version | None = None


def plan(handler: Handler, path: str, *, loads: bool, since: str | None, until: str | None) -> Plan:
    names = {part[1:-1] for part in path.split("/") if part.startswith("{")}
    signature = inspect.signature(handler, eval_str=True)
    body = signature.parameters["body"].annotation if "body" in signature.parameters else None
    return Plan(
        handler=handler,
        body=body,
        wants_target=loads,
        path_params=tuple(name for name in signature.parameters if name in names),
        since=version(since) if since else None,
        until=version(until) if until else None,
    )


@dataclass
class Node:
    """One path segment of the routing tree."""

    fixed: dict[str, "Node"] = field(default_factory=dict)
    param: "Node | None" = None
    name: str = ""
    methods: dict[str, list["Bound"]] = field(default_factory=dict)


@dataclass(frozen=True)
class Bound:
    """A route with its plans worked out."""

    route: Route
    names: tuple[str, ...]
    plan: Plan | None
    actions: dict[str, tuple[Action, Plan]]
    load_params: tuple[str, ...]

    def speaks(self, spoken: Version) -> bool:
        p = self.plan
        return p is None or ((p.since is None or spoken >= p.since) and (p.until is None or spoken <= p.until))


def bind(route: Route) -> Bound:
    loads = route.load is not None
    names = tuple(part[1:-1] for part in route.path.split("/") if part.startswith("{"))
    actions = {
        key: (action, plan(action.handler, route.path, loads=loads, since=action.since, until=action.until))
        for key, action in (route.actions or {}).items()
    }
    own = plan(route.handler, route.path, loads=loads, since=route.since, until=route.until) if route.handler else None
    load_params = tuple(n for n in inspect.signature(route.load).parameters if n in names) if route.load else ()
    return Bound(route, names, own, actions, load_params)


class Tree:
    """All routes by path; a fixed segment wins over a parameter. A trailing slash is the same path."""

    def __init__(self) -> None:
        self.root = Node()

    def add(self, prefix: str, bound: Bound) -> None:
        node = self.root
        for part in _segments(prefix + bound.route.path):
            if part.startswith("{"):
                node.param = node.param or Node()
                node = node.param
            else:
                node = node.fixed.setdefault(part, Node())
        node.methods.setdefault(bound.route.method, []).append(bound)

    def find(self, path: str, methods: Sequence[str]) -> tuple[Node, list[str]] | None:
        """The node, with the values of its parameters, that answers one of `methods`; else the first that is at that path at all."""
        first: tuple[Node, list[str]] | None = None
        for node, values in _walk(self.root, _segments(path), 0):
            if any(method in node.methods for method in methods):
                return node, values
            first = first or (node, values)
        return first


def _segments(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


def _walk(node: Node, parts: list[str], at: int) -> Iterator[tuple[Node, list[str]]]:
    if at == len(parts):
        if node.methods:
            yield node, []
        return
    fixed = node.fixed.get(parts[at])
    if fixed is not None:
        yield from _walk(fixed, parts, at + 1)
    if node.param is not None:
        for found, values in _walk(node.param, parts, at + 1):
            yield found, [parts[at], *values]
