"""By password."""

from pileus.identity.directories import logins as directories
from pileus.identity.passwords import proof
from pileus.identity.tokens.login import Login, refused
from pileus.identity.tokens.methods import given
from pileus.identity.tokens.schemas import Identity
from pileus.kernel.http.call import Call


def prove(call: Call, identity: Identity) -> Login:
    asked = given.part(identity.password, "password").user
    if (mirrored := directories.prove(call, asked, asked.password)) is not None:
        return Login(user_id=mirrored, methods=("password",))
    user_id = given.user_id(call.db, asked)
    fault = proof.check(call.cloud, call.db, user_id, asked.password)
    if user_id is None or fault is not None:
        raise refused("by password", reason=fault or "unknown_user", user_id=user_id, who=asked.name)
    proof.check_expiry(call.db, user_id)
    return Login(user_id=user_id, methods=("password",))
