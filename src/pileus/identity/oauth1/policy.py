"""Consumers are the administrators' to name. Saying yes to one, and taking it back, is each user's own: it is about own roles."""

from pileus.identity.personas import ADMIN, ADMIN_OR_SYSTEM_READER, ANY_SCOPE
from pileus.kernel.policy import Rule

_OWNER = "user_id:%(target.user.id)s"
_SEE = f"{ADMIN_OR_SYSTEM_READER} or {_OWNER}"

RULES = (
    Rule("identity:get_consumer", ADMIN_OR_SYSTEM_READER, "See an OAuth1 consumer", ANY_SCOPE),
    Rule("identity:list_consumers", ADMIN_OR_SYSTEM_READER, "List OAuth1 consumers", ANY_SCOPE),
    Rule("identity:create_consumer", ADMIN, "Make an OAuth1 consumer", ANY_SCOPE),
    Rule("identity:update_consumer", ADMIN, "Change an OAuth1 consumer", ANY_SCOPE),
    Rule("identity:delete_consumer", ADMIN, "Delete an OAuth1 consumer and all that it was given", ANY_SCOPE),
    Rule("identity:authorize_request_token", "@", "Let an OAuth1 consumer act with some of one's roles", ANY_SCOPE),
    Rule("identity:list_access_tokens", _SEE, "List a user's OAuth1 access tokens", ANY_SCOPE),
    Rule("identity:get_access_token", _SEE, "See an OAuth1 access token", ANY_SCOPE),
    Rule("identity:list_access_token_roles", _SEE, "List the roles of an OAuth1 access token", ANY_SCOPE),
    Rule("identity:get_access_token_role", _SEE, "See whether an OAuth1 access token gives a role", ANY_SCOPE),
    Rule("identity:delete_access_token", f"{ADMIN} or {_OWNER}", "End an OAuth1 access token", ANY_SCOPE),
)
