"""The file of property protections: sections in order, each a regular expression with who may do what.

The form is the one that Glance's administration guide documents, so that operators' files carry over.
"""

import configparser
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal, get_args

import msgspec

from pileus.kernel import patterns
from pileus.kernel.config import ConfigError

Operation = Literal["create", "read", "update", "delete"]
By = Literal["roles", "policies"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)
EVERYONE, NOBODY = "@", "!"


class Section(msgspec.Struct, frozen=True):
    """For each operation who may: names of roles in lower case or of one policy, or `@`, or `!`."""

    pattern: str
    who: dict[Operation, frozenset[str]]


def read(path: Path, by: By, policies: Collection[str] | None = None) -> tuple[Section, ...]:
    """`policies`: the rules that there are, if they are to be checked. Raises ConfigError for a file that can not be used."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"property protections: {path} can not be read: {error}") from None
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text, str(path))
        return tuple(_sections(parser, by, policies))
    except configparser.Error as error:
        raise ConfigError(f"property protections: {error}") from None
    except ValueError as error:
        raise ConfigError(f"property protections: {path}: {error}") from None


def _sections(parser: configparser.RawConfigParser, by: By, policies: Collection[str] | None) -> Iterator[Section]:
    if not parser.sections():
        raise ValueError("there is no section: every property would be closed to everyone")
    for name in parser.sections():
        if (fault := patterns.fault(name)) is not None:
            raise ValueError(f"[{name[:80]}] is not a regular expression that can be used: {fault}")
        values = dict(parser.items(name))
        if unknown := sorted(values.keys() - set(OPERATIONS)):
            raise ValueError(f"[{name}] has {', '.join(unknown)}; an operation is one of {', '.join(OPERATIONS)}")
        if missing := [operation for operation in OPERATIONS if operation not in values]:
            raise ValueError(f"[{name}] does not say who may {', '.join(missing)}")
        who = {operation: _who(f"[{name}] {operation}", values[operation], by, policies) for operation in OPERATIONS}
        yield Section(name, who)


def _who(where: str, value: str, by: By, policies: Collection[str] | None) -> frozenset[str]:
    names = {name.strip() for name in value.split(",")} - {""}
    if not names:
        raise ValueError(f"{where} is empty: write {NOBODY} for nobody, {EVERYONE} for everyone")
    if {EVERYONE, NOBODY} <= names:
        raise ValueError(f"{where} has both {EVERYONE} and {NOBODY}")
    if by == "roles":
        return frozenset(name.lower() for name in names)
    if len(names) > 1:
        raise ValueError(f"{where} has {len(names)} policies: give one")
    if policies is not None and (unknown := names - {EVERYONE, NOBODY} - set(policies)):
        raise ValueError(f"{where} names the policy {unknown.pop()}, which there is not")
    return frozenset(names)
