from pileus.network.policy import (
    MEMBER,
    NET_OWNER,
    NET_OWNER_OR_SERVICE,
    NET_OWNER_READER,
    READER,
    SERVICE,
    attribute_rules,
    rules,
)

ADDRESSES = f"{NET_OWNER_OR_SERVICE} or rule:network_shared"
SECRET = ("binding:host_id", "binding:profile", "binding:vif_type", "binding:vif_details")

RULES = rules(
    {
        "create_port": f"{MEMBER} or rule:service_role",
        # of the owners that begin with `network:`; a port of a router or DHCP server is trusted, so a project's manager is not enough
        **attribute_rules("create_port", NET_OWNER_OR_SERVICE, "device_owner", "mac_address", "port_security_enabled"),
        **attribute_rules("create_port", NET_OWNER, "allowed_address_pairs", "fixed_ips:ip_address"),
        **attribute_rules("create_port", ADDRESSES, "fixed_ips"),
        **attribute_rules("create_port", SERVICE, "binding:host_id", "binding:profile"),
        **attribute_rules("create_port", MEMBER, "binding:vnic_type"),
        "get_port": f"{READER} or {NET_OWNER_READER} or rule:service_role",
        **attribute_rules("get_port", SERVICE, *SECRET),
        "get_ports": "rule:anyone",
        "update_port": f"{MEMBER} or rule:service_role",
        **attribute_rules("update_port", NET_OWNER_OR_SERVICE, "device_owner", "port_security_enabled"),
        **attribute_rules("update_port", NET_OWNER, "allowed_address_pairs", "fixed_ips:ip_address"),
        **attribute_rules("update_port", ADDRESSES, "fixed_ips"),
        **attribute_rules("update_port", SERVICE, "mac_address", "binding:host_id", "binding:profile"),
        **attribute_rules("update_port", MEMBER, "binding:vnic_type"),
        "delete_port": f"{MEMBER} or {NET_OWNER} or rule:service_role",
    },
    "Ports",
)
