"""Whose signatures of images this cloud can check: a part of it."""

from pathlib import Path

from pileus.image.settings import ImageSettings
from pileus.image.signatures.certificates import Certificates, Folder
from pileus.kernel.config import Config


class Signers:
    """`certificates` None: nobody's."""

    def __init__(self, certificates: Certificates | None) -> None:
        self.certificates = certificates


def load(config: Config) -> Signers:
    """Raises ConfigError."""
    settings = config.section(ImageSettings)
    if not settings.signers_folder:
        return Signers(None)
    trusted = Path(settings.signers_authorities) if settings.signers_authorities else None
    return Signers(Folder(Path(settings.signers_folder), trusted))
