"""Trying a mapping before anybody logs in with it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from pileus.identity.federation.mappings import engine, rules
from pileus.kernel.errors import BadRequest


def evaluate(given: object, assertion: Mapping[str, str], version: str = "1.0") -> dict[str, Any]:
    """What comes out of rules (as they are written in JSON) for an assertion; or `{"error": …}` with the reason for each rule."""
    try:
        mapped = engine.evaluate(rules.read(given, version), split(assertion), version)
    except (BadRequest, engine.Unmapped) as problem:
        return {"error": str(problem)}
    result: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(mapped))
    return result


def split(environment: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Texts as a web server's environment has them: several values are separated by `;`."""
    return {name: tuple(value for value in text.split(";") if value) for name, text in environment.items()}


def assertion(text: str) -> dict[str, str]:
    """From lines of the form `name: value`, as upstream's tester takes them."""
    pairs = (line.partition(":") for line in text.splitlines() if line.strip())
    return {name.strip(): value.strip() for name, colon, value in pairs if colon}
