"""Say that the clock was wrong up to the newest record, by two persons, so that the ledger goes on

While the clock ran ahead, records of the future were made, and nothing can be recorded before that moment. Name the
first of them, the newest line of any sort, and the moment from which on the clock is right again. Nothing is removed:
the lines stay in the chain, 'ledger verify' and bundles name them, and they meet no duty. Without --signature, shows
the text that the second person signs, with their own key and on their own machine.

Example: portalops ledger mend-clock 412 430 --since 2026-12-01T08:15 --by 'Nguyễn Văn An' --second binh
--reason 'the clock ran a week ahead' --request clock.txt; portalops ledger mend-clock ... --signature clock.txt.sig

EXIT STATUS: 0 shown or recorded, 2 the records or the moment do not fit, or the person is unknown, 4 the signing key is
not the ledger's, 5 the signature is not the second person's, 78 no signing key is configured
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from commands.cli.entries import Reason, moment, written_text
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.ledger.options import By, First, Last, Request, Second, Signature
from commands.ledger.steps import ledgers_key, second_person, signed_by_two
from commands.ledger.views import to_be_signed
from portalops import bodies
from portalops.errors import UsageError
from portalops.ledger.heeded import read_ownership
from portalops.ledger.ledger import Ledger
from portalops.ledger.quarantine_text import FORMS, text_of
from portalops.ledger.quarantines import ReadQuarantine
from portalops.ledger.set_aside import find_flaw, read_time_before, stored_lines
from portalops.locale import _
from portalops.model.message import msg
from portalops.model.quarantines import Quarantine
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.registers.writers import CLOCK_MENDED
from portalops.reports.document import Paragraph
from portalops.signatures.sshsig import fingerprint


@shape
class ClockMended:
    """Records whose time is wrong, or is to be called so."""

    first: int
    last: int
    since: datetime
    """From when on time is right again."""
    by: str
    second: str
    fingerprint: str
    """Of the second person's key."""
    reason: str
    text: str
    """What both sign."""
    seq: int | None
    """The record that says so; null where the second signature is still to come."""


def mend_clock(
    ctx: typer.Context,
    first: First,
    last: Last,
    *,
    since: Annotated[
        str,
        typer.Option(
            metavar="YYYY-MM-DDTHH:MM", help=_("From when on the clock is right again, in the portal's local time")
        ),
    ],
    by: By,
    second: Second,
    reason: Reason,
    request: Request = None,
    signature: Signature = None,
) -> Result[ClockMended]:
    session = open_session(ctx)
    ledger = session.ledger_to_mend
    key = ledgers_key(session, ledger, (first, last))
    person, key_text = second_person(session, second, by)
    right = moment(session, since, "--since").astimezone(UTC)
    words = written_text(by, "--by"), written_text(reason, "--reason")
    if signature is not None:
        _require_nothing_behind(ledger, last)
    digest = _require_newest(ledger, first, last)
    asked = Quarantine(ledger.id, first, last, digest, words[0], person, key_text, words[1], right)
    _require_ahead(ledger, asked)
    _require_in_time(ledger, asked, session.clock.now())
    _require_sound(ledger, asked, key.public_key, session.clock.now())
    parts = signed_by_two(asked, CLOCK_MENDED, key, request, signature)
    if parts is None:
        return Result(_shown(asked, None), to_be_signed(asked, CLOCK_MENDED, request))
    body = ledger.keep(bodies.write({"circumstances": session.circumstances, FORMS[CLOCK_MENDED].part: parts}))
    seq = ledger.append_mend(ledger.draft(CLOCK_MENDED, subject=f"{first}-{last}", body=body), last).seq
    said = (
        msg(
            "The time of record {record} is wrong, says record {seq}. Nothing was removed; 'portalops ledger verify' names it.",
            record=str(last),
            seq=seq,
        )
        if first == last
        else msg(
            "The times of records {first} to {last} are wrong, says record {seq}. Nothing was removed; 'portalops ledger verify' names them.",
            first=str(first),
            last=str(last),
            seq=seq,
        )
    )
    return Result(_shown(asked, seq), (Paragraph(said),))


def _require_nothing_behind(ledger: Ledger, last: int) -> None:
    """Make sure that no line came behind the last one that the signed text names."""
    behind = stored_lines(ledger, (last + 1,))
    if not behind:
        return
    ((seq, _digest, record),) = behind
    raise UsageError(
        msg(
            "behind record {last}, with which the signed text ends, came record {seq} of {at}, {kind}",
            last=str(last),
            seq=str(seq),
            at=record.at,
            kind=show_text(record.kind, 80),
        )
        if record is not None
        else msg(
            "behind record {last}, with which the signed text ends, came line {seq}, which is no record",
            last=str(last),
            seq=str(seq),
        ),
        msg(
            "Stop what recorded it: a machine whose clock is still ahead, or a stranger's account, whose right to append is taken away"
            " first. Then give {newest} as the last record, with --request, and have the new text signed.",
            newest=str(ledger.newest_number()),
        ),
    )


def _require_newest(ledger: Ledger, first: int, last: int) -> Digest:
    """Return the digest of the last line, after it was made sure that it is the newest."""
    newest = ledger.newest_number()
    lines = stored_lines(ledger, (last,))
    if first > last:
        raise UsageError(
            msg("there are no records {first} to {last}", first=str(first), last=str(last)),
            msg("Give the first record with a wrong time as FIRST, and {newest} as LAST.", newest=str(newest)),
        )
    if newest != last or not lines:
        raise UsageError(
            msg(
                "records {first} to {last} do not end with the newest, {newest}",
                first=str(first),
                last=str(last),
                newest=str(newest),
            ),
            msg("Give the first record with a wrong time as FIRST, and {newest} as LAST.", newest=str(newest)),
        )
    return lines[0][1]


def _require_ahead(ledger: Ledger, asked: Quarantine) -> None:
    """Make sure that the first one is a record behind the ledger's beginning, of a time after the moment."""
    since, first = asked.since, str(asked.first)
    if asked.first == 1:
        raise UsageError(
            msg(
                "the ledger began at a wrong time: no record before record 1 is right, and its key signs only from that time on"
            ),
            msg("Move the state folder away, and begin the ledger anew (docs/stopped.md, The clock had run ahead)."),
        )
    ((_seq, _digest, record),) = stored_lines(ledger, (asked.first,))
    if record is None:
        raise UsageError(
            msg("line {first} is no record, so it has no time that is wrong", first=first),
            msg("Give the first record of the future as FIRST. Set the line aside: portalops ledger quarantine."),
        )
    if since is not None and record.at <= since:
        raise UsageError(
            msg("record {first} of {at} is not later than {since}", first=first, at=record.at, since=since),
            msg(
                "'portalops ledger show' lists the records with their times: give the first one after --since as FIRST."
            ),
        )


def _require_in_time(ledger: Ledger, asked: Quarantine, now: datetime) -> None:
    """Make sure that the moment lies between the newest right record and now."""
    since, right = asked.since, read_time_before(ledger, read_ownership(ledger), asked.first)
    if since is not None and since > now:
        raise UsageError(
            msg("--since {since} is later than the clock, which shows {now}", since=since, now=now),
            msg("Give a moment up to now, from which on the clock was right."),
        )
    if since is not None and right is not None and since < right:
        raise UsageError(
            msg("--since {since} is earlier than the newest right record, of {right}", since=since, right=right),
            msg("Give the first minute after that record. If that minute is not over yet, wait for its end."),
        )


def _require_sound(ledger: Ledger, asked: Quarantine, own: str, now: datetime) -> None:
    """Make sure that it would count."""
    if asked.first == 1:
        raise UsageError(
            msg(
                "the ledger began at a wrong time: no record before record 1 is right, and its key signs only from that time on"
            ),
            msg("Move the state folder away, and begin the ledger anew (docs/stopped.md, The clock had run ahead)."),
        )
    read = ReadQuarantine(asked.last + 1, now, CLOCK_MENDED, asked, (own, asked.public_key), None, True)
    if (why := find_flaw(ledger, read_ownership(ledger), read)) is not None:
        raise UsageError(
            msg("the clock cannot be mended so: {why}", why=why),
            msg(
                "'portalops ledger show' lists the records with their times, and 'portalops ledger verify' what counts."
            ),
        )


def _shown(asked: Quarantine, seq: int | None) -> ClockMended:
    assert asked.since is not None
    key = fingerprint(asked.public_key)
    return ClockMended(
        asked.first, asked.last, asked.since, asked.by, asked.second, key, asked.reason, text_of(asked), seq
    )


VERB = Verb(mend_clock)
