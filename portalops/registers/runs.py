"""Runs, folded from the records that frame them; and the ids that runs are recorded under.

An id is made from what was planned, never from chance or the time of day, so that two processes that
try the same work at once collide instead of doing it twice: `<duty>:<job>:<slot>[:<suffix>]`, and
`.2`, `.3`, ... behind it for further attempts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace

from portalops.model.record import FINISHED, STARTED, Record, RunId
from portalops.model.runs import Job, JobId, Run
from portalops.model.values import dataclass

_PART = re.compile(r"[^:\s]+")
_ATTEMPT = re.compile(r"\.([1-9][0-9]*)$")


@dataclass(frozen=True, slots=True)
class RunName:
    """What a run's id says."""

    duty: str
    job: JobId
    slot: str
    suffix: str
    attempt: int
    """1 for the first."""


def fold_runs(records: Iterable[Record]) -> tuple[Run, ...]:
    """Return the runs that records tell of, in the order in which they started.

    A finished record without its started record makes no run: when it began is not known. Verification
    lists such records.
    """
    runs: dict[tuple[str, str], Run] = {}
    for record in records:
        if record.kind.endswith(STARTED):
            kind = record.kind.removesuffix(STARTED)
            runs[record.run, kind] = Run(
                record.run, kind, record.subject, record.duty, record.at, record.seq, body=record.body
            )
        elif record.kind.endswith(FINISHED):
            key = record.run, record.kind.removesuffix(FINISHED)
            if key in runs:
                runs[key] = replace(runs[key], finished_at=record.at, finished_seq=record.seq, body=record.body)
    return tuple(runs.values())


def run_id(job: Job, slot: str, *, taken: Collection[str] = (), suffix: str = "") -> RunId:
    """Return the id of the next run of a job in one of its slots.

    Args:
        job: its duty leads the id; a job without a duty is led by its kind.
        slot: as `Every.slot` names it.
        taken: ids that are in the ledger already; others than this job's and slot's do no harm.
        suffix: tells apart several runs that belong to one slot, such as `full`.

    Raises:
        ValueError: a part is empty or holds a colon or white space, or the suffix ends like an attempt.
    """
    parts = (job.duty or job.kind.value, job.id, slot, *([suffix] if suffix else []))
    for part in parts:
        if not _PART.fullmatch(part):
            raise ValueError(f"not a part of a run's id: {part!r}")
    base = ":".join(parts)
    if _ATTEMPT.search(parts[-1]):
        raise ValueError(f"ends like a further attempt: {parts[-1]!r}")
    attempts = {attempt_of(other) for other in taken if _ATTEMPT.sub("", other) == base}
    attempt = max(attempts, default=0) + 1
    return RunId(base if attempt == 1 else f"{base}.{attempt}")


def attempt_of(run: str) -> int:
    """Return which attempt an id names: 1 for one without a number behind it."""
    found = _ATTEMPT.search(run.rpartition(":")[2])
    return int(found.group(1)) if found else 1


def parse_run_id(run: str) -> RunName | None:
    """Read an id, or return None for one that was not made by `run_id`."""
    parts = run.split(":")
    if not 3 <= len(parts) <= 4 or not all(parts):
        return None
    attempt = attempt_of(run)
    parts[-1] = _ATTEMPT.sub("", parts[-1])
    return RunName(parts[0], JobId(parts[1]), parts[2], parts[3] if len(parts) == 4 else "", attempt)
