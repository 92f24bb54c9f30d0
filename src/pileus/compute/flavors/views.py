"""Flavors as the API shows them, by microversion."""

from pileus.compute.flavors.models import Flavor
from pileus.kernel.http.call import Call, Json


def brief(call: Call, flavor: Flavor) -> Json:
    shown: Json = {"id": flavor.id, "name": flavor.name, "links": links(call, flavor.id)}
    if call.at_least(2, 55):
        shown["description"] = flavor.description
    return shown


def detail(call: Call, flavor: Flavor, *, with_extra_specs: bool) -> Json:
    shown = brief(call, flavor) | {
        "ram": flavor.ram,
        "vcpus": flavor.vcpus,
        "disk": flavor.disk,
        "swap": flavor.swap or (0 if call.at_least(2, 75) else ""),
        "rxtx_factor": flavor.rxtx_factor,
        "OS-FLV-EXT-DATA:ephemeral": flavor.ephemeral,
        "OS-FLV-DISABLED:disabled": False,
        "os-flavor-access:is_public": flavor.is_public,
    }
    if with_extra_specs:
        shown["extra_specs"] = flavor.extra_specs
    return shown


def shows_extra_specs(call: Call, rule: str = "os_compute_api:os-flavor-extra-specs:index") -> bool:
    return call.at_least(2, 61) and call.allows(rule)


def links(call: Call, flavor_id: str) -> list[Json]:
    return [
        {"rel": "self", "href": call.url(f"/v2.1/flavors/{flavor_id}")},
        {"rel": "bookmark", "href": call.url(f"/flavors/{flavor_id}")},
    ]
