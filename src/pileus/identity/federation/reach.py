"""Where a federated user can go, at the addresses that federation has for what every token's owner can ask elsewhere."""

from collections.abc import Sequence

from pileus.identity.envelope import collection
from pileus.identity.projects import queries, replies
from pileus.identity.projects.views import domain_view, views
from pileus.identity.tokens.authenticator import TokenAuthenticator
from pileus.identity.tokens.payload import BadToken
from pileus.kernel.errors import Unauthorized
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route


def groups(call: Call) -> Sequence[str]:
    """Those in the caller's token. Raises Unauthorized."""
    try:
        federation = call.cloud.part(TokenAuthenticator).payload(call.context).federation
    except BadToken:
        raise Unauthorized("The request you have made requires authentication: the token is over.") from None
    return federation.group_ids if federation else ()


def list_projects(call: Call) -> Json:
    found = queries.of_user(call.db, str(call.context.user_id), groups(call))
    return collection(call, "/v3/OS-FEDERATION/projects", "projects", views(call, found))


def list_domains(call: Call) -> Json:
    found = queries.domains_of_user(call.db, str(call.context.user_id), groups(call))
    return collection(call, "/v3/OS-FEDERATION/domains", "domains", [domain_view(call, row) for row in found])


ROUTES = (
    Route("GET", "/v3/OS-FEDERATION/projects", list_projects, "identity:get_auth_projects", reply=replies.PROJECTS),
    Route("GET", "/v3/OS-FEDERATION/domains", list_domains, "identity:get_auth_domains", reply=replies.DOMAINS),
)
