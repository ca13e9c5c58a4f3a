"""From a rulebook's data file to a `Rulebook`, with the numbers that a portal reads otherwise.

A rulebook is found by its file name: `kh-37-2010` is `kh_37_2010.toml` in this folder, so adding a regulation is adding one
file. What duties mean is decided by the rules in `portalops.compliance`, not here.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from portalops.errors import ConfigurationError, InternalFault, UnknownKey
from portalops.model.message import Message, msg
from portalops.model.organisation import Name
from portalops.model.rulebook import Clause, Duty, DutyId, Numbers, Occasions, Rulebook, UnitDuties

_FOLDER = Path(__file__).parent


@cache
def available() -> tuple[str, ...]:
    """Return the ids of all rulebooks, sorted."""
    return tuple(sorted(file.stem.replace("_", "-") for file in _FOLDER.glob("*.toml")))


def load(rulebook_id: str, overrides: Mapping[str, object]) -> Rulebook:
    """Return a rulebook, with the numbers that the configuration changes.

    Args:
        rulebook_id: such as `kh-37-2010`.
        overrides: names of `Numbers` fields to their new values; `overridden` of the result lists what was changed.

    Raises:
        ConfigurationError: there is no such rulebook, a number is unknown (`UnknownKey`), or its value is of the wrong type
            or out of range.
        InternalFault: the rulebook's own file is damaged.
    """
    table = _read(rulebook_id)
    try:
        rulebook = _rulebook(table)
    except (KeyError, TypeError, ValueError, _Unfit) as error:
        raise _damaged(rulebook_id, f"{type(error).__name__}: {error}") from error
    return _with_overrides(rulebook, overrides)


def _read(rulebook_id: str) -> dict[str, Any]:
    known = available()
    if rulebook_id not in known:
        raise ConfigurationError(
            msg("portal.rulebook: there is no rulebook {rulebook}", rulebook=repr(rulebook_id[:100])),
            msg("Set it to one of: {known}.", known=", ".join(known)),
        )
    try:
        return tomllib.loads(_text(f"{rulebook_id.replace('-', '_')}.toml"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _damaged(rulebook_id, str(error)) from error


@cache
def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _rulebook(table: Mapping[str, Any]) -> Rulebook:
    clauses = tuple(Clause(row["id"], _name(row["title"]), row["text"]) for row in table["clause"])
    duties = tuple(_duty(row) for row in table["duty"])
    _require_unique(clause.id for clause in clauses)
    _require_unique(duty.id for duty in duties)
    unknown = {duty.clause for duty in duties} - {clause.id for clause in clauses}
    if unknown:
        raise ValueError(f"duties name clauses that are not there: {', '.join(sorted(unknown))}")
    valid_to: date | None = table.get("valid_to")
    return Rulebook(
        id=table["id"],
        version=table["version"],
        title=_name(table["title"]),
        document=table["document"],
        valid_from=table["valid_from"],
        valid_to=valid_to,
        clauses=clauses,
        duties=duties,
        numbers=replace(Numbers(), **{name: _PARSERS[name](value) for name, value in table["numbers"].items()}),
        notices=tuple(_name(row) for row in table.get("notice", ())),
    )


def _duty(row: Mapping[str, Any]) -> Duty:
    return Duty(
        id=DutyId(row["id"]),
        clause=row["clause"],
        title=_name(row["title"]),
        evidence=_name(row["evidence"]),
        rule=row["rule"],
        subject=row.get("subject", ""),
        checks=tuple(row.get("checks", ())),
    )


def _name(row: Mapping[str, str]) -> Name:
    return Name(vi=row["vi"], en=row["en"])


def _require_unique(ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            raise ValueError(f"id {one} is used twice")
        seen.add(one)


# --- Numbers ----------------------------------------------------------------------------------


class _Unfit(Exception):
    """A value of the wrong type or out of range; `expected` says what it must be."""

    def __init__(self, expected: Message) -> None:
        super().__init__(str(expected))
        self.expected = expected


def _with_overrides(rulebook: Rulebook, overrides: Mapping[str, object]) -> Rulebook:
    changed: dict[str, Any] = {}
    for name, value in overrides.items():
        if name not in _PARSERS:
            raise _unknown_number(name)
        try:
            number = _PARSERS[name](value)
        except _Unfit as unfit:
            raise ConfigurationError(
                msg(
                    "rulebook.{name}: {value} is not {expected}",
                    name=name,
                    value=repr(value)[:100],
                    expected=unfit.expected,
                ),
                msg("Correct the value, or remove the line to use the rulebook's own number."),
            ) from unfit
        own_number = getattr(rulebook.numbers, name)
        if (name in _NO_FEWER and number < own_number) or (name in _NO_MORE and number > own_number):
            raise ConfigurationError(
                msg(
                    "rulebook.{name}: {value} is less strict than the regulation's {own}",
                    name=name,
                    value=number,
                    own=own_number,
                ),
                msg("Correct the value, or remove the line to use the rulebook's own number."),
            )
        if number != own_number:
            changed[name] = number
    own = {name: _as_text(getattr(rulebook.numbers, name)) for name in changed}
    return replace(rulebook, numbers=replace(rulebook.numbers, **changed), overridden=own)


_NO_FEWER = frozenset({"portal_daily_min", "unit_weekly_min"})
_NO_MORE = frozenset({"backup_max_age_days"})
"""What the articles themselves ask for: configuration may ask for more, and never for less."""


def _unknown_number(name: str) -> UnknownKey:
    near = difflib.get_close_matches(name, _PARSERS, n=1)
    hint = (
        msg("Did you mean {near}?", near=near[0])
        if near
        else msg("The rulebook's numbers are: {known}.", known=", ".join(_PARSERS))
    )
    return UnknownKey(msg("rulebook.{name}: the rulebook has no such number", name=repr(name[:100])), hint)


def _whole(lowest: int, highest: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
            return value
        raise _Unfit(msg("a whole number from {lowest} to {highest}", lowest=lowest, highest=highest))

    return parse


def _yes_or_no(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise _Unfit(msg("true or false"))


def _one_of(choices: type[Occasions] | type[UnitDuties]) -> Callable[[object], Occasions | UnitDuties]:
    def parse(value: object) -> Occasions | UnitDuties:
        if isinstance(value, str) and value in list(choices):
            return choices(value)
        raise _Unfit(msg("one of {choices}", choices=", ".join(choices)))

    return parse


def _time_of_day(value: object) -> str:
    """Accept `00:01` to `24:00`: a day that closed at 00:00 would hold nothing."""
    if isinstance(value, str) and value != "00:00" and re.fullmatch(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00", value):
        return value
    raise _Unfit(msg("a time of day from 00:01 to 24:00"))


_PARSERS: Mapping[str, Callable[[object], Any]] = {
    "backup_max_age_days": _whole(1, 7),
    "inventory_max_age_days": _whole(1, 45),
    "read_back_max_age_days": _whole(1, 3660),
    "restored_max_age_days": _whole(1, 3660),
    "queried_max_age_days": _whole(1, 3660),
    "portal_daily_min": _whole(1, 100),
    "unit_weekly_min": _whole(1, 100),
    "unit_duties": _one_of(UnitDuties),
    "occasion": _one_of(Occasions),
    "session_gap_minutes": _whole(1, 24 * 60),
    "day_cutoff": _time_of_day,
    "weekend_counts_daily": _yes_or_no,
    "weekend_counts_weekly": _yes_or_no,
    "late_grace_hours": _whole(0, 168),
    "short_weeks_ask_less": _yes_or_no,
    "syndication_counts_as_submission": _yes_or_no,
    "duplicate_window_days": _whole(0, 3660),
    "new_subportal_grace_working_days": _whole(0, 260),
    "check_max_age_hours": _whole(1, 24 * 31),
    "check_every_days": _whole(1, 31),
    "finding_critical_days": _whole(1, 365),
    "finding_high_days": _whole(1, 365),
    "finding_medium_days": _whole(1, 365),
    "finding_low_days": _whole(1, 365),
    "waiver_max_days": _whole(1, 365),
    "case_remind_working_days": _whole(1, 60),
    "case_explain_working_days": _whole(1, 60),
    "case_decide_working_days": _whole(1, 60),
    "case_close_working_days": _whole(1, 60),
    "case_report_working_days": _whole(1, 60),
    "report_cut_off_day": _whole(0, 28),
    "report_due_working_days": _whole(1, 60),
    "exemption_entered_working_days": _whole(1, 60),
    "incident_first_report_hours": _whole(1, 120),
    "incident_full_report_hours": _whole(1, 744),
    "repeat_weeks": _whole(1, 26),
    "repeat_per_quarter": _whole(1, 26),
}


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _damaged(rulebook_id: str, cause: str) -> InternalFault:
    return InternalFault(
        msg("the file of rulebook {rulebook} is damaged: {cause}", rulebook=rulebook_id, cause=cause[:200]),
        msg("Install portalops again: its own files were changed."),
    )
