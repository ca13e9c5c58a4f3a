"""What went wrong, and what a report can't prove. Pure; any report may use it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from portalops.model.message import Message, msg, nmsg, together, verbatim
from portalops.model.organisation import Agency
from portalops.model.period import day_or_moment
from portalops.model.rulebook import Rulebook
from portalops.model.runs import Run
from portalops.model.standing import Standing
from portalops.model.text import format_at
from portalops.model.verdicts import DutyVerdict, RunOutcome
from portalops.registers.evidence import Evidence
from portalops.registers.proof import Proof
from portalops.reports.document import Block, Bullets, Heading, Notice, Paragraph, TableBlock, Tone
from portalops.reports.section_backups import sets_in_period
from portalops.reports.section_updates import unit_names
from portalops.reports.words import clause_words, flag_word, joined

_DEPTH = msg("{medium}, set {set}: {depth}").text
"""How deep a copy was read: of a duty that is met it is no exception, and stands among the copies."""


def exception_blocks(
    evidence: Evidence, standings: Sequence[Standing], units: Sequence[Agency], rulebook: Rulebook, *, own_run: str = ""
) -> Iterator[Block]:
    """Yield everything that is not as it should be, duty by duty, then items, runs, sources and records.

    The run that makes the report has no end yet, and that is as it should be: `own_run`, its id.
    """
    for standing in standings:
        is_met = standing.verdict is DutyVerdict.MET
        details = tuple(each for each in standing.details if not (is_met and each.text == _DEPTH))
        if details:
            clause = rulebook.duty(standing.duty).clause
            yield Heading(3, msg("Duty {duty} ({clause})", duty=standing.duty, clause=clause_words(clause)))
            yield Bullets(details)
    yield flagged_table(evidence, units)
    yield runs_without_end(evidence, own_run)
    yield failed_runs(evidence)
    yield problem_table([*backup_problems(evidence), *poll_problems(evidence)])
    if evidence.unreadable:
        yield Notice(
            nmsg(
                "Details of {n} record could not be read; its content is unknown.",
                "Details of {n} records could not be read; their content is unknown.",
                len(evidence.unreadable),
            ),
            Tone.BAD,
        )
        yield Bullets([msg("record {seq}: {cause}", seq=str(each.seq), cause=each.why) for each in evidence.unreadable])


def flagged_table(evidence: Evidence, units: Sequence[Agency]) -> TableBlock:
    """Return the items of the period that count elsewhere, later, or not at all, and why."""
    names = unit_names(units)
    updates = evidence.updates
    start, end = evidence.period.bounds(evidence.zone)
    items = [
        item
        for item in (updates.body.flagged if updates else ())
        if (at := item.evidenced_at or item.claimed_at) is None or start <= at < end
    ]
    return TableBlock(
        msg("Flagged items of the period"),
        (msg("Unit"), msg("Title"), msg("Flags"), msg("Claimed date"), msg("Shown to exist from"), msg("Observation")),
        [
            (
                names.get(item.unit, item.unit) if item.unit else None,
                item.title,
                joined([flag_word(flag) for flag in item.flags]) if item.flags else None,
                day_or_moment(item.claimed_at, evidence.zone),
                day_or_moment(item.evidenced_at, evidence.zone),
                item.observation,
            )
            for item in items
        ],
    )


def runs_without_end(evidence: Evidence, own_run: str, kinds: Collection[str] | None = None) -> TableBlock:
    """Return the runs of the period that left no end; of all kinds, or of some.

    Args:
        evidence: of the period.
        own_run: the run that makes the report, which has not ended yet.
        kinds: such as `backup`; None for all.
    """
    start, end = evidence.period.bounds(evidence.zone)

    def ended_badly(run: Run) -> bool:
        return run.finished_at is None and start <= run.started_at < end and run.id != own_run

    return TableBlock(
        msg("Unfinished runs: interrupted, or still running when the report was made"),
        (msg("Run"), msg("Kind"), msg("Started at"), msg("Record")),
        [
            (run.id, run.kind, run.started_at, str(run.started_seq))
            for run in evidence.runs
            if ended_badly(run) and (kinds is None or run.kind in kinds)
        ],
    )


def failed_runs(evidence: Evidence, kinds: Collection[str] | None = None) -> TableBlock:
    """Return the runs of the period that ended and failed, of all kinds or of some; what they were to show is not shown by them."""
    rows: list[tuple[str, str, datetime, Message, str]] = []
    for run in evidence.runs:
        summary = evidence.summaries.get(run.finished_seq) if run.finished_seq is not None else None
        in_period = run.started_at.astimezone(evidence.zone).date() in evidence.period
        is_asked = kinds is None or run.kind in kinds
        if is_asked and in_period and summary is not None and summary.outcome is RunOutcome.FAILED:
            problem = together(summary.shown_problems[:3]) if summary.problems else verbatim("?")
            rows.append((run.id, run.kind, run.started_at, problem, str(run.finished_seq)))
    return TableBlock(
        msg("Runs that failed"),
        (msg("Run"), msg("Kind"), msg("Started at"), msg("Details (as recorded)"), msg("Record")),
        rows,
    )


Problem = tuple[str, Message, "Message | str"]
"""Where, what, and the details as they were recorded."""


def problem_table(problems: Sequence[Problem]) -> TableBlock:
    """Return a row a problem."""
    return TableBlock(
        msg("Sources, media and items with a problem"),
        (msg("Where"), msg("What"), msg("Details (as recorded)")),
        problems,
    )


def backup_problems(evidence: Evidence) -> Iterator[Problem]:
    """Yield the sources that failed, files that were not read or changed meanwhile, and copies with a problem: one line each."""
    for made in evidence.backups:
        if made.at.astimezone(evidence.zone).date() in evidence.period:
            for failure in made.body.failures:
                yield "backup", msg("source failed"), failure
    for backup in sets_in_period(evidence):
        for stream in backup.set.streams:
            for line in stream.unread:
                yield stream.source, msg("could not be read"), line
            for line in stream.changed:
                yield stream.source, msg("changed while it was read"), line
        for copy in backup.copies:
            if copy.problem:
                yield copy.medium, msg("problem with the copy"), copy.shown_problem


def poll_problems(evidence: Evidence) -> Iterator[Problem]:
    """Yield the sources that failed, gaps between polls, and rejected lines: one line each."""
    for poll in evidence.updates.body.polls if evidence.updates else ():
        if not poll.ok:
            yield poll.source, msg("source failed"), poll.cause
        if poll.gap:
            yield poll.source, msg("gap between two polls: items may have been missed"), format_at(poll.polled_at)
        if poll.blind:
            yield poll.source, msg("the answer proves nothing"), str(poll.blind)
        if poll.doubts_from:
            yield poll.source, msg("earlier answers were out of date since"), format_at(poll.doubts_from)
        if poll.gap_check:
            yield poll.source, msg("cross-check of a gap between two polls"), str(poll.gap_check)
        if poll.via:
            yield poll.source, msg("redirected"), ", ".join(poll.via)
        for line in poll.rejected:
            yield poll.source, msg("rejected"), line
        if poll.rejected_more:
            yield poll.source, msg("rejected"), f"... +{poll.rejected_more}"


def limit_blocks(evidence: Evidence, standings: Sequence[Standing], proof: Proof) -> Iterator[Block]:
    """Yield what the report can't prove, what makes up for it, and what was not looked at."""
    limits = [
        msg("A record proves that something was recorded, not that it was true at that time."),
        msg(
            "The chain of digests shows a record that was changed, removed or inserted. A person who holds "
            "both the ledger and its signing key could rewrite all of it and sign it again: only a head that "
            "somebody else keeps shows that."
        ),
        msg(
            "A time earlier than that of the record before is refused. A backdated record is found out only "
            "if its place is before the newest head that somebody else keeps."
        ),
        _reach(proof),
        msg(
            "Nothing was watched before the ledger's first record: for earlier days only the dates that the "
            "sources themselves state count."
        ),
        msg("A set that was read back has intact bytes; that does not prove that a restored system would run."),
    ]
    if evidence.started_at is None:
        limits.append(msg("The ledger is empty."))
    elif evidence.started_at > evidence.period.bounds(evidence.zone)[0]:
        limits.append(msg("The ledger began on {at}, after the period began.", at=evidence.started_at))
    shared = sorted(
        {copy.medium for made in sets_in_period(evidence) for copy in made.copies if copy.shares_source_filesystem}
    )
    limits += [
        msg(
            "Medium {medium} is on the same file system as the data that it copies: one fault can destroy both.",
            medium=medium,
        )
        for medium in shared
    ]
    yield Bullets(limits)
    yield Paragraph(msg("What balances these limits:"))
    yield Bullets(
        (
            msg(
                "Send a head to anchors after each backup and every day, to at least two that the operator does "
                "not run."
            ),
            msg("Restore a set regularly, and record the drill."),
            msg("Compare with third parties: versions and times of an object store, time stamps, mailboxes."),
            msg("Have a second person sign each report with a key of their own."),
        )
    )
    unseen = [s for s in standings if s.verdict in {DutyVerdict.INSUFFICIENT_EVIDENCE, DutyVerdict.NOT_ASSESSED}]
    if unseen:
        yield Paragraph(msg("What could not be judged, and why:"))
        yield Bullets([msg("{duty}: {reason}", duty=standing.duty, reason=standing.reason) for standing in unseen])


def _reach(proof: Proof) -> Message:
    """Say down to where the operator can't date back."""
    taken = proof.taken()
    if not taken:
        return msg(
            "No anchor is recorded as holding a head: it is unknown how far back records could have been replaced."
        )
    newest = max(taken, key=lambda each: (each.body.size, -each.seq))
    return msg(
        "The newest head that an anchor keeps covers records 1 to {seq} and was accepted at {at} by "
        "{anchor}; for later records this report is the first evidence.",
        seq=newest.body.size,
        at=newest.at,
        anchor=newest.body.anchor,
    )
