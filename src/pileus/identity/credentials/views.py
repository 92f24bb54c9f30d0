"""The JSON of credentials."""

from pileus.identity.credentials import blobs
from pileus.identity.credentials.models import Credential
from pileus.identity.credentials.sealing import Sealer
from pileus.kernel.http.call import Call, Json


def view(call: Call, row: Credential) -> Json:
    """With the secret in the clear: who may see a credential may use it."""
    return row.extra | {
        "id": row.id,
        "user_id": row.user_id,
        "project_id": row.project_id,
        "type": row.type,
        "blob": blobs.stamped(call.cloud.part(Sealer).open(row), row.delegation),
        "links": {"self": call.url(f"/v3/credentials/{row.id}")},
    }
