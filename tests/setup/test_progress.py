import io
import re

import pytest

from pileus.setup.progress import duration, step


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_elsewhere_than_on_a_terminal_there_is_a_plain_line_at_each_end() -> None:
    stream = io.StringIO()
    with step("Debian packages", stream) as current:
        current.say("Unpacking kmod")
    assert re.fullmatch(r"Debian packages \.\.\.\nDebian packages: done in \d\.\d s\n", stream.getvalue())


def test_on_a_terminal_the_live_line_shows_time_and_detail_and_makes_room_for_the_outcome() -> None:
    stream = Terminal()
    with step("Debian packages", stream) as current:
        current.say("Unpacking\tkmod\n")
        for _ in range(100):
            if "Unpacking kmod" in stream.getvalue():
                break
            current._ended.wait(0.02)
    frames = stream.getvalue().split("\r\x1b[K")
    assert re.fullmatch(r"Debian packages \.\.\. \d\.\d s  Unpacking kmod", frames[-2])
    assert re.fullmatch(r"Debian packages: done in \d\.\d s\n", frames[-1])
    assert all("\n" not in frame for frame in frames[:-1])


def test_a_quick_step_may_stay_unseen() -> None:
    stream = io.StringIO()
    with step("Compiling", stream, after=30.0):
        pass
    assert stream.getvalue() == ""


def test_a_failure_is_said() -> None:
    stream = io.StringIO()
    with pytest.raises(ZeroDivisionError), step("Guest image", stream):
        raise ZeroDivisionError
    assert "Guest image: failed in" in stream.getvalue()


@pytest.mark.parametrize(("seconds", "text"), [(0.04, "0.0 s"), (59.0, "59.0 s"), (61.0, "1 min 1 s")])
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text
