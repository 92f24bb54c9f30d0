"""The kinds of delegation: for each, what it leaves to a token now."""

from collections.abc import Callable, Mapping

from sqlalchemy.orm import Session

from pileus.identity.application_credentials import delegation as application_credentials
from pileus.identity.oauth1 import delegation as access_tokens
from pileus.identity.tokens.limits import Limits
from pileus.identity.tokens.payload import DelegationKind, Payload
from pileus.identity.trusts import delegation as trusts

KINDS: Mapping[DelegationKind, Callable[[Session, str, Payload], Limits | None]] = {
    "application_credential": application_credentials.limits,
    "trust": trusts.limits,
    "access_token": access_tokens.limits,
}


def limits(db: Session, payload: Payload) -> Limits | None:
    """None: what the token was made from is over, or never was for this user and project."""
    assert payload.delegation is not None
    return KINDS[payload.delegation.kind](db, payload.delegation.id, payload)
