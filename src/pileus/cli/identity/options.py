"""The words of `pileus identity`. Standard library only, like the rest of the command line."""

import argparse
from pathlib import Path

KEYS = ("tokens", "jws", "credentials")


def add(identity: argparse.ArgumentParser) -> None:
    commands = identity.add_subparsers(dest="identity_command", metavar="COMMAND", required=True)

    commands.add_parser("keys", help="keys of tokens and credentials: their roles and ages, never what they are")
    rotate = commands.add_parser("rotate-keys", help="take the staged key into use, stage a new one, drop the oldest")
    rotate.add_argument(
        "which", nargs="*", choices=[[], *KEYS], metavar="KEYS", help=f"{', '.join(KEYS)} (default: all)"
    )
    rotate.add_argument(
        "--at-once", action="store_true", help="also when the staged key is so new that not every process knows it"
    )
    commands.add_parser(
        "migrate-credentials", help="encrypt every credential with the primary key, so that old keys can go"
    )
    commands.add_parser("flush-tokens", help="forget revocations of tokens whose time is over anyway")
    commands.add_parser("purge-trusts", help="drop trusts that are over")
    purge = commands.add_parser("purge-mappings", help="drop users and groups that a directory (LDAP) has no more")
    purge.add_argument("--domain", metavar="ID", help="of this domain alone")
    purge.add_argument("--type", choices=("user", "group"), help="users or groups alone")
    purge.add_argument("--all", action="store_true", help="also those that are still there: their roles go")
    test = commands.add_parser("test-mapping", help="what a federation mapping makes of what an identity provider says")
    test.add_argument("rules", metavar="RULES", help="file with the rules (JSON), or the id of a mapping of this cloud")
    test.add_argument("input", type=Path, metavar="INPUT", help="file with lines of the form `attribute: value;value`")
    test.add_argument(
        "--schema-version", choices=("1.0", "2.0"), default="1.0", help="of rules in a file (default 1.0)"
    )
    explain = commands.add_parser(
        "explain", help="why a user does not get in: what is so now, and what was refused lately"
    )
    explain.add_argument("user", metavar="USER", help="name or id")
    commands.add_parser("reset-admin", help="give the administrator a new password, its role, and let it in again")
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true", help="print JSON")
