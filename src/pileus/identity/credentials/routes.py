"""Credentials: secrets that identity keeps for its users."""

from pileus.identity.credentials import actions, queries, replies
from pileus.identity.credentials.queries import CREDENTIALS, Held, Owner
from pileus.identity.credentials.schemas import CredentialChange, CredentialChangeBody, NewCredential, NewCredentialBody
from pileus.identity.credentials.views import view
from pileus.identity.envelope import collection, extras
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route


def index(call: Call, target: Owner) -> Json:
    """One query a page; who sees only their own sees only that of what they ask for."""
    page = CREDENTIALS.page(call, queries.visible(call))
    link = CREDENTIALS.next_link(call, page, "/v3/credentials")
    return collection(call, "/v3/credentials", "credentials", [view(call, row) for row in page.items], link)


def create(call: Call, target: Owner, body: NewCredentialBody) -> Json:
    """201 with the credential."""
    extra = extras(call.body["credential"], NewCredential)
    return {"credential": view(call, actions.add(call, body.credential, extra))}


def show(call: Call, target: Held) -> Json:
    return {"credential": view(call, target.row)}


def update(call: Call, target: Held, body: CredentialChangeBody) -> Json:
    actions.change(call, target.row, body.credential, extras(call.body["credential"], CredentialChange))
    return {"credential": view(call, target.row)}


def destroy(call: Call, target: Held) -> None:
    actions.remove(call, target.row)


_ONE = "/v3/credentials/{credential_id}"
ROUTES = (
    Route(
        "GET",
        "/v3/credentials",
        index,
        "identity:list_credentials",
        load=queries.caller,
        reply=replies.CREDENTIALS,
        query=CREDENTIALS,
    ),
    Route(
        "POST",
        "/v3/credentials",
        create,
        "identity:create_credential",
        load=queries.owner,
        status=201,
        reply=replies.CREDENTIAL,
    ),
    Route("GET", _ONE, show, "identity:get_credential", load=queries.credential, reply=replies.CREDENTIAL),
    Route("PATCH", _ONE, update, "identity:update_credential", load=queries.credential, reply=replies.CREDENTIAL),
    Route("DELETE", _ONE, destroy, "identity:delete_credential", load=queries.credential, status=204),
)
