"""The JSON of users."""

from pileus.identity.users.models import User
from pileus.kernel.clock import iso_micro
from pileus.kernel.http.call import Call, Json


def view(call: Call, user: User) -> Json:
    body = user.extra | {
        "id": user.id,
        "name": user.name,
        "domain_id": user.domain_id,
        "enabled": user.enabled,
        "password_expires_at": iso_micro(user.password_expires_at),
        "options": user.options,
        "links": {"self": call.url(f"/v3/users/{user.id}")},
    }
    if user.default_project_id is not None:
        body["default_project_id"] = user.default_project_id
    if user.description is not None:
        body["description"] = user.description
    return body
