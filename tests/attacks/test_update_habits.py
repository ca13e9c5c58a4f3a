"""What honest agencies do every week: none of it is taken for feigned work, and what is surely nothing stays unmet.

For each rule that opens a verdict, the usual weeks nearest to what it catches; over the real job, with the truth known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest

from portalops.model.organisation import Agency, Name, UnitId
from portalops.model.verdicts import DutyVerdict
from tests.attacks.update_scene import Post, Province, Site, Way, body, cases, post, reworded, story
from tests.checks.updates.scene import HEALTH, JUSTICE, at

MET, UNMET = DutyVerdict.MET, DutyVerdict.UNMET
DUTIES = "Lịch công tác của Ban Giám đốc Sở"
LICENCE = "Quyết định về việc cấp giấy phép hoạt động khám bệnh, chữa bệnh"


# --- one item at two addresses ------------------------------------------------------------------


def each_item_at_two_addresses(p: Province) -> None:
    p.with_history()
    page = p.with_page(links="/trang")
    for day, number in ((2, 20), (4, 21), (8, 22)):
        p.publish(number, p.day(day))
        p.plan(p.day(day), page.publish, post(number, p.day(day)))


def a_page_that_lags_by_a_day(p: Province) -> None:
    p.with_history()
    page = p.with_page(links="/trang")
    for day, number in ((2, 20), (4, 21), (8, 22)):
        p.publish(number, p.day(day))
        p.plan(p.day(day + 1), page.publish, post(number, p.day(day)))


def one_title_each_week_in_two_sources(p: Province) -> None:
    site = p.with_history()
    site.publish(Post("/lich-46", p.day(-6), body(30), DUTIES))
    page = p.with_page(links="/trang")
    schedule = Post("/lich-47", p.day(1), body(31), DUTIES)
    for where in (site, page):
        p.plan(p.day(1), where.publish, schedule)
        p.plan(p.day(4), where.publish, post(21, p.day(4)))
        p.plan(p.day(8), where.publish, post(22, p.day(8)))


def licences_of_one_title_on_a_page(p: Province) -> None:
    p.with_history()
    page = p.with_page(links="/trang")
    for day in (-1, 2, 4):
        p.plan(p.day(day), page.publish, Post(f"/giay-phep-{day}", p.day(day), "", LICENCE))
    p.publish(22, p.day(8))
    p.plan(p.day(8), page.publish, post(22, p.day(8)))


def licences_of_one_title_at_one_address_in_two_sources(p: Province) -> None:
    site = p.with_history()
    page = p.with_page(links="")
    for day in (-1, 2, 4):
        for where in (site, page):
            p.plan(p.day(day), where.publish, Post(f"/giay-phep-{day}", p.day(day), body(30 + day), LICENCE))
    for where in (site, page):
        p.plan(p.day(8), where.publish, post(22, p.day(8)))


# --- one title in the place of another one ------------------------------------------------------


def a_schedule_that_replaces_the_last_one(p: Province) -> None:
    site = p.with_history()
    page = p.with_page(links="/trang")
    p.hours = (0, 12, 23)
    page.publish(Post("/lich-45", p.day(0), "", DUTIES))
    p.plan(p.day(2), page.take_down, "/lich-45")
    p.plan(p.day(2), page.publish, Post("/lich-46", p.day(2), "", DUTIES))
    p.plan(p.day(7, "21:00"), page.take_down, "/lich-46")
    p.plan(p.day(7, "21:00"), page.publish, Post("/lich-47", p.day(7, "21:00"), "", DUTIES))
    p.plan(p.day(8), site.publish, post(22, p.day(8)))


def a_notice_corrected_under_another_title(p: Province) -> None:
    p.with_history()
    page = p.with_page(links="/trang")
    p.plan(p.day(1), page.publish, Post("/moi-hop", p.day(1), "", "Thông báo về việc họp báo quý IV"))
    p.plan(p.day(4), page.take_down, "/moi-hop")
    p.plan(p.day(4), page.publish, Post("/moi-hop-2", p.day(4), "", "Thông báo đính chính về việc họp báo quý IV"))
    p.publish(22, p.day(8))


# --- rows of a list that lead to another host ---------------------------------------------------


def rows_that_lead_elsewhere_and_go(p: Province) -> None:
    page = p.with_page(links="")
    page.posts = [post(number, f"{p.monday - timedelta(days=20 - 2 * number)} 09:00") for number in range(8, -1, -1)]
    p.plan(p.day(0, "06:00"), page.publish, post(19, p.day(0, "06:00"), path="https://tinh.example/tin-19"))
    p.plan(p.day(2), page.publish, replace(post(20, p.day(2)), title=story(20, 9)))
    p.plan(p.day(4), page.publish, replace(post(21, p.day(4)), title=story(21, 9)))
    p.plan(p.day(5), page.take_down, "https://tinh.example/tin-19")
    p.plan(p.day(8), page.publish, post(22, p.day(8)))


# --- one paper with two lines of the register ---------------------------------------------------


def papers_with_numbers_of_their_own(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.add_line, 2, "17/11/2026", "Sở Y tế", "45/BC-SYT", "Báo cáo tuần")
    p.plan(p.day(4), register.add_line, 3, "19/11/2026", "Sở Y tế", "46/BC-SYT", "Báo cáo tuần")


def papers_without_numbers(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.add_line, 2, "17/11/2026", "Sở Y tế", "", "Tin, bài gửi Cổng")
    p.plan(p.day(4), register.add_line, 3, "19/11/2026", "Sở Y tế", "", "Tin, bài gửi Cổng")


def a_line_entered_twice_and_struck_out(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(1), register.add_line, 2, "16/11/2026", "Sở Y tế", "45/BC-SYT", "Báo cáo tuần")
    p.plan(p.day(2), register.strike, 2)
    p.plan(p.day(2), register.add_line, 3, "17/11/2026", "Sở Y tế", "45/BC-SYT", "Báo cáo tuần")
    p.plan(p.day(4), register.add_line, 4, "19/11/2026", "Sở Y tế", "46/BC-SYT", "Báo cáo tuần")


# --- rows lost at once --------------------------------------------------------------------------


def one_row_taken_down_after_a_day(p: Province) -> None:
    rows = p.with_database()
    rows.put(1, published="2026-10-01 09:00")
    p.plan(p.day(1), rows.put, 2, published=p.day(1))
    p.plan(p.day(4), rows.put, 3, published=p.day(4))
    p.plan(p.day(5), rows.lose, since=3)
    p.plan(p.day(8), rows.put, 7, published=p.day(8), text=body(44))


def two_rows_taken_down_after_a_day(p: Province) -> None:
    rows = p.with_database()
    rows.put(1, published="2026-10-01 09:00")
    p.plan(p.day(2), rows.put, 2, published=p.day(2))
    p.plan(p.day(2, "10:00"), rows.put, 3, published=p.day(2, "10:00"))
    p.plan(p.day(3), rows.lose, since=2)
    p.plan(p.day(8), rows.put, 7, published=p.day(8), text=body(44))


def a_row_that_is_out_of_date_taken_down(p: Province) -> None:
    rows = p.with_database()
    rows.put(1, published="2026-10-01 09:00")
    for day, number in ((1, 2), (2, 3), (4, 4)):
        p.plan(p.day(day), rows.put, number, published=p.day(day))
    p.plan(p.day(5), rows.lose, since=4)
    p.plan(p.day(8), rows.put, 7, published=p.day(8), text=body(44))


# --- long summaries -----------------------------------------------------------------------------


def long_reports_of_other_numbers(p: Province) -> None:
    site = p.with_history()
    long = " ".join(body(number) for number in (1, 3, 5, 6)) + " Số liệu đến ngày {}."
    title = "Báo cáo hoạt động, số liệu đến ngày {}"
    site.publish(Post("/so-lieu-10", p.day(-6), long.format(10), title.format(10)))
    p.plan(p.day(2), site.publish, Post("/so-lieu-17", p.day(2), long.format(17), title.format(17)))
    p.publish(21, p.day(4))
    p.publish(22, p.day(8))


def long_texts_that_share_a_part(p: Province) -> None:
    site = p.with_history()
    for day, own in ((2, (0, 20)), (4, (19, 38))):
        text = " ".join(map(body, (30, *own)))
        p.plan(p.day(day), site.publish, Post(f"/dai-{day}", p.day(day), text))
    p.publish(22, p.day(8))


def short_summaries_with_one_beginning(p: Province) -> None:
    site = p.with_history()
    for day, place in ((-3, "Diên An"), (2, "Diên Phú"), (4, "Suối Dầu")):
        text = f"{body(9)} Danh sách cơ sở tiêm chủng đủ điều kiện của xã {place}."
        p.plan(p.day(day), site.publish, Post(f"/tiem-{day}", p.day(day), text, f"Cơ sở tiêm chủng của xã {place}"))
    p.publish(22, p.day(8))


# --- titles that have another one in them ------------------------------------------------------


def other_news_with_the_unit_in_front(p: Province) -> None:
    site = p.with_history()
    shared = p.with_page(links="/tin-xa")
    p.plan(
        p.day(2),
        site.publish,
        Post("/doi-thoai", p.day(2), body(20), "Chủ tịch xã đối thoại với thanh niên khởi nghiệp"),
    )
    p.plan(
        p.day(4),
        shared.publish,
        Post("/tham", p.day(4), "", "Xã Diên An: Chủ tịch xã đối thoại với nông dân trồng sầu riêng"),
    )
    for where in (site, shared):
        p.plan(p.day(8), where.publish, post(22, p.day(8)))


def each_item_of_another_source_with_the_unit_in_front(p: Province) -> None:
    site = p.with_history()
    shared = p.with_page(links="/tin-xa")
    for day, title in (
        (2, "Tổ chức hội nghị tổng kết công tác dân số"),
        (4, "Tổ chức hội nghị triển khai công tác tiêm chủng"),
        (8, "Ra quân dọn vệ sinh bãi biển phía nam"),
    ):
        p.plan(p.day(day), site.publish, Post(f"/tin-{day}0", p.day(day), body(20 + day), title))
        p.plan(p.day(day), shared.publish, Post(f"/tin-{day}1", p.day(day), "", f"Sở Y tế: {title}"))


def own_news_with_a_place_in_front(p: Province) -> None:
    site, portal = p.with_history(), p.with_portal()
    for day in (1, 2, 4):
        p.plan(
            p.day(day, "08:00"),
            portal.publish,
            Post(
                f"/tin-{day}",
                p.day(day, "08:00"),
                story(day, 320),
                f"Khánh Hòa: Thông báo lịch tiếp công dân tháng {day + 8}",
            ),
        )
        p.plan(
            p.day(day),
            site.publish,
            Post(
                f"/lich-{day}",
                p.day(day),
                f"Khánh Hòa - {story(day + 40, 35)}...",
                f"Thông báo lịch tiếp công dân tháng {day}",
            ),
        )
    p.publish(22, p.day(8))


# --- pages and parts ----------------------------------------------------------------------------


def a_second_part_that_was_never_shown(p: Province) -> None:
    site = p.with_whole_texts()
    words = story(1, 320).split()
    p.plan(p.day(2), site.publish, Post("/dai", p.day(2), " ".join(words[:160]), "Chuyện làng chài"))
    p.plan(p.day(4), site.publish, Post("/dai-2", p.day(4), " ".join(words[160:]), "Chuyện làng chài (tiếp theo)"))
    p.plan(p.day(8), site.publish, Post("/tin-8", p.day(8), story(8, 320)))


def a_page_rewritten_in_fewer_words(p: Province) -> None:
    site = p.with_whole_texts()
    site.publish(Post("/gioi-thieu", p.day(-6), story(1, 320)))
    p.plan(p.day(2), site.amend, "/gioi-thieu", text=story(2, 160))
    p.plan(p.day(4), site.publish, Post("/tin-4", p.day(4), story(4, 320)))
    p.plan(p.day(8), site.publish, Post("/tin-8", p.day(8), story(8, 320)))


def a_page_that_grows_by_a_day(p: Province) -> None:
    site = p.with_whole_texts()
    site.publish(Post("/nhat-ky", p.day(-6), story(1, 200)))
    for day, words in ((2, 280), (4, 400)):
        p.plan(p.day(day), site.amend, "/nhat-ky", text=story(1, words))
    p.plan(p.day(8), site.publish, Post("/tin-8", p.day(8), story(8, 320)))


def long_summaries_that_differ_by_a_name(p: Province) -> None:
    site = p.with_history()
    form = "Ủy ban nhân dân xã thông báo {} Người dân mang theo căn cước, đến nhà văn hóa thôn {} trong giờ hành chính để được hướng dẫn."
    for day, place in ((-3, "Diên An"), (2, "Phú Hậu"), (4, "Suối Cau")):
        text = form.format(body(9), place)
        p.plan(p.day(day), site.publish, Post(f"/tb-{day}", p.day(day), text, f"Thông báo đến thôn {place}"))
    p.publish(22, p.day(8))


def long_summaries_that_differ_by_a_number(p: Province) -> None:
    site = p.with_history()
    form = "Ủy ban nhân dân xã thông báo lịch tiếp công dân đợt {}. {}"
    for day in (-3, 2, 4):
        text = form.format(day + 10, " ".join(body(9).split()[: 70 - day]))
        p.plan(p.day(day), site.publish, Post(f"/tb-{day}", p.day(day), text, f"Lịch tiếp công dân đợt {day + 10}"))
    p.publish(22, p.day(8))


def a_long_summary_and_the_whole_text(p: Province) -> None:
    site = p.with_history()
    whole = Site(p.server, "/bao", list(site.posts), gives_whole_texts=True)
    p.sites.append(whole)
    p.poll("feed", "bao", url=f"{p.server.url}/bao/rss")
    for day in (2, 4, 8):
        text = story(day, 320)
        p.plan(p.day(day), whole.publish, Post(f"/tin-{day}", p.day(day), text, f"Tin số {day}"))
        p.plan(p.day(day), site.publish, Post(f"/tin-{day}", p.day(day), " ".join(text.split()[:90]), f"Tin số {day}"))


# --- texts that are much alike -------------------------------------------------------------------


def two_reports_on_one_event(p: Province) -> None:
    rows = p.with_database()
    rows.put(1, published="2026-10-01 09:00")
    same = "Ngành y tế tỉnh tổ chức lễ phát động tháng hành động vì an toàn thực phẩm tại Quảng trường 2 tháng 4, thành phố Nha Trang."
    p.plan(p.day(2), rows.put, 2, published=p.day(2), text=f"{same} {body(0)}")
    p.plan(p.day(4), rows.put, 3, published=p.day(4), text=f"{same} {body(19)}")
    p.plan(p.day(8), rows.put, 5, published=p.day(8), text=body(44))


def schedules_of_one_form(p: Province) -> None:
    rows = p.with_database()
    rows.put(1, published="2026-10-01 09:00")
    form = (
        "Lịch tiếp công dân ngày {day} tháng 11 năm 2026 của Ban Giám đốc Sở Y tế: sáng từ 7 giờ 30 đến 11 giờ 30, chiều từ 13 giờ 30"
        " đến 17 giờ tại Phòng tiếp công dân của Sở, số 4 Phan Chu Trinh, thành phố Nha Trang. Công dân đến phản ánh, kiến nghị mang"
        " theo căn cước và đơn có chữ ký; khi có việc đột xuất, Văn phòng Sở thông báo lịch thay thế trên trang này."
    )
    for day in (-5, 2, 4):
        p.plan(p.day(day), rows.put, day + 10, published=p.day(day), text=form.format(day=15 + day))
    p.plan(p.day(8), rows.put, 25, published=p.day(8), text=body(44))


def licences_of_one_form(p: Province) -> None:
    rows = p.with_database()
    rows.put(1, published="2026-10-01 09:00")
    form = (
        "Giám đốc Sở Y tế quyết định cấp giấy phép hoạt động khám bệnh, chữa bệnh số {number}/KH-GPHĐ cho phòng khám {name}, người chịu"
        " trách nhiệm chuyên môn là bác sĩ {name}. Cơ sở thực hiện đúng phạm vi hoạt động chuyên môn đã được phê duyệt, chấp hành sự thanh"
        " tra, kiểm tra của cơ quan có thẩm quyền và báo cáo định kỳ về Sở. Quyết định có hiệu lực kể từ ngày ký."
    )
    for day, name in ((-5, "Nguyễn Thị Hoa"), (2, "Trần Văn Bình"), (4, "Lê Minh Châu")):
        p.plan(p.day(day), rows.put, day + 10, published=p.day(day), text=form.format(number=120 + day, name=name))
    p.plan(p.day(8), rows.put, 25, published=p.day(8), text=body(44))


def notices_of_one_form_on_the_portal_too(p: Province) -> None:
    site, portal = p.with_history(), p.with_portal()
    for number, (day, which) in enumerate(zip((-6, 1, 2, 4), ("đầu", "hai", "ba", "tư"), strict=True)):
        title = "Thông báo lịch tiếp công dân của lãnh đạo"
        summary = (
            "Lãnh đạo tiếp công dân tại trụ sở trong giờ hành chính, công dân mang theo căn cước và đơn có chữ ký."
        )
        p.plan(p.day(day, "08:00"), portal.publish, Post(f"/lich-{number}", p.day(day, "08:00"), story(number), title))
        p.plan(p.day(day), site.publish, Post(f"/lich-{number}", p.day(day), f"{summary} Đợt thứ {which}.", title))
    p.publish(22, p.day(8))


def schedules_of_one_summary(p: Province) -> None:
    site = p.with_history()
    summary = f"{story(1, 35)}..."
    for week, day in ((46, -3), (47, 2), (48, 4)):
        title = f"Lịch công tác tuần {week} năm 2026 của lãnh đạo Sở"
        p.plan(p.day(day), site.publish, Post(f"/lich-{week}", p.day(day), summary, title))
    p.publish(22, p.day(8))


# --- what other units show too ------------------------------------------------------------------


def notices_that_stood_at_three_units(p: Province) -> None:
    site, others = p.with_history(), [p.with_other_unit(), p.with_other_list()]
    culture = Agency(UnitId("so-van-hoa"), Name("Sở Văn hóa và Thể thao", ""))
    p.units.append(culture)
    justice = p.sources[-1]
    third = Site(p.server, "/van-hoa", list(others[0].posts))
    p.sites.append(third)
    p.poll("feed", "van-hoa", unit=culture, url=f"{p.server.url}/van-hoa/rss")
    fourth = Agency(UnitId("so-noi-vu"), Name("Sở Nội vụ", ""))
    p.units.append(fourth)
    p.sources.remove(justice)
    p.poll("list-page", "noi-vu", unit=fourth, url=f"{p.server.url}/danh-sach/", item="li", date="time")
    for day, notice in ((2, "treo cờ Tổ quốc mừng ngày Nhà giáo"), (4, "lịch tiếp công dân tháng 11")):
        for number, where in enumerate((*others, third)):
            told = Post(f"/tb-{day}", p.day(day - 1), body(100 + 4 * day + number), f"Thông báo {notice}")
            p.plan(p.day(day - 1), where.publish, told)
        p.plan(p.day(day), site.publish, Post(f"/tb-{day}", p.day(day), body(90 + day), f"Thông báo {notice}"))
    p.publish(22, p.day(8))


def schedules_that_two_units_show_each_week(p: Province) -> None:
    site, other = p.with_history(), p.with_other_unit()
    title = "Lịch công tác tuần {} của lãnh đạo cơ quan"
    for week in (45, 46):
        claims = p.day(7 * (week - 47))
        other.publish(Post(f"/lich-{week}", claims, body(week), title.format(week)))
    for number, day in enumerate((2, 4)):
        p.plan(
            p.day(day - 1),
            other.publish,
            Post(f"/lich-{47 + number}", p.day(day - 1), body(60), title.format(47 + number)),
        )
        p.plan(
            p.day(day),
            site.publish,
            Post(f"/lich-{47 + number}", p.day(day), body(70 + day), title.format(47 + number)),
        )
    p.publish(22, p.day(8))


def news_that_another_unit_copies(p: Province) -> None:
    site, other = p.with_whole_texts(), p.with_other_unit()
    for day in (2, 4):
        text, title = story(day, 320), f"Khởi công bệnh viện đa khoa khu vực phía {'bắc' if day == 2 else 'nam'}"
        p.plan(p.day(day), site.publish, Post(f"/tin-{day}", p.day(day), text, title))
        summary = f"{' '.join(text.split()[:30])}..."
        p.plan(p.day(day + 1), other.publish, Post(f"/moi-{day}", p.day(day + 1), summary, title))
    p.plan(p.day(8), site.publish, Post("/tin-8", p.day(8), story(8, 320)))


def own_texts_of_a_title_that_another_unit_had(p: Province) -> None:
    site, other = p.with_whole_texts(), p.with_other_unit()
    other.gives_whole_texts = True
    for day in (1, 3):
        title = "Hội nghị tổng kết công tác hòa giải ở cơ sở"
        p.plan(p.day(day), other.publish, Post(f"/tin-{day}", p.day(day), story(day, 320), title))
        p.plan(p.day(day + 1), site.publish, Post(f"/moi-{day}", p.day(day + 1), story(day + 20, 320), title))
    p.plan(p.day(8), site.publish, Post("/tin-8", p.day(8), story(8, 320)))


# --- clocks that seem to be off -----------------------------------------------------------------


def days_without_an_hour(p: Province) -> None:
    site = p.with_history()
    p.hours = (8, 22)
    site.written = lambda claims: at(claims).strftime("%d/%m/%Y")
    for day, number in ((1, 20), (2, 21), (3, 22), (4, 23), (8, 24)):
        p.publish(number, p.day(day))


def drafts_of_other_days(p: Province) -> None:
    p.with_history()
    p.hours = (8, 20)
    for number, (day, hours) in enumerate(((1, 30), (2, 51), (3, 4), (4, 26), (8, 3)), 20):
        made = str(at(p.day(day)) - timedelta(hours=hours))[:16]
        p.publish(number, p.day(day), claims=made)


def evenings_between_right_claims(p: Province) -> None:
    p.with_history()
    p.hours = (17,)
    p.publish(20, p.day(0, "19:00"))
    p.publish(21, p.day(1, "19:00"))
    p.publish(22, p.day(5, "19:00"))
    p.publish(23, p.day(8))


def papers_beside_those_of_nobody(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    p.plan(p.day(3), register.enter, 3, "18/11/2026", "")
    p.plan(p.day(4), register.enter, 4, "19/11/2026", "Sở Y tế")
    p.plan(p.day(5), register.enter, 5, "20/11/2026", "nt")


def one_paper_beside_those_of_nobody_a_week_before(p: Province) -> None:
    register = p.with_register(outsiders=["Bộ *"])
    register.enter(1, "01/10/2026", "Sở Y tế")
    register.enter(2, "12/11/2026", "")
    p.plan(p.day(2), register.enter, 3, "17/11/2026", "Sở Y tế")
    p.plan(p.day(4), register.enter, 4, "19/11/2026", "Bộ Nội vụ")


def one_paper_beside_mails_of_nobody(p: Province) -> None:
    register, mail = p.with_register(), p.with_mail()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    p.plan(p.day(4), mail.receive, p.day(4), "", body(3))


def days_of_a_list_that_all_move(p: Province) -> None:
    page = p.with_page(links="")
    page.posts = [post(number, f"{p.monday - timedelta(days=20 - 2 * number)} 09:00") for number in range(8, -1, -1)]
    for one in page.posts:
        later = str(at(one.claims) + timedelta(days=1))[:16]
        p.plan(p.day(3), lambda one=one, later=later: page.amend(one.path, claims=later))
    p.plan(p.day(8), page.publish, post(22, p.day(8)))


def papers_of_one_number_and_other_signs(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    for day, code in ((2, "12/BC-SYT"), (4, "12/TB-SYT")):
        p.plan(p.day(day), register.add_line, day, f"{15 + day}/11/2026", "Sở Y tế", code, "Tình hình dịch bệnh")


HABITS: Mapping[Way, DutyVerdict] = {
    each_item_at_two_addresses: MET,
    a_page_that_lags_by_a_day: MET,
    one_title_each_week_in_two_sources: MET,
    licences_of_one_title_at_one_address_in_two_sources: MET,
    a_notice_corrected_under_another_title: MET,
    rows_that_lead_elsewhere_and_go: MET,
    papers_beside_those_of_nobody: MET,
    one_paper_beside_those_of_nobody_a_week_before: UNMET,
    one_paper_beside_mails_of_nobody: UNMET,
    papers_with_numbers_of_their_own: MET,
    papers_without_numbers: MET,
    a_line_entered_twice_and_struck_out: MET,
    one_row_taken_down_after_a_day: UNMET,
    two_rows_taken_down_after_a_day: UNMET,
    a_row_that_is_out_of_date_taken_down: MET,
    long_reports_of_other_numbers: MET,
    long_texts_that_share_a_part: MET,
    short_summaries_with_one_beginning: MET,
    other_news_with_the_unit_in_front: MET,
    each_item_of_another_source_with_the_unit_in_front: MET,
    own_news_with_a_place_in_front: MET,
    a_second_part_that_was_never_shown: MET,
    a_page_rewritten_in_fewer_words: MET,
    a_page_that_grows_by_a_day: MET,
    long_summaries_that_differ_by_a_name: MET,
    long_summaries_that_differ_by_a_number: MET,
    a_long_summary_and_the_whole_text: MET,
    two_reports_on_one_event: MET,
    schedules_of_one_form: MET,
    licences_of_one_form: MET,
    notices_of_one_form_on_the_portal_too: MET,
    schedules_of_one_summary: MET,
    notices_that_stood_at_three_units: MET,
    schedules_that_two_units_show_each_week: MET,
    news_that_another_unit_copies: MET,
    own_texts_of_a_title_that_another_unit_had: MET,
    days_without_an_hour: MET,
    drafts_of_other_days: MET,
    evenings_between_right_claims: MET,
    days_of_a_list_that_all_move: UNMET,
    papers_of_one_number_and_other_signs: MET,
}
"""What each comes to."""


@pytest.mark.parametrize(("way", "verdict"), cases(HABITS, {}))
def test_a_usual_week_is_judged_for_certain(province: Province, way: Way, verdict: DutyVerdict) -> None:
    way(province)

    found, week = province.judged()

    assert found is verdict, (week.reason, week.items)


# --- why an item is not certain -----------------------------------------------------------------


@pytest.mark.parametrize(("author", "verdict"), [("", DutyVerdict.INSUFFICIENT_EVIDENCE), ("Sở Tư pháp", UNMET)])
def test_an_item_without_an_author_may_be_of_each_sub_portal_that_its_feed_was_seen_to_carry(
    province: Province, author: str, verdict: DutyVerdict
) -> None:
    feed = province.with_authored_items("subportal")
    for number in range(9):
        feed.publish(post(number, f"2026-11-{number + 5:02} 09:00"), author="Sở Y tế")
    province.plan(province.day(2), feed.publish, post(20, province.day(2)), author="Sở Y tế")
    province.plan(province.day(4), feed.publish, post(21, province.day(4)), author=author)
    province.plan(province.day(8), feed.publish, post(22, province.day(8)), author="Sở Y tế")

    found, week = province.judged()

    assert found is verdict, week.reason


def test_a_line_that_repeats_the_author_above_is_explained_by_that(province: Province) -> None:
    register = province.with_register()
    province.plan(province.day(2), register.add_line, 2, "17/11/2026", "Sở Y tế", "2/BC", "Báo cáo")
    province.plan(province.day(4), register.add_line, 3, "19/11/2026", "nt", "3/BC", "Báo cáo")
    province.plan(province.day(5), register.add_line, 4, "20/11/2026", "", "4/BC", "Báo cáo")

    why = province.reasons()

    assert why["2/BC Báo cáo"] == "counts on 2026-11-17"
    assert "a sign for the one of the line above, Sở Y tế" in why["3/BC Báo cáo"]
    assert why["4/BC Báo cáo"].startswith("its author is not written")


def test_an_item_that_moved_to_another_address_is_explained_as_one_that_moved(province: Province) -> None:
    site = province.with_history()
    province.publish(20, province.day(2))
    province.plan(province.day(4), site.amend, "/tin-20", path="/muc-khac/20", guid="20")
    province.publish(22, province.day(8))

    why = province.reasons()

    assert why["/tin-20"] == "it went from its address, and the same text stands at another one: it probably moved"
    assert why["/muc-khac/20"] == "the same text stood at another address and went from there: the item probably moved"


def test_an_item_of_a_title_that_another_source_showed_is_explained_by_that(province: Province) -> None:
    one_item = province.with_history()
    page = province.with_page(links="/trang")
    province.publish(20, province.day(2))
    province.plan(province.day(4), page.publish, post(20, province.day(4)))

    why = province.reasons()

    assert why["/trang/tin-20"].startswith("this title, or one that has it in it, was at http")
    assert (one_item.posts[0].path, why["/tin-20"]) == ("/tin-20", "counts on 2026-11-17")


def test_an_item_that_another_unit_showed_in_another_form_names_that_unit(province: Province) -> None:
    site, other = province.with_history(), province.with_other_unit()
    title = "Khởi công bệnh viện đa khoa khu vực phía bắc"
    province.plan(province.day(1), other.publish, Post("/tin-1", province.day(1), story(1, 320), title))
    province.plan(province.day(2), site.publish, Post("/moi-1", province.day(2), "Mời xem chi tiết.", title))
    province.publish(22, province.day(8))

    why = province.reasons()

    assert why["/moi-1"] == (
        f"Department of Justice showed this title, or these first words, at {province.server.url}/tu-phap/tin-1 on 2026-11-16,"
        " and it is not known that this unit was first"
    )


def test_a_paper_of_a_merged_unit_is_explained_by_the_name_that_it_bears(province: Province) -> None:
    register = province.with_register()
    gone = replace(JUSTICE, valid_to=date(2026, 11, 15), successors=(HEALTH.id,))
    province.units = [replace(HEALTH, valid_from=date(2026, 11, 16)), gone]
    register.add_line(1, "01/10/2026", "Sở Tư pháp", "1/BC", "Báo cáo")
    province.plan(province.day(2), register.add_line, 2, "17/11/2026", "Sở Tư pháp", "2/BC", "Báo cáo")

    why = province.reasons()

    assert why["2/BC Báo cáo"] == "it bears the name of so-tu-phap, from which this unit may have taken over"


def test_a_text_that_says_most_of_an_earlier_one_names_where_and_when_it_was_published(province: Province) -> None:
    site = province.with_history()
    long = " ".join(body(number) for number in (1, 3, 5, 6))
    province.plan(province.day(2), site.publish, Post("/dai", province.day(2), long, "Tin ngành y tế"))
    province.plan(
        province.day(4), site.publish, Post("/dai-moi", province.day(4), reworded(long), "Tin ngành y tế mới")
    )
    province.publish(22, province.day(8))

    why = province.reasons()

    address = f"{province.server.url}/dai"
    assert why["/dai-moi"] == f"much of this text was published before at {address} on 2026-11-17"
    assert why["/dai"] == "counts on 2026-11-17"


def test_a_form_without_numbers_that_differs_by_names_alone_is_held_against_nobody(province: Province) -> None:
    rows = province.with_database()
    rows.put(1, published="2026-10-01 09:00")
    form = (
        "Sở Y tế thông báo công khai danh sách người đăng ký hành nghề khám bệnh, chữa bệnh của phòng khám {name}. Tổ chức, cá nhân có ý"
        " kiến gửi về Phòng Nghiệp vụ Y của Sở trong giờ hành chính để được xem xét, giải quyết theo quy định của pháp luật hiện hành."
        " Người hành nghề đeo biển tên khi làm việc và chấp hành quy chế chuyên môn."
    )
    for day, name in ((2, "Hòa Bình"), (4, "Minh Châu")):
        province.plan(province.day(day), rows.put, day + 10, published=province.day(day), text=form.format(name=name))
    province.plan(province.day(8), rows.put, 25, published=province.day(8), text=body(44))

    found, week = province.judged()

    bounds = week.subportal_bounds
    assert found is DutyVerdict.INSUFFICIENT_EVIDENCE
    assert bounds is not None
    assert (bounds.least, bounds.most) == (1, 2)


@pytest.mark.parametrize("way", [licences_of_one_title_on_a_page, a_schedule_that_replaces_the_last_one])
def test_titles_alone_that_come_again_without_a_new_number_leave_a_week_open(province: Province, way: Way) -> None:
    way(province)

    found, week = province.judged()

    assert found is DutyVerdict.INSUFFICIENT_EVIDENCE, (week.reason, week.items)
