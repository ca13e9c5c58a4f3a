from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.updates.text import (
    NO_MARKS,
    check_text,
    clean_line,
    content_hash,
    fingerprint,
    fold,
    group_marks,
    is_title_without_marks,
    read_text,
    without_marks,
    without_markup,
)

REGULATION = (Path(__file__).parents[2] / "samples/updates/regulation_articles_9_to_11.txt").read_text("utf-8")
"""Articles 9 to 11 of the regulation issued with Decision 37/2010/QĐ-UBND of Khánh Hòa."""


def test_the_regulations_own_text_passes() -> None:
    assert check_text(REGULATION) == ()


@pytest.mark.parametrize(
    "text",
    [
        "Céng hßa x· héi chñ nghÜa ViÖt Nam",  # TCVN3 (ABC)
        "§éc lËp - Tù do - H¹nh phóc",  # TCVN3
        "UBND tØnh Kh¸nh Hßa ban hµnh quyÕt ®Þnh vÒ viÖc cËp nhËt th«ng tin",  # TCVN3
        "Coäng hoøa xaõ hoäi chuû nghóa Vieät Nam",  # VNI
        "Ñoäc laäp - Töï do - Haïnh phuùc",  # VNI
    ],
)
def test_legacy_encodings_are_found(text: str) -> None:
    assert check_text(text) == ("legacy-encoding",)


@pytest.mark.parametrize("text", ["Cộng hòa xã hội chủ nghĩa Việt Nam", "Đường đi", "Nhà nước và công dân"])
def test_utf8_that_was_read_as_latin_is_found(text: str) -> None:
    broken = text.encode().decode("cp1252", "replace")

    assert "mojibake" in check_text(broken)


def test_tones_on_consonants_show_a_misread_code_page() -> None:
    assert "wrong-code-page" in check_text("Tỉnh Khánh Ḥa đang t́m hướng phát triển")


@pytest.mark.parametrize("sign", "ḍḥḳṣṭẓǹḿẁṽ")
def test_a_tone_on_a_consonant_is_found_in_one_sign_or_two(sign: str) -> None:
    assert check_text(f"ba{sign}")[0] == check_text(f"ba{unicodedata.normalize('NFD', sign)}")[0] == "wrong-code-page"


def test_a_long_text_is_read_as_a_short_one() -> None:
    short, long = read_text("Sở Y tế "), read_text("Sở Y tế " * 10_000)

    assert long.words == short.words * 10_000
    assert (short.is_long, long.is_long) == (False, True)


def test_decomposed_text_is_told_apart_from_legacy_text() -> None:
    assert check_text(unicodedata.normalize("NFD", REGULATION)) == ("not-nfc",)


@pytest.mark.parametrize("sign", ["\ufffd", "\ue001", "\x96"])
def test_damaged_characters_are_found(sign: str) -> None:
    assert check_text(f"Khánh Hòa {sign}") == ("damaged-characters",)


def test_invisible_characters_are_found() -> None:
    assert check_text("Khánh\u200b Hòa") == ("zero-width",)


@pytest.mark.parametrize(
    "text",
    [
        "ỦY BAN NHÂN DÂN XÃ NINH HẢI: THÔNG BÁO VỀ VIỆC NGHỈ LỄ",
        "Khanh Hoa promotes tourism in Europe: Zürich, Málaga and São Paulo send their delegations to Nha Trang",
        "«Khá», «tốt» và «đạt»: kết quả năm 2026",
        "“UBND XÃ”, «XÃ», PHƯỜNG/XÃ–THỊ TRẤN, XÃ… và ĐÃ’",
        "Diện tích 25 m², nhiệt độ 30°C ± 1",
        "Tổng thống Vučić và đoàn España",
        "",
        "2026",
    ],
)
def test_proper_text_passes(text: str) -> None:
    assert check_text(text) == ()


def test_the_same_text_has_one_hash_however_it_is_set() -> None:
    body = REGULATION
    other = unicodedata.normalize("NFD", REGULATION.upper()).replace(" ", "  ")

    assert content_hash("A", body, raw_date="1") == content_hash("B", other, raw_date="2")


def test_a_text_in_disguise_is_the_same_text() -> None:
    body = REGULATION * 3
    disguised = body.replace("a", "\u0430").replace("o", "\u00ado").replace("H", "\u041d")

    assert content_hash("A", body, raw_date="1") == content_hash("B", disguised, raw_date="2")
    assert fold("so\u0443te.khanhhoa.example") != fold("soyte.khanhhoa.example")


def test_a_weekly_title_without_text_is_not_the_same_item_each_week() -> None:
    first = content_hash("Lịch công tác tuần", None, raw_date="2026-11-16")
    second = content_hash("Lịch công tác tuần", None, raw_date="2026-11-23")

    assert first != second


def test_a_line_holds_no_control_characters() -> None:
    assert clean_line("a\x1b[31m\n b\u202e\x00c", limit=10) == "a[31m bc"


@given(st.text(alphabet="<>![]-&;/ap'\"ế\u0301\ud800 ", max_size=60))
def test_no_text_breaks_the_checks(text: str) -> None:
    assert isinstance(check_text(without_markup(text)), tuple)
    assert len(clean_line(text, limit=20)) <= 20
    assert len(content_hash(text, text, raw_date=text)) == 64


def test_markup_is_no_text() -> None:
    assert without_markup("<p>Tin &amp; bài<script>alert(1)</script></p>") == "Tin & bài"


_ORDER = (
    "Ủy ban nhân dân tỉnh yêu cầu các sở, ban, ngành và địa phương triển khai thực hiện nghiêm quyết định của Thủ tướng"
    " Chính phủ về công tác phòng, chống thiên tai trong năm nay."
)


def test_vietnamese_without_its_marks_is_named() -> None:
    assert check_text(without_marks(_ORDER)) == (NO_MARKS,)
    assert check_text(without_marks(_ORDER).upper()) == (NO_MARKS,)
    assert check_text(_ORDER) == ()


@pytest.mark.parametrize(
    "text",
    [
        "The provincial People's Committee has asked all departments and local authorities to strictly carry out the Prime"
        " Minister's decision on preventing and fighting natural disasters this year, said the chairman in Nha Trang.",
        "Le comité populaire de la province a demandé aux services de mettre en oeuvre la décision du Premier ministre sur la"
        " prévention des catastrophes naturelles cette année, selon le président.",
        "Thong bao ve viec nghi le",
    ],
)
def test_another_language_and_a_few_words_lack_no_marks(text: str) -> None:
    assert NO_MARKS not in check_text(text)


def test_mark_up_and_entities_that_were_escaped_again_are_taken_out_and_signs_of_a_text_stay() -> None:
    assert (
        without_markup("&lt;p style='x'&gt;N&lt;b&gt;ội&lt;/b&gt; dung&lt;/p&gt;&amp;lt;br&amp;gt;hai")
        == "Nội dung hai"
    )
    assert without_markup("Gia &amp;amp;#273;&amp;#236;nh") == "Gia đình"
    assert without_markup("nếu a &lt; b và c &lt;d, thì xem &lt;Phụ lục&gt;") == "nếu a < b và c <d, thì xem <Phụ lục>"


@pytest.mark.parametrize(
    ("title", "is_bare"),
    [
        ("THONG BAO VE MO HINH TRONG NHO KHONG HAT NAM 2026", True),
        ("Uy ban nhan dan xa Dien An tiep cong dan dinh ky", True),
        ("Lich cong tac tuan", False),
        ("Thong báo ve mo hinh trong nho", False),
        ("Khanh Hoa Province hosts a meeting on marine tourism", False),
        ("Vietnam and China to open the road between two towns", False),
        ("Notice on the change of the working hours", False),
        ("The People's Committee meets on the socio-economic plan", False),
        ("Public hearing on land use plan of Nha Trang city", False),
    ],
)
def test_a_title_without_one_mark_is_known_from_an_english_one(title: str, is_bare: bool) -> None:
    assert is_title_without_marks(title) == is_bare


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<p>Một</p><div style='display: none'>cá <div>cược</div> khác</div><p>hai</p>", "Một hai"),
        ("Một <span hidden>ẩn</span>hai<br hidden> ba", "Một hai ba"),
        ('<i STYLE="visibility:hidden">ẩn</i>Một <b style="font-size:0px">ẩn</b>hai', "Một hai"),
        ('Một<div style="position:absolute; left:-9999px">ẩn</div> hai<noscript>ẩn</noscript>', "Một hai"),
        ('<p style="height:1px;overflow:hidden">ẩn</p>Một <p style="clip:rect(1px,1px,1px,1px)">ẩn</p>hai', "Một hai"),
        ('<p style="text-indent:-20px; line-height:1; width:100px">Một</p> <td style="width:10%">hai</td>', "Một hai"),
        ('<a title="a hidden bay" href="/x">Một</a> <b style="font-size:0.9em">hai</b>', "Một hai"),
    ],
)
def test_what_an_element_hides_by_its_own_attributes_is_no_text(html: str, shown: str) -> None:
    assert without_markup(html) == shown


def test_marks_signs_of_numbers_and_a_second_copy_make_no_other_fingerprint() -> None:
    text = " ".join(["Ngày 5/11, Sở Y tế đã khám cho 5261 lượt người dân các xã miền núi."] * 4 + [REGULATION[:900]])
    changed = without_marks(text).replace("5/11", "05/11").replace("5261", "5.261")

    marks = [fingerprint(one) for one in (text, changed, f"{text} {text}")]

    assert None not in marks
    assert len({one.numbers for one in marks if one}) == 1
    assert all(one.is_like(marks[0].bits) for one in marks if one and marks[0])


@given(st.text(alphabet="abyz059_-.,;:/()' \n\t\x00\x1f\x7f", max_size=200))
def test_words_and_groups_of_a_text_in_ascii_are_those_of_any_text(text: str) -> None:
    beside = "\u0438"  # a letter that no table of ASCII has, so that the text is read sign by sign

    assert (*read_text(text).words, beside) == read_text(f"{text} {beside}").words
    assert set(group_marks(f"{text} x y z").groups) <= set(group_marks(f"{text} x y z {beside}").groups)


def test_a_part_of_sixty_words_has_a_group_of_its_whole_also_where_words_come_again() -> None:
    whole = "Cán bộ xã tiếp công dân tại nhà văn hóa thôn. " * 40
    known = group_marks(whole)

    for first in range(0, 200, 7):
        part = group_marks(" ".join(whole.split()[first : first + 60]))
        assert {*known.runs, *known.runs_between}.intersection((*part.runs, *part.runs_between))
