"""By a one-time passcode."""

from pileus.identity.credentials import totp
from pileus.identity.passwords import lockout
from pileus.identity.tokens.login import Login, refused
from pileus.identity.tokens.methods import given
from pileus.identity.tokens.schemas import Identity
from pileus.kernel.http.call import Call


def prove(call: Call, identity: Identity) -> Login:
    asked = given.part(identity.totp, "totp").user
    user_id = given.user_id(call.db, asked)
    good = totp.admit(call.cloud, call.db, user_id, asked.passcode)
    if user_id is None or not lockout.admit(call.cloud, call.db, user_id, good=good):
        raise refused(f"wrong or used passcode, or locked out: user {user_id or asked.name}")
    return Login(user_id=user_id, methods=("totp",))
