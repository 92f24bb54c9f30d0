"""What only a store elsewhere can meet: silence, refusals, answers that break off. Between it and the server stands a proxy."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from urllib3.exceptions import InsecureRequestWarning

from pileus.image.drivers.base import DataKey, StoreFailed, StoreFull
from pileus.image.drivers.s3 import S3Store
from pileus.image.s3.bucket import ATTEMPTS, Bucket
from tests.drivers.directory.certificates import authority, certificate
from tests.drivers.image.proxy import Fault, Proxy, between
from tests.drivers.image.rigs import PART, get, new_key, pattern, put
from tests.drivers.image.s3_server import S3Server

DATA = pattern(PART + 1000)  # two parts
Safe = Callable[..., str]
OPERATIONS: dict[str, Callable[[S3Store, DataKey], object]] = {
    "write": lambda store, key: put(store, key, b"data"),
    "write in parts": lambda store, key: put(store, key, DATA),
    "open": lambda store, key: store.open(key),
    "delete": lambda store, key: store.delete(key),
    "keys": lambda store, key: list(store.keys()),
}


@pytest.fixture
def store(server: S3Server, proxy: Proxy) -> S3Store:
    """Empty, and behind the proxy."""
    store = S3Store("far", server.settings(endpoint=proxy.url, bucket="faults", prefix=f"{new_key().key}/"))
    assert list(store.keys()) == []
    proxy.requests.clear()
    return store


@pytest.fixture
def safe(server: S3Server) -> Safe:
    """Gives an error's message, which owners of images may see: it must not hold `also`, nor what nobody is told."""

    def message(error: pytest.ExceptionInfo[Exception], *also: str) -> str:
        said = str(error.value)
        for word in (server.secret, "127.0.0.1", "secret words", "<", "faults", *also):
            assert word not in said
        return said

    return message


@pytest.mark.parametrize("data", [b"small", DATA])
def test_an_object_is_there_in_one_step(store: S3Store, data: bytes) -> None:
    key = new_key()
    sink = store.create(key)
    sink.write(data)
    with pytest.raises(FileNotFoundError):
        store.open(key)
    sink.commit()
    assert get(store, key) == data


def test_small_data_is_one_request(store: S3Store, proxy: Proxy) -> None:
    put(store, new_key(), b"small")
    assert [request.method for request in proxy.requests] == ["PUT"]


def test_all_that_is_sent_can_be_checked(store: S3Store, proxy: Proxy) -> None:
    put(store, new_key(), b"small")
    put(store, new_key(), DATA)
    sent = [request for request in proxy.requests if request.method == "PUT"]
    assert len(sent) == 3
    assert all("Content-MD5" in request.headers for request in sent)


@pytest.mark.parametrize("data", [b"small", DATA])
def test_what_changes_on_its_way_is_refused(store: S3Store, proxy: Proxy, data: bytes, safe: Safe) -> None:
    proxy.faults.append(Fault("PUT", change=lambda body: b"?" + body[1:]))
    key = new_key()
    sink = store.create(key)
    with pytest.raises(StoreFailed) as error:
        sink.write(data)
        sink.commit()
    safe(error)
    sink.abort()
    assert list(store.keys()) == []


@pytest.mark.parametrize(
    ("method", "word", "lose"),
    [
        ("POST", "uploads", False),
        ("PUT", "partNumber=1", True),
        ("PUT", "partNumber=2", False),
        ("POST", "uploadId", True),
        ("HEAD", "", False),
        ("GET", "", True),
    ],
)
def test_short_trouble_is_not_noticed(store: S3Store, proxy: Proxy, method: str, word: str, lose: bool) -> None:
    key = new_key()
    fault = Fault(method, word, refuse=None if lose else (503, "SlowDown"), lose=lose)
    proxy.faults.append(fault)
    put(store, key, DATA)
    assert get(store, key) == DATA
    assert fault.seen == 1


def test_a_lost_answer_to_the_last_step(store: S3Store, proxy: Proxy) -> None:
    """The upload is complete, and the second attempt is told that there is none."""
    proxy.faults += [Fault("POST", "uploadId", lose=True), Fault("POST", "uploadId", refuse=(404, "NoSuchUpload"))]
    key = new_key()
    put(store, key, DATA)
    assert get(store, key) == DATA


def test_an_upload_that_vanished_is_no_success(store: S3Store, proxy: Proxy) -> None:
    proxy.faults.append(Fault("POST", "uploadId", refuse=(404, "NoSuchUpload")))
    with pytest.raises(StoreFailed, match="lost"):
        put(store, new_key(), DATA)


@pytest.mark.parametrize("word", ["partNumber=1", "partNumber=2"])
def test_long_trouble_ends_the_upload_and_nothing_is_left(
    store: S3Store, server: S3Server, proxy: Proxy, word: str, safe: Safe
) -> None:
    before = server.bytes_held()
    fault = Fault("PUT", word, times=99, refuse=(500, "InternalError"))
    proxy.faults.append(fault)
    sink = store.create(new_key())
    with pytest.raises(StoreFailed) as error:
        sink.write(DATA)
        sink.commit()
    assert "InternalError" in safe(error)
    assert fault.seen == ATTEMPTS
    sink.abort()
    assert list(store.keys()) == []
    assert server.bytes_held() == before


def test_a_beginning_whose_answer_was_lost_is_aborted_too(store: S3Store, proxy: Proxy) -> None:
    proxy.faults.append(Fault("POST", "uploads", lose=True))
    sink = store.create(new_key())
    sink.write(DATA)
    sink.abort()
    assert list(store.keys()) == []


def test_what_abort_cannot_remove_is_listed(store: S3Store, proxy: Proxy) -> None:
    key = new_key()
    proxy.faults.append(Fault("DELETE", times=ATTEMPTS, refuse=(500, "InternalError")))
    sink = store.create(key)
    sink.write(DATA)
    sink.abort()
    assert list(store.keys()) == [key]
    sink.abort()
    assert list(store.keys()) == []


@pytest.mark.parametrize("refusal", [(507, "InsufficientStorage"), (403, "QuotaExceeded"), (413, "EntityTooLarge")])
@pytest.mark.parametrize("data", [b"small", DATA])
def test_full(store: S3Store, proxy: Proxy, refusal: tuple[int, str], data: bytes, safe: Safe) -> None:
    proxy.faults.append(Fault("PUT", times=99, refuse=refusal))
    with pytest.raises(StoreFull) as error:
        put(store, new_key(), data)
    safe(error)


def test_more_parts_than_the_server_takes(server: S3Server) -> None:
    store = S3Store("few", server.settings(bucket="faults", prefix="few/", most_parts=1))
    put(store, new_key(), DATA[:PART])
    sink = store.create(new_key())
    with pytest.raises(StoreFull, match="part_size"):
        sink.write(DATA)
        sink.commit()
    sink.abort()


def test_reads_go_on_where_they_broke_off(store: S3Store, proxy: Proxy) -> None:
    key = new_key()
    put(store, key, DATA)
    proxy.requests.clear()
    proxy.faults += [Fault("GET", cut=PART // 2), Fault("GET", cut=0), Fault("GET", cut=PART // 4)]
    assert get(store, key) == DATA
    spans = [request.headers["Range"] for request in proxy.requests if request.method == "GET"]
    assert [span.endswith("-") for span in spans] == [True] * 4


def test_reads_that_always_break_off_end(store: S3Store, proxy: Proxy, safe: Safe) -> None:
    key = new_key()
    put(store, key, DATA)
    fault = Fault("GET", cut=0, times=99)
    proxy.faults.append(fault)
    with pytest.raises(StoreFailed) as error:
        get(store, key)
    safe(error)
    assert fault.seen == ATTEMPTS


def test_data_that_goes_while_it_is_read(store: S3Store, safe: Safe) -> None:
    key = new_key()
    put(store, key, DATA)
    source = store.open(key)
    store.delete(key)
    with pytest.raises(StoreFailed) as error:
        source.read(0, 10)
    safe(error)
    source.close()


def test_silence_ends(server: S3Server, proxy: Proxy, safe: Safe) -> None:
    store = S3Store("slow", server.settings(endpoint=proxy.url, create_bucket=False, timeout=1))
    proxy.faults.append(Fault("PUT", times=99, hang=True))
    began = time.monotonic()
    with pytest.raises(StoreFailed, match="does not answer") as error:
        put(store, new_key(), b"data")
    safe(error)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("wrong", [{"secret": "wrong-but-not-shown"}, {"access_key": "cloud:nobody"}])
@pytest.mark.parametrize("create_bucket", [True, False])
def test_wrong_credentials(server: S3Server, wrong: dict[str, str], create_bucket: bool, safe: Safe) -> None:
    store = S3Store("far", server.settings(create_bucket=create_bucket, **wrong))
    for operation in OPERATIONS.values():
        with pytest.raises(StoreFailed, match="refuses this cloud's credentials") as error:
            operation(store, new_key())
        safe(error, *wrong.values())


def test_a_bucket_that_is_not_there(server: S3Server, safe: Safe) -> None:
    store = S3Store("far", server.settings(bucket="never-made", create_bucket=False))
    for operation in OPERATIONS.values():
        with pytest.raises(StoreFailed, match="bucket does not exist") as error:
            operation(store, new_key())
        safe(error, "never-made")


def test_a_server_that_goes_and_comes(server: S3Server, safe: Safe) -> None:
    key = new_key()
    with between(server.port) as reached:
        store = S3Store("far", server.settings(endpoint=reached.url, prefix=f"{new_key().key}/"))
        put(store, key, DATA)
        sink, source = store.create(new_key()), store.open(key)
        sink.write(DATA[: PART + 1])
    for operation in OPERATIONS.values():
        began = time.monotonic()
        with pytest.raises(StoreFailed, match="does not answer") as error:
            operation(store, key)
        safe(error)
        assert time.monotonic() - began < 10
    with pytest.raises(StoreFailed):
        source.read(0, PART)
    with pytest.raises(StoreFailed):
        sink.write(DATA[PART + 1 :])
        sink.commit()
    sink.abort()
    with between(server.port, port=reached.server_port):
        assert source.read(0, len(DATA)) == DATA
        source.close()
        for left in list(store.keys()):
            if left != key:
                store.delete(left)
        assert list(store.keys()) == [key]


def test_other_objects_are_not_ours(server: S3Server) -> None:
    settings = server.settings(bucket="shared")
    others = Bucket("others", settings, server.secret)
    first, second = S3Store("a", settings), S3Store("b", server.settings(bucket="shared", prefix="b/"))
    theirs = ["README.txt", "backup.tar", "b/notes.md", f"c/{new_key().image_id}.x", f"{new_key().image_id}.a/b"]
    for name in theirs:
        others.put(name, b"not an image")
    keys = [new_key(), new_key()]
    for store, key in zip((first, second), keys, strict=True):
        put(store, key, b"data")
        assert list(store.keys()) == [key]
        store.delete(key)
    assert sorted(others.objects("")) == sorted(theirs)


@pytest.mark.parametrize("word", ["list-type=2", "uploads"])
def test_lists_that_are_refused_are_not_empty(store: S3Store, proxy: Proxy, word: str) -> None:
    proxy.faults.append(Fault("GET", word, times=99, refuse=(404, "NotFound")))
    with pytest.raises(StoreFailed):
        list(store.keys())


def test_long_lists_come_in_pages(store: S3Store, proxy: Proxy) -> None:
    keys = {new_key() for _ in range(25)}
    for key in keys:
        put(store, key, b"")
    proxy.requests.clear()
    assert set(store.keys()) == keys
    assert len([request for request in proxy.requests if "list-type=2" in request.path]) == 3


def test_certificates_are_checked(server: S3Server, tmp_path: Path, safe: Safe) -> None:
    known = authority(tmp_path, "known")
    with between(server.port, certificate(tmp_path, known, "127.0.0.1")) as proxy:
        settings = {"endpoint": proxy.url, "bucket": "tls"}
        with pytest.raises(StoreFailed, match="certificate") as error:
            list(S3Store("far", server.settings(**settings)).keys())
        safe(error)
        store = S3Store("far", server.settings(**settings, ca_file=str(known.file)))
        key = new_key()
        put(store, key, DATA)
        assert get(store, key) == DATA
        with pytest.warns(InsecureRequestWarning):
            assert list(S3Store("far", server.settings(**settings, verify_tls=False)).keys()) == [key]
