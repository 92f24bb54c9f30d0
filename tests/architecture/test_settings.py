"""Every setting and every policy rule that an operator can write has an effect."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec.inspect import StructType, Type

from pileus.composition import MANIFESTS, shapes
from pileus.kernel.config import CloudSettings

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "pileus"
MODULES = [ast.parse(file.read_text()) for file in PACKAGE.rglob("*.py")]
# The quotas of compute are looked up by the names of their resources (compute/limits).
BY_NAME = re.compile(r"ComputeSettings\.quota_\w+")
# Upstream's rules on attributes of networks, whose names are put together from the attribute's.
ON_ATTRIBUTES = re.compile(r"(create|get|update)_(network|subnet|subnetpool|port|router|floatingip):[\w:]+")


def settings() -> Iterator[str]:
    """`Struct.field` of all sections and of what is in them."""
    waiting: list[Type] = [msgspec.inspect.type_info(shape) for shape in (CloudSettings, *shapes().values())]
    seen: set[type] = set()
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, StructType) and kind.cls not in seen:
            seen.add(kind.cls)
            yield from (f"{kind.cls.__name__}.{field.name}" for field in kind.fields)
            waiting += [field.type for field in kind.fields]
        elif not isinstance(kind, StructType):
            parts = [getattr(kind, name, ()) for name in ("type", "types", "item_type", "key_type", "value_type")]
            waiting += [part for given in parts for part in (given if isinstance(given, tuple) else (given,))]


def test_every_setting_is_read_somewhere() -> None:
    read = {node.attr for module in MODULES for node in ast.walk(module) if isinstance(node, ast.Attribute)}
    unread = [name for name in settings() if name.partition(".")[2] not in read]
    assert [name for name in unread if not BY_NAME.fullmatch(name)] == []


def test_guides_name_settings_that_exist() -> None:
    known = {name.partition(".")[2] for name in settings()} | {"type"}  # what a federation provider is
    named: list[str] = []
    for guide in (ROOT / "docs" / "guides").glob("*.md"):
        text = guide.read_text()
        for block in re.findall(r"^    \[\w+[\w.]*\].*\n(?:(?:    .*)?\n)*", text, re.MULTILINE):
            named += re.findall(r"^    (?:# )?(\w+) = ", block, re.MULTILINE)
        named += re.findall(r"`\[\w+\] (\w+)", text)
    assert len(named) > 50
    assert sorted(set(named) - known) == []


def texts() -> Iterator[str]:
    """All that the code says in quotes, but for the names under which rules are made."""
    for module in MODULES:
        made = {
            id(node.args[0])
            for node in ast.walk(module)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Rule" and node.args
        }
        inside = {id(part) for name in ast.walk(module) if id(name) in made for part in ast.walk(name)}
        for node in ast.walk(module):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
                yield node.value


def test_every_policy_rule_guards_something() -> None:
    """A route or other code asks it, by its name or by the end of one that is put together, or another rule is made of it."""
    said = set(texts()) | {name for manifest in MANIFESTS for route in manifest.routes for name in route.rules}
    rules = [rule for manifest in MANIFESTS for rule in manifest.policies]
    within = {part.rstrip(")") for rule in rules for part in re.findall(r"rule:(\S+)", rule.check)}
    idle = [rule.name for rule in rules if rule.name not in within and said.isdisjoint((rule.name, *ends(rule.name)))]
    assert [name for name in idle if not ON_ATTRIBUTES.fullmatch(name)] == []


def ends(name: str) -> Iterator[str]:
    """`a:b:c` ends with `:b:c` and `:c`."""
    for at in (found.start() for found in re.finditer(":", name)):
        yield name[at:]
