"""EC2 key pairs of a user: credentials of type ec2 under the names that EC2's clients know."""

import secrets
import uuid

import msgspec
from sqlalchemy import select

from pileus.identity.credentials import actions, blobs, queries
from pileus.identity.credentials.models import Credential
from pileus.identity.credentials.queries import Held, Owner
from pileus.identity.credentials.schemas import NewCredential
from pileus.identity.credentials.sealing import Sealer
from pileus.identity.ec2 import replies
from pileus.identity.ec2.schemas import NewKeyPair
from pileus.identity.envelope import collection
from pileus.identity.users.routes import user
from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route


def owner(call: Call, user_id: str) -> Owner:
    """For a `load`. Raises NotFound, or Forbidden for those who may not know that the user is missing."""
    return Owner(user(call, user_id).id)


def key_pair(call: Call, user_id: str, credential_id: str) -> Held:
    """For a `load`: `credential_id` is the access key. Raises NotFound or Forbidden."""
    hashed = blobs.access_hash(credential_id)
    row = call.db.scalar(select(Credential).where(Credential.access_hash == hashed, Credential.user_id == user_id))
    found = queries.held(call, row) if row is not None else None
    if found is None or not call.allows(call.route.policy, found.policy_target()):
        call.enforce(call.route.policy, Owner(user_id).policy_target())
        raise NotFound(f"EC2 credential {credential_id} could not be found.")
    return found


def index(call: Call, target: Owner) -> Json:
    """All of the user's, by one query."""
    query = select(Credential).where(*queries.mine(call, target.user_id), Credential.type == blobs.EC2)
    rows = call.db.scalars(query.order_by(Credential.id))
    path = f"/v3/users/{target.user_id}/credentials/OS-EC2"
    return collection(call, path, "credentials", [_view(call, row) for row in rows])


def create(call: Call, target: Owner, body: NewKeyPair) -> Json:
    """201 with a new key pair for the project `tenant_id`."""
    pair = {"access": uuid.uuid4().hex, "secret": secrets.token_hex(16)}
    blob = msgspec.json.encode(pair).decode()
    given = NewCredential(type=blobs.EC2, blob=blob, user_id=target.user_id, project_id=body.tenant_id)
    return {"credential": _view(call, actions.add(call, given, {}))}


def show(call: Call, target: Held) -> Json:
    return {"credential": _view(call, target.row)}


def destroy(call: Call, target: Held) -> None:
    actions.remove(call, target.row)


def _view(call: Call, row: Credential) -> Json:
    pair = blobs.key_pair(call.cloud.part(Sealer).open(row))
    return {
        "access": pair.access,
        "secret": pair.secret,
        "user_id": row.user_id,
        "project_id": row.project_id,
        "tenant_id": row.project_id,
        "trust_id": row.delegation_id if row.delegation_kind == "trust" else None,
        "links": {"self": call.url(f"/v3/users/{row.user_id}/credentials/OS-EC2/{pair.access}")},
    }


_ALL = "/v3/users/{user_id}/credentials/OS-EC2"
_ONE = _ALL + "/{credential_id}"
ROUTES = (
    Route("GET", _ALL, index, "identity:ec2_list_credentials", load=owner, reply=replies.KEY_PAIRS),
    Route("POST", _ALL, create, "identity:ec2_create_credential", load=owner, status=201, reply=replies.KEY_PAIR),
    Route("GET", _ONE, show, "identity:ec2_get_credential", load=key_pair, reply=replies.KEY_PAIR),
    Route("DELETE", _ONE, destroy, "identity:ec2_delete_credential", load=key_pair, status=204),
)
