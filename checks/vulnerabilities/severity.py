"""How bad a vulnerability is: its maker's word where that is a rating, else the base score of CVSS 3.

Source: Common Vulnerability Scoring System v3.1, specification document, section 7.1 (base metrics equations), 7.4 (weights)
and 5 (the words); FIRST, revision 1. A vector of CVSS 4 alone is not rated: it has no equation, only a table of thousands.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

WORDS = ("critical", "high", "medium", "low")
"""Worst first."""
UNRATED = ""

_SAME = {
    **dict.fromkeys(("critical",), "critical"),
    **dict.fromkeys(("high", "important"), "high"),
    **dict.fromkeys(("medium", "moderate"), "medium"),
    **dict.fromkeys(("low", "negligible"), "low"),
}
_WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_PRIVILEGES: Mapping[str, Mapping[str, float]] = {
    "U": {"N": 0.85, "L": 0.62, "H": 0.27},
    "C": {"N": 0.85, "L": 0.68, "H": 0.5},
}


def word_of(rating: str) -> str:
    """Return a maker's rating as one of `WORDS`: Red Hat's Important is high, Moderate medium; `UNRATED` if it is none."""
    return _SAME.get(rating.strip().lower(), UNRATED)


def worse(first: str, second: str) -> str:
    """Return the worse of two; unrated is no rating, so any other wins."""
    found = {first, second}
    return next((word for word in WORDS if word in found), UNRATED)


@lru_cache(maxsize=1 << 14)
def base_score(vector: str) -> float | None:
    """Return the base score (0.0 to 10.0) of a vector of CVSS 3.0 or 3.1, or None if it is none."""
    head, *parts = vector.split("/")
    if head not in {"CVSS:3.0", "CVSS:3.1"}:
        return None
    metrics = dict(part.partition(":")[::2] for part in parts)
    try:
        value = {name: weights[metrics[name]] for name, weights in _WEIGHTS.items()}
        scope = metrics["S"]
        privileges = _PRIVILEGES[scope][metrics["PR"]]
    except KeyError:
        return None
    lost = 1 - (1 - value["C"]) * (1 - value["I"]) * (1 - value["A"])
    impact = 6.42 * lost if scope == "U" else 7.52 * (lost - 0.029) - 3.25 * (lost - 0.02) ** 15
    if impact <= 0:
        return 0.0
    exploitability = 8.22 * value["AV"] * value["AC"] * privileges * value["UI"]
    return _rounded_up(min((1.0 if scope == "U" else 1.08) * (impact + exploitability), 10))


def word_of_score(score: float) -> str:
    """Return the word of a score: critical from 9.0, high from 7.0, medium from 4.0, low above 0.0."""
    for word, least in (("critical", 9.0), ("high", 7.0), ("medium", 4.0), ("low", 0.1)):
        if score >= least:
            return word
    return UNRATED


def _rounded_up(score: float) -> float:
    """Round up to one decimal as appendix A of the specification has it, without the errors of binary fractions."""
    hundred_thousands = round(score * 100_000)
    if hundred_thousands % 10_000 == 0:
        return hundred_thousands / 100_000
    return (math.floor(hundred_thousands / 10_000) + 1) / 10
