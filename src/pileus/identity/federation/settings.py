"""How this cloud reaches the identity providers that it trusts. Secrets are in the configuration only, never in the database."""

from typing import Annotated

import msgspec
from msgspec import Meta


class OidcProvider(msgspec.Struct, tag="oidc", tag_field="type", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """An OpenID Connect provider. `audiences` are those of bearer tokens besides the client's own id.

    `introspect`: bearer tokens are opaque, the provider is asked about each. `userinfo`: claims of that endpoint are added.
    """

    issuer: str
    client_id: str
    client_secret: str = ""
    discovery_url: str = ""
    scopes: str = "openid profile email"
    audiences: tuple[str, ...] = ()
    introspect: bool = False
    userinfo: bool = False
    remote_user_claim: str = "sub"
    ca_file: str = ""


class Saml2Provider(
    msgspec.Struct, tag="saml2", tag_field="type", forbid_unknown_fields=True, frozen=True, kw_only=True
):
    """A SAML2 identity provider: its metadata document is a file here. `unsolicited`: logins that begin at the provider (K2K)."""

    metadata_file: str
    entity_id: str
    unsolicited: bool = False
    sign_requests: bool = False
    clock_skew: Annotated[int, Meta(ge=0, le=600)] = 60


class ExternalProvider(
    msgspec.Struct, tag="external", tag_field="type", forbid_unknown_fields=True, frozen=True, kw_only=True
):
    """A trusted front in the cloud's path has done the login. `headers`: attribute of the mapping -> header that carries it."""

    headers: dict[str, str]


Provider = OidcProvider | Saml2Provider | ExternalProvider
