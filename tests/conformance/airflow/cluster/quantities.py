"""Quantities of Kubernetes: `500m`, `4Gi`, `1e3`."""

import re
from fractions import Fraction

PATTERN = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i))?")
DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


def parse(text: object) -> Fraction | None:
    """The number that a quantity stands for; nothing where it is none."""
    found = PATTERN.fullmatch(str(text)) if isinstance(text, (str, int)) and not isinstance(text, bool) else None
    if not found:
        return None
    number, exponent, unit = found.groups()
    if exponent:
        return Fraction(number) * Fraction(10) ** int(exponent[1:])
    if not unit:
        return Fraction(number)
    if unit.endswith("i"):
        return Fraction(number) * 1024 ** ("KMGTPE".index(unit[0]) + 1)
    return Fraction(number) * Fraction(10) ** DECIMAL[unit]
