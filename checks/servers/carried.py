"""What an answer repeats of an earlier one of the same host, for looks that are not made in every round.

Such a section is repeated as it stood, and a section `carried` says of each when the answer was received in which it stood
first, and by which SHA-256 the ledger holds that answer:

    {"outside.ports":{"answer":"9f86d081...","at":"2026-11-20T01:00:00+00:00"}}

How old it may be is the probe's `repeated_for`; the limit is counted when the answer is judged, so that an old look is unknown
with its age, and never a pass. The portal's own station writes the section `carried` into every answer, also where it repeats
nothing: a host that makes one of its own has it twice, and its answer is rejected.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from checks.servers.gather import AnswerRejected, HostAnswer
from checks.servers.probe import ProbeResult
from portalops.json_text import read_json
from portalops.model.record import Digest

SECTION = "carried"
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Original:
    """Where a repeated section stood first."""

    at: datetime
    """When that answer was received, UTC."""
    answer: Digest
    """The answer, as the ledger holds it."""


def written(originals: Mapping[str, Original]) -> ProbeResult:
    """Make the section that says what an answer repeats, by probe id."""
    held = {name: {"answer": one.answer, "at": one.at.isoformat()} for name, one in originals.items()}
    return ProbeResult(SECTION, 0, json.dumps(held, sort_keys=True, separators=(",", ":")).encode(), b"", 0)


def originals_in(answer: HostAnswer) -> dict[str, Original]:
    """Return where each section that an answer repeats stood first; nothing for an answer of before there were such.

    Raises:
        AnswerRejected: the section that says so is out of form.
    """
    section = answer.sections.get(SECTION)
    if section is None:
        return {}
    try:
        return {str(name): _original(one) for name, one in read_json(section.stdout).items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AnswerRejected(SECTION) from error


def repeated(
    answer: HostAnswer, wanted: Collection[str], stood_in: Original
) -> tuple[tuple[ProbeResult, ...], dict[str, Original]]:
    """Return those sections of an earlier answer that are wanted, and where each stood first.

    Args:
        answer: the earlier one, taken apart.
        wanted: ids of probes.
        stood_in: that answer. What it repeats itself stood in an older one first.

    Raises:
        AnswerRejected: what it repeats itself is out of form.
    """
    before = originals_in(answer)
    found = tuple(answer.sections[name] for name in wanted if name in answer.sections)
    return found, {one.probe: before.get(one.probe, stood_in) for one in found}


def _original(held: Mapping[str, str]) -> Original:
    at, digest = datetime.fromisoformat(held["at"]), held["answer"]
    if at.tzinfo is None or not _DIGEST.fullmatch(digest):
        raise ValueError(digest)
    return Original(at, Digest(digest))
