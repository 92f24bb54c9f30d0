"""The changing part of the rules as data, and the shortest list of nft commands from one state to another."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Name = tuple[str, str]  # table ("inet pileus"), name of a set, map or chain


@dataclass(frozen=True)
class Ruleset:
    """Elements of the fixed sets and maps, and the sets and chains that come and go with security groups.

    A set is elements with None, a map is keys with values. `declared` are the sets that are not in the fixed tables, with
    their type. Values and rules are nft text that was made from checked values only.
    """

    elements: dict[Name, dict[str, str | None]] = field(default_factory=dict)
    declared: dict[Name, str] = field(default_factory=dict)
    chains: dict[Name, tuple[str, ...]] = field(default_factory=dict)

    def put(self, table: str, name: str, key: str, value: str | None = None) -> None:
        self.elements.setdefault((table, name), {})[key] = value


def difference(old: Ruleset, new: Ruleset) -> str:
    """Commands of one transaction that turns `old` into `new`; empty when nothing differs."""
    return "\n".join(_commands(old, new))


def _commands(old: Ruleset, new: Ruleset) -> Iterator[str]:
    for (table, name), kind in new.declared.items():
        if (table, name) not in old.declared:
            yield f"add set {table} {name} {{ {kind} }}"
    for table, name in new.chains:
        if (table, name) not in old.chains:
            yield f"add chain {table} {name}"
    gone, fresh = _changed_elements(old, new)
    yield from _element_commands("delete", gone)
    # Rules come between: a chain may only be named by what is added after it, and deleted once nothing names it.
    for (table, name), rules in new.chains.items():
        before = old.chains.get((table, name), ())
        if before != rules:
            if before:
                yield f"flush chain {table} {name}"
            for rule in rules:
                yield f"add rule {table} {name} {rule}"
    yield from _element_commands("add", fresh)
    dead = [chain for chain in old.chains if chain not in new.chains]
    yield from (f"flush chain {table} {name}" for table, name in dead)
    yield from (f"delete chain {table} {name}" for table, name in dead)
    yield from (f"delete set {table} {name}" for table, name in old.declared if (table, name) not in new.declared)


def _changed_elements(old: Ruleset, new: Ruleset) -> tuple[dict[Name, list[str]], dict[Name, list[str]]]:
    gone: dict[Name, list[str]] = {}
    fresh: dict[Name, list[str]] = {}
    for name in old.elements.keys() | new.elements.keys():
        before, after = old.elements.get(name, {}), new.elements.get(name, {})
        if before == after:
            continue
        changed = {key for key in before.keys() & after.keys() if before[key] != after[key]}
        # A set that is deleted whole takes its elements with it, after the rules that read it.
        if name not in old.declared or name in new.declared:
            gone[name] = [_entry(key, before[key]) for key in before if key not in after or key in changed]
        fresh[name] = [_entry(key, after[key]) for key in after if key not in before or key in changed]
    return gone, fresh


def _entry(key: str, value: str | None) -> str:
    return key if value is None else f"{key} : {value}"


def _element_commands(verb: str, entries: Mapping[Name, list[str]]) -> Iterator[str]:
    for (table, name), keys in entries.items():
        if keys:
            yield f"{verb} element {table} {name} {{ {', '.join(keys)} }}"
