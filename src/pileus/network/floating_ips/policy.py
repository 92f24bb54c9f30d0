from pileus.network.policy import ADMIN, MEMBER, READER, attribute_rules, rules

RULES = rules(
    {
        "create_floatingip": MEMBER,
        **attribute_rules("create_floatingip", ADMIN, "floating_ip_address"),
        "get_floatingip": READER,
        "get_floatingips": "rule:anyone",
        "update_floatingip": MEMBER,
        "delete_floatingip": MEMBER,
    },
    "Floating IPs",
)
