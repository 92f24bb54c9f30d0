from pileus.network.policy import ADMIN, NET_OWNER, READER, attribute_rules, rules

RULES = rules(
    {
        "create_subnet": NET_OWNER,
        **attribute_rules("create_subnet", ADMIN, "service_types"),
        "get_subnet": f"{READER} or rule:shared or rule:external or (role:reader and rule:network_owner)",
        "get_subnets": "rule:anyone",
        "update_subnet": f"{NET_OWNER} or rule:project_member",
        **attribute_rules("update_subnet", ADMIN, "service_types"),
        "delete_subnet": f"{NET_OWNER} or rule:project_member",
    },
    "Subnets",
)
