"""The ways to write a token, by the names of the setting `[identity] token_provider`; and where each has its keys."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from pileus.identity.tokens import keys
from pileus.identity.tokens.keys import Key, KeyRing
from pileus.identity.tokens.providers import signing_keys
from pileus.identity.tokens.providers.base import TokenProvider
from pileus.identity.tokens.providers.fernet import FernetProvider
from pileus.identity.tokens.providers.jws import JwsProvider
from pileus.identity.tokens.providers.signing_keys import SigningKeys


class Kind(NamedTuple):
    """All take the folder of the keys. `rotate(folder, keep, settled=, due=)` says whether it did anything."""

    folder: str
    make: Callable[[Path], TokenProvider]
    create: Callable[[Path], None]
    rotate: Callable[..., bool]
    listing: Callable[[Path], list[Key]]


PROVIDERS: Mapping[str, Kind] = {
    "fernet": Kind("keys", lambda folder: FernetProvider(KeyRing(folder)), keys.create, keys.rotate, keys.listing),
    "jws": Kind(
        "keys/jws",
        lambda folder: JwsProvider(SigningKeys(folder)),
        signing_keys.create,
        signing_keys.rotate,
        signing_keys.listing,
    ),
}
