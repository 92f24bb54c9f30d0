"""A user's access rules: made with application credentials, kept until they are deleted here."""

from sqlalchemy import select

from pileus.identity.application_credentials import actions, replies, rules
from pileus.identity.application_credentials.models import AccessRule, ApplicationCredentialRule
from pileus.identity.envelope import collection
from pileus.identity.users.models import User
from pileus.identity.users.owned import Owned, owned
from pileus.identity.users.routes import user
from pileus.kernel.errors import Forbidden
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import Listing, exact
from pileus.kernel.http.routes import Route

ACCESS_RULES = Listing(
    model=AccessRule,
    key=AccessRule.id,
    filters={
        "service": exact(AccessRule.service),
        "path": exact(AccessRule.path),
        "method": exact(AccessRule.method),
    },
    sort={"id": AccessRule.id},
    default_sort=(("id", "asc"),),
    always_limited=False,
)
OWNED = owned(AccessRule, AccessRule.user_id, "access_rule_id", "Access rule")


def index(call: Call, target: User) -> Json:
    page = ACCESS_RULES.page(call, select(AccessRule).where(AccessRule.user_id == target.id))
    path = f"/v3/users/{target.id}/access_rules"
    link = ACCESS_RULES.next_link(call, page, path)
    return collection(call, path, "access_rules", [_view(call, row) for row in page.items], link)


def show(call: Call, target: Owned[AccessRule]) -> Json:
    return {"access_rule": _view(call, target.row)}


def destroy(call: Call, target: Owned[AccessRule]) -> None:
    actions.check_unrestricted(call)
    in_use = select(ApplicationCredentialRule.application_credential_id)
    if call.db.scalar(in_use.where(ApplicationCredentialRule.access_rule_id == target.row.id)) is not None:
        raise Forbidden(f"Access rule {target.row.id} is in use: delete the application credentials with it first.")
    call.db.delete(target.row)


def _view(call: Call, rule: AccessRule) -> Json:
    own = call.url(f"/v3/users/{rule.user_id}/access_rules/{rule.id}")
    return rules.brief(rule) | {"links": {"self": own}}


_ALL = "/v3/users/{user_id}/access_rules"
_ONE = _ALL + "/{access_rule_id}"
ROUTES = (
    Route("GET", _ALL, index, "identity:list_access_rules", load=user, reply=replies.RULES, query=ACCESS_RULES),
    Route("GET", _ONE, show, "identity:get_access_rule", load=OWNED, reply=replies.RULE),
    Route("DELETE", _ONE, destroy, "identity:delete_access_rule", load=OWNED, status=204),
)
