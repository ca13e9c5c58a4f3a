"""What the commands of registers share: days and moments as people write them, documents, ids, units, and who calls."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Final, Optional

import typer

from commands.cli.session import Session
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.cases import THE_PORTAL
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg
from portalops.model.organisation import Agency, Name, UnitId
from portalops.model.sent import Addressee
from portalops.model.text import show_text
from portalops.system.accounts import account_name

MAX_FILE_BYTES: Final = 32 << 20
"""Of a document that is kept as evidence."""

MAX_TEXT = 1000
DryRun = Annotated[bool, typer.Option("--dry-run", help=_("Show what would be recorded, and record nothing"))]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help=_("Why, for the readers of the ledger"))]
DocumentFile = Annotated[
    Optional[Path],  # noqa: UP045  # Typer reads it at run time
    typer.Option("--file", metavar="FILE", help=_("The document itself, kept as evidence by its digest")),
]


def written_text(text: str, option: str) -> str:
    """Return what a person wrote, on one line and escaped.

    Raises:
        UsageError: it is empty or too long.
    """
    if not text.strip():
        raise UsageError(
            msg("{option} is empty", option=option), msg("Give a text: the ledger keeps it for its readers.")
        )
    if len(text) > MAX_TEXT:
        raise UsageError(
            msg("{option} has {n} characters, and {most} at most are kept", option=option, n=len(text), most=MAX_TEXT),
            msg("Put the rest into the document, and give that by --file."),
        )
    return show_text(" ".join(text.split()), MAX_TEXT)


def addressee_of(text: str) -> Addressee:
    """Return to whom a report goes, from `--to`.

    Raises:
        UsageError: it is nobody.
    """
    try:
        return Addressee(text)
    except ValueError as error:
        raise UsageError(
            msg("--to: {text} is nobody to report to", text=show_text(text, 40)), msg("Give department or committee.")
        ) from error


def past_day(session: Session, text: str | None, option: str) -> date:
    """Return a local day up to today; today where none is given.

    Raises:
        UsageError: it is no day, or ahead.
    """
    today = session.today
    if text is None:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            msg("{option}: {text} is no day", option=option, text=show_text(text, 40)),
            msg("Write it as year-month-day: {day}.", day=today.isoformat()),
        ) from error
    if day > today:
        raise UsageError(
            msg("{option}: {day} is ahead, today is {today}", option=option, day=day, today=today),
            msg("What has not happened cannot be recorded; see whether the day or the clock is wrong."),
        )
    return day


def moment(session: Session, text: str, option: str) -> datetime:
    """Return a moment; without an offset it is the portal's local time.

    Raises:
        UsageError: it is none.
    """
    now = session.clock.now().astimezone(session.zone_of_portal)
    try:
        found = datetime.fromisoformat(text)
        zoned = found if found.tzinfo else found.replace(tzinfo=session.zone_of_portal)
        years = range(2000, now.year + 100)
        years.index(zoned.astimezone(session.zone_of_portal).year)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            msg("{option}: {text} is no moment", option=option, text=show_text(text, 40)),
            msg("Write it as {example}, in the portal's time.", example=now.strftime("%Y-%m-%dT%H:%M")),
        ) from error
    return zoned


def past_moment(session: Session, text: str | None, option: str) -> datetime:
    """Return a moment up to now; now where none is given.

    Raises:
        UsageError: it is none, or ahead.
    """
    now = session.clock.now()
    if text is None:
        return now
    found = moment(session, text, option)
    if found > now:
        raise UsageError(
            msg("{option}: {moment} is ahead", option=option, moment=found),
            msg("What has not happened cannot be recorded; see whether the time or the clock is wrong."),
        )
    return found


def document_in(path: Path | None) -> bytes | None:
    """Return the bytes of a document that is to be kept; None where none was given.

    Raises:
        UsageError: it cannot be read, is empty, or is too large.
    """
    if path is None:
        return None
    if path.is_fifo():  # opening one waits for as long as nobody writes into it
        raise UsageError(msg("{path} is no file", path=show_text(str(path))), msg("Give the document itself."))
    try:
        with path.open("rb") as opened:
            data = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(
            msg("cannot read {path}: {cause}", path=show_text(str(path)), cause=cause_of(error)),
            msg("Check the path, and who may read the file."),
        ) from error
    if not data:
        raise UsageError(msg("{path} is empty", path=show_text(str(path))), msg("Give the document itself."))
    if len(data) > MAX_FILE_BYTES:
        raise UsageError(
            msg("{path} is larger than {limit} bytes", path=show_text(str(path)), limit=MAX_FILE_BYTES),
            msg("Scan it with fewer dots; the whole document must be kept, since its digest speaks for it."),
        )
    return data


def unkept_document(name: str) -> Message:
    """Say that a record rests on typed text alone.

    Args:
        name: who vouches for it.
    """
    return msg("the document is not kept: --file keeps it, and without it only {name} says so", name=name)


def next_id(session: Session, prefix: str, kinds: Collection[str]) -> str:
    """Return the next id, such as `EX-2026-004`: one that no record of these kinds bears, whether it can be read or not.

    Args:
        session: has the ledger, which need not be there yet.
        prefix: what the ids begin with, such as `EX`.
        kinds: of the records whose subjects are ids.
    """
    beginning = f"{prefix}-{session.clock.now().astimezone(session.zone_of_portal).year}-"
    names = [record.subject for record in session.reader.records(kinds=kinds)]
    numbers = [int(name.removeprefix(beginning)) for name in names if re.fullmatch(rf"{beginning}[0-9]{{3,9}}", name)]
    return f"{beginning}{max(numbers, default=0) + 1:03}"


def known_unit(session: Session, name: str | None) -> Agency:
    """Return the configured unit of an id.

    Raises:
        UsageError: there is none, or no id was given.
    """
    found = next((unit for unit in session.settings.units if unit.id == name), None)
    if found is None:
        said = msg("there is no unit {unit}", unit=show_text(name, 80)) if name else msg("--unit is missing")
        raise UsageError(said, msg("Give the id of a [[unit]] table; 'portalops config show' lists them."))
    return found


def unit_name(session: Session, unit: UnitId | None) -> Name | str:
    """Return how a unit is called; for the portal's own duty, by the portal's name; one that is not configured by its id."""
    if unit in {None, THE_PORTAL}:
        return session.settings.portal.name
    return next((one.name for one in session.settings.units if one.id == unit), unit or "")


def caller_of(session: Session) -> str:
    """Return who calls, as far as the account tells: who used sudo, else the account's name, or its number if it has none."""
    circumstances = session.circumstances
    user = circumstances.user_id
    return show_text(circumstances.sudo_user or account_name(user), 200) or f"uid {user}"
