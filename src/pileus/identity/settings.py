"""Section `[identity]` of the configuration."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from pileus.identity.federation.settings import Provider

USUAL_PROVIDER: Final = "fernet"


class IdentitySettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    token_lifetime: Annotated[int, Meta(ge=60, le=86400, description="seconds that a token is valid")] = 3600
    token_keys: Annotated[
        int, Meta(ge=3, le=24, description="token keys kept: the staged, the primary and older ones")
    ] = 4
    token_key_days: Annotated[
        int,
        Meta(ge=0, description="days after which a new token key takes over; 0: only by `pileus identity rotate-keys`"),
    ] = 7
    token_provider: Annotated[
        Literal["fernet", "jws"],
        Meta(description="form of new tokens: fernet (sealed, short) or jws (signed with ES256)"),
    ] = USUAL_PROVIDER
    oauth2_mapping: Annotated[
        str, Meta(description="federation mapping that says which user an OAuth 2.0 client's certificate is")
    ] = "oauth2_mapping"
    password_memory: Annotated[int, Meta(ge=8, description="Argon2id memory of one password hash, KiB")] = 19456
    password_passes: Annotated[int, Meta(ge=1, description="Argon2id passes over that memory")] = 2
    password_lanes: Annotated[int, Meta(ge=1, description="Argon2id lanes")] = 1
    lockout_attempts: Annotated[int, Meta(ge=0, description="wrong passwords in a row that lock a user; 0: never")] = 0
    lockout_seconds: Annotated[int, Meta(ge=1, description="how long a locked user stays locked")] = 1800
    password_history: Annotated[
        int, Meta(ge=0, le=24, description="last passwords that users may not choose again, the present one included")
    ] = 0
    password_expires_days: Annotated[
        int, Meta(ge=0, description="days that a new password is good for; 0: any time")
    ] = 0
    password_minimum_days: Annotated[
        int, Meta(ge=0, description="days before users may change a password that they chose; 0: at once")
    ] = 0
    password_regex: Annotated[
        str, Meta(description="Python regular expression that new passwords match from their start; empty: any")
    ] = ""
    password_regex_description: Annotated[
        str, Meta(description="what password_regex asks for, in words for those it refuses")
    ] = ""
    password_change_first: Annotated[
        bool, Meta(description="users must change a password that somebody else gave them before they log in with it")
    ] = False
    inactive_days: Annotated[
        int, Meta(ge=0, description="days without a login after which users are disabled; 0: never")
    ] = 0
    receipt_lifetime: Annotated[
        int,
        Meta(ge=10, le=3600, description="seconds to give the further proofs that a login by several methods needs"),
    ] = 300
    list_limit: Annotated[
        int,
        Meta(
            ge=0,
            description="longest list of users, projects and the like for those who ask for no page; 0: any length",
        ),
    ] = 0
    endpoint_filter_all: Annotated[
        bool, Meta(description="projects that were given no endpoint see all of them; false: none")
    ] = True
    application_credentials_per_user: Annotated[
        int, Meta(ge=-1, description="how many application credentials a user may have; -1: any number")
    ] = -1
    oauth1_request_token_seconds: Annotated[
        int, Meta(ge=60, description="how long an OAuth1 consumer waits for a user's yes")
    ] = 28800
    oauth1_access_token_seconds: Annotated[
        int, Meta(ge=0, description="how long an OAuth1 access token is good; 0: until it is deleted")
    ] = 86400
    trust_redelegations: Annotated[
        int, Meta(ge=0, le=100, description="how many times a trust may be handed on, at most; 0: never")
    ] = 3
    limit_enforcement: Annotated[
        Literal["flat", "strict_two_level"],
        Meta(description="what limits of a project mean for those below it: flat (nothing) or strict_two_level"),
    ] = "flat"
    user_credentials: Annotated[int, Meta(ge=-1, description="credentials that one user may have; -1: any number")] = -1
    auth_ttl: Annotated[int, Meta(ge=1, description="minutes that a signed EC2 or S3 request is good for")] = 15
    totp_included_previous_windows: Annotated[
        int, Meta(ge=0, le=10, description="earlier one-time passcodes that are taken besides the present one")
    ] = 1
    federation: Annotated[
        dict[str, Provider],
        Meta(
            description="relying parties, by `<identity provider>/<protocol>`: tables with type oidc, saml2 or external;"
            " docs/guides/operate.md lists what each takes"
        ),
    ] = {}
    federation_group_minutes: Annotated[
        int, Meta(ge=0, description="minutes that groups of a federated login outlive its token; 0: they do not")
    ] = 0
    trusted_dashboards: Annotated[
        tuple[str, ...], Meta(description="addresses that browsers may take a token to, each in full")
    ] = ()
    trusted_fronts: Annotated[
        tuple[str, ...], Meta(description="addresses or networks of web servers that say who a user is, by headers")
    ] = ()
    remote_user_header: Annotated[str, Meta(description="the header in which a trusted front names the user")] = (
        "x-remote-user"
    )
    assertion_seconds: Annotated[
        int, Meta(ge=60, le=86400, description="seconds that an assertion for another cloud is good for")
    ] = 600
    assertion_audience: Annotated[
        bool, Meta(description="assertions for other clouds name the address that they are for; some clouds take none")
    ] = True
