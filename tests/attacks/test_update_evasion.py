"""Ways in which a unit feigns work, each over the real job with the truth known: none makes a week met.

What each comes to and what an officer can do about it stands in docs/threat-model.md; where the program is wrong, so does that.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from html import escape

import pytest

from checks.updates.text import without_marks
from portalops.model.updates import Grade
from portalops.model.verdicts import DutyVerdict
from tests.attacks.framed_texts import (
    old_text_as_captions,
    old_text_with_a_lead_and_a_telephone_number,
    own_mail_with_a_greeting_and_a_signature,
    own_mail_with_another_picture,
    short_page_that_gets_an_old_text,
    text_of_another_units_mail_with_a_signature,
    text_of_another_units_site_with_a_greeting_and_a_signature,
    text_of_the_portal_with_a_greeting_and_a_signature,
    texts_of_a_json_feed_that_were_cut,
)
from tests.attacks.mailed import (
    another_units_summaries_mailed_in_whole_with_a_greeting,
    file_alone_of_one_name_with_other_bytes,
    file_mended_under_its_telling_name,
    file_of_one_text_under_another_name,
    file_of_the_same_bytes_of_another_unit,
    file_of_the_same_bytes_under_another_name,
    file_saved_once_more_under_a_short_name,
    file_under_the_title_of_another_units_text,
    forwarded_mail_of_another_unit,
    forwarded_news_of_the_portals_letter,
    letter_of_a_stranger_that_names_all_units,
    letter_of_an_outsider_that_names_the_unit,
    mail_of_the_unit_that_is_answered_to_another_unit,
    mail_of_the_unit_under_another_units_name,
    mail_over_a_list_with_a_footer_and_directly,
    mails_of_an_editor_who_passes_on_what_others_sent,
    news_and_a_long_request,
    news_sent_again_after_its_font_broke,
    one_mail_in_two_mailboxes,
    one_mail_split_into_two_days,
    one_mail_split_without_its_text,
    one_mail_with_a_file_in_two_mailboxes,
    one_short_mail_in_two_mailboxes,
    own_mail_forwarded_as_quoted_lines,
    own_mail_forwarded_once_more,
    paper_mailed_as_a_file_and_registered,
    subject_alone_twice,
    summaries_and_titles_of_another_units_texts_mailed_in,
    text_in_the_mail_and_then_in_a_file,
    whole_texts_of_another_units_summaries_mailed_in,
    whole_texts_of_another_units_titles_mailed_in,
    word_file_and_the_same_as_another_kind,
)
from tests.attacks.precedence import (
    one_sitting_around_the_evening_poll,
    one_sitting_in_a_list_of_days,
    one_sitting_that_claims_two_days,
    portal_news_dated_hours_before,
    portal_news_mailed_in,
    portal_news_registered,
    portal_news_while_its_feed_is_out,
    texts_of_another_units_site_mailed_in,
    whole_texts_of_the_portals_summaries,
    whole_texts_of_which_the_portal_shows_another_stretch,
    whole_texts_under_the_portals_titles,
)
from tests.attacks.registers import (
    one_arrival_number_with_zeros_in_front,
    one_joint_paper_under_two_forms_of_its_number,
    one_paper_in_a_register_saved_anew,
    one_paper_in_two_registers,
    one_paper_once_without_its_number,
    one_paper_without_a_number_registered_twice,
    one_paper_without_a_number_under_a_like_subject,
    paper_and_its_certified_copy,
)
from tests.attacks.update_scene import (
    KeptMail,
    Post,
    Province,
    Site,
    Way,
    body,
    cases,
    post,
    reworded,
    rows_named_in,
    story,
)
from tests.checks.updates.scene import HEALTH, JUSTICE
from tests.web import answer

_LETTERS = "áàảãạăắằẳẵặâấầẩẫậéèẻẽẹêếềểễệíìỉĩịóòỏõọôốồổỗộơớờởỡợúùủũụưứừửữựýỳỷỹỵđ"
_VNI = (
    "aù aø aû aõ aï aê aé aè aú aü aë aâ aá aà aå aã aä eù eø eû eõ eï eâ eá eà eå eã eä í ì æ ó ò où oø oû oõ oï oâ oá oà oå"
    " oã oä ô ôù ôø ôû ôõ ôï uù uø uû uõ uï ö öù öø öû öõ öï yù yø yû yõ î ñ"
)
VNI = str.maketrans(dict(zip(_LETTERS, _VNI.split(), strict=True)))
TCVN3 = str.maketrans(_LETTERS, "¸µ¶·¹¨¾»¼½Æ©ÊÇÈÉËÐÌÎÏÑªÕÒÓÔÖÝ×ØÜÞãßáâä«èåæçé¬íêëìîóïñòô\u00adøõö÷ùýúûüþ®")
"""The letters of Vietnamese and what stands for them in the fonts of VNI and TCVN3 (TCVN 5712:1993)."""
VIQR = {0x301: "'", 0x300: "`", 0x309: "?", 0x303: "~", 0x323: ".", 0x302: "^", 0x306: "(", 0x31B: "+", ord("đ"): "dd"}
"""What stands behind a letter for its marks (RFC 1456)."""

MET, UNMET, UNKNOWN, PENDING = (
    DutyVerdict.MET,
    DutyVerdict.UNMET,
    DutyVerdict.INSUFFICIENT_EVIDENCE,
    DutyVerdict.PENDING,
)


def texts_with_other_words(p: Province) -> None:
    rows = p.with_database()
    rows.put(1, published="2026-10-01 09:00")
    long = " ".join(body(number) for number in (1, 3, 5, 6))
    p.plan(p.day(-1), rows.put, 2, published=p.day(-1), text=long)
    p.plan(p.day(2), rows.put, 3, published=p.day(2), text=long.replace("định kỳ", "thường kỳ"))
    p.plan(p.day(4), rows.put, 4, published=p.day(4), text=long.replace("biểu dương", "tuyên dương"))
    p.plan(p.day(8), rows.put, 5, published=p.day(8))


def name_changed_under_one_title(p: Province) -> None:
    site = p.with_whole_texts()
    for day, name in ((1, "Nguyễn Văn An"), (2, "Trần Thị Bình"), (4, "Lê Hoàng Cường")):
        text = f"Sáng nay, đoàn công tác thăm gia đình của {name}. {story(5, 1100)}."
        p.plan(p.day(day), site.publish, Post(f"/gia-dinh-{day}", p.day(day), text, "Thăm gia đình chính sách"))
    p.publish(22, p.day(8))


def texts_with_words_here_and_there(p: Province) -> None:
    site = p.with_history()
    long = " ".join(body(number) for number in (1, 3, 5, 6))
    p.plan(p.day(2), site.publish, Post("/dai", p.day(2), long, "Tin ngành y tế"))
    p.plan(p.day(4), site.publish, Post("/dai-moi", p.day(4), reworded(long), "Tin ngành y tế mới"))
    p.publish(22, p.day(8))


def rows_with_words_here_and_there(p: Province) -> None:
    rows = p.with_database()
    rows.put(1, published="2026-10-01 09:00")
    long = " ".join(body(number) for number in (0, 19))
    p.plan(p.day(2), rows.put, 2, published=p.day(2), text=long)
    p.plan(p.day(4), rows.put, 3, published=p.day(4), text=reworded(long).upper())
    p.plan(p.day(8), rows.put, 5, published=p.day(8), text=body(44))


def sentences_in_another_order(p: Province) -> None:
    rows = p.with_database()
    rows.put(1, published="2026-10-01 09:00")
    told = " ".join(body(number) for number in (0, 19)).split(". ")
    p.plan(p.day(2), rows.put, 2, published=p.day(2), text=". ".join(told))
    p.plan(
        p.day(4),
        rows.put,
        3,
        published=p.day(4),
        text=". ".join([*told[5:], *told[:5], "Tin do Văn phòng Sở cung cấp"]),
    )
    p.plan(p.day(8), rows.put, 5, published=p.day(8), text=body(44))


def part_of_an_old_text(p: Province) -> None:
    rows = p.with_database()
    rows.put(1, published="2026-10-01 09:00")
    words = f"Năm 2026 {story(1, 320)}".split()
    p.plan(p.day(2), rows.put, 2, published=p.day(2), text=" ".join(words))
    p.plan(p.day(4), rows.put, 3, published=p.day(4), text=" ".join(words[105:215]))
    p.plan(p.day(8), rows.put, 5, published=p.day(8), text=story(5))


def beginning_of_an_old_text(p: Province) -> None:
    site = p.with_history()
    words = f"Năm 2026 {story(1, 320)}".split()
    p.plan(p.day(2), site.publish, Post("/dai", p.day(2), " ".join(words)))
    p.plan(p.day(4), site.publish, Post("/dai-2", p.day(4), " ".join(words[: len(words) * 7 // 10]), "Tin ngành y tế"))
    p.publish(22, p.day(8))


def old_texts_put_together(p: Province) -> None:
    rows = p.with_database()
    rows.put(1, published="2026-10-01 09:00")
    told = [f"Ngày {day} tháng 11: {story(day)}" for day in (9, 11, 17)]
    for number, (day, text) in enumerate(zip((-6, -4, 2), told, strict=True), 2):
        p.plan(p.day(day), rows.put, number, published=p.day(day), text=text)
    p.plan(p.day(4), rows.put, 7, published=p.day(4), text="Tin tổng hợp. " + " ".join(told))
    p.plan(p.day(8), rows.put, 8, published=p.day(8), text=story(5))


def text_without_marks(p: Province) -> None:
    _old_text_in_disguise(p, without_marks)


def text_in_a_wrong_encoding(p: Province) -> None:
    _old_text_in_disguise(p, lambda text: text.encode().decode("cp1252", "replace").replace("\ufffd", "?"))


def words_set_in_pieces(p: Province) -> None:
    def pieces(text: str) -> str:
        return "<p>" + " ".join(f'{word[:1]}<span style="x">{word[1:]}</span>' for word in text.split()) + "</p>"

    _old_text_in_disguise(p, pieces)


def words_with_a_soft_hyphen(p: Province) -> None:
    _old_text_in_disguise(p, lambda text: " ".join(f"{word[:1]}&#8203;&shy;{word[1:]}" for word in text.split()))


def words_cut_by_blanks(p: Province) -> None:
    def cut(text: str) -> str:
        return re.sub(r"(?<!\w)(nh|th|tr|ch|[bcdđhlmst])(?=[aeiouâêôơưạảáàếềệ])", "\\1&nbsp;", text)

    _old_text_in_disguise(p, cut)


def text_in_vni(p: Province) -> None:
    _old_text_in_disguise(p, lambda text: text.translate(VNI))


def text_in_tcvn(p: Province) -> None:
    _old_text_in_disguise(p, lambda text: text.translate(TCVN3))


def text_in_viqr(p: Province) -> None:
    _old_text_in_disguise(p, lambda text: unicodedata.normalize("NFD", text).translate(VIQR))


def text_with_markup_escaped_twice(p: Province) -> None:
    def escaped(text: str) -> str:
        words = text.split()
        lines = (" ".join(words[at : at + 9]) for at in range(0, len(words), 9))
        return escape(
            "".join(f'<p style="margin: 0 {at}pt"><span lang="vi">{line}</span></p>' for at, line in enumerate(lines))
        )

    _old_text_in_disguise(p, escaped)


def text_with_entities_escaped_twice(p: Province) -> None:
    _old_text_in_disguise(p, lambda text: "".join(c if c.isascii() else f"&amp;#{ord(c)};" for c in text))


def text_with_lost_letters(p: Province) -> None:
    _old_text_in_disguise(p, lambda text: text.encode("cp1252", "replace").decode("cp1252"))


def text_with_the_blanks_of_a_pdf(p: Province) -> None:
    _old_text_in_disguise(p, blanks_of_a_pdf)


def text_with_half_its_marks(p: Province) -> None:
    _old_text_in_disguise(p, lambda text: f"{text[:700]}{without_marks(text[700:])}")


def text_in_letters_of_best_fit(p: Province) -> None:
    kept = str.maketrans({"à": "\ue000", "ê": "\ue001", "ô": "\ue002"})
    back = str.maketrans({"\ue000": "à", "\ue001": "ê", "\ue002": "ô"})
    _old_text_in_disguise(p, lambda text: without_marks(text.translate(kept)).translate(back))


def text_with_lost_blanks(p: Province) -> None:
    _old_text_in_disguise(p, lambda text: re.sub(r"(\S+ \S+ \S+) (?=\S)", r"\1", text))


def text_with_its_letters_escaped(p: Province) -> None:
    _old_text_in_disguise(p, lambda text: "".join(c if c.isascii() else f"%u{ord(c):04X}" for c in text))


def text_with_hidden_words(p: Province) -> None:
    _old_text_in_disguise(p, lambda text: f"<p>{text}</p><div style='display: none'>{story(90, 110)}</div>")


def text_pasted_twice(p: Province) -> None:
    _old_text_in_disguise(p, lambda text: f"{text}. {text}", behind=" Có 57 hộ")


def numbers_in_other_signs(p: Province) -> None:
    behind = " Đến ngày 5/11 có 5261 lượt"
    _old_text_in_disguise(p, lambda text: text.replace("5/11", "05/11").replace("5261", "5.261"), behind=behind)


def text_with_a_counter(p: Province) -> None:
    counter = "Cập nhật lúc 15:20. Lượt xem: 57"
    _old_text_in_disguise(p, lambda text: f"{text}. {counter}", title="Tin hoạt động của ngành y tế")


def summary_that_grew(p: Province) -> None:
    site = p.with_history()
    words, title = story(1, 320).split(), "Lễ phát động Tết trồng cây ở xã"
    for day, count in ((2, 30), (4, 40)):
        p.plan(p.day(day), site.publish, Post(f"/bai-{day}", p.day(day), f"{' '.join(words[:count])}...", title))
    p.publish(22, p.day(8))


def texts_of_a_feed_that_gave_summaries(p: Province) -> None:
    _feed_turns_to_whole_texts(p, p.day(3))


def whole_texts_and_an_old_one_in_one_poll(p: Province) -> None:
    _feed_turns_to_whole_texts(p, p.day(4))


def _feed_turns_to_whole_texts(p: Province, turned: str) -> None:
    """Let Tuesday's item stand there whole, as all others do from then on, when Thursday's has its words."""
    site = p.with_history()
    for number in range(30, 39):
        site.publish(Post(f"/cu-{number}", p.day(number - 39), story(number, 320), story(number, 9)))
    p.plan(p.day(2), site.publish, Post("/tin-2", p.day(2), story(2, 320), "Ra quân vệ sinh môi trường biển"))
    p.plan(p.day(4), site.publish, Post("/tin-4", p.day(4), story(2, 320), "Tin hoạt động của ngành trong tuần"))
    p.plan(p.day(8), site.publish, Post("/tin-8", p.day(8), story(8, 320)))
    site.summary_words = 30
    p.plan(turned, setattr, site, "summary_words", None)


def blanks_of_a_pdf(text: str) -> str:
    """Return a text as it is copied out of a PDF: with a blank behind most letters of two marks."""
    chance = random.Random(text)
    return "".join(f"{sign} " if sign > "\u1e00" and chance.random() < 0.6 else sign for sign in text)


def _old_text_in_disguise(p: Province, disguise: Callable[[str], str], *, behind: str = "", title: str = "") -> None:
    site = p.with_history()
    text = story(2, 320) + behind
    p.plan(p.day(2), site.publish, Post("/tin-2", p.day(2), text))
    p.plan(p.day(4), site.publish, Post("/tin-4", p.day(4), disguise(text), title))
    p.plan(p.day(8), site.publish, Post("/tin-8", p.day(8), story(8, 320)))


def eight_old_texts_put_together(p: Province) -> None:
    site = p.with_whole_texts()
    told = [story(day, 320).split() for day in range(30, 38)]
    for number, words in enumerate(told):
        site.publish(Post(f"/cu-{number}", p.day(-9 + number), " ".join(words)))
    p.plan(p.day(2), site.publish, Post("/tin-2", p.day(2), story(2, 320)))
    parts = (" ".join(words[20 * number : 20 * number + 40]) for number, words in enumerate(told))
    p.plan(p.day(4), site.publish, Post("/tin-4", p.day(4), ". ".join(parts)))
    p.plan(p.day(8), site.publish, Post("/tin-8", p.day(8), story(8, 320)))


def portal_news_of_a_source_that_was_removed(p: Province) -> None:
    site, portal = p.with_whole_texts(), p.with_portal()
    text = f"Năm 2026 {story(41, 320)}"
    p.plan(p.day(0, "09:00"), portal.publish, Post("/moi", p.day(0, "09:00"), text, "Khánh thành cầu Trà Long"))
    p.plan(p.day(1), p.remove, "cong")
    p.publish(20, p.day(2))
    p.plan(p.day(4), site.publish, Post("/cua-minh", p.day(4), text, "Khánh thành cầu Trà Long"))
    p.publish(22, p.day(8))


def portal_news_of_a_source_that_was_renamed(p: Province) -> None:
    site, portal = p.with_whole_texts(), p.with_portal()
    text = f"Năm 2026 {story(41, 320)}"
    p.plan(p.day(0, "09:00"), portal.publish, Post("/moi", p.day(0, "09:00"), text, "Khánh thành cầu Trà Long"))
    p.plan(p.day(1), portal.posts.clear)
    p.plan(p.day(1), p.replace, "cong", "cong-moi")
    p.publish(20, p.day(2))
    p.plan(p.day(4), site.publish, Post("/cua-minh", p.day(4), text, "Khánh thành cầu Trà Long"))
    p.publish(22, p.day(8))


def part_of_a_text_from_before_its_source_changed_hands(p: Province) -> None:
    other = p.with_other_unit()
    other.gives_whole_texts = True
    words = f"Năm 2026 {story(41, 2000)}".split()
    p.plan(p.day(0, "09:00"), other.publish, Post("/dai", p.day(0, "09:00"), " ".join(words), "Tin ngành tư pháp"))
    p.plan(p.day(0, "20:00"), p.remove, "tu-phap")
    p.plan(p.day(0, "20:00"), p.poll, "feed", "tu-phap", HEALTH, url=f"{p.server.url}/tu-phap/rss")
    p.plan(p.day(2), other.publish, Post("/tin-20", p.day(2), story(20)))
    p.plan(p.day(4), other.publish, Post("/phan", p.day(4), " ".join(words[100:170]), "Tin ngành y tế"))
    p.plan(p.day(8), other.publish, Post("/tin-22", p.day(8), story(22)))


def text_of_the_portal_cut(p: Province) -> None:
    site, portal = p.with_history(), p.with_portal()
    for day in (1, 3):
        text = story(day, 320)
        p.plan(p.day(day), portal.publish, Post(f"/tin-{day}", p.day(day), text))
        cut = " ".join(["Theo tin từ Cổng thông tin điện tử tỉnh:", *text.split()[:240]])
        p.plan(p.day(day + 1), site.publish, Post(f"/moi-{day}", p.day(day + 1), cut))
    p.publish(22, p.day(8))


def summaries_of_the_portal_news(p: Province) -> None:
    site, portal = p.with_history(), p.with_portal()
    for day, title in ((1, "Khởi công bệnh viện đa khoa khu vực"), (3, "")):
        text = story(day, 320)
        p.plan(p.day(day), portal.publish, Post(f"/tin-{day}", p.day(day), text, title))
        summary = " ".join(text.split()[:30]) + "..."
        p.plan(p.day(day + 1), site.publish, Post(f"/moi-{day}", p.day(day + 1), summary, title or "Tin tuần này"))
    p.publish(22, p.day(8))


def titles_of_the_portal_news(p: Province) -> None:
    p.with_history()
    portal, page = p.with_portal(), p.with_page(links="/trang")
    for day in (1, 3):
        title = f"Khởi công bệnh viện đa khoa khu vực phía {'bắc' if day == 1 else 'nam'}"
        p.plan(p.day(day), portal.publish, Post(f"/tin-{day}", p.day(day), story(day, 320), title))
        p.plan(p.day(day + 1), page.publish, Post(f"/moi-{day}", p.day(day + 1), "", title))
    p.publish(22, p.day(8))
    p.plan(p.day(8), page.publish, post(22, p.day(8)))


def titles_of_the_portal_news_without_marks(p: Province) -> None:
    p.with_history()
    portal, page = p.with_portal(), p.with_page(links="/trang")
    for day in (1, 3):
        title = f"Thông báo về mô hình trồng nho không hạt {'phía bắc' if day == 1 else 'phía nam'} năm 2026"
        p.plan(p.day(day), portal.publish, Post(f"/tin-{day}", p.day(day), story(day, 320), title))
        p.plan(p.day(day + 1), page.publish, Post(f"/moi-{day}", p.day(day + 1), "", without_marks(title).upper()))
    p.publish(22, p.day(8))
    p.plan(p.day(8), page.publish, post(22, p.day(8)))


def titles_of_the_portal_news_with_half_its_marks(p: Province) -> None:
    site, portal = p.with_history(), p.with_portal()
    for day in (1, 3):
        title = f"Thông báo về mô hình trồng nho không hạt {'phía bắc' if day == 1 else 'phía nam'} năm 2026"
        p.plan(p.day(day), portal.publish, Post(f"/tin-{day}", p.day(day), story(day, 320), title))
        shown = f"{title[:13]}{without_marks(title[13:])}"
        p.plan(p.day(day + 1), site.publish, Post(f"/moi-{day}", p.day(day + 1), "Mời xem chi tiết.", shown))
    p.publish(22, p.day(8))


def portal_news_dated_a_little_before(p: Province) -> None:
    site, portal = p.with_history(), p.with_portal()
    for day in (2, 4):
        text = story(day, 320)
        p.plan(p.day(day, "08:35"), portal.publish, Post(f"/tin-{day}", p.day(day, "08:35"), text))
        p.plan(p.day(day, "09:35"), site.publish, Post(f"/moi-{day}", p.day(day, "08:20"), text))
    p.publish(22, p.day(8))


def portal_news_with_its_dates(p: Province) -> None:
    site, portal = p.with_history(), p.with_portal()
    for day in (2, 4):
        text = story(day, 320)
        p.plan(p.day(day, "08:35"), portal.publish, Post(f"/tin-{day}", p.day(day, "08:35"), text))
        p.plan(p.day(day, "09:35"), site.publish, Post(f"/moi-{day}", p.day(day, "08:35"), text))
    p.publish(22, p.day(8))


def summary_under_a_longer_title(p: Province) -> None:
    site = p.with_history()
    summary, title = f"{story(1, 30)}...", "Lễ phát động Tết trồng cây"
    p.plan(p.day(2), site.publish, Post("/bai-7", p.day(2), summary, title))
    p.plan(p.day(4), site.publish, Post("/bai-7?page=2", p.day(4), summary, f"Phóng sự ảnh: {title}"))
    p.publish(22, p.day(8))


def part_of_a_short_summary(p: Province) -> None:
    site = p.with_history()
    words = story(1, 320).split()
    p.plan(p.day(2), site.publish, Post("/dai", p.day(2), " ".join(words)))
    p.plan(p.day(4), site.publish, Post("/dai-2", p.day(4), " ".join(words[105:215]), "Tin ngành y tế"))
    p.publish(22, p.day(8))


def first_words_of_an_old_text(p: Province) -> None:
    site = p.with_history()
    words = f"Năm 2026 {story(41, 1000)}".split()
    p.plan(p.day(2), site.publish, Post("/dai", p.day(2), " ".join(words), "Tin ngành y tế"))
    p.plan(p.day(4), site.publish, Post("/phim", p.day(4), " ".join(words[:70]), "Tin ngành y tế"))
    p.publish(22, p.day(8))


def summary_with_a_place_in_front(p: Province) -> None:
    site, portal = p.with_history(), p.with_portal()
    for day, lead_in in ((1, "(Xã Diên An) – "), (3, "Khánh Hòa: ")):
        text, title = story(day, 320), f"Khởi công bệnh viện đa khoa khu vực phía {'bắc' if day == 1 else 'nam'}"
        p.plan(p.day(day), portal.publish, Post(f"/tin-{day}", p.day(day), text, title))
        summary = f"{lead_in}{' '.join(text.split()[:30])}..."
        p.plan(p.day(day + 1), site.publish, Post(f"/moi-{day}", p.day(day + 1), summary, f"Tin tuần {day}"))
    p.publish(22, p.day(8))


def portal_titles_with_more_or_less(p: Province) -> None:
    site, portal = p.with_history(), p.with_portal()
    title = "Lãnh đạo tỉnh kiểm tra tiến độ thi công đường ven biển đoạn qua phường {}"
    for day, place, form in ((1, "Vĩnh Hòa", "{:.60}..."), (3, "Cam Linh", "Khánh Hòa: {} | Cổng thông tin")):
        p.plan(p.day(day), portal.publish, Post(f"/tin-{day}", p.day(day), story(day, 320), title.format(place)))
        shown = form.format(title.format(place)).replace("Lãnh đạo", "Xã An: Lãnh đạo" if day == 1 else "Lãnh đạo")
        p.plan(p.day(day + 1), site.publish, Post(f"/moi-{day}", p.day(day + 1), "Mời xem chi tiết.", shown))
    p.publish(22, p.day(8))


def title_with_the_unit_in_front(p: Province) -> None:
    _shown_by_another_source(p, lambda title: f"Xã Diên An: {title}")


def title_with_the_unit_behind(p: Province) -> None:
    _shown_by_another_source(p, lambda title: f"{title} - UBND xã Diên An")


def title_cut_short(p: Province) -> None:
    _shown_by_another_source(p, lambda title: f"{title[:50]}...")


def title_cut_short_with_the_unit_in_front(p: Province) -> None:
    _shown_by_another_source(p, lambda title: f"Xã Diên An: {title[:50]}…")


def title_cut_after_six_words(p: Province) -> None:
    _shown_by_another_source(p, lambda title: f"{' '.join(title.split()[:6])}...")


def _shown_by_another_source(p: Province, shown: Callable[[str], str]) -> None:
    site = p.with_history()
    shared = p.with_page(links="/tin-xa")
    title = "Chủ tịch xã đối thoại với thanh niên khởi nghiệp về vay vốn trồng sầu riêng"
    p.plan(p.day(2), site.publish, Post("/doi-thoai", p.day(2), body(20), title))
    p.plan(p.day(4), shared.publish, Post("/doi-thoai-2", p.day(4), "", shown(title)))
    for where in (site, shared):
        p.plan(p.day(8), where.publish, post(22, p.day(8)))


def page_cut_to_its_first_half(p: Province) -> None:
    site = p.with_whole_texts()
    words = story(1, 320).split()
    p.plan(p.day(2), site.publish, Post("/dai", p.day(2), " ".join(words)))
    p.plan(p.day(4), site.amend, "/dai", text=" ".join(words[:160]))
    p.plan(p.day(8), site.publish, Post("/tin-8", p.day(8), story(8, 320)))


def page_split_in_two(p: Province) -> None:
    site = p.with_whole_texts()
    words = story(1, 320).split()
    p.plan(p.day(2), site.publish, Post("/dai", p.day(2), " ".join(words), "Chuyện làng chài"))
    p.plan(p.day(4), site.amend, "/dai", text=" ".join(words[:160]))
    rest = Post("/dai-2", p.day(4), " ".join(words[160:]), "Chuyện làng chài (tiếp theo)")
    p.plan(p.day(4), site.publish, rest)
    p.plan(p.day(8), site.publish, Post("/tin-8", p.day(8), story(8, 320)))


def page_with_its_other_half(p: Province) -> None:
    site = p.with_whole_texts()
    words = story(1, 320).split()
    site.publish(Post("/dai", p.day(-6), " ".join(words)))
    p.plan(p.day(2), site.amend, "/dai", text=" ".join(words[:160]))
    p.plan(p.day(4), site.amend, "/dai", text=" ".join(words[160:]))
    p.plan(p.day(8), site.publish, Post("/tin-8", p.day(8), story(8, 320)))


def page_with_an_old_text_behind_it(p: Province) -> None:
    site = p.with_whole_texts()
    site.publish(Post("/cu", p.day(-6), story(2, 160)))
    p.plan(p.day(2), site.publish, Post("/dai", p.day(2), story(1, 320)))
    p.plan(p.day(4), site.amend, "/dai", text=f"{story(1, 320)} {story(2, 160)}")
    p.plan(p.day(8), site.publish, Post("/tin-8", p.day(8), story(8, 320)))


def part_shown_together_with_the_whole(p: Province) -> None:
    site = p.with_whole_texts()
    p.hours = (20,)
    p.unpolled.add(str(p.monday + timedelta(days=1)))
    words = story(1, 320).split()
    p.plan(p.day(2), site.publish, Post("/dai", p.day(2), " ".join(words)))
    p.plan(p.day(3), site.publish, Post("/dai-2", p.day(3), " ".join(words[105:215])))
    p.plan(p.day(8), site.publish, Post("/tin-8", p.day(8), story(8, 320)))


def part_of_an_old_short_text(p: Province) -> None:
    site = p.with_history()
    words = story(1, 180).split()
    p.plan(p.day(2), site.publish, Post("/dai", p.day(2), " ".join(words)))
    p.plan(p.day(4), site.publish, Post("/dai-2", p.day(4), " ".join(words[:90]), "Tin ngành y tế"))
    p.publish(22, p.day(8))


def old_short_texts_under_other_titles(p: Province) -> None:
    _short_texts_again(p, lambda words: words)


def old_short_texts_with_two_words_changed(p: Province) -> None:
    _short_texts_again(p, lambda words: [*words[:9], "nay", *words[10:20], "bèn", *words[21:]])


def short_parts_of_old_texts(p: Province) -> None:
    site, portal = p.with_whole_texts(), p.with_portal()
    own, theirs = story(51, 300).split(), story(52, 300).split()
    site.publish(Post("/dai", p.day(-6), " ".join(own), "Chuyện làng chài"))
    p.plan(p.day(1), portal.publish, Post("/cua-cong", p.day(1), " ".join(theirs), "Nhịp sống vùng cao"))
    p.plan(p.day(2), site.publish, Post("/trich-1", p.day(2), " ".join(own[140:185]), "Góc nhìn cuối tuần"))
    p.plan(p.day(4), site.publish, Post("/trich-2", p.day(4), " ".join(theirs[90:120]), "Người tốt việc tốt"))
    p.plan(p.day(8), site.publish, Post("/tin-8", p.day(8), story(8, 320)))


def _short_texts_again(p: Province, changed: Callable[[list[str]], list[str]]) -> None:
    site = p.with_whole_texts()
    for number, length in ((51, 30), (52, 50)):
        site.publish(Post(f"/cu-{number}", p.day(-6), story(number, length), f"Bản tin ngành y tế kỳ {number}"))
    for day, number, length in ((2, 51, 30), (4, 52, 50)):
        words = changed(story(number, length).split())
        title = "Góc nhìn cuối tuần" if day == 2 else "Người tốt việc tốt"
        p.plan(p.day(day), site.publish, Post(f"/moi-{day}", p.day(day), " ".join(words), title))
    p.plan(p.day(8), site.publish, Post("/tin-8", p.day(8), story(8, 320)))


def old_titles_put_up_again_on_a_page(p: Province) -> None:
    p.with_history()
    page = p.with_page(links="/trang")
    for number in (1, 2):
        page.publish(Post(f"/cu-{number}", p.day(-9 - number), "", story(60 + number, 9)))
    for day, number in ((2, 1), (4, 2)):
        p.plan(p.day(day), page.publish, Post(f"/moi-{number}", p.day(day), "", story(60 + number, 9)))
    p.publish(22, p.day(8))


def old_titles_shortened_on_a_page(p: Province) -> None:
    p.with_history()
    page = p.with_page(links="/trang")
    for number in (1, 2):
        page.publish(Post(f"/cu-{number}", p.day(-9 - number), "", story(60 + number, 9)))
    for day, number in ((2, 1), (4, 2)):
        cut = f"{' '.join(story(60 + number, 9).split()[:6])}..."
        p.plan(p.day(day), page.publish, Post(f"/moi-{number}", p.day(day), "", cut))
    p.publish(22, p.day(8))


def one_page_at_its_other_addresses(p: Province) -> None:
    site = p.with_history()
    p.plan(p.day(2), site.publish, Post("/tin", p.day(2), story(2)))
    p.plan(p.day(4), site.publish, Post("/tin/?utm_source=zalo", p.day(4), story(4)))
    p.publish(22, p.day(8))


def old_texts_at_new_addresses(p: Province) -> None:
    site = p.with_history()
    p.plan(p.day(2), site.publish, replace(post(1, p.day(2)), path="/moi-1"))
    p.plan(p.day(4), site.publish, replace(post(2, p.day(4)), path="/moi-2"))
    p.publish(22, p.day(8))


def old_texts_with_a_block_of_newest_items(p: Province) -> None:
    site = _site_with_titles(p)
    for day, number in ((2, 0), (4, 1)):
        one = Post(f"/lai-{day}", p.day(day), f"{story(number, 120)} {_block(p, day, range(3, 9))}", story(40 + day, 9))
        p.plan(p.day(day), site.publish, one)
    p.publish(22, p.day(8))


def page_whose_block_of_newest_items_changes(p: Province) -> None:
    site = _site_with_titles(p)
    for day, first in ((2, 1), (4, 5)):
        text = f"{story(0, 120)} {_block(p, day, range(first, first + 4))}"
        p.plan(p.day(day), site.amend, "/tin-0", text=text)
    p.publish(22, p.day(8))


def _site_with_titles(p: Province) -> Site:
    p.site.gives_whole_texts = True
    for number in range(9):
        claims = f"{p.monday - timedelta(days=20 - 2 * number)} 09:00"
        p.site.publish(Post(f"/tin-{number}", claims, story(number, 120), story(20 + number, 9)))
    p.poll("feed", "rss", url=f"{p.server.url}/rss")
    return p.site


def _block(p: Province, day: int, numbers: Iterable[int]) -> str:
    """Return the titles of items of the site as they stand below a text."""
    titles = " ".join(f"{story(20 + number, 9)} ({p.day(day - 4)[8:10]}/11/2026)" for number in numbers)
    return f"Tin liên quan: {titles}"


def one_dated_back(p: Province) -> None:
    p.with_history()
    p.publish(20, p.day(3))
    p.plan(p.day(8), p.site.publish, post(21, p.day(4)))
    p.publish(22, p.day(9))


def one_dated_back_to_sunday(p: Province) -> None:
    p.with_history()
    p.publish(20, p.day(3))
    p.plan(p.day(8), p.site.publish, post(21, p.day(7, "11:00")))
    p.publish(22, p.day(9))


def old_articles_put_into_the_feed(p: Province) -> None:
    site = p.with_history()
    for day, number, claims in ((2, 20, "2026-06-20 09:00"), (4, 21, "2026-02-10 09:00")):
        p.plan(p.day(day), site.posts.append, post(number, claims))
    site.length = 20
    p.publish(22, p.day(8))


def several_dated_back(p: Province) -> None:
    p.with_history()
    p.plan(p.day(8), p.site.publish, post(20, p.day(2)), post(21, p.day(4)), post(22, p.day(8)))


def items_shown_for_minutes(p: Province) -> None:
    site = p.with_history()
    for day, number in ((2, 20), (4, 21)):
        p.plan(p.day(day, "11:50"), site.publish, post(number, p.day(day, "11:50")))
        p.plan(p.day(day, "12:10"), site.take_down, f"/tin-{number}")
    p.publish(22, p.day(8))


def items_shown_for_a_day(p: Province) -> None:
    site = p.with_history()
    for day, number in ((2, 20), (4, 21)):
        p.plan(p.day(day), site.publish, post(number, p.day(day)))
        p.plan(p.day(day + 1), site.take_down, f"/tin-{number}")
    p.publish(22, p.day(8))


def items_of_two_days_taken_down_together(p: Province) -> None:
    site = p.with_history()
    p.hours = (8, 20)
    p.publish(20, p.day(3))
    p.publish(21, p.day(4))
    p.plan(p.day(4, "21:00"), site.take_down, "/tin-20", "/tin-21")


def item_replaced_by_itself(p: Province) -> None:
    site = p.with_history()
    p.publish(20, p.day(2))
    p.plan(p.day(3), site.take_down, "/tin-20")
    p.publish(20, p.day(3), path="/tin-20-lai")
    p.publish(22, p.day(8))


def rows_that_lead_to_the_portal(p: Province) -> None:
    page = p.with_page(links="")
    page.posts = [post(number, f"{p.monday - timedelta(days=20 - 2 * number)} 09:00") for number in range(8, -1, -1)]
    for day in (2, 4):
        p.plan(p.day(day), page.publish, post(20 + day, p.day(day), path=f"https://tinh.example/tin-{day}"))
    p.plan(p.day(8), page.publish, post(22, p.day(8)))


def pins_with_new_dates(p: Province) -> None:
    site = p.with_history()
    for day in (2, 4):
        p.plan(p.day(day), site.to_front, f"/tin-{day}", claims=p.day(day))
    p.publish(22, p.day(8))


def items_moved_to_the_front(p: Province) -> None:
    site = p.with_history()
    p.plan(p.day(2), site.to_front, "/tin-2")
    p.plan(p.day(4), site.to_front, "/tin-1")
    p.publish(22, p.day(8))


def summaries_with_other_words(p: Province) -> None:
    site = p.with_history()
    long = " ".join(body(number) for number in (1, 3, 5, 6))
    site.publish(Post("/dai", f"{p.monday - timedelta(days=6)} 09:00", long))
    p.plan(p.day(2), site.publish, Post("/moi-1", p.day(2), long.replace("Sáng nay", "Vừa qua")))
    p.plan(p.day(4), site.publish, Post("/moi-2", p.day(4), long.replace("Sáng nay", "Mới đây", 1)))
    p.publish(22, p.day(8))


def texts_with_invisible_signs(p: Province) -> None:
    site = p.with_history()
    p.plan(p.day(2), site.publish, Post("/moi-1", p.day(2), body(1).replace(" ", "\u200b ", 5), "Tin mới"))
    p.plan(p.day(4), site.publish, Post("/moi-2", p.day(4), body(2).replace("a", "\u00ada"), "Tin khác"))
    p.publish(22, p.day(8))


def texts_with_letters_that_look_alike(p: Province) -> None:
    site = p.with_history()
    p.plan(p.day(2), site.publish, Post("/moi-1", p.day(2), body(1).replace("a", "\u0430"), "Tin mới"))
    p.plan(p.day(4), site.publish, Post("/moi-2", p.day(4), body(2).replace("o", "\u043e"), "Tin khác"))
    p.publish(22, p.day(8))


def texts_with_other_numbers(p: Province) -> None:
    site = p.with_history()
    text = body(1) + " Số liệu đến ngày {}."
    site.publish(Post("/so-lieu-1", f"{p.monday - timedelta(days=6)} 09:00", text.format(10)))
    p.plan(p.day(2), site.publish, Post("/so-lieu-2", p.day(2), text.format(17)))
    p.plan(p.day(4), site.publish, Post("/so-lieu-3", p.day(4), text.format(19)))
    p.publish(22, p.day(8))


def one_item_split_into_six(p: Province) -> None:
    p.with_history()
    for number in range(20, 26):
        p.publish(number, p.day(2, f"09:{number}"))
    p.publish(32, p.day(8))


def one_word_items(p: Province) -> None:
    site = p.with_history()
    p.plan(p.day(2), site.publish, Post("/a", p.day(2), "Tin.", "Tin"))
    p.plan(p.day(4), site.publish, Post("/b", p.day(4), "Mới.", "Mới"))
    p.publish(22, p.day(8))


def bot_each_day(p: Province) -> None:
    site = p.with_history()
    for day in range(1, 6):
        text = f"Nhiệt độ {20 + day} độ, độ ẩm {70 + day} phần trăm, gió cấp {day}."
        p.plan(
            p.day(day, "06:00"), site.publish, Post(f"/thoi-tiet-{day}", p.day(day, "06:00"), text, "Thời tiết hôm nay")
        )
    p.publish(22, p.day(8))


def drafts_put_up_later(p: Province) -> None:
    rows = p.with_database()
    rows.put(1, published="2026-10-01 09:00")
    p.plan(p.day(8), rows.put, 2, published=p.day(8), created=p.day(2))
    p.plan(p.day(8), rows.put, 3, published=p.day(8), created=p.day(4))


def drafts_put_up_in_one_go(p: Province) -> None:
    rows = p.with_database()
    rows.put(1, published="2026-10-01 09:00")
    for number, day in enumerate((-3, -1, 1, 2, 3), 2):
        p.plan(p.day(4), rows.put, number, published=p.day(4), created=p.day(day))
    p.plan(p.day(8), rows.put, 9, published=p.day(8))


def rows_dated_back(p: Province) -> None:
    rows = p.with_database(trust_created=False)
    rows.put(1, published="2026-10-01 09:00")
    p.plan(p.day(8), rows.put, 2, published=p.day(2), created=p.day(2))
    p.plan(p.day(8), rows.put, 3, published=p.day(2, "09:30"), created=p.day(2, "09:30"))
    p.plan(p.day(8), rows.put, 4, published=p.day(4), created=p.day(4))
    p.plan(p.day(9), rows.put, 5, published=p.day(9))


def row_in_utc_after_sunday(p: Province) -> None:
    rows = p.with_database()
    p.hours = (8, 22)
    rows.put(1, published="2026-10-01 09:00")
    for number, on in enumerate((p.day(2), p.day(8, "06:40")), 2):
        p.put_in_utc(rows, number, on)


def rows_written_over(p: Province) -> None:
    rows = p.with_database()
    for number in (1, 2, 3):
        rows.put(number, published="2026-10-01 09:00")
    for number, day in ((2, 2), (3, 4)):
        p.plan(p.day(day), rows.change, number, title="Tin mới", body=body(40 + number), published=p.day(day))
    p.plan(p.day(8), rows.put, 5, published=p.day(8))


def lines_without_papers(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    p.plan(p.day(4), register.enter, 3, "19/11/2026", "Sở Y tế")


def lines_entered_afterwards(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(8), register.enter, 2, "17/11/2026", "Sở Y tế")
    p.plan(p.day(8), register.enter, 3, "19/11/2026", "Sở Y tế")


def paper_dated_into_the_week(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(0), register.enter, 2, "18/11/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 3, "17/11/2026", "Sở Y tế")


def one_paper_registered_twice(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.add_line, 2, "17/11/2026", "Sở Y tế", "45/BC-SYT", "Báo cáo tuần")
    p.plan(p.day(4), register.add_line, 3, "19/11/2026", "Sở Y tế", "45/BC-SYT", "Báo cáo tuần")


def one_paper_with_its_number_written_otherwise(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    for number, day, code in (
        (2, 17, "130/BC-SYT"),
        (3, 18, "130-BC/SYT"),
        (4, 19, "130/BC SYT"),
        (5, 20, "130/2026/BC-SYT"),
    ):
        p.plan(
            p.day(day - 15), register.add_line, number, f"{day}/11/2026", "Sở Y tế", code, "Báo cáo giám sát dịch bệnh"
        )


def one_paper_registered_under_another_subject(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    first, again = "Tình hình giám sát sốt xuất huyết trong tuần", "Phụ lục số liệu kèm theo"
    p.plan(p.day(2), register.add_line, 2, "17/11/2026", "Sở Y tế", "144/BC-SYT", first)
    p.plan(p.day(4), register.add_line, 3, "19/11/2026", "Sở Y tế", "144/BC-SYT ngày 16/11/2026", again)


def one_paper_registered_under_a_bare_number(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.add_line, 2, "17/11/2026", "Sở Y tế", "144", "Tình hình giám sát sốt xuất huyết")
    p.plan(p.day(4), register.add_line, 3, "19/11/2026", "Sở Y tế", "144", "Phụ lục số liệu kèm theo")


def one_paper_with_its_number_in_unusual_forms(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    forms = (("144/BC-SYT", "Tình hình sốt xuất huyết"), ("144/BCSYT", "Phụ lục số liệu"), ("BC 144", "Bản có dấu"))
    for number, (code, subject) in enumerate((*forms, ("１４４BC/SYT", "Bản gửi lại")), 2):
        p.plan(p.day(number), register.add_line, number, f"{number + 15}/11/2026", "Sở Y tế", code, subject)


def one_paper_under_one_subject_and_other_signs(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    subject = "Kết quả giám sát sốt xuất huyết"
    p.plan(p.day(2), register.add_line, 2, "17/11/2026", "Sở Y tế", "144/BC-SYT", subject)
    p.plan(p.day(4), register.add_line, 3, "19/11/2026", "Sở Y tế", "144/SYT-NVY", f"V/v {subject}")


def totals_and_headings_of_a_register(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    page = (
        "Cộng trang,2,,,",
        "Trang 2,,,,",
        register.lines[0],
        "(1),(2),(3),(4),(5)",
        "Tháng 11 năm 2026,,,,",
        "…,…,…,…,…",
    )
    p.plan(p.day(3), register.add_written, *page)
    end = (
        "Tổng cộng: 2 văn bản,,,,",
        ",,,Người lập sổ,",
        ",,,Nguyễn Thị Hoa,",
        "Ghi chú: dòng tô vàng là văn thư mới nhập,,,,",
    )
    p.plan(p.day(5), register.add_written, *end)


def lines_without_a_day(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "", "Sở Y tế")
    p.plan(p.day(4), register.enter, 3, "", "Sở Y tế")


def lines_without_an_author(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    for number in range(2, 7):
        p.plan(p.day(number - 1), register.enter, number, f"{number + 14}/11/2026", "")


def line_without_an_author_where_two_are_lacking(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "")


def lines_that_repeat_the_author(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "nt")
    p.plan(p.day(4), register.enter, 3, "19/11/2026", "//")


def lines_that_repeat_another_author(p: Province) -> None:
    register = p.with_register(outsiders=["Bộ *"])
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    p.plan(p.day(3), register.enter, 3, "18/11/2026", "Bộ Y tế")
    p.plan(p.day(4), register.enter, 4, "19/11/2026", "như trên")


def papers_of_another_provinces_agency(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    p.plan(p.day(3), register.enter, 3, "18/11/2026", "Sở Y tế Đắk Lắk")
    p.plan(p.day(4), register.enter, 4, "19/11/2026", "Sở Y tế TP. Đà Nẵng")


def papers_of_a_declared_outsider_that_holds_the_units_name(p: Province) -> None:
    register = p.with_register(outsiders=["Công đoàn *"])
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    p.plan(p.day(4), register.enter, 3, "19/11/2026", "Công đoàn Sở Y tế")


def lines_that_repeat_the_paper_number(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    p.plan(p.day(4), register.add_line, 3, "19/11/2026", "Sở Y tế", "nt", "Báo cáo tuần, bản giấy")


def lines_that_wait_for_another_day(p: Province) -> None:
    p.monday = date(2026, 11, 9)
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    register.enter(2, "9/11/2026", "Sở Y tế")
    register.enter(3, "10/11/2026", "Sở Y tế")


def days_exchanged_into_the_week(p: Province) -> None:
    p.monday = date(2026, 11, 9)
    register = p.with_register()
    register.enter(1, "15/10/2026", "Sở Y tế")
    p.plan(p.day(1), register.enter, 2, "2026-11-09", "Sở Y tế")  # of 11 September
    p.plan(p.day(2), register.enter, 3, "2026-11-10", "Sở Y tế")  # of 11 October


def one_mail_again_and_again(p: Province) -> None:
    mail = p.with_mail()
    p.units[0] = replace(HEALTH, aliases=("soyte.khanhhoa.example",))
    for day in (-4, 2, 4):
        p.plan(p.day(day), mail.receive, p.day(day), "vanthu@soyte.khanhhoa.example", body(1))


def mail_dated_back(p: Province) -> None:
    mail = p.with_mail()
    p.units[0] = replace(HEALTH, aliases=("soyte.khanhhoa.example",))
    for day, number in ((2, 1), (4, 2)):
        p.plan(p.day(8), mail.receive, p.day(8), "vanthu@soyte.khanhhoa.example", body(number), sent=p.day(day))


def mail_dated_back_over_the_weekend(p: Province) -> None:
    mail = p.with_mail()
    p.units[0] = replace(HEALTH, aliases=("soyte.khanhhoa.example",))
    for number, sent in ((1, p.day(2)), (2, p.day(5, "16:00"))):
        taken = p.day(2) if number == 1 else p.day(8)
        p.plan(taken, mail.receive, taken, "vanthu@soyte.khanhhoa.example", body(number), sent=sent)


def mails_with_a_greeting_alone(p: Province) -> None:
    """Let greetings with a signature and a logo come in, without a word of news."""
    mail = p.with_mail()
    p.units[0] = replace(HEALTH, aliases=("soyte.khanhhoa.example",))
    for day, text in ((2, "Kính gửi Ban biên tập. Trân trọng, Văn phòng Sở Y tế."), (4, "Em gửi bài đính kèm ạ.")):
        p.plan(p.day(day), mail.receive, p.day(day), "vanthu@soyte.khanhhoa.example", text, file="logo.png")


def old_mail_put_back(p: Province) -> None:
    """Let two mails of September be put into the mailbox anew, as by a mail program that gives them the time of now."""
    mail = p.with_mail()
    p.units[0] = replace(HEALTH, aliases=("soyte.khanhhoa.example",))
    for day, number in ((2, 1), (4, 2)):
        sent = f"2026-09-{10 + day} 09:00"
        p.plan(p.day(day), mail.receive, p.day(day), "vanthu@soyte.khanhhoa.example", body(number), sent=sent)


def empty_mails(p: Province) -> None:
    mail = p.with_mail()
    p.units[0] = replace(HEALTH, aliases=("soyte.khanhhoa.example",))
    for day in (2, 4):
        p.plan(p.day(day), mail.receive, p.day(day), "vanthu@soyte.khanhhoa.example", "", subject=f"Tin {day}")


def answers_of_mail_programs_in_plain_text(p: Province) -> None:
    """Let programs answer in plain text, without a header that says so."""
    mail = _mail_of_the_unit(p)
    for day, subject in ((2, "Đã đọc: Lịch công tác"), (4, "Automatic reply: Lịch họp Ban biên tập")):
        lines = (
            "From: <vanthu@soyte.khanhhoa.example>",
            f"Subject: {subject}",
            'Content-Type: text/plain; charset="utf-8"',
            "",
            body(day),
        )
        p.plan(p.day(day), mail.deliver, p.day(day), "\r\n".join(lines).encode())


def answers_to_invitations(p: Province) -> None:
    mail = _mail_of_the_unit(p)
    for day in (2, 4):
        lines = (
            "From: <vanthu@soyte.khanhhoa.example>",
            f"Subject: Accepted: Meeting of November {15 + day}",
            'Content-Type: text/calendar; charset="utf-8"; method=REPLY',
            "",
            "BEGIN:VCALENDAR",
            "METHOD:REPLY",
            "BEGIN:VEVENT",
            f"UID:{day}@khanhhoa.example",
            "END:VEVENT",
            "END:VCALENDAR",
        )
        p.plan(p.day(day), mail.deliver, p.day(day), "\r\n".join(lines).encode())


def answers_of_somebody_absent(p: Province) -> None:
    mail = _mail_of_the_unit(p)
    for day, head in ((2, "Precedence: auto_reply"), (4, "Return-Path: <>")):
        lines = (
            head,
            "From: vanthu@soyte.khanhhoa.example",
            f"Subject: Tra loi tu dong {day}",
            "Content-Type: text/plain; charset=utf-8",
            "",
            f"Tôi đi công tác {day} ngày, có việc cần xin gọi số 0905 123 45{day}.",
        )
        p.plan(p.day(day), mail.deliver, p.day(day), "\r\n".join(lines).encode())


def _mail_of_the_unit(p: Province) -> KeptMail:
    p.units[0] = replace(HEALTH, aliases=("soyte.khanhhoa.example",))
    return p.with_mail()


SUBJECT = "Báo cáo kết quả giám sát sốt xuất huyết tháng mười một"


def paper_mailed_and_registered(p: Province) -> None:
    _mailed_and_registered(p, f"Kính gửi Văn phòng {body(3)}", subject=SUBJECT, file="van-ban.pdf")


def paper_mailed_that_names_its_number(p: Province) -> None:
    _mailed_and_registered(p, f"Sở Y tế xin gửi Báo cáo số 70/BC-SYT. {body(3)}", subject="Gửi văn bản")


def paper_mailed_as_a_file_of_its_number(p: Province) -> None:
    _mailed_and_registered(p, body(3), subject="Văn bản của Sở Y tế", file="70-bc-syt.pdf")


def paper_mailed_that_names_a_bare_number(p: Province) -> None:
    _mailed_and_registered(p, f"Sở Y tế xin gửi báo cáo số 70. {body(3)}", subject="Gửi văn bản")


def paper_mailed_under_a_bare_number(p: Province) -> None:
    _mailed_and_registered(p, body(3), subject="Báo cáo số 70 ngày 19/11/2026")


def paper_mailed_as_a_file_of_a_bare_number(p: Province) -> None:
    _mailed_and_registered(p, body(3), subject="Văn bản của Sở Y tế", file="BC70.pdf")


def _mailed_and_registered(p: Province, text: str, *, subject: str, file: str = "") -> None:
    mail, register = _mail_of_the_unit(p), p.with_register()
    sender = "vanthu@soyte.khanhhoa.example"
    p.plan(p.day(2), mail.receive, p.day(2), sender, text, subject=subject, file=file)
    p.plan(p.day(4), register.add_line, 3, "19/11/2026", "Sở Y tế", "70/BC-SYT", SUBJECT)


def all_addresses_changed(p: Province) -> None:
    site = p.with_history()
    p.plan(p.day(2), site.move, "/x")
    p.plan(p.day(4), site.move, "/y")
    p.publish(22, p.day(8))


def ids_that_change_daily(p: Province) -> None:
    site = p.with_history()
    for day in range(1, 9):
        p.plan(p.day(day), site.renumber, f"{day}")
    p.publish(22, p.day(8))


def addresses_with_a_counter(p: Province) -> None:
    site = p.with_history()
    p.plan(p.day(2), site.amend, "/tin-1", path="/tin-1?lan=1", guid="moi-1", claims=p.day(2))
    p.plan(p.day(4), site.amend, "/tin-2", path="/tin-2?lan=2", guid="moi-2", claims=p.day(4))
    p.publish(22, p.day(8))


def old_items_in_turn(p: Province) -> None:
    site = p.with_history(30)
    site.length = 8
    for day in range(1, 9):
        p.plan(p.day(day), site.turn, 3)


def archive_in_front(p: Province) -> None:
    site = p.with_history()
    for day in (2, 4):
        p.plan(p.day(day), site.publish, post(50 + day, f"2026-0{day}-10 09:00"))
    p.publish(22, p.day(8))


def archive_dated_anew(p: Province) -> None:
    site = p.with_history()
    for day in (2, 4):
        p.plan(p.day(day), site.publish, post(50 + day, p.day(day)))
    p.publish(22, p.day(8))


def items_dated_ahead(p: Province) -> None:
    p.with_history()
    p.plan(p.day(0, "15:00"), p.site.publish, post(20, p.day(2)), post(21, p.day(4)))
    p.publish(22, p.day(8))


def one_item_in_two_sources(p: Province) -> None:
    p.with_history()
    page = p.with_page(links="")
    p.publish(20, p.day(2))
    p.plan(p.day(4), page.publish, post(20, p.day(4)))
    p.publish(22, p.day(8))
    p.plan(p.day(8), page.publish, post(22, p.day(8)))


def one_item_at_two_addresses(p: Province) -> None:
    p.with_history()
    page = p.with_page(links="/trang")
    p.publish(20, p.day(2))
    p.plan(p.day(4), page.publish, post(20, p.day(4)))
    p.publish(22, p.day(8))
    p.plan(p.day(8), page.publish, post(22, p.day(8)))


def one_title_that_moves_with_new_dates(p: Province) -> None:
    page = p.with_page(links="")
    for number in range(9):
        page.publish(post(number, f"{p.monday - timedelta(days=2 + 2 * (9 - number))} 09:00"))
    p.plan(p.day(1), page.publish, post(20, p.day(1)))
    p.plan(p.day(4), page.take_down, "/tin-20")
    p.plan(p.day(4), page.publish, post(20, p.day(4), path="/muc-khac/20"))
    p.plan(p.day(8), page.publish, post(22, p.day(8)))


def stale_cache_switched_on(p: Province) -> None:
    site = p.with_history()
    p.plan(p.day(0, "15:00"), site.freeze)
    p.plan(p.day(8), site.publish, post(20, p.day(2)), post(21, p.day(4)), post(22, p.day(8)))
    p.plan(p.day(8), setattr, site, "broken", None)


def site_switched_off(p: Province) -> None:
    site = p.with_history()
    p.plan(p.day(1, "00:00"), setattr, site, "broken", answer(status="503 Service Unavailable"))
    p.plan(p.day(8), site.publish, post(20, p.day(2)), post(21, p.day(4)))
    p.plan(p.day(8), setattr, site, "broken", None)


def feed_emptied(p: Province) -> None:
    site = p.with_history()
    p.plan(p.day(1, "00:00"), setattr, site, "broken", answer(b"<rss version='2.0'><channel></channel></rss>"))
    p.plan(p.day(8), site.publish, post(20, p.day(2)), post(21, p.day(4)))
    p.plan(p.day(8), setattr, site, "broken", None)


def texts_of_another_unit(p: Province) -> None:
    p.with_history()
    other = p.with_other_unit()
    for day, number in ((1, 70), (3, 71)):
        p.plan(p.day(day), other.publish, post(number, p.day(day)))
        p.plan(p.day(day + 1), p.site.publish, post(number, p.day(day + 1), path=f"/y-te-{number}"))
    p.publish(22, p.day(8))


def texts_of_another_unit_with_other_names_and_numbers(p: Province) -> None:
    other = p.with_other_unit()
    p.site.gives_whole_texts = other.gives_whole_texts = True
    p.with_history()
    for day, number in ((1, 31), (3, 32)):
        words, names = story(number, 360).split(), story(number + 50, 12).split()
        theirs = " ".join(f"{word} {at}" if at % 60 == 7 else word for at, word in enumerate(words))
        for place, name in enumerate(names):
            words[30 * place] = name
        ours = " ".join(f"{word} {at + 3}" if at % 60 == 7 else word for at, word in enumerate(words))
        p.plan(p.day(day), other.publish, Post(f"/tu-phap-{day}", p.day(day), theirs, story(number + 60, 9)))
        p.plan(p.day(day + 1), p.site.publish, Post(f"/tin-{day}", p.day(day + 1), ours, story(number + 70, 9)))
    p.publish(22, p.day(8))


def whole_texts_of_another_units_summaries(p: Province) -> None:
    site, other = p.with_whole_texts(), p.with_other_unit()
    for day in (1, 3):
        text, title = (
            story(day, 320),
            f"Hội nghị tổng kết công tác hòa giải ở cơ sở phía {'bắc' if day == 1 else 'nam'}",
        )
        summary = f"{' '.join(text.split()[:30])}..."
        p.plan(p.day(day), other.publish, Post(f"/tin-{day}", p.day(day), summary, title))
        whole = f"Ban biên tập. {text}" if day == 1 else text
        shown = title if day == 1 else "Tin trong tuần"
        p.plan(p.day(day + 1), site.publish, Post(f"/moi-{day}", p.day(day + 1), whole, shown))
    p.plan(p.day(8), site.publish, Post("/tin-8", p.day(8), story(8, 320)))


def summaries_of_another_units_texts(p: Province) -> None:
    site, other = p.with_history(), p.with_other_unit()
    other.gives_whole_texts = True
    for day in (1, 3):
        text = story(day, 320)
        p.plan(p.day(day), other.publish, Post(f"/tin-{day}", p.day(day), text))
        summary = f"Xã Diên An: {' '.join(text.split()[:30])}..."
        p.plan(p.day(day + 1), site.publish, Post(f"/moi-{day}", p.day(day + 1), summary, f"Tin tuần {day}"))
    p.publish(22, p.day(8))


def titles_of_another_unit(p: Province) -> None:
    p.with_history()
    other, page = p.with_other_unit(), p.with_page(links="/trang")
    for day, form in ((1, "{}"), (3, "Xã Diên An: {}")):
        title = f"Khởi công bệnh viện đa khoa khu vực phía {'bắc' if day == 1 else 'nam'}"
        p.plan(p.day(day), other.publish, Post(f"/tin-{day}", p.day(day), story(day, 320), title))
        p.plan(p.day(day + 1), page.publish, Post(f"/moi-{day}", p.day(day + 1), "", form.format(title)))
    for where in (p.site, page):
        p.plan(p.day(8), where.publish, post(22, p.day(8)))


def titles_of_another_units_list(p: Province) -> None:
    _site, page, other = p.with_history(), p.with_page(links="/trang"), p.with_other_list()
    for day in (1, 3):
        title = f"Khởi công bệnh viện đa khoa khu vực phía {'bắc' if day == 1 else 'nam'}"
        p.plan(p.day(day), other.publish, Post(f"/tin-{day}", p.day(day), "", title))
        p.plan(p.day(day + 1), page.publish, Post(f"/moi-{day}", p.day(day), "", title))
    for where in (p.site, page):
        p.plan(p.day(8), where.publish, post(22, p.day(8)))


def item_under_the_names_of_two_units(p: Province) -> None:
    feed = p.with_authored_items("subportal")
    for number in range(9):
        on = f"2026-11-{number + 5:02} 09:00"
        feed.publish(Post(f"/tin-{number}", on, story(number)), "Sở Tư pháp" if number % 2 else "Sở Y tế")
    p.plan(p.day(2), feed.publish, Post("/tin-20", p.day(2), story(20)), "Sở Y tế")
    p.plan(p.day(4), feed.publish, Post("/tin-21", p.day(4), story(21)), "Sở Y tế", "Sở Tư pháp")
    p.plan(p.day(8), feed.publish, Post("/tin-22", p.day(8), story(22)), "Sở Y tế")


def undated_on_sunday_evening(p: Province) -> None:
    p.with_history()
    p.plan(p.day(7, "21:00"), p.site.publish, post(20, ""), post(21, ""))
    p.publish(22, p.day(8))


def page_rewritten_to_and_fro(p: Province) -> None:
    site = p.with_history()
    p.plan(p.day(2), site.amend, "/tin-1", text=body(2))
    p.plan(p.day(4), site.amend, "/tin-1", text=body(1))
    p.publish(22, p.day(8))


def map_that_had_its_documents_before(p: Province) -> None:
    site = p.with_map()
    site.documents += [f"/van-ban/qd-{number}" for number in range(11, 15)]
    for day, path in ((2, "/category/van-ban"), (3, "/page/2"), (4, "/anh/qd-10.jpg")):
        p.plan(p.day(day), site.documents.append, path)


EVASIONS: Mapping[Way, DutyVerdict] = {
    texts_with_other_words: UNMET,
    name_changed_under_one_title: UNKNOWN,
    texts_with_words_here_and_there: UNKNOWN,
    rows_with_words_here_and_there: UNKNOWN,
    sentences_in_another_order: UNKNOWN,
    part_of_an_old_text: UNKNOWN,
    beginning_of_an_old_text: UNKNOWN,
    text_without_marks: UNKNOWN,
    text_with_half_its_marks: UNKNOWN,
    text_in_letters_of_best_fit: UNKNOWN,
    text_in_a_wrong_encoding: UNKNOWN,
    words_set_in_pieces: UNMET,
    words_with_a_soft_hyphen: UNMET,
    words_cut_by_blanks: UNKNOWN,
    text_in_vni: UNKNOWN,
    text_in_tcvn: UNKNOWN,
    text_in_viqr: UNKNOWN,
    text_with_markup_escaped_twice: UNMET,
    text_with_entities_escaped_twice: UNMET,
    text_with_lost_letters: UNKNOWN,
    text_with_the_blanks_of_a_pdf: UNKNOWN,
    text_with_lost_blanks: UNKNOWN,
    text_with_its_letters_escaped: UNKNOWN,
    text_with_hidden_words: UNMET,
    text_pasted_twice: UNKNOWN,
    old_texts_put_together: UNKNOWN,
    eight_old_texts_put_together: UNKNOWN,
    portal_news_of_a_source_that_was_removed: UNKNOWN,
    portal_news_of_a_source_that_was_renamed: UNKNOWN,
    part_of_a_text_from_before_its_source_changed_hands: UNKNOWN,
    text_of_the_portal_cut: UNKNOWN,
    summaries_of_the_portal_news: UNKNOWN,
    titles_of_the_portal_news: UNKNOWN,
    titles_of_the_portal_news_without_marks: UNKNOWN,
    titles_of_the_portal_news_with_half_its_marks: UNKNOWN,
    portal_news_with_its_dates: UNKNOWN,
    portal_news_dated_a_little_before: UNKNOWN,
    portal_news_dated_hours_before: UNKNOWN,
    portal_news_while_its_feed_is_out: UNKNOWN,
    whole_texts_of_the_portals_summaries: UNKNOWN,
    whole_texts_of_which_the_portal_shows_another_stretch: UNKNOWN,
    whole_texts_under_the_portals_titles: UNKNOWN,
    summary_under_a_longer_title: UNKNOWN,
    summary_that_grew: UNKNOWN,
    texts_of_a_feed_that_gave_summaries: UNKNOWN,
    whole_texts_and_an_old_one_in_one_poll: UNKNOWN,
    texts_of_a_json_feed_that_were_cut: UNKNOWN,
    short_page_that_gets_an_old_text: UNKNOWN,
    part_of_a_short_summary: UNKNOWN,
    first_words_of_an_old_text: UNKNOWN,
    summary_with_a_place_in_front: UNKNOWN,
    portal_titles_with_more_or_less: UNKNOWN,
    title_with_the_unit_in_front: UNKNOWN,
    title_with_the_unit_behind: UNKNOWN,
    title_cut_short: UNKNOWN,
    title_cut_short_with_the_unit_in_front: UNKNOWN,
    title_cut_after_six_words: UNKNOWN,
    old_titles_put_up_again_on_a_page: UNKNOWN,
    old_titles_shortened_on_a_page: UNKNOWN,
    page_cut_to_its_first_half: UNMET,
    page_split_in_two: UNKNOWN,
    page_with_its_other_half: UNMET,
    page_with_an_old_text_behind_it: UNKNOWN,
    part_shown_together_with_the_whole: UNKNOWN,
    part_of_an_old_short_text: UNKNOWN,
    short_parts_of_old_texts: UNKNOWN,
    old_short_texts_under_other_titles: UNKNOWN,
    old_short_texts_with_two_words_changed: UNKNOWN,
    one_page_at_its_other_addresses: UNKNOWN,
    old_texts_at_new_addresses: UNKNOWN,
    old_texts_with_a_block_of_newest_items: UNKNOWN,
    page_whose_block_of_newest_items_changes: UNMET,
    one_dated_back: UNMET,
    one_dated_back_to_sunday: UNKNOWN,
    old_articles_put_into_the_feed: UNKNOWN,
    one_sitting_that_claims_two_days: UNKNOWN,
    one_sitting_around_the_evening_poll: UNKNOWN,
    one_sitting_in_a_list_of_days: UNKNOWN,
    several_dated_back: PENDING,
    items_shown_for_minutes: UNKNOWN,
    items_shown_for_a_day: UNKNOWN,
    items_of_two_days_taken_down_together: UNKNOWN,
    item_replaced_by_itself: UNKNOWN,
    rows_that_lead_to_the_portal: UNKNOWN,
    pins_with_new_dates: UNMET,
    items_moved_to_the_front: UNMET,
    summaries_with_other_words: UNKNOWN,
    texts_with_invisible_signs: UNKNOWN,
    texts_with_letters_that_look_alike: UNKNOWN,
    texts_with_other_numbers: UNKNOWN,
    numbers_in_other_signs: UNKNOWN,
    text_with_a_counter: UNKNOWN,
    old_text_with_a_lead_and_a_telephone_number: UNKNOWN,
    old_text_as_captions: UNKNOWN,
    one_item_split_into_six: UNMET,
    one_word_items: UNKNOWN,
    bot_each_day: UNKNOWN,
    drafts_put_up_later: UNMET,
    drafts_put_up_in_one_go: UNMET,
    rows_dated_back: PENDING,
    row_in_utc_after_sunday: UNKNOWN,
    rows_written_over: UNMET,
    lines_without_papers: MET,
    lines_entered_afterwards: MET,
    paper_dated_into_the_week: UNMET,
    one_paper_registered_twice: UNKNOWN,
    one_paper_with_its_number_written_otherwise: UNKNOWN,
    one_paper_registered_under_another_subject: UNKNOWN,
    one_paper_registered_under_a_bare_number: UNKNOWN,
    one_paper_with_its_number_in_unusual_forms: UNKNOWN,
    one_paper_under_one_subject_and_other_signs: UNKNOWN,
    one_paper_in_two_registers: UNKNOWN,
    paper_and_its_certified_copy: UNKNOWN,
    one_paper_without_a_number_registered_twice: UNKNOWN,
    one_paper_without_a_number_under_a_like_subject: UNKNOWN,
    one_paper_once_without_its_number: UNKNOWN,
    one_arrival_number_with_zeros_in_front: UNKNOWN,
    one_paper_in_a_register_saved_anew: UNMET,
    one_joint_paper_under_two_forms_of_its_number: UNKNOWN,
    totals_and_headings_of_a_register: UNMET,
    lines_without_a_day: UNKNOWN,
    lines_without_an_author: UNKNOWN,
    line_without_an_author_where_two_are_lacking: UNMET,
    lines_that_repeat_the_author: UNKNOWN,
    lines_that_repeat_another_author: UNMET,
    papers_of_another_provinces_agency: UNMET,
    papers_of_a_declared_outsider_that_holds_the_units_name: UNMET,
    lines_that_repeat_the_paper_number: UNKNOWN,
    lines_that_wait_for_another_day: UNKNOWN,
    days_exchanged_into_the_week: UNKNOWN,
    one_mail_again_and_again: UNKNOWN,
    mail_dated_back: UNMET,
    mail_dated_back_over_the_weekend: UNKNOWN,
    mails_with_a_greeting_alone: UNKNOWN,
    old_mail_put_back: UNKNOWN,
    empty_mails: UNKNOWN,
    answers_of_mail_programs_in_plain_text: UNKNOWN,
    answers_to_invitations: UNKNOWN,
    answers_of_somebody_absent: UNMET,
    paper_mailed_and_registered: UNKNOWN,
    paper_mailed_that_names_its_number: UNKNOWN,
    paper_mailed_as_a_file_of_its_number: UNKNOWN,
    paper_mailed_that_names_a_bare_number: UNKNOWN,
    paper_mailed_under_a_bare_number: UNKNOWN,
    paper_mailed_as_a_file_of_a_bare_number: UNKNOWN,
    portal_news_mailed_in: UNKNOWN,
    texts_of_another_units_site_mailed_in: UNKNOWN,
    text_of_another_units_site_with_a_greeting_and_a_signature: UNKNOWN,
    whole_texts_of_another_units_summaries_mailed_in: UNKNOWN,
    whole_texts_of_another_units_titles_mailed_in: UNKNOWN,
    another_units_summaries_mailed_in_whole_with_a_greeting: UNKNOWN,
    summaries_and_titles_of_another_units_texts_mailed_in: UNKNOWN,
    file_under_the_title_of_another_units_text: UNKNOWN,
    text_of_another_units_mail_with_a_signature: UNKNOWN,
    mail_of_the_unit_under_another_units_name: UNKNOWN,
    mail_of_the_unit_that_is_answered_to_another_unit: UNKNOWN,
    forwarded_mail_of_another_unit: UNKNOWN,
    forwarded_news_of_the_portals_letter: UNKNOWN,
    news_sent_again_after_its_font_broke: UNKNOWN,
    file_saved_once_more_under_a_short_name: UNKNOWN,
    file_mended_under_its_telling_name: UNKNOWN,
    file_of_one_text_under_another_name: UNKNOWN,
    text_in_the_mail_and_then_in_a_file: UNKNOWN,
    word_file_and_the_same_as_another_kind: UNKNOWN,
    paper_mailed_as_a_file_and_registered: UNKNOWN,
    news_and_a_long_request: UNKNOWN,
    mails_of_an_editor_who_passes_on_what_others_sent: UNMET,
    letter_of_a_stranger_that_names_all_units: UNMET,
    letter_of_an_outsider_that_names_the_unit: UNMET,
    own_mail_forwarded_once_more: UNKNOWN,
    own_mail_forwarded_as_quoted_lines: UNKNOWN,
    one_mail_split_into_two_days: UNKNOWN,
    one_mail_split_without_its_text: UNKNOWN,
    one_mail_in_two_mailboxes: UNMET,
    one_mail_with_a_file_in_two_mailboxes: UNKNOWN,
    one_short_mail_in_two_mailboxes: UNKNOWN,
    mail_over_a_list_with_a_footer_and_directly: UNKNOWN,
    subject_alone_twice: UNKNOWN,
    file_alone_of_one_name_with_other_bytes: UNKNOWN,
    file_of_the_same_bytes_of_another_unit: UNKNOWN,
    file_of_the_same_bytes_under_another_name: UNKNOWN,
    own_mail_with_a_greeting_and_a_signature: UNKNOWN,
    own_mail_with_another_picture: UNKNOWN,
    text_of_the_portal_with_a_greeting_and_a_signature: UNKNOWN,
    portal_news_registered: UNKNOWN,
    all_addresses_changed: UNMET,
    ids_that_change_daily: UNMET,
    addresses_with_a_counter: UNKNOWN,
    old_items_in_turn: UNKNOWN,
    archive_in_front: UNKNOWN,
    archive_dated_anew: UNKNOWN,
    items_dated_ahead: UNMET,
    one_item_in_two_sources: UNMET,
    one_item_at_two_addresses: UNKNOWN,
    one_title_that_moves_with_new_dates: UNKNOWN,
    stale_cache_switched_on: PENDING,
    site_switched_off: PENDING,
    feed_emptied: PENDING,
    texts_of_another_unit: UNKNOWN,
    texts_of_another_unit_with_other_names_and_numbers: UNKNOWN,
    whole_texts_of_another_units_summaries: UNKNOWN,
    summaries_of_another_units_texts: UNKNOWN,
    titles_of_another_unit: UNKNOWN,
    titles_of_another_units_list: UNKNOWN,
    item_under_the_names_of_two_units: UNKNOWN,
    undated_on_sunday_evening: UNMET,
    page_rewritten_to_and_fro: UNMET,
    map_that_had_its_documents_before: UNMET,
}
"""What each comes to, or ought to."""
WRONG: Mapping[Way, str] = {
    texts_of_another_unit_with_other_names_and_numbers: "a form of a tenth of new words with new numbers is as often an honest one",
    archive_dated_anew: "no poll has seen the archive",
    news_and_a_long_request: "what a mail is about is not understood",
}
"""Why the program takes them for work all the same."""


@pytest.mark.parametrize(("way", "verdict"), cases(EVASIONS, WRONG))
def test_a_unit_that_feigns_work_meets_no_week_but_by_a_persons_word(
    province: Province, way: Way, verdict: DutyVerdict
) -> None:
    way(province)

    found, week = province.judged()

    assert found is verdict, week.reason
    assert found is not MET or {one.grade for one in week.items} == {Grade.D}


def test_a_paper_that_came_in_before_is_named_with_its_day(province: Province) -> None:
    one_paper_with_its_number_written_otherwise(province)

    assert (
        "a paper of this number or subject came in before: 130/BC-SYT Báo cáo giám sát dịch bệnh, on 2026-11-17"
        in province.reasons().values()
    )


@pytest.mark.parametrize(
    ("way", "why"),
    [
        (
            one_paper_registered_twice,
            "a paper of this number or subject came in before: 45/BC-SYT Báo cáo tuần, on 2026-11-17",
        ),
        (
            file_of_the_same_bytes_under_another_name,
            "the unit itself sent the same file with Ra quân vệ sinh môi trường biển đợt cuối năm (vanthu@soyte.khanhhoa.example), on 2026-11-17",
        ),
        (
            news_sent_again_after_its_font_broke,
            "this mail says that it sends again, or completes, what came before: Ra quân vệ sinh môi trường biển đợt cuối năm",
        ),
        (title_with_the_unit_in_front, "this title, or one that has it in it, was at "),
        (title_cut_short, "this title, or one that has it in it, was at "),
        (
            empty_mails,
            "this mail has fewer than 200 letters and no document, or it answers an invitation or is a receipt",
        ),
        (
            answers_to_invitations,
            "this mail has fewer than 200 letters and no document, or it answers an invitation or is a receipt",
        ),
    ],
)
def test_what_is_open_is_named_with_its_cause(province: Province, way: Way, why: str) -> None:
    way(province)

    whys = [*province.reasons().values()]
    assert any(why in one for one in whys), whys


def test_a_text_mailed_in_names_the_unit_whose_site_showed_it(province: Province) -> None:
    texts_of_another_units_site_mailed_in(province)

    whys = [*province.reasons().values()]  # both mails have one subject
    assert any("/tu-phap/tin-3 on 2026-11-18, before it was sent in" in why for why in whys), whys


def test_a_whole_text_mailed_in_names_the_unit_whose_site_showed_its_summary(province: Province) -> None:
    whole_texts_of_another_units_summaries_mailed_in(province)

    whys = [*province.reasons().values()]
    assert any(
        "/tu-phap/tin-3 on 2026-11-18, by its title or first words, before it was sent in" in why for why in whys
    ), whys


@pytest.mark.parametrize(
    "way", [mail_of_the_unit_under_another_units_name, mail_of_the_unit_that_is_answered_to_another_unit]
)
def test_a_mail_of_two_senders_is_open_for_the_other_unit_too_and_says_why(province: Province, way: Way) -> None:
    way(province)
    province.unit = JUSTICE

    found, week = province.judged()

    assert found is UNKNOWN, week.reason
    assert all("so that it may be of either" in why for why in province.reasons().values())


def test_a_unit_that_does_nothing_is_unmet(province: Province) -> None:
    province.with_history()
    province.publish(22, province.day(8))

    assert province.judged()[0] is UNMET


@pytest.mark.parametrize("page", ["threat-model.md", "threat-model.vi.md"])
def test_the_threat_model_has_a_row_for_each_way(page: str) -> None:
    assert rows_named_in(page, len(EVASIONS)) == [way.__name__ for way in EVASIONS]
