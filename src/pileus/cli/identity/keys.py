"""`pileus identity keys`, `rotate-keys`, `migrate-credentials`."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from pileus.cli.identity.options import KEYS
from pileus.cli.installation import composed, tell
from pileus.identity.credentials import sealing
from pileus.identity.settings import IdentitySettings
from pileus.identity.tokens import keys
from pileus.identity.tokens.keys import SETTLED, Key
from pileus.identity.tokens.providers import PROVIDERS
from pileus.kernel.cloud import Cloud

PROVIDER_OF = {"tokens": "fernet", "jws": "jws"}


class Ring(NamedTuple):
    """A folder of keys and what can be done with it. `rotate(settled)` says whether it did anything."""

    folder: Path
    listing: Callable[[], list[Key]]
    rotate: Callable[[float], bool]


def show(options: argparse.Namespace) -> int:
    with composed(options) as cloud:
        found = {name: _ring(cloud, name) for name in KEYS}
        listed = {name: ring.listing() for name, ring in found.items()}
        used = cloud.settings(IdentitySettings).token_provider
    data = {name: {"folder": str(found[name].folder), "keys": [key._asdict() for key in listed[name]]} for name in KEYS}
    lines = []
    for name in KEYS:
        note = "  (not in use: [identity] token_provider)" if PROVIDER_OF.get(name, used) != used else ""
        lines.append(f"{name}  {found[name].folder}{note}")
        lines += [f"  {key.number:<4} {key.role:10} {_age(key.age)}" for key in listed[name]] or ["  none yet"]
    tell(options, data, *lines)
    return 0


def rotate(options: argparse.Namespace) -> int:
    """Exit status 1 when one of them was too new to rotate, or a credential still needs the key that would go."""
    done: dict[str, str] = {}
    with composed(options) as cloud:
        for name in dict.fromkeys(options.which or KEYS):
            try:
                ring = _ring(cloud, name)
                turned = ring.rotate(0 if options.at_once else SETTLED)
                primary = next(key for key in ring.listing() if key.role == "primary")
                done[name] = f"key {primary.number} is the primary now" if turned else _TOO_NEW
            except sealing.KeyInUse as error:
                done[name] = f"not rotated: {error} (`pileus identity migrate-credentials`)"
    tell(options, done, *[f"{name}: {what}" for name, what in done.items()])
    return 0 if all(what.endswith("now") for what in done.values()) else 1


_TOO_NEW = f"not rotated: the staged key is younger than {SETTLED:g} s, and not every process may know it yet"


def migrate(options: argparse.Namespace) -> int:
    with composed(options) as cloud:
        keys.create(cloud.part(sealing.Sealer).folder)
        done = sealing.migrate(cloud)
    lines = [f"{done.resealed} credentials were encrypted anew."]
    lines += [f"Credential {lost}: no key opens it." for lost in done.lost]
    tell(options, done._asdict(), *lines)
    return 1 if done.lost else 0


def _ring(cloud: Cloud, name: str) -> Ring:
    keep = cloud.settings(IdentitySettings).token_keys
    if name == "credentials":
        sealed = cloud.part(sealing.Sealer).folder

        def turn(settled: float) -> bool:
            keys.create(sealed)
            return sealing.rotate(cloud, settled=settled)

        return Ring(sealed, lambda: keys.listing(sealed), turn)
    kind = PROVIDERS[PROVIDER_OF[name]]
    folder = cloud.config.state / kind.folder

    def rotate_tokens(settled: float) -> bool:
        kind.create(folder)
        return kind.rotate(folder, keep, settled=settled)

    return Ring(folder, lambda: kind.listing(folder), rotate_tokens)


def _age(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
