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


def refused(why: str) -> Unauthorized:
    """`why` is for the operator's log; the caller learns nothing."""
    log.info("login refused: %s", why)
    return Unauthorized("The request you have made requires authentication: user, secret or scope is not right.")
