"""What is answered about tokens, and about where one may go."""

from pileus.identity.replies import IdAndName, PageLinks, many, one
from pileus.kernel.http.openapi import answer
from pileus.kernel.http.schema import UNSET, OpenShape, Shape, Unset


class InDomain(IdAndName):
    domain: IdAndName


class TokenUser(InDomain):
    """Of federated users more."""

    password_expires_at: str | None


class AllOfIt(Shape):
    all: bool


class CatalogEndpoint(Shape):
    id: str
    interface: str
    url: str
    region: str | None
    region_id: str | None


class CatalogService(Shape):
    id: str
    type: str
    name: str
    endpoints: list[CatalogEndpoint]


class TokenReply(OpenShape):
    """Scope is one of project, domain and system, or none. What a token was made from (a trust, …) stands beside these."""

    methods: list[str]
    user: TokenUser
    audit_ids: list[str]
    issued_at: str
    expires_at: str
    project: InDomain | Unset = UNSET
    is_domain: bool | Unset = UNSET
    domain: IdAndName | Unset = UNSET
    system: AllOfIt | Unset = UNSET
    roles: list[IdAndName] | Unset = UNSET
    catalog: list[CatalogService] | Unset = UNSET


class CatalogReply(Shape):
    catalog: list[CatalogService]
    links: PageLinks


TOKEN, SYSTEM = one("token", TokenReply), many("system", AllOfIt)
_SUBJECT = {"name": "X-Subject-Token", "in": "header", "required": True, "schema": {"type": "string"}}
SUBJECT = {"parameters": [_SUBJECT]}
_MORE_WANTED = {"anyOf": [{"required": ["error"]}, {"required": ["receipt", "required_auth_methods"]}]}
RECEIPT = {"responses": {"401": answer("Refused, or further methods are wanted", {"type": "object"} | _MORE_WANTED)}}
