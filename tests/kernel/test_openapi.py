"""The description of a service's API: made from its route table, served to anyone, true to what is answered."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from starlette.testclient import TestClient

from pileus.composition import SERVICES
from pileus.identity.manifest import MANIFEST as IDENTITY
from pileus.kernel.http import openapi
from pileus.kernel.http.app import App
from pileus.kernel.http.routes import Action, Route
from pileus.kernel.http.schema import UNSET, OpenShape, Shape, Unset, since
from pileus.kernel.manifest import Manifest
from tests.cloud import cloud_of


class Part(Shape):
    size: int
    colour: Annotated[str | Unset, since("2.19")] = UNSET


class Whole(Shape):
    parts: list[Part]


class Seen(OpenShape):
    name: str


def make(call: object, body: Whole) -> None:
    """Make a thing."""


def show(call: object, thing_id: str) -> None: ...


TOY = Manifest(
    name="toy",
    routes=(
        Route("POST", "/things", make, "anyone", status=202, reply=Seen),
        Route("GET", "/things/{thing_id}", show, "anyone", reply=list[Seen], query=("colour",)),
        Route("GET", "/certificate", show, "!public", reply="text/xml"),
        Route("POST", "/things/{thing_id}/action", policy="", actions={
            "make": Action(make, "anyone"), "end": Action(show, "anyone", since="2.3"),
        }),
    ),
    policies=(),
    error_body=lambda error, request_id: {"fault": {"code": error.status, "causes": [error.message]}},
    types={"toy": ""},
    head_as_get=True,
)  # fmt: skip


@pytest.fixture
def document() -> Any:
    return openapi.document(TOY)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with cloud_of(tmp_path, TOY) as cloud:
        yield TestClient(App(cloud, [TOY]))


def test_a_body_is_the_handlers_shape(document: Any) -> None:
    body = document["paths"]["/things"]["post"]["requestBody"]
    assert body == {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Whole"}}},
    }
    part = document["components"]["schemas"]["Part"]
    assert part["properties"]["size"] == {"type": "integer"}
    assert part["properties"]["colour"]["description"] == "since microversion 2.19"
    assert part["additionalProperties"] is False


def test_replies_parameters_and_rules(document: Any) -> None:
    one = document["paths"]["/things/{thing_id}"]["get"]
    assert [(p["name"], p["in"], p.get("required", False)) for p in one["parameters"]] == [
        ("thing_id", "path", True), ("colour", "query", False)
    ]  # fmt: skip
    items = one["responses"]["200"]["content"]["application/json"]["schema"]["items"]
    assert items == {"$ref": "#/components/schemas/Seen"}
    assert one["x-policy"] == ["anyone"]
    assert document["paths"]["/things"]["post"]["summary"] == "Make a thing."
    assert "202" in document["paths"]["/things"]["post"]["responses"]
    public = document["paths"]["/certificate"]["get"]
    assert public["security"] == [] and "text/xml" in public["responses"]["200"]["content"]


def test_actions_are_alternatives(document: Any) -> None:
    schema = document["paths"]["/things/{thing_id}/action"]["post"]["requestBody"]["content"]["application/json"][
        "schema"
    ]
    make_, end = schema["anyOf"]
    assert make_["properties"]["make"] == {"$ref": "#/components/schemas/Whole"}
    assert end["required"] == ["end"] and end["description"] == "since microversion 2.3"


def test_head_comes_with_get_and_has_no_body(document: Any) -> None:
    head = document["paths"]["/things/{thing_id}"]["head"]
    assert head["operationId"].startswith("head")
    assert all("content" not in answer for answer in head["responses"].values())


def test_errors_look_as_the_service_says_them(document: Any) -> None:
    refused = document["components"]["responses"]["Forbidden"]["content"]["application/json"]["schema"]
    fault = refused["properties"]["fault"]
    assert fault["properties"] == {
        "code": {"type": "integer"}, "causes": {"type": "array", "items": {"type": "string"}}
    }  # fmt: skip
    assert document["paths"]["/things"]["post"]["responses"]["403"] == {"$ref": "#/components/responses/Forbidden"}


def test_anyone_is_served_it(client: TestClient) -> None:
    reply = client.get("/toy/openapi.json")
    assert reply.status_code == 200 and reply.headers["content-type"] == "application/json"
    assert reply.json()["paths"].keys() == openapi.document(TOY)["paths"].keys()
    assert client.get("/toy/openapi.json").content == reply.content


@pytest.mark.parametrize("manifest", SERVICES, ids=lambda manifest: str(manifest.name))
def test_every_service_is_described_whole(manifest: Manifest) -> None:
    made = openapi.document(manifest)
    described = {(method.upper(), path) for path, found in made["paths"].items() for method in found}
    assert {(route.method, route.path) for route in manifest.routes} <= described
    names = [operation["operationId"] for found in made["paths"].values() for operation in found.values()]
    assert len(names) == len(set(names))


def test_every_reply_of_identity_has_a_type() -> None:
    """What answers with a body says which, so that the fuzzing tests can hold it to that."""
    silent = {
        f"{route.method} {route.path}"
        for route in IDENTITY.routes
        if route.reply is None and route.status not in (204, 410) and route.method != "HEAD"
    }
    assert silent == {"PUT /v3/projects/{project_id}/tags/{value}"}  # 201 with nothing but an address
