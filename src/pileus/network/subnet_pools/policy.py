from pileus.network.policy import ADMIN, MEMBER, READER, attribute_rules, rules

RULES = rules(
    {
        "create_subnetpool": MEMBER,
        **attribute_rules("create_subnetpool", ADMIN, "shared", "is_default"),
        "get_subnetpool": f"{READER} or rule:shared",
        "get_subnetpools": "rule:anyone",
        "update_subnetpool": MEMBER,
        **attribute_rules("update_subnetpool", ADMIN, "is_default"),
        "delete_subnetpool": MEMBER,
    },
    "Subnet pools",
)
