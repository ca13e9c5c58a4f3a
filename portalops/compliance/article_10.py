"""Article 10: copies of each class of data, on lasting media, every week, kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from portalops.compliance.order import example_of, from_parts, nothing_recorded, standing_of
from portalops.compliance.situation import Rule, Situation
from portalops.model.archive import STATES, HeldItems, Inventory
from portalops.model.backups import Copy, CopyState, DataClass
from portalops.model.causes import line_of_record
from portalops.model.message import Message, msg, nmsg
from portalops.model.period import Week
from portalops.model.reading import depth_and_age, limits_of
from portalops.model.record import Recorded
from portalops.model.retention import PruneResult
from portalops.model.rulebook import Duty
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict, RunOutcome
from portalops.registers.adopted import claims_of
from portalops.registers.backups import SetEvidence
from portalops.registers.discs import OPTICAL, whole_numbers

LEGAL_MEDIA = frozenset({"disk", "optical", "tape"})
"""Article 10.2: hard disk, optical disc or magnetic tape."""

_NOT_WHOLE = frozenset({CopyState.DAMAGED, CopyState.FAILED, CopyState.REPLACED})
"""States of copies from which nothing can be restored, and that no rule removed."""


def judge_archive(duty: Duty, situation: Situation) -> Standing:
    """A fresh inventory finds every content item's original, copy and draft, in a verified set (Article 10.1)."""
    made = [each for each in situation.evidence.inventories if each.at <= situation.as_of]
    if not made:
        reason = msg("no inventory of originals, copies and drafts is recorded")
        return standing_of(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, reason)
    newest = made[-1]
    due_at = newest.at + timedelta(days=situation.rulebook.numbers.inventory_max_age_days)
    parts = [*_archive_gaps(newest.body), *_archive_doubts(newest, due_at, situation)]
    kept, seqs, uncopied = _archive_copies(newest.body, situation)
    excused = [msg("declared not to exist: {excuse}", excuse=excuse) for excuse in newest.body.excused]
    if newest.body.accepted:
        excused.append(msg("Missing and changed entries were accepted: {reason}", reason=newest.body.accepted))
    if len(newest.body.excused) == len(STATES):
        reason = msg("originals, copies and drafts are all declared not to exist")
        return standing_of(duty, DutyVerdict.EXEMPT, reason, [newest.seq], excused, newest_at=newest.at, due_at=due_at)
    parts += uncopied
    if not parts:
        reason = msg(
            "the inventory of {made} accounts for all {n} items; the sources of its collections are in the verified set {set}",
            made=newest.at,
            n=newest.body.items,
            set=", ".join(kept),
        )
        parts = [(DutyVerdict.MET, reason)]
    standing = from_parts(duty, parts, met=parts[0][1], seqs=[newest.seq, *seqs], newest_at=newest.at, due_at=due_at)
    return replace(standing, details=(*standing.details, *excused))


_HELD = {
    HeldItems.ITEMS: msg("content items"),
    HeldItems.ORIGINALS: msg("originals"),
    HeldItems.COPIES: msg("copies"),
    HeldItems.DRAFTS: msg("drafts"),
}


def held_word(what: HeldItems) -> Message:
    """Return the word for what a collection of the archive holds."""
    return _HELD[what]


def _archive_gaps(inventory: Inventory) -> list[tuple[DutyVerdict, Message]]:
    """Name what the inventory shows to be missing, or to belong to no item."""
    lines: list[Message] = []
    for missing in inventory.missing:
        word = held_word(missing.what)
        if missing.unconfigured:
            lines.append(msg("no collection of {what} is configured, and no excuse is recorded", what=word))
        else:
            example = ", ".join(missing.items.examples[:3])
            lines.append(
                nmsg(
                    "{n} item has no {what}, such as {example}",
                    "{n} items have no {what}, such as {example}",
                    missing.items.count,
                    what=word,
                    example=example,
                )
            )
    strays = inventory.strays
    if strays.count:
        lines.append(
            nmsg(
                "{n} entry belongs to no item of the content database, such as {example}",
                "{n} entries belong to no item of the content database, such as {example}",
                strays.count,
                example=strays.examples[0],
            )
        )
    lines += [
        nmsg(
            "{collection}: {n} entry names no item, such as {example}",
            "{collection}: {n} entries name no item, such as {example}",
            each.nameless.count,
            collection=each.id,
            example=each.nameless.examples[0],
        )
        for each in inventory.collections
        if each.nameless.count
    ]
    lines += [
        msg(
            "{collection}: entries since {made}: {vanished} missing, {changed} changed",
            collection=change.collection,
            vanished=change.vanished.count,
            changed=change.changed.count,
            made=inventory.comparison.made_at,
        )
        for change in inventory.lost()
        if inventory.comparison is not None
    ]
    return [(DutyVerdict.UNMET, line) for line in lines]


def _archive_doubts(
    newest: Recorded[Inventory], due_at: datetime, situation: Situation
) -> list[tuple[DutyVerdict, Message]]:
    """Name what an inventory does not show: what it could not read, what it is too old for."""
    lines = [
        msg("collection {collection} could not be read completely", collection=each.id) for each in newest.body.unread()
    ]
    if not newest.body.items:
        lines.append(msg("the inventory found no content item, so there was nothing to compare"))
    if situation.as_of > due_at:
        days = situation.rulebook.numbers.inventory_max_age_days
        lines.append(msg("the newest inventory of {made} is older than {days} days", made=newest.at, days=days))
    return [(DutyVerdict.INSUFFICIENT_EVIDENCE, line) for line in lines]


def _archive_copies(
    inventory: Inventory, situation: Situation
) -> tuple[list[str], list[int], list[tuple[DutyVerdict, Message]]]:
    """Return the sets that hold the collections, their records, and which collections lie in none.

    A collection lies in a set if the source that copies it is in it, whole, in the class of documents; where documents are
    declared to lie in other data, in any class. The set is complete for it, verified lately, reached, and not too old.
    """
    evidence = situation.evidence
    sets = [each for each in evidence.sets(as_of=situation.as_of) if each.at <= situation.as_of]
    runs = [run for run in evidence.backups if run.at <= situation.as_of]
    excuses = {name for excuse in (runs[-1].body.excused if runs else ()) for name in excuse.partition(": ")[:1]}
    elsewhere = DataClass.DOCUMENTS.value in excuses
    limit = timedelta(days=situation.rulebook.numbers.backup_max_age_days)
    # As with a class of data: a ledger that is too young to have seen a set does not show that there is none.
    watched = bool(sets) or (evidence.started_at is not None and situation.as_of - evidence.started_at > limit)
    names: list[str] = []
    seqs: list[int] = []
    lacking: list[tuple[DutyVerdict, Message]] = []
    for collection in inventory.collections:
        if collection.what is HeldItems.ITEMS:
            continue
        holding = [
            made
            for made in sets
            if situation.as_of <= made.set.created_at + limit
            and _good_copies(made, situation)
            and _holds_source(made, collection.source, documents_alone=not elsewhere)
        ]
        if holding:
            names.append(holding[-1].set.id)
            seqs += [holding[-1].seq, *holding[-1].verified_seqs]
            continue
        line = msg(
            "collection {collection} is in no verified set of this class: no such set has the source {source}",
            collection=collection.id,
            source=collection.source,
        )
        lacking.append((DutyVerdict.UNMET if watched else DutyVerdict.INSUFFICIENT_EVIDENCE, line))
    return list(dict.fromkeys(names)), seqs, lacking


def _holds_source(made: SetEvidence, source: str, *, documents_alone: bool) -> bool:
    streams = [each for each in made.set.streams if each.source == source]
    return (
        bool(streams)
        and not any(each.unread or each.changed for each in streams)
        and not any(each.data_class in made.failed_classes for each in streams)
        and (not documents_alone or all(each.data_class is DataClass.DOCUMENTS for each in streams))
    )


def judge_backup_class(duty: Duty, situation: Situation) -> Standing:
    """A verified, complete set at most seven days old holds the class of data (Article 10.2).

    What other tools claim stands beside it and changes nothing: a claim is no evidence that a stranger can verify.
    """
    standing = _judge_backup_class(duty, situation)
    claims = _claims(DataClass(duty.subject), situation)
    return replace(standing, details=(*standing.details, *claims))


def _claims(data_class: DataClass, situation: Situation) -> list[Message]:
    """Say what other tools claim to have of a class of data."""
    told: list[Message] = []
    for claim in claims_of(each for each in situation.evidence.adopted if each.at <= situation.as_of):
        newest = claim.look.newest()
        if claim.look.data_class is data_class and newest is not None and newest.made_at is not None:
            told.append(
                msg(
                    "claimed by {tool}, not verified: a backup of {made}, reported by {id} at {at}",
                    tool=claim.look.tool,
                    made=newest.made_at,
                    id=claim.look.id,
                    at=claim.at,
                )
            )
    return told


def _judge_backup_class(duty: Duty, situation: Situation) -> Standing:
    data_class = DataClass(duty.subject)
    evidence, numbers = situation.evidence, situation.rulebook.numbers
    by_then = [made for made in evidence.backups if made.at <= situation.as_of]
    newest_run = by_then[-1] if by_then else None
    if newest_run is not None:
        for excuse in newest_run.body.excused:
            name, _colon, excused = excuse.partition(": ")
            if name == data_class:
                return standing_of(
                    duty,
                    DutyVerdict.EXEMPT,
                    msg("declared to have no data: {reason}", reason=excused),
                    [newest_run.seq],
                )
        if data_class in newest_run.body.unmapped:
            return standing_of(
                duty, DutyVerdict.UNMET, msg("no backup source is configured for this class"), [newest_run.seq]
            )
    holding = [
        made for made in evidence.sets(as_of=situation.as_of) if made.at <= situation.as_of and _holds(made, data_class)
    ]
    fulfilled = [made for made in holding if not _shortcomings(made, data_class) and made.once_verified_copies()]
    gone = [made for made in holding if not _shortcomings(made, data_class) and made.copies_gone()]
    fulfilling = [made for made in fulfilled if made.verified_copies()]
    limit = timedelta(days=numbers.backup_max_age_days)
    if fulfilling:
        usable = [made for made in fulfilling if _good_copies(made, situation)]
        best = usable[-1] if usable and situation.as_of <= usable[-1].set.created_at + limit else fulfilling[-1]
        due_at = best.set.created_at + limit
        good = _good_copies(best, situation)
        where = ", ".join(copy.medium for copy in good)
        seqs = [best.seq, *best.verified_seqs]
        if situation.as_of <= due_at and not good:
            details = _explain_flaws(best, situation)
            reason = _none_good(best, best.verified_copies())
            verdict = DutyVerdict.INSUFFICIENT_EVIDENCE
            return standing_of(duty, verdict, reason, seqs, details, newest_at=best.at, due_at=due_at)
        if situation.as_of <= due_at and (lacking := _weeks_lacking(situation, data_class, fulfilled, gone)):
            return standing_of(
                duty, DutyVerdict.UNMET, example_of(lacking), seqs, lacking, newest_at=best.at, due_at=due_at
            )
        if situation.as_of <= due_at and (lost := _weeks_gone(situation, fulfilled, gone)):
            verdict = DutyVerdict.INSUFFICIENT_EVIDENCE
            return standing_of(duty, verdict, example_of(lost), seqs, lost, newest_at=best.at, due_at=due_at)
        if situation.as_of <= due_at:
            reason = msg("verified set of {made} on {media}", made=best.set.created_at, media=where)
            details = [_depth_of(best, copy, situation) for copy in good]
            return standing_of(duty, DutyVerdict.MET, reason, seqs, details, newest_at=best.at, due_at=due_at)
        reason = msg(
            "the newest verified set of {made} is older than {days} days",
            made=best.set.created_at,
            days=numbers.backup_max_age_days,
        )
        return standing_of(duty, DutyVerdict.UNMET, reason, seqs, newest_at=best.at, due_at=due_at)
    details = [shortcoming for made in holding[-3:] for shortcoming in _shortcomings(made, data_class)]
    details += [
        msg(
            "{medium}: {problem}",
            medium=copy.medium,
            problem=copy.shown_problem if copy.problem else _UNREAD_STATES[copy.state],
        )
        for made in holding[-1:]
        for copy in made.copies
        if copy.state is not CopyState.VERIFIED
    ]
    if holding:
        reason = msg("no backup set with this class is both complete and verified")
        return standing_of(duty, DutyVerdict.UNMET, reason, [holding[-1].seq], details, newest_at=holding[-1].at)
    return nothing_recorded(duty, situation, limit, msg("no backup set with this class is recorded"))


def judge_backup_medium(duty: Duty, situation: Situation) -> Standing:
    """Each set lies, verified, on hard disk, optical disc or tape, apart from what it copies (Article 10.2)."""
    sets = [made for made in situation.evidence.sets(as_of=situation.as_of) if made.at <= situation.as_of]
    in_period = [
        made for made in sets if made.set.created_at >= situation.evidence.period.bounds(situation.evidence.zone)[0]
    ]
    limit = timedelta(days=situation.rulebook.numbers.backup_max_age_days)
    judged = in_period or [made for made in sets[-1:] if situation.as_of <= made.set.created_at + limit]
    if not judged:
        return nothing_recorded(duty, situation, limit, msg("no backup set of the period is recorded"))
    details: list[Message] = []
    unknown: list[Message] = []
    for made in judged:
        removed = [copy for copy in made.once_verified_copies() if copy.state is CopyState.DISPOSED]
        there = _keep_legal_media(made.verified_copies())
        apart = [
            copy
            for copy in there or _keep_legal_media(removed)
            if not copy.shares_source_filesystem or made.is_on_discs(copy.medium)
        ]
        if not there and not _keep_legal_media(removed) and _keep_legal_media(made.copies_gone()):
            unknown.append(_gone(made))
        elif not there and not _keep_legal_media(removed):
            details.append(msg("set {set} has no verified copy on disk, optical disc or tape", set=made.set.id))
        elif not apart:
            details.append(
                msg(
                    "every copy of set {set} is on the file system that it copies: one fault loses both",
                    set=made.set.id,
                )
            )
        elif there and not [copy for copy in apart if copy in _good_copies(made, situation)]:
            unknown.append(_none_good(made, apart))
    seqs = [made.seq for made in judged]
    newest_at = judged[-1].at
    owed = _owed(judged)
    if details:
        lines = [*details, *owed]
        return standing_of(duty, DutyVerdict.UNMET, example_of(details), seqs, lines, newest_at=newest_at)
    if unknown:
        verdict = DutyVerdict.INSUFFICIENT_EVIDENCE
        return standing_of(duty, verdict, example_of(unknown), seqs, [*unknown, *owed], newest_at=newest_at)
    media = sorted({copy.medium for made in judged for copy in _keep_legal_media(made.once_verified_copies())})
    reason = msg("every set is read back and verified on {media}", media=", ".join(media))
    return standing_of(duty, DutyVerdict.MET, reason, seqs, [*_imaged(judged), *owed], newest_at=newest_at)


def _owed(sets: Iterable[SetEvidence]) -> list[Message]:
    """Name the copies that other media lack: one lasting medium is enough, and they are owed still.

    They were not made while the medium was away or full, or went with one that was replaced.
    """
    return [
        msg("the copy of set {set} on {medium} is owed: it was never made", set=made.set.id, medium=copy.medium)
        if copy.state is CopyState.FAILED
        else msg("set {set}: {problem}", set=made.set.id, problem=copy.shown_problem)
        for made in sets
        if not made.is_disposed
        for copy in made.copies
        if copy.state in {CopyState.FAILED, CopyState.REPLACED}
    ]


def _gone(made: SetEvidence) -> Message:
    """Say that a set was verified in its time and is nowhere now: whether it would have held is not known any more."""
    media = ", ".join(copy.medium for copy in made.copies_gone())
    return msg(
        "set {set} was verified on {media}, which was replaced: no copy of it is left", set=made.set.id, media=media
    )


def _imaged(sets: Sequence[SetEvidence]) -> list[Message]:
    """Say of each set with images of discs what of it is burnt: until all of it is, that copy lies on a disk alone."""
    return [
        msg(
            "{medium}, set {set}: all its discs were burnt and read back",
            medium=copy.medium,
            set=made.set.id,
        )
        if made.is_on_discs(copy.medium)
        else msg(
            "{medium}, set {set}: disc images in a folder, {burnt} burnt and read back",
            medium=copy.medium,
            set=made.set.id,
            burnt=len(whole_numbers(made.discs_of(copy.medium))),
        )
        for made in sets
        for copy in made.once_verified_copies()
        if copy.medium_kind == OPTICAL
    ]


def _good_copies(made: SetEvidence, situation: Situation) -> list[Copy]:
    """Return the verified copies that were read lately enough, and reached when they were last looked for."""
    fresh = made.fresh_copies(limits_of(situation.rulebook.numbers), situation.as_of)
    return [copy for copy in fresh if not copy.problem]


def _none_good(made: SetEvidence, verified: Sequence[Copy]) -> Message:
    """Say why none of a set's verified copies counts."""
    if all(copy.problem for copy in verified):
        return msg("no verified copy of set {set} was reached at the last try", set=made.set.id)
    return msg("no copy of set {set} was read back recently enough to count as verified", set=made.set.id)


def _explain_flaws(made: SetEvidence, situation: Situation) -> list[Message]:
    """Say of each copy of a set, and of the base that it needs, what stands in the way."""
    found = [
        msg("{medium}: {problem}", medium=each.medium, problem=each.problem)
        if each.problem
        else _depth_of(made, each, situation)
        for each in made.copies
    ]
    return found + ([] if made.base is None else _explain_flaws(made.base, situation))


def _depth_of(made: SetEvidence, copy: Copy, situation: Situation) -> Message:
    """Say how deep a copy was read, when, and what of it does not count any more."""
    fresh = made.freshness(copy, limits_of(situation.rulebook.numbers), situation.as_of)
    depth = depth_and_age(fresh, situation.as_of)
    return msg("{medium}, set {set}: {depth}", medium=copy.medium, set=made.set.id, depth=depth)


def _keep_legal_media(copies: Iterable[Copy]) -> list[Copy]:
    return [copy for copy in copies if copy.medium_kind in LEGAL_MEDIA]


def judge_backup_interval(duty: Duty, situation: Situation) -> Standing:
    """No week of the period is without a complete, verified set (Article 10.2: at least once a week)."""
    good = [
        made
        for made in situation.evidence.sets()
        if made.set.outcome is RunOutcome.COMPLETE and made.once_verified_copies() and made.at <= situation.evidence.now
    ]
    by_week: dict[Week, SetEvidence] = {}
    for made in good:
        by_week[Week.of(made.set.created_at.astimezone(situation.evidence.zone).date())] = made
    gone = {
        Week.of(made.set.created_at.astimezone(situation.evidence.zone).date()): made
        for made in situation.evidence.sets()
        if made.set.outcome is RunOutcome.COMPLETE and made.copies_gone() and made.at <= situation.evidence.now
    }
    parts: list[tuple[DutyVerdict, Message]] = []
    for week in situation.evidence.period.weeks():
        last_day = week.period().last
        name = str(week)
        if week in by_week:
            parts.append((DutyVerdict.MET, msg("week {week}: set {set}", week=name, set=by_week[week].set.id)))
        elif week in gone and last_day < situation.today:
            line = msg("week {week}: {line}", week=name, line=_gone(gone[week]))
            parts.append((DutyVerdict.INSUFFICIENT_EVIDENCE, line))
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
    standing = from_parts(
        duty,
        parts,
        met=msg("every week of the period has a complete, verified set"),
        seqs=[made.seq for made in used],
        newest_at=used[-1].at if used else None,
        due_at=due_at,
    )
    return replace(standing, details=(*standing.details, *_owed(used)))


def judge_backup_retention(duty: Duty, situation: Situation) -> Standing:
    """Sets that must exist do exist, and none was removed before its time (Article 10.2)."""
    sets = situation.evidence.sets()
    lost = [
        made
        for made in sets
        if any(copy.state in {CopyState.DAMAGED, CopyState.REPLACED} for copy in made.copies)
        and all(copy.state in _NOT_WHOLE and not made.is_on_discs(copy.medium) for copy in made.copies)
    ]
    if lost:
        details = [
            msg("no copy of set {set} is left: {line}", set=made.set.id, line=gone[0].shown_problem)
            if (gone := [copy for copy in made.copies if copy.state is CopyState.REPLACED])
            else msg("every copy of set {set} is damaged", set=made.set.id)
            for made in lost
        ]
        reason = nmsg("{n} set can no longer be restored", "{n} sets can no longer be restored", len(lost))
        return standing_of(duty, DutyVerdict.UNMET, reason, [made.seq for made in lost], details)
    prunes = [
        (each.seq, each.body)
        for each in situation.evidence.verifies
        if isinstance(each.body, PruneResult) and each.at <= situation.as_of
    ]
    disposals = [one for _seq, result in prunes for one in result.disposals]
    explained = {one.set_id for one in disposals}
    unexplained = [
        made
        for made in situation.evidence.sets(as_of=situation.as_of)
        if made.set.id not in explained and any(copy.state is CopyState.DISPOSED for copy in made.copies)
    ]
    if unexplained:
        details = [msg("set {set} was removed, but no record names the rule", set=made.set.id) for made in unexplained]
        return standing_of(duty, DutyVerdict.UNMET, example_of(details), [made.seq for made in unexplained], details)
    if prunes:
        details = [
            msg("set {set} of {made} was removed: {reason}", set=one.set_id, made=one.made_at, reason=one.reason)
            for one in disposals
        ]
        details += [
            msg(
                "discs of the removed set {set} are not recorded as destroyed: {discs}",
                set=made.set.id,
                discs=", ".join(disc.name for disc in made.discs),
            )
            for made in sets
            if made.is_disposed and made.discs
        ]
        reason = msg(
            "sets are kept by a recorded rule; no record confirms that it is as long as the State's rules require"
        )
        verdict = DutyVerdict.INSUFFICIENT_EVIDENCE
        return standing_of(
            duty, verdict, reason, [seq for seq, _result in prunes], [*details, *_damaged_of_old(situation, sets)]
        )
    return standing_of(
        duty,
        DutyVerdict.INSUFFICIENT_EVIDENCE,
        msg("no retention rule and no removal is recorded, so nothing shows how long sets are kept"),
        [made.seq for made in sets[-1:]],
        _damaged_of_old(situation, sets),
        newest_at=sets[-1].at if sets else None,
    )


def _damaged_of_old(situation: Situation, sets: Sequence[SetEvidence]) -> list[Message]:
    """Name the damaged copies of sets that were made too long ago to be among the period's evidence."""
    known = {made.set.id for made in sets}
    replaced = {each.medium: each.seq for each in situation.evidence.replacements}
    seen = {
        (copy.set_id, copy.medium): copy
        for looked in situation.evidence.verifies
        for copy in looked.body.copies
        if copy.set_id not in known and looked.seq > replaced.get(copy.medium, 0)
    }
    return [
        msg("the copy of set {set} on {medium} is damaged", set=copy.set_id, medium=copy.medium)
        for copy in seen.values()
        if copy.state is CopyState.DAMAGED
    ]


def _weeks_lacking(
    situation: Situation, data_class: DataClass, fulfilling: Sequence[SetEvidence], gone: Sequence[SetEvidence]
) -> list[Message]:
    """Name the weeks of the period that are over and have sets, none of which holds a class complete and verified.

    A week without any set is a matter of the interval.
    """
    evidence = situation.evidence

    def week_of(moment: datetime) -> Week:
        return Week.of(moment.astimezone(evidence.zone).date())

    good = {week_of(made.set.created_at) for made in (*fulfilling, *gone)}
    made_in: dict[Week, bool] = {}
    for run in evidence.backups:
        if run.body.set is not None and run.at <= situation.as_of:
            excused = any(excuse.partition(": ")[0] == data_class for excuse in run.body.excused)
            week = week_of(run.body.set.created_at)
            made_in[week] = made_in.get(week, False) or excused
    return [
        msg("week {week}: no complete and verified set has this class", week=str(week))
        for week in evidence.period.weeks()
        if week.period().last < situation.today and week in made_in and not made_in[week] and week not in good
    ]


def _weeks_gone(situation: Situation, fulfilling: Sequence[SetEvidence], gone: Sequence[SetEvidence]) -> list[Message]:
    """Name the weeks of the period that are over and of which all that was complete and verified went with a medium."""
    zone = situation.evidence.zone

    def by_week(sets: Sequence[SetEvidence]) -> dict[Week, SetEvidence]:
        return {Week.of(made.set.created_at.astimezone(zone).date()): made for made in sets}

    good, lost = by_week(fulfilling), by_week(gone)
    return [
        msg("week {week}: {line}", week=str(week), line=_gone(lost[week]))
        for week in situation.evidence.period.weeks()
        if week.period().last < situation.today and week in lost and week not in good
    ]


def _holds(made: SetEvidence, data_class: DataClass) -> bool:
    return any(stream.data_class is data_class for stream in made.set.streams)


_UNREAD_STATES: Mapping[CopyState, Message] = {
    CopyState.FAILED: msg("not written"),
    CopyState.SEALED: msg("sealed, not read back"),
    CopyState.DAMAGED: msg("damaged"),
    CopyState.DISPOSED: msg("removed by the retention rule"),
    CopyState.REPLACED: msg("gone with its medium"),
}


def _shortcomings(made: SetEvidence, data_class: DataClass) -> list[Message]:
    """What keeps a set from fulfilling the duty for one class: parts, or whole sources, that could not be read."""
    failed = [msg("a source of this class could not be read at all")] if data_class in made.failed_classes else []
    return failed + [
        msg(
            "{source}: {count} could not be read, such as {example}",
            source=stream.source,
            count=len(unread),
            example=line_of_record(unread[0]),
        )
        for stream in made.set.streams
        if stream.data_class is data_class and (unread := (*stream.unread, *stream.changed))
    ]


RULES: Mapping[str, Rule] = {
    "archive": judge_archive,
    "backup-class": judge_backup_class,
    "backup-medium": judge_backup_medium,
    "backup-interval": judge_backup_interval,
    "backup-retention": judge_backup_retention,
}
"""The rules of this module by the names that rulebooks use."""
