"""JSON Home: where each resource of the API is, by relation, for clients that ask `/v3` for `application/json-home`."""

import re
from collections.abc import Iterable

from pileus.kernel.http.call import Json
from pileus.kernel.http.routes import Route

MEDIA_TYPE = "application/json-home"
_DOCS = "https://docs.openstack.org/api/openstack-identity/3"
_NAMED = {  # relations that do not follow from the path
    "/v3/users/{user_id}/password": "user_change_password",
    "/v3/domains/config/default": "domain_config_default",
    "/v3/domains/config/{group}/default": "domain_config_group_default",
    "/v3/domains/config/{group}/{option}/default": "domain_config_option_default",
    "/v3/roles/{prior_role_id}/implies": "implied_roles",
    "/v3/roles/{prior_role_id}/implies/{implied_role_id}": "implied_role",
}
_EXTENSION = re.compile(r"^/v3/(?:.*/)?(OS-[A-Z0-9-]+)/")


def document(routes: Iterable[Route]) -> Json:
    """Every path of the route table once. A path with parameters is a template."""
    found: dict[str, Json] = {}
    for path in sorted({route.path for route in routes if route.path.startswith("/v3/")}):
        names = re.findall(r"\{(\w+)\}", path)
        if names:
            where: Json = {"href-template": path, "href-vars": {name: f"{_DOCS}/param/{name}" for name in names}}
        else:
            where = {"href": path}
        relation = _relation(path)
        if relation in found:  # two words for one: what the last parameter is tells them apart
            relation += "_" + names[-1].removesuffix("_id")
        found.setdefault(relation, where)
    return {"resources": found}


def _relation(path: str) -> str:
    """`/v3/users` is `…/rel/users`, `/v3/users/{user_id}` is `…/rel/user`: words of the path, each container's in the singular."""
    parts = path.removeprefix("/v3/").split("/")
    extension = _EXTENSION.match(path)
    words = []
    for part, following in zip(parts, [*parts[1:], ""], strict=True):
        if not part.startswith(("{", "OS-")):
            words.append(_singular(part) if following.startswith("{") else part)
    base = f"{_DOCS}/ext/{extension[1]}/1.0/rel" if extension else f"{_DOCS}/rel"
    return f"{base}/{_NAMED.get(path) or '_'.join(words)}"


def _singular(word: str) -> str:
    return word[:-3] + "y" if word.endswith("ies") else word.removesuffix("s")
