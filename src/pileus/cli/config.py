"""`pileus config`: every setting, documented."""

from pileus.composition import shapes
from pileus.kernel.config import describe as described


def describe() -> int:
    print(described(shapes()))
    return 0
