"""Tokens in and out: issue, verify, and the fast way for every request of every service."""

import time
from datetime import UTC, datetime

import msgspec
from sqlalchemy.orm import Session

from pileus.identity.roles import inference
from pileus.identity.roles.inference import RoleGraph
from pileus.identity.tokens import delegations, standing
from pileus.identity.tokens.memory import FRESH, Memory, Remembered, Verified
from pileus.identity.tokens.payload import BadToken, Delegation, Federation, Payload, ScopeKind, new_audit_id, now_ms
from pileus.identity.tokens.providers.base import TokenProvider
from pileus.kernel.cache import Cache
from pileus.kernel.context import Context
from pileus.kernel.errors import Unauthorized


class TokenAuthenticator:
    """Tokens are not stored: their seal, and the rows of users, scopes and assignments, decide each time anew."""

    def __init__(self, provider: TokenProvider, lifetime: int, cache: Cache) -> None:
        self.provider = provider
        self.lifetime = lifetime
        self._memory = Memory(cache)
        self._graph: tuple[float, RoleGraph] = (0.0, RoleGraph({}, {}))

    def authenticate(self, db: Session, token: str) -> Context:
        """The caller of a request. Raises Unauthorized."""
        try:
            return self.recent(db, token).context
        except BadToken:
            raise Unauthorized("The request you have made requires authentication: the token is not valid.") from None

    def recent(self, db: Session, token: str) -> Remembered:
        """Raises BadToken. By the rows as they were at most FRESH seconds ago."""
        return self._memory.get(token) or self._memory.keep(token, self.verify(db, token))

    def forget(self) -> None:
        """Something that tokens depend on changed in this process: look at the rows again."""
        self._memory.forget()
        self._graph = (0.0, self._graph[1])

    def verify(self, db: Session, token: str, late: int = 0) -> Verified:
        """Raises BadToken. Always from the rows. `late`: milliseconds past its time in which a token is still looked at."""
        payload = self.provider.unseal(token, late)
        verified = self.stand(db, payload)
        if verified is None or verified.standing.revoked or verified.epoch != payload.epoch:
            raise BadToken
        return verified

    def payload(self, context: Context) -> Payload:
        """What the token of an authenticated caller says. Raises BadToken if it ended meanwhile."""
        return self.provider.unseal(context.token or "")

    def stand(self, db: Session, payload: Payload) -> Verified | None:
        """What `payload` is worth by the rows; None when nothing: user, scope or delegation not usable, or no role there."""
        limits = None
        if payload.delegation is not None and (limits := delegations.limits(db, payload)) is None:
            return None
        grantor_id = limits.grantor_id if limits else payload.user_id
        groups = payload.federation.group_ids if payload.federation else ()
        found = standing.look_up(db, grantor_id, payload.scope, payload.scope_id, payload.audit_ids[0], groups)
        if found is None:
            return None
        graph = self._roles(db, found.role_ids)
        roles, epoch = graph.effective(found.role_ids), found.token_epoch
        if limits is not None:
            epoch += limits.epoch
            given = set(graph.effective(limits.role_ids))
            if limits.every and not given <= set(roles):
                return None
            roles = tuple(role for role in roles if role in given)
        if grantor_id != payload.user_id:
            user = standing.look_up(db, payload.user_id, "unscoped", "")
            if user is None:
                return None
            epoch += user.token_epoch
            found = found._replace(
                user_id=user.user_id,
                user_name=user.user_name,
                user_domain=user.user_domain,
                password_expires_at=user.password_expires_at,
            )
        if not roles and payload.scope != "unscoped":
            return None
        return Verified(payload, found, roles, epoch, limits)

    def issue(
        self,
        db: Session,
        user_id: str,
        scope: tuple[ScopeKind, str],
        methods: tuple[str, ...],
        *,
        parent: Payload | None = None,
        delegation: Delegation | None = None,
        federation: Federation | None = None,
        thumbprint: str | None = None,
        ends: datetime | None = None,
        lifetime: int | None = None,
    ) -> tuple[str, Verified] | None:
        """A new token, or None when the user has nothing in that scope.

        It never outlives `parent` (the token it was asked for with), `ends`, nor its delegation. `lifetime` is in seconds.
        """
        issued = now_ms()
        audits = (new_audit_id(), parent.audit_ids[-1]) if parent else (new_audit_id(),)
        draft = Payload(user_id, *scope, methods, audits, issued, issued + 1, 0, delegation, federation, thumbprint)
        verified = self.stand(db, draft)
        if verified is None:
            return None
        limits = [issued + (lifetime or self.lifetime) * 1000]
        limits += [parent.expires] if parent else []
        limits += [_epoch_ms(end) for end in (ends, verified.limits.expires if verified.limits else None) if end]
        payload = msgspec.structs.replace(draft, epoch=verified.epoch, expires=min(limits))
        return self.provider.seal(payload), msgspec.structs.replace(verified, payload=payload)

    def _roles(self, db: Session, role_ids: tuple[str, ...]) -> RoleGraph:
        until, graph = self._graph
        now = time.monotonic()
        if now >= until or any(role_id not in graph.roles for role_id in role_ids):
            graph = inference.load(db)
            self._graph = (now + FRESH, graph)
        return graph


def _epoch_ms(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp() * 1000)
