"""What a reader sees of sentences, days, moments, numbers and sizes."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from portalops import locale
from portalops.locale import (
    _,
    language_from,
    process_language,
    render,
    set_language,
    show_day,
    show_moment,
    show_number,
    show_size,
)
from portalops.locale.build import read_fragments
from portalops.locale.catalogue import Catalogue
from portalops.model.message import ByteCount, msg, nmsg, verbatim

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MOMENT = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
VIETNAMESE = "Ủy ban nhân dân ẮẰẲẴẶ ấầẩẫậ ợởỡ ₫"


@pytest.fixture(autouse=True)
def _language_restored() -> Iterator[None]:
    before = process_language()
    yield
    set_language(before)


def test_moments_are_shown_in_the_zone_asked_for() -> None:
    assert show_moment(MOMENT, "vi", ZONE) == "24/11/2026 08:30"
    assert show_moment(MOMENT, "en", ZONE) == "24 Nov 2026 08:30 +07"


def test_moments_without_a_zone_are_utc_and_say_so_in_both_languages() -> None:
    assert show_moment(MOMENT, "vi") == "24/11/2026 01:30 UTC"
    assert show_moment(MOMENT, "en") == "24 Nov 2026 01:30 UTC"


def test_days_of_one_digit_keep_the_leading_zero_that_vietnamese_offices_write() -> None:
    assert show_day(date(2026, 2, 5), "vi") == "05/02/2026"
    assert show_day(date(2026, 2, 5), "en") == "5 Feb 2026"


@pytest.mark.parametrize(
    ("number", "vi", "en"),
    [(0, "0", "0"), (999, "999", "999"), (1234, "1.234", "1,234"), (-1234567, "-1.234.567", "-1,234,567")],
)
def test_numbers_are_grouped_the_local_way(number: int, vi: str, en: str) -> None:
    assert (show_number(number, "vi"), show_number(number, "en")) == (vi, en)


@pytest.mark.parametrize(
    ("size", "vi"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1,0 KiB"),
        (1572864, "1,5 MiB"),
        (1048575, "1.024,0 KiB"),
        (5 * 1024**3, "5,0 GiB"),
        (3 * 1024**6, "3.072,0 PiB"),
        (-2048, "-2,0 KiB"),
    ],
)
def test_sizes_are_in_binary_units_with_a_decimal_comma_in_vietnamese(size: int, vi: str) -> None:
    assert show_size(size, "vi") == vi
    assert show_size(size, "en") == vi.replace(",", ";").replace(".", ",").replace(";", ".")


def test_a_size_in_a_sentence_is_shown_as_one() -> None:
    said = msg("only {free} are free, but the set needs about {needed}", free=ByteCount(1572864), needed=ByteCount(10))

    assert str(said) == "only 1.5 MiB are free, but the set needs about 10 B" == render(said, "en")
    assert render(said, "vi") == "chỉ còn trống 1,5 MiB, mà bộ sao lưu cần khoảng 10 B"


def test_counts_are_grouped_but_years_and_lines_are_not() -> None:
    assert (
        render(msg("{count} in {year}, line {line}", count=2026, year=2026, line=1234), "en")
        == "2,026 in 2026, line 1234"
    )


def test_sentences_inside_sentences_speak_the_same_language() -> None:
    inner = msg("Article {number}", number="10.2")
    assert (
        render(msg("{office}, until {day}", office=inner, day=date(2025, 2, 28)), "vi")
        == "Điều 10.2 (đến ngày 28/02/2025)"
    )


def test_plural_follows_the_count_in_english_and_has_one_form_in_vietnamese() -> None:
    def earlier(count: int, language: str) -> str:
        return render(nmsg("{seqs} and {n} earlier one", "{seqs} and {n} earlier ones", count, seqs="7"), language)

    assert [earlier(1, "en"), earlier(2, "en")] == ["7 and 1 earlier one", "7 and 2 earlier ones"]
    assert [earlier(1, "vi"), earlier(2, "vi")] == ["7 và 1 bản ghi trước đó", "7 và 2 bản ghi trước đó"]


def test_a_sentence_without_translation_is_shown_in_english() -> None:
    assert render(msg("{x} was never translated", x=5), "vi") == "5 was never translated"


def test_braces_of_a_sentence_without_values_stay() -> None:
    assert render(msg('{file = "..."}'), "en") == '{file = "..."}'


def test_braces_inside_a_value_are_not_filled_in() -> None:
    assert render(msg("seen: {line}", line="{0} {line} %s"), "vi") == "seen: {0} {line} %s"


def test_text_of_others_comes_out_in_nfc() -> None:
    assert render(verbatim(unicodedata.normalize("NFD", VIETNAMESE)), "vi") == VIETNAMESE


@pytest.mark.parametrize(
    ("environment", "option", "language"),
    [
        ({}, None, "en"),
        ({"LANG": "vi_VN.UTF-8"}, None, "vi"),
        ({"LANG": "vi_VN.UTF-8", "LC_ALL": "C"}, None, "en"),
        ({"LANG": "C", "PORTALOPS_LANG": "vi"}, None, "vi"),
        ({"PORTALOPS_LANG": "vi"}, "en", "en"),
        ({"LANG": "fr_FR.UTF-8"}, None, "en"),
        ({"LC_MESSAGES": "vi", "LANG": "en_GB"}, None, "vi"),
        ({"LC_ALL": "", "LANG": "vi-VN"}, None, "vi"),
    ],
)
def test_the_first_variable_that_is_set_chooses_the_language(
    environment: dict[str, str], option: str | None, language: str
) -> None:
    assert language_from(environment, option) == language


def test_help_texts_follow_the_language_of_the_process() -> None:
    set_language("vi")
    assert _("The report, such as compliance") == "Tên báo cáo, ví dụ compliance"
    set_language("en")
    assert _("The report, such as compliance") == "The report, such as compliance"


def test_a_language_that_is_not_spoken_is_refused() -> None:
    with pytest.raises(ValueError, match="fr"):
        set_language("fr")


def test_reading_the_catalogue_takes_a_moment_only() -> None:
    def seconds() -> float:
        locale._catalogue.cache_clear()
        started = time.thread_time()
        locale._catalogue()
        return time.thread_time() - started

    assert min(seconds() for _attempt in range(5)) < 0.05  # 0.3 ms measured; a loaded machine is slower


def test_every_sentence_is_found() -> None:
    catalogue = Catalogue(locale.CATALOGUE.read_bytes())
    entries, _problems = read_fragments()

    assert len(entries) > 1000
    assert [catalogue.find(entry.text) for entry in entries] == [entry.vietnamese for entry in entries]


@pytest.mark.parametrize("text", ["zzz", "\0", "~~~", "\udcff", "a sentence that nobody wrote"])
def test_a_sentence_without_a_translation_is_not_found(text: str) -> None:
    assert Catalogue(locale.CATALOGUE.read_bytes()).find(text) is None


def test_what_is_no_catalogue_is_refused() -> None:
    with pytest.raises(ValueError, match="not a compiled catalogue"):
        Catalogue(b"PK\3\4" + bytes(40))
