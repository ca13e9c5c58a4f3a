"""What people attest, as their records tell: what stands, what was taken back, and what cannot be read."""

from __future__ import annotations

from datetime import UTC, date, datetime

from portalops.model.organisation import UnitId
from portalops.model.record import Digest
from portalops.model.submissions import AttestationWithdrawal, ObservedItem, RegisteredPaper
from portalops.model.updates import ItemChannel
from portalops.registers.attested import Attestation, fold_attested

BODY = Digest("a" * 64)
AT = datetime(2026, 11, 20, 3, tzinfo=UTC)
UNIT = UnitId("so-y-te")
ITEM = ObservedItem("OB-1", UNIT, ItemChannel.SUBPORTAL, "Tin", "https://soyte.khanhhoa.example/1", AT, "Nguyễn Văn An")
PAPER = RegisteredPaper("RG-1", UNIT, "118", date(2026, 11, 20), "Sở Y tế", "245/SYT-VP", "Tin bài", "Lê Thị Bình")


def _standing(*whats: Attestation | AttestationWithdrawal | None) -> list[str]:
    found = fold_attested((number, AT, BODY, what) for number, what in enumerate(whats, 1))
    return [each.what.id for each in found if each.withdrawn_seq is None]


def test_a_withdrawal_ends_what_it_names_and_nothing_else() -> None:
    assert _standing(ITEM, PAPER, AttestationWithdrawal("OB-1", "nhầm", "An")) == ["RG-1"]


def test_a_withdrawal_that_cannot_be_read_ends_all_before_it_and_nothing_after_it() -> None:
    assert _standing(ITEM, None, PAPER) == ["RG-1"]


def test_a_withdrawal_of_what_does_not_stand_changes_nothing() -> None:
    assert _standing(PAPER, AttestationWithdrawal("RG-9", "nhầm", "An")) == ["RG-1"]
