"""`[image.stores.NAME.s3]` of the configuration."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from pileus.kernel.config import ConfigError

SMALLEST_PART = 5 << 20  # S3's own limit, for all parts but the last


class S3Settings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Sizes in bytes, times in seconds. Nothing else counts: neither AWS's files nor variables of the environment."""

    endpoint: Annotated[
        str, Meta(pattern=r"^(https?://[^/@?#\s]+/?)?$", description="the server: https://HOST[:PORT]; needed")
    ] = ""
    bucket: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]*$", description="the bucket; needed")] = ""
    prefix: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9/._-]*$",
            max_length=512,
            description="what objects' names begin with: bucket and prefix must be this store's alone",
        ),
    ] = ""
    access_key: Annotated[str, Meta(description="who asks; needed")] = ""
    secret: Annotated[str, Meta(description="the access key's secret; better in secret_file")] = ""
    secret_file: Annotated[str, Meta(description="file that holds the secret, readable by the cloud's user")] = ""
    region: Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]+$", description="region that requests are signed for")] = (
        "us-east-1"
    )
    addressing: Annotated[
        Literal["path", "virtual"], Meta(description="where the bucket's name goes: into the path, or before the host")
    ] = "path"
    create_bucket: Annotated[bool, Meta(description="make the bucket if there is none")] = False
    part_size: Annotated[
        int,
        Meta(
            ge=SMALLEST_PART,
            le=1 << 30,
            description="bytes sent at once; each upload keeps two in memory, an image has 10,000 at most",
        ),
    ] = 16 << 20
    most_parts: Annotated[int, Meta(ge=1, le=10000, description="parts that the server takes for one object")] = 10000
    timeout: Annotated[int, Meta(ge=1, le=3600, description="seconds of silence until a request is given up")] = 30
    verify_tls: Annotated[bool, Meta(description="refuse servers whose certificate is not good")] = True
    ca_file: Annotated[str, Meta(description="authorities that are believed instead of the system's, PEM")] = ""

    def __repr__(self) -> str:
        """Without the secret: settings end up in messages and traces."""
        return f"S3Settings({self.endpoint!r}, {self.bucket!r}, {self.prefix!r})"


def key(store: str, settings: S3Settings) -> str:
    """The secret. Raises ConfigError, which names what is missing."""
    absent = [name for name in ("endpoint", "bucket", "access_key") if not getattr(settings, name)]
    if absent:
        raise ConfigError(f"section [image]: store {store} needs {', '.join(f's3.{name}' for name in absent)}")
    if bool(settings.secret) == bool(settings.secret_file):
        raise ConfigError(f"section [image]: store {store} needs one of s3.secret and s3.secret_file")
    if settings.secret:
        return settings.secret
    try:
        return Path(settings.secret_file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise ConfigError(f"section [image]: secret_file of store {store} cannot be read: {reason}") from None
