"""A signature for a token: services that speak Amazon's APIs ask who signed a request.

Only services and administrators may ask: who can replay a signed request would else get all that its signer may do.
"""

from collections.abc import Callable

from sqlalchemy import select

from pileus.identity.credentials import blobs
from pileus.identity.credentials.models import Credential
from pileus.identity.credentials.sealing import Sealer
from pileus.identity.ec2 import replies, s3, signatures
from pileus.identity.ec2.schemas import SignedRequestBody, SignedStringBody
from pileus.identity.ec2.signatures import BadSignature
from pileus.identity.envelope import collection
from pileus.identity.refusals.notes import noted
from pileus.identity.settings import IdentitySettings
from pileus.identity.tokens import scopes
from pileus.identity.tokens.login import Login, refused
from pileus.identity.tokens.replies import TOKEN
from pileus.identity.tokens.routes import issue
from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET


def ec2_token(call: Call, body: SignedRequestBody) -> Reply:
    """200 with a token of the signer. Raises Unauthorized (one answer for all reasons) or BadRequest."""
    request = body.credentials if body.credentials is not UNSET else body.ec2_credentials
    if request is UNSET:
        raise BadRequest("The body needs `credentials` (or `ec2Credentials`): the signed request.")
    return _token(call, request.access, lambda secret, ttl: signatures.check(request, secret, ttl))


def s3_token(call: Call, body: SignedStringBody) -> Reply:
    """200 with a token of the signer. Raises Unauthorized (one answer for all reasons)."""
    signed = body.credentials
    return _token(call, signed.access, lambda secret, ttl: s3.check(signed, secret, ttl))


def index(call: Call) -> Json:
    """Tokens are not kept, so there is never one to list."""
    path = call.route.path
    return collection(call, path, path.rpartition("/")[2], [])


def _token(call: Call, access: str, check: Callable[[str, int], None]) -> Reply:
    """For the key pair's project, with the roles that its user has there now, and no more than its delegation leaves."""
    with noted(call, access):
        return _signers(call, access, check)


def _signers(call: Call, access: str, check: Callable[[str, int], None]) -> Reply:
    found = select(Credential).where(Credential.access_hash == blobs.access_hash(access), Credential.type == blobs.EC2)
    row = call.db.scalar(found)
    if row is None:
        raise refused(f"there is no EC2 credential {access}")
    try:
        check(blobs.key_pair(call.cloud.part(Sealer).open(row)).secret, _ttl(call))
    except BadSignature as why:
        raise refused(f"EC2 credential {access}: {why}") from None
    login = Login(user_id=row.user_id, methods=("ec2credential",), delegation=row.delegation)
    reply = issue(call, login, ("project", str(row.project_id)))
    if reply is None:
        raise refused(f"user {row.user_id} is disabled, has no role in {row.project_id}, or the delegation is over")
    scopes.spend(call.cloud, call.db, login)
    reply.status = 200
    return reply


def _ttl(call: Call) -> int:
    return call.cloud.settings(IdentitySettings).auth_ttl * 60


ROUTES = (
    Route("GET", "/v3/ec2tokens", index, "identity:ec2tokens_validate", reply=replies.EC2_TOKENS),
    Route("POST", "/v3/ec2tokens", ec2_token, "identity:ec2tokens_validate", write=False, reply=TOKEN),
    Route("GET", "/v3/s3tokens", index, "identity:s3tokens_validate", reply=replies.S3_TOKENS),
    Route("POST", "/v3/s3tokens", s3_token, "identity:s3tokens_validate", write=False, reply=TOKEN),
)
