"""By an application credential: its project, no more than its roles."""

from sqlalchemy import select

from pileus.identity.application_credentials.models import ApplicationCredential
from pileus.identity.passwords.hashing import Hasher
from pileus.identity.tokens.login import Login, refused
from pileus.identity.tokens.methods import given
from pileus.identity.tokens.payload import Delegation
from pileus.identity.tokens.schemas import Identity
from pileus.kernel import clock
from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call


def prove(call: Call, identity: Identity) -> Login:
    asked = given.part(identity.application_credential, "application_credential")
    found: ApplicationCredential | None
    if asked.id is not None:
        found = call.db.get(ApplicationCredential, asked.id)
    elif asked.name is not None and asked.user is not None:
        owner = ApplicationCredential.user_id == given.user_id(call.db, asked.user)
        found = call.db.scalar(select(ApplicationCredential).where(owner, ApplicationCredential.name == asked.name))
    else:
        raise BadRequest("An application credential is given by its id, or by its name and its user.")
    good = call.cloud.part(Hasher).verify(found.secret_hash if found else None, asked.secret)
    if found is None or not good or (found.expires_at is not None and found.expires_at <= clock.now()):
        raise refused(f"application credential {asked.id or asked.name} is unknown, over or its secret wrong")
    return Login(
        user_id=found.user_id,
        methods=("application_credential",),
        delegation=Delegation("application_credential", found.id),
        project_id=found.project_id,
        ends=found.expires_at,
    )
