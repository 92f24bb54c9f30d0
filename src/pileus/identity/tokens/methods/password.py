"""By password."""

from sqlalchemy import select

from pileus.identity.passwords import lockout
from pileus.identity.passwords.hashing import Hasher
from pileus.identity.passwords.models import Password
from pileus.identity.tokens.login import Login, refused
from pileus.identity.tokens.methods import given
from pileus.identity.tokens.schemas import Identity
from pileus.kernel.http.call import Call


def prove(call: Call, identity: Identity) -> Login:
    asked = given.part(identity.password, "password").user
    user_id = given.user_id(call.db, asked)
    stored = call.db.scalar(select(Password.hash).where(Password.user_id == user_id)) if user_id else None
    good = call.cloud.part(Hasher).verify(stored, asked.password)
    if user_id is None or not lockout.admit(call.cloud, call.db, user_id, good=good):
        raise refused(f"wrong password or locked out: user {user_id or asked.name}")
    return Login(user_id=user_id, methods=("password",))
