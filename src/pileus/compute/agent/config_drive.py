"""A config drive: a small read-only CD image, written without any tool.

ISO 9660 (ECMA-119) with the Joliet extension, which holds the real names: two trees of directories over the same file
data. Linux, the BSDs and Windows read the Joliet tree; the plain one has numbers for names. Equal input gives equal
bytes: no clock, no random number.
"""

import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

SECTOR = 2048
FIRST_TABLE = 16 + 3  # sectors: the system area, then the primary, the Joliet and the end descriptor
SMALLEST = 160  # sectors; busybox takes a disk that ends within the first 64 KiB for an empty drive
NO_DATE = bytes(7)
NO_LONG_DATE = b"0" * 16 + b"\0"
JOLIET_LEVEL_3 = b"%/E"
LONGEST_NAME = 64  # characters that Joliet grants
LONGEST_LABEL = 16
FORBIDDEN = frozenset('*/:;?\\"<>|') | {chr(code) for code in range(32)}


@dataclass
class Node:
    """A file (`content`) or a directory (`children`); places are sectors, a directory has one in each tree."""

    name: str
    number: int
    content: bytes | None = None
    children: dict[str, "Node"] = field(default_factory=dict)
    parent: "Node | None" = None
    file_at: int = 0
    folder_at: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})  # joliet? -> sector

    def identifier(self, joliet: bool) -> bytes:
        if joliet:
            return self.name.encode("utf-16-be")
        return b"%08d" % self.number + (b"" if self.content is None else b".;1")

    def folders(self) -> list["Node"]:
        return [node for node in self.children.values() if node.content is None]


def write_iso(path: Path, files: Mapping[str, bytes], label: str = "config-2") -> None:
    """Write `files` (path on the drive, such as openstack/latest/meta_data.json -> content) as a CD image to `path`.

    The image appears whole or not at all. Raises ValueError for a path or label that the format cannot hold.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            file.writelines(iso_blocks(files, label))
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)


def iso_blocks(files: Mapping[str, bytes], label: str) -> Iterator[bytes]:
    """The image's parts in order, each in whole sectors."""
    if not (label.isascii() and label.isprintable() and 0 < len(label) <= LONGEST_LABEL):
        raise ValueError(f"label {label!r} is not 1 to {LONGEST_LABEL} printable ASCII characters")
    folders = by_level(build_tree(files))
    contents = [node for folder in folders for node in folder.children.values() if node.content is not None]
    tables: dict[bool, int] = {}
    place = FIRST_TABLE
    for joliet in (False, True):
        tables[joliet] = place
        place += 2 * sectors(len(path_table(folders, joliet, "<")))  # once in each byte order
        for folder in folders:
            folder.folder_at[joliet] = place
            place += sectors(len(folder_data(folder, joliet)))
    for node in contents:
        node.file_at = place
        place += sectors(len(node.content or b""))
    total = max(place, SMALLEST)

    yield bytes(16 * SECTOR)
    for joliet in (False, True):
        yield descriptor(folders, label, total, tables[joliet], joliet)
    yield padded(b"\xffCD001\x01")
    for joliet in (False, True):
        yield padded(path_table(folders, joliet, "<"))
        yield padded(path_table(folders, joliet, ">"))
        for folder in folders:
            yield folder_data(folder, joliet)
    for node in contents:
        yield padded(node.content or b"")
    yield bytes((total - place) * SECTOR)


def build_tree(files: Mapping[str, bytes]) -> Node:
    """Nodes are made, and numbered, in the order of their paths: so both trees are in order without sorting again."""
    root = Node("", 0)
    root.parent = root
    count = 0
    parts_of = {name: PurePosixPath(name).parts for name in files}
    for name in sorted(files, key=lambda name: [part.encode("utf-16-be") for part in parts_of[name]]):
        here = root
        for part in checked(name, parts_of[name]):
            if here.content is not None:
                raise ValueError(f"{name!r} lies below a file")
            if part not in here.children:
                count += 1
                here.children[part] = Node(part, count, parent=here)
            here = here.children[part]
        here.content = files[name]
    return root


def checked(name: str, parts: tuple[str, ...]) -> tuple[str, ...]:
    bad = [part for part in parts if part in ("..", "/") or len(part) > LONGEST_NAME or FORBIDDEN & set(part)]
    if bad or not parts:
        raise ValueError(f"{name!r} cannot be a path on a config drive")
    return parts


def by_level(root: Node) -> list[Node]:
    """Directories as path tables list them: by level, then parent, then name."""
    found = [root]
    for folder in found:
        found.extend(folder.folders())
    return found


def sectors(size: int) -> int:
    return -(-size // SECTOR)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % SECTOR)


def both(form: str, value: int) -> bytes:
    """A number in both byte orders, as ECMA-119 has it."""
    return struct.pack("<" + form, value) + struct.pack(">" + form, value)


def record(identifier: bytes, sector: int, size: int, folder: bool) -> bytes:
    """A directory record (ECMA-119, 9.1)."""
    filler = b"\0" * (1 - len(identifier) % 2)
    length = 33 + len(identifier) + len(filler)
    flags = bytes([2 if folder else 0, 0, 0])
    name = bytes([len(identifier)]) + identifier + filler
    return bytes([length, 0]) + both("I", sector) + both("I", size) + NO_DATE + flags + both("H", 1) + name


def folder_record(identifier: bytes, folder: Node, joliet: bool) -> bytes:
    lengths = [34, 34, *(len(record(node.identifier(joliet), 0, 0, False)) for node in folder.children.values())]
    used = 0
    for length in lengths:
        used = after(used, length) + length
    return record(identifier, folder.folder_at[joliet], sectors(used) * SECTOR, folder=True)


def after(used: int, length: int) -> int:
    """Where a record goes that follows `used` bytes: none may cross a sector's end."""
    return used if used % SECTOR + length <= SECTOR else sectors(used) * SECTOR


def folder_data(folder: Node, joliet: bool) -> bytes:
    """A directory: records of itself, of its parent, of its children."""
    data = folder_record(b"\0", folder, joliet) + folder_record(b"\1", folder.parent or folder, joliet)
    for node in folder.children.values():
        name = node.identifier(joliet)
        size = len(node.content or b"")
        is_folder = node.content is None
        entry = folder_record(name, node, joliet) if is_folder else record(name, node.file_at, size, folder=False)
        data = data.ljust(after(len(data), len(entry)), b"\0") + entry
    return padded(data)


def path_table(folders: list[Node], joliet: bool, order: str) -> bytes:
    """All directories with the number of each one's parent (ECMA-119, 9.4); `order` is < or >."""
    numbers = {id(folder): number for number, folder in enumerate(folders, 1)}
    table = b""
    for folder in folders:
        name = b"\0" if folder.parent is folder else folder.identifier(joliet)
        entry = struct.pack(f"{order}BBIH", len(name), 0, folder.folder_at[joliet], numbers[id(folder.parent)]) + name
        table += entry + b"\0" * (len(entry) % 2)
    return table


def descriptor(folders: list[Node], label: str, total: int, table: int, joliet: bool) -> bytes:
    """The primary or the Joliet volume descriptor (ECMA-119, 8.4 and 8.5); `table` is the first path table's sector."""
    blank, encoding = (b"\0 ", "utf-16-be") if joliet else (b" ", "ascii")
    table_size = len(path_table(folders, joliet, "<"))

    def words(value: str, size: int) -> bytes:
        return (value.encode(encoding) + blank * size)[:size]

    return padded(
        b"".join(
            [
                bytes([2 if joliet else 1]) + b"CD001\x01\0",
                words("LINUX", 32) + words(label, 32) + bytes(8),
                both("I", total) + (JOLIET_LEVEL_3 if joliet else b"").ljust(32, b"\0"),
                both("H", 1) + both("H", 1) + both("H", SECTOR),
                both("I", table_size),
                struct.pack("<II", table, 0) + struct.pack(">II", table + sectors(table_size), 0),
                folder_record(b"\0", folders[0], joliet),
                words("", 4 * 128),  # volume set, publisher, preparer, application
                words("", 37) + words("", 37) + words("", 37),  # names of copyright, abstract and bibliography files
                4 * NO_LONG_DATE + b"\x01",
            ]
        )
    )
