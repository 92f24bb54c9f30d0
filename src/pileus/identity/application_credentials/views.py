"""The JSON of application credentials."""

from collections.abc import Sequence

from sqlalchemy import select

from pileus.identity.application_credentials import rules
from pileus.identity.application_credentials.models import ApplicationCredential, ApplicationCredentialRole
from pileus.identity.roles.models import Role
from pileus.kernel.http.call import Call, Json


def views(call: Call, rows: Sequence[ApplicationCredential]) -> list[Json]:
    """`access_rules` are told of those that have some: without them, every request is allowed."""
    ids = [row.id for row in rows]
    roles, allowed = _roles(call, ids), rules.of(call.db, ids)
    return [
        {
            "id": row.id,
            "name": row.name,
            "description": row.description,
            "user_id": row.user_id,
            "project_id": row.project_id,
            "expires_at": row.expires_at.strftime("%Y-%m-%dT%H:%M:%S.%f") if row.expires_at else None,
            "unrestricted": row.unrestricted,
            "roles": roles[row.id],
            **({"access_rules": [rules.brief(rule) for rule in allowed[row.id]]} if row.ruled else {}),
            "links": {"self": call.url(f"/v3/users/{row.user_id}/application_credentials/{row.id}")},
        }
        for row in rows
    ]


def _roles(call: Call, credential_ids: Sequence[str]) -> dict[str, list[Json]]:
    roles: dict[str, list[Json]] = {credential_id: [] for credential_id in credential_ids}
    query = (
        select(ApplicationCredentialRole.application_credential_id, Role.id, Role.name)
        .join(Role, Role.id == ApplicationCredentialRole.role_id)
        .where(ApplicationCredentialRole.application_credential_id.in_(credential_ids))
        .order_by(Role.name)
    )
    for credential_id, role_id, name in call.db.execute(query):
        roles[credential_id].append({"id": role_id, "name": name, "domain_id": None})
    return roles
