"""A body for each operation that takes one: what a client would send, so that only the right to do it decides.

Names in angle brackets are ids of the side that the request is about (`<network>`), or of what is shared (`<shared:image>`).
"""

import copy
from typing import Any

from tests.security.world import HOST, PUBLIC_KEY, password_of

Ids = dict[str, dict[str, str]]
UUID = "11111111-2222-4333-8444-555555555555"
_TAGS = {"tags": ["fresh"]}
_NAMED = {"host": HOST, "binary": "nova-compute"}
_STOCK = {"total": 4}
_MEMBER = {"name": "member", "domain": {"id": "default"}, "password": password_of("member")}
_REGISTERED = {"service_id": "<shared:own_service>", "resource_name": "fresh"}
_CONFIG = {"config": {"ldap": {"url": "ldap://192.0.2.8"}}}
_PARTNERS = {
    "identity_providers/{idp_id}": {"identity_provider": {"description": "changed"}},
    "identity_providers/{idp_id}/protocols/{protocol_id}": {"protocol": {"mapping_id": "used"}},
    "mappings/{mapping_id}": {
        "mapping": {"rules": [{"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "REMOTE_USER"}]}]}
    },
    "service_providers/{sp_id}": {
        "service_provider": {"auth_url": "https://192.0.2.8/auth", "sp_url": "https://192.0.2.8/sp"}
    },
}
_CLAIM = {
    "allocations": {"<shared:provider>": {"resources": {"VCPU": 1}}},
    "project_id": "<project>",
    "user_id": "<user>",
    "consumer_generation": None,
    "consumer_type": "INSTANCE",
}
_NETWORK = "/v2.0/"

BODIES: dict[str, Any] = {
    "identity POST /v3/auth/tokens": {"auth": {"identity": {"methods": ["password"], "password": {"user": _MEMBER}}}},
    "identity POST /v3/projects": {"project": {"name": "fresh", "domain_id": "default"}},
    "identity PATCH /v3/projects/{project_id}": {"project": {"description": "changed"}},
    "identity PUT /v3/projects/{project_id}/tags": _TAGS,
    "identity POST /v3/domains": {"domain": {"name": "fresh"}},
    "identity PATCH /v3/domains/{domain_id}": {"domain": {"description": "changed"}},
    "identity POST /v3/users": {"user": {"name": "fresh", "domain_id": "default"}},
    "identity PATCH /v3/users/{user_id}": {"user": {"description": "changed"}},
    "identity POST /v3/users/{user_id}/password": {"user": {"original_password": "wrong", "password": "Taken-Over-1"}},
    "identity POST /v3/groups": {"group": {"name": "fresh", "domain_id": "default"}},
    "identity PATCH /v3/groups/{group_id}": {"group": {"description": "changed"}},
    "identity POST /v3/roles": {"role": {"name": "fresh"}},
    "identity PATCH /v3/roles/{role_id}": {"role": {"description": "changed"}},
    "identity POST /v3/services": {"service": {"type": "fresh", "name": "fresh"}},
    "identity PATCH /v3/services/{service_id}": {"service": {"description": "changed"}},
    "identity POST /v3/endpoints": {
        "endpoint": {"service_id": "<shared:service>", "interface": "admin", "url": "http://192.0.2.9/"}
    },
    "identity PATCH /v3/endpoints/{endpoint_id}": {"endpoint": {"url": "http://192.0.2.9/"}},
    "identity POST /v3/regions": {"region": {"id": "fresh"}},
    "identity PUT /v3/regions/{region_id}": {"region": {"description": "fresh"}},
    "identity PATCH /v3/regions/{region_id}": {"region": {"description": "changed"}},
    "identity POST /v3/users/{user_id}/application_credentials": {"application_credential": {"name": "fresh"}},
    "identity POST /v3/credentials": {"credential": {"type": "cert", "blob": "fresh", "user_id": "<user>"}},
    "identity PATCH /v3/credentials/{credential_id}": {"credential": {"blob": "changed"}},
    "identity POST /v3/users/{user_id}/credentials/OS-EC2": {"tenant_id": "<project>"},
    "identity POST /v3/ec2tokens": {"credentials": {"access": "<ec2_key>", "signature": "wrong"}},
    "identity POST /v3/s3tokens": {"credentials": {"access": "<ec2_key>", "signature": "wrong", "token": "wrong"}},
    "identity POST /v3/OS-TRUST/trusts": {
        "trust": {
            "trustor_user_id": "<user>",
            "trustee_user_id": "<shared:manager_id>",
            "impersonation": True,
            "project_id": "<project>",
            "roles": [{"id": "<role>"}],
        }
    },
    "identity POST /v3/registered_limits": {"registered_limits": [_REGISTERED | {"default_limit": 1}]},
    "identity PATCH /v3/registered_limits/{registered_limit_id}": {"registered_limit": {"default_limit": 9}},
    "identity POST /v3/limits": {
        "limits": [_REGISTERED | {"resource_name": "known", "domain_id": "default", "resource_limit": 4}]
    },
    "identity PATCH /v3/limits/{limit_id}": {"limit": {"resource_limit": 4}},
    "identity POST /v3/policies": {"policy": {"type": "text", "blob": "fresh"}},
    "identity PATCH /v3/policies/{policy_id}": {"policy": {"blob": "changed"}},
    "identity POST /v3/OS-EP-FILTER/endpoint_groups": {
        "endpoint_group": {"name": "fresh", "filters": {"interface": "public"}}
    },
    "identity PATCH /v3/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}": {"endpoint_group": {"description": "x"}},
    "identity PUT /v3/domains/{domain_id}/config": _CONFIG,
    "identity PATCH /v3/domains/{domain_id}/config": _CONFIG,
    "identity PATCH /v3/domains/{domain_id}/config/{group}": _CONFIG,
    "identity PATCH /v3/domains/{domain_id}/config/{group}/{option}": {"config": {"url": "ldap://192.0.2.8"}},
    "identity POST /v3/OS-OAUTH1/consumers": {"consumer": {"description": "fresh"}},
    "identity PATCH /v3/OS-OAUTH1/consumers/{consumer_id}": {"consumer": {"description": "changed"}},
    "identity PUT /v3/OS-OAUTH1/authorize/{request_token_id}": {"roles": [{"id": "<role>"}]},
    "placement POST /resource_providers": {"name": "fresh"},
    "placement PUT /resource_providers/{uuid}": {"name": "changed"},
    "placement PUT /resource_providers/{uuid}/inventories": {
        "resource_provider_generation": 1,
        "inventories": {"VCPU": _STOCK},
    },
    "placement POST /resource_providers/{uuid}/inventories": {"resource_class": "PGPU", **_STOCK},
    "placement PUT /resource_providers/{uuid}/inventories/{resource_class}": {
        "resource_provider_generation": 1,
        **_STOCK,
    },
    "placement PUT /resource_providers/{uuid}/traits": {"resource_provider_generation": 1, "traits": []},
    "placement POST /resource_classes": {"name": "CUSTOM_FRESH"},
    "placement PUT /resource_providers/{uuid}/aggregates": {"aggregates": [UUID], "resource_provider_generation": 1},
    "placement POST /allocations": {UUID: _CLAIM},
    "placement PUT /allocations/{consumer_uuid}": _CLAIM,
    "placement POST /reshaper": {"inventories": {}, "allocations": {}},
    "image POST /v2/images": {"name": "fresh"},
    "image PATCH /v2/images/{image_id}": [{"op": "replace", "path": "/name", "value": "changed"}],
    "image POST /v2/images/{image_id}/members": {"member": "fresh"},
    "image PUT /v2/images/{image_id}/members/{member_id}": {"status": "accepted"},
    "image PUT /v2/images/{image_id}/file": b"octets",
    "image PUT /v2/images/{image_id}/stage": b"octets",
    "image POST /v2/images/{image_id}/import": {"method": {"name": "glance-direct"}},
    "image POST /v2/images/{image_id}/locations": {"url": "http://images.example/disk"},
    "image POST /v2/tasks": {
        "type": "import",
        "input": {"import_from": "http://images.example/disk", "import_from_format": "raw", "image_properties": {}},
    },
    f"network POST {_NETWORK}networks": {"network": {"name": "fresh"}},
    f"network POST {_NETWORK}subnets": {"subnet": {"network_id": "<network>", "ip_version": 4, "cidr": "10.77.0.0/24"}},
    f"network POST {_NETWORK}subnetpools": {"subnetpool": {"name": "fresh", "prefixes": ["10.78.0.0/16"]}},
    f"network POST {_NETWORK}ports": {"port": {"network_id": "<network>"}},
    f"network POST {_NETWORK}routers": {"router": {"name": "fresh"}},
    f"network POST {_NETWORK}floatingips": {"floatingip": {"floating_network_id": "<shared:network>"}},
    f"network POST {_NETWORK}security-groups": {"security_group": {"name": "fresh"}},
    f"network POST {_NETWORK}security-group-rules": {
        "security_group_rule": {"security_group_id": "<security_group>", "direction": "egress", "protocol": "tcp"}
    },
    f"network PUT {_NETWORK}routers/{{router_id}}/add_router_interface": {"port_id": "<loose_port>"},
    f"network PUT {_NETWORK}routers/{{router_id}}/remove_router_interface": {"subnet_id": "<subnet>"},
    f"network PUT {_NETWORK}routers/{{router_id}}/add_extraroutes": {"router": {"routes": []}},
    f"network PUT {_NETWORK}routers/{{router_id}}/remove_extraroutes": {"router": {"routes": []}},
    f"network PUT {_NETWORK}quotas/{{project_id}}": {"quota": {"network": 999}},
    f"network PUT {_NETWORK}agents/{{agent_id}}": {"agent": {"description": "changed"}},
    "compute POST /v2.1/flavors": {"flavor": {"name": "fresh", "ram": 64, "vcpus": 1, "disk": 1}},
    "compute PUT /v2.1/flavors/{flavor_id}": {"flavor": {"description": "changed"}},
    "compute POST /v2.1/flavors/{flavor_id}/os-extra_specs": {"extra_specs": {"hw:cpu_policy": "shared"}},
    "compute PUT /v2.1/flavors/{flavor_id}/os-extra_specs/{key}": {"known": "changed"},
    "compute POST /v2.1/os-keypairs": {"keypair": {"name": "fresh", "public_key": PUBLIC_KEY}},
    "compute POST /v2.1/servers": {
        "server": {"name": "fresh", "imageRef": "<shared:image>", "flavorRef": "42", "networks": "none"}
    },
    "image POST /v2/metadefs/namespaces": {"namespace": "Fresh::Namespace"},
    "compute POST /v2.1/pileus-boot-forecasts": {
        "server": {"name": "fresh", "imageRef": "<shared:image>", "flavorRef": "42", "networks": "none"}
    },
    "compute PUT /v2.1/servers/{server_id}": {"server": {"name": "changed"}},
    "compute POST /v2.1/servers/{server_id}/metadata": {"metadata": {"fresh": "1"}},
    "compute PUT /v2.1/servers/{server_id}/metadata": {"metadata": {"fresh": "1"}},
    "compute PUT /v2.1/servers/{server_id}/metadata/{key}": {"meta": {"known": "1"}},
    "compute PUT /v2.1/servers/{server_id}/tags": _TAGS,
    "compute POST /v2.1/os-server-external-events": {
        "events": [{"name": "network-changed", "server_uuid": "<server>"}]
    },
    "compute POST /v2.1/os-server-groups": {"server_group": {"name": "fresh", "policy": "affinity"}},
    "compute PUT /v2.1/os-quota-sets/{tenant_id}": {"quota_set": {"cores": 999}},
    "compute PUT /v2.1/os-quota-class-sets/{class_name}": {"quota_class_set": {"cores": 999}},
    "compute POST /v2.1/os-aggregates": {"aggregate": {"name": "fresh"}},
    "compute PUT /v2.1/os-aggregates/{aggregate_id}": {"aggregate": {"name": "changed"}},
    "compute PUT /v2.1/os-hosts/{host_name}": {"status": "enable"},
    "compute PUT /v2.1/os-services/enable": _NAMED,
    "compute PUT /v2.1/os-services/disable": _NAMED,
    "compute PUT /v2.1/os-services/disable-log-reason": {**_NAMED, "disabled_reason": "because"},
    "compute PUT /v2.1/os-services/force-down": {**_NAMED, "forced_down": True},
    "compute PUT /v2.1/os-services/{service_id}": {"status": "disabled"},
}
for _path, _body in _PARTNERS.items():
    BODIES[f"identity PUT /v3/OS-FEDERATION/{_path}"] = BODIES[f"identity PATCH /v3/OS-FEDERATION/{_path}"] = _body
for _kind, _singular in (
    ("networks", "network"),
    ("subnets", "subnet"),
    ("subnetpools", "subnetpool"),
    ("ports", "port"),
    ("routers", "router"),
    ("floatingips", "floatingip"),
    ("security-groups", "security_group"),
):
    _id = f"{{{_singular}_id}}"
    BODIES[f"network PUT {_NETWORK}{_kind}/{_id}"] = {_singular: {"description": "changed"}}
    BODIES[f"network PUT {_NETWORK}{_kind}/{_id}/tags"] = _TAGS
    BODIES[f"network POST {_NETWORK}{_kind}/{_id}/tags"] = _TAGS

ACTIONS: dict[str, Any] = {
    "addTenantAccess": {"tenant": "<project>"},
    "removeTenantAccess": {"tenant": "<project>"},
    "reboot": {"type": "HARD"},
    "lock": {},
    "addSecurityGroup": {"name": "<security_group>"},
    "removeSecurityGroup": {"name": "default"},
    "os-resetState": {"state": "error"},
    "os-getConsoleOutput": {"length": 1},
    "add_host": {"host": HOST},
    "remove_host": {"host": HOST},
    "set_metadata": {"metadata": {"fresh": "1"}},
}


def body_of(operation: str, action: str | None, ids: Ids, side: str) -> Any:
    """What to send, with the ids of `side` (red's for what is shared or not there) put in."""
    wanted = {action: ACTIONS.get(action)} if action is not None else BODIES.get(operation)
    return _filled(copy.deepcopy(wanted), ids, side)


def _filled(value: Any, ids: Ids, side: str) -> Any:
    if isinstance(value, dict):
        return {_filled(key, ids, side): _filled(entry, ids, side) for key, entry in value.items()}
    if isinstance(value, list):
        return [_filled(entry, ids, side) for entry in value]
    if isinstance(value, str) and value.startswith("<"):
        name = value[1:-1].removeprefix("shared:")
        return ids["shared" if value.startswith("<shared:") else side][name]
    return value
