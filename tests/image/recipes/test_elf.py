"""What programs link to."""

import struct
from pathlib import Path

from pileus.image.recipes import elf


def test_a_program_needs_its_interpreter_and_the_c_library() -> None:
    assert elf.needed(Path("/bin/sh").resolve()) == ["ld-linux-x86-64.so.2", "libc.so.6"]


def test_other_files_need_nothing(tmp_path: Path) -> None:
    for content in (b"", b"#!/bin/sh\n", b"\x7fELF\x01\x01" + bytes(100)):
        (tmp_path / "file").write_bytes(content)
        assert elf.needed(tmp_path / "file") == []


def test_a_static_program_needs_nothing(tmp_path: Path) -> None:
    header = (
        b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    )
    loaded = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 120, 120, 4096)
    (tmp_path / "static").write_bytes(header + loaded)
    assert elf.needed(tmp_path / "static") == []
