"""A small province whose units publish as a test plans it: real feeds and pages, a content database, a register and kept mail.

What is planned is the truth. Polls at midnight and at noon judge it, as the job does.
"""

from __future__ import annotations

import itertools
import json
import random
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from html import escape
from pathlib import Path
from types import MappingProxyType

import pytest
from _pytest.mark import ParameterSet

from checks.updates.job import account_of, run_updates
from checks.updates.mail import read_mail
from checks.updates.observations import ObservationStore
from checks.updates.sources import build_update_source
from checks.updates.terms import NOTHING_DECIDED, Decided, Terms
from portalops.config.tables import KindTable
from portalops.model.organisation import Agency, Name, UnitId
from portalops.model.period import Week
from portalops.model.runs import Every
from portalops.model.updates import ItemChannel, Listing, UnitWeek, UpdateAnswer, UpdateSourceTraits, UpdatesResult
from portalops.model.verdicts import DutyVerdict
from portalops.ports import UpdateSource
from portalops.system.web import HttpWeb
from tests.checks.updates.scene import (
    CALENDAR,
    HEALTH,
    JUSTICE,
    PORTAL,
    QUERY,
    ZONE,
    at,
    content_database,
    rulebook,
)
from tests.checks.updates.site import RunningClock
from tests.doubles import MemoryKeeper, SilentProgress
from tests.web import WebServer, answer

_SENTENCES = (
    "Sáng nay, Trung tâm Kiểm soát bệnh tật tỉnh tổ chức tập huấn giám sát sốt xuất huyết cho cán bộ trạm y tế các xã.",
    "Đoàn kiểm tra liên ngành an toàn thực phẩm làm việc với các bếp ăn tập thể trong khu công nghiệp Suối Dầu.",
    "Bệnh viện Đa khoa tỉnh đưa vào sử dụng hệ thống chụp cộng hưởng từ, rút ngắn thời gian chờ của người bệnh.",
    "Lãnh đạo Sở tiếp công dân định kỳ và giải đáp kiến nghị về việc cấp giấy phép hành nghề khám, chữa bệnh.",
    "Chiến dịch tiêm vắc-xin sởi cho trẻ từ chín tháng tuổi được triển khai đồng loạt tại hải đảo và miền núi.",
    "Ngành dược siết chặt quản lý thuốc kê đơn, yêu cầu nhà thuốc liên thông dữ liệu bán hàng lên cổng quốc gia.",
    "Hội nghị sơ kết phong trào hiến máu tình nguyện biểu dương nhiều gia đình có ba thế hệ cùng tham gia.",
    "Các trạm y tế phường thí điểm hồ sơ sức khỏe điện tử, người dân tra cứu kết quả xét nghiệm tại nhà.",
    "Sở hướng dẫn doanh nghiệp du lịch phòng bệnh đường hô hấp trong mùa lễ hội biển sắp tới ở vịnh Nha Trang.",
    "Đội ngũ bác sĩ trẻ tình nguyện về công tác tại Khánh Sơn được hỗ trợ nhà ở và kinh phí học chuyên khoa.",
)
_MIXTURES = tuple(itertools.combinations(range(len(_SENTENCES)), 4))
_INSERT = "INSERT INTO news VALUES (?, ?, ?, ?, ?, ?)"


def body(number: int) -> str:
    """Return one of many texts; no two say the same."""
    return " ".join(_SENTENCES[place] for place in _MIXTURES[number * 11 % len(_MIXTURES)])


def story(number: int, words: int = 240) -> str:
    """Return one of many long texts, each in words of its own order; it has no numbers."""
    return " ".join(random.Random(number).choices(_PROSE, k=words))


_PROSE = re.findall(r"[^\W\d_]{2,}", (Path(__file__).parents[2] / "docs" / "operators-guide.vi.md").read_text("utf-8"))


def reworded(text: str) -> str:
    """Return a text with other words at a few places all over it."""
    for word, other in _OTHER_WORDS.items():
        text = text.replace(word, other, 1)
    return text


_OTHER_WORDS = {
    "tổ chức": "mở", "các xã": "cơ sở", "trong khu": "thuộc khu", "hệ thống": "bộ máy", "định kỳ": "thường xuyên", "đồng loạt": "rộng khắp",
    "yêu cầu": "đề nghị", "nhiều gia": "những gia", "thí điểm": "dùng thử", "sắp tới": "năm nay", "hỗ trợ": "giúp đỡ",
}  # fmt: skip


@dataclass(frozen=True)
class Post:
    """What a site shows of an item."""

    path: str
    claims: str
    """The moment that it claims, such as `2026-11-17 09:00`; empty for none."""
    text: str
    title: str = ""
    guid: str = ""

    @property
    def heading(self) -> str:
        return self.title or " ".join(self.text.split()[:9])


def post(number: int, claims: str, *, path: str = "") -> Post:
    """Return a real item of its own."""
    return Post(path or f"/tin-{number}", claims, body(number))


def _written(claims: str) -> str:
    return at(claims).strftime("%d/%m/%Y %H:%M") if claims else ""


@dataclass
class Site:
    """A sub-portal on a server: a feed, a page and a map of what it has published, the newest first."""

    server: WebServer
    at: str = ""
    """The path under which it lies."""
    posts: list[Post] = field(default_factory=list)
    length: int = 10
    """Items that the feed has room for."""
    fixed_rows: int = 0
    """So many of its oldest items always stand last, in the feed and on a page that is then as short."""
    broken: bytes | None = None
    """What it answers instead of its feed."""
    gives_whole_texts: bool = False
    """Its feed has the items' texts beside their summaries."""
    summary_words: int | None = None
    """Its feed gives so many words of each text; None for all."""
    is_newest_twice: bool = False
    """Its page shows the newest item in a box above the list too."""
    documents: list[str] = field(default_factory=list)
    """Paths that its map alone has."""
    head: str = ""
    """What stands at the beginning of its page."""
    featured: Sequence[str] = ()
    """Paths of the items that its page shows, in this order, since a redesign; empty for all."""
    links: str | None = None
    """The path under which its items lie, if it is another one."""
    written: Callable[[str], str] = _written
    """How it writes the moment that an item claims."""

    def publish(self, *posts: Post) -> None:
        self.posts[:0] = reversed(posts)

    def take_down(self, *paths: str) -> None:
        self.posts = [one for one in self.posts if one.path not in paths]

    def amend(self, path: str, /, **changes: str) -> None:
        """Change an item where it stands."""
        self.posts = [replace(one, **changes) if one.path == path else one for one in self.posts]

    def to_front(self, *paths: str, claims: str = "") -> None:
        """Move items to the front; with another claim if one is given."""
        moved = [replace(one, claims=claims or one.claims) for one in self.posts if one.path in paths]
        self.posts = moved + [one for one in self.posts if one.path not in paths]

    def move(self, place: str, *, behind: str = "") -> None:
        """Give every item another address and id, and further words behind its text."""
        self.posts = [
            replace(one, path=place + one.path, guid=place + one.path, text=one.text + behind) for one in self.posts
        ]

    def renumber(self, mark: str) -> None:
        """Give every item another id."""
        self.posts = [replace(one, guid=f"{one.path}-{mark}") for one in self.posts]

    def turn(self, count: int) -> None:
        """Put the first items behind the last."""
        self.posts = self.posts[count:] + self.posts[:count]

    def freeze(self) -> None:
        """Answer with what is shown now, as a cache that nobody empties."""
        self.show()
        shown = self.server.pages[f"{self.at}/rss"]
        assert isinstance(shown, bytes)
        self.broken = shown

    def show(self) -> None:
        """Put what is published on the server."""
        moving, fixed = self.posts[: len(self.posts) - self.fixed_rows], self.posts[len(self.posts) - self.fixed_rows :]
        shown = [*moving[: self.length], *fixed]
        feed = f"<rss version='2.0'><channel>{''.join(map(self._entry, shown))}</channel></rss>".encode()
        box = self.posts[:1] if self.is_newest_twice else []
        listed = sorted(
            (one for one in self.posts if one.path in self.featured), key=lambda one: self.featured.index(one.path)
        ) or (shown if fixed else self.posts)
        page = f"<html>{self.head}<ul>{''.join(map(self._line, (*box, *listed)))}</ul></html>".encode()
        self.server.pages |= {
            f"{self.at}/rss": answer(feed) if self.broken is None else self.broken,
            f"{self.at}/": answer(page) if self.broken is None else self.broken,
            f"{self.at}/sitemap.xml": answer(f"<urlset>{self._addresses()}</urlset>".encode()),
        }

    def _addresses(self) -> str:
        paths = [one.path for one in self.posts] + self.documents
        return "".join(f"<url><loc>{self.server.url}{self.at}{path}</loc></url>" for path in ("/", *paths))

    def _entry(self, one: Post) -> str:
        place = self.at if self.links is None else self.links
        claimed = f"<pubDate>{self.written(one.claims)}</pubDate>" if one.claims else ""
        said = one.text if self.summary_words is None else f"{' '.join(one.text.split()[: self.summary_words])}..."
        text = f"<description>{escape(said)}</description>"
        if self.gives_whole_texts:
            text = f"<encoded xmlns='http://purl.org/rss/1.0/modules/content/'>{escape(one.text)}</encoded>"
        return (
            f"<item><guid isPermaLink='false'>{one.guid or one.path}</guid><link>{self.server.url}{place}{one.path}</link>"
            f"<title>{escape(one.heading)}</title>{text}{claimed}</item>"
        )

    def _line(self, one: Post) -> str:
        place = self.at if self.links is None else self.links
        return f"<li><a href='{place}{one.path}'>{escape(one.heading)}</a><time>{self.written(one.claims)}</time></li>"


class KeptMail:
    """A mailbox as the mail server tells of it; no server is asked."""

    def __init__(
        self, folder: Path, units: Mapping[str, str], name: str = "mail", outsiders: Sequence[str] = ()
    ) -> None:
        settings = {
            "host": "mail.khanhhoa.example",
            "user": "tin-bai",
            "password": {"file": "password"},
            "units": dict(units),
            "outsiders": list(outsiders),
            "checked_by": "mx.khanhhoa.example",
        }
        self._source = build_update_source(KindTable.alone(name, "imap", settings, folder), zone=ZONE, web=HttpWeb())
        self.source_id = name
        self.messages: list[dict[str, object]] = []

    @property
    def traits(self) -> UpdateSourceTraits:
        return self._source.traits

    def receive(
        self,
        on: str,
        sender: str,
        text: str,
        *,
        subject: str = "Tin, bài gửi Cổng",
        sent: str = "",
        automatic: str = "",
        file: str = "",
        name: str = "",
        reply_to: str = "",
        saved: int = 0,
        message_id: str = "",
        copied_to: str = "",
    ) -> None:
        """Receive a message; files that were saved once, under a number, have the same bytes."""
        number = len(self.messages) + 1
        self.messages.append({
            "received_at": at(on).isoformat(), "message_id": message_id or f"<{number}@khanhhoa.example>", "sender": sender,
            "date": at(sent or on).strftime("%a, %d %b %Y %H:%M:%S +0700"), "subject": subject, "text": text,
            "files": [{"name": file, "size": 9000, "digest": f"{saved or number:064x}"}] if file else [], "broken": "", "checks": ["mx.khanhhoa.example; dmarc=pass"], "is_automatic": bool(automatic),
            "automatic": automatic, "sender_name": name, "reply_to": [reply_to] if reply_to else [],
            "copied_to": [copied_to] if copied_to else [],
            "digest": f"{number:064x}",
        })  # fmt: skip

    def deliver(self, on: str, data: bytes) -> None:
        """Receive a message as it came over the network, from a sender that the server vouches for."""
        mail = read_mail(data)
        reply_to = next(iter(mail.reply_to), "")
        self.receive(
            on, mail.sender, mail.text, subject=mail.subject, automatic=mail.automatic, name=mail.sender_name,
            reply_to=reply_to,
        )  # fmt: skip
        self.messages[-1]["files"] = [asdict(one) for one in mail.files]

    def fetch(self, *, etag: str) -> UpdateAnswer:
        del etag
        kept = {"folder": "INBOX", "since": at("2026-10-01 00:00").isoformat(), "messages": self.messages, "unread": []}
        return UpdateAnswer(json.dumps(kept).encode())

    def parse(self, data: bytes, *, polled_at: datetime) -> Listing:
        return self._source.parse(data, polled_at=polled_at)


class Register:
    """A register of incoming papers that a registrar writes."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.lines = ["Số đến,Ngày đến,Tác giả,Số ký hiệu,Trích yếu"]
        self.write()

    def enter(self, number: int, day: str, agency: str, subject: str = "Báo cáo tuần") -> None:
        self.add_line(number, day, agency, f"{number}/BC", f"{subject} {number}")

    def add_line(self, number: int, day: str, agency: str, code: str, subject: str) -> None:
        self.lines.append(f"{number},{day},{agency},{code},{subject}")
        self.write()

    def add_written(self, *lines: str) -> None:
        """Add whole lines of the file."""
        self.lines += lines
        self.write()

    def begin_anew(self) -> None:
        """Begin a new file."""
        self.lines = self.lines[:1]
        self.write()

    def correct(self, number: int, *, day: str, to: str) -> None:
        """Write another day into the line of a number."""
        self.lines = [line.replace(day, to) if line.startswith(f"{number},") else line for line in self.lines]
        self.write()

    def strike(self, number: int) -> None:
        """Take out the line of a number."""
        self.lines = [line for line in self.lines if not line.startswith(f"{number},")]
        self.write()

    def write(self) -> None:
        self.file.write_text("\n".join(self.lines), "utf-8")


class AuthoredFeed:
    """A JSON feed on a server whose items name their authors, the newest first."""

    def __init__(self, server: WebServer) -> None:
        self.server = server
        self.items: list[dict[str, object]] = []
        self.words: int | None = None
        """It gives so many words of each text; None for all."""

    def publish(self, one: Post, author: str, *others: str) -> None:
        self.items.insert(0, {
            "id": one.path, "url": f"{self.server.url}/gui{one.path}", "title": one.heading, "content_text": one.text,
            "date_published": at(one.claims).isoformat(), "authors": [{"name": name} for name in (author, *others) if name],
        })  # fmt: skip

    def show(self) -> None:
        """Put what is published on the server."""
        feed = {
            "version": "https://jsonfeed.org/version/1.1",
            "title": "Tin gửi",
            "items": [*map(self._cut, self.items)],
        }
        self.server.pages["/gui.json"] = answer(json.dumps(feed).encode())

    def _cut(self, one: dict[str, object]) -> dict[str, object]:
        if self.words is None:
            return one
        return {**one, "content_text": f"{' '.join(str(one['content_text']).split()[: self.words])}..."}


class Database:
    """The content database of a portal."""

    def __init__(self, folder: Path) -> None:
        self.file = content_database(folder)

    def put(
        self, number: int, *, published: str, created: str = "", text: str = "", unit: str | None = "Sở Y tế"
    ) -> None:
        words = text or body(number)
        self._run(_INSERT, (number, " ".join(words.split()[:9]), published, created or published, unit, words))

    def change(self, number: int, **columns: object) -> None:
        for column, value in columns.items():
            self._run(f"UPDATE news SET {column} = ? WHERE id = ?", (value, number))

    def lose(self, *, since: int) -> None:
        """Lose all rows from a number on."""
        self._run("DELETE FROM news WHERE id >= ?", (since,))

    def _run(self, statement: str, values: Sequence[object]) -> None:
        connection = sqlite3.connect(self.file)
        connection.execute(statement, values)
        connection.commit()
        connection.close()


class Province:
    """Its units, what they do when, and what the job makes of it."""

    def __init__(self, folder: Path, server: WebServer) -> None:
        self.folder, self.server = folder, server
        self.site = Site(server)
        self.sites: list[Site | AuthoredFeed] = [self.site]
        self.sources: list[UpdateSource] = []
        self.units: list[Agency] = [HEALTH, JUSTICE]
        self.unit = HEALTH
        self.decided: Decided = NOTHING_DECIDED
        self.channel = ItemChannel.SUBPORTAL
        self.monday = date(2026, 11, 16)
        self.hours: tuple[int, ...] = (0, 12)
        self.unpolled: set[str] = set()
        """Days on which nobody polls."""
        self._plans: list[tuple[datetime, int, Callable[[], object]]] = []

    # What there is

    def with_history(self, count: int = 9, *, syndicated: bool = False) -> Site:
        """Let the site have items from before, and poll its feed."""
        for number in range(count):
            self.site.publish(post(number, f"{self.monday - timedelta(days=2 + 2 * (count - number))} 09:00"))
        self.poll("feed", "rss", url=f"{self.server.url}/rss", syndicated=syndicated)
        return self.site

    def with_map(self) -> Site:
        """Let the site have items from before, and ask its map too, which names documents that no feed has."""
        self.with_history()
        self.site.documents.append("/van-ban/qd-10")
        self.poll("sitemap", "map", url=f"{self.server.url}/sitemap.xml")
        return self.site

    def with_whole_texts(self) -> Site:
        """Let the site have items from before, and poll its feed, which gives their whole texts."""
        self.site.gives_whole_texts = True
        return self.with_history()

    def poll(self, kind: str, name: str, unit: Agency | None = None, **settings: object) -> None:
        owner = {} if kind in {"register", "sql"} or "channel" in settings else {"unit": (unit or HEALTH).id}
        table = {"channel": "subportal", **owner, **settings}
        self.sources.append(
            build_update_source(KindTable.alone(name, kind, table, self.folder), zone=ZONE, web=HttpWeb())
        )

    def with_register(self, *, outsiders: Sequence[str] = ()) -> Register:
        self.channel = ItemChannel.SUBMISSION
        register = Register(self.folder / "so-den.csv")
        self.poll("register", "so-den", channel="submission", file=str(register.file), outsiders=outsiders)
        return register

    def with_mail(
        self, units: Mapping[str, str] = MappingProxyType({}), name: str = "mail", outsiders: Sequence[str] = ()
    ) -> KeptMail:
        self.channel = ItemChannel.SUBMISSION
        mail = KeptMail(self.folder, units, name, outsiders)
        self.sources.append(mail)
        return mail

    def with_database(self, *, trust_created: bool = True) -> Database:
        database = Database(self.folder)
        self.poll("sql", "content", url="sqlite:///portal.sqlite", query=QUERY, trust_created=trust_created)
        return database

    def with_submitted_rows(self) -> Database:
        """Let units send in by rows of a database, which name them."""
        self.channel = ItemChannel.SUBMISSION
        database = Database(self.folder)
        self.poll(
            "sql", "content", channel="submission", url="sqlite:///portal.sqlite", query=QUERY, trust_created=True
        )
        return database

    def with_submitted_items(self) -> AuthoredFeed:
        """Let units send in by a feed, which names them."""
        self.channel = ItemChannel.SUBMISSION
        return self.with_authored_items("submission")

    def with_authored_items(self, channel: str) -> AuthoredFeed:
        """Let a feed show the items of several units, which it names."""
        feed = AuthoredFeed(self.server)
        self.sites.append(feed)
        self.poll("json-feed", "gui", channel=channel, url=f"{self.server.url}/gui.json")
        return feed

    def with_other_unit(self) -> Site:
        """Let another unit have a sub-portal of its own, and poll its feed."""
        other = Site(self.server, "/tu-phap")
        for number in range(60, 68):
            other.publish(post(number, f"{self.monday - timedelta(days=80 - number)} 09:00"))
        self.sites.append(other)
        self.poll("feed", "tu-phap", unit=JUSTICE, url=f"{self.server.url}/tu-phap/rss")
        return other

    def with_third_unit(self) -> Site:
        """Let a third unit have a sub-portal too."""
        unit = Agency(UnitId("so-noi-vu"), Name("Sở Nội vụ", "Department of Home Affairs"))
        third = Site(self.server, "/noi-vu")
        for number in range(70, 78):
            third.publish(post(number, f"{self.monday - timedelta(days=90 - number)} 09:00"))
        self.units.append(unit)
        self.sites.append(third)
        self.poll("feed", "noi-vu", unit=unit, url=f"{self.server.url}/noi-vu/rss")
        return third

    def with_other_list(self) -> Site:
        """Let another unit have a sub-portal of which its list of titles alone is polled, and days without an hour in it."""
        other = Site(self.server, "/danh-sach", written=lambda claims: at(claims).strftime("%d/%m/%Y"))
        for number in range(70, 78):
            other.publish(post(number, f"{self.monday - timedelta(days=80 - number)} 09:00"))
        self.sites.append(other)
        self.poll("list-page", "danh-sach", unit=JUSTICE, url=f"{self.server.url}/danh-sach/", item="li", date="time")
        return other

    def with_portal(self) -> Site:
        """Let the portal itself have news with whole texts, and poll its feed."""
        portal = Site(self.server, "/cong")
        for number in range(60, 68):
            portal.publish(Post(f"/{number}", f"{self.monday - timedelta(days=80 - number)} 09:00", story(number)))
        self.sites.append(portal)
        self.poll("feed", "cong", channel="portal", url=f"{self.server.url}/cong/rss")
        return portal

    def remove(self, source: str) -> None:
        """Take a source out of the configuration."""
        self.sources = [one for one in self.sources if one.traits.id != source]

    def replace(self, source: str, by: str) -> None:
        """Poll the portal's feed under another id."""
        self.remove(source)
        self.poll("feed", by, channel="portal", url=f"{self.server.url}/cong/rss")

    def with_page(self, *, links: str | None) -> Site:
        """Let the site's front page list its items too, and poll it."""
        page = Site(self.server, "/trang", list(self.site.posts), links=links)
        self.sites.append(page)
        self.poll("list-page", "page", url=f"{self.server.url}/trang/", item="li", date="time")
        return page

    # What happens

    def plan(self, on: str, what: Callable[..., object], *with_values: object, **named: object) -> None:
        """Let something happen at a moment, between the polls."""
        self._plans.append((at(on), len(self._plans), lambda: what(*with_values, **named)))

    def day(self, number: int, hour: str = "09:00") -> str:
        """Return a moment of the judged week: day 1 is Monday, 8 the Monday after."""
        return f"{self.monday + timedelta(days=number - 1)} {hour}"

    def put_in_utc(self, rows: Database, number: int, on: str) -> None:
        """Put a row at a moment whose columns name it in UTC without a zone."""
        self.plan(on, rows.put, number, published=str(at(on) - timedelta(hours=7))[:16])

    def publish(self, number: int, on: str, **claims: str) -> None:
        self.plan(on, self.site.publish, post(number, claims.get("claims", on), path=claims.get("path", "")))

    # What comes of it

    def judged(self) -> tuple[DutyVerdict, UnitWeek]:
        """Play all; return the week as it is judged two days after its end, with the verdict of the number in question."""
        result = self.play()
        week = next(
            one for one in result.unit_weeks if one.week.period().first == self.monday and one.unit == self.unit.id
        )
        is_sent = self.channel is ItemChannel.SUBMISSION
        return (week.submissions_verdict if is_sent else week.subportal_verdict), week

    def reasons(self) -> dict[str, str]:
        """Play all; return why each item that bears on the week counts or does not, by its address."""
        self.play()
        terms = Terms(rulebook(), CALENDAR, ZONE, at(self.day(9, "12:00")), Every.DAY, self.decided)
        found = account_of(
            ObservationStore.open(self._store), sources=self.sources, units=self.units, portal=PORTAL, unit=self.unit,
            week=Week.of(self.monday), terms=terms,
        )  # fmt: skip
        assert found is not None
        return {
            one.item.seen.url.removeprefix(self.server.url) or one.item.seen.title: str(one.why) for one in found.items
        }

    @property
    def _store(self) -> Path:
        return self.folder / "observations.sqlite"

    def play(self) -> UpdatesResult:
        store = ObservationStore.open(self._store)
        keeper, clock = MemoryKeeper(), RunningClock(at(self.day(0)))
        plans = sorted(self._plans)
        result: UpdatesResult | None = None
        for number in range(10):
            for hour in self.hours:
                clock.at = at(self.day(number, f"{hour:02}:00"))
                while plans and plans[0][0] <= clock.at:
                    plans.pop(0)[2]()
                for site in self.sites:
                    site.show()
                if str(clock.at.date()) in self.unpolled:
                    continue
                result = run_updates(
                    sources=self.sources, units=self.units, portal=PORTAL, rulebook=rulebook(), calendar=CALENDAR,
                    store=store, keeper=keeper, clock=clock, progress=SilentProgress(), judge_weeks=2,
                    poll_every=Every.DAY, decided=self.decided,
                )  # fmt: skip
        assert result is not None
        return result


Way = Callable[[Province], None]
"""What a unit does, and what happens to it, in the judged week."""


def cases(ways: Mapping[Way, DutyVerdict], wrong: Mapping[Way, str]) -> tuple[ParameterSet, ...]:
    """Return each way with what it ought to come to; those that come to something else are expected to fail."""
    return tuple(
        pytest.param(
            way,
            verdict,
            id=way.__name__,
            marks=[pytest.mark.xfail(reason=wrong[way], raises=AssertionError, strict=True)] if way in wrong else [],
        )
        for way, verdict in ways.items()
    )


def rows_named_in(page: str, count: int) -> list[str]:
    """Return the first names of ways in a page's tables, in order; the last ones where the count is negative."""
    text = (Path(__file__).parents[2] / "docs" / page).read_text("utf-8")
    found = re.findall(r"\| `((?!test_)[a-z_]+)` \|$", text, re.MULTILINE)
    return found[:count] if count > 0 else found[count:]
