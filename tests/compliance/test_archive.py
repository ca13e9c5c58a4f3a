"""Article 10.1 is met by a fresh inventory without gaps whose collections lie in a verified set, and by nothing less."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portalops.calendar import load as load_calendar
from portalops.compliance import Situation, judge
from portalops.errors import LedgerError
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
from portalops.model.backups import BackupResult, CopyState, DataClass
from portalops.model.message import msg
from portalops.model.record import Recorded
from portalops.model.rulebook import Duty
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict
from portalops.registers.evidence import Evidence, UnreadableRecord
from portalops.rulebooks.load import load
from tests.compliance.test_rules import NOW, backup, copy, duty, evidence, stand

MADE = datetime(2026, 11, 20, tzinfo=UTC)
ARCHIVE = duty("archive")
WHOLE = Inventory(
    (
        CollectionCount("items", "query", HeldItems.ITEMS, "db", False, 2, 2),
        CollectionCount("originals", "folder", HeldItems.ORIGINALS, "paper", True, 2, 2),
        CollectionCount("copies", "folder", HeldItems.COPIES, "paper", True, 2, 2),
        CollectionCount("drafts", "query", HeldItems.DRAFTS, "db", False, 2, 2),
    ),
    2,
)


def inventory(at: datetime = MADE, seq: int = 9, **changes: object) -> Recorded[Inventory]:
    return Recorded(seq, at, "", replace(WHOLE, **changes))  # type: ignore[arg-type]  # names are checked by replace itself


def kept(
    *, classes: tuple[DataClass, DataClass] = (DataClass.DOCUMENTS, DataClass.DOCUMENTS), **more: object
) -> Recorded[BackupResult]:
    """A set with both sources, each of a class."""
    made = backup(MADE, **more)  # type: ignore[arg-type]  # as the function that it hands them to says
    assert made.body.set is not None
    (stream,) = made.body.set.streams
    streams = tuple(
        replace(stream, source=source, data_class=of) for source, of in zip(("db", "paper"), classes, strict=True)
    )
    return replace(made, body=replace(made.body, set=replace(made.body.set, streams=streams)))


def judged(found: Recorded[Inventory], made: Recorded[BackupResult] | None = None) -> tuple[DutyVerdict, str]:
    return stand(ARCHIVE, evidence(inventories=(found,), backups=(made or kept(),)))


def test_a_fresh_inventory_without_gaps_in_a_verified_set_meets_the_duty() -> None:
    verdict, reason = judged(inventory())

    assert verdict is DutyVerdict.MET
    assert "all 2 items" in reason and "set s1" in reason


def test_without_an_inventory_nothing_is_known() -> None:
    verdict, reason = stand(ARCHIVE, evidence(backups=(kept(),)))

    assert (verdict, reason) == (
        DutyVerdict.INSUFFICIENT_EVIDENCE,
        "no inventory of originals, copies and drafts is recorded",
    )


def test_an_old_inventory_says_nothing_of_today() -> None:
    verdict, reason = judged(inventory(NOW - timedelta(days=40)))

    assert verdict is DutyVerdict.INSUFFICIENT_EVIDENCE and "older than 31 days" in reason


def test_an_inventory_made_after_the_period_does_not_speak_for_it() -> None:
    assert judged(inventory(NOW))[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"missing": (MissingItems(HeldItems.DRAFTS, NamedItems(3, ("a", "b", "c"))),)},
            "3 items have no drafts, such as a, b, c",
        ),
        (
            {"missing": (MissingItems(HeldItems.COPIES, NamedItems(2, ("a",)), True),)},
            "no collection of copies is configured",
        ),
        ({"strays": NamedItems(1, ("originals: 7.pdf",))}, "1 entry belongs to no item"),
        ({"collections": (replace(WHOLE.collections[1], nameless=NamedItems(1, ("x",))),)}, "1 entry names no item"),
        (
            {
                "comparison": ArchiveComparison(
                    3, MADE, (CollectionChange("originals", True, 2, 1, 0, NamedItems(1, ("1.pdf",))),)
                )
            },
            ": 1 missing, 0 changed",
        ),
    ],
)
def test_a_gap_or_a_loss_breaks_the_duty(changes: dict[str, Any], said: str) -> None:
    verdict, reason = judged(inventory(**changes))

    assert verdict is DutyVerdict.UNMET and said in reason


def test_a_loss_that_a_person_accepted_breaks_nothing() -> None:
    lost = ArchiveComparison(3, MADE, (CollectionChange("originals", True, 2, 1, 0, NamedItems(1, ("1.pdf",))),))

    assert judged(inventory(comparison=lost, accepted="moved"))[0] is DutyVerdict.MET


def test_an_accepted_loss_is_told_beside_the_verdict() -> None:
    lost = ArchiveComparison(3, MADE, (CollectionChange("originals", True, 2, 1, 0, NamedItems(1, ("1.pdf",))),))
    found = standing(evidence(inventories=(inventory(comparison=lost, accepted="moved"),), backups=(kept(),)))

    assert [str(each) for each in found.details] == ["Missing and changed entries were accepted: moved"]


@pytest.mark.parametrize(
    "changes",
    [
        {"collections": (replace(WHOLE.collections[1], problem="gone"), *WHOLE.collections)},
        {"collections": (replace(WHOLE.collections[1], unread=NamedItems(1, ("x",))), *WHOLE.collections)},
        {"items": 0},
    ],
)
def test_what_could_not_be_read_is_not_met(changes: dict[str, Any]) -> None:
    assert judged(inventory(**changes))[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


@pytest.mark.parametrize(
    "made",
    [
        kept(classes=(DataClass.CONTENT, DataClass.DOCUMENTS)),
        kept(copies=(copy(CopyState.SEALED),)),
        kept(unread=("x: permission denied",)),
        backup(MADE),
    ],
)
def test_collections_that_lie_in_no_verified_set_of_documents_break_the_duty(made: Recorded[BackupResult]) -> None:
    verdict, reason = judged(inventory(), made)

    assert verdict is DutyVerdict.UNMET and "is in no verified set" in reason


def test_a_young_ledger_without_a_set_does_not_show_that_there_is_none() -> None:
    young = evidence(inventories=(inventory(),), started_at=NOW - timedelta(days=2))

    assert stand(ARCHIVE, young)[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


def test_a_set_that_is_too_old_keeps_no_collection() -> None:
    later = evidence(inventories=(inventory(),), backups=(kept(),))
    old = replace(later.backups[0].body, set=replace(later.backups[0].body.set, created_at=NOW - timedelta(days=11)))  # type: ignore[type-var]  # there is one

    assert stand(ARCHIVE, replace(later, backups=(replace(later.backups[0], body=old),)))[0] is DutyVerdict.UNMET


def test_documents_that_are_declared_to_lie_in_other_data_may_lie_in_its_class() -> None:
    made = kept(classes=(DataClass.CONTENT, DataClass.RELATED))
    excused = replace(made, body=replace(made.body, excused=("documents: in the content database",)))

    assert judged(inventory(), made)[0] is DutyVerdict.UNMET
    assert judged(inventory(), excused)[0] is DutyVerdict.MET


def test_excused_states_are_told_of_and_all_three_exempt() -> None:
    some = standing(evidence(inventories=(inventory(excused=("drafts: none are written",)),), backups=(kept(),)))
    every = inventory(excused=("originals: a", "copies: b", "drafts: c"))

    assert some.verdict is DutyVerdict.MET
    assert [str(each) for each in some.details] == ["declared not to exist: drafts: none are written"]
    assert judged(every)[0] is DutyVerdict.EXEMPT


def standing(found: Evidence, of: Duty = ARCHIVE) -> Standing:
    rulebook = replace(load("kh-37-2010", {}), duties=(of,))
    (judged_duty,) = judge(Situation(rulebook, found, (), (), load_calendar()))
    return judged_duty


@pytest.mark.parametrize("kind", ["inventory", "verify", "drill", "prune", "medium_check"])
def test_a_newer_inventory_or_look_that_cannot_be_read_may_say_otherwise(kind: str) -> None:
    unreadable = UnreadableRecord(99, kind, LedgerError(msg("lost"), msg("look")).message)
    found = evidence(inventories=(inventory(),), backups=(kept(),), unreadable=(unreadable,))

    assert stand(ARCHIVE, found)[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


# --- what other tools claim ---------------------------------------------------------------------------------------------

CONTENT = duty("backup-class", subject="content")


def claim(data_class: DataClass = DataClass.CONTENT, problem: str = "") -> Recorded[AdoptedPoll]:
    made = AdoptedBackup("restic", "ab12", MADE, "web1", 10, data_class, problem=problem)
    return Recorded(11, MADE, "", AdoptedPoll("office", "restic", data_class, (made,)))


@pytest.mark.parametrize("backups", [(), (backup(MADE),), (backup(MADE, copies=(copy(CopyState.DAMAGED),)),)])
def test_a_claim_changes_no_verdict_and_stands_beside_it(backups: tuple[Recorded[BackupResult], ...]) -> None:
    without = standing(evidence(backups=backups), CONTENT)
    beside = standing(evidence(backups=backups, adopted=(claim(),)), CONTENT)

    assert (beside.verdict, beside.reason, beside.evidence) == (without.verdict, without.reason, without.evidence)
    assert str(beside.details[-1]).startswith("claimed by restic, not verified: a backup of 2026-11-20")


@pytest.mark.parametrize("other", [claim(DataClass.RELATED), claim(problem="its status is FAILED")])
def test_a_claim_of_another_class_or_of_a_bad_backup_is_not_shown(other: Recorded[AdoptedPoll]) -> None:
    assert standing(evidence(adopted=(other,)), CONTENT).details == ()
