"""Pages that are rewritten at one address: what counts once more, and what changes by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.updates.job import replay
from checks.updates.observations import ObservationStore
from checks.updates.proving import differences
from checks.updates.rewriting import (
    CHANGED_SHARE,
    CHANGED_WORDS,
    GAINED_SHARE,
    KEPT_MARKS,
    SURE_WORDS,
    Sketch,
    judge_change,
    sketch,
)
from checks.updates.rules.seen import SeenItem
from checks.updates.rules.stamps import stamp
from portalops.model.updates import Bounds, FlagKind, Rewrite, UnitWeek, UpdatesResult
from portalops.model.verdicts import DutyVerdict
from tests.checks.updates.scene import HEALTH, ZONE, at
from tests.checks.updates.site import Collecting, source
from tests.checks.updates.test_rules import weighed
from tests.web import WebServer, answer, web_server

# --- the measure ---------------------------------------------------------------------------------

words = st.lists(st.sampled_from([f"từ{number}" for number in range(60)]), max_size=KEPT_MARKS)


def _text(word: str, count: int, *, start: int = 0) -> str:
    return " ".join(f"{word}{number}" for number in range(start, start + count))


@settings(max_examples=300, deadline=None)
@given(words, words)
def test_short_texts_are_compared_exactly_as_often_as_each_word_stands_there(one: list[str], other: list[str]) -> None:
    larger = max(len(one), len(other))
    changed = larger - (Counter(one) & Counter(other)).total()

    found = judge_change(sketch(" ".join(one)), sketch(" ".join(other)))

    is_another = changed >= CHANGED_WORDS and changed >= CHANGED_SHARE * larger
    gained = (Counter(other) - Counter(one)).total()
    if not is_another or len(other) >= len(one):
        assert found is (Rewrite.NO if not is_another else Rewrite.SURE if changed >= SURE_WORDS else Rewrite.OPEN)
    elif gained >= CHANGED_SHARE * len(other):
        assert found is (Rewrite.NO if not other else Rewrite.SURE if changed >= SURE_WORDS else Rewrite.OPEN)
    else:
        assert found is (Rewrite.OPEN if gained > GAINED_SHARE * len(other) else Rewrite.NO)


@settings(max_examples=100, deadline=None)
@given(st.integers(150, 1500), st.floats(0, 1), st.integers(0, 10_000))
def test_of_long_texts_no_answer_is_sure_far_on_the_wrong_side(length: int, share: float, start: int) -> None:
    changed = round(share * length)
    old = _text("từ", length, start=start)
    new = " ".join([_text("từ", length - changed, start=start), _text("khác", changed, start=start)])

    found = judge_change(sketch(old), sketch(new))

    if changed < 0.15 * length:
        assert found is not Rewrite.SURE
    if changed > 0.25 * length:
        assert found is not Rewrite.NO
    if changed > 0.5 * length:
        assert found is Rewrite.SURE


def test_a_sketch_reads_as_it_was_written() -> None:
    one = sketch("Lịch công tác tuần của lãnh đạo Sở")

    assert Sketch.read(one.write()) == one
    assert len(sketch(_text("từ", 5000)).write()) < 700


def test_case_spaces_and_form_of_letters_change_nothing() -> None:
    old = _text("Điều ", 60)

    assert judge_change(sketch(old), sketch(old.upper().replace(" ", "\n"))) is Rewrite.NO


@pytest.mark.parametrize("length", [120, 400])
def test_a_page_of_which_only_a_part_is_left_is_no_rewrite(length: int) -> None:
    old = [f"w{number}" for number in range(length)]
    half = old[: length // 2]

    assert judge_change(sketch(" ".join(old)), sketch(" ".join(half))) is Rewrite.NO
    assert judge_change(sketch(" ".join(old)), sketch(_text("x", length // 2))) is Rewrite.SURE
    some = _text("x", length // 20)
    assert judge_change(sketch(" ".join(old)), sketch(f"{' '.join(half)} {some}")) is Rewrite.OPEN


def test_a_rewrite_near_the_border_counts_for_nobody_and_against_nobody() -> None:
    old, new = _text("từ", 1000), f"{_text('từ', 790)} {_text('khác', 210)}"
    assert judge_change(sketch(old), sketch(new)) is Rewrite.OPEN

    found = weighed(rewrite=Rewrite.OPEN, published_at=None)

    assert (found.is_sure, found.flags) == (False, (FlagKind.REWRITTEN,))


# --- a site with a page that is rewritten --------------------------------------------------------


class Pages:
    """A feed with whole texts, polled at 08:00 and 20:00."""

    def __init__(self, folder: Path, server: WebServer) -> None:
        self.server = server
        self.texts = {f"/cu-{number}": f"Bài số {number}. {_text(f'chữ{number}x', 100)}" for number in range(5)}
        self.collecting = Collecting(folder, [source("feed", "rss", url=f"{server.url}/rss")])

    def poll(self, *moments: str) -> UpdatesResult:
        entries = "".join(
            f"<item><guid isPermaLink='false'>{path}</guid><link>{self.server.url}{path}</link><title>Tin {path}</title>"
            f"<content:encoded>{text}</content:encoded>"
            f"<pubDate>0{9 - int(path[-1])}/11/2026 09:00</pubDate></item>"
            for path, text in self.texts.items()
        )
        space = "xmlns:content='http://purl.org/rss/1.0/modules/content/'"
        page = f"<rss version='2.0' {space}><channel>{entries}</channel></rss>"
        self.server.pages["/rss"] = answer(page.encode())
        results = [self.collecting.run(moment) for moment in moments]
        return results[-1]

    def rewrites(self) -> list[SeenItem]:
        window = self.collecting.store.window(at("2026-11-01 00:00"), at("2027-01-01 00:00"))
        return sorted((one for one in window.items(HEALTH.id) if one.rewrite), key=lambda one: one.first_seen_at)


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Pages]:
    with web_server() as server:
        yield Pages(tmp_path, server)


def _week(result: UpdatesResult) -> UnitWeek:
    return next(one for one in result.unit_weeks if str(one.week) == "2026-W47" and one.unit == HEALTH.id)


WEEK = [f"2026-11-{day} {hour}:00" for day in range(16, 24) for hour in ("08", "20")]


def test_a_page_with_another_text_counts_once_in_the_interval_of_its_polls(pages: Pages) -> None:
    pages.poll("2026-11-15 20:00", *WEEK[:3])  # up to Tuesday morning
    pages.texts["/cu-1"] = _text("mới", 100)
    pages.poll(*WEEK[3:7])
    pages.texts["/cu-1"] = _text("khác", 100)

    week = _week(pages.poll(*WEEK[7:]))

    tuesday, thursday = pages.rewrites()
    assert (tuesday.looked_before_at, tuesday.first_seen_at) == (
        stamp(at("2026-11-17 08:00")),
        stamp(at("2026-11-17 20:00")),
    )
    assert (tuesday.title, tuesday.unit, tuesday.rewrite) == ("Tin /cu-1", HEALTH.id, "sure")
    assert tuesday.url == thursday.url and tuesday.id != thursday.id
    assert (week.subportal_verdict, week.subportal_bounds) == (DutyVerdict.MET, Bounds(2, 2, 2, 2))
    assert {item.flags for item in week.items} == {(FlagKind.REWRITTEN,)}


@pytest.mark.parametrize("undefined", ["replace", "ignore"])
def test_a_text_in_a_wrong_encoding_that_is_repaired_is_no_rewrite(pages: Pages, undefined: str) -> None:
    right = (
        "Sở Y tế hướng dẫn các trạm y tế xã phường giám sát dịch bệnh, chuẩn bị thuốc và vật tư cho mùa mưa bão. " * 4
    )
    pages.texts["/cu-1"] = right.encode().decode("cp1252", undefined)
    pages.poll("2026-11-15 20:00", *WEEK[:3])
    pages.texts["/cu-1"] = right

    pages.poll(*WEEK[3:])

    assert pages.rewrites() == []


def test_a_summary_that_becomes_the_whole_text_is_open(pages: Pages) -> None:
    whole = pages.texts["/cu-1"]
    pages.texts["/cu-1"] = " ".join(whole.split()[:40])
    pages.poll("2026-11-15 20:00", *WEEK[:3])
    pages.texts["/cu-1"] = whole

    week = _week(pages.poll(*WEEK[3:]))

    assert [one.rewrite for one in pages.rewrites()] == ["open"]
    assert week.subportal_bounds is not None and week.subportal_bounds.least == 0


def test_a_clock_and_a_few_words_make_no_rewrite(pages: Pages) -> None:
    pages.texts["/cu-1"] = "Hôm nay là thứ hai"
    pages.poll("2026-11-15 20:00", *WEEK[:3])
    for number, moment in enumerate(WEEK[3:]):
        pages.texts["/cu-1"] = f"Bây giờ là {_text(f'giờ{number}x', 4)}"
        pages.texts["/cu-2"] = f"{_text('chữ2x', 100)} lượt xem {number}"
        pages.poll(moment)

    assert pages.rewrites() == []


def test_a_page_that_is_carried_on_by_some_words_is_open_once_a_day(pages: Pages) -> None:
    pages.texts["/cu-1"] = _text("cũ", 400)
    pages.poll("2026-11-15 20:00", *WEEK[:3])
    for number, moment in enumerate(WEEK[3:9]):
        pages.texts["/cu-1"] = f"{_text(f'mục{number}x', 35)} {pages.texts['/cu-1']}"
        pages.poll(moment)

    bounds = _week(pages.poll(*WEEK[9:])).subportal_bounds

    assert {one.rewrite for one in pages.rewrites()} == {"open"}
    assert len(pages.rewrites()) == 4  # six polls of four days
    assert bounds is not None and (bounds.least, bounds.most) == (0, 4)


def test_all_numbers_of_a_page_are_a_change_that_is_open(pages: Pages) -> None:
    words = _text("cũ", 90)
    pages.texts["/cu-1"] = f"{words} {' '.join(str(number) for number in range(100, 112))}"
    pages.poll("2026-11-15 20:00", *WEEK[:3])
    pages.texts["/cu-1"] = f"{words} {' '.join(str(number) for number in range(200, 212))}"
    pages.poll(*WEEK[3:])

    assert [one.rewrite for one in pages.rewrites()] == ["open"]


def test_a_banner_that_comes_and_goes_is_open_once(pages: Pages) -> None:
    text = pages.texts["/cu-1"]
    pages.poll("2026-11-15 20:00", *WEEK[:3])
    for number, moment in enumerate(WEEK[3:]):
        pages.texts["/cu-1"] = text if number % 2 else f"{text} {_text('băng', 12)}"
        pages.poll(moment)

    assert len(pages.rewrites()) == 1


def test_a_random_excerpt_below_a_short_text_counts_nothing_for_certain(pages: Pages) -> None:
    text = _text("bài", 70)
    for number, moment in enumerate(["2026-11-15 20:00", *WEEK]):
        pages.texts["/cu-1"] = f"{text} {_text(f'trích{number}x', 25)}"
        result = pages.poll(moment)

    bounds = _week(result).subportal_bounds
    assert bounds is not None and bounds.least == 0


def test_a_list_of_other_news_that_stands_in_all_texts_makes_no_rewrite(pages: Pages) -> None:
    texts = dict(pages.texts)
    for number, moment in enumerate(WEEK):
        pages.texts = {path: f"{text} Tin khác: {_text(f'tít{number}x', 60)}" for path, text in texts.items()}
        pages.poll(moment)

    assert pages.rewrites() == []


def test_two_replicas_that_answer_in_turn_count_nothing_for_certain(pages: Pages) -> None:
    first, second = pages.texts["/cu-1"], _text("bản", 100)
    pages.poll("2026-11-15 20:00", *WEEK[:3])
    result = None
    for number, moment in enumerate(WEEK[3:]):
        pages.texts["/cu-1"] = f"{(second, first)[number % 2]} {number}"
        result = pages.poll(moment)

    assert result is not None
    assert len(pages.rewrites()) == 1
    bounds = _week(result).subportal_bounds
    assert bounds is not None and (bounds.least, bounds.most) == (0, 1)


def test_a_rewrite_to_the_text_of_another_page_is_a_copy(pages: Pages) -> None:
    pages.poll("2026-11-15 20:00", *WEEK[:3])
    pages.texts["/cu-1"] = pages.texts["/cu-2"]

    week = _week(pages.poll(*WEEK[3:]))

    assert len(pages.rewrites()) == 1
    bounds = week.subportal_bounds
    assert bounds is not None and bounds.least == 0
    assert {item.flags for item in week.items} <= {(FlagKind.REWRITTEN, FlagKind.DUPLICATE)}


def test_a_page_that_is_taken_down_within_two_days_of_its_rewriting_counts_nothing(pages: Pages) -> None:
    pages.poll("2026-11-15 20:00", *WEEK[:3])
    pages.texts["/cu-1"] = _text("mới", 100)
    pages.poll(*WEEK[3:5])
    del pages.texts["/cu-1"]

    bounds = _week(pages.poll(*WEEK[5:])).subportal_bounds

    assert bounds is not None and bounds.least == 0


def test_without_a_base_that_shows_the_former_text_a_rewrite_has_no_interval(pages: Pages) -> None:
    pages.poll("2026-11-15 20:00", WEEK[0])
    text = pages.texts.pop("/cu-3")
    pages.poll(*WEEK[1:3])
    pages.texts = {**pages.texts, "/cu-3": f"{_text('mới', 100)} {text[:9]}"}

    result = pages.poll(WEEK[3])

    (one,) = pages.rewrites()
    assert one.looked_before_at is None
    assert [item.flags for item in result.flagged if item.observation == one.id] == [
        (FlagKind.UNBOUNDED, FlagKind.REWRITTEN)
    ]


def test_the_store_is_built_again_alike_with_all_rewrites(pages: Pages, tmp_path: Path) -> None:
    first = pages.texts["/cu-1"]
    for moment, text in zip(WEEK, (first, _text("a", 50), _text("b", 300), first, _text("c", 30)), strict=False):
        pages.texts["/cu-1"] = text
        pages.poll(moment)
    own = pages.collecting
    again = ObservationStore.open(tmp_path / "again.sqlite")

    replay(own.polls, blob=own.keeper.blobs.__getitem__, sources=own.sources, units=[HEALTH], zone=ZONE, store=again)

    assert len(pages.rewrites()) == 3
    assert list(differences(tmp_path / "observations.sqlite", tmp_path / "again.sqlite")) == []
