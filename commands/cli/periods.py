"""The `--period` option, the same wherever it stands."""

from __future__ import annotations

from datetime import date

from commands.cli.session import Session
from portalops.errors import UsageError
from portalops.model.message import msg
from portalops.model.period import Period, current_period, parse_period
from portalops.model.text import show_text


def period_option(session: Session, text: str | None) -> Period:
    """Return the period that was asked for; without one, the last complete week and the current one.

    Raises:
        UsageError: the text is not a period.
    """
    if text is None:
        return current_period(session.today)
    return period_of(text, "--period")


def period_of(text: str, option: str) -> Period:
    """Return the period that an option was given.

    Raises:
        UsageError: the text is not a period.
    """
    try:
        return parse_period(text)
    except ValueError as error:
        if _is_reversed(text):
            raise UsageError(
                msg("{option}: {text} ends before it begins", option=option, text=show_text(text, 40)),
                msg("Give the earlier one first."),
            ) from error
        raise UsageError(
            msg("{option} does not take {text}", option=option, text=show_text(text, 40)),
            msg("Give a day, week, month or year, or two joined by dots: 2026-W48, 2026-11, 2026-W40..2026-W47."),
        ) from error


def _is_reversed(text: str) -> bool:
    first, mark, last = text.partition("..")
    try:
        return bool(mark) and parse_period(first).first > parse_period(last).last
    except ValueError:
        return False


def parse_day(text: str) -> date:
    """Read a day.

    Raises:
        UsageError: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(msg("not a day: {text}", text=text[:40]), msg("Write it as 2026-01-10.")) from error
