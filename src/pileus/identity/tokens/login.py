"""A proven user, and the one answer to everybody who is not."""

import logging
from datetime import datetime

import msgspec

from pileus.identity.tokens.payload import Delegation, Federation, Payload
from pileus.kernel.errors import Unauthorized

log = logging.getLogger("pileus.identity.logins")


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """`parent` is the token that proved it; `delegation` what was used instead of the user's own secret, with its project.

    `ends` is when the token must end at the latest.
    """

    user_id: str
    methods: tuple[str, ...]
    parent: Payload | None = None
    delegation: Delegation | None = None
    project_id: str | None = None
    federation: Federation | None = None
    thumbprint: str | None = None
    ends: datetime | None = None


class Refused(Unauthorized):
    """`reason` is one word, `detail` more of it, `user_id` or `who` (as it was given) say whose login: all for the operator only."""

    def __init__(self, message: str, *, reason: str, detail: str, user_id: str | None, who: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.detail = detail
        self.user_id = user_id
        self.who = who


def refused(why: str, *, reason: str = "refused", user_id: str | None = None, who: str | None = None) -> Refused:
    """The caller learns nothing. The log has what is given here, and around a login `refusals.notes` takes it down."""
    log.info("login refused: %s, user %s: %s", reason, user_id or who, why)
    message = "The request you have made requires authentication: user, secret or scope is not right."
    return Refused(message, reason=reason, detail=why, user_id=user_id, who=who or "")


def expired(user_id: str) -> Refused:
    """Said only to somebody who knew the password: it has to be changed first."""
    message = f"The password is expired and needs to be changed for user: {user_id}."
    return Refused(message, reason="password_expired", detail="the password is expired", user_id=user_id, who="")
