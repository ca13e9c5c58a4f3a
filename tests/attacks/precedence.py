"""Ways in which it matters who was first with a text, and of which day an item is: of units that feign work and of units that work."""

from __future__ import annotations

from dataclasses import replace

from tests.attacks.update_scene import Post, Province, Site, post, story
from tests.checks.updates.scene import HEALTH, at
from tests.web import answer

_DATELINE = "Khánh Hòa, ngày 12 tháng 11 năm 2026 - "


# --- feigned work -----------------------------------------------------------------------------


def one_sitting_that_claims_two_days(p: Province) -> None:
    site = p.with_history()
    p.hours = (8, 20)
    for number, claims in ((20, p.day(1, "21:00")), (21, p.day(2, "06:50"))):
        p.plan(p.day(2, "07:00"), site.publish, post(number, claims))
    p.publish(22, p.day(8))


def one_sitting_around_the_evening_poll(p: Province) -> None:
    site = p.with_whole_texts()
    p.hours = (7, 22)
    p.plan(p.day(2, "21:55"), site.publish, Post("/tin-20", p.day(2, "21:55"), story(20)))
    p.plan(p.day(2, "22:05"), site.publish, Post("/tin-21", p.day(3, "06:00"), story(21)))
    p.publish(22, p.day(8))


def one_sitting_in_a_list_of_days(p: Province) -> None:
    site = p.with_history()
    p.hours = (7, 22)
    site.written = lambda claims: at(claims).strftime("%d/%m/%Y")
    p.publish(20, p.day(2, "21:55"))
    p.publish(21, p.day(2, "22:05"), claims=p.day(3, "06:00"))
    p.publish(22, p.day(8))


def portal_news_dated_hours_before(p: Province) -> None:
    site, portal = p.with_history(), p.with_portal()
    for day in (2, 4):
        text = story(day, 320)
        p.plan(p.day(day, "14:30"), portal.publish, Post(f"/tin-{day}", p.day(day, "14:30"), text))
        p.plan(p.day(day, "16:00"), site.publish, Post(f"/y-te-{day}", p.day(day, "12:10"), text))
    p.publish(22, p.day(8))


def portal_news_while_its_feed_is_out(p: Province) -> None:
    site, portal = p.with_history(), p.with_portal()
    p.plan(p.day(1, "13:00"), setattr, portal, "broken", answer(status="503 Service Unavailable"))
    p.plan(p.day(6), setattr, portal, "broken", None)
    for day in (2, 4):
        text = story(day, 320)
        p.plan(p.day(day), portal.publish, Post(f"/tin-{day}", p.day(day), text))
        p.plan(p.day(day + 1), site.publish, Post(f"/y-te-{day}", p.day(day + 1), text))
    p.publish(22, p.day(8))


def whole_texts_of_the_portals_summaries(p: Province) -> None:
    site, portal = p.with_whole_texts(), p.with_portal()
    for day, title in (
        (1, "Ra quân vệ sinh môi trường biển đợt cuối năm"),
        (3, "Khởi công kè chống sạt lở bờ sông Cái"),
    ):
        words = story(day, 320).split()
        p.plan(p.day(day), portal.publish, Post(f"/tin-{day}", p.day(day), f"{' '.join(words[:24])}...", title))
        own = title if day == 1 else "Tin trong tuần"
        p.plan(
            p.day(day + 1), site.publish,
            Post(f"/y-te-{day}", p.day(day + 1), f"{_DATELINE}{' '.join(words)}", own),
        )  # fmt: skip
    p.publish(22, p.day(8))


def whole_texts_of_which_the_portal_shows_another_stretch(p: Province) -> None:
    site, portal = p.with_whole_texts(), p.with_portal()
    for day in (1, 3):
        words = story(day, 320).split()
        lead = Post(f"/tin-{day}", p.day(day), " ".join(words[100:130]), f"Tin của cổng số {day}")
        p.plan(p.day(day), portal.publish, lead)
        p.plan(p.day(day + 1), site.publish, Post(f"/y-te-{day}", p.day(day + 1), " ".join(words), "Tin trong tuần"))
    p.publish(22, p.day(8))


def whole_texts_under_the_portals_titles(p: Province) -> None:
    site = p.with_whole_texts()
    portal = Site(p.server, "/cong", [post(number, f"{p.monday} 09:00") for number in range(60, 68)])
    p.sites.append(portal)
    p.poll("list-page", "cong", channel="portal", url=f"{p.server.url}/cong/", item="li", date="time")
    for day, title in (
        (1, "Ra quân vệ sinh môi trường biển đợt cuối năm"),
        (3, "Khởi công kè chống sạt lở bờ sông Cái"),
    ):
        p.plan(p.day(day), portal.publish, Post(f"/tin-{day}", p.day(day), "", title))
        p.plan(p.day(day + 1), site.publish, Post(f"/y-te-{day}", p.day(day + 1), story(day, 320), title))
    p.publish(22, p.day(8))


def portal_news_mailed_in(p: Province) -> None:
    portal, mail = p.with_portal(), p.with_mail()
    p.units[0] = replace(HEALTH, aliases=("soyte.khanhhoa.example",))
    mail.receive(p.day(-4), "vanthu@soyte.khanhhoa.example", story(99, 320))
    for day in (1, 3):
        text = story(day, 320)
        p.plan(p.day(day), portal.publish, Post(f"/tin-{day}", p.day(day), text))
        p.plan(p.day(day + 1), mail.receive, p.day(day + 1), "vanthu@soyte.khanhhoa.example", text)


def texts_of_another_units_site_mailed_in(p: Province) -> None:
    other, mail = p.with_other_unit(), p.with_mail()
    other.gives_whole_texts = True
    p.units[0] = replace(HEALTH, aliases=("soyte.khanhhoa.example",))
    mail.receive(p.day(-4), "vanthu@soyte.khanhhoa.example", story(99, 320))
    for day, behind in ((1, ""), (3, f" {story(50, 20)}")):
        text = story(day, 320)
        p.plan(p.day(day), other.publish, Post(f"/tin-{day}", p.day(day), text))
        p.plan(p.day(day + 1), mail.receive, p.day(day + 1), "vanthu@soyte.khanhhoa.example", text + behind)


def portal_news_registered(p: Province) -> None:
    portal, register = p.with_portal(), p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    for day, title in (
        (1, "Ra quân vệ sinh môi trường biển đợt cuối năm"),
        (3, "Khởi công kè chống sạt lở bờ sông Cái"),
    ):
        p.plan(p.day(day), portal.publish, Post(f"/tin-{day}", p.day(day), story(day, 320), title))
        written = f"{at(p.day(day + 1)):%d/%m/%Y}"
        p.plan(p.day(day + 1), register.add_line, day + 1, written, "Sở Y tế", f"{day}/SYT", f"Tin bài: {title}")


# --- work -------------------------------------------------------------------------------------


def items_dated_by_their_papers(p: Province) -> None:
    site = p.with_history()
    p.hours = (20,)
    site.written = lambda claims: at(claims).strftime("%d/%m/%Y")
    p.publish(20, p.day(1, "10:00"))
    p.publish(21, p.day(2, "09:00"), claims=p.day(1))
    p.publish(22, p.day(8))


def drafts_begun_the_evening_before(p: Province) -> None:
    p.with_history()
    p.hours = (8, 20)
    p.publish(20, p.day(1, "10:00"))
    p.publish(21, p.day(2, "06:50"), claims=p.day(1, "21:00"))
    p.publish(22, p.day(8))


def item_edited_on_monday_that_sunday_night_showed(p: Province) -> None:
    _put_up_on_sunday_night(p, "23:00", claims=p.day(8, "06:35"))


def item_dated_ahead_to_monday(p: Province) -> None:
    _put_up_on_sunday_night(p, "23:00", claims=p.day(8, "07:00"))


def item_dated_by_its_approval(p: Province) -> None:
    _put_up_on_sunday_night(p, "22:50", claims=p.day(8, "06:45"))


def clock_two_hours_ahead_on_sunday(p: Province) -> None:
    _put_up_on_sunday_night(p, "23:30", claims=p.day(8, "01:30"), ahead="11:00")


def list_of_the_days_of_events(p: Province) -> None:
    site = p.with_history()
    site.written = lambda claims: at(claims).strftime("%d/%m/%Y")
    p.hours = (7, 22)
    for day, hour, number in ((3, "09:00", 20), (7, "23:00", 21), (8, "09:00", 22)):
        p.publish(number, p.day(day, hour), claims=p.day(day + 1))


def _put_up_on_sunday_night(p: Province, hour: str, *, claims: str, ahead: str = "09:00") -> None:
    p.with_history()
    p.hours = (7, 22)
    p.publish(20, p.day(3), claims=p.day(3, ahead))
    p.publish(21, p.day(7, hour), claims=claims)
    p.publish(22, p.day(8), claims=p.day(8, ahead))


def own_texts_of_a_late_feed_that_another_unit_copies(p: Province) -> None:
    site, other = p.with_history(), p.with_other_unit()
    front = Site(p.server, posts=list(site.posts))
    p.sites[:] = [front, other]
    for day, number in ((1, 90), (3, 91), (8, 92)):
        p.plan(p.day(day + 1), front.publish, post(number, p.day(day)))
        p.plan(p.day(day, "11:00"), other.publish, post(number, p.day(day, "11:00"), path=f"/tu-phap-{number}"))


def papers_that_the_portal_publishes_afterwards(p: Province) -> None:
    portal, mail = p.with_portal(), p.with_mail()
    p.units[0] = replace(HEALTH, aliases=("soyte.khanhhoa.example",))
    mail.receive(p.day(-4), "vanthu@soyte.khanhhoa.example", story(99, 320))
    for day in (1, 3):
        text = story(day, 320)
        p.plan(p.day(day), mail.receive, p.day(day), "vanthu@soyte.khanhhoa.example", text)
        p.plan(p.day(day, "10:30"), portal.publish, Post(f"/tin-{day}", p.day(day, "10:30"), text))
