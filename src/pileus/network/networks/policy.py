from pileus.network.policy import ADMIN, MEMBER, READER, attribute_rules, rules

PROVIDER = ("provider:network_type", "provider:physical_network", "provider:segmentation_id")
OPEN = f"{READER} or rule:shared or rule:external"

RULES = rules(
    {
        "create_network": MEMBER,
        **attribute_rules("create_network", ADMIN, "shared", "router:external", "is_default", *PROVIDER),
        **attribute_rules("create_network", MEMBER, "port_security_enabled"),
        "get_network": OPEN,
        "get_network:router:external": OPEN,
        **attribute_rules("get_network", ADMIN, *PROVIDER),
        "get_networks": "rule:anyone",
        "update_network": MEMBER,
        **attribute_rules("update_network", ADMIN, "shared", "router:external", "is_default", *PROVIDER),
        **attribute_rules("update_network", MEMBER, "port_security_enabled"),
        "delete_network": MEMBER,
    },
    "Networks",
)
