"""What a token made from an application credential may do: never more than the credential, never more than the user."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.identity.application_credentials.models import ApplicationCredential, ApplicationCredentialRole
from pileus.identity.roles.inference import RoleGraph, RoleName
from pileus.kernel import clock


def narrow(
    db: Session, credential_id: str, project_id: str, graph: RoleGraph, held: tuple[RoleName, ...]
) -> tuple[RoleName, ...]:
    """Those of the roles that the user still holds in the project which the credential delegates; none once it has ended."""
    query = (
        select(ApplicationCredentialRole.role_id, ApplicationCredential.expires_at)
        .join(ApplicationCredential, ApplicationCredential.id == ApplicationCredentialRole.application_credential_id)
        .where(ApplicationCredential.id == credential_id, ApplicationCredential.project_id == project_id)
    )
    rows = db.execute(query).all()
    if any(expires_at is not None and expires_at <= clock.now() for _, expires_at in rows):
        return ()
    allowed = set(graph.effective(row.role_id for row in rows))
    return tuple(role for role in held if role in allowed)
