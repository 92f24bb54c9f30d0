"""Errors as HTML, for services that have such clients."""

import dataclasses
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from pileus.image.envelope import error_page
from pileus.kernel.errors import NotFound
from pileus.kernel.http.app import App
from pileus.kernel.http.openapi import document
from tests.cloud import cloud_of
from tests.kernel.toy import MANIFEST

PAGED = dataclasses.replace(MANIFEST, error_page=error_page)
READER = {"x-auth-token": "p1:reader"}
ANY = {"accept": "*/*"}
JSON = {"accept": "application/json"}
HOSTILE = "<script>alert(1)</script>&lt;\"'</title></body>"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with cloud_of(tmp_path, PAGED) as cloud:
        yield TestClient(App(cloud, [PAGED]), raise_server_exceptions=False)


class Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not attrs
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words += [data.strip()] if data.strip() else []


def varies(reply: Response) -> bool:
    """Besides what microversions make it vary by."""
    names = [name.strip().lower() for name in reply.headers["vary"].split(",")]
    assert "openstack-api-version" in names
    return "accept" in names


def test_any_form_is_html(client: TestClient) -> None:
    reply = client.get("/toybox/toys/none", headers=READER | ANY)
    assert reply.status_code == 404 and reply.headers["content-type"] == "text/html; charset=utf-8"
    assert varies(reply) and reply.headers["x-openstack-request-id"].startswith("req-")
    assert reply.headers["content-security-policy"] == "default-src 'none'"
    assert Reader(reply.text).words == ["404 Not Found", "404 Not Found", "Toy none could not be found."]


def test_json_for_who_asks_for_it(client: TestClient) -> None:
    reply = client.get("/toybox/toys/none", headers=READER | JSON)
    assert reply.headers["content-type"] == "application/json" and varies(reply)
    assert reply.json() == {"fault": {"code": 404, "message": "Toy none could not be found."}}


def test_what_works_is_json_for_everyone(client: TestClient) -> None:
    reply = client.get("/toybox/toys", headers=READER | ANY)
    assert reply.status_code == 200 and reply.headers["content-type"] == "application/json"
    assert not varies(reply)


def test_errors_keep_their_headers_and_head_has_no_body(client: TestClient) -> None:
    reply = client.delete("/toybox/toys", headers=READER | ANY)
    assert reply.status_code == 405 and reply.headers["allow"] == "GET, POST"
    head = client.head("/toybox/toys/none", headers=READER | ANY)
    assert head.status_code == 405 and head.content == b""


def test_a_crash_says_nothing_of_itself(client: TestClient) -> None:
    reply = client.get("/toybox/crash", headers=READER | ANY)
    assert reply.status_code == 500 and "secret" not in reply.text
    assert reply.headers["x-openstack-request-id"] in Reader(reply.text).words[2]


def test_everything_is_escaped(client: TestClient) -> None:
    harmless = ["html", "head", "title", "body", "h1", "br", "br"]
    read = Reader(error_page(NotFound(HOSTILE)))
    assert read.tags == harmless and read.words[2] == HOSTILE
    sent = client.post(
        "/toybox/toys", json={"toy": {"name": "x", HOSTILE: 1}}, headers={"x-auth-token": "p1:member"} | ANY
    )
    assert sent.status_code == 400 and "text/html" in sent.headers["content-type"]
    assert "script" in sent.text and Reader(sent.text).tags == harmless


def test_the_description_says_so() -> None:
    refused = document(PAGED)["components"]["responses"]["Forbidden"]["content"]
    assert set(refused) == {"application/json", "text/html"}
    assert set(document(MANIFEST)["components"]["responses"]["Forbidden"]["content"]) == {"application/json"}


def test_other_services_answer_json_to_all(tmp_path: Path) -> None:
    with cloud_of(tmp_path, MANIFEST) as cloud:
        client = TestClient(App(cloud, [MANIFEST]), raise_server_exceptions=False)
        reply = client.get("/toybox/toys/none", headers=READER | {"accept": "text/html"})
        assert reply.headers["content-type"] == "application/json" and not varies(reply)
