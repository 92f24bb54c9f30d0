"""The XML that starts a package (DMTF DSP0243, "Open Virtualization Format Specification"): which file is the disk."""

from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from pileus.image.containers.tar_header import TarRefused

MOST_BYTES = 1024 * 1024
MOST_FILES = 60


class Descriptor(NamedTuple):
    """`files` maps the names of the package's files to their sizes in bytes, None where not said; `disk` is one of them."""

    files: dict[str, int | None]
    disk: str


def read_descriptor(text: bytes) -> Descriptor:
    """Raises `TarRefused` unless exactly one disk is inside the package."""
    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise TarRefused(f"its descriptor is no sound XML: {str(error)[:200]}") from None
    if _local(root.tag) != "Envelope":
        raise TarRefused("its descriptor is no OVF envelope")
    names: dict[str, str] = {}
    files: dict[str, int | None] = {}
    for entry in _section(root, "References", "File"):
        identity, name, size = _file(entry)
        if identity in names or name in files:
            raise TarRefused(f"its descriptor names {name[:80]!r} or its id twice")
        names[identity], files[name] = name, size
    if len(files) > MOST_FILES:
        raise TarRefused(f"its descriptor names more than {MOST_FILES} files")
    disks = [attributes for entry in _section(root, "DiskSection", "Disk") if "fileRef" in (attributes := _own(entry))]
    if len(disks) != 1:
        raise TarRefused(f"it has {len(disks)} disks; an image is exactly one")
    if "parentRef" in disks[0]:
        raise TarRefused("its disk depends on a parent disk")
    if disks[0]["fileRef"] not in names:
        raise TarRefused("its disk is not among its files")
    return Descriptor(files, names[disks[0]["fileRef"]])


def _file(entry: Element) -> tuple[str, str, int | None]:
    attributes = _own(entry)
    name, size = attributes.get("href", ""), attributes.get("size")
    # A plain name is a file of the package; anything else would be read from elsewhere.
    if not name or not name.isprintable() or any(mark in name for mark in "/\\:") or name in (".", ".."):
        raise TarRefused(f"its descriptor names the file {name[:80]!r}, which is not in the package")
    if "chunkSize" in attributes or attributes.get("compression", "identity") not in ("", "identity"):
        raise TarRefused(f"its file {name[:80]!r} is compressed or cut into chunks")
    if size is not None and not (size.isascii() and size.isdecimal() and len(size) < 20):
        raise TarRefused(f"its file {name[:80]!r} has a size that is no number")
    return attributes.get("id", ""), name, None if size is None else int(size)


def _section(root: Element, name: str, entry: str) -> list[Element]:
    found = [child for child in root if _local(child.tag) == name]
    if len(found) != 1:
        raise TarRefused(f"its descriptor has {len(found)} sections {name}, not one")
    return [child for child in found[0] if _local(child.tag) == entry]


def _own(entry: Element) -> dict[str, str]:
    """The attributes by their names without namespaces: writers disagree on which of them have one."""
    attributes = {_local(name): value for name, value in entry.attrib.items()}
    if len(attributes) != len(entry.attrib):
        raise TarRefused("its descriptor has an attribute twice")
    return attributes


def _local(name: str) -> str:
    return name.rpartition("}")[2]
