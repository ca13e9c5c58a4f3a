"""Captures of what hosts print, one file a situation: `tests/samples/<check id>/{pass,fail,unknown,near-miss,harmless}*.txt`.

A file begins with lines `# name: value`: `origin` (where and with which version it was captured, or the form it was
written in), and where needed `reason`, `declared` (JSON), `roles`, `at`, `verdict`. A near miss (the protection is there and
protects nothing) must fail, or be unknown where its `verdict` says that; a harmless one (it looks like the fault) must pass. Then come sections in the gatherer's form
without nonce and seconds; a `stderr` part may be left out. Of a check across hosts, `=== host NAME` goes before each
member's sections, and `=== host NAME unreachable` stands for one without; the group is declared under the name `group-1`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from checks.servers.catalogue import chosen, probes_of
from checks.servers.declared import Declared
from checks.servers.judging import judge_again
from checks.servers.probe import MissingFact
from checks.servers.standby import GroupCheck, judge_groups, read_member
from portalops.model.checks import CheckResult
from portalops.model.message import msg
from portalops.model.organisation import Host, HostId

SAMPLES = Path(__file__).parents[2] / "samples"
NONCE = "0123456789abcdef0123456789abcdef"
DEFAULT_AT = datetime(2026, 11, 25, 2, 0, 0, tzinfo=UTC)
VERDICTS = {"pass": "pass", "fail": "fail", "unknown": "unknown", "not-applicable": "not-applicable"}
SEEDED = {"near-miss": "fail", "harmless": "pass"}
"""Kinds of samples beside those named after their verdict, and the verdict of each."""

_SECTION = re.compile(
    r"^<<<(?P<id>[a-z0-9.-]+)>>>\n(?P<body>.*?)^<<<(?P=id) rc=(?P<rc>\d+)>>>\n", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Sample:
    """One capture, and what the check must say of it."""

    check: str
    name: str
    kind: str
    """With what its file's name begins."""
    verdict: str
    origin: str
    reason: str
    declared: Declared
    host: Host
    at: datetime
    raw: bytes
    """As a host's answer; of a group, that of its first member that was reached."""
    members: tuple[tuple[str, bytes | None], ...] = ()
    """Of a group: each member's answer, None if it was not reached."""

    def judged(self, change: Callable[[bytes], bytes] = lambda raw: raw) -> CheckResult:
        """Judge it by the check that it belongs to, after a change of each answer."""
        some = chosen(ids=(self.check,))
        if not isinstance(some[0], GroupCheck):
            (result,) = judge_again(change(self.raw), self.host, self.declared, self.at, some=some)
            return result
        gone = MissingFact("host-unreachable", msg("cannot connect to {host}: timed out", host="host"))
        looks = {
            name: read_member(
                Host(HostId(name), "192.0.2.1"), self.at, gone if raw is None else change(raw), probes_of(some)
            )
            for name, raw in self.members
        }
        # the kinds of groups that the sample declares none of are judged too, and are not what it is about
        declared = self.declared.model_dump(mode="json", exclude_unset=True)
        kinds = {each["kind"] for each in declared.get("group", {}).values()}
        found = judge_groups(looks, self.declared, self.at, some)
        return next(each for each in found if each.standby in kinds or not kinds).results[0]

    def __str__(self) -> str:
        return f"{self.check}/{self.name}"


def read_sample(path: Path) -> Sample:
    """Read one capture and make the host's answer of it."""
    text = path.read_text("utf-8", "surrogateescape")
    notes = dict(re.findall(r"^# ([a-z]+): (.*)$", text, re.MULTILINE)) if text.startswith("#") else {}
    at = datetime.fromisoformat(notes["at"]) if "at" in notes else DEFAULT_AT
    parts = re.split(r"^=== host (\S+)( unreachable)?\n", text, flags=re.MULTILINE)
    members = tuple(
        (name, None if gone else as_answer(sections))
        for name, gone, sections in zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    )
    kinds = VERDICTS | SEEDED
    kind = next(known for known in kinds if path.stem == known or path.stem.startswith(f"{known}-"))
    verdict = notes.get("verdict", kinds[kind])
    assert verdict == kinds[kind] or (kind, verdict) == ("near-miss", "unknown"), f"{path}: no verdict of its kind"
    return Sample(
        check=path.parent.name,
        name=path.stem,
        kind=kind,
        verdict=verdict,
        origin=notes.get("origin", ""),
        reason=notes.get("reason", ""),
        declared=Declared.model_validate(json.loads(notes.get("declared", "{}"))),
        host=Host(HostId("host-1"), "192.0.2.1", frozenset(notes.get("roles", "").split())),
        at=at,
        raw=next((raw for _, raw in members if raw is not None), as_answer(text)),
        members=members,
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
