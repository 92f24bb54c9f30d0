"""A file tree described in memory, written as an ext4 file system or as a cpio archive.

Owners and modes live in the description only, so neither output needs root, a mount or a loop device, and both come out
the same on every build.
"""

import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Node:
    """One file: `mode` with its type bits; content from `source` (regular files) or `target` (symbolic links)."""

    mode: int
    owner: int = 0
    source: Path | None = None
    target: str = ""


@dataclass
class Tree:
    """Nodes by path; paths are relative to the root, without a leading slash."""

    nodes: dict[str, Node] = field(default_factory=dict)

    def directory(self, path: str, mode: int = 0o755, owner: int = 0) -> None:
        self._add(path, Node(stat.S_IFDIR | mode, owner))

    def file(self, path: str, source: Path, mode: int = 0o644, owner: int = 0) -> None:
        self._add(path, Node(stat.S_IFREG | mode, owner, source=source))

    def link(self, path: str, target: str) -> None:
        self._add(path, Node(stat.S_IFLNK | 0o777, target=target))

    def __contains__(self, path: str) -> bool:
        return self.resolve(path) in self.nodes

    def resolve(self, path: str) -> str:
        """`path` with a linked first folder followed, as bin → usr/bin."""
        first, slash, rest = path.partition("/")
        node = self.nodes.get(first)
        return f"{node.target}/{rest}" if slash and node and node.target else path

    def walk(self) -> Iterator[tuple[str, Node]]:
        """Every node, each after its folder, in one fixed order."""
        yield from sorted(self.nodes.items())

    def size(self) -> int:
        """Sum of the contents in bytes."""
        return sum(node.source.stat().st_size for node in self.nodes.values() if node.source)

    def _add(self, path: str, node: Node) -> None:
        path = self.resolve(path)
        parent = path.rpartition("/")[0]
        if parent and parent not in self.nodes:
            self.directory(parent)
        self.nodes[path] = node


def cpio(tree: Tree) -> bytes:
    """`tree` as a "newc" archive, the format of an initial RAM disk (kernel: early-userspace/buffer-format)."""
    parts: list[bytes] = []
    entries = [(path, node.mode, node.owner, _content(node)) for path, node in tree.walk()]
    for number, (path, mode, owner, content) in enumerate([*entries, ("TRAILER!!!", 0, 0, b"")], start=1):
        name = path.encode() + b"\0"
        fields = (number, mode, owner, owner, 1, 0, len(content), 0, 0, 0, 0, len(name), 0)
        head = b"070701" + b"".join(b"%08X" % value for value in fields) + name
        parts += [head, bytes(-len(head) % 4), content, bytes(-len(content) % 4)]
    return b"".join(parts)


def debugfs_script(tree: Tree) -> str:
    """Commands for debugfs(8) that fill an empty ext4 file system with `tree`."""
    lines: list[str] = []
    for path, node in tree.walk():
        parent, _, name = path.rpartition("/")
        if node.target:
            command = f'symlink "{name}" "{node.target}"'
        else:
            command = f'write "{node.source}" "{name}"' if node.source else f'mkdir "{name}"'
        lines += [f'cd "/{parent}"', command]
        if not node.target:
            lines.append(f'sif "/{path}" mode {node.mode:#o}'.replace("0o", "0"))
        if node.owner:
            lines += [f'sif "/{path}" {key} {node.owner}' for key in ("uid", "gid")]
    return "\n".join(lines) + "\n"


def _content(node: Node) -> bytes:
    return node.source.read_bytes() if node.source else node.target.encode()
