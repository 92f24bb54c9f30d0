"""The text inside a VMDK: the kind of disk and its extents (VMware "Virtual Disk Format 5.0")."""

import re

CREATE_TYPES = frozenset({"monolithicSparse", "streamOptimized"})
NO_PARENT = "ffffffff"
PREAMBLE = re.compile(rb"\A(?:[ \t\r]*(?:#[^\n]*)?\n)*[ \t]*version[ \t]*=[ \t]*[0-9]", re.IGNORECASE)
EXTENT = re.compile(r"(?:RW|RDONLY|NOACCESS)\s", re.IGNORECASE)
OWN_EXTENT = re.compile(r'(?:RW|RDONLY) (\d+) SPARSE "([^"/\\:]+)"( 0)?')
ENTRY = re.compile(r'([A-Za-z][\w.]*)\s*=\s*("[^"]*"|[^"]*)')
KEYS = frozenset({"version", "encoding", "cid", "parentcid", "createtype", "iscid", "isnativesnapshot"})


def is_descriptor(start: bytes) -> bool:
    """Whether a file that starts so is a bare descriptor, which can only name other files."""
    return start[:64].lstrip().lower().startswith(b"# disk descriptorfile") or PREAMBLE.match(start) is not None


def descriptor_faults(raw: bytes, capacity: int, grain: int) -> list[str]:
    """Say what forbids a disk of `capacity` sectors in grains of `grain` sectors with the descriptor `raw`.

    Only lines that are known to name nothing outside the file pass. Some readers search the whole text, comments
    included, for a key, so words that matter may stand nowhere else than in their own line.
    """
    body, _, rest = raw.partition(b"\0")
    if any(rest):
        return ["its descriptor goes on after its end"]
    text = body.decode("latin-1")
    faults = []
    extents: list[str] = []
    entries: dict[str, str] = {}
    for line in (line.strip() for line in text.split("\n")):
        if not line or line.startswith("#"):
            continue
        if EXTENT.match(line):
            extents.append(line)
        elif entry := ENTRY.fullmatch(line):
            faults += _entry_faults(entry[1].lower(), entries)
            entries[entry[1].lower()] = entry[2].strip().strip('"')
        else:
            faults.append(f"its descriptor has a line of no known form: {line[:80]!r}")
    return faults + _kind_faults(text.lower(), entries) + _extent_faults(extents, capacity, grain)


def _entry_faults(key: str, entries: dict[str, str]) -> list[str]:
    if key in entries:
        return [f"its descriptor has {key[:80]!r} twice"]
    if key not in KEYS and not key.startswith("ddb."):
        return [f"its descriptor has an entry {key[:80]!r} that is not allowed"]
    return []


def _kind_faults(text: str, entries: dict[str, str]) -> list[str]:
    faults = []
    kind = entries.get("createtype", "")
    if kind not in CREATE_TYPES:
        faults.append(f"its createType {kind[:80]!r} is not one of {', '.join(sorted(CREATE_TYPES))}")
    if text.count("createtype") > 1:
        faults.append("its descriptor names createType more than once")
    if "parentfilenamehint" in text or entries.get("parentcid", NO_PARENT).lower() != NO_PARENT:
        faults.append("it depends on a parent image")
    return faults


def _extent_faults(extents: list[str], capacity: int, grain: int) -> list[str]:
    if len(extents) != 1:
        return [f"its descriptor has {len(extents)} extents; exactly one, the file itself, is allowed"]
    own = OWN_EXTENT.fullmatch(extents[0])
    if own is None:
        return ["its extent is not a sparse one inside the file itself"]
    # Some writers round the header's size up to whole grains.
    if not capacity - grain < int(own[1][:20]) <= capacity:
        return ["its extent has another size than its header says"]
    return []
