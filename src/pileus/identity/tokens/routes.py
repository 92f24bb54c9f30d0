"""Logging in, and looking at, ending and using what a login gave."""

from pileus.identity.catalog import queries as catalog
from pileus.identity.envelope import collection, links
from pileus.identity.projects import queries as projects
from pileus.identity.projects import views as project_views
from pileus.identity.tokens import methods, revocation, scopes
from pileus.identity.tokens.authenticator import TokenAuthenticator, Verified
from pileus.identity.tokens.login import Login, refused
from pileus.identity.tokens.payload import BadToken
from pileus.identity.tokens.schemas import AuthBody
from pileus.identity.tokens.views import view
from pileus.kernel.errors import BadRequest, NotFound
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import PUBLIC, Route

VARY = {"vary": "X-Auth-Token"}


class Subject:
    """The token that a request is about, as policy sees it."""

    def __init__(self, token: str, verified: Verified) -> None:
        self.token = token
        self.verified = verified

    def policy_target(self) -> dict[str, object]:
        return {"target.token.user_id": self.verified.standing.user_id}


def subject(call: Call) -> Subject:
    token = call.request.headers.get("x-subject-token")
    if not token:
        raise BadRequest("The header X-Subject-Token is missing.")
    try:
        return Subject(token, call.cloud.part(TokenAuthenticator).verify(call.db, token))
    except BadToken:
        raise NotFound("The token in X-Subject-Token could not be found.") from None


def create(call: Call, body: AuthBody) -> Reply:
    login = methods.log_in(call, body.auth.identity)
    scope, named = scopes.wanted(call.db, login, body.auth.scope)
    for attempt in (scope,) if named else (scope, scopes.UNSCOPED):
        if (reply := issue(call, login, attempt)) is not None:
            return reply
    raise refused(f"user {login.user_id} is disabled or has no role in {' '.join(scope)}")


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


def show(call: Call, target: Subject) -> Reply:
    return Reply(_body(call, target.verified), headers={"x-subject-token": target.token, **VARY})


def revoke(call: Call, target: Subject) -> None:
    revocation.end(call, target.verified.payload)


def _body(call: Call, verified: Verified) -> Json:
    payload, asked = verified.payload, {name for name, _ in call.query}
    with_catalog = "nocatalog" not in asked and payload.scope != "unscoped"
    project_id = payload.scope_id if payload.scope == "project" else None
    services = _catalog(call, payload.user_id, project_id) if with_catalog else None
    return view(verified, catalog=services)


def _catalog(call: Call, user_id: str | None, project_id: str | None) -> list[Json]:
    values = {"user_id": user_id, "project_id": project_id, "tenant_id": project_id}
    return catalog.catalog(call.cloud, call.db, values)


def show_catalog(call: Call) -> Json:
    services = _catalog(call, call.context.user_id, call.context.project_id)
    return {"catalog": services, "links": links(call, "/v3/auth/catalog")}


def list_projects(call: Call) -> Json:
    found = projects.of_user(call.db, str(call.context.user_id))
    return collection(call, "/v3/auth/projects", "projects", project_views.views(call, found))


def list_domains(call: Call) -> Json:
    found = projects.domains_of_user(call.db, str(call.context.user_id))
    return collection(
        call, "/v3/auth/domains", "domains", [project_views.domain_view(call, domain) for domain in found]
    )


def list_system(call: Call) -> Json:
    system = projects.has_system_role(call.db, str(call.context.user_id))
    return {"system": [{"all": True}] if system else [], "links": links(call, "/v3/auth/system")}


ROUTES = (
    Route("POST", "/v3/auth/tokens", create, PUBLIC, status=201, write=False, offload=True),
    Route("GET", "/v3/auth/tokens", show, "identity:validate_token", load=subject),
    Route("HEAD", "/v3/auth/tokens", show, "identity:check_token", load=subject),
    Route("DELETE", "/v3/auth/tokens", revoke, "identity:revoke_token", load=subject, status=204),
    Route("GET", "/v3/auth/catalog", show_catalog, "identity:get_auth_catalog"),
    Route("GET", "/v3/auth/projects", list_projects, "identity:get_auth_projects"),
    Route("GET", "/v3/auth/domains", list_domains, "identity:get_auth_domains"),
    Route("GET", "/v3/auth/system", list_system, "identity:get_auth_system"),
)
