"""The stores of this cloud, as a part of it."""

from collections.abc import Iterable, Mapping

from pileus.image import drivers
from pileus.image.drivers.base import Store
from pileus.image.settings import ImageSettings
from pileus.kernel.config import Config, ConfigError

STAGING = "os_glance_staging_store"  # where data waits for its import: not a store that users can name
RESERVED = "os_glance_"


class Stores:
    """`named` are those that users may choose, in the configuration's order; `staging` is this cloud's own."""

    def __init__(self, named: Mapping[str, Store], staging: Store, default: str, weights: Mapping[str, int]) -> None:
        self.named = dict(named)
        self.staging = staging
        self.default = self.named[default]
        self.weights = dict(weights)

    @property
    def several(self) -> bool:
        return len(self.named) > 1

    def writable(self) -> list[Store]:
        return [store for store in self.named.values() if not store.read_only]

    def written(self) -> list[Store]:
        """All that this cloud puts data in."""
        return [*self.writable(), self.staging]

    def get(self, name: str) -> Store | None:
        return self.staging if name == STAGING else self.named.get(name)

    def for_url(self, url: str) -> Store | None:
        """The store that can read what users have at that address: one that is only read."""
        web = url.lower().startswith(("http://", "https://"))
        return next((store for store in self.named.values() if store.read_only), None) if web else None

    def rank(self, name: str) -> tuple[int, int]:
        """The smaller, the sooner data is read from there."""
        return -self.weight(name), list(self.named).index(name) if name in self.named else len(self.named)

    def weight(self, name: str) -> int:
        return self.weights.get(name, 0)


def load(config: Config) -> Stores:
    """Raises ConfigError."""
    settings = config.section(ImageSettings)
    named = drivers.load(config)
    for name in named:
        if name.startswith(RESERVED) or not name or "," in name:
            raise ConfigError(f"section [image]: {name!r} cannot be the name of a store")
    default = settings.default_store or _first_written(named.values())
    if default not in named or named[default].read_only:
        raise ConfigError(
            f"section [image]: default_store is {default!r}; stores that can be written: {_written(named)}"
        )
    weights = {name: given.weight for name, given in settings.stores.items()}
    return Stores(named, drivers.staging(config, STAGING), default, weights)


def _first_written(stores: Iterable[Store]) -> str:
    return next((store.name for store in stores if not store.read_only), "")


def _written(named: Mapping[str, Store]) -> str:
    return ", ".join(name for name, store in named.items() if not store.read_only) or "none"
