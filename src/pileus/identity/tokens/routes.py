"""Logging in, and looking at, ending and using what a login gave."""

import msgspec
from starlette.responses import Response

from pileus.identity.catalog import queries as catalog
from pileus.identity.envelope import collection, links
from pileus.identity.federation.service_providers.offers import Offers
from pileus.identity.passwords import lockout
from pileus.identity.projects import queries as projects
from pileus.identity.projects import views as project_views
from pileus.identity.projects.replies import DOMAINS, PROJECTS
from pileus.identity.refusals.notes import noted
from pileus.identity.tokens import factors, methods, receipts, replies, revocation, scopes
from pileus.identity.tokens.authenticator import TokenAuthenticator
from pileus.identity.tokens.login import Login, refused
from pileus.identity.tokens.memory import Remembered, Verified
from pileus.identity.tokens.payload import BadToken
from pileus.identity.tokens.schemas import AuthBody, Identity, ScopeShape
from pileus.identity.tokens.views import view
from pileus.identity.users import activity
from pileus.identity.users.models import User
from pileus.kernel.errors import BadRequest, Gone, NotFound, Unauthorized
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.listing import boolean
from pileus.kernel.http.routes import PUBLIC, Route
from pileus.kernel.http.schema import Unset

VARY = {"vary": "X-Auth-Token"}


class Subject:
    """The token that a request is about, as policy sees it."""

    def __init__(self, token: str, known: Remembered) -> None:
        self.token = token
        self.known = known
        self.verified = known.verified

    def policy_target(self) -> dict[str, object]:
        return {"target.token.user_id": self.verified.standing.user_id}


def subject(call: Call) -> Subject:
    token = call.request.headers.get("x-subject-token")
    if not token:
        raise BadRequest("The header X-Subject-Token is missing.")
    tokens = call.cloud.part(TokenAuthenticator)
    try:
        if boolean(call.query_value("allow_expired") or "false"):
            verified = tokens.verify(call.db, token, revocation.LATE)
            return Subject(token, Remembered(token, verified, 0))
        return Subject(token, tokens.recent(call.db, token))
    except BadToken:
        raise NotFound("The token in X-Subject-Token could not be found.") from None


def create(call: Call, body: AuthBody) -> Reply:
    with noted(call, _who(body.auth.identity)):
        proven = receipts.continued(call, methods.log_in(call, body.auth.identity))
        user = call.db.get(User, proven.user_id)
        if user is None or not user.enabled:
            raise refused("the user is disabled", reason="user_disabled", user_id=proven.user_id)
        if activity.is_over(call.cloud, user):
            raise refused("no login for too long", reason="inactive", user_id=user.id)
        if required := factors.missing(user.options, proven.methods):
            return receipts.give(call, proven, user, required)
        reply = _scoped(call, proven, body.auth.scope)
        lockout.forgive(call.cloud, call.db, user.id)
        activity.seen(call.cloud, user)
        return reply


def _who(identity: Identity) -> str:
    """Whose login it is meant to be, as it was given."""
    for part in (identity.password, identity.totp):
        if part is not None:
            return part.user.id or part.user.name or ""
    return ""


def _scoped(call: Call, proven: Login, asked: ScopeShape | str | Unset) -> Reply:
    login = scopes.entrusted(call.db, proven, asked)
    scope, named = scopes.wanted(call.db, login, asked)
    for attempt in (scope,) if named else (scope, scopes.UNSCOPED):
        if (reply := issue(call, login, attempt)) is not None:
            scopes.spend(call.cloud, call.db, login)
            return reply
    raise refused(f"no role in {' '.join(scope)}, or it is disabled", reason="no_role", user_id=login.user_id)


def issue(call: Call, login: Login, scope: scopes.Wanted) -> Reply | None:
    """A token for a proven user, as the API answers it; None when the user has nothing in that scope."""
    issued = call.cloud.part(TokenAuthenticator).issue(
        call.db,
        login.user_id,
        scope,
        login.methods,
        parent=login.parent,
        delegation=login.delegation,
        federation=login.federation,
        thumbprint=login.thumbprint,
        ends=login.ends,
    )
    if issued is None:
        return None
    token, verified = issued
    return Reply(_body(call, verified), status=201, headers={"x-subject-token": token, **VARY})


def show(call: Call, target: Subject) -> Response:
    """Half of all that identity is asked: the body is made once in the moment that a token stays verified."""
    full = "nocatalog" not in {name for name, _ in call.query}
    body = target.known.bodies.get(full)
    if body is None:
        body = target.known.bodies[full] = msgspec.json.encode(_body(call, target.verified))
    return Response(body, media_type="application/json", headers={"x-subject-token": target.token, **VARY})


def revoke(call: Call, target: Subject) -> None:
    revocation.end(call, target.verified.payload)


def _body(call: Call, verified: Verified) -> Json:
    payload, asked = verified.payload, {name for name, _ in call.query}
    with_catalog = "nocatalog" not in asked and payload.scope != "unscoped"
    project_id = payload.scope_id if payload.scope == "project" else None
    services = _catalog(call, payload.user_id, project_id) if with_catalog else None
    offers = call.cloud.part(Offers).now(call.db) if payload.scope != "unscoped" else []
    return view(verified, catalog=services, service_providers=offers)


def _catalog(call: Call, user_id: str | None, project_id: str | None) -> list[Json]:
    values = {"user_id": user_id, "project_id": project_id, "tenant_id": project_id}
    return catalog.catalog(call.cloud, call.db, values)


def show_catalog(call: Call) -> Json:
    services = _catalog(call, call.context.user_id, call.context.project_id)
    return {"catalog": services, "links": links(call, "/v3/auth/catalog")}


def _mapped(call: Call) -> tuple[str, ...]:
    """The groups that the caller is in by its token alone: an identity provider said so."""
    try:
        came = call.cloud.part(TokenAuthenticator).payload(call.context).federation
    except BadToken:
        raise Unauthorized("The request you have made requires authentication: the token is over.") from None
    return came.group_ids if came is not None else ()


def list_projects(call: Call) -> Json:
    found = projects.of_user(call.db, str(call.context.user_id), _mapped(call))
    return collection(call, "/v3/auth/projects", "projects", project_views.views(call, found))


def list_domains(call: Call) -> Json:
    found = projects.domains_of_user(call.db, str(call.context.user_id), _mapped(call))
    return collection(
        call, "/v3/auth/domains", "domains", [project_views.domain_view(call, domain) for domain in found]
    )


def list_system(call: Call) -> Json:
    system = projects.has_system_role(call.db, str(call.context.user_id), _mapped(call))
    return {"system": [{"all": True}] if system else [], "links": links(call, "/v3/auth/system")}


def list_revoked(call: Call) -> None:
    raise Gone("There is no list of revoked tokens: ask for each token by GET /v3/auth/tokens.")


ROUTES = (
    Route(
        "POST",
        "/v3/auth/tokens",
        create,
        PUBLIC,
        status=201,
        write=False,
        offload=True,
        reply=replies.TOKEN,
        described=replies.RECEIPT,
    ),
    Route(
        "GET",
        "/v3/auth/tokens",
        show,
        "identity:validate_token",
        load=subject,
        reply=replies.TOKEN,
        described=replies.SUBJECT,
    ),
    Route("HEAD", "/v3/auth/tokens", show, "identity:check_token", load=subject, described=replies.SUBJECT),
    Route(
        "DELETE",
        "/v3/auth/tokens",
        revoke,
        "identity:revoke_token",
        load=subject,
        status=204,
        described=replies.SUBJECT,
    ),
    Route("GET", "/v3/auth/tokens/OS-PKI/revoked", list_revoked, "identity:revocation_list", status=410),
    Route("GET", "/v3/auth/catalog", show_catalog, "identity:get_auth_catalog", reply=replies.CatalogReply),
    Route("GET", "/v3/auth/projects", list_projects, "identity:get_auth_projects", reply=PROJECTS),
    Route("GET", "/v3/auth/domains", list_domains, "identity:get_auth_domains", reply=DOMAINS),
    Route("GET", "/v3/auth/system", list_system, "identity:get_auth_system", reply=replies.SYSTEM),
)
