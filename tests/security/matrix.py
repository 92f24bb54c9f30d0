"""Who may do what: every operation of every service, asked by every kind of caller about its own, others' and shared things.

`python -m tests.security.matrix` (with `PYTHONPATH=src:.`) writes the golden files anew; read their difference before committing it.
"""

import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pileus.composition import SERVICES
from pileus.kernel.http.routes import PUBLIC, Route
from tests.security.bodies import UUID, body_of
from tests.security.world import HOST, PEOPLE, World, world_of

GOLDEN = Path(__file__).parent / "golden"
TARGETS = ("red", "blue", "lent", "shared", "fake")
ANYWHERE = {"tag": "known", "value": "known", "key": "known", "version_id": "v2.1", "alias": "os-keypairs"}
OF_A_SIDE = {
    "identity": {
        "project_id": "project",
        "user_id": "user",
        "group_id": "group",
        "prior_role_id": "other_role",
        "application_credential_id": "application_credential",
        "access_rule_id": "access_rule",
        "credential_id": "credential",
        "ec2_credential_id": "ec2_key",
        "trust_id": "trust",
        "access_token_id": "access_token",
        "request_token_id": "request_token",
        "limit_id": "limit",
    },
    "placement": {"consumer_uuid": "server"},
    "image": {"image_id": "image", "member_id": "member"},
    "network": {
        f"{kind}_id": kind
        for kind in (
            "network", "subnet", "subnetpool", "port", "router", "floatingip", "security_group", "rule", "project"
        )
    },
    "compute": {
        "server_id": "server",
        "group_id": "server_group",
        "tenant_id": "project",
        "port_id": "server_port",
        "request_id": "request",
        "name": "keypair",
    },
}  # fmt: skip
OF_ALL = {
    "identity": {
        f"{kind}_id": kind
        for kind in ("service", "endpoint", "registered_limit", "policy", "endpoint_group", "consumer")
    },
    "placement": {"uuid": "provider"},
    "image": {"image_id": "image"},
    "network": {"network_id": "network", "subnet_id": "subnet", "subnetpool_id": "subnetpool", "agent_id": "agent"},
    "compute": {"aggregate_id": "aggregate", "hypervisor_id": "hypervisor", "service_id": "compute_service"},
}
CONSTANT = {
    "identity": {
        "role_id": "@role",
        "implied_role_id": "@role",
        "domain_id": "default",
        "region_id": "known",
        "group": "ldap",
        "option": "url",
        **dict.fromkeys(("idp_id", "protocol_id", "mapping_id", "sp_id"), "known"),
    },
    "placement": {"resource_class": "VCPU", "name": "CUSTOM_KNOWN"},
    "compute": {
        "flavor_id": "42",
        "class_name": "default",
        "host_name": HOST,
        "pattern": HOST,
        "volume_id": UUID,
        "migration_id": "1",
        "label": "@label",
    },
}


class Cell(NamedTuple):
    """One question: an operation (and its action) about a target."""

    operation: str
    action: str | None
    target: str
    method: str
    path: str
    public: bool
    version: str


def cells(world: World) -> Iterator[Cell]:
    for manifest in SERVICES:
        seen: set[str] = set()
        for route in manifest.routes:
            operation = f"{manifest.name} {route.method} {route.path}"
            if operation in seen:  # an older microversion's form of the same
                continue
            seen.add(operation)
            actions: tuple[str | None, ...] = tuple(route.actions or ()) or (None,)
            for target in TARGETS:
                path = _path(world, manifest.name, route, target)
                for action in actions if path is not None else ():
                    public = route.rules == [PUBLIC]
                    version = route.until if manifest.name == "compute" and route.until else "2.96"
                    yield Cell(operation, action, target, route.method, f"/{manifest.name}{path}", public, version)


def _path(world: World, service: str, route: Route, target: str) -> str | None:
    """The path with ids of the target; None when the target has none of these things."""
    params = re.findall(r"\{(.*?)\}", route.path)
    own = OF_A_SIDE.get(service, {})
    common = OF_ALL.get(service, {})
    if not params:
        return route.path if target == "red" else None
    if target == "fake":
        return re.sub(r"\{.*?\}", UUID, route.path)
    if target == "shared" and not any(name in common or name in CONSTANT.get(service, {}) for name in params):
        return None
    if target == "shared" and any(name in own and name not in common for name in params):
        return None
    if target != "shared" and not any(name in own for name in params):
        return None
    if target == "lent" and (service != "image"):
        return None
    values = {name: value_of(world, service, name, target, route.path) for name in params}
    if None in values.values():
        return None
    return re.sub(r"\{(.*?)\}", lambda found: str(values[found[1]]), route.path)


def value_of(world: World, service: str, name: str, target: str, path: str) -> str | None:
    """The id that a parameter of the path has, of a target of TARGETS."""
    ids = world.ids
    if name == "credential_id" and "/OS-EC2/" in path:
        name = "ec2_credential_id"
    if target == "fake":
        return UUID
    if target == "lent":
        lent = {"image_id": ids["red"]["image_to_other"], "member_id": ids["blue"]["project"]}
        return lent.get(name, ANYWHERE.get(name))
    if target == "shared":
        if name in OF_ALL.get(service, {}):
            return ids["shared"][OF_ALL[service][name]]
    elif name in OF_A_SIDE.get(service, {}):
        return ids[target][OF_A_SIDE[service][name]]
    elif service == "identity" and name in OF_ALL[service]:
        return ids["shared"][OF_ALL[service][name]]
    constant = CONSTANT.get(service, {}).get(name, ANYWHERE.get(name))
    if constant == "@role":
        return ids["red"]["role"]
    return f"{target}-net" if constant == "@label" else constant or UUID


def answer(world: World, who: str, cell: Cell) -> int:
    side = cell.target if cell.target in ("red", "blue") else "red"
    body = body_of(cell.operation, cell.action, world.ids, side)
    headers = {"openstack_api_version": f"compute {cell.version},placement 1.39"}
    if cell.operation.startswith("image PATCH"):
        headers["content_type"] = "application/openstack-images-v2.1-json-patch"
    elif isinstance(body, bytes):
        headers["content_type"] = "application/octet-stream"
    if cell.operation.endswith("/v3/auth/tokens"):
        headers["x_subject_token"] = world.tokens["member"] or ""
    return world.ask(who, cell.method, cell.path, body, **headers).status


def rows(world: World) -> Iterator[tuple[Cell, tuple[int, ...]]]:
    """The statuses that PEOPLE get, in their order; nothing that they do lasts."""
    with world.taken_back():
        for cell in cells(world):
            yield cell, tuple(answer(world, who, cell) for who in PEOPLE)


def tables(found: list[tuple[Cell, tuple[int, ...]]]) -> dict[str, str]:
    """The golden files by name: one for each service."""
    lines: dict[str, list[str]] = {}
    for cell, statuses in found:
        service, operation = cell.operation.split(" ", 1)
        name = f"{operation} {cell.action}" if cell.action else operation
        table = lines.setdefault(f"{service}.tsv", ["\t".join(("operation", "about", *PEOPLE))])
        table.append("\t".join((name, cell.target, *map(str, statuses))))
    return {name: "\n".join(table) + "\n" for name, table in lines.items()}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, world_of(Path(folder)) as world:
        for name, table in tables(list(rows(world))).items():
            (GOLDEN / name).write_text(table)
            sys.stdout.write(f"{name}: {table.count(chr(10)) - 1} rows\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
