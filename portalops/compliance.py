"""Judges every duty of a rulebook over a period: evidence in, standings out; pure.

Each duty names its rule in the rulebook's data; this module holds the rules. All of them keep one
order: what is shown to be missing is `unmet`; what could not be found out is
`insufficient-evidence`; what is not yet due is `pending`; only what is shown for the whole period
is `met`. Nobody watched before the ledger's first record, so that nothing was done before it is never
held to be shown; of earlier days only what the sources themselves date (creation rows, registers) counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import IntEnum

from portalops.model.backups import CopyState, DataClass
from portalops.model.checks import CheckResult
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import Host, Unit, UnitId, exists_during
from portalops.model.period import Week
from portalops.model.rulebook import Duty, Rulebook
from portalops.model.standing import Standing
from portalops.model.updates import FlaggedItem, FlagKind, PortalDay, UnitWeek, UpdatesResult
from portalops.model.verdicts import CheckVerdict, DutyVerdict, RunOutcome
from portalops.registers.evidence import ENOUGH, Evidence, Recorded, SetEvidence

LEGAL_MEDIA = frozenset({"disk", "optical", "tape"})
"""Article 10.2: hard disk, optical disc or magnetic tape."""

WORST_FIRST = (
    DutyVerdict.UNMET,
    DutyVerdict.INSUFFICIENT_EVIDENCE,
    DutyVerdict.PENDING,
    DutyVerdict.MET,
    DutyVerdict.NOT_ASSESSED,
    DutyVerdict.EXEMPT,
)
"""Which part decides a duty made of parts: one unmet week makes the duty unmet; parts that are not due decide nothing."""

JUDGED_LATELY = timedelta(days=1)
"""What a judging left open counts as open for so long; then somebody should have judged again."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What the rules judge from."""

    rulebook: Rulebook
    evidence: Evidence
    hosts: tuple[Host, ...]
    units: tuple[Unit, ...]

    @property
    def as_of(self) -> datetime:
        """The moment the standing speaks for: the period's end, or now if the period is not over."""
        return min(self.evidence.now, self.evidence.period.bounds(self.evidence.zone)[1])

    @property
    def today(self) -> date:
        """The local day of the evidence."""
        return self.evidence.now.astimezone(self.evidence.zone).date()

    @property
    def began_on(self) -> date | None:
        """The local day of the ledger's first record."""
        started = self.evidence.started_at
        return started.astimezone(self.evidence.zone).date() if started else None

    def is_before_ledger(self, last_day: date) -> bool:
        """Say whether a span that ends on a day began before anything was recorded."""
        return self.began_on is None or last_day < self.began_on


def judge(situation: Situation) -> tuple[Standing, ...]:
    """Judge every duty of the rulebook, in its order.

    Raises:
        KeyError: a duty names a rule that does not exist; the rulebook's own tests prevent it.
    """
    return tuple(_judge(duty, situation) for duty in situation.rulebook.duties)


def _judge(duty: Duty, situation: Situation) -> Standing:
    if situation.evidence.period.first > situation.today:
        return _standing(duty, DutyVerdict.PENDING, msg("the period has not begun"))
    return _doubted(RULES[duty.rule](duty, situation), _DOUBTS.get(duty.rule, ""), situation)


def _doubted(standing: Standing, kind: str, situation: Situation) -> Standing:
    """Take back a good verdict where a newer record that may say otherwise cannot be read."""
    newer = [
        each
        for each in situation.evidence.unreadable
        if each.kind == kind and each.seq > min(standing.evidence, default=0)
    ]
    if not newer or standing.verdict not in {DutyVerdict.MET, DutyVerdict.EXEMPT}:
        return standing
    return replace(
        standing,
        verdict=DutyVerdict.INSUFFICIENT_EVIDENCE,
        reason=msg("a newer record, {seq}, cannot be read, and may say otherwise", seq=str(newer[-1].seq)),
        details=(*standing.details, *(msg("record {seq}: {cause}", seq=str(e.seq), cause=e.why) for e in newer)),
    )


# --- Article 10 -------------------------------------------------------------------------------


def judge_backup_class(duty: Duty, situation: Situation) -> Standing:
    """A verified, complete set at most seven days old holds the class of data (Article 10.2)."""
    data_class = DataClass(duty.subject)
    evidence, numbers = situation.evidence, situation.rulebook.numbers
    by_then = [made for made in evidence.backups if made.at <= situation.as_of]
    newest_run = by_then[-1] if by_then else None
    if newest_run is not None:
        for excuse in newest_run.body.excused:
            name, _colon, excused = excuse.partition(": ")
            if name == data_class:
                return _standing(
                    duty,
                    DutyVerdict.EXEMPT,
                    msg("declared to have no data: {reason}", reason=excused),
                    [newest_run.seq],
                )
        if data_class in newest_run.body.unmapped:
            return _standing(
                duty, DutyVerdict.UNMET, msg("no backup source is configured for this class"), [newest_run.seq]
            )
    holding = [made for made in evidence.sets() if made.at <= situation.as_of and _holds(made, data_class)]
    fulfilling = [made for made in holding if not _shortcomings(made, data_class) and made.verified_copies()]
    limit = timedelta(days=numbers.backup_max_age_days)
    if fulfilling:
        reached = [made for made in fulfilling if made.reached_copies()]
        best = reached[-1] if reached and situation.as_of <= reached[-1].set.created_at + limit else fulfilling[-1]
        due_at = best.set.created_at + limit
        where = ", ".join(copy.medium for copy in best.reached_copies())
        seqs = [best.seq, *best.verified_seqs]
        if situation.as_of <= due_at and not best.reached_copies():
            details = [msg("{medium}: {problem}", medium=each.medium, problem=each.problem) for each in best.copies]
            reason = msg("no verified copy of set {set} was reached when it was last looked for", set=best.set.id)
            verdict = DutyVerdict.INSUFFICIENT_EVIDENCE
            return _standing(duty, verdict, reason, seqs, details, newest_at=best.at, due_at=due_at)
        if situation.as_of <= due_at and (lacking := _weeks_lacking(situation, data_class, fulfilling)):
            return _standing(
                duty, DutyVerdict.UNMET, _example(lacking), seqs, lacking, newest_at=best.at, due_at=due_at
            )
        if situation.as_of <= due_at:
            reason = msg("verified set of {made} on {media}", made=best.set.created_at, media=where)
            return _standing(duty, DutyVerdict.MET, reason, seqs, newest_at=best.at, due_at=due_at)
        reason = msg(
            "the newest verified set is of {made}, older than {days} days",
            made=best.set.created_at,
            days=numbers.backup_max_age_days,
        )
        return _standing(duty, DutyVerdict.UNMET, reason, seqs, newest_at=best.at, due_at=due_at)
    details = [shortcoming for made in holding[-3:] for shortcoming in _shortcomings(made, data_class)]
    details += [
        msg("{medium}: {problem}", medium=copy.medium, problem=copy.problem or copy.state.value)
        for made in holding[-1:]
        for copy in made.copies
        if copy.state is not CopyState.VERIFIED
    ]
    if holding:
        reason = msg("no set with this class is both complete and verified")
        return _standing(duty, DutyVerdict.UNMET, reason, [holding[-1].seq], details, newest_at=holding[-1].at)
    return _nothing_recorded(duty, situation, limit, msg("no backup set with this class is recorded"))


def judge_backup_medium(duty: Duty, situation: Situation) -> Standing:
    """Each set lies, verified, on hard disk, optical disc or tape, apart from what it copies (Article 10.2)."""
    sets = [made for made in situation.evidence.sets() if made.at <= situation.as_of]
    in_period = [
        made for made in sets if made.set.created_at >= situation.evidence.period.bounds(situation.evidence.zone)[0]
    ]
    limit = timedelta(days=situation.rulebook.numbers.backup_max_age_days)
    judged = in_period or [made for made in sets[-1:] if situation.as_of <= made.set.created_at + limit]
    if not judged:
        return _nothing_recorded(duty, situation, limit, msg("no backup set of the period is recorded"))
    details: list[Message] = []
    unreached: list[Message] = []
    for made in judged:
        good = [copy for copy in made.verified_copies() if copy.medium_kind in LEGAL_MEDIA]
        if not good:
            details.append(msg("set {set} has no verified copy on disk, optical disc or tape", set=made.set.id))
        elif all(copy.shares_source_filesystem for copy in good):
            details.append(
                msg(
                    "every copy of set {set} lies on the file system that it copies: one fault takes both",
                    set=made.set.id,
                )
            )
        elif all(copy.problem for copy in good):
            unreached.append(
                msg("no verified copy of set {set} was reached when it was last looked for", set=made.set.id)
            )
    seqs = [made.seq for made in judged]
    newest_at = judged[-1].at
    if details:
        return _standing(duty, DutyVerdict.UNMET, _example(details), seqs, details, newest_at=newest_at)
    if unreached:
        verdict = DutyVerdict.INSUFFICIENT_EVIDENCE
        return _standing(duty, verdict, _example(unreached), seqs, unreached, newest_at=newest_at)
    media = sorted({copy.medium for made in judged for copy in made.verified_copies()})
    reason = msg("every set is read back and verified on {media}", media=", ".join(media))
    return _standing(duty, DutyVerdict.MET, reason, seqs, newest_at=newest_at)


def judge_backup_interval(duty: Duty, situation: Situation) -> Standing:
    """No week of the period is without a complete, verified set (Article 10.2: at least once a week)."""
    good = [
        made
        for made in situation.evidence.sets()
        if made.set.outcome is RunOutcome.COMPLETE and made.verified_copies() and made.at <= situation.evidence.now
    ]
    by_week: dict[Week, SetEvidence] = {}
    for made in good:
        by_week[Week.of(made.set.created_at.astimezone(situation.evidence.zone).date())] = made
    parts: list[tuple[DutyVerdict, Message]] = []
    for week in situation.evidence.period.weeks():
        last_day = week.period().last
        name = str(week)
        if week in by_week:
            parts.append((DutyVerdict.MET, msg("week {week}: set {set}", week=name, set=by_week[week].set.id)))
        elif last_day >= situation.today:
            parts.append(
                (DutyVerdict.PENDING, msg("week {week} is not over: a set is due by {day}", week=name, day=last_day))
            )
        elif situation.began_on is None or week.period().first < situation.began_on:
            parts.append((DutyVerdict.INSUFFICIENT_EVIDENCE, msg("week {week} began before the ledger", week=name)))
        else:
            parts.append((DutyVerdict.UNMET, msg("week {week} has no complete, verified set", week=name)))
    used = [by_week[week] for week in situation.evidence.period.weeks() if week in by_week]
    due_at = used[-1].set.created_at + timedelta(days=situation.rulebook.numbers.backup_max_age_days) if used else None
    return _from_parts(
        duty,
        parts,
        met=msg("every week of the period has a complete, verified set"),
        seqs=[made.seq for made in used],
        newest_at=used[-1].at if used else None,
        due_at=due_at,
    )


def judge_backup_retention(duty: Duty, situation: Situation) -> Standing:
    """Sets that must exist do exist, and none was removed before its time (Article 10.2)."""
    sets = situation.evidence.sets()
    lost = [made for made in sets if made.copies and all(copy.state is CopyState.DAMAGED for copy in made.copies)]
    if lost:
        details = [msg("every copy of set {set} is damaged", set=made.set.id) for made in lost]
        reason = nmsg("{n} set can no longer be restored", "{n} sets can no longer be restored", len(lost))
        return _standing(duty, DutyVerdict.UNMET, reason, [made.seq for made in lost], details)
    return _standing(
        duty,
        DutyVerdict.INSUFFICIENT_EVIDENCE,
        msg("no retention rule and no disposal is recorded, so nothing shows how long sets are kept"),
        [made.seq for made in sets[-1:]],
        _damaged_of_old(situation, sets),
        newest_at=sets[-1].at if sets else None,
    )


def _damaged_of_old(situation: Situation, sets: Sequence[SetEvidence]) -> list[Message]:
    """Name the damaged copies of sets that were made too long ago to be among the period's evidence."""
    known = {made.set.id for made in sets}
    seen = {
        (copy.set_id, copy.medium): copy
        for looked in situation.evidence.verifies
        for copy in looked.body.copies
        if copy.set_id not in known
    }
    return [
        msg("the copy of set {set} on {medium} is damaged", set=copy.set_id, medium=copy.medium)
        for copy in seen.values()
        if copy.state is CopyState.DAMAGED
    ]


def _weeks_lacking(situation: Situation, data_class: DataClass, fulfilling: Sequence[SetEvidence]) -> list[Message]:
    """Name the weeks of the period that are over and have sets, none of which holds a class complete and verified.

    A week without any set is a matter of the interval.
    """
    evidence = situation.evidence

    def week_of(moment: datetime) -> Week:
        return Week.of(moment.astimezone(evidence.zone).date())

    good = {week_of(made.set.created_at) for made in fulfilling}
    made_in: dict[Week, bool] = {}
    for run in evidence.backups:
        if run.body.set is not None and run.at <= situation.as_of:
            excused = any(excuse.partition(": ")[0] == data_class for excuse in run.body.excused)
            week = week_of(run.body.set.created_at)
            made_in[week] = made_in.get(week, False) or excused
    return [
        msg("week {week}: no set holds this class complete and verified", week=str(week))
        for week in evidence.period.weeks()
        if week.period().last < situation.today and week in made_in and not made_in[week] and week not in good
    ]


def _holds(made: SetEvidence, data_class: DataClass) -> bool:
    return any(stream.data_class is data_class for stream in made.set.streams)


def _shortcomings(made: SetEvidence, data_class: DataClass) -> list[Message]:
    """What keeps a set from fulfilling the duty for one class: parts, or whole sources, that could not be read."""
    failed = [msg("a source of this class could not be read at all")] if data_class in made.failed_classes else []
    return failed + [
        msg(
            "{source}: {count} could not be read, such as {example}",
            source=stream.source,
            count=len(unread),
            example=unread[0],
        )
        for stream in made.set.streams
        if stream.data_class is data_class and (unread := (*stream.unread, *stream.changed))
    ]


# --- Article 11 -------------------------------------------------------------------------------


def judge_portal_daily(duty: Duty, situation: Situation) -> Standing:
    """The portal is updated on each working day of the period (Article 11.1)."""
    updates = situation.evidence.updates
    if updates is None or (doubt := _doubt_of_judging(updates, situation)):
        return _not_judged(duty, updates, doubt if updates else None)
    days = {day.day: day for day in updates.body.portal_days}
    parts: list[tuple[DutyVerdict, Message]] = []
    for day in situation.evidence.period.days():
        if day > situation.today:
            break
        seen = days.get(day)
        if seen is None:
            parts.append((DutyVerdict.INSUFFICIENT_EVIDENCE, msg("{day} was not judged", day=day)))
        elif seen.working:
            parts.append(_as_known_now(seen.verdict, _day_line(seen), day, updates=updates, situation=situation))
    if not parts and situation.evidence.period.last > situation.today:
        return _standing(duty, DutyVerdict.PENDING, msg("no working day of the period has begun"), [updates.seq])
    if not parts:
        return _standing(duty, DutyVerdict.EXEMPT, msg("the period has no working day"), [updates.seq])
    return _from_parts(
        duty,
        parts,
        met=nmsg("updated on the one working day", "updated on all {n} working days", len(parts)),
        seqs=[updates.seq],
        newest_at=updates.at,
    )


def judge_unit_submissions(duty: Duty, situation: Situation) -> Standing:
    """Each unit sends information in at least twice a week (Article 11.2, K2)."""
    return _judge_unit_weeks(duty, situation, lambda week: week.submissions_verdict, lambda week: week.submissions)


def judge_unit_subportals(duty: Duty, situation: Situation) -> Standing:
    """Each unit updates its sub-portal at least twice a week (Article 11.2, K1)."""
    return _judge_unit_weeks(duty, situation, lambda week: week.subportal_verdict, lambda week: week.subportal)


def judge_tracking(duty: Duty, situation: Situation) -> Standing:
    """The collection ran on each day of the period, and its gaps are shown (Article 11.3)."""
    updates = situation.evidence.updates
    failed = [poll for poll in updates.body.polls if not poll.ok] if updates else []
    parts = _daily_runs(situation, "updates", msg("the updates were not collected on {day}"))
    if updates and not updates.body.polls:
        parts.append((DutyVerdict.INSUFFICIENT_EVIDENCE, msg("no source of updates was looked at")))
    parts += [
        (DutyVerdict.INSUFFICIENT_EVIDENCE, msg("source {source}: {problem}", source=poll.source, problem=poll.problem))
        for poll in failed
    ]
    return _from_parts(
        duty,
        parts,
        met=msg("collected on each day of the period; every source answered when it was last asked"),
        seqs=[updates.seq] if updates else [],
        newest_at=updates.at if updates else None,
    )


def judge_reporting(duty: Duty, situation: Situation) -> Standing:
    """Reports were written, and it is recorded when they were sent to whom (Article 11.3)."""
    reports = situation.evidence.reports
    if not reports:
        return _standing(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, msg("no report is recorded"))
    reason = nmsg(
        "{n} report was written, but no record shows that it was sent to the Department or the Committee",
        "{n} reports were written, but no record shows that any was sent to the Department or the Committee",
        len(reports),
    )
    seqs = [report.seq for report in reports[-1:]]
    return _standing(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, reason, seqs, newest_at=reports[-1].at)


def judge_unicode(duty: Duty, situation: Situation) -> Standing:
    """What was collected is Unicode, precomposed and free of legacy encodings (Article 7.6)."""
    updates = situation.evidence.updates
    if updates is None or updates.body.text_checked == 0:
        return _standing(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, msg("no collected text was checked"))
    judged, asked = updates.body, situation.evidence.period
    wrong = [
        item
        for item in judged.flagged
        if {FlagKind.LEGACY_ENCODING, FlagKind.NOT_NFC} & set(item.flags) and _is_of_period(item, situation)
    ]
    checked = judged.text_checked
    if wrong:
        names = _unit_names(situation)
        details = [
            msg("{unit}: {title}", unit=names(item.unit) if item.unit else "?", title=item.title) for item in wrong
        ]
        reason = nmsg(
            "{n} text of the period is not proper Unicode", "{n} texts of the period are not proper Unicode", len(wrong)
        )
        return _standing(duty, DutyVerdict.UNMET, reason, [updates.seq], details, newest_at=updates.at)
    if judged.judged_from > asked.first or judged.judged_to < min(asked.last, situation.today):
        reason = msg(
            "texts were checked from {first} to {last} only, and none of those of the period is wrong",
            first=judged.judged_from,
            last=judged.judged_to,
        )
        return _standing(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, reason, [updates.seq], newest_at=updates.at)
    if not any(day.observations for day in judged.portal_days if day.day in asked) and not any(
        seen.day in asked for seen in judged.unit_days
    ):
        reason = msg("no text of the period was collected")
        return _standing(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, reason, [updates.seq], newest_at=updates.at)
    reason = msg(
        "all {checked} texts that were collected from {first} to {last} are proper Unicode",
        checked=checked,
        first=judged.judged_from,
        last=judged.judged_to,
    )
    return _standing(duty, DutyVerdict.MET, reason, [updates.seq], newest_at=updates.at)


def _judge_unit_weeks(
    duty: Duty,
    situation: Situation,
    verdict_of: Callable[[UnitWeek], DutyVerdict],
    count_of: Callable[[UnitWeek], int],
) -> Standing:
    updates = situation.evidence.updates
    if updates is None or (doubt := _doubt_of_judging(updates, situation)):
        return _not_judged(duty, updates, doubt if updates else None)
    weeks = situation.evidence.period.weeks()
    judged = [week for week in updates.body.unit_weeks if week.week in weeks]
    names = _unit_names(situation)
    parts = [
        _as_known_now(
            verdict_of(week),
            msg(
                "{unit}, week {week}: {count} of {required}",
                unit=names(week.unit),
                week=str(week.week),
                count=count_of(week),
                required=week.required,
            ),
            week.week.period().last,
            updates=updates,
            situation=situation,
        )
        for week in judged
    ]
    parts += [(DutyVerdict.INSUFFICIENT_EVIDENCE, line) for line in _unjudged_weeks(judged, situation)]
    short = {week.unit for week in judged if verdict_of(week) is DutyVerdict.UNMET}
    standing = _from_parts(
        duty,
        parts,
        met=nmsg(
            "the {n} unit-week in which something was due reached its number",
            "all {n} unit-weeks in which something was due reached their number",
            sum(part is DutyVerdict.MET for part, _line in parts),
        ),
        seqs=[updates.seq],
        newest_at=updates.at,
    )
    if not short:
        return standing
    reason = nmsg("{n} unit fell short", "{n} units fell short", len(short))
    return Standing(duty.id, standing.verdict, reason, standing.details, standing.evidence, standing.newest_at)


def _unjudged_weeks(judged: Sequence[UnitWeek], situation: Situation) -> Iterable[Message]:
    """Name the weeks that have begun and were not judged, as a whole or for a unit that existed in them."""
    done = {(week.unit, week.week) for week in judged}
    for week in situation.evidence.period.weeks():
        if week.period().first > situation.today:
            continue
        if not any(judged_week == week for _unit, judged_week in done):
            yield msg("week {week} was not judged", week=str(week))
            continue
        for unit in situation.units:
            if exists_during(unit, week.period()) and (unit.id, week) not in done:
                yield msg("{unit}, week {week}: not judged", unit=unit.name.vi, week=str(week))


def _doubt_of_judging(updates: Recorded[UpdatesResult], situation: Situation) -> Message | None:
    """Say why a judging does not speak for the rulebook that is asked about, or return None if it does."""
    asked = situation.rulebook.edition
    if updates.body.rulebook == asked:
        return None
    return msg("the newest judging is by {rulebook}, not by {asked}", rulebook=updates.body.rulebook, asked=asked)


def _not_judged(duty: Duty, updates: Recorded[UpdatesResult] | None, doubt: Message | None) -> Standing:
    if updates is None or doubt is None:
        return _standing(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, msg("the updates were never collected and judged"))
    return _standing(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, doubt, [updates.seq], newest_at=updates.at)


def _as_known_now(
    verdict: DutyVerdict, line: Message, last_day: date, *, updates: Recorded[UpdatesResult], situation: Situation
) -> tuple[DutyVerdict, Message]:
    """Return what a judged day or week says now: what was left open is unknown once it should have been judged again."""
    judged_on = updates.at.astimezone(situation.evidence.zone).date()
    is_late = situation.today - judged_on > JUDGED_LATELY
    if verdict is DutyVerdict.PENDING and last_day < situation.today and is_late:
        return DutyVerdict.INSUFFICIENT_EVIDENCE, msg("{line}; not judged since {day}", line=line, day=judged_on)
    return verdict, line


def _is_of_period(item: FlaggedItem, situation: Situation) -> bool:
    """Say whether an item was claimed or shown to exist in the period; one without any time may have been."""
    moments = [moment for moment in (item.claimed_at, item.evidenced_at) if moment]
    period, zone = situation.evidence.period, situation.evidence.zone
    return not moments or any(moment.astimezone(zone).date() in period for moment in moments)


def _unit_names(situation: Situation) -> Callable[[UnitId], str]:
    names = {unit.id: unit.name.vi for unit in situation.units}
    return lambda unit: names.get(unit, unit)


def _day_line(day: PortalDay) -> Message:
    return msg("{day}: {reason}", day=day.day, reason=day.reason)


# --- Article 12 -------------------------------------------------------------------------------


def judge_checks(duty: Duty, situation: Situation) -> Standing:
    """Every check that the rulebook maps to the duty passed on every host, recently enough (Article 12)."""
    newest = situation.evidence.checks
    if newest is None:
        return _standing(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, msg("the servers were never checked"))
    limit = timedelta(hours=situation.rulebook.numbers.check_max_age_hours)
    if situation.as_of - newest.at > limit:
        reason = msg("the newest round of checks is of {at}, too old to speak for the period", at=newest.at)
        return _standing(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, reason, [newest.seq], newest_at=newest.at)
    results = {(result.check, result.host): result for result in newest.body.results()}
    parts = [
        _check_part(check, host, results.get((check, host.id))) for host in situation.hosts for check in duty.checks
    ]
    counts = {verdict: sum(1 for part, _ in parts if part is verdict) for verdict in DutyVerdict}
    reason = msg(
        "{passed} of {total} checks pass, {failed} fail, {unknown} unknown",
        passed=counts[DutyVerdict.MET],
        total=len(parts),
        failed=counts[DutyVerdict.UNMET],
        unknown=counts[DutyVerdict.INSUFFICIENT_EVIDENCE],
    )
    standing = _from_parts(duty, parts, met=reason, seqs=[newest.seq], newest_at=newest.at)
    due_at = newest.at + limit
    return Standing(duty.id, standing.verdict, reason, standing.details, standing.evidence, newest.at, due_at)


def judge_check_cadence(duty: Duty, situation: Situation) -> Standing:
    """The checks ran as regularly as they are meant to (Article 12.4)."""
    newest = situation.evidence.checks
    parts = _daily_runs(
        situation,
        "check",
        msg("the servers were not checked on {day}"),
        every_days=situation.rulebook.numbers.check_every_days,
    )
    unreached = [host for host in newest.body.hosts if not host.reached] if newest else []
    parts += [
        (DutyVerdict.INSUFFICIENT_EVIDENCE, msg("host {host}: {problem}", host=host.host, problem=host.problem))
        for host in unreached
    ]
    seen = {host.host for host in newest.body.hosts} if newest else set()
    parts += [
        (DutyVerdict.INSUFFICIENT_EVIDENCE, msg("host {host} was not looked at in the newest round", host=host.id))
        for host in situation.hosts
        if newest and host.id not in seen
    ]
    if not situation.hosts:
        parts.append((DutyVerdict.INSUFFICIENT_EVIDENCE, msg("no host is declared")))
    return _from_parts(
        duty,
        parts,
        met=msg("checked on each day of the period"),
        seqs=[newest.seq] if newest else [],
        newest_at=newest.at if newest else None,
    )


def _check_part(check: str, host: Host, result: CheckResult | None) -> tuple[DutyVerdict, Message]:
    if result is None:
        line = msg("{check} on {host}: not looked at", check=check, host=host.id)
        return DutyVerdict.INSUFFICIENT_EVIDENCE, line
    line = msg("{check} on {host}: {seen}", check=check, host=host.id, seen=result.message)
    match result.verdict:
        case CheckVerdict.PASS:
            return DutyVerdict.MET, line
        case CheckVerdict.FAIL:
            return DutyVerdict.UNMET, line
        case CheckVerdict.NOT_APPLICABLE:
            return DutyVerdict.EXEMPT, line
        case CheckVerdict.UNKNOWN | CheckVerdict.ERROR:
            return DutyVerdict.INSUFFICIENT_EVIDENCE, line


# --- duties whose evidence portalops does not gather yet --------------------------------------


def judge_unrecorded(duty: Duty, situation: Situation) -> Standing:
    """Say plainly that nothing of the kind that would count is recorded: never met, but a failed check breaks it."""
    if duty.checks:
        checked = judge_checks(duty, situation)
        if checked.verdict is DutyVerdict.UNMET:
            return checked
    return _standing(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, _UNRECORDED[duty.rule])


_UNRECORDED = {
    "archive": msg("no inventory of originals, copies and drafts is recorded"),
    "cases": msg("no case against a unit that fell short is recorded"),
    "register": msg("nothing is recorded in the register that this duty is proven by"),
    "findings": msg("the life of findings, from first seen to fixed, is not recorded"),
    "availability": msg("no series of probes is recorded from which availability could be measured"),
    "languages": msg("no probe of the Vietnamese and the English edition is recorded"),
}

RULES: dict[str, Callable[[Duty, Situation], Standing]] = {
    "backup-class": judge_backup_class,
    "backup-medium": judge_backup_medium,
    "backup-interval": judge_backup_interval,
    "backup-retention": judge_backup_retention,
    "portal-daily": judge_portal_daily,
    "unit-submissions": judge_unit_submissions,
    "unit-subportals": judge_unit_subportals,
    "tracking": judge_tracking,
    "reporting": judge_reporting,
    "unicode": judge_unicode,
    "checks": judge_checks,
    "check-cadence": judge_check_cadence,
    **dict.fromkeys(_UNRECORDED, judge_unrecorded),
}
"""The judging rules by the names that rulebooks use."""

_DOUBTS = {
    "backup-class": "verify",
    "backup-medium": "verify",
    "backup-interval": "verify",
    "portal-daily": "updates",
    "unit-submissions": "updates",
    "unit-subportals": "updates",
    "unicode": "updates",
    "tracking": "updates",
    "checks": "check",
    "check-cadence": "check",
}
"""By rule: the kind of records of which a newer one may undo what an older one shows."""


# --- the shared order of verdicts -------------------------------------------------------------


def _standing(
    duty: Duty,
    verdict: DutyVerdict,
    reason: Message,
    seqs: Iterable[int] = (),
    details: Sequence[Message] = (),
    *,
    newest_at: datetime | None = None,
    due_at: datetime | None = None,
) -> Standing:
    return Standing(duty.id, verdict, reason, tuple(details), tuple(dict.fromkeys(seqs)), newest_at, due_at)


def _from_parts(
    duty: Duty,
    parts: Sequence[tuple[DutyVerdict, Message]],
    *,
    met: Message,
    seqs: Iterable[int],
    newest_at: datetime | None = None,
    due_at: datetime | None = None,
) -> Standing:
    """Let the worst part decide, and list every part that is not met; no part at all is no evidence."""
    if not parts:
        return _standing(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, msg("nothing is recorded"), seqs)
    verdict = next(candidate for candidate in WORST_FIRST if any(part is candidate for part, _line in parts))
    # What is not yet due says nothing where something else already decides.
    silent = {DutyVerdict.MET, DutyVerdict.EXEMPT, DutyVerdict.NOT_ASSESSED}
    if verdict is not DutyVerdict.PENDING:
        silent.add(DutyVerdict.PENDING)
    ordered = sorted((part for part in parts if part[0] not in silent), key=lambda part: WORST_FIRST.index(part[0]))
    details = [
        msg("not found out: {line}", line=line)
        if part is DutyVerdict.INSUFFICIENT_EVIDENCE and verdict is DutyVerdict.UNMET
        else line
        for part, line in ordered
    ]
    if verdict is DutyVerdict.MET:
        reason = met
    elif len(ordered) == 1:
        reason = ordered[0][1]
    else:
        reason = _example([line for part, line in parts if part is verdict])
    return _standing(duty, verdict, reason, seqs, details, newest_at=newest_at, due_at=due_at)


def _example(lines: Sequence[Message]) -> Message:
    """Return the first of several lines, with how many more there are."""
    return lines[0] if len(lines) == 1 else msg("{example}, and {more} more", example=lines[0], more=len(lines) - 1)


def _nothing_recorded(duty: Duty, situation: Situation, limit: timedelta, reason: Message) -> Standing:
    """Unmet once the ledger has watched for as long as the duty allows; unknown before."""
    started = situation.evidence.started_at
    watched = started is not None and situation.as_of - started > limit
    return _standing(duty, DutyVerdict.UNMET if watched else DutyVerdict.INSUFFICIENT_EVIDENCE, reason)


def _daily_runs(
    situation: Situation, kind: str, missing: Message, *, every_days: int = 1
) -> list[tuple[DutyVerdict, Message]]:
    """One part a day of the period up to today: did a run that began on it, or within the days before it, speak for it?"""
    best = _best_runs(situation, kind)
    parts: list[tuple[DutyVerdict, Message]] = []
    for day in situation.evidence.period.days():
        if day > situation.today:
            break
        line = Message(missing.text, {"day": day})
        found = {best.get(day - timedelta(days=back)) for back in range(every_days)}
        if _Ran.WHOLE in found:
            parts.append((DutyVerdict.MET, line))
        elif day == situation.today:
            parts.append((DutyVerdict.PENDING, line))
        elif _Ran.IN_PART in found:
            parts.append((DutyVerdict.INSUFFICIENT_EVIDENCE, msg("not every host was reached on {day}", day=day)))
        elif _Ran.UNREADABLE in found:
            parts.append((DutyVerdict.INSUFFICIENT_EVIDENCE, msg("how the run of {day} ended cannot be read", day=day)))
        elif _Ran.BADLY in found:
            parts.append((DutyVerdict.UNMET, msg("{line}: every run failed or broke off", line=line)))
        elif day == situation.began_on:
            parts.append((DutyVerdict.INSUFFICIENT_EVIDENCE, msg("the ledger began in the course of {day}", day=day)))
        elif situation.is_before_ledger(day):
            parts.append((DutyVerdict.INSUFFICIENT_EVIDENCE, msg("{day} lies before the ledger", day=day)))
        else:
            parts.append((DutyVerdict.UNMET, line))
    return parts


class _Ran(IntEnum):
    """What the runs of a day came to, best last."""

    BADLY = 1
    UNREADABLE = 2
    IN_PART = 3
    WHOLE = 4


def _best_runs(situation: Situation, kind: str) -> Mapping[date, _Ran]:
    """Return by local day what the runs that began on it came to; a finished record alone proves no success."""
    best: dict[date, _Ran] = {}
    for run in situation.evidence.runs:
        if run.kind != kind:
            continue
        came_to = _Ran.BADLY
        if run.finished_seq is not None and run.finished_seq in situation.evidence.summaries:
            summary = situation.evidence.summaries[run.finished_seq]
            if summary is None:
                came_to = _Ran.UNREADABLE
            elif summary.outcome in ENOUGH[kind]:
                came_to = _Ran.WHOLE
            elif summary.outcome is RunOutcome.INCOMPLETE:
                came_to = _Ran.IN_PART
        day = run.started_at.astimezone(situation.evidence.zone).date()
        best[day] = max(came_to, best.get(day, came_to))
    return best
