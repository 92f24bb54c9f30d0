"""Key pairs: the table, the rules and thin handlers. Administrators act for a user with `user_id` (2.10)."""

import re

from pileus.compute.keypairs import keys, queries, views
from pileus.compute.keypairs.models import Keypair
from pileus.compute.keypairs.schemas import NewKeypairBody
from pileus.compute.quota_sets.limits import limits_of
from pileus.compute.strictness import PAGING, refuse_unknown
from pileus.kernel.errors import BadRequest, Conflict, OverQuota
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import Unset
from pileus.kernel.policy import Rule

KEYPAIRS = "os_compute_api:os-keypairs"
OWN = "rule:admin_required or user_id:%(user_id)s"
PLAIN_NAME, WIDER_NAME = re.compile(r"[A-Za-z0-9 _-]+"), re.compile(r"[A-Za-z0-9 _@.-]+")


def _user(call: Call, rule: str, asked: str | None = None) -> str:
    """Whose keys: the caller's own, or those of the user that an administrator names."""
    own = call.context.user_id or ""
    named = asked or (call.query_value("user_id") if call.at_least(2, 10) else None)
    if named is None or named == own:
        return own
    call.enforce(f"{KEYPAIRS}:{rule}", {"user_id": named})
    return named


def index(call: Call) -> Json:
    refuse_unknown(call, ("user_id", *PAGING))
    page = queries.page(call, _user(call, "index"))
    link = queries.next_link(call, page)
    shown = [{"keypair": views.brief(call, key)} for key in page.items]
    return {"keypairs": shown} | ({"keypairs_links": [{"rel": "next", "href": link}]} if link else {})


def show(call: Call, name: str) -> Json:
    refuse_unknown(call, ("user_id",))
    return {"keypair": views.detail(call, queries.find(call.db, _user(call, "show"), name))}


def create(call: Call, body: NewKeypairBody) -> Reply:
    asked = body.keypair
    user = _user(call, "create", None if isinstance(asked.user_id, Unset) else asked.user_id)
    name = _checked_name(call, asked.name)
    kind = "ssh" if isinstance(asked.type, Unset) else asked.type
    if call.db.get(Keypair, (user, name)) is not None:
        raise Conflict(f"Key pair '{name}' already exists.")
    limit = limits_of(call, call.context.project_id or "")["key_pairs"]
    if 0 <= limit <= queries.count(call.db, user):
        raise OverQuota("Quota exceeded, too many key pairs.")
    private = None
    if isinstance(asked.public_key, Unset) or asked.public_key is None:
        if call.at_least(2, 92):
            raise BadRequest("Invalid input: Object missing required field `public_key` - at `$.keypair`")
        private, public, digest = keys.make(kind, user)
    else:
        public = asked.public_key
        try:
            digest = keys.fingerprint(kind, public)
        except ValueError as error:
            raise BadRequest(f"Keypair data is invalid: {error}") from None
    key = Keypair(user_id=user, name=name, type=kind, public_key=public, fingerprint=digest)
    call.db.add(key)
    call.db.flush()
    return Reply({"keypair": views.created(call, key, private)}, status=201 if call.at_least(2, 2) else 200)


def _checked_name(call: Call, name: str) -> str:
    wider = call.at_least(2, 92)
    if not (WIDER_NAME if wider else PLAIN_NAME).fullmatch(name) or name != name.strip():
        letters = "letters, digits, spaces, '-', '_'" + (", '@' and '.'" if wider else "")
        raise BadRequest(f"Keypair data is invalid: a name has only {letters}, and no space at either end")
    return name


def delete(call: Call, name: str) -> Reply:
    """Servers keep the key that they were made with."""
    refuse_unknown(call, ("user_id",))
    call.db.delete(queries.find(call.db, _user(call, "delete"), name))
    return Reply(status=204 if call.at_least(2, 2) else 202)


ROUTES = (
    Route("GET", "/v2.1/os-keypairs", index, f"{KEYPAIRS}:index"),
    Route("POST", "/v2.1/os-keypairs", create, f"{KEYPAIRS}:create", offload=True),
    Route("GET", "/v2.1/os-keypairs/{name}", show, f"{KEYPAIRS}:show"),
    Route("DELETE", "/v2.1/os-keypairs/{name}", delete, f"{KEYPAIRS}:delete"),
)
RULES = (
    Rule(f"{KEYPAIRS}:index", OWN, "List a user's key pairs"),
    Rule(f"{KEYPAIRS}:show", OWN, "Show a key pair"),
    Rule(f"{KEYPAIRS}:create", OWN, "Create or import a key pair"),
    Rule(f"{KEYPAIRS}:delete", OWN, "Delete a key pair"),
)
