"""Writes of credentials: none makes more of a token than it is."""

from sqlalchemy import func, select

from pileus.identity.credentials import blobs, delegated
from pileus.identity.credentials.models import Credential
from pileus.identity.credentials.schemas import CredentialChange, NewCredential
from pileus.identity.credentials.sealing import Sealer
from pileus.identity.projects.models import Project
from pileus.identity.settings import IdentitySettings
from pileus.identity.tokens.payload import Delegation
from pileus.identity.users.models import User
from pileus.kernel.db import new_hex_id
from pileus.kernel.errors import BadRequest, Conflict, Forbidden, NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.schema import UNSET

UNLIMITED = -1


def add(call: Call, given: NewCredential, extra: Json) -> Credential:
    """Raises BadRequest, NotFound (user, project), Conflict (an access key that is taken) or Forbidden."""
    delegation = delegated.writer(call)
    _check_delegated(call, given, delegation)
    _check_room(call, given.user_id)
    if given.type == blobs.EC2 and given.project_id is None:
        raise BadRequest("project_id is missing: an EC2 credential is for one project.")
    if given.project_id is not None:
        _check_project(call, given)
    blob, access_hash = _content(given.type, given.blob, delegation)
    if access_hash is not None:
        _check_free(call, access_hash, None)
    text, key_hash = call.cloud.part(Sealer).seal(blob)
    made = Credential(
        id=access_hash or new_hex_id(),
        user_id=given.user_id,
        project_id=given.project_id,
        type=given.type,
        access_hash=access_hash,
        sealed=text,
        key_hash=key_hash,
        delegation_kind=delegation.kind if delegation else None,
        delegation_id=delegation.id if delegation else None,
        extra=extra,
    )
    call.db.add(made)
    call.db.flush()
    return made


def change(call: Call, row: Credential, given: CredentialChange, extra: Json) -> None:
    """Raises BadRequest for all but the blob and the caller's own attributes, Conflict or Forbidden."""
    _check_writable(call, row)
    for name in ("type", "user_id", "project_id"):
        asked = getattr(given, name)
        if asked is not UNSET and asked != getattr(row, name):
            raise BadRequest(f"{name} of a credential can not be changed: delete it and make another.")
    if given.blob is not UNSET:
        blob, access_hash = _content(row.type, given.blob, row.delegation)
        if access_hash is not None and access_hash != row.access_hash:
            _check_free(call, access_hash, row.id)
        row.access_hash = access_hash
        row.sealed, row.key_hash = call.cloud.part(Sealer).seal(blob)
    row.extra = {**row.extra, **extra}
    call.db.flush()


def remove(call: Call, row: Credential) -> None:
    """Raises Forbidden."""
    _check_writable(call, row)
    call.db.delete(row)


def _content(kind: str, blob: str, delegation: Delegation | None) -> tuple[str, str | None]:
    """What is sealed, and how a key pair is found. Raises BadRequest."""
    if kind == blobs.EC2:
        return blobs.unstamped(blob, delegation), blobs.access_hash(blobs.key_pair(blob).access)
    if kind == blobs.TOTP:
        blobs.totp_secret(blob)
    return blob, None


def _check_delegated(call: Call, given: NewCredential, delegation: Delegation | None) -> None:
    if delegation is None:
        return
    if given.type != blobs.EC2:
        raise Forbidden("A delegated token can make EC2 credentials only: others would not be bound to its delegation.")
    if given.user_id != call.context.user_id or given.project_id != call.context.project_id:
        raise Forbidden("A delegated token can make credentials for its own user and project only.")


def _check_writable(call: Call, row: Credential) -> None:
    """Not even an administrator's delegated token changes what was not made with the same delegation."""
    delegation = delegated.writer(call)
    if delegation is not None and row.delegation != delegation:
        raise Forbidden("A delegated token can change only credentials that were made with the same delegation.")


def _check_room(call: Call, user_id: str) -> None:
    """The user's row is locked, so that two requests at once can not both take the last place."""
    user = call.db.scalar(select(User.id).where(User.id == user_id).with_for_update())
    if user is None:
        raise NotFound(f"User {user_id} could not be found.")
    limit = call.cloud.settings(IdentitySettings).user_credentials
    if limit == UNLIMITED:
        return
    held = call.db.scalar(select(func.count()).select_from(Credential).where(Credential.user_id == user_id))
    if (held or 0) >= limit:
        raise Forbidden(f"A user can have {limit} credentials, and user {user_id} has: delete one first.")


def _check_project(call: Call, given: NewCredential) -> None:
    """A key pair opens its project: callers make them for the project that they are in, administrators for any."""
    if given.type == blobs.EC2 and not call.context.is_admin and given.project_id != call.context.project_id:
        raise Forbidden("An EC2 credential is for the token's own project: log in to that project first.")
    wanted = select(Project.id).where(Project.id == given.project_id, Project.is_domain.is_(False))
    if call.db.scalar(wanted) is None:
        raise NotFound(f"Project {given.project_id} could not be found.")


def _check_free(call: Call, access_hash: str, own_id: str | None) -> None:
    taken = select(Credential.id).where((Credential.access_hash == access_hash) | (Credential.id == access_hash))
    if any(found != own_id for found in call.db.scalars(taken)):
        raise Conflict("An EC2 credential with this access key exists already.")
