"""The JSON of a token."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pileus.identity.tokens.memory import Verified
from pileus.identity.tokens.standing import Domain
from pileus.kernel.clock import iso_micro
from pileus.kernel.http.call import Json


def view(verified: Verified, *, catalog: list[Json] | None, service_providers: Sequence[Json] = ()) -> Json:
    p, s = verified.payload, verified.standing
    token: Json = {
        "methods": list(p.methods),
        "user": _user(verified),
        "audit_ids": list(p.audit_ids),
        "issued_at": _time(p.issued),
        "expires_at": _time(p.expires),
    }
    if p.scope == "project" and s.scope is not None:
        token["project"] = {"id": s.scope.id, "name": s.scope.name, "domain": _domain(s.scope.domain)}
        token["is_domain"] = s.scope.is_domain
    elif p.scope == "domain" and s.scope is not None:
        token["domain"] = _domain(s.scope.domain)
    elif p.scope == "system":
        token["system"] = {"all": True}
    if p.scope != "unscoped":
        token["roles"] = [{"id": role.id, "name": role.name} for role in verified.roles]
        if catalog is not None:
            token["catalog"] = catalog
        if service_providers:
            token["service_providers"] = list(service_providers)
    if verified.limits is not None:
        token |= verified.limits.shown
    if p.thumbprint is not None:
        token["oauth2_credential"] = {"x5t#S256": p.thumbprint}
    return {"token": token}


def _user(verified: Verified) -> Json:
    """The user of the token. With `OS-FEDERATION`, for one whom an identity provider proved."""
    s, came = verified.standing, verified.payload.federation
    user: Json = {
        "id": s.user_id,
        "name": s.user_name,
        "domain": _domain(s.user_domain),
        "password_expires_at": iso_micro(s.password_expires_at),
    }
    if came is not None:
        user["OS-FEDERATION"] = {
            "identity_provider": {"id": came.identity_provider_id},
            "protocol": {"id": came.protocol_id},
            "groups": [{"id": group_id} for group_id in came.group_ids],
        }
    return user


def _domain(domain: Domain) -> Json:
    return {"id": domain.id, "name": domain.name}


def _time(epoch_ms: int) -> str | None:
    return iso_micro(datetime.fromtimestamp(epoch_ms / 1000, UTC))
