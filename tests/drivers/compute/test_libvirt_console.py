"""The console's log stays short while its writer goes on."""

from pathlib import Path

from pileus.compute.drivers.libvirt.console import read_tail, trim

KEEP = 64 * 1024


def test_a_short_log_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"one\ntwo\n")
    trim(log, KEEP)
    assert log.read_bytes() == b"one\ntwo\n"
    trim(tmp_path / "absent", KEEP)


def test_a_long_log_loses_its_head_and_no_line_of_its_tail(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("ab", buffering=0) as writer:
        for number in range(40_000):
            writer.write(b"line %06d\n" % number)
        trim(log, KEEP)
        writer.write(b"written after\n")
        assert log.stat().st_blocks * 512 <= 2 * KEEP
        text = read_tail(log, None, KEEP)
    assert text.endswith("line 039998\nline 039999\nwritten after\n")
    assert "\0" not in text
    assert KEEP // 2 < len(text) <= KEEP


def test_the_tail_by_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"one\ntwo\nthree\xff\n")
    assert read_tail(log, 2, KEEP) == "two\nthree\ufffd"
    assert read_tail(log, 10, KEEP) == "one\ntwo\nthree\ufffd"
    assert read_tail(log, 0, KEEP) == ""
    assert read_tail(tmp_path / "absent", 2, KEEP) == ""


def test_a_carriage_return_ends_no_line(tmp_path: Path) -> None:
    log = tmp_path / "console.log"
    log.write_bytes(b"one\r\ntwo\r\n\rweb login: ")
    assert read_tail(log, 2, KEEP) == "two\r\n\rweb login: "
