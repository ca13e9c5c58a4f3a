"""How the updates commands show polls, weeks and days: as blocks for people, as data for programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from commands._result import JsonValue
from commands._session import Session
from portalops.model.message import Message, msg, nmsg
from portalops.model.updates import FlaggedItem, Poll, PortalDay, UnitWeek
from portalops.model.verdicts import DutyVerdict
from portalops.ports import UpdateSource
from portalops.reports.document import Block, Bullets, Notice, Paragraph, Status, Table, Tone
from portalops.reports.words import duty_status, flag_word, joined

MAX_SHOWN = 50
"""Refused lines and flagged items that are printed; --json has them all."""


def is_due(week: UnitWeek) -> bool:
    return week.subportal_verdict not in {DutyVerdict.NOT_ASSESSED, DutyVerdict.EXEMPT}


def portal_line(portal: PortalDay | None) -> Sequence[Block]:
    if portal is None:
        return ()
    word = duty_status(portal.verdict).word
    return (
        Paragraph(msg("The portal on {day}: {verdict}; {reason}", day=portal.day, verdict=word, reason=portal.reason)),
    )


def polls_table(polls: Sequence[Poll]) -> Table:
    headers = (msg("Source"), msg("Answer"), msg("Items"), msg("New"), msg("Gap before"), msg("Refused"))
    rows = [
        (
            poll.source,
            Status(msg("answered"), Tone.GOOD)
            if poll.ok
            else Status(msg("failed: {problem}", problem=poll.cause), Tone.BAD),
            poll.items,
            poll.new_items,
            Status(msg("yes"), Tone.UNSURE) if poll.gap else msg("no"),
            len(poll.rejected) + poll.rejected_more,
        )
        for poll in polls
    ]
    return Table(msg("How the sources answered"), headers, rows)


def hints(polls: Sequence[Poll]) -> Sequence[Block]:
    """Return what may be done about the sources that failed, each thing once."""
    found: dict[str, tuple[Message, list[str]]] = {}
    for poll in polls:
        if poll.hint is not None:
            found.setdefault(str(poll.hint), (poll.hint, []))[1].append(poll.source)
    lines = [msg("hint for {sources}: {hint}", sources=", ".join(some), hint=hint) for hint, some in found.values()]
    return (Bullets(lines),) if lines else ()


def remarks(polls: Sequence[Poll], sources: Sequence[UpdateSource]) -> Sequence[Block]:
    """Return where sources were redirected to, what cross-checks say of gaps, and which are looked at too seldom.

    Of the items that a feed shows, less than half may be new at a look, so that none passes unseen (updates.md, section 1). At
    its first look all are.
    """
    lines = [
        msg("{source} was redirected to {urls}", source=poll.source, urls=", ".join(poll.via))
        for poll in polls
        if poll.via
    ]
    lines += [
        msg("Gap before {source}: {what}", source=poll.source, what=poll.gap_check) for poll in polls if poll.gap_check
    ]
    # An answer of a mailbox is what came since, all of which is new: nothing can have left it for being too long.
    short = {one.traits.id for one in sources if not one.traits.complete and not one.traits.attested}
    lines += [
        msg(
            "Of the {items} items of {source}, {new} are new: look at it more often, so that none passes unseen",
            source=poll.source,
            items=poll.items,
            new=poll.new_items,
        )
        for poll in polls
        if poll.source in short and poll.items <= 2 * poll.new_items < 2 * poll.items
    ]
    return (Bullets(lines),) if lines else ()


def refused(polls: Sequence[Poll]) -> Sequence[Block]:
    lines = [msg("{source}: {line}", source=poll.source, line=line) for poll in polls for line in poll.rejected]
    if not lines:
        return ()
    count = len(lines) + sum(poll.rejected_more for poll in polls)
    blocks: list[Block] = [
        Notice(
            nmsg(
                "{n} line or item was refused; the others count",
                "{n} lines or items were refused; the others count",
                count,
            )
        ),
        Bullets(lines[:MAX_SHOWN]),
    ]
    if count > MAX_SHOWN:
        blocks.append(Paragraph(msg("... and {more} more", more=count - len(lines[:MAX_SHOWN]))))
    return blocks


def flagged_summary(flagged: Sequence[FlaggedItem]) -> Sequence[Block]:
    counts: dict[str, tuple[Message, int]] = {}
    for item in flagged:
        for flag in item.flags:
            counts[flag.value] = (flag_word(flag), counts.get(flag.value, (flag_word(flag), 0))[1] + 1)
    if not counts:
        return ()
    rows = [counts[flag] for flag in sorted(counts)]
    return (
        Table(msg("Flagged items in the judged weeks"), (msg("Flag"), msg("Items")), rows),
        Paragraph(msg("'portalops updates list --flagged' shows them.")),
    )


def joined_flags(words: Sequence[Message]) -> Message | None:
    return joined(words) if words else None


def iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def poll_data(poll: Poll) -> dict[str, JsonValue]:
    return {
        "id": poll.source,
        "ok": poll.ok,
        "problem": str(poll.problem),
        "hint": str(poll.hint) if poll.hint else None,
        "polled_at": poll.polled_at.isoformat(),
        "items": poll.items,
        "new_items": poll.new_items,
        "gap": poll.gap,
        "gap_check": str(poll.gap_check) if poll.gap_check else None,
        "redirected_to": list(poll.via),
        "rejected": list(map(str, poll.rejected)),
        "rejected_more": poll.rejected_more,
        "evidence": poll.evidence,
    }


def portal_data(session: Session, portal: PortalDay) -> dict[str, JsonValue]:
    return {
        "id": session.settings.portal.id,
        "day": portal.day.isoformat(),
        "working": portal.working,
        "verdict": portal.verdict.value,
        "reason": str(portal.reason),
        "updates": portal.updates,
    }


def week_data(week: UnitWeek, *, with_id: bool = False) -> dict[str, JsonValue]:
    own: dict[str, JsonValue] = {"id": f"{week.unit}/{week.week}", "unit": week.unit} if with_id else {}
    return {
        **own,
        "week": str(week.week),
        "verdict": week.verdict.value,
        "reason": str(week.reason),
        "required": week.required,
        "subportal_required": week.due_on_subportal,
        "submissions_required": week.due_to_send,
        "subportal": week.subportal,
        "submissions": week.submissions,
        "subportal_verdict": week.subportal_verdict.value,
        "submissions_verdict": week.submissions_verdict.value,
        "subportal_reason": str(week.subportal_reason) if week.subportal_reason else None,
        "submissions_reason": str(week.submissions_reason) if week.submissions_reason else None,
        "pending": week.pending,
        "working_days": week.working_days,
        "coverage_percent": week.coverage_percent,
        "unseen_hours": week.unseen_hours,
        "unreachable": [day.isoformat() for day in week.unreachable],
        "exemptions": list(week.exemptions),
    }
