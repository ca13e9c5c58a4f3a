"""A strict reader of Prometheus' text format, written from its description and not from what writes it here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
_SAMPLE = re.compile(rf"({_NAME})(?:\{{({_LABEL}(?:,{_LABEL})*)\}})? ([-+0-9.eE]+|NaN|\+Inf|-Inf)")
_PAIR = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
_UNESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


@dataclass
class Family:
    help: str
    samples: dict[frozenset[tuple[str, str]], float] = field(default_factory=dict)

    def of(self, **labels: str) -> float:
        """Return the one sample that has these labels, among others."""
        (value,) = (value for key, value in self.samples.items() if set(labels.items()) <= key)
        return value


def parsed(text: str) -> dict[str, Family]:
    """Read a whole file.

    Raises:
        ValueError: it is not of the format, or has what node_exporter's collector refuses.
    """
    if not text.endswith("\n") or "\r" in text:
        raise ValueError("the last line has no end, or a line has another one")
    families: dict[str, Family] = {}
    described, typed = "", ""
    for line in text.split("\n")[:-1]:
        if line.startswith("# HELP "):
            described, _space, said = line[7:].partition(" ")
            if described in families or re.search(r"\\(?![\\n])", said.replace(r"\\", "")):
                raise ValueError(f"described twice, or badly: {line}")
            families[described] = Family(said)
        elif line.startswith("# TYPE "):
            typed, _space, kind = line[7:].partition(" ")
            if typed != described or kind != "gauge":
                raise ValueError(f"not the type of what was described: {line}")
        else:
            found = _SAMPLE.fullmatch(line)
            if found is None or found[1] != typed:
                raise ValueError(f"no sample, or out of its family: {line}")
            labels = [
                (name, re.sub(r"\\.", lambda sign: _UNESCAPED[sign[0]], value))
                for name, value in _PAIR.findall(found[2] or "")
            ]
            key = frozenset(labels)
            if len(dict(labels)) != len(labels) or key in families[typed].samples:
                raise ValueError(f"a label or a sample stands twice: {line}")
            families[typed].samples[key] = float(found[3])
    if not all(family.samples for family in families.values()):
        raise ValueError("a family has no sample")
    return families
