"""Regular expressions of operators, on texts that strangers send: with a bound on the time that they may take.

Python's own `re` can need years for a short text and a careless pattern, and nothing can interrupt it. The `regex` module
has the same language and stops at a time limit.
"""

import time

SECONDS = 0.2  # for all patterns that one request needs
LONGEST = 512  # characters of a pattern


class TooSlow(Exception):
    """Patterns did not come to an end in time."""


class Stopwatch:
    """What is left of the time for one request's patterns."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._end = time.monotonic() + seconds

    def finds(self, pattern: str, text: str) -> bool:
        """Does the pattern match anywhere in the text? Raises TooSlow."""
        import regex  # only clouds with such patterns load it

        left = self._end - time.monotonic()
        try:
            if left <= 0:
                raise TimeoutError
            return regex.search(pattern, text, timeout=left, concurrent=True) is not None
        except TimeoutError:
            raise TooSlow(f"the regular expression {pattern!r} takes too long on what was sent") from None


def fault(pattern: str) -> str | None:
    """Why a pattern can not be used; None for a good one."""
    import regex

    if len(pattern) > LONGEST:
        return f"it is longer than {LONGEST} characters"
    try:
        regex.compile(pattern)
    except (regex.error, OverflowError, RecursionError, ValueError) as error:
        return str(error)
    return None
