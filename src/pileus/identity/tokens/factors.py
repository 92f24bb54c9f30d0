"""Rules of users who must log in by several methods."""

from collections.abc import Collection

from pileus.identity.options import Options
from pileus.identity.tokens.payload import METHODS


def rules(options: Options) -> list[frozenset[str]]:
    """The sets of methods of which one is enough; none: any single method is.

    A rule that can not be followed (no list of method names, or one that names a method there is not) is left out, so that it locks
    nobody out; what else the user asked for stays.
    """
    if options.get("multi_factor_auth_enabled", True) is False:
        return []
    given = options.get("multi_factor_auth_rules") or []
    return [frozenset(rule) for rule in given if _is_rule(rule)] if isinstance(given, list) else []


def missing(options: Options, methods: Collection[str]) -> list[frozenset[str]]:
    """The rules to choose from when `methods` satisfy none; empty when they do."""
    wanted = rules(options)
    return [] if any(rule <= set(methods) for rule in wanted) else wanted


def _is_rule(rule: object) -> bool:
    return isinstance(rule, list) and bool(rule) and all(method in METHODS for method in rule)
