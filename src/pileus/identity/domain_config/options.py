"""What a domain can configure: groups, their options, and which of those are secret."""

from typing import Any

import msgspec

from pileus.identity.directories.ldap.options import LdapOptions
from pileus.kernel.errors import BadRequest, Forbidden
from pileus.kernel.http.schema import Shape

Options = dict[str, Any]
Config = dict[str, Options]


class IdentityOptions(Shape):
    """`driver` names where users and groups are; one that is not known makes the domain's users unavailable."""

    driver: str = "sql"
    list_limit: int | None = None


GROUPS: dict[str, type[Shape]] = {"identity": IdentityOptions, "ldap": LdapOptions}
SECRET = {("ldap", "password")}


def defaults() -> Config:
    """Of every option that may be shown."""
    return {group: showable(group, msgspec.to_builtins(shape())) for group, shape in GROUPS.items()}


def showable(group: str, options: Options) -> Options:
    return {name: value for name, value in options.items() if (group, name) not in SECRET}


def check(config: Config) -> None:
    """Raises Forbidden for groups and options that do not exist, BadRequest for values that do not fit."""
    if not any(config.values()):
        raise Forbidden(f"Name at least one option of the groups {', '.join(GROUPS)}.")
    for group, options in config.items():
        for name, value in options.items():
            check_name(group, name)
            _check_value(group, name, value)


def check_name(group: str, option: str | None = None) -> None:
    """Raises Forbidden."""
    if group not in GROUPS:
        raise Forbidden(f"Group {group!r} can not be configured for a domain; groups are {', '.join(GROUPS)}.")
    if option is not None and option not in GROUPS[group].__struct_fields__:
        raise Forbidden(f"Option {option!r} of group {group!r} can not be configured for a domain.")


def _check_value(group: str, name: str, value: object) -> None:
    """Null is good for every option: it stands for the default."""
    if value is None:
        return
    try:
        msgspec.convert({name: value}, GROUPS[group], strict=False)
    except msgspec.ValidationError as error:
        raise BadRequest(f"Invalid value of option {name!r} in group {group!r}: {error}") from None
