"""The question: groups of resources, each with its conditions (Placement API, Allocation candidates)."""

import re
from dataclasses import dataclass

from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call
from pileus.placement import query
from pileus.placement.errors import DUPLICATE_KEY, MISSING_VALUE
from pileus.placement.query import Membership, TraitTerms

NUMBERED = r"[1-9][0-9]*"
FREE = r"[a-zA-Z0-9_-]{1,64}"
GROUP_KEYS = {"resources": "1.10", "required": "1.17", "member_of": "1.21", "in_tree": "1.31"}
LONE_KEYS = {"limit": "1.16", "group_policy": "1.25", "root_required": "1.35", "same_subtree": "1.36"}


@dataclass(frozen=True)
class Group:
    """The unsuffixed group (suffix "") may be spread over a tree; any other comes from one provider."""

    suffix: str
    resources: dict[str, int]
    traits: TraitTerms
    membership: Membership
    in_tree: str | None


@dataclass(frozen=True)
class Request:
    groups: tuple[Group, ...]
    isolate: bool
    root: TraitTerms
    subtrees: tuple[frozenset[str], ...]
    limit: int | None


def read(call: Call) -> Request:
    given = _by_suffix(call)
    lone = given.pop(None, {})
    groups = tuple(_group(call, suffix, keys) for suffix, keys in sorted(given.items(), key=lambda item: item[0] or ""))
    subtrees = tuple(frozenset(value.split(",")) for value in lone.get("same_subtree", []))
    suffixed = [group.suffix for group in groups if group.suffix]
    if strange := frozenset().union(*subtrees).difference(suffixed):
        raise query.bad(f"same_subtree names groups that the request does not have: {', '.join(sorted(strange))}.")
    if not any(group.resources for group in groups):
        raise BadRequest("At least one resources parameter is required.", kind=MISSING_VALUE)
    for group in groups:
        if not group.resources and not (group.suffix and any(group.suffix in names for names in subtrees)):
            raise query.bad(f"Group {group.suffix!r} has conditions but no resources{group.suffix}.")
    policy = lone.get("group_policy", [None])[0]
    if policy not in (None, "none", "isolate"):
        raise query.bad(f"group_policy is none or isolate, not {policy!r}.")
    if policy is None and sum(1 for group in groups if group.suffix and group.resources) > 1:
        raise BadRequest("group_policy is required with more than one suffixed group of resources.", kind=MISSING_VALUE)
    root = query.trait_terms(call, lone.get("root_required", []))
    return Request(groups, policy == "isolate", root, subtrees, _limit(lone))


def _by_suffix(call: Call) -> dict[str | None, dict[str, list[str]]]:
    """Values by key, by group; those that belong to no group are under None."""
    suffix_form = FREE if call.at_least(1, 33) else NUMBERED
    suffixes = f"(?:{suffix_form})?" if call.at_least(1, 25) else ""
    grouped = re.compile(f"({'|'.join(GROUP_KEYS)})({suffixes})")
    found: dict[str | None, dict[str, list[str]]] = {}
    for name, value in call.query:
        match = grouped.fullmatch(name)
        key, suffix = (match[1], match[2]) if match and name not in LONE_KEYS else (name, None)
        brought = (GROUP_KEYS if suffix is not None else LONE_KEYS).get(key)
        if brought is None or not query.spoken_since(call, brought):
            raise BadRequest(f"Invalid query parameter {name!r} in microversion {call.version}.")
        found.setdefault(suffix, {}).setdefault(key, []).append(value)
    for suffix, keys in found.items():
        for key, values in keys.items():
            if len(values) > 1 and not _repeatable(call, key):
                raise BadRequest(f"Query parameter {key}{suffix or ''} may be given only once.", kind=DUPLICATE_KEY)
    return found


def _repeatable(call: Call, key: str) -> bool:
    since = {"member_of": 24, "same_subtree": 36, "required": 39}.get(key)
    return since is not None and call.at_least(1, since)


def _group(call: Call, suffix: str | None, keys: dict[str, list[str]]) -> Group:
    return Group(
        suffix or "",
        query.amounts(call, keys["resources"][0]) if "resources" in keys else {},
        query.trait_terms(call, keys.get("required", [])),
        query.membership(call, keys.get("member_of", [])),
        query.provider_id(keys["in_tree"][0], f"in_tree{suffix or ''}") if "in_tree" in keys else None,
    )


def _limit(lone: dict[str, list[str]]) -> int | None:
    text = lone.get("limit", [None])[0]
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and int(text[:10]) > 0):
        raise query.bad(f"limit must be a positive integer, not {text!r}.")
    return int(text[:10])
