"""Properties are users' words: whatever they are, they are a claim, none, or refused with words."""

import uuid

from hypothesis import given, settings
from hypothesis import strategies as st

from pileus.image.signatures.properties import NAMES, SignatureRefused, claim

VALUES = st.one_of(st.none(), st.text(max_size=40), st.uuids().map(str), st.binary(max_size=30).map(bytes.hex))


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([*NAMES, "other"]), VALUES))
def test_any_properties(properties: dict[str, str | None]) -> None:
    try:
        found = claim(properties)
    except SignatureRefused as refused:
        assert refused.message and properties.keys() & set(NAMES)
        return
    if found is None:
        assert not properties.keys() & set(NAMES)
    else:
        assert found.certificate == str(uuid.UUID(found.certificate)) and "/" not in found.certificate
