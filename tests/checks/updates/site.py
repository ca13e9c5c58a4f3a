"""A sub-portal on a real server, and sources that are collected from it again and again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from checks.updates.job import run_updates
from checks.updates.observations import ObservationStore
from checks.updates.sources import feed, list_page, sitemap
from portalops.config.tables import KindTable
from portalops.model.runs import Every
from portalops.model.updates import Poll, UpdatesResult
from portalops.ports import UpdateSource
from portalops.system.web import HttpWeb
from tests.checks.updates.scene import CALENDAR, HEALTH, JUSTICE, PORTAL, ZONE, at, rulebook
from tests.doubles import FixedClock, MemoryKeeper, SilentProgress
from tests.web import WebServer, answer

KINDS: dict[str, Any] = {"feed": feed, "list-page": list_page, "sitemap": sitemap}


@dataclass
class Site:
    """A sub-portal: what it has published, shown by a feed, a map and a page."""

    server: WebServer
    items: list[tuple[str, str]] = field(default_factory=list)
    """Path and moment of each, newest first."""
    feed_length: int = 3
    guid: str = "a"

    def publish(self, *paths: str, on: str) -> None:
        self.items[:0] = [(path, on) for path in reversed(paths)]
        self.show()

    def show(self) -> None:
        url = self.server.url
        newest = self.items[: self.feed_length]
        entries = "".join(
            f"<item><guid isPermaLink='false'>{self.guid}{path}</guid><link>{url}{path}</link><title>Tin {path}</title>"
            f"<description>{'Nội dung ' * 60}{path}</description><pubDate>{at(on).strftime('%d/%m/%Y %H:%M')}</pubDate></item>"
            for path, on in newest
        )
        urls = "".join(
            f"<url><loc>{url}{path}</loc><lastmod>{at(on).date()}</lastmod></url>" for path, on in self.items
        )
        lines = "".join(
            f"<li><a href='{path}'>Tin {path}</a><time>{at(on).strftime('%d/%m/%Y %H:%M')}</time></li>"
            for path, on in self.items
        )
        self.server.pages |= {
            "/rss": answer(f"<rss version='2.0'><channel>{entries}</channel></rss>".encode()),
            "/sitemap.xml": answer(f"<urlset>{urls}</urlset>".encode()),
            "/": answer(f"<html><ul>{lines}</ul></html>".encode()),
        }


class RunningClock(FixedClock):
    """Stands still on its day, and measures spans."""

    def monotonic(self) -> float:
        return time.monotonic()


class Collecting:
    """Sources that are collected again and again."""

    def __init__(self, folder: Path, sources: Sequence[UpdateSource]) -> None:
        self.sources = sources
        self.store = ObservationStore.open(folder / "observations.sqlite")
        self.keeper = MemoryKeeper()
        self.clock = RunningClock(at("2026-11-16 20:00"))
        self.polls: list[Poll] = []

    def run(self, on: str, *, within: timedelta = timedelta(minutes=2)) -> UpdatesResult:
        self.clock.at = at(on)
        result = run_updates(
            sources=self.sources,
            units=(HEALTH, JUSTICE),
            portal=PORTAL,
            rulebook=rulebook(),
            calendar=CALENDAR,
            store=self.store,
            keeper=self.keeper,
            clock=self.clock,
            progress=SilentProgress(),
            judge_weeks=2,
            poll_every=Every.DAY,
            within=within,
        )
        self.polls += result.polls
        return result

    def poll(self, on: str, source: str = "rss") -> Poll:
        return next(poll for poll in self.run(on).polls if poll.source == source)


def source(kind: str, name: str, **settings: object) -> UpdateSource:
    table = {"channel": "subportal", "unit": HEALTH.id, **settings}
    built: UpdateSource = KINDS[kind].build(
        name, KindTable.alone(name, kind, table, Path("/srv")), zone=ZONE, web=HttpWeb()
    )
    return built
