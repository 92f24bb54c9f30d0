"""OS-ENDPOINT-POLICY: which policy is that of an endpoint.

The most specific association holds: the endpoint's own; its service's in its region, or in the nearest region above; its service's.
"""

from typing import NamedTuple

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from pileus.identity.catalog.endpoints import ENDPOINTS
from pileus.identity.catalog.models import Endpoint
from pileus.identity.catalog.regions import REGIONS, lineage, parents
from pileus.identity.catalog.replies import MANY
from pileus.identity.catalog.services import SERVICES
from pileus.identity.policies import replies
from pileus.identity.policies.models import PolicyAssociation, PolicyBlob
from pileus.identity.policies.routes import policy, view
from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Handler, Route

Key = tuple[str, str, str]  # endpoint, service, region: as PolicyAssociation's


class Place(NamedTuple):
    """A policy, and what the path says it is for."""

    policy: PolicyBlob
    key: Key

    def policy_target(self) -> dict[str, object]:
        return {}


def endpoint_place(call: Call, policy_id: str) -> Place:
    return Place(policy(call, policy_id), (ENDPOINTS.named(call).id, "", ""))


def service_place(call: Call, policy_id: str) -> Place:
    return Place(policy(call, policy_id), ("", SERVICES.named(call).id, ""))


def region_place(call: Call, policy_id: str) -> Place:
    return Place(policy(call, policy_id), ("", SERVICES.named(call).id, REGIONS.named(call).id))


def associate(call: Call, target: Place) -> None:
    """In place of any other policy."""
    endpoint_id, service_id, region_id = target.key
    row = PolicyAssociation(
        endpoint_id=endpoint_id, service_id=service_id, region_id=region_id, policy_id=target.policy.id
    )
    call.db.merge(row)


def check(call: Call, target: Place) -> None:
    _association(call, target)


def end(call: Call, target: Place) -> None:
    call.db.delete(_association(call, target))


def _association(call: Call, target: Place) -> PolicyAssociation:
    row = call.db.get(PolicyAssociation, target.key)
    if row is None or row.policy_id != target.policy.id:
        raise NotFound(f"Policy {target.policy.id} is not associated with {', '.join(filter(None, target.key))}.")
    return row


def _keys(above: dict[str, str | None], endpoint: Endpoint) -> list[Key]:
    """What may give the endpoint its policy, the most specific first."""
    regions = [("", endpoint.service_id, region) for region in lineage(above, endpoint.region_id)]
    return [(endpoint.id, "", ""), *regions, ("", endpoint.service_id, "")]


def _policies(db: Session, query: Select[PolicyAssociation]) -> dict[Key, str]:
    return {(row.endpoint_id, row.service_id, row.region_id): row.policy_id for row in db.scalars(query)}


def of_endpoint(call: Call, endpoint: Endpoint) -> Json:
    near = or_(PolicyAssociation.endpoint_id == endpoint.id, PolicyAssociation.service_id == endpoint.service_id)
    policies = _policies(call.db, select(PolicyAssociation).where(near))
    held = next((policies[key] for key in _keys(parents(call), endpoint) if key in policies), None)
    found = call.db.get(PolicyBlob, held) if held else None
    if found is None:
        raise NotFound(f"No policy is associated with endpoint {endpoint.id}, its service or its region.")
    return {"policy": view(call, found)}


def endpoints(call: Call, target: PolicyBlob) -> Json:
    """Those with which it is associated in any of the three ways, also where a more specific policy holds."""
    given = _policies(call.db, select(PolicyAssociation).where(PolicyAssociation.policy_id == target.id))
    above = parents(call) if given else {}
    every = ENDPOINTS.all(call.cloud, call.db) if given else []
    rows = [row for row in every if any(key in given for key in _keys(above, row))]
    return ENDPOINTS.listed(call, rows, f"/v3/policies/{target.id}/OS-ENDPOINT-POLICY/endpoints")


def associated(call: Call, target: PolicyBlob) -> Json:
    """The policy, if it is associated with anything."""
    any_ = select(PolicyAssociation.policy_id).where(PolicyAssociation.policy_id == target.id).limit(1)
    if call.db.scalar(any_) is None:
        raise NotFound(f"Policy {target.id} is not associated with any endpoint, service or region.")
    return {"policy": view(call, target)}


_BASE = "/v3/policies/{policy_id}/OS-ENDPOINT-POLICY"
_PLACES = (
    ("endpoint", "/endpoints/{endpoint_id}", endpoint_place),
    ("service", "/services/{service_id}", service_place),
    ("region_and_service", "/services/{service_id}/regions/{region_id}", region_place),
)
_VERBS: tuple[tuple[str, str, Handler], ...] = (
    ("PUT", "create", associate),
    ("GET", "check", check),
    ("DELETE", "delete", end),
)
ROUTES = (
    *(
        Route(method, _BASE + path, handler, f"identity:{verb}_policy_association_for_{kind}", load=load, status=204)
        for kind, path, load in _PLACES
        for method, verb, handler in _VERBS
    ),
    Route(
        "GET",
        f"{_BASE}/endpoints",
        endpoints,
        "identity:list_endpoints_for_policy",
        load=policy,
        reply=MANY["endpoint"],
    ),
    Route("GET", f"{_BASE}/policy", associated, "identity:get_policy", load=policy, reply=replies.POLICY),
    Route(
        "GET",
        "/v3/endpoints/{endpoint_id}/OS-ENDPOINT-POLICY/policy",
        of_endpoint,
        "identity:get_policy_for_endpoint",
        load=ENDPOINTS.named,
        reply=replies.POLICY,
    ),
)
