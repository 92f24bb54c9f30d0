"""The config drive's bytes, read back by this test's own reader of the Joliet tree and, where it is there, by isoinfo."""

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from pileus.compute.agent.config_drive import write_iso

SECTOR = 2048
FILES = {
    "openstack/latest/meta_data.json": b'{"uuid": "1"}',
    "openstack/latest/user_data": b"#!/bin/sh\n" * 1000,
    "openstack/2012-08-10/meta_data.json": b"",
    "openstack-b/x": b"sorts between",
    "ec2/latest/meta-data.json": b"x" * SECTOR,
    **{f"many/a-file-with-a-long-name-{index:04}.txt": b"%d" % index for index in range(100)},
}


def read_tree(image: bytes, volume: int) -> dict[str, bytes]:
    """Path -> content of one of the image's two trees, by its descriptor's sector."""
    joliet = image[volume * SECTOR] == 2
    found: dict[str, bytes] = {}

    def walk(at: int, size: int, prefix: str) -> None:
        place = at * SECTOR
        while place < at * SECTOR + size:
            length = image[place]
            if length == 0:  # the rest of the sector is empty
                place = -(-(place + 1) // SECTOR) * SECTOR
                continue
            sector, bytes_ = (
                struct.unpack_from("<I", image, place + 2)[0],
                struct.unpack_from("<I", image, place + 10)[0],
            )
            assert struct.unpack_from(">I", image, place + 6)[0] == sector
            raw = image[place + 33 : place + 33 + image[place + 32]]
            if raw not in (b"\0", b"\1"):
                name = prefix + (raw.decode("utf-16-be") if joliet else raw.decode())
                if image[place + 25] & 2:
                    walk(sector, bytes_, name + "/")
                else:
                    found[name] = image[sector * SECTOR : sector * SECTOR + bytes_]
            place += length

    root = volume * SECTOR + 156
    walk(struct.unpack_from("<I", image, root + 2)[0], struct.unpack_from("<I", image, root + 10)[0], "")
    return found


def test_every_file_is_in_the_joliet_tree(tmp_path: Path) -> None:
    write_iso(tmp_path / "cd", FILES)
    image = (tmp_path / "cd").read_bytes()
    assert read_tree(image, 17) == FILES
    assert sorted(read_tree(image, 16).values()) == sorted(FILES.values())
    assert [path.name for path in tmp_path.iterdir()] == ["cd"]


def test_the_descriptors_say_what_the_image_is(tmp_path: Path) -> None:
    write_iso(tmp_path / "cd", FILES)
    image = (tmp_path / "cd").read_bytes()
    assert [image[sector * SECTOR : sector * SECTOR + 6] for sector in (16, 17, 18)] == [
        b"\1CD001",
        b"\2CD001",
        b"\xffCD001",
    ]
    assert image[16 * SECTOR + 40 : 16 * SECTOR + 72] == b"config-2".ljust(32)
    assert image[17 * SECTOR + 40 : 17 * SECTOR + 56].decode("utf-16-be") == "config-2"
    assert struct.unpack_from("<I", image, 16 * SECTOR + 80)[0] * SECTOR == len(image)


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    write_iso(tmp_path / "one", FILES)
    write_iso(tmp_path / "two", dict(reversed(FILES.items())))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_smallest_drive_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    write_iso(tmp_path / "cd", {"a": b"b"})
    assert (tmp_path / "cd").stat().st_size > 128 * 1024


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../up", "a/../b", "a\nb", 'a"b', "n" * 65])
def test_a_path_that_does_not_fit_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="cannot be a path"):
        write_iso(tmp_path / "cd", {path: b""})
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="below a file"):
        write_iso(tmp_path / "cd", {"a": b"", "a/b": b""})


@pytest.mark.parametrize("label", ["", "seventeen letters", "naïve"])
def test_a_label_that_does_not_fit_is_refused(tmp_path: Path, label: str) -> None:
    with pytest.raises(ValueError, match="label"):
        write_iso(tmp_path / "cd", {"a": b""}, label)


@pytest.mark.skipif(shutil.which("isoinfo") is None, reason="needs isoinfo (genisoimage)")
def test_another_program_reads_it(tmp_path: Path) -> None:
    write_iso(tmp_path / "cd", FILES)
    for name in ("openstack/latest/user_data", "many/a-file-with-a-long-name-0099.txt"):
        shown = subprocess.run(
            ["isoinfo", "-J", "-i", tmp_path / "cd", "-x", f"/{name}"], check=True, capture_output=True
        )
        assert shown.stdout == FILES[name]
