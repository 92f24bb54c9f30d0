"""Section `[identity]` of the configuration."""

from typing import Annotated

import msgspec
from msgspec import Meta


class IdentitySettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    token_lifetime: Annotated[int, Meta(ge=60, le=86400, description="seconds that a token is valid")] = 3600
    token_keys: Annotated[
        int, Meta(ge=3, le=24, description="token keys kept: the staged, the primary and older ones")
    ] = 4
    token_key_days: Annotated[int, Meta(ge=1, description="days after which a new token key takes over")] = 7
    password_memory: Annotated[int, Meta(ge=8, description="Argon2id memory of one password hash, KiB")] = 19456
    password_passes: Annotated[int, Meta(ge=1, description="Argon2id passes over that memory")] = 2
    password_lanes: Annotated[int, Meta(ge=1, description="Argon2id lanes")] = 1
    lockout_attempts: Annotated[int, Meta(ge=0, description="wrong passwords in a row that lock a user; 0: never")] = 0
    lockout_seconds: Annotated[int, Meta(ge=1, description="how long a locked user stays locked")] = 1800
    password_history: Annotated[
        int, Meta(ge=0, le=24, description="last passwords that users may not choose again, the present one included")
    ] = 0
