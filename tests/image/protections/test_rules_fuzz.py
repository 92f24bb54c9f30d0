"""Any text at all: it is a file of protections, or refused with words."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from pileus.image.protections.rules import OPERATIONS, read
from pileus.kernel.config import ConfigError

LINE = st.one_of(
    st.sampled_from(
        ["[x]", "[.*]", "[[]", "[", "[DEFAULT]", "[(?P<a>]", "create = a", "read=@", "update: !", "delete", "#"]
    ),
    st.builds("{} = {}".format, st.sampled_from([*OPERATIONS, "%(x)s"]), st.text(max_size=8)),
    st.builds("[{}]".format, st.text(max_size=12)),
    st.text(max_size=20),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(LINE, max_size=12).map("\n".join))
def test_any_text(text: str) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "protections.conf"
        file.write_text(text, encoding="utf-8", errors="replace")
        try:
            sections = read(file, "roles")
        except ConfigError as error:
            assert str(error)
            return
    assert sections and all(section.who.keys() == set(OPERATIONS) and all(section.who.values()) for section in sections)
