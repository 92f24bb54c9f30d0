"""What travels sealed, what is used once, and what goes in time."""

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from pileus.identity.federation import saml_keys, upkeep
from pileus.identity.federation.login.models import UsedProof
from pileus.identity.federation.login.parties import Parties
from pileus.identity.federation.login.seals import SECONDS, Seals
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from pileus.kernel.errors import Unauthorized


def test_seals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seals = Seals(tmp_path / "keys")
    with pytest.raises(Unauthorized):
        seals.open("login", "nothing was closed here yet")
    assert not (tmp_path / "keys").exists()
    sealed = seals.close("login", b"content")
    assert seals.open("login", sealed) == Seals(tmp_path / "keys").open("login", sealed) == b"content"
    assert (tmp_path / "keys").stat().st_mode & 0o077 == 0
    token_like = Fernet((tmp_path / "keys" / "1").read_bytes()).encrypt(b"content").decode()
    for kind, text in (
        ("log", sealed),
        ("request", sealed),
        ("login", sealed[:-1]),
        ("login", token_like),
        ("login", "é"),
    ):
        with pytest.raises(Unauthorized):
            seals.open(kind, text)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + SECONDS + 5)
    with pytest.raises(Unauthorized):
        seals.open("login", sealed)


def test_what_is_over_goes(cloud: Cloud) -> None:
    with cloud.db.writing() as db:
        for digest, minutes in (("old", -1), ("new", 1)):
            db.add(UsedProof(digest=digest, expires_at=clock.now() + timedelta(minutes=minutes)))
    upkeep.sweep(cloud)
    with cloud.db.reading() as db:
        assert [row.digest for row in db.query(UsedProof)] == ["new"]
    seals = cloud.part(Parties).seals
    assert not seals.folder.exists()  # no keys for a cloud that needs none


def test_keys_that_are_due_are_rotated(cloud: Cloud) -> None:
    seals = cloud.part(Parties).seals
    sealed = seals.close("login", b"content")
    old = time.time() - 8 * 86400
    for key in seals.folder.iterdir():
        os.utime(key, (old, old))
    upkeep.sweep(cloud)
    assert {key.name for key in seals.folder.iterdir() if key.name.isdecimal()} == {"0", "1", "2"}
    assert seals.open("login", sealed) == b"content"


def test_the_key_for_saml_is_made_once(tmp_path: Path) -> None:
    made = saml_keys.ready(tmp_path / "saml2", "cloud")
    text = made.key.read_bytes()
    assert made.key.stat().st_mode & 0o077 == 0
    assert saml_keys.ready(tmp_path / "saml2", "other").key.read_bytes() == text
