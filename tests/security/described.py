"""Requests made from our own API description (schemathesis), sent to the application directly and held to the description."""

import os
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from pileus.kernel.http.openapi import document
from pileus.kernel.manifest import Manifest
from tests.security.asgi import Answer
from tests.security.bodies import body_of
from tests.security.matrix import value_of
from tests.security.world import World

EXAMPLES = int(os.environ.get("PILEUS_FUZZ_EXAMPLES", "8"))  # of each operation and caller
AnyCase = Case[Any]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SIDES = ("red", "red", "shared", "fake", "any")
ORIGIN = "http://127.0.0.1"


def operations(manifest: Manifest) -> list[APIOperation[Any, Any, Any, Any]]:
    """All but HEAD, which is the GET without its body."""
    schema = schemathesis.openapi.from_dict(document(manifest))
    found = []
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result  # the description itself is good
        found.append(result.ok())
    return [operation for operation in found if operation.method.upper() != "HEAD"]


def fuzz(world: World, service: str, operation: APIOperation[Any, Any, Any, Any], who: str) -> None:
    """Good and bad requests, about known and unknown things. Raises schemathesis' FailureGroup for the first that is answered wrongly."""
    ids = {side: values | {"domain": "default"} for side, values in world.ids.items()}
    name = f"{service} {operation.method.upper()} {operation.path}"
    good = body_of(name, None, ids, "red")
    kinds = [operation.as_strategy(generation_mode=GenerationMode.POSITIVE)]
    if operation.body:
        kinds.append(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(kinds), about=st.sampled_from(SIDES), known=st.sampled_from(["as is", "changed", ""]))
    def check(case: AnyCase, about: str, known: str) -> None:
        if about != "any":
            case.path_parameters = {
                key: value_of(world, service, key, about, operation.path) or value
                for key, value in case.path_parameters.items()
            }
        if known and good is not None and isinstance(case.body, dict):
            case.body = good if known == "as is" else merged(good, case.body)
        case.validate_response(sent(world, service, case, who), checks=CHECKS)

    check()


def merged(good: Any, made: Any) -> Any:
    """The good body with what was made up in it, so that it is about things that exist."""
    if isinstance(good, list) and isinstance(made, list) and good:
        return [merged(good[0], value) for value in made]
    if not isinstance(good, dict) or not isinstance(made, dict):
        return made
    inner = {key: merged(good[key], value) if key in good else value for key, value in made.items()}
    return inner | {key: value for key, value in good.items() if key not in made or key.endswith("_id")}


def sent(world: World, service: str, case: AnyCase, who: str) -> Response:
    wanted = case.as_transport_kwargs(base_url=f"{ORIGIN}/{service}")
    request = requests.Request(**{key: value for key, value in wanted.items() if key in REQUEST}).prepare()
    address = urlsplit(str(request.url))
    headers = {name.lower(): value for name, value in request.headers.items() if isinstance(value, str)}
    headers["x-auth-token"] = world.tokens[who] or ""
    if "x-subject-token" in headers:
        headers["x-subject-token"] = world.tokens["member"] or ""
    data = request.body.encode() if isinstance(request.body, str) else request.body
    answer: Answer = world.client.raw(
        str(request.method), unquote(address.path), address.query.encode(), headers.items(), data or b""
    )
    return Response(
        answer.status, {name: [value] for name, value in answer.headers.items()}, answer.body, request, 0.0, False
    )


REQUEST = {"method", "url", "headers", "files", "data", "params", "cookies", "json"}
