"""The words of letters, and what can't get into one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from checks.updates.troubles import TROUBLE_WORDS, TroubleKind
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.notifications import Level
from portalops.model.organisation import Name, Portal
from portalops.model.verdicts import DutyVerdict
from portalops.notify.letters import MAX_LINES, JobWeek, Sender, WeekSummary, letters_of, without_foreign_words
from portalops.notify.rules import Failure, Recovered, SeenDuty, Telling, Unmet
from portalops.notify.state import WaitingLetter

AT = datetime(2026, 11, 30, 0, 5, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
PORTAL = Portal("khanhhoa", Name("Cổng thông tin điện tử tỉnh Khánh Hòa", "Khanh Hoa province portal"), ZONE.key)
SENDER = Sender(PORTAL, "cong1", frozenset({"nightly-backup", "nas1", "web1", "so-y-te"}))
CANARY = "hunter2-canary"
ALL = frozenset(Level)
NOTHING = Telling()


def letters(
    telling: Telling = NOTHING, week: WeekSummary | None = None, *, language: str = "en", levels: frozenset[Level] = ALL
) -> list[WaitingLetter]:
    return list(letters_of(telling, week, SENDER, channel="mail", language=language, levels=levels, zone=ZONE, now=AT))


def a_failure(job: str = "nightly-backup") -> Failure:
    return Failure(f"job:{job}", "PO1203", msg("error {error}", error="PO1203"), msg("Look at the medium."))


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (msg("verified set of {made} on {media}", made=AT.date(), media="nas1, tape"), "verified set of 2026-11-30 on nas1, …"),
        (msg("source {source}: {problem}", source="web1", problem=CANARY), "source web1: …"),
        (msg("{line}; {why}", line=verbatim(CANARY), why=nmsg("{n} more", "{n} more", 3)), "…; 3 more"),
        (msg("week {week} has no complete, verified set", week="2026-W48"), "week 2026-W48 has no complete, verified set"),
        (msg("{unit}: {title}", unit="so-y-te", title=Name(CANARY, CANARY)), "so-y-te: …"),
        (msg("kept by {anchors}", anchors="-"), "kept by -"),
        (msg("by record {seq}, {word}", seq="17", word="12345678"), "by record 17, …"),
        (msg("{path}", path="/etc/portalops/mail.secret"), "…"),
    ],
)  # fmt: skip
def test_of_a_sentence_from_elsewhere_only_known_ids_and_numbers_stay(message: Message, shown: str) -> None:
    assert str(without_foreign_words(message, SENDER.ids)) == shown


def test_a_failure_names_the_job_the_machine_and_what_to_do() -> None:
    (letter,) = letters(Telling(failures=(a_failure(),)))

    assert letter.subject == "portalops khanhhoa: FAILURE: nightly-backup"
    assert letter.about == ("job:nightly-backup",)
    for words in ("Khanh Hoa province portal", "On cong1", "job nightly-backup: error PO1203", "Look at the medium."):
        assert words in letter.text


def test_a_flood_of_failures_is_one_short_letter() -> None:
    many = tuple(a_failure(f"job-{number}") for number in range(1000))

    (letter,) = letters(Telling(failures=many))

    assert letter.subject == "portalops khanhhoa: FAILURE: job-0 and 999 more"
    assert f"... and {1000 - MAX_LINES} more" in letter.text
    assert letter.text.count("Look at the medium.") == MAX_LINES


def test_duties_stand_new_ones_first_and_unknown_ones_are_not_called_met() -> None:
    def duty(name: str, verdict: DutyVerdict, reason: Message) -> SeenDuty:
        return SeenDuty(name, Name(f"Nhiệm vụ {name}", f"Duty {name}"), verdict, reason)

    unmet = Unmet(
        (duty("10.2-interval", DutyVerdict.UNMET, msg("{medium}: {problem}", medium="nas1", problem=CANARY)),),
        (duty("11.1", DutyVerdict.UNMET, msg("no update on {n} working day", n=1)),),
        (AT - timedelta(days=3),),
        (duty("12.1", DutyVerdict.INSUFFICIENT_EVIDENCE, msg("the hosts were never checked")),),
    )

    (letter,) = letters(Telling(unmet=unmet))

    assert letter.subject == "portalops khanhhoa: 2 duties are not met (1 newly)"
    text = letter.text
    order = [
        "1 duty newly not met",
        "10.2-interval: Duty 10.2-interval",
        "nas1: …",
        "1 duty still not met",
        "11.1: Duty 11.1",
    ]
    order += [
        "first reported at 27 Nov 2026 07:05 +07",
        "1 duty without sufficient evidence, which does not count as met",
        "12.1: Duty 12.1",
    ]
    assert [text.find(each) for each in order] == sorted(text.find(each) for each in order)
    assert -1 not in [text.find(each) for each in order]
    assert CANARY not in text


def test_a_summary_of_a_week_without_anything_still_says_so() -> None:
    week = WeekSummary(
        AT - timedelta(days=7),
        AT,
        (JobWeek("nightly-backup", 7, 0, 0, 0, 0, AT + timedelta(hours=17)),),
        is_judged=True,
    )

    (letter,) = letters(week=week)

    assert letter.subject == "portalops khanhhoa: summary of the week to 30 Nov 2026"
    assert (
        "nightly-backup: 7 done, 0 late, 0 in part, 0 failed, 0 missed; next due from 1 Dec 2026 00:05 +07"
        in letter.text
    )
    assert "No letter is waiting to be sent." in letter.text


def test_a_summary_of_a_ledger_that_cannot_be_read_counts_nothing_as_done() -> None:
    (letter,) = letters(week=WeekSummary(AT - timedelta(days=7), AT, problem="PO1104", waiting=(("chat", 2),)))

    for words in (
        "error PO1104. They count as not done.",
        "unknown, which does not count as met",
        "2 letters are waiting: channel chat",
    ):
        assert words in " ".join(letter.text.split())


def test_a_channel_gets_the_levels_that_it_takes() -> None:
    telling = Telling((a_failure(),), None, (Recovered("run", AT),))

    assert [each.level for each in letters(telling, levels=frozenset({Level.RECOVERY}))] == [Level.RECOVERY]
    assert [each.level for each in letters(telling)] == [Level.FAILURE, Level.RECOVERY]


def test_two_letters_never_have_one_identity() -> None:
    found = [
        each.id
        for language in ("vi", "en")
        for each in letters(Telling((a_failure(),), None, (Recovered("run", AT),)), language=language)
    ]

    assert len(set(found)) == len(found) == 4


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "The days off of 2027 are provisional: no official notice was confirmed."),
        ("vi", "Lịch nghỉ năm 2027 đang là lịch dự kiến vì chưa nhập thông báo chính thức."),
    ],
)
def test_a_summary_asks_for_the_notice_of_a_provisional_year_with_the_command(language: str, words: str) -> None:
    (letter,) = letters(week=WeekSummary(AT - timedelta(days=7), AT, unconfirmed_years=(2027,)), language=language)

    text = " ".join(letter.text.split())
    assert words in text
    assert "'portalops calendar confirm 2027'" in text


@pytest.mark.parametrize(
    ("language", "words"), [("en", "soyte-rss: it shows nothing"), ("vi", "soyte-rss: không hiện tin nào")]
)
def test_a_summary_names_the_sources_that_answer_and_prove_nothing(language: str, words: str) -> None:
    sources = (("soyte-rss", TROUBLE_WORDS[TroubleKind.EMPTIED]),)
    (letter,) = letters(week=WeekSummary(AT - timedelta(days=7), AT, troubled_sources=sources), language=language)

    text = " ".join(letter.text.split())
    assert words in text
    assert "portalops updates stale" in text
