"""The little language of flavors' extra specs: `>= 4`, `s== abc`, `<in> abc`, `<or> a <or> b` (Compute API, flavor extra specs)."""

import operator
from collections.abc import Callable

NUMBERS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
}
TEXTS: dict[str, Callable[[str, str], bool]] = {
    "s==": operator.eq,
    "s!=": operator.ne,
    "s>=": operator.ge,
    "s>": operator.gt,
    "s<=": operator.le,
    "s<": operator.lt,
}


def met(value: str, requirement: str) -> bool:
    """`value` is what is there. Without an operator both must be the same; `=` means at least, for numbers."""
    word, _, rest = requirement.strip().partition(" ")
    rest = rest.strip()
    if word in NUMBERS:
        try:
            return NUMBERS[word](float(value), float(rest))
        except ValueError:
            return False
    if word in TEXTS:
        return TEXTS[word](value, rest)
    if word == "<in>":
        return rest in value
    if word == "<all-in>":
        return all(part in value for part in rest.split())
    if word == "<or>":
        return value in (part.strip() for part in requirement.split("<or>")[1:])
    return value == requirement.strip()
