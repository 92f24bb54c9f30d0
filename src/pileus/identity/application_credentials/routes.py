"""Application credentials: logins for programs."""

from sqlalchemy import select

from pileus.identity.application_credentials import actions
from pileus.identity.application_credentials.models import ApplicationCredential, ApplicationCredentialRole
from pileus.identity.application_credentials.schemas import NewCredentialBody
from pileus.identity.envelope import collection
from pileus.identity.roles.models import Role
from pileus.identity.tokens import revocation
from pileus.identity.users.models import User
from pileus.identity.users.routes import user
from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route


class Owned:
    """A user's credential."""

    def __init__(self, owner: User, credential: ApplicationCredential) -> None:
        self.owner = owner
        self.credential = credential

    def policy_target(self) -> dict[str, object]:
        return self.owner.policy_target()


def owned(call: Call, user_id: str, application_credential_id: str) -> Owned:
    owner = user(call, user_id)
    row = call.db.get(ApplicationCredential, application_credential_id)
    if row is None or row.user_id != owner.id:
        call.enforce(call.route.policy, owner.policy_target())
        raise NotFound(f"Application credential {application_credential_id} could not be found.")
    return Owned(owner, row)


def index(call: Call, target: User) -> Json:
    query = select(ApplicationCredential).where(ApplicationCredential.user_id == target.id)
    if (name := call.query_value("name")) is not None:
        query = query.where(ApplicationCredential.name == name)
    rows = list(call.db.scalars(query.order_by(ApplicationCredential.name)))
    path = f"/v3/users/{target.id}/application_credentials"
    return collection(call, path, "application_credentials", _views(call, rows))


def create(call: Call, target: User, body: NewCredentialBody) -> Json:
    made, secret = actions.add(call, target.id, body.application_credential)
    return {"application_credential": _views(call, [made])[0] | {"secret": secret}}


def show(call: Call, target: Owned) -> Json:
    return {"application_credential": _views(call, [target.credential])[0]}


def destroy(call: Call, target: Owned) -> None:
    actions.check_unrestricted(call)
    call.db.delete(target.credential)
    revocation.look_again(call)


def _views(call: Call, rows: list[ApplicationCredential]) -> list[Json]:
    roles: dict[str, list[Json]] = {row.id: [] for row in rows}
    query = (
        select(ApplicationCredentialRole.application_credential_id, Role.id, Role.name)
        .join(Role, Role.id == ApplicationCredentialRole.role_id)
        .where(ApplicationCredentialRole.application_credential_id.in_(roles))
        .order_by(Role.name)
    )
    for credential_id, role_id, name in call.db.execute(query):
        roles[credential_id].append({"id": role_id, "name": name, "domain_id": None})
    return [
        {
            "id": row.id,
            "name": row.name,
            "description": row.description,
            "user_id": row.user_id,
            "project_id": row.project_id,
            "expires_at": row.expires_at.strftime("%Y-%m-%dT%H:%M:%S.%f") if row.expires_at else None,
            "unrestricted": row.unrestricted,
            "roles": roles[row.id],
            "links": {"self": call.url(f"/v3/users/{row.user_id}/application_credentials/{row.id}")},
        }
        for row in rows
    ]


_ALL = "/v3/users/{user_id}/application_credentials"
_ONE = _ALL + "/{application_credential_id}"
ROUTES = (
    Route("GET", _ALL, index, "identity:list_application_credentials", load=user),
    Route("POST", _ALL, create, "identity:create_application_credential", load=user, status=201, offload=True),
    Route("GET", _ONE, show, "identity:get_application_credential", load=owned),
    Route("DELETE", _ONE, destroy, "identity:delete_application_credential", load=owned, status=204),
)
