"""Poll every source now, and judge

A source that does not answer is named, and the others are still polled. Every answer is kept as evidence.

Example: portalops updates collect

EXIT STATUS: 0 every source answered, 3 one did not or a line was refused, 4 nothing could be recorded, 75 another run
is in progress, 78 the configuration is wrong
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import typer

from checks.updates.authors import names_nobody
from checks.updates.mail_senders import sender_address
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.kinds.updates import list_lost_polls, update_sources
from commands.jobs.open_nights import say_nights
from commands.jobs.performed import ShownJob
from commands.jobs.precedence import precedence_warnings
from commands.jobs.runner import perform_now
from commands.jobs.still_registers import say_still_registers
from commands.updates.steps import (
    UnknownSender,
    offset_warnings,
    trouble_warnings,
    unknown_senders,
)
from commands.updates.views import MAX_RESEMBLED, unknown_senders_view
from portalops.model.message import Message, msg, nmsg
from portalops.model.period import Period
from portalops.model.record import Digest
from portalops.model.runs import JobKind
from portalops.model.text import show_text
from portalops.model.updates import FlaggedItem, Poll, UpdatesResult
from portalops.ports import UpdateSource
from portalops.reports.document import Block, Bullets, Notice, Paragraph, Status, TableBlock, Tone
from portalops.reports.words import flag_word

MAX_SHOWN = 50
"""Refused lines and flagged items that are printed; --json has them all."""


def polls_table(polls: Sequence[Poll]) -> TableBlock:
    headers = (msg("Source"), msg("Answer"), msg("Items"), msg("New"), msg("Gap before"), msg("Refused"))
    rows = [
        (
            poll.source,
            _answer_status(poll),
            poll.items,
            poll.new_items,
            Status(msg("yes"), Tone.UNSURE) if poll.gap else msg("no"),
            len(poll.rejected) + poll.rejected_more,
        )
        for poll in polls
    ]
    return TableBlock(msg("How the sources answered"), headers, rows)


def _answer_status(poll: Poll) -> Status:
    if not poll.ok:
        return Status(msg("failed: {problem}", problem=poll.cause), Tone.BAD)
    if poll.blind is not None:
        return Status(msg("answered, but proves nothing"), Tone.UNSURE)
    return Status(msg("answered"), Tone.GOOD)


def hints(polls: Sequence[Poll]) -> Sequence[Block]:
    """Return what may be done about the sources that failed, each thing once."""
    found: dict[str, tuple[Message, list[str]]] = {}
    for poll in polls:
        if poll.hint is not None:
            found.setdefault(str(poll.hint), (poll.hint, []))[1].append(poll.source)
    lines = [msg("hint for {sources}: {hint}", sources=", ".join(some), hint=hint) for hint, some in found.values()]
    return (Bullets(lines),) if lines else ()


def remarks(polls: Sequence[Poll], sources: Sequence[UpdateSource]) -> Sequence[Block]:
    """Return where sources were redirected to, what cross-checks say of gaps, and which are polled too seldom.

    Of the items that a feed shows, less than half may be new at a poll, so that none passes unseen (updates.md, section 1). At
    its first poll all are.
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
            "{new} of the {items} items of {source} are new: poll it more often, so that no item is missed",
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
        TableBlock(msg("Flagged items in the judged weeks"), (msg("Flag"), msg("Items")), rows),
        Paragraph(msg("Run 'portalops updates list --flagged' to see them.")),
    )


@shape
class ShownPoll:
    """One poll of one source."""

    id: str
    """The source's."""
    ok: bool
    problem: str
    """Why it failed; empty if it did not."""
    hint: str | None
    polled_at: datetime
    items: int
    new_items: int
    gap: bool
    """Items before this answer may be missing, and nothing has shown that none is."""
    gap_check: str | None
    """What a cross-check says of a gap."""
    blind: str | None
    """Why the answer proves neither presence nor absence of what it does not show."""
    doubts_from: datetime | None
    """The answer shows that those from then on were out of date."""
    renamed: int
    """Items that came back under other ids and addresses, all at once."""
    redirected_to: tuple[str, ...]
    rejected: tuple[str, ...]
    """Lines and items that were refused, each with why."""
    rejected_more: int
    """How many more were refused."""
    evidence: Digest | None
    """SHA-256 of the kept answer."""


def poll_data(poll: Poll) -> ShownPoll:
    return ShownPoll(
        id=poll.source,
        ok=poll.ok,
        problem=str(poll.problem),
        hint=str(poll.hint) if poll.hint else None,
        polled_at=poll.polled_at,
        items=poll.items,
        new_items=poll.new_items,
        gap=poll.gap,
        gap_check=str(poll.gap_check) if poll.gap_check else None,
        blind=str(poll.blind) if poll.blind else None,
        doubts_from=poll.doubts_from,
        renamed=poll.renamed,
        redirected_to=poll.via,
        rejected=tuple(map(str, poll.rejected)),
        rejected_more=poll.rejected_more,
        evidence=poll.evidence,
    )


def collect(ctx: typer.Context) -> Result[tuple[ShownPoll, ...] | ShownJob]:
    session = open_session(ctx)
    done = perform_now(session, JobKind.UPDATES)
    if not isinstance(done.result, UpdatesResult):
        return Result(done.shown(), [Notice(problem) for problem in done.said], exit_code=done.exit_code)
    polls, sources = done.result.polls, update_sources(session.settings)
    view: list[Block] = [
        polls_table(polls),
        *hints(polls),
        *(Notice(line, Tone.BAD) for line in list_lost_polls(done)),
        *remarks(polls, sources),
        *refused(polls),
        *flagged_summary(done.result.flagged),
    ]
    begins, _ends = Period(done.result.judged_from, done.result.judged_to).bounds(session.zone_of_portal)
    senders = [
        one for one in unknown_senders(session, begins) if one.resembles or one.is_stranger or names_nobody(one.name)
    ]
    view += unknown_senders_view(senders)
    return Result(
        tuple(map(poll_data, polls)),
        view,
        warnings=(
            *_late_warnings(done.result.untold),
            *offset_warnings(session, sources),
            *precedence_warnings(session, sources),
            *map(sender_warning, senders[:MAX_SHOWN]),
            *(msg("{what}. {cure}", what=what, cure=cure) for what, cure in say_nights(session)),
            *(msg("{what}. {cure}", what=what, cure=cure) for _source, what, cure in say_still_registers(session)),
            *trouble_warnings(session, min((poll.polled_at for poll in polls), default=session.clock.now())),
        ),
        exit_code=done.exit_code,
    )


def sender_warning(one: UnknownSender) -> Message:
    """Say what an unknown sender's items may be, and what mends it."""
    if one.is_stranger:
        return nmsg(
            "{source}: {n} line of {name}, which is like no unit's name, may be any unit's. Add the name to aliases of its unit, or to outsiders of the source",
            "{source}: {n} lines of {name}, which is like no unit's name, may be any unit's. Add the name to aliases of its unit, or to outsiders of the source",
            one.items,
            source=one.source,
            name=show_text(one.name, 200),
        )
    if not one.resembles:
        return nmsg(
            "{source}: {n} item names no unit and may be any unit's: have its author filled in",
            "{source}: {n} items name no unit and may be any unit's: have their authors filled in",
            one.items,
            source=one.source,
        )
    if one.is_contested:
        return nmsg(
            "{source}: {n} mail of {name} may be of {units}: the address is one unit's, the name or the address for answers another's. Record whose it is with 'portalops updates register --unit'. If a unit always writes so, add the name as it is written to its aliases",
            "{source}: {n} mails of {name} may be of {units}: the address is one unit's, the name or the address for answers another's. Record whose they are with 'portalops updates register --unit'. If a unit always writes so, add the name as it is written to its aliases",
            one.items,
            source=one.source,
            name=show_text(one.name, 200),
            units=", ".join(one.resembles[:MAX_RESEMBLED]),
        )
    if one.is_below:
        return nmsg(
            '{source}: {n} mail of {name} may be of {units}, whose domain is above the sender\'s. If it is, add "{domain}" to aliases in its [[unit]] table',
            '{source}: {n} mails of {name} may be of {units}, whose domain is above the sender\'s. If they are, add "{domain}" to aliases in its [[unit]] table',
            one.items,
            source=one.source,
            name=show_text(one.name, 200),
            units=", ".join(one.resembles[:MAX_RESEMBLED]),
            domain=show_text(sender_address(one.name).rpartition("@")[2], 200),
        )
    if one.is_mentioning:
        return nmsg(
            "{source}: {n} mail of {name} may be of {units}, which its subject, text or receivers name. If the address is a unit's own, add \"{address}\" to aliases in its [[unit]] table. If it is no unit's, add it to outsiders of the source",
            "{source}: {n} mails of {name} may be of {units}, which their subjects, texts or receivers name. If the address is a unit's own, add \"{address}\" to aliases in its [[unit]] table. If it is no unit's, add it to outsiders of the source",
            one.items,
            source=one.source,
            name=show_text(one.name, 200),
            units=", ".join(one.resembles[:MAX_RESEMBLED]),
            address=show_text(sender_address(one.name), 200),
        )
    if "@" in (address := sender_address(one.name)):
        return nmsg(
            '{source}: {n} mail of {name} may be of {units}, by its name or its domain. If the address is the unit\'s own, add "{address}" to aliases in its [[unit]] table',
            '{source}: {n} mails of {name} may be of {units}, by the name or the domain. If the address is the unit\'s own, add "{address}" to aliases in its [[unit]] table',
            one.items,
            source=one.source,
            name=show_text(one.name, 200),
            units=", ".join(one.resembles[:MAX_RESEMBLED]),
            address=show_text(address, 200),
        )
    return nmsg(
        "{source}: {n} item of {name} counts for nobody, because the name fits no unit; it resembles {units}",
        "{source}: {n} items of {name} count for nobody, because the name fits no unit; it resembles {units}",
        one.items,
        source=one.source,
        name=show_text(one.name, 200),
        units=", ".join(one.resembles[:MAX_RESEMBLED]),
    )


def _late_warnings(untold: Sequence[Poll]) -> tuple[Message, ...]:
    """Say that an earlier run was interrupted before it recorded its polls, and that this one does."""
    if not untold:
        return ()
    said = nmsg(
        "{n} poll of an interrupted run is recorded only now: {sources}",
        "{n} polls of an interrupted run are recorded only now: {sources}",
        len(untold),
        sources=show_text(", ".join(sorted({poll.source for poll in untold})), 300),
    )
    return (said,)


VERB = Verb(collect)
