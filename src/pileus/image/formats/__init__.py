"""Disk image formats: what a file's bytes are, whether they are safe to open, and the tool that converts them."""

from pileus.image.formats.inspector import Inspector
from pileus.image.formats.verdict import FormatRefused, Verdict, check

__all__ = ["FormatRefused", "Inspector", "Verdict", "check"]
