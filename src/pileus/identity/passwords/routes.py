"""Users changing their own password."""

from pileus.identity.passwords.hashing import Hasher
from pileus.identity.passwords.models import Password
from pileus.identity.settings import IdentitySettings
from pileus.identity.tokens import revocation
from pileus.identity.tokens.login import refused
from pileus.identity.users import actions
from pileus.identity.users.models import User
from pileus.identity.users.schemas import PasswordChangeBody
from pileus.kernel.cloud import Cloud
from pileus.kernel.errors import BadRequest, Forbidden
from pileus.kernel.http.call import Call
from pileus.kernel.http.routes import PUBLIC, Route


def kept(cloud: Cloud) -> int:
    """How many passwords before the present one are remembered."""
    return max(0, cloud.settings(IdentitySettings).password_history - 1)


def change(call: Call, user_id: str, body: PasswordChangeBody) -> None:
    """The old password proves the user: no token is needed. All tokens so far end."""
    user, stored = call.db.get(User, user_id), call.db.get(Password, user_id)
    hasher, given = call.cloud.part(Hasher), body.user
    if not hasher.verify(stored.hash if stored else None, given.original_password) or user is None or not user.enabled:
        raise refused(f"the password of user {user_id} is not changed: the old one is wrong, or the user disabled")
    if user.options.get("lock_password"):
        raise Forbidden("The password of this user can only be changed by an administrator (option lock_password).")
    _check_new(call, user, given.original_password, given.password)
    actions.set_password(call.db, user, hasher.hash(given.password), keep=kept(call.cloud))
    revocation.end_all(call, user)


def _check_new(call: Call, user: User, old: str, new: str) -> None:
    history = call.cloud.settings(IdentitySettings).password_history
    hasher = call.cloud.part(Hasher)
    before = actions.earlier_hashes(call.db, user, kept(call.cloud))
    if history and (new == old or any(hasher.verify(stored, new) for stored in before)):
        raise BadRequest(f"The new password must differ from your last {history} passwords.")


ROUTES = (Route("POST", "/v3/users/{user_id}/password", change, PUBLIC, status=204, offload=True),)
