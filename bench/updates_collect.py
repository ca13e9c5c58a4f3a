"""Collecting 500 feeds from a server on this machine by the command, beside curl that only fetches them.

Each feed has 30 articles of about 2 KB. They are collected three times: all is new, one article of each is new, nothing is new
and the server says so. Once they lie on one name, which may be asked twice at once, and once on fifty.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench._runs import PORTALOPS, ROOT, lacking, measured, scratch

FEEDS = int(os.environ.get("FEEDS", "500"))
ARTICLES = 30
HOSTS = (1, 50)
AT_ONCE, AT_ONE_NAME = 20, 2
PROMISED_SECONDS = 30.0
"""However much of them is new."""

_CONFIGURATION = """
[portal]
id = "bench"
name = { vi = "Cổng", en = "Portal" }
timezone = "Asia/Ho_Chi_Minh"

[state]
folder = "state"

[[job]]
id = "updates"
kind = "updates"
every = "day"
"""


def main() -> int:
    """Print what each round took; return 1 if one took longer than promised, or asked for more at once than it may."""
    if lacking("curl"):
        return 0
    is_good = True
    for hosts in HOSTS:
        with scratch(1 << 30) as folder, _server() as (port, tell):
            _configure(folder, port, hosts)
            limit = min(AT_ONCE, AT_ONE_NAME * hosts)
            fetching = measured(["curl", "-s", "-Z", "--parallel-max", str(limit), "-K", str(folder / "urls")])
            print(f"{FEEDS} feeds on {hosts} names: curl fetches them in {fetching.seconds:.2f} s")
            tell("count")
            for what, word in (
                ("all is new", "count"),
                ("one article each is new", "publish"),
                ("nothing is new", "count"),
            ):
                if word == "publish":
                    tell(word)
                took = measured([PORTALOPS, "updates", "collect"], folder=folder)
                all_at_once, to_one = tell("count")
                is_polite = 0 < all_at_once <= AT_ONCE and 0 < to_one <= AT_ONE_NAME  # and asked at all
                is_kept = took.seconds < PROMISED_SECONDS and is_polite
                is_good &= is_kept
                print(
                    f"  {what:24} {took.seconds:6.2f} s  {took.cpu_seconds:6.2f} CPU-s  peak {took.peak_mib:4.0f} MiB  at most"
                    f" {all_at_once} at once, {to_one} to one name  ratio to curl {took.seconds / fetching.seconds:.1f}",
                    flush=True,
                )
    print(f"promised: each under {PROMISED_SECONDS:.0f} s, at most {AT_ONCE} at once and {AT_ONE_NAME} to one name")
    return 0 if is_good else 1


def _configure(folder: Path, port: int, hosts: int) -> None:
    urls = [f"http://127.0.0.{number % hosts + 1}:{port}/{number}" for number in range(FEEDS)]
    (folder / "urls").write_text("".join(f'url = "{url}"\noutput = "/dev/null"\n' for url in urls))
    tables = (
        f'\n[[unit]]\nid = "unit-{number}"\nname = {{ vi = "Đơn vị {number}", en = "Unit {number}" }}\n'
        f'[[updates.source]]\nid = "feed-{number}"\nkind = "feed"\nurl = "{url}"\nchannel = "subportal"\nunit = "unit-{number}"\n'
        for number, url in enumerate(urls)
    )
    (folder / "portalops.toml").write_text(_CONFIGURATION + "".join(tables))


# --- the server -------------------------------------------------------------------------------


@contextmanager
def _server() -> Iterator[tuple[int, Callable[[str], tuple[int, int]]]]:
    """Start the server in a process of its own; yield its port, and what tells it something."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.updates_collect", "serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdin is not None and process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def tell(word: str) -> tuple[int, int]:
        """Return how many were asked for at once at most since the last word: of all names, and of one."""
        stdin.write(f"{word}\n")
        stdin.flush()
        every, one = stdout.readline().split()
        return int(every), int(one)

    try:
        yield int(stdout.readline()), tell
    finally:
        process.terminate()
        process.wait(10)


class _Feeds:
    """Serves every path as a feed of its own."""

    def __init__(self) -> None:
        self.newest = ARTICLES
        self._now: dict[str, int] = {}
        self._most: dict[str, int] = {}

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard = await reader.readuntil(b"\r\n\r\n")
        own = (writer.get_extra_info("sockname")[0], "all")
        for name in own:
            self._now[name] = self._now.get(name, 0) + 1
            self._most[name] = max(self._most.get(name, 0), self._now[name])
        await asyncio.sleep(0)
        mark = f'"{self.newest}"'.encode()
        if b"If-None-Match: " + mark in heard:
            head, body = b"304 Not Modified", b""
        else:
            head, body = b"200 OK", self._feed(heard.split(b" ", 2)[1].decode())
        for name in own:
            self._now[name] -= 1
        writer.write(
            b"HTTP/1.1 %s\r\nETag: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
            % (head, mark, len(body), body)
        )
        await writer.drain()
        writer.close()

    def most(self) -> tuple[int, int]:
        most, self._most = self._most, {}
        return most.pop("all", 0), max(most.values(), default=0)

    def _feed(self, path: str) -> bytes:
        begin = datetime(2026, 1, 1, tzinfo=UTC)
        items = "".join(
            f"<item><title>Tin số {number} của {path}</title><link>http://soyte.example{path}/{number}</link>"
            f"<guid>{path}/{number}</guid><pubDate>{begin + timedelta(days=number):%a, %d %b %Y %H:%M:%S} +0700</pubDate>"
            f"<description><![CDATA[{f'<p>Nội dung bài {number} của {path}.</p>' * 40}]]></description></item>"
            for number in range(self.newest, self.newest - ARTICLES, -1)
        )
        return f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>{items}</channel></rss>'.encode()


async def _serve() -> None:
    feeds = _Feeds()
    server = await asyncio.start_server(feeds.answer, "0.0.0.0", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    words = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(words), sys.stdin)
    while word := (await words.readline()).strip():
        feeds.newest += word == b"publish"
        print(*feeds.most(), flush=True)


if __name__ == "__main__":
    sys.exit(asyncio.run(_serve()) if sys.argv[1:] == ["serve"] else main())
