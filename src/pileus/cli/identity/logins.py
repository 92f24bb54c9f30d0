"""`pileus identity explain`, `test-mapping`: logins that are refused, and logins before anybody tries them."""

import argparse
from pathlib import Path
from typing import Any

import msgspec

from pileus.cli.installation import composed, tell
from pileus.identity.federation.mappings import tester
from pileus.identity.federation.mappings.models import Mapping
from pileus.identity.refusals import explain as refusals
from pileus.kernel.errors import BadRequest, NotFound


def explain(options: argparse.Namespace) -> int:
    with composed(options) as cloud, cloud.db.reading() as db:
        lines = refusals.explain(cloud, db, options.user)
    tell(options, {"user": options.user, "findings": [line.strip() for line in lines]}, *lines)
    return 0


def test_mapping(options: argparse.Namespace) -> int:
    """Exit status 1 when nobody comes out."""
    said = tester.assertion(options.input.read_text())
    rules, version = _rules(options)
    result = tester.evaluate(rules, said, version)
    tell(options, result, msgspec.json.format(msgspec.json.encode(result), indent=2).decode())
    return 1 if "error" in result else 0


def _rules(options: argparse.Namespace) -> tuple[Any, str]:
    """The rules and the version they are written in. Of a file: a list, or as the API takes them."""
    path = Path(options.rules)
    if not path.is_file():
        with composed(options) as cloud, cloud.db.reading() as db:
            held = db.get(Mapping, options.rules)
            if held is None:
                raise NotFound(f"{options.rules} is neither a file nor a mapping of this cloud")
            return held.rules, held.schema_version
    try:
        given = msgspec.json.decode(path.read_bytes())
    except msgspec.DecodeError as error:
        raise BadRequest(f"{path} is not JSON: {error}") from None
    given = given.get("mapping", given) if isinstance(given, dict) else given
    return given.get("rules") if isinstance(given, dict) else given, options.schema_version
