"""The ASGI application: path → route → caller → body → target → rule → handler → commit → reply."""

import asyncio
import hmac
import logging
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pileus.kernel.cloud import Cloud
from pileus.kernel.context import ANONYMOUS, Context
from pileus.kernel.db import ATTEMPTS, is_passing
from pileus.kernel.errors import (
    ApiError,
    BadRequest,
    Conflict,
    Forbidden,
    MethodNotAllowed,
    NotFound,
    TooLarge,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)
from pileus.kernel.http import certificate, openapi, schema
from pileus.kernel.http.accept import preferred
from pileus.kernel.http.call import Call, Later, Reply
from pileus.kernel.http.routes import PUBLIC, Bound, Plan, Tree, bind
from pileus.kernel.manifest import Manifest

log = logging.getLogger(__name__)
# A page repeats what a stranger sent: escaped, and with nothing in it to be run or guessed.
_PAGE = {"content-security-policy": "default-src 'none'", "x-content-type-options": "nosniff"}


class UnguardedRoute(Exception):
    """A route without a policy rule, or with one that nobody registered: the application must not start."""


class App:
    """`prefixed`: each service under `/<name>`; otherwise the services' own paths at the root (classic ports, metadata)."""

    def __init__(self, cloud: Cloud, manifests: Sequence[Manifest], *, prefixed: bool = True) -> None:
        self.cloud = cloud
        self.manifests = list(manifests)
        self.prefixed = prefixed
        self.tree = Tree()
        self._owner: dict[int, Manifest] = {}
        for manifest in manifests:
            described = (openapi.route_of(manifest),) if manifest.types else ()
            for route in (*manifest.routes, *described):
                if not route.rules or any(r != PUBLIC and r not in cloud.policy.names for r in route.rules):
                    raise UnguardedRoute(
                        f"{manifest.name}: {route.method} {route.path} is guarded by {route.rules or 'nothing'}"
                    )
                bound = bind(route)
                self._owner[id(bound)] = manifest
                self.tree.add(f"/{manifest.name}" if prefixed else "", bound)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            response = await self.respond(Request(scope, receive))
            await response(scope, receive, send)

    async def respond(self, request: Request) -> Response:
        request_id = f"req-{uuid.uuid4()}"
        manifest = self._manifest_of(request.scope["path"])
        headers: dict[str, str] = {}
        try:
            response = await self._serve(request, request_id, headers)
        except ApiError as error:
            response = _error(error, manifest, request_id, request.headers.get("accept"))
        except ClientDisconnect:
            response = Response(status_code=499)
        except Exception:
            log.exception("%s %s failed (%s)", request.method, request.scope["path"], request_id)
            failure = ApiError(f"An unexpected error happened; an operator finds it in the log under {request_id}.")
            response = _error(failure, manifest, request_id, request.headers.get("accept"))
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        if manifest is not None and manifest.error_page is not None and response.status_code >= 400:
            response.headers.add_vary_header("accept")
        response.headers["x-openstack-request-id"] = request_id
        if manifest is not None and manifest.request_id_header != "x-openstack-request-id":
            response.headers[manifest.request_id_header] = request_id
        if request.method == "HEAD":
            response.body = b""
        return response

    def _manifest_of(self, path: str) -> Manifest | None:
        if not self.prefixed:
            return self.manifests[0]
        first = path.lstrip("/").partition("/")[0]
        return next((m for m in self.manifests if m.name == first), None)

    async def _serve(self, request: Request, request_id: str, headers: dict[str, str]) -> Response:
        path = request.scope["path"]
        found = self.tree.find(path, ("HEAD", "GET") if request.method == "HEAD" else (request.method,))
        if found is None:
            raise NotFound("The resource could not be found.")
        node, values = found
        candidates = node.methods.get(request.method)
        if candidates is None and request.method == "HEAD":
            owner = self._manifest_of(path)
            candidates = node.methods.get("GET") if owner is not None and owner.head_as_get else None
        if candidates is None:
            allowed = ", ".join(sorted(node.methods))
            raise MethodNotAllowed(
                f"{request.method} is not allowed here; allowed: {allowed}.", headers={"allow": allowed}
            )
        manifest = self._owner[id(candidates[0])]
        call = Call(self.cloud, manifest, candidates[0].route, request, {})
        if manifest.microversions is not None:
            range_ = manifest.microversions
            legacy = request.headers.get(range_.legacy_header) if range_.legacy_header else None
            call.version = range_.negotiate(request.headers.get("openstack-api-version"), legacy)
            headers.update(range_.headers(call.version))
        bound = next((b for b in candidates if b.speaks(call.version)), None)
        if bound is None:
            raise NotFound(f"This operation does not exist in microversion {call.version}.")
        call.route, call.status = bound.route, bound.route.status
        call.params = dict(zip(bound.names, values, strict=True))
        public = bound.route.rules == [PUBLIC]
        if bound.route.stream:
            with self.cloud.db.reading() as db:
                call.context = self._authenticate(call, request_id, db, optional=public)
            assert bound.plan is not None
            reply = await bound.plan.handler(call, **{name: call.params[name] for name in bound.plan.path_params})
            return _response(call, reply)
        call.body = await self._json(request) if request.method in ("POST", "PUT", "PATCH", "DELETE") else None
        if self.cloud.db.is_sqlite and not bound.route.offload:
            reply = self._transact(call, bound, request_id, public)
        else:
            reply = await asyncio.to_thread(self._transact, call, bound, request_id, public)
        call.committed()
        return _response(call, await reply.ask() if isinstance(reply, Later) else reply)

    def _transact(self, call: Call, bound: Bound, request_id: str, public: bool) -> object:
        """One request, one transaction. A deadlock is tried again from the start: handlers touch nothing but the database."""
        for attempt in range(ATTEMPTS):
            with self.cloud.db.session(write=bound.route.writes) as db:
                call._db = db
                call._after_commit.clear()
                try:
                    call.context = self._authenticate(call, request_id, db, optional=public)
                    reply = _run(call, bound)
                    db.commit()
                    return reply
                except IntegrityError as error:
                    db.rollback()
                    log.info("conflict in %s %s: %s", call.request.method, call.request.scope["path"], error.orig)
                    raise Conflict("The request conflicts with what exists already.") from None
                except (OverflowError, DataError) as error:
                    db.rollback()
                    log.info("%s %s: %s", call.request.method, call.request.scope["path"], error)
                    raise BadRequest("Invalid input: a value in the request is larger than can be stored.") from None
                except OperationalError as error:
                    db.rollback()
                    if not is_passing(error):
                        raise
                    if attempt == ATTEMPTS - 1:
                        log.exception("the database refused %s", call.request.scope["path"])
                except PoolTimeout:
                    log.warning("no connection to the database came free for %s", call.request.scope["path"])
                    break
        raise Unavailable("The database is busy; try again.", headers={"retry-after": "1"})

    def _authenticate(self, call: Call, request_id: str, db: Session, *, optional: bool) -> Context:
        token = _token(call.request)
        if not token or optional:
            if not optional:
                raise Unauthorized("The request you have made requires authentication.")
            return msgspec.structs.replace(ANONYMOUS, request_id=request_id, token=token)
        context = msgspec.structs.replace(self.cloud.authenticator.authenticate(db, token), request_id=request_id)
        if context.thumbprint is not None:
            shown = certificate.shown(self.cloud.config.cloud, call.request)
            if shown is None or not hmac.compare_digest(certificate.thumbprint(shown), context.thumbprint):
                raise Unauthorized("The token is bound to a certificate that this request did not come with.")
        if context.access_rules is not None:
            method, path = call.request.method, self._own_path(call)
            if not any(rule.allows(call.manifest.types, method, path) for rule in context.access_rules):
                raise Forbidden(f"No access rule of the application credential in use allows {method} {path}.")
        return context

    def _own_path(self, call: Call) -> str:
        """The path below the service's prefix."""
        path: str = call.request.scope["path"]
        return path.removeprefix(f"/{call.manifest.name}") if self.prefixed else path

    async def _json(self, request: Request) -> Any:
        limit = self.cloud.config.cloud.max_body
        length = request.headers.get("content-length", "0")
        too_large = TooLarge(
            f"Request is too large: a JSON body may have {limit} bytes.", headers={"connection": "close"}
        )
        if length.isdecimal() and int(length) > limit:
            raise too_large
        data = b""
        async for chunk in request.stream():
            data += chunk
            if len(data) > limit:
                raise too_large
        if not data:
            return None
        kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if not (kind.endswith(("json", "json-patch")) or kind == "text/plain"):
            raise UnsupportedMediaType(f"Unsupported Content-Type {kind}; send application/json.")
        try:
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadRequest(f"Malformed JSON in the request body: {error}") from None


def _token(request: Request) -> str | None:
    """Of `X-Auth-Token`, or as OAuth 2.0 sends it (RFC 6750)."""
    token = request.headers.get("x-auth-token")
    if token is None:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        token = given.strip() if kind.lower() == "bearer" else None
    return token


def _run(call: Call, bound: Bound) -> object:
    route, plan, rule = bound.route, bound.plan, bound.route.policy
    if bound.actions:
        plan, rule = _action(call, bound)
    assert plan is not None
    kwargs: dict[str, Any] = {name: call.params[name] for name in plan.path_params}
    if plan.body is not None:
        if call.body is None and call.request.method != "DELETE":
            raise BadRequest("The request needs a JSON body.")
        kwargs["body"] = schema.read(call.body, plan.body, call.version, lax=call.manifest.lax_types)
    if route.load is None:
        if rule != PUBLIC:
            call.enforce(rule)
        return plan.handler(call, **kwargs)
    target = route.load(call, **{name: call.params[name] for name in bound.load_params})
    if rule != PUBLIC:
        call.enforce(rule, target_of(target))
    return plan.handler(call, target, **kwargs)


def _action(call: Call, bound: Bound) -> tuple[Plan, str]:
    if not isinstance(call.body, dict) or len(call.body) != 1:
        raise BadRequest("The body must hold exactly one action.")
    name, value = next(iter(call.body.items()))
    action, plan = bound.actions.get(name, (None, None))
    if (
        action is None
        or plan is None
        or (plan.since and call.version < plan.since)
        or (plan.until and call.version > plan.until)
    ):
        raise BadRequest(f"There is no such action: {name}")
    if plan.body is None and value not in (None, {}, ""):
        raise BadRequest(f"Invalid input for {name}: it takes no arguments.")
    call.body = {} if value is None else value
    call.status = action.status
    return plan, action.policy


def target_of(thing: object) -> dict[str, object]:
    """What a policy rule may ask of a loaded object: its own `policy_target()`, or its owner's ids."""
    own = getattr(thing, "policy_target", None)
    if own is not None:
        answer: dict[str, object] = own()
        return answer
    return {name: getattr(thing, name) for name in ("project_id", "user_id", "domain_id") if hasattr(thing, name)}


def _response(call: Call, reply: object) -> Response:
    if isinstance(reply, Response):
        return reply
    status, body, headers = call.status, reply, {}
    if isinstance(reply, Reply):
        status, body, headers = reply.status or status, reply.body, reply.headers
    if body is None:
        return Response(status_code=status, headers=headers)
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/json", headers=headers)


def _error(error: ApiError, manifest: Manifest | None, request_id: str, accept: str | None) -> Response:
    body: Any = {"error": {"code": error.status, "title": error.title, "message": error.message}}
    if manifest is not None:
        if manifest.error_page is not None and preferred(accept, ("text/html", "application/json")) == "text/html":
            page = manifest.error_page(error)
            return Response(page, status_code=error.status, media_type="text/html", headers=error.headers | _PAGE)
        body = manifest.error_body(error, request_id)
    return Response(
        msgspec.json.encode(body), status_code=error.status, media_type="application/json", headers=error.headers
    )


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return
