"""What is mailed in: another unit's news in another form than its site shows, and mails of which two units may be the sender."""

from __future__ import annotations

from dataclasses import replace

from tests.attacks.framed_texts import GREETING, SIGNATURE
from tests.attacks.update_scene import KeptMail, Post, Province, Site, story
from tests.checks.updates.scene import HEALTH, JUSTICE

SENDER = "vanthu@soyte.khanhhoa.example"
TITLES = {
    1: "Ra quân vệ sinh môi trường biển đợt cuối năm",
    3: "Khởi công kè chống sạt lở bờ sông Cái",
}


def _mailbox(p: Province) -> KeptMail:
    """Let both units' mail be known by their domains; a first mail has come in."""
    p.units[:2] = (
        replace(HEALTH, aliases=("soyte.khanhhoa.example",)),
        replace(JUSTICE, aliases=("sotuphap.khanhhoa.example",)),
    )
    mail = p.with_mail()
    mail.receive(p.day(-4), SENDER, story(99, 320))
    return mail


def _cut(text: str) -> str:
    return f"{' '.join(text.split()[:30])}..."


def _list_of_titles(p: Province) -> Site:
    return p.with_other_list()


# --- feigned work -----------------------------------------------------------------------------


def whole_texts_of_another_units_summaries_mailed_in(p: Province) -> None:
    other, mail = p.with_other_unit(), _mailbox(p)
    for day, title in TITLES.items():
        text = story(day, 320)
        p.plan(p.day(day), other.publish, Post(f"/tin-{day}", p.day(day), _cut(text), title))
        subject = title if day == 1 else "Tin, bài gửi Cổng"
        p.plan(p.day(day + 1), mail.receive, p.day(day + 1), SENDER, text, subject=subject)


def whole_texts_of_another_units_titles_mailed_in(p: Province) -> None:
    other, mail = _list_of_titles(p), _mailbox(p)
    for day, title in TITLES.items():
        p.plan(p.day(day), other.publish, Post(f"/tin-{day}", p.day(day), "", title))
        subject, said = (title, story(day, 320)) if day == 1 else ("Tin, bài gửi Cổng", f"{title}\n{story(day, 320)}")
        p.plan(p.day(day + 1), mail.receive, p.day(day + 1), SENDER, said, subject=subject)


def another_units_summaries_mailed_in_whole_with_a_greeting(p: Province) -> None:
    other, mail = p.with_other_unit(), _mailbox(p)
    for day, title in TITLES.items():
        text = story(day, 320)
        p.plan(p.day(day), other.publish, Post(f"/tin-{day}", p.day(day), _cut(text), title))
        said = f"{GREETING}\n\n{text}\n\n{SIGNATURE}" if day == 1 else f"{GREETING} {text} {SIGNATURE}"
        p.plan(p.day(day + 1), mail.receive, p.day(day + 1), SENDER, said)


def summaries_and_titles_of_another_units_texts_mailed_in(p: Province) -> None:
    other, mail = p.with_other_unit(), _mailbox(p)
    other.gives_whole_texts = True
    for day, title in TITLES.items():
        text = story(day, 320)
        p.plan(p.day(day), other.publish, Post(f"/tin-{day}", p.day(day), text, title))
        if day == 1:
            said = f"Kính gửi Ban Biên tập.\n{' '.join(text.split()[:40])}"
            p.plan(p.day(day + 1), mail.receive, p.day(day + 1), SENDER, said, subject="Tin vắn")
        else:
            said = "Sở gửi Ban Biên tập bài trong tệp đính kèm."
            p.plan(p.day(day + 1), mail.receive, p.day(day + 1), SENDER, said, subject=f"Bài: {title}", file="bai.docx")


def file_under_the_title_of_another_units_text(p: Province) -> None:
    other, mail = p.with_other_unit(), _mailbox(p)
    other.gives_whole_texts = True
    names = {1: "Ra quân vệ sinh môi trường biển đợt cuối năm.docx", 3: "Khoi_cong_ke_chong_sat_lo_bo_song_Cai.pdf"}
    for day, title in TITLES.items():
        p.plan(p.day(day), other.publish, Post(f"/tin-{day}", p.day(day), story(day, 320), title))
        p.plan(p.day(day + 1), mail.receive, p.day(day + 1), SENDER, "", subject="Tin bài", file=names[day])


# --- work -------------------------------------------------------------------------------------


def own_articles_mailed_in_whole_that_another_unit_sums_up(p: Province) -> None:
    """Let the own site show summaries, another unit's site the same ones a day later, and the articles be mailed in whole."""
    site, other, mail = p.with_history(), p.with_other_unit(), _mailbox(p)
    for day, title in TITLES.items():
        text = story(day, 320)
        p.plan(p.day(day), site.publish, Post(f"/tin-{day}", p.day(day), _cut(text), title))
        p.plan(p.day(day + 1), other.publish, Post(f"/chep-{day}", p.day(day + 1), _cut(text), title))
        said = f"{GREETING}\n\n{title}\n\n{text}\n\n{SIGNATURE}"
        p.plan(p.day(day + 2), mail.receive, p.day(day + 2), SENDER, said)


def articles_mailed_in_that_another_unit_sums_up_afterwards(p: Province) -> None:
    other, mail = p.with_other_unit(), _mailbox(p)
    for day, title in TITLES.items():
        text = story(day, 320)
        p.plan(p.day(day), mail.receive, p.day(day), SENDER, f"{GREETING}\n\n{title}\n\n{text}\n\n{SIGNATURE}")
        p.plan(p.day(day + 1), other.publish, Post(f"/chep-{day}", p.day(day + 1), _cut(text), title))


def schedules_mailed_in_under_a_title_that_other_sites_have_each_week(p: Province) -> None:
    """Let the units' schedules have one title but for their numbers, each in words of its own."""
    other, mail = p.with_other_unit(), _mailbox(p)
    title = "Lịch công tác của lãnh đạo tuần {}"
    for week in (44, 45):
        other.publish(Post(f"/lich-{week}", f"2026-11-0{week - 41} 09:00", story(week, 30), title.format(week)))
    p.plan(p.day(1), other.publish, Post("/lich-47", p.day(1), story(47, 30), title.format(47)))
    for day in (2, 4):
        subject = title.format(46 + day // 2)
        p.plan(p.day(day), mail.receive, p.day(day), SENDER, story(50 + day, 90), subject=subject)


# --- mails of two senders ---------------------------------------------------------------------

OTHER_SENDER = "vanthu@sotuphap.khanhhoa.example"


def mail_of_the_unit_under_another_units_name(p: Province) -> None:
    """Let a clerk of two offices send two mails from this unit's address under the other one's name."""
    mail = _mailbox(p)
    for day, name in ((2, "Sở Tư pháp"), (4, "Văn phòng Sở Tư pháp")):
        p.plan(p.day(day), mail.receive, p.day(day), SENDER, story(day, 320), name=name)


def mail_of_another_unit_under_the_units_name(p: Province) -> None:
    mail = _mailbox(p)
    for day in (2, 4):
        p.plan(p.day(day), mail.receive, p.day(day), OTHER_SENDER, story(day, 320), name="Sở Y tế")


def mail_of_another_unit_that_is_answered_to_the_unit(p: Province) -> None:
    mail = _mailbox(p)
    for day in (2, 4):
        p.plan(p.day(day), mail.receive, p.day(day), OTHER_SENDER, story(day, 320), reply_to=SENDER)


def mail_of_the_unit_that_is_answered_to_another_unit(p: Province) -> None:
    p.units[1] = replace(JUSTICE, aliases=("sotuphap.khanhhoa.example",))
    mail = p.with_mail(units={"soyte.khanhhoa.example": "so-y-te"})
    for day in (2, 4):
        p.plan(p.day(day), mail.receive, p.day(day), SENDER, story(day, 320), reply_to=OTHER_SENDER)


def mail_of_the_unit_under_its_own_name(p: Province) -> None:
    mail = _mailbox(p)
    for day, name in ((2, "Văn phòng Sở Y tế tỉnh Khánh Hòa"), (4, "Nguyễn Thị Lan")):
        reply_to = "lan.nt@soyte.khanhhoa.example"
        p.plan(p.day(day), mail.receive, p.day(day), SENDER, story(day, 320), name=name, reply_to=reply_to)


def mail_of_a_secretary_of_three_agencies(p: Province) -> None:
    """Let one address send for three agencies, each under all their names."""
    mail = _mailbox(p)
    name = "Văn thư Sở Y tế - Sở Tư pháp - Sở Nội vụ"
    for day in (2, 4):
        p.plan(p.day(day), mail.receive, p.day(day), OTHER_SENDER, story(day, 320), name=name)


def mail_under_the_name_of_the_higher_office_too(p: Province) -> None:
    """Let a centre write its department behind its own name, which is one of its aliases."""
    mail = _mailbox(p)
    p.units[0] = replace(p.units[0], aliases=(*p.units[0].aliases, "Trung tâm Y tế - Sở Tư pháp"))
    for day in (2, 4):
        p.plan(p.day(day), mail.receive, p.day(day), SENDER, story(day, 320), name="Trung tâm Y tế - Sở Tư pháp")
