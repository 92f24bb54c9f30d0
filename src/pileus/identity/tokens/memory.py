"""Tokens that were verified a moment ago: in this process, and in the cache that the API nodes share, if there is one."""

import time
from datetime import UTC, datetime

import msgspec

from pileus.identity.roles.inference import RoleName
from pileus.identity.tokens.limits import Limits
from pileus.identity.tokens.payload import Payload, now_ms
from pileus.identity.tokens.standing import Standing
from pileus.kernel.cache import Cache
from pileus.kernel.context import Context

FRESH = 0.4  # seconds; a verified token plus the roles it was verified with is never older than twice this
MOST = 20_000  # verified tokens kept in this process


class Verified(msgspec.Struct, frozen=True):
    """A token that is good at this moment, and what it is good for. `limits`: of a delegated one."""

    payload: Payload
    standing: Standing
    roles: tuple[RoleName, ...]
    epoch: int
    limits: Limits | None = None

    def context(self, token: str) -> Context:
        p, s = self.payload, self.standing
        project = s.scope if p.scope == "project" else None
        return Context(
            user_id=s.user_id,
            user_name=s.user_name,
            user_domain_id=s.user_domain.id,
            project_id=project.id if project else None,
            project_name=project.name if project else None,
            project_domain_id=project.domain.id if project else None,
            domain_id=p.scope_id if p.scope == "domain" else None,
            system_scope="all" if p.scope == "system" else None,
            roles=tuple(role.name for role in self.roles),
            token=token,
            expires_at=datetime.fromtimestamp(p.expires / 1000, UTC).replace(tzinfo=None),
            delegation=p.delegation.kind if p.delegation else None,
            access_rules=self.limits.access_rules if self.limits else None,
            thumbprint=p.thumbprint,
        )


class Remembered:
    """A verified token, and what was made of it: its caller's context, its bodies as the API answers them."""

    __slots__ = ("bodies", "context", "until", "verified")

    def __init__(self, token: str, verified: Verified, until: float) -> None:
        self.verified = verified
        self.until = until
        self.context = verified.context(token)
        self.bodies: dict[bool, bytes] = {}


class _Entry(msgspec.Struct, array_like=True):
    """`at`: when the rows were read, epoch milliseconds; wherever it is copied to, an entry ends FRESH seconds later."""

    at: int
    verified: Verified


_decoder = msgspec.msgpack.Decoder(_Entry)


class Memory:
    def __init__(self, cache: Cache) -> None:
        self._cache = cache if cache.shared else None
        self._held: dict[str, Remembered] = {}
        self._alone_until = 0.0

    def get(self, token: str) -> Remembered | None:
        now = time.monotonic()
        known = self._held.get(token)
        if known is None or now >= known.until:
            known = self._shared(token, now)
        return known if known is not None and now_ms() < known.verified.payload.expires else None

    def keep(self, token: str, verified: Verified) -> Remembered:
        if self._cache is not None:
            self._cache.set(_name(token), msgspec.msgpack.encode(_Entry(now_ms(), verified)), FRESH)
        return self._hold(token, verified, time.monotonic() + FRESH)

    def forget(self) -> None:
        """What others read before may be out of date as well: for as long as that lasts, the rows alone are asked."""
        self._held.clear()
        self._alone_until = time.monotonic() + FRESH

    def _hold(self, token: str, verified: Verified, until: float) -> Remembered:
        if len(self._held) >= MOST:
            self._held.clear()
        known = self._held[token] = Remembered(token, verified, until)
        return known

    def _shared(self, token: str, now: float) -> Remembered | None:
        if self._cache is None or now < self._alone_until:
            return None
        found = self._cache.get(_name(token))
        if found is None:
            return None
        try:
            entry = _decoder.decode(found)
        except msgspec.DecodeError:  # of another version of this program
            return None
        left = FRESH - (now_ms() - entry.at) / 1000
        return self._hold(token, entry.verified, now + left) if 0 < left <= FRESH else None


def _name(token: str) -> str:
    return f"token:{token}"
