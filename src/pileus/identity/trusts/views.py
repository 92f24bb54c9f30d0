"""The JSON of a trust."""

from collections.abc import Sequence

from pileus.identity.roles.models import Role
from pileus.identity.trusts.models import Trust
from pileus.kernel.clock import iso_micro
from pileus.kernel.http.call import Call, Json


def path(trust: Trust) -> str:
    return f"/v3/OS-TRUST/trusts/{trust.id}"


def summary(call: Call, trust: Trust) -> Json:
    """As lists have it. `deleted_at` is always null: a trust that was deleted is gone."""
    return {
        "id": trust.id,
        "trustor_user_id": trust.trustor_user_id,
        "trustee_user_id": trust.trustee_user_id,
        "project_id": trust.project_id,
        "impersonation": trust.impersonation,
        "expires_at": iso_micro(trust.expires_at),
        "remaining_uses": trust.remaining_uses,
        "allow_redelegation": trust.redelegation_count > 0,
        "redelegation_count": trust.redelegation_count,
        "redelegated_trust_id": trust.redelegated_trust_id,
        "deleted_at": None,
        "links": {"self": call.url(path(trust))},
    }


def view(call: Call, trust: Trust, roles: Sequence[Role]) -> Json:
    roles_links = {"self": call.url(path(trust) + "/roles"), "previous": None, "next": None}
    return summary(call, trust) | {"roles": [role_view(call, role) for role in roles], "roles_links": roles_links}


def role_view(call: Call, role: Role) -> Json:
    return {"id": role.id, "name": role.name, "links": {"self": call.url(f"/v3/roles/{role.id}")}}
