"""An earlier text that a greeting, a lead, captions or a signature stand around, and texts that a JSON feed gave cut at first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from portalops.model.updates import ItemChannel
from tests.attacks.update_scene import KeptMail, Post, Province, story
from tests.checks.updates.scene import HEALTH

SENDER = "vanthu@soyte.khanhhoa.example"
GREETING = (
    "Kính gửi Ban Biên tập Cổng thông tin điện tử tỉnh, Sở xin gửi tin bài tuyên truyền tuần từ 16/11 đến 20/11/2026."
)
SIGNATURE = "Trân trọng. Công chức văn hóa, điện thoại 0905 123 456."
LEAD = "Nhằm tuyên truyền sâu rộng tới toàn thể cán bộ và nhân dân, trang thông tin của Sở xin giới thiệu lại những nội dung chính sau."
TITLE = "Tin bài của Sở gửi Ban Biên tập"


def text_with_numbers(number: int, words: int = 320) -> str:
    """Return one of many texts that names a day, a number of people and a sum."""
    said = story(number, words).split()
    said[40:40], said[150:150], said[260:260] = f"ngày {number} tháng 9".split(), ["128", "hộ"], ["5.261", "lượt"]
    return " ".join(said)


def text_as_captions(text: str) -> str:
    """Return a text as captions of pictures, of some twenty-five words each."""
    words = text.split()
    return " ".join(
        f"Ảnh {number}: {' '.join(words[at : at + 25])}" for number, at in enumerate(range(0, len(words), 25), 1)
    )


def _mailbox(p: Province) -> KeptMail:
    mail = p.with_mail()
    p.units[0] = replace(HEALTH, aliases=("soyte.khanhhoa.example",))
    mail.receive(p.day(-4), SENDER, story(99, 320))
    return mail


def _shown_again(p: Province, framed: Callable[[str], str]) -> None:
    site, text = p.with_history(), text_with_numbers(2)
    p.plan(p.day(2), site.publish, Post("/tin-2", p.day(2), text))
    p.plan(p.day(4), site.publish, Post("/tin-4", p.day(4), framed(text), "Tin hoạt động của ngành trong tuần"))
    p.publish(22, p.day(8))


def old_text_with_a_lead_and_a_telephone_number(p: Province) -> None:
    _shown_again(p, lambda text: f"{LEAD} {text} Mọi chi tiết xin liên hệ văn phòng, điện thoại 0258 3822 456.")


def old_text_as_captions(p: Province) -> None:
    _shown_again(p, text_as_captions)


def own_mail_with_a_greeting_and_a_signature(p: Province) -> None:
    mail, text = _mailbox(p), text_with_numbers(2)
    p.plan(p.day(2), mail.receive, p.day(2), SENDER, text, subject="Ra quân vệ sinh môi trường biển")
    p.plan(p.day(4), mail.receive, p.day(4), SENDER, f"{GREETING} {text} {SIGNATURE}", subject=TITLE)


def own_mail_with_another_picture(p: Province) -> None:
    mail, text = _mailbox(p), text_with_numbers(2)
    subject = "Ra quân vệ sinh môi trường biển"
    p.plan(p.day(2), mail.receive, p.day(2), SENDER, text, subject=subject, file="IMG_2041.jpg")
    said = f"{GREETING} {text} {SIGNATURE}"
    p.plan(p.day(4), mail.receive, p.day(4), SENDER, said, subject=TITLE, file="Ảnh 1.JPG")


def text_of_another_units_mail_with_a_signature(p: Province) -> None:
    mail = _mailbox(p)
    p.units[1] = replace(p.units[1], aliases=("sotuphap.khanhhoa.example",))
    for day in (1, 3):
        text = text_with_numbers(day)
        p.plan(p.day(day), mail.receive, p.day(day), "vt@sotuphap.khanhhoa.example", text, subject=story(day, 9))
        p.plan(p.day(day + 1), mail.receive, p.day(day + 1), SENDER, f"{text} {SIGNATURE}", subject=TITLE)


def text_of_another_units_site_with_a_greeting_and_a_signature(p: Province) -> None:
    other, mail = p.with_other_unit(), _mailbox(p)
    other.gives_whole_texts = True
    for day, file in ((1, ""), (3, "anh.jpg")):
        text = text_with_numbers(day)
        p.plan(p.day(day), other.publish, Post(f"/tin-{day}", p.day(day), text))
        said = f"{GREETING} {text} {SIGNATURE}"
        p.plan(p.day(day + 1), mail.receive, p.day(day + 1), SENDER, said, subject=TITLE, file=file)


def text_of_the_portal_with_a_greeting_and_a_signature(p: Province) -> None:
    portal, mail = p.with_portal(), _mailbox(p)
    for day in (1, 3):
        text = text_with_numbers(day)
        p.plan(p.day(day), portal.publish, Post(f"/tin-{day}", p.day(day), text))
        said = f"{GREETING} {text} {SIGNATURE}"
        p.plan(p.day(day + 1), mail.receive, p.day(day + 1), SENDER, said, subject=TITLE)


def texts_of_a_json_feed_that_were_cut(p: Province) -> None:
    feed = p.with_authored_items("subportal")
    p.channel = ItemChannel.SUBPORTAL
    for number in range(30, 39):
        feed.publish(Post(f"/cu-{number}", p.day(number - 39), story(number, 320), story(number, 9)), "Sở Y tế")
    for day, number, title in (
        (2, 2, "Ra quân vệ sinh môi trường biển"),
        (4, 2, "Tin hoạt động của ngành trong tuần"),
        (8, 8, ""),
    ):
        p.plan(p.day(day), feed.publish, Post(f"/tin-{day}", p.day(day), story(number, 320), title), "Sở Y tế")
    feed.words = 40
    p.plan(p.day(3), setattr, feed, "words", None)


def short_page_that_gets_an_old_text(p: Province) -> None:
    """Let a page of a JSON feed get another page's text, with one word of thirty changed."""
    feed = p.with_authored_items("subportal")
    p.channel = ItemChannel.SUBPORTAL
    old = story(34, 320)
    for number, text in ((33, story(33, 320)), (34, old), (35, story(35, 320)), (36, story(36, 100))):
        feed.publish(Post(f"/cu-{number}", p.day(number - 40), text, story(number, 9)), "Sở Y tế")
    page = feed.items[0]
    changed = " ".join("sách" if at % 30 == 7 else word for at, word in enumerate(old.split()))
    p.plan(p.day(2), feed.publish, Post("/tin-2", p.day(2), story(2, 320)), "Sở Y tế")
    p.plan(p.day(4), page.update, content_text=changed)
    p.plan(p.day(8), feed.publish, Post("/tin-8", p.day(8), story(8, 320)), "Sở Y tế")
