"""What is wrong with a source that answers: told by its newest poll, with since when and what mends it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from checks.updates.answers import ORDER_UNKNOWN
from checks.updates.troubles import LASTING, TroubleKind, explain_trouble, troubles_by_poll, troubles_of
from portalops.locale import render
from portalops.model.message import msg
from portalops.model.record import Digest
from portalops.model.updates import Poll
from tests.checks.updates.scene import at
from tests.checks.updates.test_command import _call, portal

__all__ = ("portal",)

SINCE, NOW = at("2026-11-16 08:00"), at("2026-11-18 08:00")
GOOD = Poll("rss", NOW, True, "", 3, 1, Digest("0" * 64), None)
BLIND = replace(GOOD, blind=msg("the answer is empty, and no earlier one had items"))


@pytest.mark.parametrize(
    ("poll", "kind"),
    [
        (replace(BLIND, items=0), TroubleKind.EMPTIED),
        (replace(BLIND, gap=True), TroubleKind.NO_OVERLAP),
        (BLIND, TroubleKind.OLDEST_FIRST),
        (replace(BLIND, blind=ORDER_UNKNOWN), TroubleKind.ORDER_UNKNOWN),
        (replace(GOOD, doubts_from=SINCE), TroubleKind.OUT_OF_DATE),
        (replace(GOOD, renamed=2), TroubleKind.RENAMED),
    ],
)
def test_each_trouble_says_since_when_and_what_mends_it_in_both_languages(poll: Poll, kind: TroubleKind) -> None:
    (trouble,) = troubles_of([poll], {"rss": SINCE})

    said, vietnamese = (render(explain_trouble(trouble), language) for language in ("en", "vi"))

    is_dated_back = kind in LASTING | {TroubleKind.OUT_OF_DATE}
    assert (trouble.kind, trouble.since) == (kind, SINCE if is_dated_back else NOW)
    assert said.startswith("source rss, since ")
    assert vietnamese.startswith("nguồn rss, từ ")
    assert len(troubles_by_poll([poll])) == 1


def test_a_trouble_of_many_polls_is_said_once_with_their_number() -> None:
    said = [render(one, "en") for one in troubles_by_poll([BLIND, replace(BLIND, source="page"), BLIND, BLIND])]

    assert [one.partition(":")[0] for one in said] == ["source rss, in 3 polls", "source page"]


def test_an_answer_that_is_in_order_ends_what_lasts_and_not_what_happened() -> None:
    polls = [replace(BLIND, items=0), replace(BLIND, gap=True)]

    assert [one.kind for one in troubles_of(polls, {})] == [TroubleKind.NO_OVERLAP]


def test_a_source_that_was_emptied_is_named_by_each_command(portal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _call(portal, capsys, "updates", "collect")
    (portal / "feed.xml").write_text("<rss version='2.0'><channel><title>Tin</title></channel></rss>", "utf-8")

    _code, collected = _call(portal, capsys, "updates", "collect")
    _code, status = _call(portal, capsys, "updates", "status")
    _code, stale = _call(portal, capsys, "updates", "stale")

    (front,) = (one for one in collected["data"] if one["id"] == "front")
    assert front["ok"] and "the answer is empty, and on " in front["blind"]
    for envelope in (collected, status):
        assert sum("source front, since " in str(warning) for warning in envelope["warnings"]) == 1
    assert {one["state"] for one in stale["data"] if one["id"] == "front"} == {"emptied"}
