"""Application credentials: logins for programs."""

from sqlalchemy import select

from pileus.identity.application_credentials import actions, replies
from pileus.identity.application_credentials.models import ApplicationCredential
from pileus.identity.application_credentials.schemas import NewCredentialBody
from pileus.identity.application_credentials.views import views
from pileus.identity.envelope import collection
from pileus.identity.filters import names
from pileus.identity.tokens import revocation
from pileus.identity.users.models import User
from pileus.identity.users.owned import Owned, owned
from pileus.identity.users.routes import user
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import Listing, exact, flag
from pileus.kernel.http.routes import Route

CREDENTIALS = Listing(
    model=ApplicationCredential,
    key=ApplicationCredential.id,
    filters={
        **names("name", ApplicationCredential.name),
        "project_id": exact(ApplicationCredential.project_id),
        "unrestricted": flag(ApplicationCredential.unrestricted),
    },
    sort={"name": ApplicationCredential.name, "id": ApplicationCredential.id},
    default_sort=(("name", "asc"),),
    always_limited=False,
)
OWNED = owned(
    ApplicationCredential, ApplicationCredential.user_id, "application_credential_id", "Application credential"
)


def index(call: Call, target: User) -> Json:
    page = CREDENTIALS.page(call, select(ApplicationCredential).where(ApplicationCredential.user_id == target.id))
    path = f"/v3/users/{target.id}/application_credentials"
    link = CREDENTIALS.next_link(call, page, path)
    return collection(call, path, "application_credentials", views(call, page.items), link)


def create(call: Call, target: User, body: NewCredentialBody) -> Json:
    made, secret = actions.add(call, target.id, body.application_credential)
    return {"application_credential": views(call, [made])[0] | {"secret": secret}}


def show(call: Call, target: Owned[ApplicationCredential]) -> Json:
    return {"application_credential": views(call, [target.row])[0]}


def destroy(call: Call, target: Owned[ApplicationCredential]) -> None:
    actions.check_unrestricted(call)
    call.db.delete(target.row)
    revocation.look_again(call)


_ALL = "/v3/users/{user_id}/application_credentials"
_ONE = _ALL + "/{application_credential_id}"
ROUTES = (
    Route("GET", _ALL, index, "identity:list_application_credentials", load=user, reply=replies.CREDENTIALS),
    Route(
        "POST",
        _ALL,
        create,
        "identity:create_application_credential",
        load=user,
        status=201,
        offload=True,
        reply=replies.CREATED,
    ),
    Route("GET", _ONE, show, "identity:get_application_credential", load=OWNED, reply=replies.CREDENTIAL),
    Route("DELETE", _ONE, destroy, "identity:delete_application_credential", load=OWNED, status=204),
)
