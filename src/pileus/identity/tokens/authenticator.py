"""Tokens in and out: issue, verify, and the fast way for every request of every service."""

import time
from datetime import UTC, datetime

import msgspec
from sqlalchemy.orm import Session

from pileus.identity.application_credentials import delegation
from pileus.identity.roles import inference
from pileus.identity.roles.inference import RoleGraph, RoleName
from pileus.identity.tokens import standing
from pileus.identity.tokens.keys import KeyRing
from pileus.identity.tokens.payload import BadToken, Payload, ScopeKind, new_audit_id, now_ms, seal, unseal
from pileus.identity.tokens.standing import Standing
from pileus.kernel.context import Context
from pileus.kernel.errors import Unauthorized

FRESH = 0.4  # seconds; a verified token plus the roles it was verified with is never older than twice this
MOST = 20_000  # verified tokens kept


class Verified(msgspec.Struct, frozen=True):
    """A token that is good at this moment, and what it is good for."""

    payload: Payload
    standing: Standing
    roles: tuple[RoleName, ...]

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
            delegated=p.application_credential_id is not None,
        )


class TokenAuthenticator:
    """Tokens are not stored: their keys, and the rows of users, scopes and assignments, decide each time anew."""

    def __init__(self, keys: KeyRing, lifetime: int) -> None:
        self.keys = keys
        self.lifetime = lifetime
        self._seen: dict[str, tuple[float, int, Context]] = {}
        self._graph: tuple[float, RoleGraph] = (0.0, RoleGraph({}, {}))

    def authenticate(self, db: Session, token: str) -> Context:
        """The caller of a request. Raises Unauthorized. Answers from memory for at most FRESH seconds."""
        now = time.monotonic()
        known = self._seen.get(token)
        if known is not None and now < known[0] and now_ms() < known[1]:
            return known[2]
        try:
            verified = self.verify(db, token)
        except BadToken:
            self._seen.pop(token, None)
            raise Unauthorized("The request you have made requires authentication: the token is not valid.") from None
        context = verified.context(token)
        if len(self._seen) >= MOST:
            self._seen.clear()
        self._seen[token] = (now + FRESH, verified.payload.expires, context)
        return context

    def forget(self) -> None:
        """Something that tokens depend on changed in this process: look at the rows again."""
        self._seen.clear()
        self._graph = (0.0, self._graph[1])

    def verify(self, db: Session, token: str) -> Verified:
        """Raises BadToken. Always from the rows."""
        payload = unseal(token, self.keys)
        verified = self.stand(db, payload)
        if verified is None or verified.standing.revoked or verified.standing.token_epoch != payload.epoch:
            raise BadToken
        return verified

    def payload(self, context: Context) -> Payload:
        """What the token of an authenticated caller says. Raises BadToken if it ended meanwhile."""
        return unseal(context.token or "", self.keys)

    def stand(self, db: Session, payload: Payload) -> Verified | None:
        """What `payload` is worth by the rows; None when nothing: user or scope not usable, or no role there."""
        found = standing.look_up(db, payload.user_id, payload.scope, payload.scope_id, payload.audit_ids[0])
        if found is None:
            return None
        graph = self._roles(db, found.role_ids)
        roles = graph.effective(found.role_ids)
        if payload.application_credential_id is not None:
            roles = delegation.narrow(db, payload.application_credential_id, payload.scope_id, graph, roles)
        if not roles and payload.scope != "unscoped":
            return None
        return Verified(payload, found, roles)

    def issue(
        self,
        db: Session,
        user_id: str,
        scope: tuple[ScopeKind, str],
        methods: tuple[str, ...],
        *,
        parent: Payload | None = None,
        application_credential_id: str | None = None,
        ends: datetime | None = None,
        lifetime: int | None = None,
    ) -> tuple[str, Verified] | None:
        """A new token, or None when the user has nothing in that scope.

        It never outlives `parent` (the token it was asked for with) nor `ends`. `lifetime` is in seconds.
        """
        issued = now_ms()
        limits = [issued + (lifetime or self.lifetime) * 1000]
        limits += [parent.expires] if parent else []
        limits += [int(ends.replace(tzinfo=UTC).timestamp() * 1000)] if ends is not None else []
        audits = (new_audit_id(), parent.audit_ids[-1]) if parent else (new_audit_id(),)
        draft = Payload(user_id, *scope, methods, audits, issued, min(limits), 0, application_credential_id)
        self._graph = (0.0, self._graph[1])
        verified = self.stand(db, draft)
        if verified is None:
            return None
        payload = msgspec.structs.replace(draft, epoch=verified.standing.token_epoch)
        return seal(payload, self.keys), Verified(payload, verified.standing, verified.roles)

    def _roles(self, db: Session, role_ids: tuple[str, ...]) -> RoleGraph:
        until, graph = self._graph
        now = time.monotonic()
        if now >= until or any(role_id not in graph.roles for role_id in role_ids):
            graph = inference.load(db)
            self._graph = (now + FRESH, graph)
        return graph
