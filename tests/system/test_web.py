from __future__ import annotations

import gzip
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from portalops.ports import Network, WebPage, WebUnavailable
from portalops.system.web import MAX_CONNECTIONS, HttpWeb, gunzip, reach
from tests.anchors.certificates import authority
from tests.anchors.certificates import server as server_certificate
from tests.web import WebServer, answer, http_date, redirect, web_server

MIB = 1 << 20
FEED = "<rss><channel><title>Sở Y tế</title></channel></rss>".encode()


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as started:
        yield started


def get(url: str, *, mark: str = "", limit_bytes: int = MIB, seconds: float = 20.0) -> WebPage:
    return HttpWeb(seconds=seconds).get(url, accept="application/xml", mark=mark, limit_bytes=limit_bytes)


# --- good answers -----------------------------------------------------------------------------


def test_a_page_comes_whole(server: WebServer) -> None:
    server.pages["/tin%20t%E1%BB%A9c?id=7"] = answer(FEED)

    page = get(f"{server.url}/tin tức?id=7#top")

    assert page == WebPage(FEED)
    (request,) = server.asked
    assert "Accept: application/xml" in request
    assert "User-Agent: portalops/" in request


def test_a_page_in_chunks_and_packed_comes_whole(server: WebServer) -> None:
    packed = gzip.compress(FEED)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (packed[:7], packed[7:])) + b"0\r\n\r\n"
    server.pages["/"] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n" + chunks

    assert get(server.url).data == FEED


def test_what_has_not_changed_is_not_sent_again(server: WebServer) -> None:
    server.pages["/rss"] = answer(FEED)
    server.marks["/rss"] = {"ETag": '"v1"', "Last-Modified": http_date(datetime(2026, 11, 16, tzinfo=UTC))}

    first = get(f"{server.url}/rss")
    second = get(f"{server.url}/rss", mark=first.mark)

    assert (first.data, first.mark) == (FEED, '"v1"')
    assert second == WebPage(None, '"v1"')
    assert "If-Modified-Since" not in server.asked[1]


def test_without_an_etag_the_day_of_the_last_change_serves(server: WebServer) -> None:
    server.pages["/rss"] = answer(FEED)
    server.marks["/rss"] = {"Last-Modified": "Mon, 16 Nov 2026 02:00:00 GMT"}

    first = get(f"{server.url}/rss")

    assert first.mark == "Mon, 16 Nov 2026 02:00:00 GMT"
    assert get(f"{server.url}/rss", mark=first.mark).data is None


@pytest.mark.parametrize("mark", ['"a\tb"', '"' + "v" * 500 + '"', '"\x00"'])
def test_a_mark_that_cannot_be_sent_back_is_none(server: WebServer, mark: str) -> None:
    server.pages["/"] = answer(FEED, headers={"ETag": mark})

    assert get(server.url).mark == ""


def test_nothing_changed_is_no_answer_to_who_did_not_ask(server: WebServer) -> None:
    server.pages["/"] = answer(status="304 Not Modified")

    with pytest.raises(WebUnavailable, match="HTTP status 304"):
        get(server.url)


# --- redirects --------------------------------------------------------------------------------


def test_redirects_are_followed_and_told(server: WebServer) -> None:
    server.pages |= {"/": redirect("/feed"), "/feed": redirect("/tin?x=1", "308 Permanent"), "/tin?x=1": answer(FEED)}

    page = get(server.url)

    assert page.data == FEED
    assert page.via == (f"{server.url}/feed", f"{server.url}/tin?x=1")


def test_redirects_without_end_are_cut(server: WebServer) -> None:
    server.pages["/a"] = redirect("/a")

    with pytest.raises(WebUnavailable, match="redirected more than 5 times") as caught:
        get(f"{server.url}/a")

    assert len(server.asked) == 6
    assert caught.value.via == (f"{server.url}/a",) * 6


@pytest.mark.parametrize(
    ("target", "cause"),
    [
        ("http://10.20.30.40/", "address 10.20.30.40 is in another network than the source's own address"),
        ("http://169.254.169.254/latest/meta-data/", "address 169.254.169.254 is in another network"),
        ("http://[fe80::1]/", "address fe80::1 is in another network"),
        ("http://0xa9fea9fe/", "address 169.254.169.254 is in another network"),
        ("http://[::ffff:10.0.0.1]/", r"address ::ffff:(a00:1|10\.0\.0\.1) is in another network"),
        ("file:///etc/passwd", "not a web address"),
        ("ftp://127.0.0.1/", "not a web address"),
        ("http://admin:pw@127.0.0.1/", "not a web address"),
        ("http://[::1", "not a web address"),
        ("http://127.0.0.1:99999999999999999999/", "not a web address"),
        ("", "redirected more than 5 times"),
    ],
)
def test_a_redirect_that_leads_astray_is_not_followed(server: WebServer, target: str, cause: str) -> None:
    server.pages["/"] = redirect(target)

    with pytest.raises(WebUnavailable, match=cause):
        get(f"{server.url}/")


APART = ("unshare", "--map-root-user", "--net")
PUBLIC = """
import socketserver, sys, threading
from portalops.ports import WebUnavailable
from portalops.system.web import HttpWeb

class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.readline()
        name = self.server.server_address[0]
        heard.append(name)
        head = "302 Found\\r\\nLocation: http://%s:8080/" % target if name == "20.30.40.50" else "200 OK"
        self.wfile.write(f"HTTP/1.1 {head}\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok".encode())

heard = []
for address in ("20.30.40.50", "60.70.80.90", "127.0.0.1", "10.1.1.1"):
    server = socketserver.ThreadingTCPServer((address, 8080), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

class Names:
    def addresses(self, name):
        return {"portal.example": ("127.0.0.1", "20.30.40.50"), "evil.example": ("10.1.1.1",)}.get(name, (name,))

start, target, inside = sys.argv[1:]
try:
    page = HttpWeb(Names()).get(f"http://{start}:8080/", accept="*/*", limit_bytes=100, inside=inside == "inside")
    print(page.data, heard)
except WebUnavailable as error:
    print(error, heard)
"""


@pytest.mark.parametrize(
    ("start", "target", "inside", "says"),
    [
        ("portal.example", "60.70.80.90", "", "b'ok' ['20.30.40.50', '60.70.80.90']"),
        (
            "portal.example",
            "127.0.0.1",
            "",
            "127.0.0.1 is in another network than the source's own address ['20.30.40.50']",
        ),
        (
            "portal.example",
            "evil.example",
            "inside",
            "10.1.1.1 is in another network than the source's own address ['20.",
        ),
        ("evil.example", "", "", "the name evil.example has the address 10.1.1.1, which is not public; if the site is"),
        ("evil.example", "", "inside", "b'ok' ['10.1.1.1']"),
        ("10.1.1.1", "", "", "b'ok' ['10.1.1.1']"),
    ],
)
def test_a_public_server_leads_nowhere_inside_and_no_name_does_unless_that_was_said(
    start: str, target: str, inside: str, says: str
) -> None:
    """In a network of its own, where public addresses are this machine's."""
    if subprocess.run([*APART, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this kernel gives no network of one's own")
    names = ("20.30.40.50", "60.70.80.90", "10.1.1.1")
    here = " && ".join(["ip link set lo up", *(f"ip addr add {name}/32 dev lo" for name in names), 'exec "$@"'])

    done = subprocess.run(
        [*APART, "sh", "-c", here, "sh", sys.executable, "-c", PUBLIC, start, target, inside],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
    )

    assert says in done.stdout


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("8.8.8.8", "public"),
        ("2606:4700::1111", "public"),
        ("127.9.9.9", "loopback"),
        ("0.0.0.0", "loopback"),
        ("::", "loopback"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("64:ff9b::7f00:1", "loopback"),
        ("2002:7f00:1::", "loopback"),
        ("169.254.169.254", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("192.168.1.1", "private"),
        ("100.64.0.1", "private"),
        ("fd00::1", "private"),
        ("224.0.0.1", "private"),
        ("255.255.255.255", "private"),
    ],
)
def test_each_address_lies_in_its_network(address: str, kind: str) -> None:
    assert reach(address) == kind


# --- hostile and broken servers ---------------------------------------------------------------


def test_a_body_without_end_is_cut_at_the_limit(server: WebServer) -> None:
    server.pages["/"] = server.endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536)

    with pytest.raises(WebUnavailable, match="larger than 1 MiB"):
        get(server.url)

    assert server.sent_bytes < 16 * MIB


@pytest.mark.parametrize(
    ("reply", "cause", "beginning"),
    [
        (answer(b"<rss>" + b"x" * 2 * MIB), "larger than 1 MiB", b"<rss>" + b"x" * ((16 << 10) - 5)),
        (answer(b"<rss><item>", length=400), "the answer is truncated", b"<rss><item>"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<rss>\r\nff\r\n<item>",
            "the answer is not HTTP: IncompleteRead",
            b"<rss><item>",
        ),
        (
            answer(gzip.compress(b"<rss><item>")[:-6], headers={"Content-Encoding": "gzip"}),
            "the answer is truncated",
            b"<rss><item>",
        ),
    ],
    ids=["too large", "short", "chunk", "packed"],
)
def test_of_a_page_that_did_not_come_whole_its_status_and_beginning_are_told(
    server: WebServer, reply: bytes, cause: str, beginning: bytes
) -> None:
    server.pages |= {"/": redirect("/whole"), "/whole": reply}

    with pytest.raises(WebUnavailable, match=cause) as failed:
        get(server.url)

    assert (failed.value.status, failed.value.beginning) == (200, beginning)
    assert failed.value.via == (f"{server.url}/whole",)


def _bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(8 * MIB)
    return b"".join([*(packer.compress(zeros) for _each in range(32)), packer.flush()])


def test_a_bomb_of_gzip_is_never_unpacked(server: WebServer) -> None:
    server.pages["/"] = answer(_bomb(), headers={"Content-Encoding": "gzip"})
    tracemalloc.start()

    with pytest.raises(WebUnavailable, match="larger than 1 MiB"):
        get(server.url)

    assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    tracemalloc.stop()


def _drip(head: bytes, part: bytes) -> Any:
    def send(sock: Any) -> None:
        sock.sendall(head)
        while True:
            sock.sendall(part)
            time.sleep(0.02)

    return send


@pytest.mark.parametrize(
    ("head", "part"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["body", "chunks", "headers", "continue"],
)
def test_a_server_that_drips_is_left_at_the_deadline(server: WebServer, head: bytes, part: bytes) -> None:
    server.pages["/"] = _drip(head, part)
    begun = time.monotonic()

    with pytest.raises(WebUnavailable, match="no answer within 1 seconds"):
        get(server.url, seconds=0.6)

    assert time.monotonic() - begun < 20


def test_a_server_that_does_not_speak_tls_is_left_at_the_deadline() -> None:
    with web_server() as plain, pytest.raises(WebUnavailable, match="no answer within 1 seconds"):
        get(plain.url.replace("http:", "https:"), seconds=0.6)


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (b"", "RemoteDisconnected"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "the answer is not HTTP: BadStatusLine SSH-2.0-OpenSSH_9.9"),
        (
            b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
            "the answer is not HTTP: HTTPException got more than 100",
        ),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", "the answer is not HTTP: LineTooLong"),
        (answer(FEED, length=1000), "the answer is truncated"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\nabc", "the answer is not HTTP: IncompleteRead"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "the answer is not HTTP"),
        (answer(FEED, headers={"Content-Encoding": "br"}), "compressed in a way that was not requested: br"),
        (answer(FEED, headers={"Content-Encoding": "gzip, gzip"}), "not requested: gzip, gzip"),
        (answer(FEED, headers={"Content-Encoding": "gzip"}), "cannot be decompressed: Error -3"),
        (answer(gzip.compress(FEED * 99)[:40], headers={"Content-Encoding": "gzip"}), "the answer is truncated"),
        (answer(status="503 Service Unavailable"), "the server answers with HTTP status 503"),
        (answer(status="204 No Content"), "HTTP status 204"),
    ],
)
def test_an_answer_that_is_none_is_named(server: WebServer, reply: bytes, cause: str) -> None:
    server.pages["/"] = reply

    with pytest.raises(WebUnavailable, match=cause):
        get(server.url)


def test_a_day_that_no_calendar_has_is_no_mark(server: WebServer) -> None:
    server.pages["/"] = answer(FEED, headers={"Last-Modified": f"Mon, {'9' * 30} Nov 2026 02:00:00 GMT"})

    assert get(server.url).mark == ""


def test_a_header_with_nul_bytes_harms_nothing(server: WebServer) -> None:
    server.pages["/"] = b"HTTP/1.1 200 OK\r\nETag: \0\r\nX\0: \xff\r\nContent-Length: 2\r\n\r\nok"

    assert get(server.url) == WebPage(b"ok")


class Waiting:
    """A network on which names are looked up for as long as the test wants."""

    def __init__(self, names: int) -> None:
        self.all_asked = threading.Barrier(names + 1)
        self.end = threading.Event()

    def addresses(self, name: str) -> tuple[str, ...]:
        self.all_asked.wait(60)
        self.end.wait(60)
        return ()


def test_who_finds_all_connections_taken_waits_no_longer_than_for_a_page() -> None:
    network = Waiting(MAX_CONNECTIONS)
    web = HttpWeb(cast("Network", network), seconds=120, wait_seconds=0.1)

    def ask(number: int) -> None:
        with pytest.raises(WebUnavailable, match="has no address"):
            web.get(f"http://h{number}.example/", accept="*/*", limit_bytes=MIB)

    asking = [threading.Thread(target=ask, args=(number,)) for number in range(MAX_CONNECTIONS)]
    for thread in asking:
        thread.start()
    network.all_asked.wait(60)
    with pytest.raises(WebUnavailable, match="not polled: the maximum number of connections was open"):
        web.get("http://one-more.example/", accept="*/*", limit_bytes=MIB)
    network.end.set()
    for thread in asking:
        thread.join(60)


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(WebUnavailable, match="no answer: Connection refused"):
        get("http://127.0.0.1:9/rss")


def test_a_name_that_nobody_knows_is_named() -> None:
    with pytest.raises(WebUnavailable, match=r"the name no\.such\.invalid has no address"):
        get("http://no.such.invalid/")


def test_a_certificate_that_nobody_trusts_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = authority("Root of a test")
    certificate, key = server_certificate("portal", root).write(tmp_path, "portal")
    trusted, _key = root.write(tmp_path, "root")

    with web_server(certificate, key) as secure:
        secure.pages["/"] = answer(FEED)
        with pytest.raises(WebUnavailable, match="its certificate is not valid: unable to get local issuer"):
            get(secure.url)
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        with pytest.raises(WebUnavailable, match="its certificate is not valid: Hostname mismatch"):
            get(secure.url.replace("127.0.0.1", "localhost"))
        assert get(secure.url).data == FEED


@pytest.mark.parametrize("padding", [b"", b"\0" * 20])
def test_gzip_of_several_members_is_unpacked_whole(padding: bytes) -> None:
    data = gzip.compress(b"a" * 1000) + gzip.compress(b"b" * 1000) + padding

    assert gunzip((data[:50], data[50:]), MIB) == b"a" * 1000 + b"b" * 1000


# --- not too much at once ---------------------------------------------------------------------


def test_a_name_is_asked_twice_at_once_at_most(server: WebServer) -> None:
    both = threading.Barrier(2)

    def when_two_ask(sock: socket.socket) -> None:
        both.wait(60)
        sock.sendall(answer(FEED))

    server.pages["/"], server.delay = when_two_ask, 0.05
    web = HttpWeb()
    pages: list[WebPage] = []
    threads = [
        threading.Thread(target=lambda: pages.append(web.get(server.url, accept="*/*", limit_bytes=MIB)))
        for _each in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [page.data for page in pages] == [FEED] * 8
    assert server.most_at_once <= 2
