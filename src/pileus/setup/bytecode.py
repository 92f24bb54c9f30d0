"""Compiled files of the source, made ahead for processes that may not write them."""

import os
from collections.abc import Iterable
from importlib.util import cache_from_source
from py_compile import PyCompileError, compile

from pileus.setup.progress import step


def ensure(modules: Iterable[os.DirEntry[str]]) -> None:
    """Compile each module that changed since it was compiled last."""
    stale = [module.path for module in modules if _is_stale(module)]
    if not stale:
        return
    with step(f"Compiling {len(stale)} modules", after=1.0) as current:
        for path in stale:
            current.say(path)
            try:
                compile(path, doraise=True)
            except PyCompileError:
                continue  # in a developer's tree; importing it says what is wrong, and where


def _is_stale(module: os.DirEntry[str]) -> bool:
    try:
        return os.stat(cache_from_source(module.path)).st_mtime_ns < module.stat().st_mtime_ns
    except FileNotFoundError:
        return True
