"""The words of letters, and what can't get into one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from checks.updates.troubles import TROUBLE_WORDS, TroubleKind
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.notifications import Level
from portalops.model.organisation import Name, Portal
from portalops.notify.alarms import NotifiedAlarm
from portalops.notify.letters import MAX_LINES, JobWeek, Sender, WeekSummary, letters_of, without_foreign_words
from portalops.notify.rules import AlarmNews, Failure, Recovered, SeenAlarm, Telling
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


def alarm(key: str, what: Message, *, days: int = 0, answer: Message | None = None) -> SeenAlarm:
    return SeenAlarm(key, AT - timedelta(days=days), "x", what, msg("Look at it."), answer=answer)


def test_a_letter_about_alarms_says_what_is_new_first_then_what_is_open_since_when_and_what_closed() -> None:
    acknowledged = msg("acknowledged until {day}", day=AT.date() + timedelta(days=9))
    news = AlarmNews(
        (alarm("medium:nas1", msg("medium {medium} lacks the newest set", medium="nas1")),),
        (alarm("duty:11.1", msg("no update on {n} working day", n=1), days=3),),
        (alarm("host:web1", msg("host {host} did not answer", host="web1"), days=8, answer=acknowledged),),
        (Recovered("credential:db-root", AT - timedelta(days=20)),),
    )

    (letter,) = letters(Telling(news=news))

    assert letter.subject == "portalops khanhhoa: new alarm: medium nas1 (2 more open)"
    assert letter.about == ("credential:db-root", "medium:nas1", "duty:11.1", "host:web1")
    text = letter.text
    order = [
        "as judged at 30 Nov 2026 07:05 +07",
        "1 new:",
        "medium:nas1: medium nas1 lacks the newest set",
        "Look at it.",
    ]
    order += ["1 still open, as a reminder:", "duty:11.1, since 27 Nov 2026 07:05 +07: no update on 1 working day"]
    order += ["1 more open:", "host:web1, since 22 Nov 2026", "acknowledged until 9 Dec 2026"]
    order += ["1 closed:", "credential db-root, open since 10 Nov 2026"]
    places = [text.find(each) for each in order]
    assert -1 not in places
    assert places == sorted(places)


def test_a_letter_that_only_closes_alarms_says_so_in_its_subject() -> None:
    (letter,) = letters(Telling(news=AlarmNews((), (), (), (Recovered("anchor:tsa", AT),))))

    assert letter.subject == "portalops khanhhoa: 1 alarm closed (0 open)"


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


def test_a_summary_names_what_is_open_and_duties_without_evidence_in_one_line() -> None:
    told = {"insufficient-evidence": AT}
    alarms = [NotifiedAlarm(f"duty:{name}", AT, AT, told) for name in ("3.1", "12.1")]
    week = WeekSummary(AT - timedelta(days=7), AT, open=(NotifiedAlarm("host:web1", AT, AT, {"silent": AT}), *alarms))

    (letter,) = letters(week=week)

    text = " ".join(letter.text.split())
    assert "Reported before and still failing: - host web1, since 30 Nov 2026 07:05 +07" in text
    assert "- 2 duties without sufficient evidence, which do not count as met: 3.1, 12.1" in text


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
