from pileus.network.policy import MEMBER, READER, rules

RULES = rules(
    {
        "create_security_group": MEMBER,
        "get_security_group": READER,
        "get_security_groups": "rule:anyone",
        "update_security_group": MEMBER,
        "delete_security_group": MEMBER,
        "create_security_group_rule": MEMBER,
        "get_security_group_rule": READER,
        "get_security_group_rules": "rule:anyone",
        "delete_security_group_rule": MEMBER,
    },
    "Security groups",
)
