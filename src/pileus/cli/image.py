"""`pileus image`: guest images that are built here, and those of others."""

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import cast

from pileus.image.recipes.tool import ToolError
from pileus.setup import packages, places
from pileus.setup.errors import SetupError
from pileus.setup.guest_image import Recipe


def image(options: argparse.Namespace) -> int:
    """Exit status 0 when it is done, 1 when it can not be."""
    if options.image_command == "build":
        return build(options)
    from pileus.cli.image_add import add

    return add(options)


def build(options: argparse.Namespace) -> int:
    here = places.find()
    out: Path = (options.out or Path(f"{options.recipe}.qcow2")).absolute()
    recipe = cast(Recipe, import_module(f"pileus.image.recipes.{options.recipe}"))
    try:
        if here.privileged:
            packages.ensure(here, recipe.PACKAGES)
        recipe.build(out, cache=here.cache / "packages", say=print)
    except (ToolError, SetupError, OSError) as error:
        print(f"pileus: {error}", file=sys.stderr)
        return 1
    return 0
