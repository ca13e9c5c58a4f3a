"""Items that may be one item twice, and rows that were lost: each rule at its borders, without a portal around it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.updates.clocks import without_false_claims
from checks.updates.rules.doubles import REPLACED_WITHIN, find_doubles
from checks.updates.rules.grading import BEGINNING, REMOVED_WITHIN, ClaimRules, GradedItem, grade
from checks.updates.rules.losses import lost_at_once
from checks.updates.rules.placing import Interval
from checks.updates.rules.seen import Gone, SeenItem
from checks.updates.rules.stamps import Stamp, moment, span, stamp
from portalops.model.organisation import UnitId
from portalops.model.updates import FlagKind, Grade, ItemChannel, UpdateSourceTraits
from tests.checks.updates.scene import ZONE, at

HOUR, DAY = span(timedelta(hours=1)), span(timedelta(days=1))
MONDAY: Stamp = stamp(at("2026-11-16 09:00"))
WINDOW = 90 * DAY
TITLE = "Hội nghị sơ kết phong trào hiến máu"
CLAIMS = ClaimRules(lambda first, last: first // DAY == last // DAY, lambda _claim: None)


def seen(source: str, day: float, *, title: str = TITLE, url: str = "", letters: int | None = None) -> SeenItem:
    """Return an item that a poll of each day showed."""
    shown = MONDAY + round(day * DAY)
    name = f"{source} {day} {title}"
    return SeenItem(
        id=name, source=source, channel=ItemChannel.SUBPORTAL, unit=UnitId("so-y-te"), url=url or f"/{name}", title=title,
        text=name, created_at=None, published_at=None, first_seen_at=shown, looked_before_at=shown - DAY, baseline=False,
        body_letters=letters, text_problems="",
    )  # fmt: skip


def graded(one: SeenItem, grade: Grade = Grade.A) -> GradedItem:
    return GradedItem(one, grade, Interval(one.first_seen_at, one.first_seen_at), True, one.published_at, ())


def doubles(*items: SeenItem, gone: dict[str, Gone] | None = None, grade: Grade = Grade.A) -> set[str]:
    found = find_doubles(
        [graded(one, grade) for one in items], window=WINDOW, gone=gone or {},
        year_of=lambda one: moment(one).astimezone(ZONE).year, registers={"so-den"},
    )  # fmt: skip
    return set(found)


def test_the_later_of_two_items_of_one_title_in_two_sources_is_open() -> None:
    feed, page = seen("feed", 1), seen("page", 3)

    assert doubles(feed, page) == doubles(page, feed) == {page.id}


def test_texts_that_both_sources_give_tell_two_items_apart() -> None:
    assert doubles(seen("feed", 1, letters=300), seen("page", 3, letters=280)) == set()


def test_a_title_of_four_words_is_that_of_many_items() -> None:
    assert doubles(seen("feed", 1, title="Lịch công tác tuần"), seen("page", 3, title="Lịch công tác tuần")) == set()


def test_titles_further_apart_than_the_same_news_may_be_are_two_items() -> None:
    assert doubles(seen("feed", 0), seen("page", 90.1)) == set()
    assert doubles(seen("feed", 0), seen("page", 90)) != set()


def test_a_title_alone_that_its_source_showed_before_at_another_address_is_open() -> None:
    first, again = (seen("page", day)._replace(title_alone=True) for day in (1, 60))
    cut = seen("page", 4, title="Hội nghị sơ kết phong trào...")._replace(title_alone=True)
    short = seen("page", 5, title="Hội nghị sơ kết...")._replace(title_alone=True)  # the last word may be cut too
    numbered = seen("page", 6, title=f"{TITLE} đợt 2")._replace(title_alone=True)

    assert doubles(first, again, numbered) == {again.id}
    assert doubles(first, cut) == {cut.id}
    assert doubles(first, short) == set()
    assert doubles(first, seen("page", 92)._replace(title_alone=True)) == set()
    assert doubles(first, seen("page", 3, letters=300)) == set()  # its text tells


def test_one_address_in_two_sources_is_no_title_at_two_addresses() -> None:
    both = [seen(source, day, url=f"/{day}") for day in (1, 3) for source in ("feed", "page")]

    assert doubles(*both) == set()


@given(st.lists(st.integers(0, 40), unique=True), st.lists(st.integers(0, 40), unique=True))
def test_of_one_title_as_many_items_stay_certain_as_one_of_the_sources_showed(
    left: list[int], right: list[int]
) -> None:
    items = [seen("feed", day) for day in left] + [seen("page", day + 0.5) for day in right]

    assert len(items) - len(doubles(*items)) >= max(len(left), len(right))


def test_what_takes_an_items_place_under_its_title_is_open_within_five_days() -> None:
    first, second = seen("page", 0), seen("page", 4)
    late = seen("page", REPLACED_WITHIN / DAY)
    went = {first.id: Gone(second.first_seen_at, second.first_seen_at - DAY, True)}

    assert doubles(first, second, gone=went) == {second.id}
    assert doubles(first, late, gone=went) == set()
    assert doubles(first, second) == set()  # both stand there


def test_a_paper_of_one_number_and_subject_came_in_once() -> None:
    lines = [seen("so-den", day, title="45/BC-SYT Báo cáo tuần") for day in (1, 3, 4)]

    assert doubles(*lines, grade=Grade.D) == {lines[1].id, lines[2].id}
    assert doubles(*(seen("so-den", day, title="Báo cáo tuần") for day in (1, 3)), grade=Grade.D) == set()
    assert doubles(lines[0], seen("so-den", 92, title="45/BC-SYT Báo cáo tuần"), grade=Grade.D) == set()


def lost(items: list[SeenItem], *names: SeenItem, at_day: float, complete: tuple[str, ...] = ("rows",)) -> set[str]:
    gone = {one.id: Gone(MONDAY + round(at_day * DAY), MONDAY + round((at_day - 0.5) * DAY), True) for one in names}
    return set(lost_at_once(items, gone, complete))


def test_rows_that_went_with_all_newer_ones_were_lost() -> None:
    old, stood, new = (seen("rows", day) for day in (-20, 1, 3))

    assert lost([old, stood, new], stood, new, at_day=4) == {stood.id, new.id}
    assert lost([old, stood, new], stood, new, at_day=4, complete=()) == set()  # a feed cuts items off
    assert lost([old, stood, new], new, at_day=4) == set()
    assert lost([old, stood, new, seen("rows", 3.5)], stood, new, at_day=4) == set()  # a newer one stayed
    assert lost([old, stood, new, seen("rows", 6)], stood, new, at_day=4) == {stood.id, new.id}  # that came afterwards


def test_rows_of_which_none_had_stood_for_two_days_were_taken_down() -> None:
    first, second = seen("rows", 1), seen("rows", 1.5)
    at_day = 1.5 + REMOVED_WITHIN / DAY

    assert lost([first, second], first, second, at_day=at_day - 0.1) == set()
    assert lost([first, second], first, second, at_day=at_day) == {first.id, second.id}


def test_what_a_source_hours_off_claims_narrows_nothing_once_three_claims_are_refuted() -> None:
    def off(day: int, *, is_refuted: bool) -> GradedItem:
        one = seen("feed", day)._replace(looked_before_at=MONDAY + day * DAY - 9 * HOUR)
        claim = MONDAY + day * DAY - (12 if is_refuted else 8) * HOUR
        came = Interval(MONDAY + day * DAY - 9 * HOUR + 1, MONDAY + day * DAY) if is_refuted else Interval(claim, claim)
        flags = (FlagKind.BACKDATED,) if is_refuted else ()
        return GradedItem(one._replace(published_at=claim), Grade.A, came, True, claim, flags)

    inside, refuted = off(0, is_refuted=False), [off(day, is_refuted=True) for day in (1, 2, 3)]
    between = Interval(MONDAY - 9 * HOUR + 1, MONDAY)

    assert without_false_claims([inside, *refuted], CLAIMS, usual_hours=7)[0].came == between
    assert without_false_claims([inside, *refuted[1:]], CLAIMS, usual_hours=1)[0] == inside


def _row(
    day: float, hours_behind: int, *, polled_before: int | None, is_trusted: bool = True, is_confirmed: bool = False
) -> GradedItem:
    """Return a row that a poll showed, and a poll some hours before did not, made as many hours before as it claims."""
    shown = MONDAY + round(day * DAY)
    claim = shown - hours_behind * HOUR
    before = None if polled_before is None else shown - polled_before * HOUR
    one = seen("rows", day)._replace(published_at=claim, created_at=claim, looked_before_at=before)
    traits = UpdateSourceTraits("rows", ItemChannel.SUBPORTAL, complete=True, trust_created=is_trusted)
    return grade(one, traits, None, None, CLAIMS, is_confirmed=is_confirmed)


@pytest.mark.parametrize("is_trusted", [True, False])
def test_the_creation_of_rows_in_a_clock_hours_off_narrows_nothing(is_trusted: bool) -> None:
    inside = _row(0, 8, polled_before=9, is_trusted=is_trusted)
    refuted = [_row(day, 12, polled_before=9, is_trusted=is_trusted) for day in (1, 2, 3)]

    found = without_false_claims([inside, *refuted], CLAIMS, usual_hours=7)[0]

    assert inside.came == (Interval(MONDAY - 8 * HOUR, MONDAY - 8 * HOUR) if is_trusted else found.came)
    assert (found.grade, found.came) == (Grade.A, Interval(MONDAY - 9 * HOUR + 1, MONDAY))


def test_a_row_that_no_poll_bounds_is_open_once_its_clock_is_known_to_be_off_until_an_officer_confirms_it() -> None:
    refuted = [_row(day, 12, polled_before=9) for day in (1, 2, 3)]
    early = _row(-9, 8, polled_before=None)
    confirmed = _row(-9, 8, polled_before=None, is_confirmed=True)

    found, kept, *_ = without_false_claims([early, confirmed, *refuted], CLAIMS, usual_hours=7)

    assert (early.grade, found.grade, found.is_sure) == (Grade.B, Grade.C, False)
    assert found.came == Interval(BEGINNING, MONDAY - 9 * DAY)
    assert FlagKind.UNBOUNDED in found.flags
    assert (kept.grade, kept.came) == (Grade.D, early.came)


@pytest.mark.parametrize("is_trusted", [True, False])
def test_one_time_refuted_by_the_hours_of_the_zone_leaves_both_hours_of_others_open(is_trusted: bool) -> None:
    inside, refuted = (_row(day, hours, polled_before=9, is_trusted=is_trusted) for day, hours in ((0, 8), (1, 12)))

    found = without_false_claims([inside, refuted], CLAIMS, usual_hours=7)[0]

    both = Interval(MONDAY - 8 * HOUR, MONDAY - HOUR) if is_trusted else Interval(MONDAY - 9 * HOUR + 1, MONDAY)
    assert (found.grade, found.came) == (Grade.A, both)


@pytest.mark.parametrize(
    "others",
    [
        [_row(1, 12, polled_before=9), _row(2, 3, polled_before=9)],  # an hour that is right only as it stands
        [_row(1, 30, polled_before=9)],  # a draft that waited, by other hours
        [_row(1, 10, polled_before=9)],  # a cache on the way, and no other hour
        [_row(1, 8, polled_before=9)._replace(seen=seen("rows", 1)._replace(created_at=MONDAY - 2 * DAY))],
    ],
    ids=["confirmed", "draft", "cache", "edited draft"],
)
def test_times_of_honest_editors_leave_a_claim_as_it_is(others: list[GradedItem]) -> None:
    inside = _row(0, 8, polled_before=9)

    assert without_false_claims([inside, *others], CLAIMS, usual_hours=7)[0] == inside


@pytest.mark.parametrize(
    "again",
    [
        "30/BC-UBND Báo cáo kết quả thực hiện công tác dân vận chính quyền quý III.",
        "30/BC-UBND V/v Báo cáo kết quả thực hiện công tác dân vận chính quyền quý III",
        "30/BC-UBND Báo cáo kết quả thực hiện công tác dân vậm chính quyền quý III",
        "30/BC-UBND Bao cao ket qua thuc hien cong tac dan van chinh quyen quy III",
        "30/BC - UBND Báo cáo kết quả thực hiện công tác dân vận chính quyền quý III",
        "30/BC–UBND Báo cáo kết quả thực hiện công tác dân vận chính quyền quý III",
        "Số 30/BC-UBND Báo cáo kết quả thực hiện công tác dân vận chính quyền quý III",
        "30/BC-UBND ngày 8/9/2026 Báo cáo kết quả thực hiện công tác dân vận chính quyền quý III",
    ],
)
def test_one_paper_that_is_written_another_way_is_one_paper(again: str) -> None:
    first = "30/BC-UBND Báo cáo kết quả thực hiện công tác dân vận chính quyền quý III"

    lines = seen("so-den", 1, title=first), seen("so-den", 3, title=again)

    assert doubles(*lines, grade=Grade.D) == {lines[1].id}


@pytest.mark.parametrize("code", ["130-BC/UBND", "130/BC UBND", "130/BC", "130/2026/BC-UBND", "130", "Số 130/UBND-BC"])
def test_a_paper_whose_number_is_written_otherwise_came_in_once(code: str) -> None:
    lines = [
        seen("so-den", 1, title="130/BC-UBND Báo cáo công tác dân vận quý III"),
        seen("so-den", 3, title=f"{code} Báo cáo công tác dân vận quý III"),
    ]

    assert doubles(*lines, grade=Grade.D) == {lines[1].id}


@pytest.mark.parametrize(
    "code", ["130/TB-UBND", "131/BC-UBND", "130/BC-HĐND", "130/UBND-VX", "130/BCĐ-UBND", "TB 130", "130 TB"]
)
def test_papers_whose_signs_differ_are_two(code: str) -> None:
    lines = [
        seen("so-den", 1, title="130/BC-UBND Công tác dân vận"),
        seen("so-den", 3, title=f"{code} Công tác dân vận"),
    ]

    assert doubles(*lines, grade=Grade.D) == set()


@pytest.mark.parametrize(
    "code", ["130/TB-UBND", "130/BC-HĐND", "130/UBND", "130a/KH", "130/UBND ngày 3/11/2026", "TB số 130"]
)
def test_a_number_under_one_long_subject_is_open_whatever_its_signs(code: str) -> None:
    lines = [
        seen("so-den", 1, title="130/BC-UBND Kết quả công tác dân vận quý III"),
        seen("so-den", 3, title=f"{code} Kết quả công tác dân vận quý III"),
    ]

    assert doubles(*lines, grade=Grade.D) == {lines[1].id}


@pytest.mark.parametrize(
    "code",
    [
        "144/BCUBND", "144/ BC - UBND", "144/BC.UBND", "BC 144", "BC-144", "BC144", "BC/144", "BC số 144", "Báo cáo số 144",
        "BC-UBND 144", "BC số 144/UBND", "Số 144/BC-UBND", "Số: 144/BC-UBND", "144 /bc-ubnd", "144BC/UBND", "144 BC", "144 BC-UBND",
        "144 bc-ubnd", "144(BC-UBND)", "144/BC_UBND", "144\\BC-UBND", "144//BC-UBND", "0144/BC-UBND", "144/UBND-BC", "144/BC-UBND-VX",
        "１４４/ＢＣ－ＵＢＮＤ", "144/BC‑UBND",
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_first", [True, False])
def test_a_number_in_an_unusual_form_is_the_same_paper_whatever_its_subject(code: str, is_first: bool) -> None:
    first, second = (code, "144/BC-UBND") if is_first else ("144/BC-UBND", code)
    lines = [
        seen("so-den", 1, title=f"{first} Tình hình giám sát sốt xuất huyết"),
        seen("so-den", 3, title=f"{second} Phụ lục số liệu kèm theo"),
    ]

    assert doubles(*lines, grade=Grade.D) == {lines[1].id}


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ("BC 144 Tình hình tuần", "KH 144 Tuyên truyền biển đảo"),
        ("144 BC Tình hình tuần", "144 KH Tuyên truyền biển đảo"),
        ("144BC/UBND Tình hình tuần", "144KH/UBND Tuyên truyền biển đảo"),
        ("144/BCUBND Tình hình tuần", "144/KHUBND Tuyên truyền biển đảo"),
        ("144/BCĐ-GN Tình hình giảm nghèo", "144/BC-UBND Tuyên truyền biển đảo"),
        ("12/QĐUBND Khen thưởng cá nhân", "12/2026/QĐUBND Quy định mức thu phí"),
        ("Báo cáo 9 tháng của xã", "Báo cáo 9 ngày cao điểm"),
        ("Báo cáo 2 ca sốt xuất huyết", "Báo cáo 2 ca tay chân miệng"),
    ],
)
def test_unusual_forms_of_two_papers_are_two(first: str, again: str) -> None:
    lines = seen("so-den", 1, title=first), seen("so-den", 3, title=again)

    assert doubles(*lines, grade=Grade.D) == set()


def test_a_mail_that_begins_with_another_paper_is_not_that_paper() -> None:
    mails = [seen("mail", 1, title="NQ 57: tin tuần của xã"), seen("mail", 3, title="NQ 57: tập huấn cán bộ thôn")]
    line = seen("so-den", 2, title="144/BC-UBND Thực hiện NQ 57")

    assert doubles(*mails, line, grade=Grade.D) == set()


def test_mails_whose_subject_begins_with_a_number_are_no_papers() -> None:
    mails = [seen("mail", day, title="10 năm xây dựng nông thôn mới") for day in (1, 3)]

    assert doubles(*mails, grade=Grade.D) == set()


@pytest.mark.parametrize(
    ("code", "again"),
    [
        ("144/BC-UBND", "144/BC-UBND Phụ lục số liệu kèm theo báo cáo"),
        ("144/BC-UBND", "144/BC-UBND"),
        ("144/BC-UBND", "144/BC-UBND ngày 12/10/2026 Báo cáo tuần"),
        ("144/BC-UBND", "0144 / BC - UBND Báo cáo tuần"),
        ("144/BC-UBND", "144/bc-ubnd Báo cáo tuần"),
        ("144/BC-UBND", "144/2026/BC-UBND Báo cáo tuần"),
        ("144/BC-UBND", "144/BC Báo cáo tuần"),
        ("144a/BC-UBND", "144A/BC-UBND Báo cáo tuần"),
        ("144/UBND-VX", "144/UBND-VX Phụ lục số liệu"),
        ("144", "144 Phụ lục số liệu kèm theo"),
        ("144", "144"),
        ("144", "144 v/v tình hình của xã"),
    ],
)
def test_one_number_of_a_year_is_one_paper_whatever_its_subject(code: str, again: str) -> None:
    first = f"{code} Tình hình thực hiện nhiệm vụ kinh tế, xã hội của xã trong tuần"
    lines = seen("so-den", 1, title=first), seen("so-den", 3, title=again)

    assert doubles(*lines, grade=Grade.D) == {lines[1].id}


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ("144/BC-UBND Tình hình tuần", "144/KH-UBND Tuyên truyền biển đảo"),
        ("144/BC-UBND Tình hình tuần", "145/BC-UBND Tuyên truyền biển đảo"),
        ("144/BC-UBND Tình hình tuần", "144a/BC-UBND Tuyên truyền biển đảo"),
        ("144/BC-UBND Tình hình tuần", "144/UBND Tuyên truyền biển đảo"),
        ("12/QĐ-UBND Khen thưởng cá nhân", "12/2026/QĐ-UBND Quy định mức thu phí"),
        ("12/2025/BC-UBND Tình hình tuần", "12/2026/BC-UBND Tuyên truyền biển đảo"),
        ("144 Báo cáo tình hình tuần", "144 Kế hoạch tuyên truyền biển đảo"),
        ("144 hộ nghèo được hỗ trợ nhà ở", "144 hộ dân nhận quà Tết"),
        ("20/11 Lễ kỷ niệm của các trường", "20/11 Tọa đàm với giáo viên"),
        ("1. Tin tuyên truyền biển đảo", "1. Tin phòng chống bão lụt"),
        ("Tin, bài gửi Cổng", "Tin, bài gửi Cổng"),
    ],
)
def test_lines_of_other_numbers_signs_or_kinds_are_papers_of_their_own(first: str, again: str) -> None:
    lines = seen("so-den", 1, title=first), seen("so-den", 3, title=again)

    assert doubles(*lines, grade=Grade.D) == set()


@pytest.mark.parametrize("code", ["4O2/BC-UBND", "4o2/BC-UBND", "BC 4O2", "4O2BC/UBND", "4O2", "O402/BC-UBND"])
def test_a_number_with_the_letter_o_for_zero_is_the_same_number(code: str) -> None:
    subject = "Tình hình phòng chống dịch tả lợn châu Phi"
    lines = [seen("so-den", 1, title=f"402/BC-UBND {subject}"), seen("so-den", 3, title=f"{code} {subject}")]

    assert doubles(*lines, grade=Grade.D) == {lines[1].id}


@pytest.mark.parametrize(
    "again",
    [
        "17/SY-UBND Sao y: Tổng kết mùa hè",
        "17/SY-UBND Tổng kết mùa hè",
        "17/UBND Sao y bản chính: V/v Tổng kết mùa hè",
        "Sao y bản chính Tổng kết mùa hè",
        "17/SY-UBND Sao y Báo cáo số 318/BC-UBND ngày 12/10/2026",
        "17/TrS-UBND Trích sao: Tổng kết mùa hè",
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_certified_copy_and_the_paper_that_it_copies_came_in_once(again: str, is_first: bool) -> None:
    titles = ["318/BC-UBND Tổng kết mùa hè", again]
    first, second = titles if is_first else titles[::-1]
    lines = [seen("so-den", 1, title=first), seen("so-den", 3, title=second)]

    found = doubles(*lines, grade=Grade.D)

    assert found == ({lines[1].id} if is_first or "318" not in again else set())


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ("318/BC-UBND Tổng kết mùa hè", "17/SY-UBND Sao y: Khai giảng năm học"),
        ("318/BC-UBND Sao y tế", "319/BC-UBND Sao y tế"),
        ("318/BC-UBND", "17/SY-UBND"),
        ("318/BC-UBND Tổng kết mùa hè", "319/BC-UBND Tổng kết mùa hè"),
    ],
)
def test_a_copy_of_another_paper_is_a_paper_of_its_own(first: str, again: str) -> None:
    lines = [seen("so-den", 1, title=first), seen("so-den", 3, title=again)]

    assert doubles(*lines, grade=Grade.D) == set()


def test_a_number_without_signs_says_nothing_in_mail_or_of_another_register() -> None:
    texts = "10 Tin và ảnh của xã gửi Ban Biên tập", "10 Bài viết về xây dựng nông thôn mới"

    for sources in (("mail", "mail"), ("so-den", "so-den-khac")):
        lines = [seen(source, day, title=text) for source, day, text in zip(sources, (1, 3), texts, strict=True)]
        assert doubles(*lines, grade=Grade.D) == set()


def test_one_long_subject_within_days_is_one_paper_where_a_line_lacks_the_number() -> None:
    subject = "Kết quả giám sát sốt xuất huyết"
    first, again, numbered = (
        seen("so-den", day, title=title) for day, title in ((1, subject), (3, f"V/v {subject}"), (4, f"9/BC {subject}"))
    )

    assert doubles(first, again, numbered, grade=Grade.D) == {again.id, numbered.id}
    assert doubles(first, seen("so-den", 8, title=subject), grade=Grade.D) == set()  # of the next week
    assert doubles(first, seen("so-den", 3, title=f"{subject} tuần 47"), grade=Grade.D) == set()
    assert doubles(*(seen("so-den", day, title=f"{day}/BC {subject}") for day in (1, 3)), grade=Grade.D) == set()
    assert doubles(*(seen("mail", day, title=subject) for day in (1, 3)), grade=Grade.D) == set()
    assert doubles(*(seen("so-den", day, title="Báo cáo tuần") for day in (1, 3)), grade=Grade.D) == set()


def test_each_year_begins_its_numbers_again() -> None:
    lines = seen("so-den", 44, title="12/BC-UBND Tình hình tuần"), seen("so-den", 46, title="12/BC-UBND Biển đảo")

    assert doubles(*lines, grade=Grade.D) == set()


@pytest.mark.parametrize("code", ["70/BC-SYT", "70 / BC-SYT", "70/BCSYT", "BC 70"])
def test_a_mail_names_the_number_of_a_line_in_whatever_form(code: str) -> None:
    mail, line = seen("mail", 1, title="Gửi văn bản [70/BC-SYT]"), seen("so-den", 2, title=f"{code} Tình hình tuần")

    assert doubles(mail, line, grade=Grade.D) == {line.id}


PAPER = "70/BC-SYT Báo cáo giám sát sốt xuất huyết"


@pytest.mark.parametrize(
    "subject",
    [
        "Gửi văn bản [70/BC-SYT]",
        "Báo cáo số 70/BC",
        "Báo cáo số 70 ngày 13/10/2026",
        "Gửi văn bản số 70",
        "Gửi văn bản [BC số 70]",
        "Báo cáo giám sát sốt xuất huyết",
        "Sở Y tế: Báo cáo giám sát sốt xuất huyết (bản ký số)",
        "Báo cáo giám sát sốt xuấthuyết",
        "Bao cao giam sat sot xuat huyet",
    ],
)
@pytest.mark.parametrize("is_mail_first", [True, False])
def test_a_paper_by_mail_and_in_the_register_is_open_the_second_time(subject: str, is_mail_first: bool) -> None:
    mail, line = seen("mail", 1 if is_mail_first else 3, title=subject), seen("so-den", 2, title=PAPER)

    assert doubles(mail, line, grade=Grade.D) == {line.id if is_mail_first else mail.id}


@pytest.mark.parametrize(
    ("subject", "day"),
    [
        ("Báo cáo số 71/BC-SYT", 1),
        ("Tin bài tuần", 1),
        ("Tin bài tuần 70, 70 năm ngày truyền thống", 1),
        ("Thông báo số 70", 1),
        ("Thực hiện Nghị định số 70/2020/NĐ-CP", 1),
        ("Gửi văn bản [70/TB-SYT]", 1),
        ("Gửi văn bản [70/BC-SYT]", -13),
    ],
)
def test_a_mail_of_another_paper_or_of_long_before_is_another_occasion(subject: str, day: int) -> None:
    assert doubles(seen("mail", day, title=subject), seen("so-den", 2, title=PAPER), grade=Grade.D) == set()


def test_a_report_by_mail_and_on_paper_each_week_counts_each_week() -> None:
    weeks = [(seen("mail", day, title=PAPER[10:]), seen("so-den", day + 2, title=PAPER[10:])) for day in (1, 8, 15)]

    assert doubles(*(one for week in weeks for one in week), grade=Grade.D) == {line.id for _mail, line in weeks}
