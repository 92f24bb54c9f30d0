from pileus.network.policy import ADMIN, MEMBER, READER, attribute_rules, rules

GATEWAY = "external_gateway_info"

RULES = rules(
    {
        "create_router": MEMBER,
        **attribute_rules(
            "create_router", ADMIN, "distributed", "ha", f"{GATEWAY}:enable_snat", f"{GATEWAY}:external_fixed_ips"
        ),
        **attribute_rules("create_router", MEMBER, GATEWAY, f"{GATEWAY}:network_id"),
        "get_router": READER,
        **attribute_rules("get_router", ADMIN, "distributed", "ha"),
        "get_routers": "rule:anyone",
        "update_router": MEMBER,
        **attribute_rules(
            "update_router", ADMIN, "distributed", "ha", f"{GATEWAY}:enable_snat", f"{GATEWAY}:external_fixed_ips"
        ),
        **attribute_rules("update_router", MEMBER, GATEWAY, f"{GATEWAY}:network_id"),
        "delete_router": MEMBER,
        "add_router_interface": MEMBER,
        "remove_router_interface": MEMBER,
        "add_extraroutes": MEMBER,
        "remove_extraroutes": MEMBER,
    },
    "Routers",
)
