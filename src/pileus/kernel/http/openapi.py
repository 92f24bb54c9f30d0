"""One service's API as OpenAPI 3.1, made from its manifest when somebody asks: `GET /<service>/openapi.json`."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response

from pileus.kernel.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    Gone,
    NotAcceptable,
    NotFound,
    NotImplementedHere,
    TooLarge,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)
from pileus.kernel.http import shapes
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import Listing
from pileus.kernel.http.routes import PUBLIC, Route, plan
from pileus.kernel.manifest import Manifest

PATH = "/openapi.json"
_READ = (BadRequest, Unauthorized, Forbidden, NotFound, Gone, Unavailable)
_WRITE = (*_READ, Conflict, TooLarge, UnsupportedMediaType, NotImplementedHere)
_PAGING = ("limit", "marker", "sort_key", "sort_dir", "sort", "page_reverse")
_JSON = "application/json"


def route_of(manifest: Manifest) -> Route:
    """The route that serves the description; the application adds it to every service."""

    @cache
    def encoded() -> bytes:
        return msgspec.json.encode(document(manifest))

    def show(call: Call) -> Response:
        return Response(encoded(), media_type=_JSON, headers={"cache-control": "max-age=3600"})

    return Route("GET", PATH, show, PUBLIC, reply={"type": "object"})


def document(manifest: Manifest) -> Json:
    """The whole description. Addresses are relative to where it is served."""
    routes = list(manifest.routes)
    known = shapes.Shapes([kind for route in routes for kind in _types(route)])
    errors = _errors(manifest)
    paths: dict[str, Json] = {}
    for (path, method), same in _operations(routes).items():
        paths.setdefault(path, {})[method] = _operation(manifest, path, method, same, known)
        if method == "get" and manifest.head_as_get:
            paths[path].setdefault("head", _head(paths[path]["get"]))
    for path, operations in paths.items():  # an own HEAD is listed before or after its GET
        paths[path] = dict(sorted(operations.items()))
    range_ = manifest.microversions
    return {
        "openapi": "3.1.0",
        "info": {"title": manifest.title or manifest.name, "version": str(range_.highest) if range_ else "1"},
        "servers": [{"url": "."}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": known.components,
            "responses": errors,
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}},
        },
    }


def _operations(routes: Iterable[Route]) -> dict[tuple[str, str], list[Route]]:
    """Routes by path and method: several where microversions differ."""
    found: dict[tuple[str, str], list[Route]] = {}
    for route in routes:
        found.setdefault((route.path, route.method.lower()), []).append(route)
    return found


def _head(get: Json) -> Json:
    responses = {
        status: {"description": answer["description"]} if "description" in answer else {"description": "Refused"}
        for status, answer in get["responses"].items()
    }
    return {**get, "operationId": "head" + get["operationId"][3:], "responses": responses}


def _operation(manifest: Manifest, path: str, method: str, same: Sequence[Route], known: shapes.Shapes) -> Json:
    names = list(dict.fromkeys(name for route in same for name in query_names(route.query)))
    parameters: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(.*?)\}", path)
    ]
    parameters += [{"name": name, "in": "query", "schema": {"type": "string"}} for name in names]
    rules = list(dict.fromkeys(rule for route in same for rule in route.rules if rule != PUBLIC))
    made: Json = {
        "operationId": re.sub(r"[^A-Za-z0-9]+", "_", f"{method}{path}").strip("_"),
        "summary": _summary(same),
        "parameters": parameters,
        "responses": _responses(manifest, method, same, known),
    }
    if rules:
        made["x-policy"] = rules
    else:
        made["security"] = []
    if versions := [{"since": route.since, "until": route.until} for route in same if route.since or route.until]:
        made["x-microversions"] = versions
    if (body := _body(method, same, known)) is not None:
        made["requestBody"] = body
    for route in same:
        described = route.described
        made |= {
            **described,
            "parameters": made["parameters"] + described.get("parameters", []),
            "responses": made["responses"] | described.get("responses", {}),
        }
    if method in ("get", "head"):
        made.pop("requestBody", None)
    return made


def _summary(same: Sequence[Route]) -> str:
    words = same[0].handler.__doc__ if same[0].handler is not None else None
    return (words or "").strip().partition("\n")[0]


def _body(method: str, same: Sequence[Route], known: shapes.Shapes) -> Json | None:
    if method in ("get", "head"):
        return None
    if any(route.stream for route in same):
        return {"content": {"application/octet-stream": {"schema": {}}}}
    forms: list[Json] = []
    for route in same:
        forms += [known.of(kind) for kind in (_shape(route, route.handler),) if kind is not None]
        for name, action in (route.actions or {}).items():
            kind = _shape(route, action.handler)
            value = known.of(kind) if kind is not None else {"type": ["null", "object", "string"], "maxLength": 0}
            verb: Json = {"type": "object", "properties": {name: value}, "required": [name]}
            verb["additionalProperties"] = False
            if action.since or action.until:
                verb["description"] = shapes.range_words(action.since, action.until)
            forms.append(verb)
    if not forms:
        return None
    schema = forms[0] if len(forms) == 1 else {"anyOf": forms}
    return {"required": method != "delete", "content": {_JSON: {"schema": schema}}}


def _responses(manifest: Manifest, method: str, same: Sequence[Route], known: shapes.Shapes) -> Json:
    found: Json = {}
    for route in same:
        statuses = {route.status} if not route.actions else {action.status for action in route.actions.values()}
        for status in statuses:
            answer = found.setdefault(str(status), {"description": HTTPStatus(status).phrase})
            if route.reply is not None and method != "head" and status != 204:
                answer["content"] = _content(route.reply, known)
    for error in (
        *(_READ if method in ("get", "head") else _WRITE),
        *((NotAcceptable,) if manifest.microversions else ()),
    ):
        found[str(error.status)] = (
            {"description": error.title} if method == "head" else {"$ref": f"#/components/responses/{error.__name__}"}
        )
    return dict(sorted(found.items()))


def _content(reply: object, known: shapes.Shapes) -> Json:
    if isinstance(reply, str):
        return {reply: {"schema": {"type": "string"}}}
    return {_JSON: {"schema": dict(reply) if isinstance(reply, Mapping) else known.of(reply)}}


def _errors(manifest: Manifest) -> Json:
    """The service's own form of each error, as it would answer it."""
    page: Json = {"text/html": {"schema": {"type": "string"}}} if manifest.error_page is not None else {}
    return {
        error.__name__: {
            "description": error.title,
            "content": {_JSON: {"schema": shapes.like(manifest.error_body(error("…"), "req-…"))}} | page,
        }
        for error in (*_WRITE, NotAcceptable)
    }


def _types(route: Route) -> list[Any]:
    handlers = [route.handler, *(action.handler for action in (route.actions or {}).values())]
    found = [_shape(route, handler) for handler in handlers if handler is not None and not route.stream]
    if route.reply is not None and not isinstance(route.reply, str | Mapping):
        found.append(route.reply)
    return [kind for kind in found if kind is not None]


def _shape(route: Route, handler: Callable[..., Any] | None) -> Any:
    if handler is None or route.stream:
        return None
    return plan(handler, route.path, loads=route.load is not None, since=None, until=None).body


def query_names(query: object) -> list[str]:
    """Of a route's `query`: a Listing's filters, order and paging, or the names themselves."""
    if isinstance(query, Listing):
        return [*query.filters, *sorted(query.reserved - set(query.filters)), *_PAGING]
    return [str(name) for name in query] if isinstance(query, tuple) else []


def answer(description: str, schema: Json, kind: str = _JSON) -> Json:
    """For `Route.described`: a response of a form that is not the service's usual one."""
    return {"description": description, "content": {kind: {"schema": schema}}}


def form(fields: Mapping[str, Json], required: Sequence[str]) -> Json:
    """For `Route.described`: a request body that is a form."""
    schema = {"type": "object", "properties": dict(fields), "required": list(required)}
    return {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": schema}}}
