"""What callers send as allocations: a list until 1.11, a map by provider since 1.12."""

from typing import Annotated

from msgspec import UNSET, Meta

from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call
from pileus.kernel.http.schema import Shape, Unset, since
from pileus.placement.allocations.actions import Wanted
from pileus.placement.names import Amount, Name, Owner, Uuid, canonical

UNKNOWN = "unknown"  # the consumer type of those who could not tell theirs
NOBODY = "00000000-0000-0000-0000-000000000000"  # the owner of what came before 1.8
Resources = Annotated[dict[Name, Amount], Meta(min_length=1)]


class ProviderRef(Shape):
    uuid: Uuid


class ListEntry(Shape):
    resource_provider: ProviderRef
    resources: Resources


class ListBody(Shape):
    allocations: Annotated[list[ListEntry], Meta(min_length=1)]
    project_id: Annotated[Owner | Unset, since("1.8")] = UNSET
    user_id: Annotated[Owner | Unset, since("1.8")] = UNSET


class MapEntry(Shape):
    """`generation` is taken and not looked at, so that what GET gave can be sent back."""

    resources: Resources
    generation: int | Unset = UNSET


class MapBody(Shape):
    """Which of the last three fields there must be, or must not, depends on the microversion: see `wanted`."""

    allocations: dict[Uuid, MapEntry]
    project_id: Owner
    user_id: Owner
    consumer_generation: int | None | Unset = UNSET
    mappings: dict[str, Annotated[list[Uuid], Meta(min_length=1)]] | Unset = UNSET
    consumer_type: Name | Unset = UNSET


def wanted_of_list(call: Call, consumer_id: str, body: ListBody) -> Wanted:
    if call.at_least(1, 8) and (body.project_id is UNSET or body.user_id is UNSET):
        raise BadRequest("project_id and user_id are required since microversion 1.8.")
    resources: dict[str, dict[str, int]] = {}
    for entry in body.allocations:
        provider_id = canonical(entry.resource_provider.uuid, "resource_provider.uuid")
        if provider_id in resources:
            raise BadRequest(f"Resource provider {provider_id} comes twice in allocations.")
        resources[provider_id] = entry.resources
    project = NOBODY if body.project_id is UNSET else body.project_id
    user = NOBODY if body.user_id is UNSET else body.user_id
    return Wanted(canonical(consumer_id, "consumer_uuid"), project, user, UNSET, None, resources)


def wanted(call: Call, consumer_id: str, body: MapBody) -> Wanted:
    _check(call, "consumer_generation", body.consumer_generation is not UNSET, 28, required=True)
    _check(call, "mappings", body.mappings is not UNSET, 34, required=False)
    _check(call, "consumer_type", body.consumer_type is not UNSET, 38, required=True)
    return Wanted(
        canonical(consumer_id, "consumer_uuid"),
        body.project_id,
        body.user_id,
        body.consumer_generation,
        None if body.consumer_type is UNSET else body.consumer_type,
        {canonical(key, "A provider in allocations"): entry.resources for key, entry in body.allocations.items()},
    )


def _check(call: Call, name: str, given: bool, minor: int, *, required: bool) -> None:
    known = call.at_least(1, minor)
    if given and not known:
        raise BadRequest(f"{name} came with microversion 1.{minor}; this request speaks {call.version}.")
    if required and known and not given:
        raise BadRequest(f"{name} is required since microversion 1.{minor}.")
