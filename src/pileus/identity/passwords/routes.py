"""Users changing their own password."""

from pileus.identity.passwords import actions, lockout, proof, rules
from pileus.identity.passwords.models import Password
from pileus.identity.refusals.notes import noted
from pileus.identity.tokens import revocation
from pileus.identity.tokens.login import refused
from pileus.identity.users.models import User
from pileus.identity.users.schemas import PasswordChangeBody
from pileus.kernel.errors import Forbidden
from pileus.kernel.http.call import Call
from pileus.kernel.http.routes import PUBLIC, Route


def change(call: Call, user_id: str, body: PasswordChangeBody) -> None:
    """The old password proves the user: no token is needed, and an expired one does. All tokens so far end.

    Wrong ones are counted in a transaction of their own, so this one only reads until the password is known to be right.
    """
    given = body.user
    with noted(call):
        fault = proof.check(call.cloud, call.db, user_id, given.original_password)
        user, proven = call.db.get(User, user_id), call.db.get(Password, user_id)
        if fault is not None or user is None or proven is None or not user.enabled:
            reason = fault or "user_disabled"
            raise refused("the password is not changed", reason=reason, user_id=user_id)
    if user.options.get("lock_password"):
        raise Forbidden("The password of this user can only be changed by an administrator (option lock_password).")
    rules.check_age(call.cloud, proven)
    rules.check_unused(call.cloud, call.db, proven, given.password)
    with call.cloud.db.writing() as db:
        now = db.get(Password, user_id, with_for_update=True)
        row = db.get(User, user_id)
        if row is None or now is None or now.hash != proven.hash:
            raise refused("the password was changed meanwhile", reason="wrong_password", user_id=user_id)
        actions.put(call.cloud, db, row, given.password, self_service=True)
        lockout.unlock(db, user_id)
        revocation.end_all(call, row)


ROUTES = (Route("POST", "/v3/users/{user_id}/password", change, PUBLIC, status=204, write=False, offload=True),)
