"""Captures of what hosts print, one file a situation: `tests/samples/<check id>/{pass,fail,unknown}*.txt`.

A file begins with lines `# name: value`: `origin` (where and with which version it was captured, or the form it was
written in), and where needed `reason`, `declared` (JSON), `roles`, `at`. Then come sections in the gatherer's form
without nonce and seconds; a `stderr` part may be left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from checks.servers.declared import Declared
from portalops.model.organisation import Host, HostId

SAMPLES = Path(__file__).parents[2] / "samples"
NONCE = "0123456789abcdef0123456789abcdef"
DEFAULT_AT = datetime(2026, 11, 25, 2, 0, 0, tzinfo=UTC)
VERDICTS = ("pass", "fail", "unknown", "not-applicable")

_SECTION = re.compile(
    r"^<<<(?P<id>[a-z0-9.-]+)>>>\n(?P<body>.*?)^<<<(?P=id) rc=(?P<rc>\d+)>>>\n", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Sample:
    """One capture, and what the check must say of it."""

    check: str
    name: str
    verdict: str
    origin: str
    reason: str
    declared: Declared
    host: Host
    at: datetime
    raw: bytes
    """As a host's answer."""

    def __str__(self) -> str:
        return f"{self.check}/{self.name}"


def read_sample(path: Path) -> Sample:
    """Read one capture and make the host's answer of it."""
    text = path.read_text("utf-8", "surrogateescape")
    notes = dict(re.findall(r"^# ([a-z]+): (.*)$", text, re.MULTILINE)) if text.startswith("#") else {}
    at = datetime.fromisoformat(notes["at"]) if "at" in notes else DEFAULT_AT
    verdict = next(known for known in VERDICTS if path.stem == known or path.stem.startswith(f"{known}-"))
    return Sample(
        check=path.parent.name,
        name=path.stem,
        verdict=verdict,
        origin=notes.get("origin", ""),
        reason=notes.get("reason", ""),
        declared=Declared.model_validate(json.loads(notes.get("declared", "{}"))),
        host=Host(HostId("host-1"), "192.0.2.1", frozenset(notes.get("roles", "").split())),
        at=at,
        raw=as_answer(text),
    )


def as_answer(text: str) -> bytes:
    """Return sections as the answer of a host that said them."""
    parts = []
    for match in _SECTION.finditer(text):
        name = match["id"]
        stdout, _, stderr = match["body"].partition(f"<<<{name} stderr>>>\n")
        parts.append(
            f"<<<{NONCE} {name}>>>\n{stdout}\n<<<{NONCE} {name} stderr>>>\n{stderr}"
            f"<<<{NONCE} {name} rc={match['rc']} s=0>>>\n"
        )
    header = f"portalops-answer 1 nonce={NONCE} rc=0 cut=0\n"
    return "".join((header, *parts, f"<<<{NONCE} done>>>\n")).encode("utf-8", "surrogateescape")


def all_samples() -> Iterator[Sample]:
    """Yield every capture of every check."""
    for folder in sorted(SAMPLES.iterdir()):
        if "." in folder.name:
            yield from (read_sample(path) for path in sorted(folder.glob("*.txt")))
