"""What is mailed in: another unit's news in another form than its site shows, and mails of which two units may be the sender."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from email.message import EmailMessage
from io import BytesIO

from docx import Document

from portalops.model.organisation import Agency, Name, UnitId
from tests.attacks.framed_texts import GREETING, SIGNATURE
from tests.attacks.update_scene import KeptMail, Post, Province, Site, story
from tests.checks.updates.scene import HEALTH, JUSTICE, at

SENDER = "vanthu@soyte.khanhhoa.example"
NOTE = "Kính gửi Ban Biên tập, Sở Y tế gửi bài như tệp kèm theo ạ."
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


# --- ten more ---------------------------------------------------------------------------------

BODY = "Sở gửi Ban Biên tập tin, bài tuần này trong tệp đính kèm."


def forwarded_mail_of_another_unit(p: Province) -> None:
    """Let the unit forward what another unit sent in, with the head of a forwarded mail in front. True: not this unit's work."""
    mail = _mailbox(p)
    for day, title in TITLES.items():
        text = story(day, 320)
        p.plan(p.day(day), mail.receive, p.day(day), OTHER_SENDER, text, subject=title)
        head = (
            "Kính chuyển Ban Biên tập.\n\n---------- Forwarded message ---------\nFrom: Văn thư Sở Tư pháp <vanthu@sotuphap.khanhhoa.example>\n"
            f"Date: Th 2, {15 + day} thg 11, 2026 lúc 09:00\nSubject: {title}\nTo: <vanthu@soyte.khanhhoa.example>\n\n"
        )
        p.plan(p.day(day + 1), mail.receive, p.day(day + 1), SENDER, head + text, subject=f"Fwd: {title}")


def own_mail_forwarded_once_more(p: Province) -> None:
    """Let one news be mailed twice, the second time as a forwarded mail. True: one occasion."""
    mail, text = _mailbox(p), story(2, 320)
    p.plan(p.day(2), mail.receive, p.day(2), SENDER, text, subject=TITLES[1])
    head = f"---------- Forwarded message ---------\nFrom: <{SENDER}>\nDate: 17/11/2026 09:00\nSubject: {TITLES[1]}\n\n"
    p.plan(p.day(4), mail.receive, p.day(4), SENDER, head + text, subject=f"Fwd: {TITLES[1]}")


def own_mail_forwarded_as_quoted_lines(p: Province) -> None:
    """The same with a sign in front of each line."""
    mail, words = _mailbox(p), story(2, 320).split()
    lines = [" ".join(words[at : at + 12]) for at in range(0, len(words), 12)]
    p.plan(p.day(2), mail.receive, p.day(2), SENDER, "\n".join(lines), subject=TITLES[1])
    quoted = "Vào 09:00, 17/11/2026, Sở Y tế đã viết:\n" + "\n".join(f"> {line}" for line in lines)
    p.plan(p.day(4), mail.receive, p.day(4), SENDER, quoted, subject=f"Re: {TITLES[1]}")


def one_mail_split_into_two_days(p: Province) -> None:
    """Let one mail with two pictures be sent in two parts, on two days, each with the same text. True: one occasion."""
    mail, text = _mailbox(p), story(2, 100)
    for day, part, file in ((2, "1/2", "anh1.jpg"), (4, "2/2", "anh2.jpg")):
        p.plan(p.day(day), mail.receive, p.day(day), SENDER, text, subject=f"{TITLES[1]} ({part})", file=file)


def one_mail_split_without_its_text(p: Province) -> None:
    """The same with a short text."""
    mail = _mailbox(p)
    for day, part, file in ((2, "phần 1", "anh1.jpg"), (4, "phần 2", "anh2.jpg")):
        p.plan(p.day(day), mail.receive, p.day(day), SENDER, BODY, subject=f"{TITLES[1]} ({part})", file=file)


def subject_alone_twice(p: Province) -> None:
    """Let a mail that says nothing but its subject be sent twice."""
    mail = _mailbox(p)
    for day in (2, 4):
        p.plan(p.day(day), mail.receive, p.day(day), SENDER, "", subject="Tin, bài tuần 47")


def file_alone_of_one_name_with_other_bytes(p: Province) -> None:
    """Let a file of one name be saved anew and sent again. True: nobody knows, as tin-bai.docx is the name of each week's."""
    mail = _mailbox(p)
    for day in (2, 4):
        p.plan(
            p.day(day),
            mail.receive,
            p.day(day),
            SENDER,
            "",
            subject="Tin bài",
            file="Ra quân vệ sinh môi trường biển.docx",
        )


def file_of_the_same_bytes_of_another_unit(p: Province) -> None:
    """Let another unit's file be mailed in under another name. True: not this unit's work."""
    mail = _mailbox(p)
    for day in (1, 3):
        p.plan(
            p.day(day), mail.receive, p.day(day), OTHER_SENDER, BODY, subject=TITLES[day], file=f"tp-{day}.docx",
            saved=100 + day,
        )  # fmt: skip
        p.plan(
            p.day(day + 1), mail.receive, p.day(day + 1), SENDER, "Kính gửi bài.", subject=f"Bài số {day}",
            file=f"yt-{day}.docx", saved=100 + day,
        )  # fmt: skip


def file_of_the_same_bytes_under_another_name(p: Province) -> None:
    """Let an own file be sent twice, the second time under another subject and name, in a mail with another text. True: one occasion."""
    mail = _mailbox(p)
    p.plan(p.day(2), mail.receive, p.day(2), SENDER, BODY, subject=TITLES[1], file="bai.docx", saved=101)
    p.plan(p.day(4), mail.receive, p.day(4), SENDER, story(4, 30), subject=TITLES[3], file="bai-moi.docx", saved=101)


def one_mail_in_two_mailboxes(p: Province) -> None:
    """Let one mail go to two mailboxes, of which one gets it after midnight. True: one occasion."""
    first, second = _mailbox(p), p.with_mail(name="mail-2")
    second.receive(p.day(-4), SENDER, story(98, 320))
    for mail, on in ((first, p.day(2, "23:58")), (second, p.day(3, "00:03"))):
        p.plan(
            p.day(3, "00:05"), mail.receive, on, SENDER, story(2, 320), subject=TITLES[1], message_id="<a@b.example>"
        )


def one_mail_with_a_file_in_two_mailboxes(p: Province) -> None:
    first, second = _mailbox(p), p.with_mail(name="mail-2")
    second.receive(p.day(-4), SENDER, story(98, 320))
    for mail, on in ((first, p.day(2, "23:58")), (second, p.day(3, "00:03"))):
        p.plan(
            p.day(3, "00:05"), mail.receive, on, SENDER, BODY, subject=TITLES[1], file="bai.docx", saved=101,
            message_id="<a@b.example>",
        )  # fmt: skip


def one_short_mail_in_two_mailboxes(p: Province) -> None:
    first, second = _mailbox(p), p.with_mail(name="mail-2")
    second.receive(p.day(-4), SENDER, story(98, 320))
    for mail, on in ((first, p.day(2, "23:58")), (second, p.day(3, "00:03"))):
        p.plan(p.day(3, "00:05"), mail.receive, on, SENDER, "", subject=TITLES[1], message_id="<a@b.example>")


def mail_over_a_list_with_a_footer_and_directly(p: Province) -> None:
    """Let one mail come directly and, a day later, over a list that puts a footer behind it. True: one occasion."""
    mail, text = _mailbox(p), story(2, 90)
    p.plan(p.day(2), mail.receive, p.day(2), SENDER, text, subject=TITLES[1])
    footer = "\n_______________________________________________\nTin-bai mailing list\nTin-bai@khanhhoa.example\nhttps://lists.khanhhoa.example/tin-bai"
    p.plan(p.day(3), mail.receive, p.day(3), SENDER, text + footer, subject=f"[Tin-bai] {TITLES[1]}")


def mail_from_the_address_of_a_unit_that_ended_yesterday(p: Province) -> None:
    """Let the unit's second mail come from the address of the office that it took over the day before. True: its own."""
    mail = _mailbox(p)
    p.units.append(
        Agency(
            UnitId("so-lao-dong"), Name("Sở Lao động", ""), aliases=("soldtbxh.khanhhoa.example",),
            valid_to=date(2026, 11, 18), successors=(HEALTH.id,),
        )
    )  # fmt: skip
    p.plan(p.day(2), mail.receive, p.day(2), SENDER, story(2, 320), subject=TITLES[1])
    p.plan(p.day(4), mail.receive, p.day(4), "vt@soldtbxh.khanhhoa.example", story(4, 320), subject=TITLES[3])


def own_address_under_the_name_of_a_unit_that_ended_yesterday(p: Province) -> None:
    """Let the unit's address still bear the name of the office that it took over the day before. True: its own."""
    mail = _mailbox(p)
    p.units.append(
        Agency(UnitId("so-lao-dong"), Name("Sở Lao động", ""), valid_to=date(2026, 11, 15), successors=(HEALTH.id,))
    )
    for day in (2, 4):
        p.plan(
            p.day(day), mail.receive, p.day(day), SENDER, story(day, 320), subject=TITLES[day - 1], name="Sở Lao động"
        )


def mail_that_a_server_held_back_over_midnight(p: Province) -> None:
    """Let a mail of Sunday evening reach the server minutes after midnight. True: sent in the week."""
    mail = _mailbox(p)
    p.plan(p.day(2), mail.receive, p.day(2), SENDER, story(2, 320), subject=TITLES[1])
    sent, on = p.day(7, "23:55"), p.day(8, "00:10")
    p.plan(on, mail.receive, on, SENDER, story(4, 320), subject=TITLES[3], sent=sent)


def mail_that_comes_in_again_next_week(p: Province) -> None:
    """Let Thursday's mail come in once more on Monday, under its own Message-ID, as from a relay. True: two occasions."""
    mail = _mailbox(p)
    p.plan(p.day(2), mail.receive, p.day(2), SENDER, story(2, 320), subject=TITLES[1])
    for on in (p.day(4), p.day(8)):
        p.plan(on, mail.receive, on, SENDER, story(4, 320), subject=TITLES[3], sent=p.day(4), message_id="<4@so-y-te>")


def mailbox_that_moved_to_another_server(p: Province) -> None:
    """Let all mail be copied into a new mailbox, whose server takes it on Sunday. True: two occasions."""
    mail = _mailbox(p)
    for day in (2, 4):
        said = {"subject": TITLES[day - 1], "sent": p.day(day), "message_id": f"<{day}@so-y-te>"}
        p.plan(p.day(day), mail.receive, p.day(day), SENDER, story(day, 320), **said)

    def move() -> None:
        kept, mail.messages = mail.messages, []
        mail.messages += [{**one, "received_at": at(p.day(7)).isoformat()} for one in kept]

    p.plan(p.day(7), move)


def mails_held_back_for_days(p: Province) -> None:
    """Let the mails of Tuesday and Thursday reach the server together on Friday. True: two occasions, by what was sent."""
    mail = _mailbox(p)
    for day in (2, 4):
        p.plan(p.day(5), mail.receive, p.day(5), SENDER, story(day, 320), subject=TITLES[day - 1], sent=p.day(day))


def forwarded_news_of_the_portals_letter(p: Province) -> None:
    """Let the unit send back what the portal mailed it: its own circular, with a line in front."""
    portal, mail = p.with_portal(), _mailbox(p)
    for day, title in TITLES.items():
        text = story(day, 320)
        p.plan(p.day(day), portal.publish, Post(f"/tin-{day}", p.day(day), text, title))
        head = (
            f"Kính chuyển.\n---------- Forwarded message ---------\nFrom: <bbt@khanhhoa.example>\nSubject: {title}\n\n"
        )
        p.plan(p.day(day + 1), mail.receive, p.day(day + 1), SENDER, head + text, subject=f"Fwd: {title}")


def weekly_reports_as_files_of_one_name(p: Province) -> None:
    """Let each report be a file of one name, under a subject with its own number. True: two."""
    mail, name = _mailbox(p), "Bao cao tinh hinh dich benh cua So Y te.docx"
    for day in (2, 4):
        subject = f"Báo cáo tình hình dịch bệnh ngày {15 + day}/11"
        p.plan(p.day(day), mail.receive, p.day(day), SENDER, "Kính gửi Ban Biên tập.", subject=subject, file=name)


# --- mails of an address that nobody knows ----------------------------------------------------

PRIVATE = "thuhoai.yt88@gmail.com"


def private_address_with_the_units_name_in_the_subject(p: Province) -> None:
    mail = _mailbox(p)
    for day, title in TITLES.items():
        subject = f"Tin bài của Sở Y tế tỉnh Khánh Hòa: {title}"
        p.plan(p.day(day), mail.receive, p.day(day), PRIVATE, story(day, 150), subject=subject, name="Thu Hoài")


def private_address_signed_with_the_units_name(p: Province) -> None:
    mail = _mailbox(p)
    for day, title in TITLES.items():
        said = f"{GREETING}\n\n{story(day, 150)}\n\nTrân trọng.\nThu Hoài - Văn thư Sở Y tế, ĐT 0258.3822.000"
        p.plan(p.day(day), mail.receive, p.day(day), PRIVATE, said, subject=title, name="Thu Hoài")


def private_address_with_a_copy_to_the_unit(p: Province) -> None:
    mail = _mailbox(p)
    for day, title in TITLES.items():
        p.plan(p.day(day), mail.receive, p.day(day), PRIVATE, story(day, 150), subject=title, copied_to=SENDER)


def mail_of_the_unit_that_an_editor_passes_on(p: Province) -> None:
    """Let an editor forward by hand what the unit sent to her own address."""
    mail = _mailbox(p)
    for day, title in TITLES.items():
        head = (
            f"---------- Forwarded message ---------\nTừ: Văn thư Sở Y tế <{SENDER}>\nNgày: hôm nay\nSubject: {title}\n"
            "To: lan.nt@khanhhoa.example\n\n"
        )
        said = head + story(day, 150)
        p.plan(
            p.day(day), mail.receive, p.day(day), "lan.nt@khanhhoa.example", said, subject=f"Fwd: {title}",
            name="Nguyễn Thị Lan",
        )  # fmt: skip


def mails_of_an_editor_who_passes_on_what_others_sent(p: Province) -> None:
    """Let an editor forward other units' mails alone, which name this one nowhere. True: the unit sent nothing."""
    mail = _mailbox(p)
    for day, title in TITLES.items():
        said = f"Từ: Sở Tư pháp <{OTHER_SENDER}>\nSubject: {title}\n\n{story(day, 150)}"
        p.plan(p.day(day), mail.receive, p.day(day), "lan.nt@khanhhoa.example", said, subject=f"Fwd: {title}")


def letter_of_a_stranger_that_names_all_units(p: Province) -> None:
    """Let a stranger's newsletter name four units each time. True: the unit sent nothing."""
    mail = _mailbox(p)
    names = ["Sở Y tế", "Sở Tư pháp", "Sở Tài chính", "Sở Xây dựng"]
    for number, name in enumerate(names[2:]):
        p.units.append(Agency(UnitId(f"so-{number}"), Name(name, "")))
    for day in TITLES:
        said = f"Kính gửi: {', '.join(names)}\n\n{story(day, 150)}"
        p.plan(p.day(day), mail.receive, p.day(day), "bantin@hoinghi.example", said, subject="Bản tin chuyển đổi số")


def letter_of_an_outsider_that_names_the_unit(p: Province) -> None:
    """Let a ministry, which `outsiders` of the mailbox names, write to the unit, with a copy to the portal. True: the unit sent nothing."""
    p.units[:2] = (
        replace(HEALTH, aliases=("soyte.khanhhoa.example",)),
        replace(JUSTICE, aliases=("sotuphap.khanhhoa.example",)),
    )
    mail = p.with_mail(outsiders=["moh.example"])
    mail.receive(p.day(-4), SENDER, story(99, 320))
    for day, title in TITLES.items():
        said = f"Kính gửi: Sở Y tế\n\n{story(day, 150)}"
        p.plan(p.day(day), mail.receive, p.day(day), "vanphong@cds.moh.example", said, subject=title)


# --- pictures, and mails sent again -----------------------------------------------------------


def news_with_the_same_logo_in_every_mail(p: Province) -> None:
    mail = _mailbox(p)
    p.plan(p.day(-3), mail.receive, p.day(-3), SENDER, story(90, 80), file="logo.png", saved=101)
    for day, words in ((2, 150), (4, 80)):
        said = story(day, words)
        p.plan(p.day(day), mail.receive, p.day(day), SENDER, said, subject=TITLES[day - 1], file="logo.png", saved=101)


def news_sent_again_after_its_font_broke(p: Province) -> None:
    """Let Tuesday's file be sent again on Thursday, saved anew under another name. True: one occasion."""
    mail = _mailbox(p)
    p.plan(p.day(2), mail.receive, p.day(2), SENDER, BODY, subject=TITLES[1], file="ra quan.docx")
    said = "Kính gửi Ban Biên tập.\nFile hôm trước bị lỗi font, Sở gửi lại ạ."
    p.plan(p.day(4), mail.receive, p.day(4), SENDER, said, subject="Tin vệ sinh môi trường", file="vsmt moi.docx")


def file_saved_once_more_under_a_short_name(p: Province) -> None:
    """Let a browser write (1) behind the name of the same text. True: one occasion."""
    mail = _mailbox(p)
    for day, file in ((2, "tin bai.docx"), (4, "tin bai (1).docx")):
        p.plan(p.day(day), mail.receive, p.day(day), SENDER, story(day, 30), subject=TITLES[day - 1], file=file)


def file_mended_under_its_telling_name(p: Province) -> None:
    """Let a clerk write "- sửa" behind a long name. True: one occasion."""
    mail, name = _mailbox(p), "Hội nghị sơ kết công tác y tế biển đảo"
    for day, file in ((2, f"{name}.docx"), (4, f"{name} - sửa.docx")):
        p.plan(p.day(day), mail.receive, p.day(day), SENDER, story(day, 30), subject=TITLES[day - 1], file=file)


def _with_word_file(text: str, *, name: str, subject: str, said: str = NOTE) -> bytes:
    document = Document()
    for line in text.splitlines():
        document.add_paragraph(line)
    document.save(data := BytesIO())
    mail = EmailMessage()
    mail["From"], mail["Subject"] = SENDER, subject
    mail["Message-ID"] = f"<{hashlib.sha256((name + text).encode()).hexdigest()[:20]}@soyte.khanhhoa.example>"
    mail.set_content(said)
    mail.add_attachment(data.getvalue(), maintype="application", subtype=_WORD, filename=name)
    return mail.as_bytes()


_WORD = "vnd.openxmlformats-officedocument.wordprocessingml.document"


def file_of_one_text_under_another_name(p: Province) -> None:
    """Let Tuesday's Word file be saved anew and sent on Thursday under another name and subject. True: one occasion."""
    mail = _mailbox(p)
    for day, name, subject in ((2, "bai viet 1.docx", TITLES[1]), (4, "vsmt bien.docx", "Tin, bài gửi Cổng")):
        said = story(50 + day, 40)
        p.plan(
            p.day(day), mail.deliver, p.day(day), _with_word_file(story(2, 200), name=name, subject=subject, said=said)
        )


def text_in_the_mail_and_then_in_a_file(p: Province) -> None:
    """Let Tuesday's text be sent on Thursday as a Word file. True: one occasion."""
    mail = _mailbox(p)
    p.plan(p.day(2), mail.receive, p.day(2), SENDER, f"{NOTE}\n{story(2, 200)}", subject=TITLES[1])
    word = _with_word_file(story(2, 200), name="vsmt bien.docx", subject="Tin, bài gửi Cổng")
    p.plan(p.day(4), mail.deliver, p.day(4), word)


def word_file_and_the_same_as_another_kind(p: Province) -> None:
    """Let Tuesday's Word file be sent on Thursday as a PDF of its name, without marks. True: one occasion."""
    mail = _mailbox(p)
    word = _with_word_file(story(2, 200), name="Ra quân vệ sinh môi trường biển.docx", subject=TITLES[1])
    p.plan(p.day(2), mail.deliver, p.day(2), word)
    said, file = story(50, 40), "Ra_quan_ve_sinh_moi_truong_bien.pdf"
    p.plan(p.day(4), mail.receive, p.day(4), SENDER, said, subject="Tin tuần này", file=file)


def paper_mailed_as_a_file_and_registered(p: Province) -> None:
    """Let a plan be mailed as a Word file on Tuesday, and be entered in the register on Thursday. True: one occasion."""
    register, mail = p.with_register(), _mailbox(p)
    head = "UBND TỈNH KHÁNH HÒA\nSỞ Y TẾ\nSố: 312/KH-SYT\nKhánh Hòa, ngày 17 tháng 11 năm 2026\nKẾ HOẠCH"
    text = f"{head}\nTiêm chủng bổ sung cho trẻ em\nCăn cứ Quyết định số 37/2010/QĐ-UBND;\n{story(2, 200)}"
    p.plan(p.day(2), mail.deliver, p.day(2), _with_word_file(text, name="KH tiem chung.docx", subject="Gửi kế hoạch"))
    p.plan(p.day(4), register.add_line, 2, "19/11/2026", "Sở Y tế", "312/KH-SYT", "Kế hoạch tiêm chủng bổ sung")


def news_and_a_long_request(p: Province) -> None:
    """Let one news come on Tuesday, and on Thursday a request about it, in many words. True: one occasion."""
    mail = _mailbox(p)
    p.plan(p.day(2), mail.receive, p.day(2), SENDER, story(2, 200), subject=TITLES[1])
    said = (
        "Kính gửi Ban Biên tập, trong bài đăng hôm thứ Ba về ra quân vệ sinh môi trường biển, chức danh của đồng chí phó giám đốc bị ghi nhầm"
        " thành giám đốc và thiếu một đơn vị phối hợp. Kính đề nghị quý Ban sửa lại giúp trên trang, đồng thời cấp lại mật khẩu tài khoản cộng tác"
        " viên vì cán bộ phụ trách mới nhận bàn giao công việc từ tuần trước. Trân trọng cảm ơn."
    )
    p.plan(p.day(4), mail.receive, p.day(4), SENDER, said, subject="Đề nghị điều chỉnh nội dung")


def news_with_the_same_side_file(p: Province) -> None:
    """Let a mail program put one side file into each mail. True: two occasions."""
    mail = _mailbox(p)
    for day in (2, 4):
        p.plan(
            p.day(day), mail.receive, p.day(day), SENDER, story(day, 150), subject=TITLES[day - 1], file="ATT00001.txt",
            saved=101,
        )  # fmt: skip


def news_in_word_files(p: Province) -> None:
    """Let news come as Word files with a short note. True: two occasions."""
    mail = _mailbox(p)
    for day in (2, 4):
        word = _with_word_file(story(day, 200), name="tin bai.docx", subject=f"Tin ngày {day + 15}/11")
        p.plan(p.day(day), mail.deliver, p.day(day), word)


def files_of_one_short_name(p: Province) -> None:
    """Let each week's news be a file of one short name. True: two occasions."""
    mail = _mailbox(p)
    for day in (2, 4):
        p.plan(
            p.day(day), mail.receive, p.day(day), SENDER, story(day, 30), subject=TITLES[day - 1], file="tin bai.docx"
        )
