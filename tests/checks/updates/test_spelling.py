"""Texts that nobody can compare with plain Vietnamese, and those that only look odd."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from checks.updates.spelling import has_strange_words
from checks.updates.text import without_markup
from tests.attacks.test_update_evasion import TCVN3, VIQR, VNI
from tests.checks.updates.test_text import REGULATION

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize(
    "text",
    [
        REGULATION.lower().translate(VNI),
        REGULATION.lower().translate(TCVN3),
        unicodedata.normalize("NFD", REGULATION).translate(VIQR),
        REGULATION[:1500] + REGULATION[1500:].lower().translate(TCVN3),
        "Cµng hòa xã hµi chü nghîa Vi®t Nam, Ðµc l§p - Tñ do - HÕnh phúc, Üy ban nhân dân tïnh v« vi®c t± chÑc hµi ngh¸",
        "Uyr ban nhaan daan tinhr Khanhs Hoaf thoong baos veef vieecj toor chuwcs hooij nghij toongr keets phong traof",
        REGULATION.encode("cp1252", "replace").decode("cp1252"),
        REGULATION.upper().encode("cp1252", "replace").decode("cp1252"),
        REGULATION.encode("ascii", "replace").decode().replace("?", "\ufffd"),
        "Uy3 ban nha6n da6n ti3nh Kha1nh Ho2a tho6ng ba1o ve62 vie65c to63 chu71c ho65i nghi5 to63ng ke61t",
    ],
)
def test_words_in_an_old_encoding_or_as_they_are_typed_are_strange(text: str) -> None:
    assert has_strange_words(text)


@pytest.mark.parametrize(
    "text",
    [
        REGULATION,
        *(path.read_text("utf-8") for path in sorted(DOCS.glob("*.md"))),
        "Le maître d'œuvre où l'on a créé, grâce aux élèves naïfs de Noël, un goût évalué: ça coûte où qu'il aille, là où"
        " l'aéroport où naît la continuité est situé, tout connaît où être reçu, garçon, français, leçon, aperçu, île, dîner",
        "Über die schönen Straßen fährt Müller für große Gäste nach Österreich, wo Bäcker und Köche süße Brötchen größer machen",
        "Đại sứ Jürgen Müller, ông Søren Åkesson và đoàn São Paulo, Málaga, Zürich đến thăm Khánh Hòa, làm việc với Ủy ban"
        " nhân dân tỉnh về hợp tác du lịch, cảng biển, đào tạo nghề, chuyển đổi số và bảo tồn di sản văn hóa Chăm trong năm tới",
        "Nồng độ PM2,5 là 25 µg/m³, NO₂ 40 µg/m³, CO2 4 mg/m³, pH 7,5 ± 0,2; nhiệt độ 30 °C; N₂O, CH₄, Ca²⁺ và SO₄²⁻ đều"
        " dưới ngưỡng; diện tích 25 m² × 4; dung tích 30 m³; x² + y² = z²; α ≤ β; 5 ÷ 7 ngày; điều 5, khoản 2a, mẫu số 1b",
        "Giá nông sản: ớt 20.000 đ/kg, ổi 15.000 đ/kg, sầu riêng 90.000 đ/kg, ngô 8.000 đ/kg, cá ngừ 120.000 đ/kg, tôm 5 kg,"
        " lớp 5 a, tổ 3 b, khối c, đội d, ô tô 7 chỗ, 12 tr đồng",
        "Hỏi: Hộ nghèo có được vay không? Vay ở đâu? Bao giờ có tiền?Ai ký? Lãi bao nhiêu? Có phải thế chấp không?? Trả lời:"
        " xem tại vay.php?id=3 hoặc gọi tổng đài. Thủ tục (?) gồm đơn, giấy tờ; hồ sơ thiếu thì sao? Nộp bổ sung được không?",
        "Buôn Đôn: amĭ ama, čhiăp mđrăm, ñu hriăm hră, mnuih buôn sang Êđê ngă lŏ hma, ñu dôk hŏng ayŏng adei; bà con người Raglai"
        " ở Khánh Sơn làm lễ bỏ mả, đàn đá, mã la, hát dolit, akhàt jucar; người Chăm đón lễ Katê ở tháp Po Nagar",
    ],
)
def test_other_languages_symbols_and_names_are_not(text: str) -> None:
    assert not has_strange_words(text)


def test_a_tag_within_a_word_does_not_cut_it_and_a_block_does() -> None:
    assert (
        without_markup('<p>N<span style="x">ội d</span>ung<o:p></o:p><br>hai</p><p>b<b>a</b></p>') == "Nội dung hai ba"
    )
    assert without_markup("<td>một</td><td>hai</td><li>ba</li>") == "một hai ba"


@pytest.mark.parametrize("count", [2, 3, 6, 11, 16])
def test_words_run_together_are_strange(count: int) -> None:
    words = REGULATION.split()
    joined = " ".join("".join(words[at : at + 2]) if at % count == 0 else words[at] for at in range(len(words) - 1))

    assert has_strange_words(joined)
    assert not has_strange_words(REGULATION)


@pytest.mark.parametrize("form", ["%u{:04X}", "\\u{:04x}", "&#{};"])
def test_letters_as_machines_write_them_are_strange(form: str) -> None:
    assert has_strange_words("".join(c if c.isascii() else form.format(ord(c)) for c in REGULATION))
