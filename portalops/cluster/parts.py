"""The parts of a job: which there are, what is handed to a worker, and what of them the ledger holds. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, field
from typing import TypeAlias

from portalops.json_text import read_json
from portalops.model.record import Record, RunId
from portalops.model.values import dataclass
from portalops.registers.runs import parse_run_id

FORMAT = 1
"""Of a wish; a worker leaves one of another format in the queue, for a worker that knows it."""

SUFFIX = "-part"
"""Behind a job's kind: the kind of its parts' records, such as `check-part.finished`."""

MAX_RUN = 1000
"""Longest id of a run in a wish, in characters; ids of jobs, units and hosts are far shorter."""

_TEXTS = ("run", "kind", "job", "part", "duty")

_LIKE_AN_ATTEMPT = re.compile(r"\.[0-9]+_*$")

JsonValue: TypeAlias = "str | int | bool | list[JsonValue] | dict[str, JsonValue] | None"


@dataclass(frozen=True, slots=True)
class PartRequest:
    """One part as it is handed to a worker."""

    run: str
    """The id of the part's run; of its first attempt."""
    kind: str
    """Of the job, such as `check`."""
    job: str
    part: str
    """`host-web1`, `source-feed`, ..."""
    duty: str = ""
    details: Mapping[str, JsonValue] = field(default_factory=dict)
    """What the kind's parts need beside their name."""
    attempt: int = 1
    """Which attempt is asked for: one that has ended answers it, and so does any later one."""
    format: int = FORMAT

    def written(self) -> bytes:
        """Return it as the queue keeps it."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":")).encode()


def read_request(data: bytes) -> PartRequest | None:
    """Read a wish from the queue; None if it is of a format that is not known here, or is none.

    Whoever may write into the ledger may put anything into the queue. A wish whose run's id names another part than it asks for is none: its
    record would stand for a host that nobody asked.
    """
    try:
        found = read_json(data)
        if not isinstance(found, dict) or found.get("format") != FORMAT or not _has_types(found):
            return None
        wish = PartRequest(**found)
    except (ValueError, TypeError):
        return None
    return wish if _is_named(wish) else None


def _has_types(found: dict[str, object]) -> bool:
    """Say whether the values that there are can be those of a wish."""
    attempt = found.get("attempt", 1)
    return (
        all(isinstance(each := found.get(key, ""), str) and each.isprintable() for key in _TEXTS)
        and type(attempt) is int
        and attempt >= 1
        and isinstance(found.get("details", {}), dict)
    )


def _is_named(wish: PartRequest) -> bool:
    """Say whether the run's id is that of the part's first attempt."""
    name = parse_run_id(wish.run)
    if name is None or len(wish.run) > MAX_RUN or " " in wish.run:
        return False
    named = (name.duty, name.job, name.suffix, name.attempt)
    return named == (wish.duty or wish.kind, wish.job, suffix_of(wish.part), 1)


def part_kind(kind: str) -> str:
    """Return the kind of the parts of jobs of a kind."""
    return f"{kind}{SUFFIX}"


def suffix_of(part: str) -> str:
    """Return what stands for a part in its run's id: a name that ends like a further attempt, such as `host-10.0.0.5`, ends with `_` there."""
    return f"{part}_" if _LIKE_AN_ATTEMPT.search(part) else part


def part_of(record: Record) -> RunId:
    """Return the id of the part's first attempt, which its wish bears, from a record of any attempt."""
    name = parse_run_id(record.run)
    if name is None or name.attempt == 1:
        return record.run
    return RunId(record.run.rpartition(".")[0])
