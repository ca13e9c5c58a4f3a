"""What the service manager of this machine says of units: asked of systemctl(1), read by pure functions.

read_units(runner, ("portalops.timer",))  ->  {"portalops.timer": UnitState(...)}, or a Message: why it cannot be asked
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from portalops.model.message import Message, msg, verbatim
from portalops.model.text import show_text
from portalops.ports import Completed, Runner

SECONDS = 20.0
"""Longest that systemctl may take to answer."""
_PROPERTIES = (
    *("Id", "LoadState", "ActiveState", "SubState", "UnitFileState", "FragmentPath", "DropInPaths", "NeedDaemonReload"),
    *("NextElapseUSecRealtime", "LastTriggerUSec", "Result", "ExecMainStatus", "ExecMainExitTimestamp"),
)
_MOMENT = re.compile(r"[A-Z][a-z]{2} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)? UTC")


@dataclass(frozen=True, slots=True)
class SystemdUnitState:
    """A unit as the service manager has it."""

    name: str
    is_loaded: bool
    """There is such a unit, and it can be read."""
    load: str
    """`loaded`, `not-found`, `masked`, `bad-setting`, ..."""
    active: str
    """`active`, `inactive`, `failed`, `activating`, ..."""
    sub: str
    """Of a timer `waiting`, `running`, `elapsed`, `dead`."""
    enabled: str
    """`enabled`, `disabled`, `static`, `masked`; empty for a unit without a file."""
    path: str
    drop_ins: tuple[str, ...]
    is_stale: bool
    """Its files were changed since they were read: daemon-reload is due."""
    next_at: datetime | None
    """Of a timer: when it elapses next; None if never."""
    last_at: datetime | None
    """Of a timer: when it elapsed last; of a service: when it ended last."""
    result: str
    """`success`, `exit-code`, `timeout`, `signal`, ..."""
    exit_code: int | None
    """Of a service's last end."""


def read_units(runner: Runner, names: Sequence[str]) -> Mapping[str, SystemdUnitState] | Message:
    """Ask for units, by their names; return why they cannot be asked for where they cannot."""
    done = runner.run(
        ("systemctl", "show", "--no-pager", f"--property={','.join(_PROPERTIES)}", "--", *names),
        timeout_seconds=SECONDS,
    )
    if done.exit_code != 0:
        return refusal(done)
    found = {state.name: state for state in parse_units(done.stdout.decode("utf-8", "replace"))}
    if any(name not in found for name in names):
        return msg("systemctl gave no answer for some units")
    return found


def refusal(done: Completed) -> Message:
    """Say why systemctl gave no answer."""
    if done.exit_code == 127:
        return msg("this machine has no systemctl")
    if done.exit_code == 124:
        return msg("systemctl does not answer")
    said = show_text(done.stderr.decode("utf-8", "replace").strip(), 200)
    return verbatim(said) if said else msg("systemctl ended with {code}", code=str(done.exit_code))


def parse_units(text: str) -> tuple[SystemdUnitState, ...]:
    r"""Read the answer of `systemctl show` for several units: blocks of NAME=VALUE, apart by empty lines.

    >>> [state] = parse_units("Id=a.timer\nLoadState=loaded\nNextElapseUSecRealtime=Thu 2026-11-26 17:15:00 UTC\n")
    >>> state.next_at
    datetime.datetime(2026, 11, 26, 17, 15, tzinfo=datetime.timezone.utc)
    """
    blocks = (dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in text.split("\n\n"))
    return tuple(_state(block) for block in blocks if "Id" in block)


def _state(values: Mapping[str, str]) -> SystemdUnitState:
    code = values.get("ExecMainStatus", "")
    ended = _moment(values.get("ExecMainExitTimestamp", ""))
    load = values.get("LoadState", "")
    return SystemdUnitState(
        name=values["Id"],
        is_loaded=load == "loaded",
        load=load,
        active=values.get("ActiveState", ""),
        sub=values.get("SubState", ""),
        enabled=values.get("UnitFileState", ""),
        path=values.get("FragmentPath", ""),
        drop_ins=tuple(values.get("DropInPaths", "").split()),
        is_stale=values.get("NeedDaemonReload") == "yes",
        next_at=_moment(values.get("NextElapseUSecRealtime", "")),
        last_at=_moment(values.get("LastTriggerUSec", "")) or ended,
        result=values.get("Result", ""),
        exit_code=int(code) if ended and code.isdecimal() else None,
    )


def _moment(text: str) -> datetime | None:
    found = _MOMENT.fullmatch(text)
    return datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) if found else None
