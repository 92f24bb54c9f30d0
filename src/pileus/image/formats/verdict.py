"""What the inspector says of a whole file, and the rule by which an image is taken or refused."""

from dataclasses import dataclass

# Disk formats of the image API whose bytes are those of a plain disk, with or without a partition table.
PLAIN = frozenset({"raw", "ami", "ari", "aki"})
PLAIN_BYTES = frozenset({"raw", "gpt"})


class FormatRefused(Exception):
    """The bytes are not what was declared, or would be dangerous to open. The message is for the person who uploads."""


@dataclass(frozen=True)
class Verdict:
    """`format` as found in the bytes, `virtual_size` of the disk in bytes (None if unknown), `faults` that forbid use.

    `formats` has every format whose mark the bytes carry; `format` is "raw" if none does.
    """

    format: str
    virtual_size: int | None
    faults: list[str]
    formats: tuple[str, ...] = ()


def check(verdict: Verdict, declared: str) -> None:
    """Raise `FormatRefused` unless the bytes are in the `declared` disk format (the API's term) and safe to open."""
    if len(verdict.formats) > 1:
        found = ", ".join(verdict.formats)
        raise FormatRefused(f"The image's bytes match several formats at once ({found}); such files are refused.")
    matches = verdict.format in PLAIN_BYTES if declared in PLAIN else verdict.format == declared
    if not matches:
        raise FormatRefused(
            f"The image was declared as '{declared}', but its bytes are '{verdict.format}'. "
            f"Declare the right disk_format, or convert the image."
        )
    if verdict.faults:
        raise FormatRefused(f"The {verdict.format} image is refused: {'; '.join(verdict.faults)}.")
