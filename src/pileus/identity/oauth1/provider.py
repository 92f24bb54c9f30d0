"""The provider's side of RFC 5849: signed requests in, tokens out. oauthlib does the protocol."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from oauthlib.oauth1 import AccessTokenEndpoint, RequestTokenEndpoint, ResourceEndpoint
from sqlalchemy import CursorResult, delete, select
from sqlalchemy.exc import IntegrityError

from pileus.identity.oauth1 import nonces
from pileus.identity.oauth1.derivation import Deriver
from pileus.identity.oauth1.models import (
    AccessToken,
    AccessTokenRole,
    RequestToken,
    RequestTokenRole,
)
from pileus.identity.oauth1.validator import Validator
from pileus.identity.projects.models import Project
from pileus.identity.settings import IdentitySettings
from pileus.identity.tokens.login import refused
from pileus.kernel import clock
from pileus.kernel.db import new_hex_id
from pileus.kernel.errors import BadRequest, NotFound
from pileus.kernel.http.call import Call

Respond = Callable[[Validator, str], tuple[str, int]]


class Granted(NamedTuple):
    """A new token: its row is written, `body` (form-encoded) is for the consumer."""

    id: str
    body: str


def request_token(call: Call) -> Granted:
    """A question of the consumer that signed the request. Raises BadRequest, Unauthorized or NotFound."""
    token_id = new_hex_id()
    expires = clock.after(call.cloud.settings(IdentitySettings).oauth1_request_token_seconds)
    told = {
        "oauth_token": token_id,
        "oauth_token_secret": call.cloud.part(Deriver).secret("request", token_id),
        "oauth_expires_at": str(clock.iso_micro(expires)),
    }

    def respond(validator: Validator, uri: str) -> tuple[str, int]:
        _, body, status = RequestTokenEndpoint(validator).create_request_token_response(
            uri, call.request.method, "", _headers(call), told
        )
        return body, status

    body, checked = _signed(call, respond)
    project_id = call.request.headers.get("requested-project-id")
    if not project_id:
        raise BadRequest("The header Requested-Project-Id is missing.")
    project = call.db.get(Project, project_id)
    if project is None or project.is_domain:
        raise NotFound(f"Project {project_id} could not be found.")
    assert checked.consumer is not None
    call.db.add(RequestToken(id=token_id, consumer_id=checked.consumer.id, project_id=project_id, expires_at=expires))
    nonces.keep(call.db, checked.mark, checked.timestamp)
    return Granted(token_id, body)


def access_token(call: Call) -> Granted:
    """For a question that a user has answered; it is gone then. Raises BadRequest or Unauthorized."""
    token_id = new_hex_id()
    seconds = call.cloud.settings(IdentitySettings).oauth1_access_token_seconds
    expires = clock.after(seconds) if seconds else None
    told = {"oauth_token": token_id, "oauth_token_secret": call.cloud.part(Deriver).secret("access", token_id)}
    if expires is not None:
        told["oauth_expires_at"] = str(clock.iso_micro(expires))

    def respond(validator: Validator, uri: str) -> tuple[str, int]:
        _, body, status = AccessTokenEndpoint(validator).create_access_token_response(
            uri, call.request.method, "", _headers(call), told
        )
        return body, status

    body, checked = _signed(call, respond)
    asked = checked.request_token
    assert asked is not None and asked.authorizing_user_id is not None
    role_ids = list(call.db.scalars(select(RequestTokenRole.role_id).where(RequestTokenRole.token_id == asked.id)))
    call.db.add(
        AccessToken(
            id=token_id,
            consumer_id=asked.consumer_id,
            project_id=asked.project_id,
            user_id=asked.authorizing_user_id,
            expires_at=expires,
        )
    )
    call.db.flush()
    call.db.add_all(AccessTokenRole(token_id=token_id, role_id=role_id) for role_id in role_ids)
    done = call.db.execute(delete(RequestToken).where(RequestToken.id == asked.id))
    assert isinstance(done, CursorResult)
    if not done.rowcount:
        raise refused("the request token was exchanged a moment ago", reason="oauth1")
    nonces.keep(call.db, checked.mark, checked.timestamp)
    return Granted(token_id, body)


def login(call: Call) -> AccessToken:
    """The access token that the request is signed with. Raises Unauthorized.

    The request is remembered in a transaction of its own, since logging in only reads.
    """

    def respond(validator: Validator, uri: str) -> tuple[str, int]:
        try:
            good, _ = ResourceEndpoint(validator).validate_protected_resource_request(
                uri, call.request.method, "", _headers(call)
            )
        except ValueError:  # the header is malformed
            good = False
        return "", 200 if good else 401

    _, checked = _signed(call, respond)
    assert checked.access_token is not None
    try:
        with call.cloud.db.writing() as own:
            nonces.keep(own, checked.mark, checked.timestamp)
    except IntegrityError:
        raise refused("a signed request came twice", reason="oauth1", user_id=checked.access_token.user_id) from None
    return checked.access_token


def _signed(call: Call, respond: Respond) -> tuple[str, Validator]:
    """The endpoint's answer for the first address that the signature fits."""
    for uri in _addresses(call):
        validator = Validator(call.db, call.cloud.part(Deriver))
        try:
            body, status = respond(validator, uri)
        except ValueError as error:
            raise BadRequest(f"The Authorization header or the address is malformed: {error}.") from None
        if status == 200:
            return body, validator
        if status == 400:
            raise BadRequest(f"The OAuth parameters of the request are not right: {body}")
    raise refused("an OAuth1 signature, consumer, token or nonce is not right", reason="oauth1")


def _headers(call: Call) -> Mapping[str, str]:
    """The parameters come in the header: what else a request has is not signed."""
    return {"Authorization": call.request.headers.get("authorization", "")}


def _addresses(call: Call) -> Iterator[str]:
    """As the request says it came here, and as it does when something in between ends TLS."""
    seen = str(call.request.url)
    query = call.request.url.query
    public = call.url(call.route.path) + (f"?{query}" if query else "")
    yield seen
    if public != seen:
        yield public
