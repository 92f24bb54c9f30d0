"""Fetch Debian packages into a cache and unpack them, without installing anything."""

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from pileus.image.recipes.tool import ToolError, run

MANIFEST = "packages.json"


def fetch(packages: Sequence[str], cache: Path, say: Callable[[str], None]) -> list[Path]:
    """The .deb files of `packages`, downloaded into `cache` unless it holds them already.

    A name "meta:prefix" means the first dependency of the metapackage `meta` that starts with `prefix`. A file, once
    cached, is kept: empty the cache to build from newer packages. Raises ToolError.
    """
    cache.mkdir(parents=True, exist_ok=True)
    manifest = cache / MANIFEST
    held: dict[str, str] = json.loads(manifest.read_text()) if manifest.exists() else {}
    missing = [name for name in packages if name not in held or not (cache / held[name]).exists()]
    if missing:
        say(f"downloading {len(missing)} packages into {cache}")
        held |= _download(missing, cache)
        draft = manifest.with_suffix(".new")
        draft.write_text(json.dumps(held, indent=1, sort_keys=True))
        draft.replace(manifest)
    return [cache / held[name] for name in packages]


def unpack(archives: Sequence[Path], root: Path) -> None:
    """Extract all `archives` over each other into `root`; their maintainer scripts do not run."""
    root.mkdir(parents=True, exist_ok=True)
    for archive in archives:
        run("dpkg-deb", "-x", str(archive), str(root))


def _download(packages: Sequence[str], cache: Path) -> dict[str, str]:
    """Download through a scratch folder, so that the cache never holds half a file; wanted name → file name."""
    with tempfile.TemporaryDirectory(prefix="download-", dir=cache) as scratch:
        try:
            names = _download_into(scratch, packages)
        except ToolError:  # stale or absent package lists
            run("apt-get", "update", "-q")
            names = _download_into(scratch, packages)
        found = {file.name.partition("_")[0]: file for file in Path(scratch).glob("*.deb")}
        absent = [name for name in names.values() if name not in found]
        if absent:
            raise ToolError(f"apt downloaded no {', '.join(absent)}")
        for file in found.values():
            file.replace(cache / file.name)
        return {wanted: found[name].name for wanted, name in names.items()}


def _download_into(folder: str, packages: Sequence[str]) -> dict[str, str]:
    names = {package: _package_name(package) for package in packages}
    # The unprivileged user that apt downloads as cannot write here; signatures are checked all the same.
    run("apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", *names.values(), folder=Path(folder))
    return names


def _package_name(package: str) -> str:
    metapackage, _, prefix = package.partition(":")
    if not prefix:
        return package
    for line in run("apt-cache", "depends", "--important", metapackage).splitlines():
        relation, _, name = line.strip().partition(": ")
        if relation == "Depends" and name.startswith(prefix):
            return name
    raise ToolError(f"apt knows no {metapackage} that depends on {prefix}*: is `apt-get update` needed?")
