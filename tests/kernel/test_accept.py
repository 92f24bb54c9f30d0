"""Which form of an answer a client asks for."""

import pytest

from pileus.kernel.http.accept import preferred

HTML, JSON = "text/html", "application/json"


@pytest.mark.parametrize(
    ("header", "form"),
    [
        (None, HTML),
        ("", HTML),
        ("*/*", HTML),
        ("application/json", JSON),
        ("Application/JSON; charset=utf-8", JSON),
        ("application/*", JSON),
        ("application/json, text/plain, */*", JSON),  # named, where HTML is only covered
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", HTML),  # a browser
        ("text/html, application/json", HTML),
        ("text/html;q=0.5, application/json", JSON),
        ("application/json;q=0.5, text/html;q=0.9", HTML),
        ("application/json;q=0.1", JSON),
        ("*/*, text/html;q=0", JSON),
        ("*/*;q=0.9, application/json;q=0.1", HTML),  # the most exact range counts, and not the highest
        ("application/json;q=0", HTML),
        ("application/json;version=1;q=0.2, text/html;q=0.1", JSON),
        ("application/octet-stream", HTML),
        ("application/json;q=nan", HTML),
        ("application/json;q=-1", HTML),
        ("application/json;q=7", HTML),
        ("application/json;q=x, */*;q=0.1", HTML),
        (",;,;;=,", HTML),
    ],
)
def test_preferred(header: str | None, form: str) -> None:
    assert preferred(header, (HTML, JSON)) == form


def test_the_first_offer_wins_a_tie() -> None:
    assert preferred("*/*", (JSON, HTML)) == JSON
    assert preferred(None, (JSON, HTML)) == JSON
    assert preferred("image/png", (JSON, HTML)) == JSON
