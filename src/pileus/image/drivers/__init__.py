"""Where images' data is kept."""

import pkgutil

from pileus.image.drivers.base import Store
from pileus.image.settings import ImageSettings
from pileus.kernel.config import Config, ConfigError

DRIVERS = {"file": "pileus.image.drivers.file:FileStore"}


def load(config: Config) -> Store:
    """The configured store. Raises ConfigError for a name that is not known."""
    name = config.section(ImageSettings).store
    if name not in DRIVERS:
        raise ConfigError(f"section [image]: store is {name!r}; known: {', '.join(DRIVERS)}")
    store: Store = pkgutil.resolve_name(DRIVERS[name]).from_config(config)
    return store
