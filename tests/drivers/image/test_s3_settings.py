"""What an operator writes down for an S3 store, and what a cloud without one does not pay for."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from pileus.image.drivers.base import DataKey
from pileus.image.drivers.s3 import S3Store
from pileus.image.s3.settings import S3Settings
from pileus.kernel.config import ConfigError

GIVEN = {"endpoint": "http://127.0.0.1:1", "bucket": "images", "access_key": "cloud", "secret": "hidden-1"}


def settings(**changed: object) -> S3Settings:
    return msgspec.convert(GIVEN | changed, S3Settings)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"endpoint": ""}, "s3.endpoint"),
        ({"bucket": ""}, "s3.bucket"),
        ({"access_key": ""}, "s3.access_key"),
        ({"secret": ""}, "s3.secret"),
        ({"secret_file": "also"}, "s3.secret_file"),
        ({"secret": "", "secret_file": "/does/not/exist"}, "secret_file"),
    ],
)
def test_what_is_missing_is_named(changed: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigError, match=named) as error:
        S3Store("far", settings(**changed))
    assert "store far" in str(error.value)
    assert "hidden" not in str(error.value)


@pytest.mark.parametrize(
    "changed",
    [
        {"endpoint": "s3.example.org"},
        {"endpoint": "https://me:mine@s3.example.org"},
        {"endpoint": "https://s3.example.org/path"},
        {"bucket": "a/b"},
        {"prefix": "a b"},
        {"part_size": 1 << 20},
        {"addressing": "guess"},
        {"verify": True},
    ],
)
def test_what_cannot_be_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        settings(**changed)


def test_the_secret_may_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("hidden-2\n")
    S3Store("far", settings(secret="", secret_file=str(file)))
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not text"):
        S3Store("far", settings(secret="", secret_file=str(file)))


def test_settings_do_not_show_the_secret() -> None:
    assert "hidden" not in repr(settings())
    assert "hidden" not in str(settings())


def test_what_a_store_tells_administrators() -> None:
    """Nothing is asked for it: there is no server."""
    store = S3Store("far", settings(prefix="cloud/"))
    key = DataKey("0c0c6fe4-6d3f-4ea2-8a0f-0dd2f2d9a1e8", "a1")
    assert store.url(key) == f"s3://images/cloud/{key.image_id}.a1"
    assert store.path(key) is None
    assert "hidden" not in str(store.properties())
    assert store.properties()["s3_store_large_object_chunk_size"] == 16


def test_aws_own_settings_do_not_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither a profile that is not there nor a proxy keeps the store from asking its endpoint."""
    from pileus.image.drivers.base import StoreFailed

    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(StoreFailed, match="does not answer"):
        S3Store("far", settings()).delete(DataKey("0c0c6fe4-6d3f-4ea2-8a0f-0dd2f2d9a1e8", "a1"))


def test_who_has_no_such_store_loads_no_client() -> None:
    program = "import sys, pileus.image.manifest; sys.exit('botocore' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": ":".join(sys.path)}, timeout=60)
