"""Article 10 as duties: what is told of the archive, of each class of data, of media, weeks and removals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from portalops.model.adopted import AdoptedBackup, AdoptedPoll
from portalops.model.archive import (
    ArchiveComparison,
    CollectionChange,
    CollectionCount,
    HeldItems,
    Inventory,
    MissingItems,
    NamedItems,
)
from portalops.model.backups import BackupResult, Copy, CopyState, DataClass, SetId, VerifyResult
from portalops.model.media import BurntDisc, DiscState
from portalops.model.message import msg
from portalops.model.period import Period
from portalops.model.record import Digest, Recorded
from portalops.model.retention import Disposal, PruneResult, RetentionPolicy
from portalops.model.standing import Standing
from portalops.model.text import format_at
from portalops.model.verdicts import DutyVerdict, RunOutcome
from portalops.registers.discs import HeldDisc
from tests.compliance.test_archive import WHOLE, inventory, kept
from tests.compliance.test_archive import standing as stand
from tests.compliance.test_rules import DIGEST, NOW, WEEK, ZONE, backup, copy, duty, evidence

MET, UNMET, PENDING, EXEMPT = DutyVerdict.MET, DutyVerdict.UNMET, DutyVerdict.PENDING, DutyVerdict.EXEMPT
UNKNOWN = DutyVerdict.INSUFFICIENT_EVIDENCE
ARCHIVE, CONTENT = duty("archive"), duty("backup-class", subject="content")
MEDIUM, INTERVAL, RETENTION = duty("backup-medium"), duty("backup-interval"), duty("backup-retention")
FRIDAY = datetime(2026, 11, 20, tzinfo=UTC)
END = datetime(2026, 11, 22, 17, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def told(standing: Standing) -> tuple[DutyVerdict, str, list[str]]:
    return standing.verdict, str(standing.reason), [str(line) for line in standing.details]


def rests(standing: Standing) -> tuple[tuple[int, ...], datetime | None, datetime | None]:
    return standing.evidence, standing.newest_at, standing.due_at


def named(name: str, made: Recorded[BackupResult], seq: int = 5) -> Recorded[BackupResult]:
    """Return a set and its copies under another name and record."""
    body = made.body
    assert body.set is not None
    copies = tuple(replace(each, set_id=SetId(name)) for each in body.copies)
    own = replace(body.set, id=SetId(name), bag_sha256=Digest(f"{seq:064x}"))
    return replace(made, seq=seq, body=replace(body, set=own, copies=copies))


# --- the archive ------------------------------------------------------------------------------


def archive(*inventories: Recorded[Inventory], **parts: object) -> Standing:
    return stand(evidence(inventories=inventories, backups=(kept(),), **parts), ARCHIVE)


def test_a_whole_archive_rests_on_inventory_and_sets_and_is_due_again() -> None:
    found = archive(inventory(FRIDAY - DAY, seq=2), inventory(), inventory(END + SECOND, seq=11))

    assert told(found) == (
        MET,
        "the inventory of 2026-11-20T00:00:00.000Z accounts for all 2 items; the sources of its collections are in the "
        "verified set s1",
        [],
    )
    assert rests(found) == ((9, 5), FRIDAY, FRIDAY + 31 * DAY)
    assert archive(inventory(END)).newest_at == END


def test_an_archive_without_an_inventory_is_told_so() -> None:
    assert archive() == Standing(ARCHIVE.id, UNKNOWN, msg("no inventory of originals, copies and drafts is recorded"))


def test_an_archive_of_nothing_is_exempt_by_what_is_declared() -> None:
    found = archive(inventory(excused=("originals: a", "copies: b", "drafts: c"), accepted="moved"))

    assert told(found) == (
        EXEMPT,
        "originals, copies and drafts are all declared not to exist",
        [
            "declared not to exist: originals: a",
            "declared not to exist: copies: b",
            "declared not to exist: drafts: c",
            "Missing and changed entries were accepted: moved",
        ],
    )
    assert rests(found) == ((9,), FRIDAY, FRIDAY + 31 * DAY)


GAPS: dict[str, Any] = {
    "missing": (
        MissingItems(HeldItems.ORIGINALS, NamedItems(4, ("a", "b", "c", "d"))),
        MissingItems(HeldItems.COPIES, NamedItems(1, ("e",))),
        MissingItems(HeldItems.DRAFTS, NamedItems(2, ("f",)), True),
    ),
    "strays": NamedItems(2, ("x", "y")),
    "collections": (
        replace(WHOLE.collections[1], nameless=NamedItems(2, ("n", "o"))),
        WHOLE.collections[2],
        replace(WHOLE.collections[3], nameless=NamedItems(1, ("p",)), problem="gone"),
    ),
    "comparison": ArchiveComparison(
        3,
        FRIDAY - DAY,
        (
            CollectionChange("originals", True, 2, 1, 0, NamedItems(1, ("1.pdf",)), NamedItems(2, ("2.pdf",))),
            CollectionChange("drafts", False, 2, 2),
        ),
    ),
    "items": 0,
    "excused": ("drafts: none",),
}  # fmt: skip


def test_each_gap_and_doubt_of_an_archive_is_told_in_its_order() -> None:
    old = END - 31 * DAY - SECOND

    found = archive(inventory(old, **GAPS))

    assert told(found) == (
        UNMET,
        "4 items have no originals, such as a, b, c, and 6 more",
        [
            "4 items have no originals, such as a, b, c",
            "1 item has no copies, such as e",
            "no collection of drafts is configured, and no excuse is recorded",
            "2 entries belong to no item of the content database, such as x",
            "originals: 2 entries name no item, such as n",
            "drafts: 1 entry names no item, such as p",
            "originals: entries since 2026-11-19T00:00:00.000Z: 1 missing, 2 changed",
            "unknown: collection drafts could not be read completely",
            "unknown: the inventory found no content item, so there was nothing to compare",
            "unknown: the newest inventory of 2026-10-22T16:59:59.000Z is older than 31 days",
            "declared not to exist: drafts: none",
        ],
    )
    assert archive(inventory(END - 31 * DAY)).verdict is MET


def test_collections_in_no_set_are_told_each_and_those_of_the_database_itself_are_not_asked_for() -> None:
    elsewhere = replace(WHOLE.collections[1], id="old", source="tapes")
    items = CollectionCount("more", "query", HeldItems.ITEMS, "none", False)

    found = archive(inventory(collections=(items, elsewhere, *WHOLE.collections)))

    line = "collection old is in no verified set of this class: no such set has the source tapes"
    assert (told(found), rests(found)[0]) == ((UNMET, line, [line]), (9, 5))


def test_collections_lie_in_the_newest_sets_that_have_them_each_named_once() -> None:
    def alone(source: str, name: str, seq: int, at: datetime = FRIDAY) -> Recorded[BackupResult]:
        made = named(name, kept(), seq)
        assert made.body.set is not None
        streams = tuple(each for each in made.body.set.streams if each.source == source)
        return replace(made, body=replace(made.body, set=replace(made.body.set, streams=streams, created_at=at)))

    sets = (alone("db", "a", 3), alone("db", "b", 4), alone("paper", "c", 6))

    found = stand(evidence(inventories=(inventory(),), backups=sets), ARCHIVE)

    assert str(found.reason).endswith("are in the verified set c, b")
    assert found.evidence == (9, 6, 4)


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, MET),
        ({"created_at": END - 7 * DAY}, MET),
        ({"created_at": END - 7 * DAY - SECOND}, UNMET),
        ({"changed": ("x",)}, UNMET),
        ({"unread": ("x",)}, UNMET),
        ({"data_class": DataClass.CONTENT}, UNMET),
        ({"failed_classes": (DataClass.DOCUMENTS,)}, UNMET),
        ({"failed_classes": (DataClass.CONTENT,)}, MET),
        ({"at": END}, MET),
        ({"at": END + SECOND}, UNKNOWN),
    ],
)
def test_a_collection_lies_in_a_set_only_if_its_source_is_whole_in_it(
    changes: dict[str, object], verdict: DutyVerdict
) -> None:
    made = kept()
    assert made.body.set is not None
    of_stream = {key: value for key, value in changes.items() if key in {"changed", "unread", "data_class"}}
    of_set = {key: value for key, value in changes.items() if key == "created_at"}
    of_body = {key: value for key, value in changes.items() if key == "failed_classes"}
    streams = tuple(replace(each, **of_stream) for each in made.body.set.streams)  # type: ignore[arg-type]
    own = replace(made.body.set, streams=streams, **of_set)  # type: ignore[arg-type]
    at = changes.get("at", FRIDAY)
    assert isinstance(at, datetime)
    body = replace(made.body, set=own, **of_body)  # type: ignore[arg-type]
    began = END - DAY if verdict is UNKNOWN else FRIDAY - 99 * DAY

    found = stand(
        evidence(inventories=(inventory(),), backups=(replace(made, at=at, body=body),), started_at=began), ARCHIVE
    )

    assert found.verdict is verdict


@pytest.mark.parametrize(("began", "verdict"), [(7 * DAY, UNKNOWN), (7 * DAY + SECOND, UNMET)])
def test_that_there_is_no_set_is_shown_once_the_ledger_has_watched_for_a_week(
    began: timedelta, verdict: DutyVerdict
) -> None:
    found = stand(evidence(inventories=(inventory(),), started_at=END - began), ARCHIVE)

    assert found.verdict is verdict


# --- a class of data --------------------------------------------------------------------------


def test_a_class_is_told_with_its_media_depth_and_day() -> None:
    other = replace(copy(), medium="tape1", medium_kind="tape")
    looked = Recorded(9, FRIDAY, "", VerifyResult((copy(),)))
    found = stand(evidence(backups=(backup(FRIDAY, copies=(copy(), other)),), verifies=(looked,)), CONTENT)

    assert told(found) == (
        MET,
        "verified set of 2026-11-20T00:00:00.000Z on nas1, tape1",
        ["nas1, set s1: L2: every byte read; read today", "tape1, set s1: L2: every byte read; read today"],
    )
    assert rests(found) == ((5, 9), FRIDAY, FRIDAY + 7 * DAY)


@pytest.mark.parametrize(("age", "verdict"), [(7 * DAY, MET), (7 * DAY + SECOND, UNMET)])
def test_a_set_of_a_class_holds_for_seven_days(age: timedelta, verdict: DutyVerdict) -> None:
    made = END - age
    found = stand(evidence(backups=(backup(made),)), CONTENT)

    assert (found.verdict, rests(found)) == (verdict, ((5,), made, made + 7 * DAY))
    if verdict is UNMET:
        assert told(found)[1:] == (f"the newest verified set of {format_at(made)} is older than 7 days", [])


def test_a_class_that_is_declared_empty_or_has_no_source_is_told_so() -> None:
    body = backup(FRIDAY).body
    excused = Recorded(5, END, "r", replace(body, excused=("related: x", "content: the portal has none")))
    unmapped = Recorded(5, END, "r", replace(body, unmapped=(DataClass.CONTENT,)))
    older = Recorded(4, FRIDAY, "r", replace(body, excused=("content: of old",)))

    assert stand(evidence(backups=(older, excused)), CONTENT) == Standing(
        CONTENT.id, EXEMPT, msg("declared to have no data: {reason}", reason="the portal has none"), (), (5,)
    )
    assert stand(evidence(backups=(unmapped,)), CONTENT) == Standing(
        CONTENT.id, UNMET, msg("no backup source is configured for this class"), (), (5,)
    )
    assert stand(evidence(backups=(older, backup(FRIDAY))), CONTENT).verdict is MET, "the newest run decides"


def test_a_class_without_a_set_is_told_by_what_the_ledger_watched() -> None:
    other = backup(FRIDAY)
    assert other.body.set is not None
    streams = (replace(other.body.set.streams[0], data_class=DataClass.RELATED),)
    without = replace(other, body=replace(other.body, set=replace(other.body.set, streams=streams)))

    assert stand(evidence(backups=(without,)), CONTENT) == Standing(
        CONTENT.id, UNMET, msg("no backup set with this class is recorded")
    )
    young = evidence(backups=(without,), started_at=END - 7 * DAY)
    assert stand(young, CONTENT).verdict is UNKNOWN
    late = replace(backup(FRIDAY), at=END + SECOND)
    assert str(stand(evidence(backups=(late,)), CONTENT).reason) == "no backup set with this class is recorded"


def test_sets_that_are_not_whole_are_told_with_what_they_lack_the_newest_three() -> None:
    sets = tuple(
        named(f"s{number}", backup(FRIDAY, unread=(f"/{number}: no", "/x")), seq=number) for number in (1, 2, 3, 4)
    )
    failed = replace(sets[3], body=replace(sets[3].body, failed_classes=(DataClass.CONTENT,)))
    unlike = (
        copy(),
        replace(copy(CopyState.SEALED), medium="tape1"),
        replace(copy(CopyState.FAILED), medium="z", problem="full"),
    )
    newest = replace(
        failed, body=replace(failed.body, copies=tuple(replace(each, set_id=SetId("s4")) for each in unlike))
    )

    found = stand(evidence(backups=(*sets[:3], newest)), CONTENT)

    assert told(found) == (
        UNMET,
        "no backup set with this class is both complete and verified",
        [
            "db: 2 could not be read, such as /2: no",
            "db: 2 could not be read, such as /3: no",
            "a source of this class could not be read at all",
            "db: 2 could not be read, such as /4: no",
            "tape1: sealed, not read back",
            "z: full",
        ],
    )
    assert rests(found) == ((4,), FRIDAY, None)


def test_a_set_of_which_no_copy_was_reached_or_read_lately_is_told_with_what_stands_in_the_way() -> None:
    gone, unread = replace(copy(), problem="no answer"), replace(copy(), verified_at=END - 99 * DAY)

    def of(*copies: Copy) -> Standing:
        return stand(evidence(backups=(backup(FRIDAY, copies=copies),)), CONTENT)

    assert told(of(gone)) == (
        UNKNOWN, "no verified copy of set s1 was reached at the last try", ["nas1: no answer"],
    )  # fmt: skip
    assert told(of(unread, replace(gone, medium="nas2")))[:2] == (
        UNKNOWN, "no copy of set s1 was read back recently enough to count as verified",
    )  # fmt: skip
    assert rests(of(gone)) == ((5,), FRIDAY, FRIDAY + 7 * DAY)


def test_an_older_set_within_reach_is_enough_as_long_as_it_is_young_enough() -> None:
    gone = named("s2", backup(FRIDAY, copies=(replace(copy(), problem="no answer"),)), seq=8)

    def of(made: datetime) -> Standing:
        return stand(evidence(backups=(backup(made), gone)), CONTENT)

    assert (of(END - 7 * DAY).verdict, of(END - 7 * DAY).evidence) == (MET, (5,))
    assert (of(END - 7 * DAY - SECOND).verdict, of(END - 7 * DAY - SECOND).evidence) == (UNKNOWN, (8,))


def test_each_week_whose_sets_lack_the_class_is_told() -> None:
    three = Period(date(2026, 11, 2), date(2026, 11, 29))
    lacking = [
        named(f"l{day}", backup(datetime(2026, 11, day, tzinfo=UTC), unread=("/x: no",)), seq=day)
        for day in (3, 10, 23)
    ]

    def of(*extra: Recorded[BackupResult]) -> Standing:
        return stand(evidence(period=three, backups=(*lacking[:2], *extra, backup(FRIDAY), lacking[2])), CONTENT)

    assert told(of()) == (
        UNMET,
        "week 2026-W45: no complete and verified set has this class, and 1 more",
        [f"week 2026-W{week}: no complete and verified set has this class" for week in (45, 46)],
    )
    assert rests(of()) == ((5,), FRIDAY, FRIDAY + 7 * DAY)
    excused = replace(lacking[1], seq=12, body=replace(lacking[1].body, excused=("content: none then",)))
    assert told(of(excused))[2] == ["week 2026-W45: no complete and verified set has this class"]
    empty = replace(lacking[1], seq=12, body=replace(lacking[1].body, set=None))
    assert len(of(empty).details) == 2


def test_a_set_counts_for_the_local_week_in_which_it_was_made() -> None:
    sunday, monday = datetime(2026, 11, 15, 16, 59, tzinfo=UTC), datetime(2026, 11, 15, 17, tzinfo=UTC)
    two = Period(date(2026, 11, 9), WEEK.last)

    for made, verdict in ((sunday, MET), (monday, UNMET)):
        lacking = named("l", backup(datetime(2026, 11, 10, tzinfo=UTC), unread=("/x: no",)), seq=3)
        good = named("g", backup(made), seq=4)
        assert stand(evidence(period=two, backups=(lacking, good, backup(FRIDAY))), CONTENT).verdict is verdict
    for made, verdict in ((sunday, UNMET), (monday, PENDING)):
        weeks = evidence(period=Period(date(2026, 11, 16), date(2026, 11, 29)), backups=(backup(made),))
        assert (stand(weeks, INTERVAL).verdict is UNMET) == (verdict is UNMET)


def test_each_claim_of_another_tool_is_told_with_its_times() -> None:
    made = AdoptedBackup("restic", "ab12", FRIDAY, "web1", 10, DataClass.CONTENT)
    claims = [
        Recorded(11, FRIDAY + DAY, "", AdoptedPoll("office", "restic", DataClass.CONTENT, (made,))),
        Recorded(12, FRIDAY, "", AdoptedPoll("unknown", "borg", DataClass.CONTENT, ())),
        Recorded(13, FRIDAY, "", AdoptedPoll("undated", "borg", DataClass.CONTENT, (replace(made, made_at=None),))),
        Recorded(14, END + SECOND, "", AdoptedPoll("later", "borg", DataClass.CONTENT, (made,))),
        Recorded(15, END, "", AdoptedPoll("home", "borg", DataClass.CONTENT, (made,))),
    ]

    found = stand(evidence(adopted=tuple(claims)), CONTENT)

    assert sorted(told(found)[2]) == [
        f"claimed by borg, not verified: a backup of {format_at(FRIDAY)}, reported by home at {format_at(END)}",
        f"claimed by restic, not verified: a backup of {format_at(FRIDAY)}, reported by office at {format_at(FRIDAY + DAY)}",
    ]


# --- media ------------------------------------------------------------------------------------


def test_media_of_all_sets_of_the_period_are_told() -> None:
    first = WEEK.bounds(ZONE)[0]
    sets = (
        named("old", backup(first - SECOND, copies=(copy(kind="s3"),)), 3),
        named("a", backup(first, copies=(replace(copy(), medium="z"),)), 4),
        backup(FRIDAY, copies=(copy(), replace(copy(kind="s3"), medium="bucket"))),
        replace(named("late", backup(FRIDAY, copies=(copy(kind="s3"),)), 8), at=END + SECOND),
    )

    found = stand(evidence(backups=sets), MEDIUM)

    assert told(found) == (MET, "every set is read back and verified on nas1, z", [])
    assert rests(found) == ((4, 5), FRIDAY, None)


def test_what_each_set_lacks_of_media_is_told() -> None:
    sets = (
        named("a", backup(FRIDAY, copies=(copy(kind="s3"),)), 3),
        named("b", backup(FRIDAY, copies=(copy(shares=True),)), 4),
        named("c", backup(FRIDAY, copies=(replace(copy(), problem="no answer"),)), 6),
        backup(FRIDAY + DAY),
    )

    found = stand(evidence(backups=sets), MEDIUM)

    assert told(found) == (
        UNMET,
        "set a has no verified copy on disk, optical disc or tape, and 1 more",
        [
            "set a has no verified copy on disk, optical disc or tape",
            "every copy of set b is on the file system that it copies: one fault loses both",
        ],
    )
    assert rests(found) == ((3, 4, 6, 5), FRIDAY + DAY, None)
    unreached = stand(evidence(backups=sets[2:]), MEDIUM)
    line = "no verified copy of set c was reached at the last try"
    assert (told(unreached), rests(unreached)) == ((UNKNOWN, line, [line]), ((6, 5), FRIDAY + DAY, None))


@pytest.mark.parametrize(("age", "verdict"), [(7 * DAY, MET), (7 * DAY + SECOND, UNMET)])
def test_the_last_set_before_a_period_speaks_for_it_for_seven_days(age: timedelta, verdict: DutyVerdict) -> None:
    short = Period(date(2026, 11, 22), date(2026, 11, 22))
    found = stand(evidence(period=short, backups=(named("x", backup(END - 9 * DAY), 3), backup(END - age))), MEDIUM)

    assert found.verdict is verdict
    if verdict is UNMET:
        assert found == Standing(MEDIUM.id, UNMET, msg("no backup set of the period is recorded"))
    else:
        assert found.evidence == (5,)


def test_images_of_discs_are_told_with_how_many_of_them_are_burnt() -> None:
    image = replace(copy(kind="optical"), medium="discs")

    found = stand(evidence(backups=(backup(FRIDAY, copies=(copy(), image)),)), MEDIUM)

    assert told(found)[2] == ["discs, set s1: disc images in a folder, 0 burnt and read back"]


# --- weeks ------------------------------------------------------------------------------------


def test_each_week_is_told_by_its_set_or_why_there_is_none() -> None:
    weeks = Period(date(2026, 10, 26), date(2026, 12, 6))
    incomplete = named("i", backup(datetime(2026, 11, 10, tzinfo=UTC)), 3)
    assert incomplete.body.set is not None
    bad = replace(
        incomplete, body=replace(incomplete.body, set=replace(incomplete.body.set, outcome=RunOutcome.INCOMPLETE))
    )
    began = datetime(2026, 11, 4, tzinfo=UTC)

    found = stand(evidence(period=weeks, backups=(bad, backup(FRIDAY)), started_at=began), INTERVAL)

    assert told(found) == (
        UNMET,
        "week 2026-W46 has no complete, verified set",
        [
            "week 2026-W46 has no complete, verified set",
            "unknown: week 2026-W44 began before the ledger",
            "unknown: week 2026-W45 began before the ledger",
        ],
    )
    assert rests(found) == ((5,), FRIDAY, FRIDAY + 7 * DAY)
    running = stand(evidence(period=Period(date(2026, 11, 23), date(2026, 12, 6))), INTERVAL)
    assert told(running) == (
        PENDING,
        "week 2026-W48 is not over: a set is due by 2026-11-29, and 1 more",
        [
            f"week 2026-W{week} is not over: a set is due by {day}"
            for week, day in ((48, "2026-11-29"), (49, "2026-12-06"))
        ],
    )
    assert rests(running) == ((), None, None)


@pytest.mark.parametrize(("day", "verdict"), [(22, PENDING), (23, UNMET)])
def test_a_week_is_over_on_the_monday_after_it(day: int, verdict: DutyVerdict) -> None:
    found = evidence(now=datetime(2026, 11, day, 9, tzinfo=ZONE))

    assert stand(found, INTERVAL).verdict is verdict


@pytest.mark.parametrize(("day", "verdict"), [(16, UNMET), (17, UNKNOWN)])
def test_a_week_in_which_the_ledger_began_is_not_held_against_anyone(day: int, verdict: DutyVerdict) -> None:
    assert stand(evidence(started_at=datetime(2026, 11, day, 9, tzinfo=ZONE)), INTERVAL).verdict is verdict
    assert stand(evidence(started_at=None), INTERVAL).verdict is UNKNOWN


def test_a_week_is_met_by_a_set_that_is_recorded_by_now_and_was_verified() -> None:
    made = backup(FRIDAY)

    assert stand(evidence(backups=(replace(made, at=NOW),)), INTERVAL).verdict is MET
    assert stand(evidence(backups=(replace(made, at=NOW + SECOND),)), INTERVAL).verdict is UNMET
    assert stand(evidence(backups=(backup(FRIDAY, copies=(copy(CopyState.SEALED),)),)), INTERVAL).verdict is UNMET
    assert stand(evidence(backups=(made, named("n", backup(FRIDAY + DAY), 8))), INTERVAL).evidence == (8,)


# --- removals ---------------------------------------------------------------------------------


def disposal(name: str) -> Disposal:
    return Disposal(SetId(name), DIGEST, FRIDAY, 10, msg("too old"), 7, FRIDAY, ("nas1",))


def pruned(
    *copies: Copy, disposals: tuple[Disposal, ...] = (), at: datetime = FRIDAY, seq: int = 9
) -> Recorded[PruneResult]:
    return Recorded(seq, at, "prune", PruneResult(RetentionPolicy(keep_last=1), copies, disposals))


def retained(*backups: Recorded[BackupResult], **parts: object) -> Standing:
    return stand(evidence(backups=backups, **parts), RETENTION)


def test_how_long_sets_are_kept_is_shown_by_no_record() -> None:
    reason = msg("no retention rule and no removal is recorded, so nothing shows how long sets are kept")

    assert retained(named("a", backup(FRIDAY - DAY), 3), backup(FRIDAY)) == Standing(
        RETENTION.id, UNKNOWN, reason, (), (5,), FRIDAY
    )
    assert retained() == Standing(RETENTION.id, UNKNOWN, reason)


def test_sets_that_can_no_longer_be_restored_are_told() -> None:
    damaged, failed = copy(CopyState.DAMAGED), replace(copy(CopyState.FAILED), medium="nas2")
    sets = (
        named("a", backup(FRIDAY, copies=(damaged,)), 3),
        named("b", backup(FRIDAY, copies=(damaged, failed)), 4),
        named("c", backup(FRIDAY, copies=(failed,)), 6),
        named("e", backup(FRIDAY, copies=(damaged, replace(copy(), medium="nas2"))), 7),
    )

    assert retained(*sets) == Standing(
        RETENTION.id,
        UNMET,
        retained(*sets).reason,
        tuple(msg("every copy of set {set} is damaged", set=SetId(name)) for name in "ab"),
        (3, 4),
    )
    assert str(retained(*sets).reason) == "2 sets can no longer be restored"
    assert told(retained(sets[0])) == (UNMET, "1 set can no longer be restored", ["every copy of set a is damaged"])


def test_a_removal_that_no_record_explains_is_told() -> None:
    gone = copy(CopyState.DISPOSED)
    made = [named(name, backup(FRIDAY), seq) for name, seq in (("a", 3), ("b", 4), ("c", 6))]
    removals = tuple(replace(gone, set_id=SetId(name)) for name in "abc")

    found = retained(*made, verifies=(pruned(*removals, disposals=(disposal("b"),)),))

    assert told(found) == (
        UNMET,
        "set a was removed, but no record names the rule, and 1 more",
        [f"set {name} was removed, but no record names the rule" for name in "ac"],
    )
    assert found.evidence == (3, 6)


def test_a_removal_by_rule_is_told_and_shows_no_more_than_that() -> None:
    gone = replace(copy(CopyState.DISPOSED), set_id=SetId("s1"))
    later = pruned(replace(gone, set_id=SetId("b")), disposals=(disposal("b"),), at=END + SECOND, seq=12)
    old = replace(copy(CopyState.DAMAGED), set_id=SetId("s0"))
    looks = (
        Recorded(7, FRIDAY, "", VerifyResult((replace(old, set_id=SetId("ok")), old))),
        Recorded(8, FRIDAY, "", VerifyResult((replace(copy(), set_id=SetId("ok")),))),
        pruned(gone, disposals=(disposal("s1"),)),
        pruned(at=END, seq=10),
        later,
    )

    found = retained(backup(FRIDAY), named("b", backup(FRIDAY), 6), verifies=looks)

    assert told(found) == (
        UNKNOWN,
        "sets are kept by a recorded rule; no record confirms that it is as long as the State's rules require",
        [f"set s1 of {format_at(FRIDAY)} was removed: too old", "the copy of set s0 on nas1 is damaged"],
    )
    assert rests(found) == ((9, 10), None, None)


def test_a_damaged_copy_of_a_set_of_the_period_is_not_told_as_one_from_before() -> None:
    looks = (Recorded(7, FRIDAY, "", VerifyResult((copy(CopyState.DAMAGED),))),)
    other = replace(copy(), medium="nas2")

    assert told(retained(backup(FRIDAY, copies=(copy(), other)), verifies=looks))[2] == []


# --- discs ------------------------------------------------------------------------------------


def disc(number: int, count: int, state: DiscState = DiscState.WHOLE) -> HeldDisc:
    burnt = BurntDisc("discs", SetId("s1"), number, count, "KH-01", "V", DIGEST, 10, state)
    return HeldDisc(20 + number, burnt, FRIDAY, state, "", FRIDAY, FRIDAY)


IMAGE = replace(copy(kind="optical", shares=True), medium="discs")


@pytest.mark.parametrize(
    ("discs", "verdict", "line"),
    [
        ((disc(1, 2), disc(2, 2)), MET, "discs, set s1: all its discs were burnt and read back"),
        ((disc(1, 2), disc(2, 2, DiscState.BROKEN)), UNMET, None),
    ],
)
def test_images_lie_apart_once_all_their_discs_are_burnt(
    discs: tuple[HeldDisc, ...], verdict: DutyVerdict, line: str | None
) -> None:
    found = stand(evidence(backups=(backup(FRIDAY, copies=(IMAGE,)),), discs=discs), MEDIUM)

    assert found.verdict is verdict
    if line is not None:
        assert told(found)[2] == [line]


def test_images_beside_another_copy_are_told_with_how_many_are_burnt() -> None:
    found = stand(evidence(backups=(backup(FRIDAY, copies=(copy(), IMAGE)),), discs=(disc(1, 2),)), MEDIUM)

    assert told(found)[2] == ["discs, set s1: disc images in a folder, 1 burnt and read back"]


def test_discs_of_a_removed_set_are_told_until_they_are_destroyed() -> None:
    gone = replace(copy(CopyState.DISPOSED), medium="discs")
    looks = (pruned(gone, disposals=(disposal("s1"),)),)

    found = retained(backup(FRIDAY, copies=(IMAGE,)), verifies=looks, discs=(disc(1, 2), disc(2, 2)))

    assert told(found)[2] == [
        f"set s1 of {format_at(FRIDAY)} was removed: too old",
        "discs of the removed set s1 are not recorded as destroyed: 1/2 KH-01, 2/2 KH-01",
    ]


def test_a_set_that_lies_on_discs_can_be_restored_whatever_became_of_its_images() -> None:
    damaged = replace(IMAGE, state=CopyState.DAMAGED)

    assert retained(backup(FRIDAY, copies=(damaged,)), discs=(disc(1, 1),)).verdict is UNKNOWN
    assert retained(backup(FRIDAY, copies=(damaged,))).verdict is UNMET


# --- borders ----------------------------------------------------------------------------------


def test_what_was_removed_after_the_period_still_lay_where_it_lay_in_it() -> None:
    unreached = backup(FRIDAY, copies=(replace(copy(), problem="no answer"),))
    removed = pruned(copy(CopyState.DISPOSED), disposals=(disposal("s1"),), at=END + SECOND)

    assert stand(evidence(backups=(unreached,), verifies=(removed,)), MEDIUM).verdict is UNKNOWN
    before = replace(removed, at=END)
    assert stand(evidence(backups=(unreached,), verifies=(before,)), MEDIUM).verdict is MET


def test_of_the_sets_before_a_period_only_the_last_speaks_for_it() -> None:
    day = Period(date(2026, 11, 22), date(2026, 11, 22))
    sets = tuple(named(f"s{seq}", backup(END - 3 * DAY), seq) for seq in (3, 4, 5))

    found = stand(evidence(period=day, backups=sets), MEDIUM)

    assert (found.verdict, found.evidence) == (MET, (5,))
    assert retained(*sets).evidence == (5,)


def test_a_set_that_was_recorded_at_the_end_of_the_period_is_one_of_it() -> None:
    at_end = replace(backup(FRIDAY), at=END)
    lacking = replace(named("l", backup(datetime(2026, 11, 10, tzinfo=UTC), unread=("/x: no",)), 3), at=END)
    two = Period(date(2026, 11, 9), WEEK.last)

    assert stand(evidence(backups=(at_end,)), MEDIUM).evidence == (5,)
    assert stand(evidence(backups=(at_end,)), CONTENT).verdict is MET
    assert stand(evidence(period=two, backups=(backup(FRIDAY), lacking)), CONTENT).verdict is UNMET
    later = replace(lacking, at=END + SECOND)
    assert stand(evidence(period=two, backups=(backup(FRIDAY), later)), CONTENT).verdict is MET


def test_a_week_in_which_the_class_was_declared_empty_lacks_nothing_whatever_the_reason() -> None:
    lacking = named("l", backup(datetime(2026, 11, 10, tzinfo=UTC), unread=("/x: no",)), 3)
    excused = replace(lacking, body=replace(lacking.body, excused=("content: moved: to another portal",)))
    two = Period(date(2026, 11, 9), WEEK.last)

    assert stand(evidence(period=two, backups=(excused, backup(FRIDAY))), CONTENT).verdict is MET
    assert stand(evidence(backups=(excused,)), CONTENT).reason == msg(
        "declared to have no data: {reason}", reason="moved: to another portal"
    )


def test_a_week_lacks_nothing_before_it_is_over() -> None:
    good = backup(datetime(2026, 11, 15, 12, tzinfo=ZONE))
    lacking = named("l", backup(datetime(2026, 11, 18, tzinfo=UTC), unread=("/x: no",)), 6)
    two = Period(date(2026, 11, 9), WEEK.last)
    sunday = datetime(2026, 11, 22, 9, tzinfo=ZONE)

    assert stand(evidence(period=two, backups=(good, lacking), now=sunday), CONTENT).verdict is MET


def test_what_was_removed_after_the_period_held_its_class_and_its_collections_in_it() -> None:
    removed = (pruned(copy(CopyState.DISPOSED), disposals=(disposal("s1"),), at=END + SECOND),)

    assert archive(inventory(), verifies=removed).verdict is MET
    assert stand(evidence(backups=(backup(FRIDAY),), verifies=removed), CONTENT).verdict is MET
    before = (replace(removed[0], at=END),)
    assert archive(inventory(), verifies=before).verdict is UNMET
    assert stand(evidence(backups=(backup(FRIDAY),), verifies=before), CONTENT).verdict is UNMET


def test_where_documents_lie_is_said_by_the_newest_run_of_the_period() -> None:
    made = kept(classes=(DataClass.CONTENT, DataClass.RELATED))
    said = replace(made, at=END, body=replace(made.body, excused=("documents: see: content",)))

    assert stand(evidence(inventories=(inventory(),), backups=(said,)), ARCHIVE).verdict is MET
    assert stand(evidence(inventories=(inventory(),), backups=(made,)), ARCHIVE).verdict is UNMET


def test_sets_without_the_collection_show_that_it_lies_in_none_also_to_a_young_ledger() -> None:
    young = evidence(inventories=(inventory(),), backups=(backup(FRIDAY),), started_at=END - DAY)

    assert stand(young, ARCHIVE).verdict is UNMET


def test_on_its_last_day_a_set_still_counts_with_all_that_is_wrong_beside_it() -> None:
    last = backup(END - 7 * DAY, copies=(replace(copy(), problem="no answer"),))
    lacking = named("l", backup(datetime(2026, 11, 10, tzinfo=UTC), unread=("/x: no",)), 3)
    two = Period(date(2026, 11, 9), WEEK.last)

    assert stand(evidence(backups=(last,)), CONTENT).verdict is UNKNOWN
    assert told(stand(evidence(period=two, backups=(lacking, backup(END - 7 * DAY))), CONTENT))[:2] == (
        UNMET, "week 2026-W46: no complete and verified set has this class",
    )  # fmt: skip


def test_of_sets_without_a_verified_copy_the_newest_is_explained() -> None:
    sets = tuple(
        named(f"s{seq}", backup(FRIDAY, copies=(replace(copy(CopyState.SEALED), medium=f"m{seq}"),)), seq)
        for seq in (3, 4, 5)
    )

    assert told(stand(evidence(backups=sets), CONTENT))[2] == ["m5: sealed, not read back"]
