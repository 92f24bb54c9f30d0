"""Which of several forms of an answer a client asks for: `Accept`, as RFC 9110 has it."""

from collections.abc import Sequence


def preferred(header: str | None, offers: Sequence[str]) -> str:
    """One of the `offers` (media types): of the highest quality, then the one named most exactly, then the first.

    The first too for a client that names nothing, or nothing that is offered: it had better get any answer than none.
    """
    ranges = [_range(part) for part in (header or "*/*").split(",")]
    best, rank = offers[0], (0.0, 0)
    for offer in offers:
        own = _rank(offer, ranges)
        if own[0] > 0 and own > rank:
            best, rank = offer, own
    return best


def _rank(offer: str, ranges: Sequence[tuple[str, float]]) -> tuple[float, int]:
    """Quality and exactness; where several ranges cover an offer, the most exact one counts."""
    kinds = ("*/*", offer.partition("/")[0] + "/*", offer)
    exactness, quality = max(((kinds.index(name), q) for name, q in ranges if name in kinds), default=(0, 0.0))
    return quality, exactness


def _range(text: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    given = next((p.partition("=")[2].strip() for p in parameters if p.partition("=")[0].strip() == "q"), "1")
    try:
        quality = float(given)
    except ValueError:
        quality = 0.0
    return name, quality if 0 <= quality <= 1 else 0.0
