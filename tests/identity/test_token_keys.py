"""Key folders, rotation, and what a token survives."""

import stat
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pileus.identity.tokens import keys
from pileus.identity.tokens.keys import KeyRing
from pileus.identity.tokens.payload import (
    DELEGATIONS,
    METHODS,
    BadToken,
    Delegation,
    Federation,
    Payload,
    new_audit_id,
    now_ms,
)
from pileus.identity.tokens.providers.fernet import FernetProvider


def payload(**changes: object) -> Payload:
    plain = Payload(
        user_id="0" * 32,
        scope="project",
        scope_id="a" * 32,
        methods=("password",),
        audit_ids=(new_audit_id(),),
        issued=now_ms(),
        expires=now_ms() + 60_000,
        epoch=0,
    )
    return msgspec.structs.replace(plain, **changes)


def seal(made: Payload, ring: KeyRing) -> str:
    return FernetProvider(ring).seal(made)


def unseal(token: str, ring: KeyRing) -> Payload:
    return FernetProvider(ring).unseal(token)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_modes_and_repeatability(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    keys.create(folder)
    before = {name: (folder / name).read_bytes() for name in names(folder)}
    keys.create(folder)
    assert {name: (folder / name).read_bytes() for name in names(folder)} == before
    assert set(before) == {"0", "1"}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in before} == {0o600}


def test_rotation_keeps_tokens_until_their_key_goes(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    keys.create(folder)
    staged = (folder / "0").read_bytes()
    token = seal(payload(), KeyRing(folder))
    keys.rotate(folder, keep=3)
    assert names(folder) == {"0", "1", "2"}
    assert (folder / "2").read_bytes() == staged
    unseal(token, KeyRing(folder))
    keys.rotate(folder, keep=3)
    assert names(folder) == {"0", "2", "3"}
    with pytest.raises(BadToken):
        unseal(token, KeyRing(folder))


def test_a_running_process_follows_a_rotation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys.create(tmp_path)
    ring, clock = KeyRing(tmp_path), [1000.0]
    monkeypatch.setattr("pileus.identity.tokens.keys.time.monotonic", lambda: clock[0])
    seal(payload(), ring)
    keys.rotate(tmp_path)
    newer = seal(payload(), KeyRing(tmp_path))
    assert unseal(newer, ring).user_id == "0" * 32, "a staged key is known before it signs"
    keys.rotate(tmp_path)
    newest = seal(payload(), KeyRing(tmp_path))
    with pytest.raises(BadToken):
        unseal(newest, ring)
    clock[0] += 1
    unseal(newest, ring)


def test_no_keys_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no token keys"):
        KeyRing(tmp_path / "none").fernet()


def test_an_ended_token_is_bad(tmp_path: Path) -> None:
    keys.create(tmp_path)
    with pytest.raises(BadToken):
        unseal(seal(payload(expires=now_ms()), KeyRing(tmp_path)), KeyRing(tmp_path))


IDS = st.text(min_size=1, max_size=64) | st.uuids().map(lambda u: u.hex)
PAYLOADS = st.builds(
    payload,
    user_id=IDS,
    scope_id=IDS,
    scope=st.sampled_from(["unscoped", "project", "domain", "system"]),
    methods=st.sets(st.sampled_from(METHODS), min_size=1).map(lambda chosen: tuple(m for m in METHODS if m in chosen)),
    audit_ids=st.integers(1, 2).map(lambda count: tuple(new_audit_id() for _ in range(count))),
    delegation=st.none() | st.builds(Delegation, st.sampled_from(DELEGATIONS), IDS),
    federation=st.none() | st.builds(Federation, IDS, IDS, st.lists(IDS, max_size=3).map(tuple)),
    thumbprint=st.none() | st.text(alphabet="abcXYZ019-_", min_size=43, max_size=43),
    epoch=st.integers(0, 2**31),
)


@given(made=PAYLOADS)
def test_what_goes_in_comes_out(tmp_path_factory: pytest.TempPathFactory, made: Payload) -> None:
    folder = tmp_path_factory.getbasetemp() / "shared-keys"
    keys.create(folder)
    ring = KeyRing(folder)
    assert unseal(seal(made, ring), ring) == made


@given(junk=st.text(max_size=300) | st.binary(max_size=200).map(lambda b: b.hex()))
def test_junk_is_bad(tmp_path_factory: pytest.TempPathFactory, junk: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "shared-keys"
    keys.create(folder)
    with pytest.raises(BadToken):
        unseal(junk, KeyRing(folder))


@given(at=st.integers(0, 10_000), bit=st.integers(0, 5))
def test_no_changed_character_passes(tmp_path_factory: pytest.TempPathFactory, at: int, bit: int) -> None:
    folder = tmp_path_factory.getbasetemp() / "shared-keys"
    keys.create(folder)
    ring = KeyRing(folder)
    token = seal(payload(), ring)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    at %= len(token) - 2  # the last characters may hold bits that base64 ignores
    changed = token[:at] + alphabet[alphabet.index(token[at]) ^ (1 << bit)] + token[at + 1 :]
    with pytest.raises(BadToken):
        unseal(changed, ring)
