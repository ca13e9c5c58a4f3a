"""Ways in which a unit that works is accused, each over the real job with the truth known: none makes a week unmet.

What each comes to and what an officer can do about it stands in docs/threat-model.md; where the program is wrong, so does that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest

from portalops.model.organisation import Agency, Name, UnitId
from portalops.model.verdicts import DutyVerdict
from tests.attacks.mailed import (
    articles_mailed_in_that_another_unit_sums_up_afterwards,
    files_of_one_short_name,
    mail_from_the_address_of_a_unit_that_ended_yesterday,
    mail_of_a_secretary_of_three_agencies,
    mail_of_another_unit_that_is_answered_to_the_unit,
    mail_of_another_unit_under_the_units_name,
    mail_of_the_unit_that_an_editor_passes_on,
    mail_of_the_unit_under_its_own_name,
    mail_that_a_server_held_back_over_midnight,
    mail_that_comes_in_again_next_week,
    mail_under_the_name_of_the_higher_office_too,
    mailbox_that_moved_to_another_server,
    mails_held_back_for_days,
    news_in_word_files,
    news_with_the_same_logo_in_every_mail,
    news_with_the_same_side_file,
    own_address_under_the_name_of_a_unit_that_ended_yesterday,
    own_articles_mailed_in_whole_that_another_unit_sums_up,
    private_address_signed_with_the_units_name,
    private_address_with_a_copy_to_the_unit,
    private_address_with_the_units_name_in_the_subject,
    schedules_mailed_in_under_a_title_that_other_sites_have_each_week,
    weekly_reports_as_files_of_one_name,
)
from tests.attacks.precedence import (
    clock_two_hours_ahead_on_sunday,
    drafts_begun_the_evening_before,
    item_dated_ahead_to_monday,
    item_dated_by_its_approval,
    item_edited_on_monday_that_sunday_night_showed,
    items_dated_by_their_papers,
    list_of_the_days_of_events,
    own_texts_of_a_late_feed_that_another_unit_copies,
    papers_that_the_portal_publishes_afterwards,
)
from tests.attacks.registers import (
    arrival_numbers_that_begin_anew_each_month,
    days_in_merged_cells,
    joint_papers_of_two_units,
    last_papers_entered_on_the_next_monday,
    papers_inserted_in_the_middle,
    papers_of_one_arrival_number_in_two_registers,
    papers_under_the_body_above,
    register_in_arrears,
    register_kept_on_in_a_file_that_is_not_named,
    register_of_a_new_month,
    register_of_a_new_year,
    register_saved_in_another_encoding,
    register_saved_with_semicolons,
    register_sorted_by_author,
    register_until_tuesday,
    register_with_the_newest_line_first,
)
from tests.attacks.update_scene import (
    KeptMail,
    Post,
    Province,
    Register,
    Site,
    Way,
    body,
    cases,
    post,
    rows_named_in,
    story,
)
from tests.checks.updates.scene import HEALTH, JUSTICE, at
from tests.web import answer

MET, UNMET, UNKNOWN, PENDING = (
    DutyVerdict.MET,
    DutyVerdict.UNMET,
    DutyVerdict.INSUFFICIENT_EVIDENCE,
    DutyVerdict.PENDING,
)
EXEMPT = DutyVerdict.EXEMPT
LABOUR = Agency(
    UnitId("so-lao-dong"),
    Name("Sở Lao động - Thương binh và Xã hội", ""),
    valid_to=date(2026, 11, 15),
    successors=(HEALTH.id,),
)
CLINIC = Agency(UnitId("ttyt-van-ninh"), Name("Trung tâm Y tế huyện Vạn Ninh", ""), has_subportal=False)
WARD = Agency(UnitId("phuong-vinh-hoa"), Name("Ủy ban nhân dân phường Vĩnh Hòa", ""), has_subportal=False)


def outage_of_a_week(p: Province) -> None:
    site = p.with_history()
    p.publish(20, p.day(2))
    p.publish(21, p.day(4))
    p.plan(p.day(1, "00:00"), setattr, site, "broken", answer(status="503 Service Unavailable"))
    p.plan(p.day(8), setattr, site, "broken", None)
    p.publish(22, p.day(8))


def outage_of_three_days(p: Province) -> None:
    site = p.with_history()
    p.publish(20, p.day(2))
    p.publish(21, p.day(5))
    p.plan(p.day(3, "13:00"), setattr, site, "broken", answer(status="503 Service Unavailable"))
    p.plan(p.day(8), setattr, site, "broken", None)
    p.publish(22, p.day(8))


def week_that_nobody_polled(p: Province) -> None:
    p.with_history()
    p.publish(20, p.day(2))
    p.publish(21, p.day(4))
    p.publish(22, p.day(8))
    p.unpolled = {p.day(day)[:10] for day in range(1, 8)}


def redesign(p: Province) -> None:
    site = p.with_history()
    p.publish(20, p.day(2))
    p.plan(p.day(3), site.move, "/web/guest", behind=" Theo Sở Y tế.")
    p.publish(21, p.day(4), path="/web/guest/tin-21")
    p.publish(22, p.day(8))


def redesign_before_a_poll(p: Province) -> None:
    site = p.with_history()
    p.publish(20, p.day(3, "02:00"))
    p.plan(p.day(3), site.move, "/web/guest", behind=" Theo Sở Y tế.")
    p.publish(21, p.day(5), path="/web/guest/tin-21")
    p.publish(22, p.day(8))


def redesign_after_which_a_fixed_box_is_read(p: Province) -> None:
    for number in range(9):
        p.site.publish(post(number, f"2026-10-{number + 20:02} 09:00"))
    p.site.publish(post(10, p.day(0)))
    p.poll("list-page", "page", url=f"{p.server.url}/", item="li", date="time")
    p.plan(p.day(1), setattr, p.site, "featured", ["/tin-8", "/tin-6", "/tin-5", "/tin-3", "/tin-2"])
    p.publish(20, p.day(2))
    p.publish(21, p.day(4))
    p.publish(22, p.day(8))


def feed_cut_by_a_busy_day(p: Province) -> None:
    site = p.with_history()
    site.length = 5
    p.hours = (0, 12, 23)
    p.publish(20, p.day(2, "22:30"))
    for number in range(30, 38):
        p.publish(number, p.day(3, f"02:{number}"))
    p.publish(22, p.day(8))


def _pushed_out_in_front_of_fixed_rows(p: Province, site: Site, rows: int) -> None:
    site.length, site.fixed_rows = 5, rows
    p.publish(20, p.day(2))
    for number in range(30, 36):
        p.publish(number, p.day(3, f"{number - 22:02}:10"))
    p.publish(40, p.day(8))
    p.publish(41, p.day(8, "15:00"))


def old_article_always_last_behind_a_busy_day(p: Province) -> None:
    p.hours = (7, 23)
    _pushed_out_in_front_of_fixed_rows(p, p.with_history(), 1)


def block_of_old_articles_always_last_behind_a_busy_day(p: Province) -> None:
    p.hours = (7, 23)
    for number in range(9):
        p.site.publish(post(number, f"2026-10-{number + 20:02} 09:00"))
    p.poll("list-page", "page", url=f"{p.server.url}/", item="li", date="time")
    _pushed_out_in_front_of_fixed_rows(p, p.site, 3)


def cache_of_a_day(p: Province) -> None:
    site = p.with_history()
    front = Site(p.server)
    front.posts = list(site.posts)
    p.sites[:] = [front]
    for day, number in ((2, 20), (5, 21), (8, 22)):
        moment = p.day(day)
        late = str(at(moment) + timedelta(hours=36))[:16]
        p.plan(late, front.publish, post(number, moment))


def cache_over_the_weekend(p: Province) -> None:
    site = p.with_history()
    p.publish(20, p.day(2))
    p.plan(p.day(8), site.publish, post(21, p.day(7, "11:00")))
    p.publish(22, p.day(8, "14:00"))


def feed_built_each_morning(p: Province) -> None:
    site = p.with_history()
    p.hours = (7, 23)
    for day, hour, number in ((3, "10:00", 20), (7, "19:40", 21), (9, "10:00", 22)):
        p.plan(p.day(day + 1, "06:30"), site.publish, post(number, p.day(day, hour)))


def gmt_that_is_local(p: Province) -> None:
    site = p.with_history()
    site.written = lambda claims: at(claims).strftime("%a, %d %b %Y %H:%M:%S GMT")
    for day, number in ((2, 20), (4, 21), (8, 22)):
        p.publish(number, p.day(day))


def utc_without_a_word(p: Province) -> None:
    site = p.with_history()
    site.written = lambda claims: (at(claims) - timedelta(hours=7)).strftime("%Y-%m-%d %H:%M:%S")
    for day, number in ((2, 20), (4, 21), (8, 22)):
        p.publish(number, p.day(day))


def utc_in_the_small_hours(p: Province) -> None:
    site = p.with_history()
    site.written = lambda claims: (at(claims) - timedelta(hours=7)).strftime("%Y-%m-%d %H:%M:%S")
    p.publish(20, p.day(1, "05:00"))
    p.publish(21, p.day(4))
    p.publish(22, p.day(8))


def utc_before_dawn_on_monday(p: Province) -> None:
    site = p.with_history()
    p.hours = (8, 20)
    site.written = lambda claims: (at(claims) - timedelta(hours=7)).strftime("%Y-%m-%d %H:%M:%S")
    p.publish(20, p.day(1, "05:30"))
    for number in (21, 22, 23):
        p.publish(number, p.day(4, f"09:{number}"))
    p.publish(24, p.day(8))


def rows_in_utc_before_dawn_on_monday(p: Province) -> None:
    rows = p.with_database(trust_created=False)
    p.hours = (8, 22)
    rows.put(1, published="2026-10-01 09:00")
    p.put_in_utc(rows, 2, p.day(1, "06:40"))
    for number, day in enumerate((2, 2, 2, 8), 3):
        p.put_in_utc(rows, number, p.day(day, f"09:1{number}"))


def rows_in_utc_refuted_once(p: Province) -> None:
    rows = p.with_database()
    p.hours = (8, 22)
    rows.put(1, published="2026-10-01 09:00")
    for number, on in enumerate((p.day(1, "06:40"), p.day(4, "15:30"), p.day(8)), 2):
        p.put_in_utc(rows, number, on)


def clock_an_hour_ahead_on_sunday(p: Province) -> None:
    p.with_history()
    p.hours = (8, 20)
    p.publish(20, p.day(2), claims=p.day(2, "10:00"))
    p.publish(21, p.day(7, "23:30"), claims=p.day(8, "00:30"))
    p.publish(22, p.day(8), claims=p.day(8, "10:00"))


def clock_an_hour_behind_on_monday(p: Province) -> None:
    p.with_history()
    p.hours = (8, 20)
    p.publish(20, p.day(1, "00:05"), claims=p.day(0, "23:05"))
    p.publish(21, p.day(4), claims=p.day(4, "08:00"))
    p.publish(22, p.day(8), claims=p.day(8, "08:00"))


def clock_an_hour_ahead(p: Province) -> None:
    p.with_history()
    for day, number in ((2, 20), (4, 21), (8, 22)):
        p.publish(number, p.day(day), claims=p.day(day, "10:00"))


def paper_under_the_old_name(p: Province) -> None:
    register = p.with_register()
    p.units = [replace(HEALTH, valid_from=date(2026, 11, 16)), LABOUR]
    register.enter(1, "01/10/2026", "Sở Lao động - Thương binh và Xã hội")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Lao động - Thương binh và Xã hội")
    p.plan(p.day(4), register.enter, 3, "19/11/2026", "Sở Lao động - Thương binh và Xã hội")


def renamed_unit(p: Province) -> None:
    register = p.with_register()
    p.units = [replace(HEALTH, name=Name("Sở Y tế và Dân số", ""))]
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    p.plan(p.day(4), register.enter, 3, "19/11/2026", "Sở Y tế")


def name_variants(p: Province) -> None:
    register = p.with_register()
    p.units, p.unit = [HEALTH, WARD], WARD
    register.enter(1, "01/10/2026", "UBND P. Vĩnh Hoà")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "UBND P. Vĩnh Hoà")
    p.plan(p.day(4), register.enter, 3, "19/11/2026", "uy ban nhan dan phuong vinh hoa tinh khanh hoa")


def name_with_a_slip(p: Province) -> None:
    register = p.with_register()
    p.units, p.unit = [HEALTH, WARD], WARD
    register.enter(1, "01/10/2026", "UBND phường Vĩnh Hòa")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Phường Vĩnh Hào")
    p.plan(p.day(4), register.enter, 3, "19/11/2026", "UBND phường Vĩnh Hòa")


def name_of_capitals(p: Province) -> None:
    register = p.with_register()
    p.units, p.unit = [HEALTH, CLINIC], CLINIC
    register.enter(1, "01/10/2026", "Trung tâm Y tế huyện Vạn Ninh")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "TTYT Vạn Ninh")
    p.plan(p.day(4), register.enter, 3, "19/11/2026", "TTYT huyện Vạn Ninh")


def _authored(p: Province, *names: str) -> None:
    feed = p.with_authored_items("subportal")
    for number in range(9):
        on = f"2026-11-{number + 5:02} 09:00"
        feed.publish(Post(f"/tin-{number}", on, story(number)), "Sở Tư pháp" if number % 2 else "Sở Y tế")
    p.plan(p.day(2), feed.publish, Post("/tin-20", p.day(2), story(20)), "Sở Y tế")
    p.plan(p.day(4), feed.publish, Post("/tin-21", p.day(4), story(21)), *names)
    p.plan(p.day(8), feed.publish, Post("/tin-22", p.day(8), story(22)), "Sở Y tế")


def item_that_names_another_unit_first(p: Province) -> None:
    _authored(p, "Sở Tư pháp", "Sở Y tế")


def item_under_a_general_category_first(p: Province) -> None:
    _authored(p, "Tin nổi bật", "Sở Y tế")


def name_of_capitals_that_fits_two_units(p: Province) -> None:
    register = p.with_register()
    p.units, p.unit = (
        [HEALTH, CLINIC, replace(CLINIC, id=UnitId("ttyt-2"), name=Name("Trung tâm Y tế Cam Lâm", ""))],
        CLINIC,
    )
    register.enter(1, "01/10/2026", "Trung tâm Y tế huyện Vạn Ninh")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "TTYT")
    p.plan(p.day(4), register.enter, 3, "19/11/2026", "TTYT")


def week_of_two_holidays(p: Province) -> None:
    p.monday = date(2026, 8, 31)
    p.with_history()
    p.publish(20, p.day(4))
    p.publish(21, p.day(5))
    p.publish(22, p.day(8))


def week_of_tet(p: Province) -> None:
    p.monday = date(2026, 2, 16)
    p.with_history()
    p.publish(22, p.day(8))


def week_of_tet_not_announced(p: Province) -> None:
    p.monday = date(2027, 2, 8)
    p.with_history()
    p.publish(22, p.day(8))


def corrected_at_its_address(p: Province) -> None:
    site = p.with_history()
    p.publish(20, p.day(2, "11:30"))
    p.plan(p.day(2, "23:45"), site.take_down, "/tin-20")
    p.plan(p.day(3, "00:30"), site.publish, replace(post(20, p.day(2, "11:30")), text=f"{body(20)} Đã sửa."))
    p.publish(21, p.day(4))
    p.publish(22, p.day(8))


def corrected_at_a_new_address(p: Province) -> None:
    site = p.with_history()
    p.publish(20, p.day(2, "11:30"))
    p.plan(p.day(2, "13:00"), site.take_down, "/tin-20")
    p.plan(p.day(2, "13:30"), site.publish, replace(post(20, p.day(2, "13:30")), path="/tin-20-sua"))
    p.publish(21, p.day(4))
    p.publish(22, p.day(8))


def corrected_on_the_next_day(p: Province) -> None:
    site = p.with_history()
    p.publish(20, p.day(2, "11:30"))
    p.publish(21, p.day(4))
    p.plan(p.day(5), site.take_down, "/tin-21")
    p.plan(p.day(5, "09:40"), site.publish, replace(post(21, p.day(5, "09:40")), path="/tin-21-sua"))
    p.publish(22, p.day(8))


def corrected_at_a_new_address_beside_another_item(p: Province) -> None:
    site = p.with_history()
    corrected = Post(
        "/tin-20-sua", p.day(2, "15:00"), f"Sáng nay, {body(20)}", "Xã An: cán bộ y tế tập huấn về sốt xuất huyết"
    )
    p.plan(
        p.day(2, "15:00"), site.publish, replace(corrected, path="/tin-20", text=body(20), title=corrected.title[7:])
    )
    p.plan(p.day(4), site.take_down, "/tin-20")
    p.plan(p.day(4), site.publish, corrected)
    p.publish(21, p.day(4, "15:00"))
    p.publish(22, p.day(8))


def corrected_after_the_week(p: Province) -> None:
    site = p.with_whole_texts()
    corrected = Post(
        "/tin-21-sua", p.day(8, "10:00"), f"{story(21)} Đã đính chính.", "Ra quân vệ sinh môi trường biển (đính chính)"
    )
    p.plan(p.day(3), site.publish, Post("/tin-20", p.day(3), story(20)))
    p.plan(
        p.day(7, "20:00"), site.publish,
        Post("/tin-21", p.day(7, "20:00"), story(21), "Ra quân vệ sinh môi trường biển"),
    )  # fmt: skip
    p.plan(p.day(8, "10:00"), site.take_down, "/tin-21")
    p.plan(p.day(8, "10:00"), site.publish, corrected)
    p.publish(22, p.day(9, "08:00"))


def form_that_differs_by_one_name(p: Province) -> None:
    site = p.with_whole_texts()
    for day, name in ((2, "Nguyễn Văn An"), (4, "Trần Thị Bình"), (8, "Lê Hoàng Cường")):
        text = f"Ủy ban nhân dân phường niêm yết công khai hồ sơ đề nghị cấp lại giấy chứng nhận của {name}. {story(5, 1100)}."
        p.plan(
            p.day(day), site.publish, Post(f"/niem-yet-{day}", p.day(day), text, f"Niêm yết hồ sơ của ông (bà) {name}")
        )


def bulletins_of_one_text(p: Province) -> None:
    site = p.with_whole_texts()
    for day in (-3, 2, 4, 8):
        title = f"Bản tin dự báo nguy cơ cháy rừng ngày {p.day(day)[8:10]}/11/2026"
        p.plan(p.day(day), site.publish, Post(f"/ban-tin-{day}", p.day(day), story(5), title))


def form_named_in_its_title_alone(p: Province) -> None:
    site = p.with_whole_texts()
    for day, name in ((-3, "Nguyễn Văn An"), (2, "Trần Thị Bình"), (4, "Lê Hoàng Cường")):
        title = f"Niêm yết công khai hồ sơ của ông (bà) {name}"
        p.plan(p.day(day), site.publish, Post(f"/niem-yet-{day}", p.day(day), story(5), title))
    p.publish(22, p.day(8))


def page_that_is_carried_on(p: Province) -> None:
    site = p.with_whole_texts()
    former = story(1, 400)
    site.publish(Post("/nhat-ky", p.day(-6), former))
    p.plan(p.day(2), site.amend, "/nhat-ky", text=f"{story(2, 35)} {former}")
    p.plan(p.day(4), site.amend, "/nhat-ky", text=f"{story(3, 35)} {story(2, 35)} {former}")
    p.plan(p.day(8), site.publish, Post("/tin-8", p.day(8), story(8, 320)))


def article_on_another_host(p: Province) -> None:
    page = p.with_page(links="")
    page.posts = [post(number, f"{p.monday - timedelta(days=20 - 2 * number)} 09:00") for number in range(8, -1, -1)]
    p.plan(p.day(2), page.publish, post(20, p.day(2)))
    p.plan(p.day(4), page.publish, post(21, p.day(4), path="https://tinh.example/tin-21"))
    p.plan(p.day(8), page.publish, post(22, p.day(8)))


def translated(p: Province) -> None:
    site = p.with_history()
    p.publish(20, p.day(2))
    p.plan(p.day(2), site.publish, Post("/en/20", p.day(2), "The Department of Health opens its campaign. " * 9))
    p.publish(21, p.day(4))
    p.plan(p.day(4), site.publish, Post("/en/21", p.day(4), "Two hospitals share one record of each patient. " * 9))
    p.publish(22, p.day(8))


def telegram_of_the_province(p: Province) -> None:
    p.with_history()
    gives = Site(p.server, "/tinh")
    for number in range(80, 88):
        gives.publish(post(number, f"{p.monday - timedelta(days=90 - number)} 09:00"))
    p.sites.append(gives)
    p.poll("feed", "tinh", channel="portal", gives_out=True, url=f"{p.server.url}/tinh/rss")
    other = p.with_other_unit()
    for day, number in ((1, 90), (3, 91)):
        p.plan(p.day(day, "08:00"), gives.publish, post(number, p.day(day, "08:00")))
        p.plan(p.day(day, "09:00"), other.publish, post(number, p.day(day, "09:00")))
        p.plan(p.day(day, "13:00"), p.site.publish, post(number, p.day(day, "13:00"), path=f"/y-te-{number}"))
    p.publish(22, p.day(8))


def telegram_of_two_units(p: Province) -> None:
    p.with_history()
    other = p.with_other_unit()
    for day, number in ((1, 90), (3, 91)):
        p.plan(p.day(day, "09:00"), other.publish, post(number, p.day(day, "09:00")))
        p.plan(p.day(day, "10:00"), p.site.publish, post(number, p.day(day, "10:00"), path=f"/y-te-{number}"))
    p.publish(22, p.day(8))


def circular_that_three_units_show(p: Province) -> None:
    p.with_history()
    p.publish(20, p.day(2))
    sites = (p.with_other_unit(), p.site, p.with_third_unit())
    for day, site in zip((2, 3, 5), sites, strict=True):
        p.plan(p.day(day, "14:00"), site.publish, post(90, p.day(day, "14:00"), path="/thong-bao-90"))
    p.publish(22, p.day(8))


def telegram_that_was_mailed_in(p: Province) -> None:
    telegram_of_the_province(p)
    mail = _mailbox(p)
    for day, number in ((1, 90), (3, 91)):
        p.plan(p.day(day + 1), mail.receive, p.day(day + 1), _SENDER, body(number))


def own_texts_mailed_in(p: Province) -> None:
    _whole_texts_mailed_in(p, other_shows="09:00")


def texts_mailed_in_that_another_unit_shows_on_that_day(p: Province) -> None:
    other, mail = p.with_other_unit(), _mailbox(p)
    other.gives_whole_texts = True
    for day in (2, 4):
        p.plan(p.day(day), mail.receive, p.day(day), _SENDER, story(day, 320))
        p.plan(p.day(day), other.publish, Post(f"/tin-{day}", p.day(day), story(day, 320)))


def own_texts_that_one_poll_saw_at_another_unit_too_mailed_in(p: Province) -> None:
    _whole_texts_mailed_in(p, other_shows="08:00", days_later=0)


def _whole_texts_mailed_in(p: Province, *, other_shows: str, days_later: int = 1) -> None:
    """Let what the own site showed be mailed in two days later, when another unit's site shows it too."""
    site, other, mail = p.with_whole_texts(), p.with_other_unit(), _mailbox(p)
    other.gives_whole_texts = True
    for day in (1, 3):
        text, copied = story(day, 320), p.day(day + days_later, other_shows)
        p.plan(p.day(day, "08:00"), site.publish, Post(f"/tin-{day}", p.day(day, "08:00"), text))
        p.plan(copied, other.publish, Post(f"/chep-{day}", copied, text))
        p.plan(p.day(day + 2), mail.receive, p.day(day + 2), _SENDER, text)


_SENDER = "vanthu@soyte.khanhhoa.example"


def _mailbox(p: Province) -> KeptMail:
    """Let the unit's mail be known by its domain; a first mail has come in."""
    p.units[0] = replace(HEALTH, aliases=("soyte.khanhhoa.example",))
    mail = p.with_mail()
    mail.receive(p.day(-4), _SENDER, story(99, 320))
    return mail


def notices_of_one_title_of_two_units(p: Province) -> None:
    site, other = p.with_history(), p.with_other_unit()
    for day, notice in ((1, "treo cờ Tổ quốc mừng ngày Nhà giáo"), (3, "lịch tiếp công dân tháng 11")):
        title = f"Thông báo {notice}"
        p.plan(p.day(day), other.publish, Post(f"/tb-{day}", p.day(day), body(80 + day), title))
        p.plan(p.day(day + 1), site.publish, Post(f"/tb-{day}", p.day(day + 1), body(90 + day), title))
    p.publish(22, p.day(8))


def notices_of_one_title_in_two_lists(p: Province) -> None:
    site = p.with_history()
    p.sources.clear()
    other, page = p.with_other_list(), p.with_page(links="")
    page.written = other.written
    for day in (2, 4):
        title = f"Thông báo treo cờ Tổ quốc mừng ngày {'Nhà giáo' if day == 2 else 'thành lập tỉnh'}"
        for where, hour in ((other, "08:00"), (page, "16:00")):
            p.plan(p.day(day, hour), where.publish, Post(f"/tb-{day}", p.day(day), "", title))
    for where in (site, page, other):
        p.plan(p.day(8), where.publish, post(22, p.day(8)))


def days_of_documents(p: Province) -> None:
    p.with_history()
    p.publish(20, p.day(2), claims=p.day(0, "00:00"))
    p.publish(21, p.day(4), claims=p.day(1, "00:00"))
    p.publish(22, p.day(8))


def days_of_older_documents(p: Province) -> None:
    p.with_history()
    p.publish(20, p.day(2), claims="2026-10-01 00:00")
    p.publish(21, p.day(4), claims="2026-09-15 00:00")
    p.publish(22, p.day(8))


def sticky_post(p: Province) -> None:
    site = p.with_history()
    site.publish(Post("/ghim", "2026-01-05 09:00", body(99), "Ghim"))
    for day, number in ((2, 20), (4, 21), (8, 22)):
        p.publish(number, p.day(day))
        p.plan(p.day(day), site.to_front, "/ghim")


def emptied_by_an_upgrade(p: Province) -> None:
    site = p.with_history()
    p.plan(p.day(0, "18:00"), setattr, site, "broken", answer(b"<rss version='2.0'><channel></channel></rss>"))
    p.publish(20, p.day(2))
    p.publish(21, p.day(4))
    p.publish(22, p.day(8))


def category_feed_and_page(p: Province) -> None:
    p.with_history()
    page = p.with_page(links="")
    titles = ("Trạm y tế phường tập huấn", "Bệnh viện tỉnh nhận máy chụp mới", "Ngành dược siết quản lý thuốc")
    for day, number, title in zip((2, 4, 8), (20, 21, 22), titles, strict=True):
        p.plan(p.day(day), page.publish, replace(post(number, p.day(day)), title=title))


def category_feed_alone(p: Province) -> None:
    p.with_history()
    p.publish(22, p.day(8))  # on Tuesday and Thursday it publishes in another category, which no source shows


def paper_registered_late(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    p.plan(p.day(8), register.enter, 3, "20/11/2026", "Sở Y tế")


def paper_misread(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    p.plan(p.day(5), register.enter, 3, "2?/11/2026", "Sở Y tế")


def author_as_above(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    p.plan(p.day(4), register.enter, 3, "19/11/2026", "-nt-")


def author_left_blank(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    p.plan(p.day(3), register.enter, 3, "18/11/2026", "Bộ Y tế")
    p.plan(p.day(4), register.enter, 4, "19/11/2026", "")


def papers_with_days_written_short(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    register.enter(2, "13/11/2026", "Sở Tài chính")
    p.plan(p.day(2), register.enter, 3, "17/11/26", "Sở Y tế")
    p.plan(p.day(4), register.enter, 4, "19/11", "Sở Y tế")


def papers_with_days_whose_year_nothing_tells(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/05/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11", "Sở Y tế")
    p.plan(p.day(4), register.enter, 3, "19/11", "Sở Y tế")


def author_like_no_unit(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    p.plan(p.day(4), register.enter, 3, "19/11/2026", "Ngành chăm sóc sức khỏe")


def author_and_day_as_above(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    p.plan(p.day(4), register.enter, 3, "như trên", "nt")


def author_as_a_single_quotation_mark(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", '"')
    p.plan(p.day(4), register.enter, 3, "19/11/2026", "Sở Y tế")


def author_filled_in_later(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    p.plan(p.day(4), register.enter, 3, "19/11/2026", "")
    p.plan(p.day(8), register.strike, 3)
    p.plan(p.day(8), register.enter, 3, "19/11/2026", "Sở Y tế")


def rows_without_an_author(p: Province) -> None:
    rows = p.with_submitted_rows()
    rows.put(1, published="2026-10-01 09:00")
    p.plan(p.day(2), rows.put, 2, published=p.day(2))
    p.plan(p.day(4), rows.put, 3, published=p.day(4), unit=None)
    p.plan(p.day(8), rows.put, 4, published=p.day(8))


def items_without_an_author(p: Province) -> None:
    feed = p.with_submitted_items()
    for number in range(9):
        feed.publish(post(number, f"2026-11-{number + 5:02} 09:00"), author="Sở Y tế")
    p.plan(p.day(2), feed.publish, post(20, p.day(2)), author="Sở Y tế")
    p.plan(p.day(4), feed.publish, post(21, p.day(4)), author="")
    p.plan(p.day(8), feed.publish, post(22, p.day(8)), author="Sở Y tế")


def register_with_the_month_first(p: Province) -> None:
    p.monday = date(2026, 11, 9)
    register = p.with_register()
    register.enter(1, "10/19/2026", "Sở Y tế")
    p.plan(p.day(1), register.enter, 2, "11/9/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 3, "11/10/2026", "Sở Y tế")


def register_begun_anew_with_the_month_first(p: Province) -> None:
    p.monday = date(2026, 11, 9)
    register = p.with_register()
    register.enter(1, "10/19/2026", "Sở Y tế")
    p.plan(p.day(1), register.begin_anew)
    p.plan(p.day(1), register.enter, 2, "11/9/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 3, "11/10/2026", "Sở Y tế")


def register_with_two_orders(p: Province) -> None:
    p.monday = date(2026, 11, 9)
    register = p.with_register()
    register.enter(1, "10/19/2026", "Sở Y tế")
    register.enter(2, "20/10/2026", "Sở Tư pháp")
    p.plan(p.day(1), register.enter, 3, "11/9/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 4, "11/10/2026", "Sở Y tế")


def register_proven_later(p: Province) -> None:
    p.monday = date(2026, 11, 9)
    register = p.with_register()
    register.enter(1, "11/02/2026", "Sở Y tế")
    p.plan(p.day(1), register.enter, 2, "11/09/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 3, "11/10/2026", "Sở Y tế")
    p.plan(p.day(8), register.enter, 4, "11/16/2026", "Sở Y tế")


def papers_entered_before_their_day(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(0), register.enter, 2, "16/11/2026", "Sở Y tế")
    p.plan(p.day(4), register.enter, 3, "19/11/2026", "Sở Y tế")


def days_exchanged_by_a_spreadsheet(p: Province) -> None:
    p.monday = date(2026, 11, 9)
    register = p.with_register()
    register.enter(1, "15/10/2026", "Sở Y tế")
    p.plan(p.day(1), register.enter, 2, "2026-09-11", "Sở Y tế")
    p.plan(p.day(2), register.enter, 3, "2026-10-11", "Sở Y tế")
    p.plan(p.day(5), register.enter, 4, "13/11/2026", "Sở Tư pháp")


def days_exchanged_in_one_form(p: Province) -> None:
    p.monday = date(2026, 11, 9)
    register = p.with_register()
    register.enter(1, "2026-10-15", "Sở Y tế")
    p.plan(p.day(1), register.enter, 2, "2026-09-11", "Sở Y tế")
    p.plan(p.day(5), register.enter, 3, "2026-10-11", "Sở Y tế")
    p.plan(p.day(8), register.enter, 4, "2026-11-16", "Sở Y tế")


def old_papers_entered_late(p: Province) -> None:
    p.monday = date(2026, 11, 9)
    register = p.with_register()
    register.enter(1, "2026-10-15", "Sở Y tế")
    p.plan(p.day(1), register.enter, 2, "2026-11-09", "Sở Y tế")
    p.plan(p.day(2), register.enter, 3, "2026-03-05", "Sở Y tế")
    p.plan(p.day(3), register.enter, 4, "2026-11-11", "Sở Y tế")


def slip_of_the_month(p: Province) -> None:
    _paper_with_a_slip(p, "20/10/2026")


def slip_of_the_year(p: Province) -> None:
    _paper_with_a_slip(p, "20/11/2025")


def slip_of_the_day(p: Province) -> None:
    _paper_with_a_slip(p, "02/11/2026")


def slip_of_the_day_by_a_week(p: Province) -> None:
    """Let the registrar write 12/11 for 19/11, between the lines of 18/11 and 20/11."""
    register = p.with_register()
    register.enter(707, "01/10/2026", "Sở Y tế")
    for day, number, written, unit in (
        (2, 708, "17/11/2026", "Sở Y tế"),
        (3, 709, "18/11/2026", "Sở Tư pháp"),
        (4, 710, "12/11/2026", "Sở Y tế"),
        (5, 711, "20/11/2026", "Sở Tư pháp"),
    ):
        p.plan(p.day(day), register.enter, number, written, unit)


def slip_of_the_day_into_next_week(p: Province) -> None:
    _paper_with_a_slip(p, "24/11/2026")


def paper_of_sunday_registered_for_monday(p: Province) -> None:
    register = p.with_register()
    register.enter(708, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 709, "17/11/2026", "Sở Y tế")
    p.plan(p.day(7), register.enter, 710, "23/11/2026", "Sở Y tế")


def slip_of_the_day_put_right(p: Province) -> None:
    register = _paper_with_a_slip(p, "24/11/2026")
    p.plan(p.day(8), register.correct, 710, day="24/11/2026", to="20/11/2026")


def papers_of_a_week_entered_a_week_late(p: Province) -> None:
    p.monday = date(2026, 11, 9)
    register = p.with_register()
    register.enter(1, "15/10/2026", "Sở Y tế")
    for number, day in ((2, "09/11/2026"), (3, "10/11/2026")):
        p.plan(p.day(9, "10:00"), register.enter, number, day, "Sở Y tế")


def _paper_with_a_slip(p: Province, day: str) -> Register:
    register = p.with_register()
    register.enter(708, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 709, "17/11/2026", "Sở Y tế")
    p.plan(p.day(5), register.enter, 710, day, "Sở Y tế")
    p.plan(p.day(8), register.enter, 711, "23/11/2026", "Sở Y tế")
    return register


def papers_of_one_number_in_two_series(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.add_line, 2, "17/11/2026", "Sở Y tế", "144/BC-SYT", "Giám sát sốt xuất huyết")
    p.plan(p.day(4), register.add_line, 3, "19/11/2026", "Sở Y tế", "144/SYT", "Đề nghị cấp vắc-xin")


def papers_of_one_number_and_two_kinds(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.add_line, 2, "17/11/2026", "Sở Y tế", "BC 130", "Giám sát sốt xuất huyết")
    p.plan(p.day(4), register.add_line, 3, "19/11/2026", "Sở Y tế", "130 KH-SYT", "Tiêm vắc-xin sởi")


def paper_in_a_note_of_the_register(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    p.plan(p.day(4), register.add_written, ",,,,Ghi chú: Sở Y tế có gửi báo cáo giấy")
    p.plan(p.day(5), register.add_written, "Tổng cộng: 2 văn bản,,,,")


def mail_of_an_office_system(p: Province) -> None:
    mail = p.with_mail()
    p.units[0] = replace(HEALTH, aliases=("soyte.khanhhoa.example",))
    for day, number in ((2, 1), (4, 2)):
        sender = "vanthu@soyte.khanhhoa.example"
        p.plan(p.day(day), mail.receive, p.day(day), sender, body(number), automatic="auto-generated")


def report_by_mail_and_another_in_the_register(p: Province) -> None:
    p.units[0] = replace(HEALTH, aliases=("soyte.khanhhoa.example",))
    mail, register = p.with_mail(), p.with_register()
    register.add_line(1, "12/11/2026", "Sở Y tế", "69/BC-SYT", "Báo cáo giám sát sốt xuất huyết tuần 46")
    sender, subject = "vanthu@soyte.khanhhoa.example", "Báo cáo số 70/BC-SYT về giám sát sốt xuất huyết tuần 47"
    p.plan(p.day(2), mail.receive, p.day(2), sender, body(3), subject=subject)
    subject = "Báo cáo tiếp nhận bệnh nhân của các trạm y tế tuần 47"
    p.plan(p.day(4), register.add_line, 2, "19/11/2026", "Sở Y tế", "71/BC-SYT", subject)


def mail_of_counts_and_a_paper_of_that_number(p: Province) -> None:
    p.units[0] = replace(HEALTH, aliases=("soyte.khanhhoa.example",))
    mail, register = p.with_mail(), p.with_register()
    register.add_line(1, "12/11/2026", "Sở Y tế", "46/BC-SYT", "Báo cáo giám sát sốt xuất huyết tuần 46")
    text = f"Trong tuần 47 có 47 ca, tổng số 47 ổ dịch, ứng phó bão số 47, trực 24/47. {body(3)}"
    p.plan(p.day(2), mail.receive, p.day(2), "vanthu@soyte.khanhhoa.example", text, subject="Tin tuần 47")
    p.plan(
        p.day(4), register.add_line, 2, "19/11/2026", "Sở Y tế", "47/BC-SYT", "Báo cáo tiếp nhận bệnh nhân của các trạm"
    )


def address_below_the_mail_domain(p: Province) -> None:
    mail = p.with_mail(units={"h05.example": "so-y-te"})
    for day, number in ((2, 1), (4, 2)):
        p.plan(p.day(day), mail.receive, p.day(day), "vanphong@vp.h05.example", body(number))


def private_address_with_the_name(p: Province) -> None:
    _mail_of_a_stranger(p, "soyte@gmail.example")


def private_address_under_the_units_name(p: Province) -> None:
    _mail_of_a_stranger(p, "hoa.nt@gmail.com", name="Văn phòng Sở Y tế")


def mailing_list_that_writes_its_own_address(p: Province) -> None:
    mail = p.with_mail(units={"vanthu@soyte.khanhhoa.example": "so-y-te"})
    for day, number in ((2, 1), (4, 2)):
        lines = (
            'From: "=?utf-8?q?V=C4=83n_th=C6=B0?= qua Ban =?utf-8?q?Bi=C3=AAn_t=E1=BA=ADp?=" <bbt@khanhhoa.example>',
            "Reply-To: vanthu@soyte.khanhhoa.example",
            "Precedence: list",
            "List-Id: <tin-bai.khanhhoa.example>",
            f"Subject: Tin {day}",
            "Content-Type: text/plain; charset=utf-8",
            "",
            body(number),
        )
        p.plan(p.day(day), mail.deliver, p.day(day), "\r\n".join(lines).encode())


def mail_of_the_unit_over_a_mailing_list(p: Province) -> None:
    mail = p.with_mail(units={"vanthu@soyte.khanhhoa.example": "so-y-te"})
    for day, number in ((2, 1), (4, 2)):
        lines = (
            "From: vanthu@soyte.khanhhoa.example",
            "Precedence: bulk",
            "List-Id: <tin-bai.khanhhoa.example>",
            f"Subject: Tin {day}",
            "Content-Type: text/plain; charset=utf-8",
            "",
            body(number),
        )
        p.plan(p.day(day), mail.deliver, p.day(day), "\r\n".join(lines).encode())


def other_address_of_the_units_own_domain(p: Province) -> None:
    mail = p.with_mail(units={"vanthu@h05.example": "so-y-te"})
    for day, number in ((2, 1), (4, 2)):
        p.plan(p.day(day), mail.receive, p.day(day), "van-phong@h05.example", body(number))


def _mail_of_a_stranger(p: Province, address: str, *, name: str = "") -> None:
    mail = p.with_mail()
    p.units[0] = replace(HEALTH, aliases=("soyte.khanhhoa.example",))
    for day, number in ((2, 1), (4, 2)):
        p.plan(p.day(day), mail.receive, p.day(day), address, body(number), name=name)


def private_address(p: Province) -> None:
    _mail_of_a_stranger(p, "lan.nguyen82@gmail.com", name="Nguyễn Thị Lan")


def server_always_says_not_modified(p: Province) -> None:
    p.with_history()
    p.server.marks["/rss"] = {"ETag": '"1"'}
    for day, number in ((2, 20), (4, 21), (8, 22)):
        p.publish(number, p.day(day))


def database_put_back(p: Province) -> None:
    rows = p.with_database()
    rows.put(1, published="2026-10-01 09:00")
    p.plan(p.day(2), rows.put, 2, published=p.day(2))
    p.plan(p.day(4), rows.put, 3, published=p.day(4))
    p.plan(p.day(5), rows.lose, since=2)
    p.plan(p.day(8), rows.put, 7, published=p.day(8), text=body(44))


def ids_used_again(p: Province) -> None:
    rows = p.with_database()
    for number in (1, 2, 3):
        rows.put(number, published="2026-10-01 09:00")
    p.plan(p.day(1), rows.lose, since=2)
    p.plan(p.day(2), rows.put, 2, published=p.day(2), text=story(41))
    p.plan(p.day(4), rows.put, 3, published=p.day(4), text=story(42))
    p.plan(p.day(8), rows.put, 4, published=p.day(8), text=story(44))


def schedule_of_each_week(p: Province) -> None:
    rows = p.with_database()
    usual = (
        "Giám đốc chủ trì giao ban tuần tại phòng họp A của Sở, thành phần gồm lãnh đạo Sở, trưởng các phòng chuyên môn và đơn vị trực thuộc",
        "Phó Giám đốc Trần Văn Bình tiếp công dân định kỳ tại trụ sở, phòng Thanh tra chuẩn bị hồ sơ và cử cán bộ ghi biên bản",
        "Phó Giám đốc Lê Thị Hoa dự họp trực tuyến với Bộ Y tế về công tác phòng, chống dịch, phòng Nghiệp vụ Y chuẩn bị tài liệu",
        "Giám đốc làm việc với Bệnh viện Đa khoa tỉnh về tiến độ mua sắm thuốc, vật tư, phòng Kế hoạch Tài chính chuẩn bị số liệu",
    )
    for number, monday in enumerate((-13, -6, 1, 8), 1):
        first = p.monday + timedelta(days=monday - 1)
        lines = (f"Ngày {first + timedelta(days=day):%d/%m}: {what}" for day, what in enumerate(usual))
        p.plan(
            p.day(monday),
            rows.put,
            number,
            published=p.day(monday),
            text=f"Lịch công tác tuần {number + 44}. " + ". ".join(lines),
        )
    p.plan(p.day(4), rows.put, 9, published=p.day(4), text=story(9))


def report_continued(p: Province) -> None:
    rows = p.with_database()
    rows.put(1, published="2026-10-01 09:00", text=story(1))
    first, second = story(2).split(), story(3).split()
    p.plan(p.day(2), rows.put, 2, published=p.day(2), text=" ".join(first))
    p.plan(p.day(4), rows.put, 3, published=p.day(4), text=" ".join([*first[:80], *second[:160]]))
    p.plan(p.day(8), rows.put, 4, published=p.day(8), text=story(4))


def news_taken_over_by_the_portal(p: Province) -> None:
    site, portal = p.with_history(), p.with_portal()
    for day in (2, 4):
        text = story(day, 320)
        p.plan(p.day(day, "08:00"), site.publish, Post(f"/tin-{day}", p.day(day, "08:00"), text))
        p.plan(p.day(day, "11:00"), portal.publish, Post(f"/y-te-{day}", p.day(day, "11:00"), text))
    p.plan(p.day(8), site.publish, Post("/tin-8", p.day(8), story(8, 320)))


def news_taken_over_by_the_portal_at_once(p: Province) -> None:
    site, portal = p.with_history(), p.with_portal()
    for day in (2, 4):
        text = story(day, 320)
        p.plan(p.day(day), site.publish, Post(f"/tin-{day}", p.day(day), text))
        p.plan(p.day(day, "10:00"), portal.publish, Post(f"/y-te-{day}", p.day(day, "10:00"), text))
    p.plan(p.day(8), site.publish, Post("/tin-8", p.day(8), story(8, 320)))


def news_that_the_portal_shows_by_itself(p: Province) -> None:
    site, portal = p.with_history(syndicated=True), p.with_portal()
    for day in (2, 4):
        one = Post(f"/tin-{day}", p.day(day), story(day, 320))
        for where in (site, portal):
            p.plan(p.day(day), where.publish, one)
    p.plan(p.day(8), site.publish, Post("/tin-8", p.day(8), story(8, 320)))


def news_whose_date_the_portal_keeps(p: Province) -> None:
    site, portal = p.with_history(), p.with_portal()
    for day in (2, 4):
        one = Post(f"/tin-{day}", p.day(day), story(day, 320))
        p.plan(p.day(day), site.publish, one)
        p.plan(p.day(day, "10:00"), portal.publish, one)
    p.plan(p.day(8), site.publish, Post("/tin-8", p.day(8), story(8, 320)))


def newest_shown_twice(p: Province) -> None:
    p.site.is_newest_twice = True
    p.site.written = lambda _claims: ""
    _list_of_two(p)


def newest_shown_twice_with_days(p: Province) -> None:
    p.site.is_newest_twice = True
    p.site.written = lambda claims: at(claims).strftime("%d/%m/%Y")
    _list_of_two(p)


def _list_of_two(p: Province) -> None:
    def notice(number: int, claims: str) -> Post:
        return replace(post(number, claims), title=f"Thông báo số {number}/TB-SYT về lịch tiêm chủng")

    p.site.publish(*(notice(number, f"{p.monday - timedelta(days=20 - 2 * number)} 09:00") for number in range(9)))
    p.poll("list-page", "page", url=f"{p.server.url}/", item="li", date="time")
    for day, number in ((0, 19), (3, 20), (4, 21), (8, 22)):
        p.plan(p.day(day), p.site.publish, notice(number, p.day(day)))


def page_of_prices_with_a_new_title(p: Province) -> None:
    title = "Giá nông sản, thủy sản tại chợ xã ngày {}"
    p.site.publish(Post("/gia", p.day(-3), "", title.format("13/11")))
    p.site.publish(*(post(number, f"{p.monday - timedelta(days=20 - 2 * number)} 09:00") for number in range(7)))
    p.poll("list-page", "page", url=f"{p.server.url}/", item="li", date="time")
    for day in (2, 4):
        p.plan(p.day(day), p.site.amend, "/gia", title=title.format(f"{15 + day}/11"), claims=p.day(day))
        p.plan(p.day(day), p.site.to_front, "/gia")
    p.plan(p.day(8), p.site.publish, post(22, p.day(8)))


PRICES = "Giá cả thị trường ngày {}"


def page_of_prices_whose_numbers_change(p: Province) -> None:
    site = p.with_whole_texts()
    p.plan(p.day(-2), site.publish, Post("/gia", p.day(-2), _prices(14), PRICES.format("14/11/2026")))
    for day in (2, 4):
        changes = {"claims": p.day(day), "text": _prices(15 + day), "title": PRICES.format(f"{15 + day}/11/2026")}
        p.plan(p.day(day), lambda changes=changes: site.amend("/gia", **changes))
        p.plan(p.day(day), site.to_front, "/gia")
    p.publish(22, p.day(8))


def _prices(day: int) -> str:
    return f"{story(7, 130)} Gạo {day}.500 đồng, thịt heo {60 + day}.000 đồng, cá thu {100 + day}.000 đồng một kg."


def schedule_of_one_title_with_a_new_day(p: Province) -> None:
    p.site.publish(Post("/lich", p.day(-6), "", "Lịch công tác của Thường trực Ủy ban nhân dân xã"))
    p.site.publish(*(post(number, f"{p.monday - timedelta(days=20 - 2 * number)} 09:00") for number in range(7)))
    p.poll("list-page", "page", url=f"{p.server.url}/", item="li", date="time")
    p.plan(p.day(1), p.site.amend, "/lich", claims=p.day(1))
    p.plan(p.day(1), p.site.to_front, "/lich")
    p.plan(p.day(4), p.site.publish, post(21, p.day(4)))
    p.plan(p.day(8), p.site.publish, post(22, p.day(8)))


def feed_of_three_categories(p: Province) -> None:
    for block in (2, 1, 0):
        p.site.publish(
            *(post(10 * block + n, f"{p.monday - timedelta(days=30 - 6 * n - block)} 09:00") for n in range(4))
        )
    p.poll("feed", "rss", url=f"{p.server.url}/rss")
    p.site.length = 12
    p.plan(p.day(2), p.site.take_down, "/tin-0")
    p.publish(4, p.day(2))
    p.plan(p.day(3), p.site.take_down, "/tin-1", "/tin-2", "/tin-3", "/tin-4")
    p.plan(p.day(3, "10:00"), p.site.publish, *(post(50 + n, p.day(3, f"10:0{n}")) for n in range(4)))
    p.publish(22, p.day(8))


def documents_in_a_section_outside_the_feed(p: Province) -> None:
    site = p.with_map()
    for day, number in ((2, 11), (4, 12)):
        p.plan(p.day(day), site.documents.append, f"/van-ban/qd-{number}")
    p.publish(22, p.day(8))


def old_site_that_sends_its_readers_on(p: Province) -> None:
    p.site.publish(*(post(number, f"{p.monday - timedelta(days=20 - 2 * number)} 09:00") for number in range(7)))
    p.poll("list-page", "page", url=f"{p.server.url}/", item="li", date="time")
    p.publish(20, p.day(0))
    p.plan(p.day(1), setattr, p.site, "head", "<meta http-equiv='Refresh' content='5; URL=https://soyte-moi.example/'>")


ACCUSATIONS: Mapping[Way, DutyVerdict] = {
    outage_of_a_week: PENDING,
    outage_of_three_days: PENDING,
    week_that_nobody_polled: PENDING,
    redesign: MET,
    redesign_before_a_poll: PENDING,
    redesign_after_which_a_fixed_box_is_read: UNKNOWN,
    feed_cut_by_a_busy_day: PENDING,
    old_article_always_last_behind_a_busy_day: UNKNOWN,
    block_of_old_articles_always_last_behind_a_busy_day: UNKNOWN,
    cache_of_a_day: MET,
    cache_over_the_weekend: UNKNOWN,
    feed_built_each_morning: UNKNOWN,
    own_texts_of_a_late_feed_that_another_unit_copies: UNKNOWN,
    gmt_that_is_local: MET,
    utc_without_a_word: MET,
    utc_in_the_small_hours: UNKNOWN,
    utc_before_dawn_on_monday: UNKNOWN,
    rows_in_utc_before_dawn_on_monday: UNKNOWN,
    rows_in_utc_refuted_once: UNKNOWN,
    clock_an_hour_ahead_on_sunday: UNKNOWN,
    clock_two_hours_ahead_on_sunday: UNKNOWN,
    clock_an_hour_behind_on_monday: UNKNOWN,
    clock_an_hour_ahead: MET,
    paper_under_the_old_name: UNKNOWN,
    renamed_unit: UNKNOWN,
    name_variants: MET,
    name_with_a_slip: UNKNOWN,
    name_of_capitals: MET,
    name_of_capitals_that_fits_two_units: UNKNOWN,
    item_that_names_another_unit_first: UNKNOWN,
    item_under_a_general_category_first: MET,
    week_of_two_holidays: MET,
    week_of_tet: EXEMPT,
    week_of_tet_not_announced: UNKNOWN,
    corrected_at_its_address: MET,
    corrected_at_a_new_address: MET,
    corrected_on_the_next_day: MET,
    corrected_at_a_new_address_beside_another_item: UNKNOWN,
    corrected_after_the_week: UNKNOWN,
    form_that_differs_by_one_name: UNKNOWN,
    bulletins_of_one_text: UNKNOWN,
    form_named_in_its_title_alone: UNKNOWN,
    article_on_another_host: UNKNOWN,
    page_that_is_carried_on: UNKNOWN,
    translated: MET,
    telegram_of_the_province: MET,
    telegram_of_two_units: UNKNOWN,
    circular_that_three_units_show: UNKNOWN,
    telegram_that_was_mailed_in: MET,
    own_texts_mailed_in: MET,
    own_texts_that_one_poll_saw_at_another_unit_too_mailed_in: UNKNOWN,
    texts_mailed_in_that_another_unit_shows_on_that_day: MET,
    own_articles_mailed_in_whole_that_another_unit_sums_up: MET,
    articles_mailed_in_that_another_unit_sums_up_afterwards: MET,
    schedules_mailed_in_under_a_title_that_other_sites_have_each_week: MET,
    notices_of_one_title_of_two_units: UNKNOWN,
    notices_of_one_title_in_two_lists: UNKNOWN,
    days_of_documents: MET,
    items_dated_by_their_papers: UNKNOWN,
    drafts_begun_the_evening_before: UNKNOWN,
    item_edited_on_monday_that_sunday_night_showed: UNKNOWN,
    item_dated_ahead_to_monday: UNKNOWN,
    item_dated_by_its_approval: UNKNOWN,
    list_of_the_days_of_events: UNKNOWN,
    days_of_older_documents: UNKNOWN,
    sticky_post: MET,
    emptied_by_an_upgrade: UNKNOWN,
    category_feed_and_page: MET,
    category_feed_alone: UNKNOWN,
    papers_that_the_portal_publishes_afterwards: MET,
    paper_registered_late: MET,
    paper_misread: UNKNOWN,
    author_as_above: UNKNOWN,
    author_left_blank: UNKNOWN,
    papers_with_days_written_short: MET,
    papers_with_days_whose_year_nothing_tells: UNKNOWN,
    author_like_no_unit: UNKNOWN,
    author_and_day_as_above: UNKNOWN,
    author_as_a_single_quotation_mark: UNKNOWN,
    author_filled_in_later: MET,
    rows_without_an_author: UNKNOWN,
    items_without_an_author: UNKNOWN,
    register_with_the_month_first: MET,
    register_begun_anew_with_the_month_first: MET,
    register_with_two_orders: UNKNOWN,
    register_proven_later: UNKNOWN,
    papers_entered_before_their_day: MET,
    days_exchanged_by_a_spreadsheet: UNKNOWN,
    days_exchanged_in_one_form: UNKNOWN,
    old_papers_entered_late: MET,
    slip_of_the_month: UNKNOWN,
    slip_of_the_year: UNKNOWN,
    slip_of_the_day: UNKNOWN,
    slip_of_the_day_by_a_week: UNKNOWN,
    slip_of_the_day_into_next_week: UNKNOWN,
    paper_of_sunday_registered_for_monday: UNKNOWN,
    slip_of_the_day_put_right: MET,
    papers_of_a_week_entered_a_week_late: MET,
    papers_of_one_number_in_two_series: MET,
    papers_of_one_number_and_two_kinds: MET,
    paper_in_a_note_of_the_register: UNKNOWN,
    papers_of_one_arrival_number_in_two_registers: MET,
    joint_papers_of_two_units: UNKNOWN,
    papers_under_the_body_above: UNKNOWN,
    papers_inserted_in_the_middle: MET,
    register_with_the_newest_line_first: MET,
    register_sorted_by_author: MET,
    days_in_merged_cells: UNKNOWN,
    register_of_a_new_year: MET,
    register_of_a_new_month: MET,
    arrival_numbers_that_begin_anew_each_month: UNKNOWN,
    register_saved_in_another_encoding: UNKNOWN,
    register_saved_with_semicolons: MET,
    register_kept_on_in_a_file_that_is_not_named: UNKNOWN,
    last_papers_entered_on_the_next_monday: PENDING,
    register_in_arrears: UNKNOWN,
    mail_of_an_office_system: UNKNOWN,
    report_by_mail_and_another_in_the_register: MET,
    mail_of_counts_and_a_paper_of_that_number: MET,
    address_below_the_mail_domain: UNKNOWN,
    private_address_with_the_name: UNKNOWN,
    private_address_under_the_units_name: UNKNOWN,
    private_address_with_the_units_name_in_the_subject: UNKNOWN,
    private_address_signed_with_the_units_name: UNKNOWN,
    private_address_with_a_copy_to_the_unit: UNKNOWN,
    mail_of_the_unit_that_an_editor_passes_on: UNKNOWN,
    mailing_list_that_writes_its_own_address: UNKNOWN,
    mail_of_the_unit_over_a_mailing_list: MET,
    mail_of_another_unit_under_the_units_name: UNKNOWN,
    mail_of_another_unit_that_is_answered_to_the_unit: UNKNOWN,
    mail_of_a_secretary_of_three_agencies: UNKNOWN,
    mail_of_the_unit_under_its_own_name: MET,
    mail_under_the_name_of_the_higher_office_too: MET,
    mail_from_the_address_of_a_unit_that_ended_yesterday: UNKNOWN,
    own_address_under_the_name_of_a_unit_that_ended_yesterday: MET,
    mail_that_a_server_held_back_over_midnight: UNKNOWN,
    mails_held_back_for_days: UNKNOWN,
    mail_that_comes_in_again_next_week: MET,
    mailbox_that_moved_to_another_server: MET,
    weekly_reports_as_files_of_one_name: MET,
    news_with_the_same_logo_in_every_mail: MET,
    files_of_one_short_name: MET,
    news_with_the_same_side_file: MET,
    news_in_word_files: MET,
    other_address_of_the_units_own_domain: UNKNOWN,
    private_address: UNKNOWN,
    server_always_says_not_modified: MET,
    database_put_back: UNKNOWN,
    ids_used_again: MET,
    schedule_of_each_week: MET,
    report_continued: MET,
    news_taken_over_by_the_portal: UNKNOWN,
    news_taken_over_by_the_portal_at_once: UNKNOWN,
    news_that_the_portal_shows_by_itself: MET,
    news_whose_date_the_portal_keeps: UNKNOWN,
    newest_shown_twice: MET,
    newest_shown_twice_with_days: MET,
    page_of_prices_with_a_new_title: UNKNOWN,
    page_of_prices_whose_numbers_change: UNKNOWN,
    schedule_of_one_title_with_a_new_day: UNKNOWN,
    feed_of_three_categories: UNKNOWN,
    documents_in_a_section_outside_the_feed: UNKNOWN,
    old_site_that_sends_its_readers_on: UNKNOWN,
}
"""What each comes to, or ought to."""
WRONG: Mapping[Way, str] = {
    category_feed_alone: "nothing in a feed says that it is of one category",
    private_address: "an address that resembles no unit's name would open the weeks of all units",
}
"""Why the program accuses all the same."""


@pytest.mark.parametrize(("way", "verdict"), cases(ACCUSATIONS, WRONG))
def test_a_unit_that_works_is_not_unmet(province: Province, way: Way, verdict: DutyVerdict) -> None:
    way(province)

    found, week = province.judged()

    assert found is verdict, week.reason


def test_a_row_that_leads_to_another_host_is_named_by_the_reason(province: Province) -> None:
    article_on_another_host(province)

    _verdict, week = province.judged()

    assert "such as https://tinh.example/tin-21, which leads to another host" in str(week.subportal_reason)


def test_an_item_that_newer_ones_may_have_pushed_out_says_so(province: Province) -> None:
    old_article_always_last_behind_a_busy_day(province)

    assert province.reasons()["/tin-20"] == (
        "it is no longer shown: within two days newer items may have pushed it out of a full list, or it was taken down;"
        " have the list made longer"
    )


def test_a_rewritten_page_of_summaries_says_that_its_source_gives_no_whole_text(province: Province) -> None:
    site = province.with_history()
    site.amend("/tin-0", text=story(90))
    province.plan(province.day(2), site.amend, "/tin-0", text=story(91))

    assert province.reasons()["/tin-0"].endswith(
        "its source gives a title or a summary, however long, and not the page itself: an officer reads it"
    )


def test_an_item_that_was_corrected_names_what_came_in_its_place(province: Province) -> None:
    corrected_after_the_week(province)

    address = f"{province.server.url}/tin-21-sua"
    assert province.reasons()["/tin-21"] == (
        f"it went within two days, and one like it came in its place at {address}: it was probably corrected there"
    )


def test_mail_from_below_a_units_domain_names_the_alias_to_add(province: Province) -> None:
    address_below_the_mail_domain(province)

    said = set(province.reasons().values())

    assert said == {
        "its sender vanphong@vp.h05.example is below this unit's mail domain, so that it may be this unit's:"
        ' if it is, add "vp.h05.example" to aliases of the unit'
    }


@pytest.mark.parametrize(
    ("way", "said"),
    [
        (
            private_address_under_the_units_name,
            "its sender hoa.nt@gmail.com ‹Văn phòng Sở Y tế› writes this unit's name, or has answers sent to its address, so that it may be this unit's:"
            ' if the address is its own, add "hoa.nt@gmail.com" to aliases of the unit;'
            " else record whose the mail is with 'portalops updates register --unit'",
        ),
        (
            private_address_signed_with_the_units_name,
            "its sender thuhoai.yt88@gmail.com ‹Thu Hoài› is not known, and this unit's name or address stands in its subject, at the beginning or end of its text or among its"
            " receivers, so that it may be this unit's: if the address is the unit's own, add \"thuhoai.yt88@gmail.com\" to aliases of the unit;"
            " if it is no unit's, add it to outsiders of source mail; else record whose the mail is with 'portalops updates register --unit'",
        ),
        (
            other_address_of_the_units_own_domain,
            "its sender van-phong@h05.example is of a mail domain of which only addresses of this unit are known, so that it may be this unit's:"
            ' if it is, add "van-phong@h05.example" to aliases of the unit',
        ),
    ],
)
def test_mail_that_may_be_a_units_names_why_and_the_alias_to_add(province: Province, way: Way, said: str) -> None:
    way(province)

    assert set(province.reasons().values()) == {said}


@pytest.mark.parametrize(
    "way",
    [
        mail_of_another_unit_under_the_units_name,
        mail_of_another_unit_that_is_answered_to_the_unit,
        mail_of_a_secretary_of_three_agencies,
    ],
)
def test_mail_of_two_senders_is_open_for_the_unit_of_its_address_too(province: Province, way: Way) -> None:
    way(province)
    province.unit = JUSTICE

    found, week = province.judged()

    assert found is UNKNOWN, week.reason
    assert all("so that it may be of either" in why for why in province.reasons().values())


def test_mail_under_a_units_name_opens_no_other_units_week(province: Province) -> None:
    private_address_under_the_units_name(province)
    province.unit = JUSTICE

    assert province.judged()[0] is UNMET


def test_a_page_of_which_the_day_alone_is_new_is_named_as_open(province: Province) -> None:
    schedule_of_one_title_with_a_new_day(province)

    assert province.reasons()["/lich"].startswith(
        "at this address the text, the title or the date is another one than before"
    )


def test_an_item_of_several_units_names_them(province: Province) -> None:
    item_that_names_another_unit_first(province)

    assert province.reasons()["/gui/tin-21"] == (
        "it names several units, and may be any one's of them: Sở Tư pháp, Sở Y tế"
    )


def test_an_item_that_came_between_the_polls_about_the_weeks_end_is_named_whatever_it_claims(
    province: Province,
) -> None:
    province.hours = (8, 20)
    province.with_history()
    province.publish(21, province.day(7, "23:00"), claims=province.day(8, "06:00"))

    assert "/tin-21" in province.reasons()


def test_a_line_that_stood_there_before_its_day_is_named_with_the_reason(province: Province) -> None:
    slip_of_the_day_into_next_week(province)

    assert province.reasons()["710/BC Báo cáo tuần 710"].startswith("the register had this line before the day")


def test_a_line_by_itself_that_came_up_late_is_named_with_the_reason(province: Province) -> None:
    slip_of_the_day(province)

    assert province.reasons()["710/BC Báo cáo tuần 710"].startswith("it came up a week or more after its day")


def test_a_mail_that_a_program_sent_names_its_header(province: Province) -> None:
    mail_of_an_office_system(province)

    assert all("the header Auto-Submitted" in why for why in province.reasons().values())


def test_addresses_that_a_map_alone_has_are_named_with_their_number_and_an_example(province: Province) -> None:
    documents_in_a_section_outside_the_feed(province)

    reason = str(province.judged()[1].subportal_reason)

    assert "2 addresses came up in the map map that no source of the unit has shown" in reason
    assert reason.endswith("/van-ban/qd-11")


def test_addresses_of_a_map_that_another_source_shows_later_hide_nothing(province: Province) -> None:
    site = province.with_map()
    province.plan(province.day(2), site.documents.append, "/tin-21")
    province.publish(21, province.day(8, "13:00"))

    assert province.judged()[0] is UNMET


def test_a_day_of_the_portal_is_open_where_its_map_alone_has_new_addresses(province: Province) -> None:
    portal = province.with_portal()
    province.poll("sitemap", "map", channel="portal", url=f"{province.server.url}{portal.at}/sitemap.xml")
    province.plan(province.day(2), portal.documents.append, "/van-ban/qd-11")

    days = {one.day: one.verdict for one in province.play().portal_days}

    assert days[date(2026, 11, 17)] is UNKNOWN


def test_an_item_that_a_cache_may_have_held_back_names_the_poll(province: Province) -> None:
    feed_built_each_morning(province)

    assert province.reasons()["/tin-21"] == (
        "it claims 2026-11-22T12:40:00.000Z, and the poll of 2026-11-22T16:00:00.000Z,"
        " which did not show it yet, may have been answered from a cache"
    )


def test_a_day_of_the_portal_whose_item_a_cache_may_have_held_back_is_not_unmet(province: Province) -> None:
    portal = province.with_portal()
    province.hours = (7, 23)
    for day, hour in ((2, "09:00"), (3, "17:00"), (4, "17:00")):
        number = 80 + day
        shown = province.day(day + (day > 2), "09:00" if day == 2 else "06:30")
        province.plan(shown, portal.publish, Post(f"/{number}", province.day(day, hour), story(number)))

    days = {one.day: one.verdict for one in province.play().portal_days}

    assert days[date(2026, 11, 17)] is MET
    assert days[date(2026, 11, 18)] is UNKNOWN


def test_a_register_in_which_nobodys_line_came_is_named_with_its_newest_line(province: Province) -> None:
    register_kept_on_in_a_file_that_is_not_named(province)

    assert str(province.judged()[1].submissions_reason) == (
        "surely 0, at most 7 of the 2 due: register so-den has no line of that week, of any unit:"
        " the newest from before it is of 2026-10-01; it may be kept on in another file"
    )


def test_a_register_in_arrears_is_named_with_its_newest_line(province: Province) -> None:
    register_in_arrears(province)

    assert str(province.judged()[1].submissions_reason) == (
        "surely 1, at most 6 of the 2 due: register so-den has no line of any unit since 2026-11-17, for longer than in the"
        " four weeks before: papers of that day or later may not be entered yet"
    )


def test_a_line_from_after_the_week_ends_the_doubt_about_a_register_in_arrears(province: Province) -> None:
    register = register_until_tuesday(province)
    province.plan(province.day(8), register.enter, 31, "23/11/2026", "Sở Tư pháp")

    assert province.judged()[0] is UNMET


def test_a_register_with_another_units_line_in_the_week_proves_as_before(province: Province) -> None:
    register = province.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    province.plan(province.day(2), register.enter, 2, "17/11/2026", "Sở Tư pháp")

    assert province.judged()[0] is UNMET


def test_a_unit_whose_work_is_seen_is_met(province: Province) -> None:
    province.with_history()
    for day, number in ((2, 20), (4, 21), (8, 22)):
        province.publish(number, province.day(day))

    assert province.judged()[0] is MET


def test_no_way_ought_to_be_unmet() -> None:
    assert UNMET not in ACCUSATIONS.values()


@pytest.mark.parametrize("page", ["threat-model.md", "threat-model.vi.md"])
def test_the_threat_model_has_a_row_for_each_way(page: str) -> None:
    assert rows_named_in(page, -len(ACCUSATIONS)) == [way.__name__ for way in ACCUSATIONS]
