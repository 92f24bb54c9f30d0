"""Extra specs of a flavor: what the scheduler and the hypervisor are told beside the sizes."""

from pileus.compute.flavors import known_specs, queries
from pileus.compute.flavors.schemas import ExtraSpecBody, ExtraSpecsBody, SpecValue
from pileus.kernel.errors import BadRequest, NotFound
from pileus.kernel.http.call import Call, Json

# the rules are about the caller's project, not the flavor (which has none): so the flavor is found here, not by `load`


def index(call: Call, flavor_id: str) -> Json:
    return {"extra_specs": queries.find(call, flavor_id).extra_specs}


def show(call: Call, flavor_id: str, key: str) -> Json:
    return {key: _held(call, flavor_id, key)[key]}


def create(call: Call, flavor_id: str, body: ExtraSpecsBody) -> Json:
    return {"extra_specs": _set(call, flavor_id, body.extra_specs)}


def update(call: Call, flavor_id: str, key: str, body: ExtraSpecBody) -> Json:
    if key not in body:
        raise BadRequest("Request body and URI mismatch")
    return _set(call, flavor_id, body)


def delete(call: Call, flavor_id: str, key: str) -> None:
    held = _held(call, flavor_id, key)
    queries.find(call, flavor_id).extra_specs = {name: value for name, value in held.items() if name != key}


def _held(call: Call, flavor_id: str, key: str) -> dict[str, str]:
    held = queries.find(call, flavor_id).extra_specs
    if key not in held:
        raise NotFound(f"Flavor {flavor_id} has no extra specs with key {key}.")
    return held


def _set(call: Call, flavor_id: str, asked: dict[str, SpecValue]) -> dict[str, str]:
    flavor = queries.find(call, flavor_id)
    given = {key: str(value) for key, value in asked.items()}
    if call.at_least(2, 86):
        for key, value in given.items():
            known_specs.check(key, value)
    flavor.extra_specs = {**flavor.extra_specs, **given}
    return given
