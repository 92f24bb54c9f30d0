"""Allocation candidates as answers show them: ready to be sent as allocations, with what the providers have left."""

from collections.abc import Sequence

from pileus.kernel.http.call import Call, Json
from pileus.placement.candidates.forest import Forest, Place
from pileus.placement.candidates.request import Request
from pileus.placement.candidates.search import Candidate


def view(call: Call, forest: Forest, request: Request, found: Sequence[Candidate]) -> Json:
    named = {provider for candidate in found for provider in candidate.amounts}
    named |= {provider for candidate in found for ids in candidate.mappings.values() for provider in ids}
    if call.at_least(1, 29):
        roots = {forest.places[provider].root_id for provider in named}
        named = {place.id for root in roots for place in forest.trees[root]}
    asked = {name for group in request.groups for name in group.resources}
    return {
        "allocation_requests": [_request(call, candidate) for candidate in found],
        "provider_summaries": {provider: _summary(call, forest.places[provider], asked) for provider in sorted(named)},
    }


def _request(call: Call, candidate: Candidate) -> Json:
    if not call.at_least(1, 12):
        entries = [{"resource_provider": {"uuid": k}, "resources": v} for k, v in candidate.amounts.items()]
        return {"allocations": entries}
    shown: Json = {"allocations": {provider: {"resources": amounts} for provider, amounts in candidate.amounts.items()}}
    return shown | ({"mappings": candidate.mappings} if call.at_least(1, 34) else {})


def _summary(call: Call, place: Place, asked: set[str]) -> Json:
    """Before 1.27 only of the classes that were asked for."""
    shown: Json = {
        "resources": {
            name: {"capacity": shelf.capacity, "used": shelf.used}
            for name, shelf in place.stock.items()
            if name in asked or call.at_least(1, 27)
        }
    }
    if call.at_least(1, 17):
        shown["traits"] = sorted(place.traits)
    if call.at_least(1, 29):
        shown |= {"parent_provider_uuid": place.parent_id, "root_provider_uuid": place.root_id}
    return shown
