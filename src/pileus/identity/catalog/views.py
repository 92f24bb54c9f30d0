"""The JSON of services, endpoints, regions and endpoint groups."""

from pileus.identity.catalog.models import Endpoint, EndpointGroup, Region, Service
from pileus.kernel.http.call import Call, Json


def service_view(call: Call, row: Service) -> Json:
    body = row.extra | {
        "id": row.id,
        "type": row.type,
        "name": row.name or "",
        "enabled": row.enabled,
        "links": {"self": call.url(f"/v3/services/{row.id}")},
    }
    return body if row.description is None else body | {"description": row.description}


def endpoint_view(call: Call, row: Endpoint) -> Json:
    body = row.extra | {
        "id": row.id,
        "service_id": row.service_id,
        "interface": row.interface,
        "url": row.url,
        "region": row.region_id,
        "region_id": row.region_id,
        "enabled": row.enabled,
        "links": {"self": call.url(f"/v3/endpoints/{row.id}")},
    }
    return body if row.name is None else body | {"name": row.name}


def region_view(call: Call, row: Region) -> Json:
    return row.extra | {
        "id": row.id,
        "parent_region_id": row.parent_region_id,
        "description": row.description,
        "links": {"self": call.url(f"/v3/regions/{row.id}")},
    }


def group_view(call: Call, row: EndpointGroup) -> Json:
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "filters": row.filters,
        "links": {"self": call.url(f"/v3/OS-EP-FILTER/endpoint_groups/{row.id}")},
    }
