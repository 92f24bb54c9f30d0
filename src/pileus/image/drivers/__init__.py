"""Where images' data is kept."""

from pathlib import Path

from pileus.image.drivers.base import Store
from pileus.image.drivers.file import FileStore
from pileus.image.settings import ImageSettings, StoreSettings
from pileus.kernel.config import Config, ConfigError

ONLY = {"file": StoreSettings()}  # the stores of a cloud whose configuration names none


def load(config: Config) -> dict[str, Store]:
    """The configured stores by name, in the configuration's order. Raises ConfigError."""
    settings = config.section(ImageSettings)
    return {name: _store(name, given, config) for name, given in (settings.stores or ONLY).items()}


def staging(config: Config, name: str) -> Store:
    folder = config.section(ImageSettings).staging_folder
    return FileStore(name, Path(folder) if folder else config.state / "staging")


def _store(name: str, given: StoreSettings, config: Config) -> Store:
    """What a driver needs is imported only where it is used."""
    if given.driver == "http":
        from pileus.image.drivers.http import HttpStore
        from pileus.image.web import Web

        return HttpStore(name, Web(config.section(ImageSettings).web))
    if given.driver == "s3":
        if given.s3 is None:
            raise ConfigError(f"section [image]: the store {name} needs a part [image.stores.{name}.s3]")
        from pileus.image.drivers.s3 import S3Store

        return S3Store(name, given.s3)
    if given.folder:
        return FileStore(name, Path(given.folder))
    return FileStore(name, config.state / "images" if name == "file" else config.state / "image-stores" / name)
