"""Token keys and the providers that use them: one contract for all of them. Folders, rotation, and what a token survives."""

import contextlib
import itertools
import os
import shutil
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pileus
from pileus.identity.tokens import keys
from pileus.identity.tokens.keys import SETTLED
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
from pileus.identity.tokens.providers import PROVIDERS, Kind
from pileus.identity.tokens.providers.base import TokenProvider


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


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture(params=PROVIDERS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return PROVIDERS[request.param]


def test_modes_and_repeatability(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    keys.create(folder)
    before = {name: (folder / name).read_bytes() for name in names(folder)}
    keys.create(folder)
    assert {name: (folder / name).read_bytes() for name in names(folder)} == before
    assert set(before) == {"0", "1"}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in before} == {0o600}


def test_tokens_live_until_their_key_goes(kind: Kind, tmp_path: Path) -> None:
    """With `keep` keys a token outlives keep - 2 rotations, and is over with the next."""
    kind.create(tmp_path)
    tokens = []
    for _ in range(12):
        tokens.append(kind.make(tmp_path).seal(payload()))
        assert kind.rotate(tmp_path, 5, settled=0)
        provider = kind.make(tmp_path)
        for token in tokens[-3:]:
            provider.unseal(token)
        for token in tokens[:-3]:
            with pytest.raises(BadToken):
                provider.unseal(token)


def test_the_staged_key_becomes_the_primary(kind: Kind, tmp_path: Path) -> None:
    kind.create(tmp_path)
    elsewhere = tmp_path.with_name(f"node-{tmp_path.name}")
    shutil.copytree(tmp_path, elsewhere)
    kind.rotate(tmp_path, settled=0)
    token = kind.make(tmp_path).seal(payload())
    assert kind.make(elsewhere).unseal(token).user_id == "0" * 32, "a node with the folder's last state knows the key"
    assert [key.role for key in kind.listing(tmp_path)] == ["primary", "staged", "secondary"]


def test_a_running_process_follows_a_rotation(kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind.create(tmp_path)
    running, clock = kind.make(tmp_path), [1000.0]
    monkeypatch.setattr("pileus.identity.tokens.keys.time.monotonic", lambda: clock[0])
    running.seal(payload())
    kind.rotate(tmp_path, settled=0)
    newer = kind.make(tmp_path).seal(payload())
    assert running.unseal(newer).user_id == "0" * 32, "a staged key is known before it signs"
    kind.rotate(tmp_path, settled=0)
    newest = kind.make(tmp_path).seal(payload())
    with pytest.raises(BadToken):
        running.unseal(newest)
    clock[0] += 1
    running.unseal(newest)


def test_no_rotation_before_every_process_knows_the_staged_key(kind: Kind, tmp_path: Path) -> None:
    kind.create(tmp_path)
    before = kind.listing(tmp_path)
    assert not kind.rotate(tmp_path, settled=SETTLED)
    assert [key.number for key in kind.listing(tmp_path)] == [key.number for key in before]
    for path in tmp_path.rglob("0"):
        os.utime(path, (time.time() - 3,) * 2)
    assert kind.rotate(tmp_path, settled=SETTLED)
    assert not kind.rotate(tmp_path, settled=SETTLED)


def test_rotation_when_due(kind: Kind, tmp_path: Path) -> None:
    kind.create(tmp_path)
    assert not kind.rotate(tmp_path, settled=0, due=60)
    for path in tmp_path.rglob("1"):
        os.utime(path, (time.time() - 61,) * 2)
    assert kind.rotate(tmp_path, settled=0, due=60)
    assert not kind.rotate(tmp_path, settled=0, due=60)


def test_a_rotation_killed_half_way_is_finished(kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed at each of its renames: tokens stay good, and the next rotation ends with a staged and a primary key."""
    real = os.replace
    for fatal in range(6):
        folder = tmp_path / str(fatal)
        kind.create(folder)
        token = kind.make(folder).seal(payload())
        done: list[Path] = []

        def replace(old: Path, new: Path, done: list[Path] = done, fatal: int = fatal) -> None:
            if len(done) == fatal:
                raise KeyboardInterrupt
            done.append(new)
            real(old, new)

        with monkeypatch.context() as patch:
            patch.setattr("pileus.identity.tokens.keys.os.replace", replace)
            with contextlib.suppress(KeyboardInterrupt):
                kind.rotate(folder, settled=0)
        after = kind.make(folder)
        after.unseal(token)
        after.unseal(after.seal(payload()))
        kind.rotate(folder, settled=0)
        assert [key.role for key in kind.listing(folder)][:2] == ["primary", "staged"]
        kind.make(folder).unseal(token)


def test_a_folder_is_read_while_it_changes(kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind.create(tmp_path)
    running, ticks = kind.make(tmp_path), itertools.count(0, 2)
    monkeypatch.setattr("pileus.identity.tokens.keys.time.monotonic", lambda: next(ticks))
    ending = threading.Event()

    def rotate() -> None:
        for _ in range(40):
            kind.rotate(tmp_path, 3, settled=0)
        ending.set()

    worker = threading.Thread(target=rotate)
    worker.start()
    sealed = 0
    while not ending.is_set():
        running.seal(payload())
        sealed += 1
    worker.join()
    assert sealed > 10


ROTATE = """
import sys
from pathlib import Path
from pileus.identity.tokens.providers import PROVIDERS
name, folder, count, settled = sys.argv[1:]
sys.stdin.read()
print([PROVIDERS[name].rotate(Path(folder), 24, settled=float(settled)) for _ in range(int(count))].count(True))
"""


@pytest.mark.parametrize(("settled", "each", "together"), [(0, 5, 10), (60, 1, 1)])
@pytest.mark.parametrize("name", PROVIDERS)
def test_two_processes_rotate_at_once(name: str, tmp_path: Path, settled: int, each: int, together: int) -> None:
    """No key is lost, none is primary twice; and within the time that processes need to learn a key, one of two does nothing."""
    kind = PROVIDERS[name]
    kind.create(tmp_path)
    token = kind.make(tmp_path).seal(payload())
    for path in tmp_path.rglob("0"):
        os.utime(path, (time.time() - 61,) * 2)
    command = [sys.executable, "-c", ROTATE, name, str(tmp_path), str(each), str(settled)]
    surroundings = os.environ | {"PYTHONPATH": str(Path(pileus.__path__[0]).parent)}
    pipe = subprocess.PIPE
    workers = [subprocess.Popen(command, env=surroundings, text=True, stdin=pipe, stdout=pipe) for _ in range(2)]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.close()
    done = []
    for worker in workers:
        assert worker.stdout is not None
        done.append(int(worker.stdout.read()))
        worker.stdout.close()
        assert worker.wait(30) == 0
    assert sum(done) == together
    found = kind.listing(tmp_path)
    assert [key.number for key in found] == [together + 1, 0, *range(together, 0, -1)]
    assert [key.role for key in found].count("primary") == 1
    kind.make(tmp_path).unseal(token)


def test_no_keys_is_an_error(kind: Kind, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no token keys"):
        kind.make(tmp_path / "none").seal(payload())


def test_an_ended_token_is_bad(kind: Kind, tmp_path: Path) -> None:
    kind.create(tmp_path)
    with pytest.raises(BadToken):
        kind.make(tmp_path).unseal(kind.make(tmp_path).seal(payload(expires=now_ms())))


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


@pytest.fixture(scope="module", params=PROVIDERS)
def provider(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TokenProvider:
    folder = tmp_path_factory.mktemp(request.param)
    PROVIDERS[request.param].create(folder)
    return PROVIDERS[request.param].make(folder)


@given(made=PAYLOADS)
def test_what_goes_in_comes_out(provider: TokenProvider, made: Payload) -> None:
    token = provider.seal(made)
    assert token.isascii() and " " not in token
    assert provider.unseal(token) == made


@given(junk=st.text(max_size=300) | st.binary(max_size=200).map(lambda b: b.hex()))
def test_junk_is_bad(provider: TokenProvider, junk: str) -> None:
    with pytest.raises(BadToken):
        provider.unseal(junk)


@given(at=st.integers(0, 10_000), bit=st.integers(0, 5))
def test_no_changed_character_passes(provider: TokenProvider, at: int, bit: int) -> None:
    token = provider.seal(payload())
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    at %= len(token) - 2  # the last characters may hold bits that base64 ignores
    held = alphabet.find(token[at])
    changed = token[:at] + (alphabet[held ^ (1 << bit)] if held >= 0 else "A") + token[at + 1 :]
    with pytest.raises(BadToken):
        provider.unseal(changed)
