"""The bodies of domain configuration. Which groups and options there are is checked apart: unknown ones are 403."""

from typing import Any

from pileus.kernel.http.schema import Shape


class ConfigBody(Shape):
    """Whole, or one group under its name."""

    config: dict[str, dict[str, Any]]


class OptionBody(Shape):
    """One option under its name."""

    config: dict[str, Any]
