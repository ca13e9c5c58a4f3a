"""The view from outside, on real servers: nginx, sshd, and ones that mean no good."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import subprocess
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from checks.servers.catalogue import chosen
from checks.servers.declared import Declared
from checks.servers.gather import appended, no_answer
from checks.servers.judging import judge_again
from checks.servers.outside import hello, kexinit
from checks.servers.outside.hello import Reply
from checks.servers.outside.web import response_from, signatures
from checks.servers.outside.words import FORBIDDEN, ReadPage
from checks.servers.outside_scan import ALL, Outside, skip_outside_scan
from checks.servers.probe import ProbeResult
from checks.servers.runner import run_checks
from checks.servers.web.pages_as_approved import names_are_akin
from portalops.errors import HostUnreachable
from portalops.model.checks import CheckResult
from portalops.model.message import msg
from portalops.model.organisation import Host, HostId
from portalops.ports import Shell
from portalops.system.clock import SystemClock
from portalops.system.network import SocketNetwork
from tests.checks.servers.portals import ADDRESS, CANARY, NAME, STATION, Authority, Nginx, Streets, portal_blocks
from tests.doubles import MemoryKeeper, SilentProgress
from tests.servers import SshHost, free_port

HOST = Host(HostId("web1"), "local")
PAGES: dict[str, object] = {
    "public_addresses": [ADDRESS],
    "pages": [f"https://{NAME}/"],
    "editions": {"vi": f"https://{NAME}/vi/", "en": f"https://{NAME}/en/"},
    "admin_paths": ["/admin/"],
    "folders": ["/uploads/"],
}


@dataclass(frozen=True)
class Portals:
    """The running portals by state, and whom to trust."""

    ports: dict[str, tuple[int, int]]
    ca_file: Path

    def streets(self, state: str, **more: int) -> Streets:
        tls, plain = self.ports[state]
        return Streets({(ADDRESS, 443): tls, (ADDRESS, 80): plain, **{(ADDRESS, int(k)): v for k, v in more.items()}})


@pytest.fixture(scope="module")
def portals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portals]:
    folder = tmp_path_factory.mktemp("portals")
    authority, nginx = Authority.new(), Nginx(folder)
    ports = portal_blocks(nginx, authority)
    ca_file = folder / "ca.pem"
    ca_file.write_bytes(authority.root.pem())
    with nginx.running():
        yield Portals(ports, ca_file)


def looked(streets: Streets, declared: dict[str, object], *wanted: str, seconds: float = 60.0) -> bytes:
    outside = Outside(streets, "auditor-1", pause_seconds=0.0, budget_seconds=seconds)
    own = Declared.model_validate(declared).find_host(HOST.id)
    raw = no_answer()
    for section in outside.sections(HOST, own, wanted or ALL, None):
        raw = appended(raw, section)
    return raw


def judged(raw: bytes, declared: dict[str, object], check: str, at: datetime | None = None) -> CheckResult:
    (result,) = judge_again(
        raw, HOST, Declared.model_validate(declared), at or datetime.now(UTC), some=chosen(ids=(check,))
    )
    return result


def outcome(portals: Portals, state: str, check: str, **more: object) -> tuple[str, str]:
    declared = {**PAGES, "ca_file": str(portals.ca_file), **more}
    section = {"tls": "outside.tls", "web": "outside.web"}[check.partition(".")[0]]
    result = judged(looked(portals.streets(state), declared, section, "outside.ports"), declared, check)
    return result.verdict.value, result.reason


@pytest.mark.parametrize(
    ("state", "check", "expected"),
    [
        ("good", "tls.expiry", ("pass", "")),
        ("five-days", "tls.expiry", ("fail", "expires-soon")),
        ("expired", "tls.expiry", ("fail", "expired")),
        ("other-name", "tls.expiry", ("fail", "wrong-name")),
        ("self-signed", "tls.expiry", ("pass", "")),
        ("good", "tls.chain", ("pass", "")),
        ("with-root", "tls.chain", ("pass", "")),
        ("only-13", "tls.chain", ("pass", "")),
        ("old", "tls.chain", ("pass", "")),
        ("only-old", "tls.chain", ("pass", "")),
        ("no-link", "tls.chain", ("fail", "chain-not-trusted")),
        ("self-signed", "tls.chain", ("fail", "self-signed")),
        ("other-name", "tls.chain", ("fail", "wrong-name")),
        ("expired", "tls.chain", ("pass", "")),
        ("good", "tls.protocols", ("pass", "")),
        ("only-13", "tls.protocols", ("pass", "")),
        ("old", "tls.protocols", ("fail", "old-version-taken")),
        ("only-old", "tls.protocols", ("fail", "old-version-taken")),
        ("good", "web.https", ("pass", "")),
        ("bare", "web.https", ("fail", "plain-http")),
        ("leaky", "web.https", ("fail", "no-hsts")),
        ("good", "web.headers", ("pass", "")),
        ("bare", "web.headers", ("fail", "headers-missing")),
        ("good", "web.admin-exposed", ("pass", "")),
        ("login", "web.admin-exposed", ("fail", "login-offered")),
        ("soft404", "web.admin-exposed", ("pass", "")),
        ("loop", "web.admin-exposed", ("unknown", "cannot-tell")),
        ("good", "web.dir-listing", ("pass", "")),
        ("bare", "web.dir-listing", ("fail", "listed")),
        ("good", "web.leaks", ("pass", "")),
        ("leaky", "web.leaks", ("fail", "leaked")),
        ("soft404", "web.leaks", ("pass", "")),
        ("good", "web.defacement", ("pass", "")),
        ("cloaked", "web.defacement", ("fail", "forbidden-words")),
        ("loop", "web.defacement", ("unknown", "page-not-seen")),
        ("good", "web.editions", ("pass", "")),
        ("english-gone", "web.editions", ("fail", "edition-gone")),
        ("english-in-vietnamese", "web.editions", ("fail", "edition-text")),
        ("english-unmarked", "web.editions", ("fail", "edition-unmarked")),
        ("english-too-short", "web.editions", ("unknown", "text-unclear")),
        ("english-broken", "web.editions", ("unknown", "server-in-trouble")),
        ("loop", "web.editions", ("unknown", "page-not-seen")),
        # the protection is there and does nothing
        ("framed", "web.headers", ("fail", "headers-missing")),
        ("any-script", "web.headers", ("fail", "headers-missing")),
        ("reports-only", "web.headers", ("fail", "headers-missing")),
        ("forgotten-at-once", "web.https", ("fail", "no-hsts")),
        ("front-alone-redirected", "web.https", ("fail", "plain-http")),
        ("one-spelling", "web.admin-exposed", ("fail", "login-offered")),
        ("raw-spelling", "web.admin-exposed", ("fail", "login-offered")),
        ("listed-below", "web.dir-listing", ("fail", "listed")),
        ("listed-as-json", "web.dir-listing", ("fail", "listed")),
        ("shown-to-searchers", "web.defacement", ("fail", "forbidden-words")),
        ("listed-by-hand", "web.dir-listing", ("unknown", "may-be-list")),
        # what looks like a fault and is none
        ("headers-twice", "web.headers", ("pass", "")),
        ("challenge-in-plain", "web.https", ("pass", "")),
        ("front-for-odd-spellings", "web.admin-exposed", ("pass", "")),
        ("login-below", "web.admin-exposed", ("fail", "login-offered")),
        ("login-behind-a-semicolon", "web.admin-exposed", ("fail", "login-offered")),
        ("same-nonce", "web.headers", ("fail", "nonce-repeated")),
        ("own-nonce", "web.headers", ("pass", "")),
        ("listed-below-named-by-nobody", "web.dir-listing", ("pass", "")),
    ],
)
def test_portal_of_a_state_is_judged_as_it_is(
    portals: Portals, state: str, check: str, expected: tuple[str, str]
) -> None:
    assert outcome(portals, state, check) == expected


@pytest.mark.parametrize(
    ("state", "expected"), [("old", ("fail", "old-version-taken")), ("only-13", ("pass", "")), ("plain", ("pass", ""))]
)
def test_versions_of_tls_are_asked_for_at_every_port_of_tls(
    portals: Portals, state: str, expected: tuple[str, str]
) -> None:
    port = portals.ports["bare"][1] if state == "plain" else portals.ports[state][0]
    declared = {**PAGES, "ca_file": str(portals.ca_file)}
    raw = looked(portals.streets("good", **{"8443": port}), declared, "outside.tls", "outside.ports")

    result = judged(raw, declared, "tls.protocols")
    assert (result.verdict.value, result.reason) == expected
    assert judged(raw, declared, "tls.chain").verdict.value == "pass", "what it sends there is not asked of it"


def test_redirect_and_hsts_are_asked_of_every_address(portals: Portals) -> None:
    """A second address of the portal goes to a server that was forgotten."""
    declared = {**PAGES, "ca_file": str(portals.ca_file), "public_addresses": [ADDRESS, "203.0.113.6"]}
    reasons = {}
    for state in ("good", "bare", "shut"):
        ways = dict(portals.streets("good").ways)
        if state != "shut":
            tls, plain = portals.ports[state]
            ways |= {("203.0.113.6", 443): tls, ("203.0.113.6", 80): plain}
        raw = looked(Streets(ways), declared, "outside.web", "outside.ports")
        reasons[state] = judged(raw, declared, "web.https").reason

    assert reasons == {"good": "", "bare": "plain-http", "shut": ""}


def test_approved_copy_is_compared_by_its_words(portals: Portals, tmp_path: Path) -> None:
    copy = tmp_path / "copy.html"
    copy.write_text("<p>" + " ".join(f"khác{number}" for number in range(50)) + "</p>")
    url = f"https://{NAME}/"

    assert outcome(portals, "good", "web.defacement", approved_pages={url: str(copy)}) == ("fail", "not-as-approved")
    copy.write_text("<p>Cổng thông tin điện tử: tin tức, văn bản chỉ đạo điều hành</p>")
    assert outcome(portals, "good", "web.defacement", approved_pages={url: str(copy)}) == ("pass", "")
    copy.unlink()
    assert outcome(portals, "good", "web.defacement", approved_pages={url: str(copy)}) == (
        "unknown",
        "no-approved-copy",
    )


def test_edition_that_is_gone_or_in_another_language_fails(portals: Portals) -> None:
    gone = {"vi": f"https://{NAME}/vi/", "en": f"https://{NAME}/english/"}
    swapped = {"vi": f"https://{NAME}/en/", "en": f"https://{NAME}/vi/"}

    assert outcome(portals, "good", "web.defacement", editions=gone) == ("fail", "edition-gone")
    assert outcome(portals, "good", "web.defacement", editions=swapped) == ("fail", "edition-language")


def test_edition_is_missing_where_one_alone_is_declared_and_nothing_is_known_where_none_is(portals: Portals) -> None:
    vi, en = f"https://{NAME}/vi/", f"https://{NAME}/en/"

    assert outcome(portals, "good", "web.editions", editions={"vi": vi}) == ("fail", "edition-missing")
    assert outcome(portals, "good", "web.editions", editions={"vi": en, "en": vi}) == ("fail", "edition-language")
    assert outcome(portals, "good", "web.editions", editions={}) == ("unknown", "not-declared")
    elsewhere = outcome(portals, "good", "web.editions", editions={}, editions_elsewhere=True)
    assert elsewhere == ("not-applicable", "declared-elsewhere")


def test_host_that_serves_no_page_has_no_editions_only_where_its_ports_are_shut(portals: Portals) -> None:
    nothing: dict[str, object] = {"pages": [], "editions": {}}

    assert outcome(portals, "good", "web.editions", **nothing) == ("fail", "pages-not-declared")
    shut = Streets({(ADDRESS, 22): portals.ports["good"][0]})
    declared = {**PAGES, **nothing}
    result = judged(looked(shut, declared, "outside.web", "outside.ports"), declared, "web.editions")
    assert (result.verdict.value, result.reason) == ("not-applicable", "no-pages")


def test_what_a_leaked_file_says_is_never_kept(portals: Portals) -> None:
    declared = {**PAGES, "ca_file": str(portals.ca_file)}
    raw = looked(portals.streets("leaky"), declared, "outside.web")

    assert CANARY.encode() not in raw
    for value in _strings(json.loads(raw[raw.index(b"{") : raw.rindex(b"}") + 1])):
        with contextlib.suppress(ValueError, zlib.error):
            assert CANARY.encode() not in zlib.decompress(base64.b64decode(value))
    assert CANARY not in str(judged(raw, declared, "web.leaks").message)


def _strings(held: object) -> Iterator[str]:
    if isinstance(held, str):
        yield held
    elif isinstance(held, dict):
        for each in held.values():
            yield from _strings(each)
    elif isinstance(held, list):
        for each in held:
            yield from _strings(each)


def test_the_same_bytes_give_the_same_results(portals: Portals) -> None:
    declared = {**PAGES, "ca_file": str(portals.ca_file)}
    raw, at = looked(portals.streets("good"), declared), datetime.now(UTC)

    some = chosen(families=("web", "tls"))
    first, second = (judge_again(raw, HOST, Declared.model_validate(declared), at, some=some) for _number in range(2))

    assert first == second
    assert all("auditor-1 (198.51.100.9)" in str(each.message) for each in first if each.verdict.value == "pass")


def test_look_from_the_host_itself_is_no_view_from_outside(portals: Portals) -> None:
    streets = portals.streets("good")
    for station in ("127.0.0.1", ADDRESS):
        streets.station = station
        result = judged(looked(streets, PAGES), PAGES, "firewall.outside-view")

        assert (result.verdict.value, result.reason) == ("unknown", "not-seen-from-outside")


def test_round_from_inside_alone_leaves_the_outside_unknown() -> None:
    raw = no_answer()
    for section in skip_outside_scan(ALL):
        raw = appended(raw, section)

    for check in ("firewall.outside-view", "ssh.crypto", "tls.chain", "web.leaks"):
        result = judged(raw, PAGES, check)
        assert (result.verdict.value, result.reason) == ("unknown", "not-seen-from-outside")


def test_only_declared_addresses_are_connected_to(portals: Portals) -> None:
    streets = portals.streets("loop")
    looked(streets, PAGES)

    assert {address for address, _port in streets.asked} == {ADDRESS}


def test_host_without_a_declared_address_is_connected_to_nowhere(portals: Portals) -> None:
    streets = portals.streets("good")
    result = judged(looked(streets, {}), {}, "firewall.outside-view")

    assert (result.verdict.value, result.reason, streets.asked) == ("unknown", "not-declared", [])


# --- Ports ---------------------------------------------------------------------------------------------------------


def test_open_ports_are_compared_both_ways(portals: Portals) -> None:
    verdicts = {}
    for ports in ((80, 443), (443,), (80, 443, 8443), None):
        declared = {**PAGES, "public_ports": ports}
        result = judged(looked(portals.streets("good"), declared, "outside.ports"), declared, "firewall.outside-view")
        verdicts[ports] = (result.verdict.value, result.reason)

    assert verdicts == {
        (80, 443): ("pass", ""),
        (443,): ("fail", "port-open-to-world"),
        (80, 443, 8443): ("fail", "public-port-shut"),
        None: ("unknown", "not-declared"),
    }


def test_port_that_the_host_says_listens_is_tried() -> None:
    with _listening(lambda _connection: None) as port:
        streets = Streets({(ADDRESS, 12345): port})
        own = Declared.model_validate(PAGES).find_host(HOST.id)
        inside = appended(
            no_answer(), ProbeResult("net.listeners", 0, b"tcp LISTEN 0 5 0.0.0.0:12345 0.0.0.0:*\n", b"", 0)
        )
        (section,) = Outside(streets, "auditor-1").sections(HOST, own, ["outside.ports"], inside)

    assert json.loads(section.stdout)["ports"][ADDRESS]["open"] == [12345]


# --- SSH -----------------------------------------------------------------------------------------------------------


def test_offer_of_ssh_is_read_without_a_login(ssh_host: SshHost) -> None:
    streets = Streets({(ADDRESS, 22): ssh_host.port})
    result = judged(looked(streets, PAGES, "outside.ssh"), PAGES, "ssh.crypto")

    assert (result.verdict.value, result.reason) == ("fail", "weak-algorithms")  # Debian's defaults have hmac-sha1
    assert "hmac-sha1" in str(result.message)


# --- Servers that mean no good -------------------------------------------------------------------------------------


@contextlib.contextmanager
def _listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve each connection in a thread of its own."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        stop = threading.Event()

        def accept() -> None:
            while not stop.is_set():
                try:
                    connection, _address = listener.accept()
                except OSError:
                    return
                threading.Thread(target=handle, args=(connection,), daemon=True).start()

        def handle(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                serve(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            stop.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _hangs(connection: socket.socket) -> None:
    connection.settimeout(30)
    while connection.recv(4096):
        pass


def _drips(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    for _number in range(300):
        connection.sendall(b"a")
        time.sleep(0.1)


def _floods(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
    part = b"x" * (1 << 16)
    for _number in range(1 << 14):
        connection.sendall(part)


@pytest.mark.parametrize("serve", [_hangs, _drips, _floods], ids=["hangs", "drips", "floods"])
def test_one_connection_has_one_deadline_and_one_limit(serve: Callable[[socket.socket], None]) -> None:
    with _listening(serve) as port:
        began = time.monotonic()
        talk = SocketNetwork().talk(
            "127.0.0.1", port, b"GET / HTTP/1.1\r\n\r\n", until=lambda _heard: False, seconds=1.0, limit_bytes=100_000
        )

    assert talk.state == "open"
    assert talk.ended in {"late", "full"}
    assert len(talk.heard) <= 100_000
    assert time.monotonic() - began < 20


@pytest.mark.heavy
def test_host_that_hangs_costs_no_more_than_its_budget_and_is_unknown() -> None:
    with _listening(_hangs) as port:
        streets = Streets({(ADDRESS, 443): port, (ADDRESS, 80): port, (ADDRESS, 22): port})
        began = time.monotonic()
        raw = looked(streets, PAGES, seconds=3.0)
        took = time.monotonic() - began

    assert took < 10
    for check in ("tls.expiry", "tls.protocols", "web.https", "web.leaks", "web.defacement", "ssh.crypto"):
        assert judged(raw, PAGES, check).verdict.value == "unknown", check


def test_connection_that_is_refused_and_one_that_nobody_answers_differ() -> None:
    def state(port: int) -> str:
        return SocketNetwork().talk("127.0.0.1", port, b"", until=lambda _heard: True, seconds=1.0, limit_bytes=1).state

    assert state(free_port()) == "closed"
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)  # the kernel drops who comes after those who wait
        for _number in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        time.sleep(0.1)
        assert state(full.getsockname()[1]) == "filtered"


# --- Pure parts ----------------------------------------------------------------------------------------------------


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_hand_made_offer_is_answered_by_openssl_itself(version: str, tmp_path: Path) -> None:
    own = _own(tmp_path)
    port = free_port()
    server = subprocess.Popen(
        [
            "openssl",
            "s_server",
            "-accept",
            f"127.0.0.1:{port}",
            "-cert",
            own,
            "-key",
            own,
            "-quiet",
            f"-tls{version.replace('.', '_')}",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port)
        replies = {each: _offered(port, each) for each in ("1.2", "1.3")}
    finally:
        server.kill()
        server.communicate()

    other = "1.3" if version == "1.2" else "1.2"
    assert replies == {version: Reply.TAKEN, other: Reply.REFUSED}


def _offered(port: int, version: str) -> Reply:
    offer = hello.client_hello(version, NAME, bytes(96 - 1) + b"\x09")
    talk = SocketNetwork().talk("127.0.0.1", port, offer, until=hello.is_answered, seconds=5.0, limit_bytes=4096)
    return hello.reply_to(version, talk.heard, talk.ended)


def _own(folder: Path) -> str:
    from tests.checks.servers.portals import issue

    own = issue(NAME, names=(NAME,))
    path = folder / "own.pem"
    path.write_bytes(own.pem() + own.key_pem())
    return str(path)


def _wait(port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("heard", "ended", "expected"),
    [
        (bytes.fromhex("15030200020246"), "enough", Reply.REFUSED),
        (bytes.fromhex("15030200020250"), "enough", Reply.UNCLEAR),  # internal_error
        (b"", "closed", Reply.HUNG_UP),
        (b"", "reset", Reply.HUNG_UP),
        (b"", "late", Reply.UNCLEAR),
        (b"HTTP/1.1 400 Bad Request\r\n", "closed", Reply.UNCLEAR),
        (b"\x16\x03\x01\xff\xff\x02", "closed", Reply.UNCLEAR),
        (b"\x16\x03\x01\x00\x04\x02\x00\x00\x00", "enough", Reply.UNCLEAR),
    ],
)
def test_reply_that_tells_nothing_is_unclear(heard: bytes, ended: str, expected: Reply) -> None:
    assert hello.reply_to("1.1", heard, ended) is expected


@pytest.mark.parametrize(
    "heard",
    [
        b"",
        b"SSH-2.0-x",
        b"SSH-2.0-x\r\n\x00\x00\x00\x00",
        b"SSH-2.0-x\r\n\xff\xff\xff\xff",
        b"SSH-2.0-x\r\n\x00\x00\x00\x01\x00",
        b"SSH-2.0-x\r\n\x00\x00\x00\x20\x04\x14" + b"\xff" * 30,
        b"220 mail\r\n" * 100,
    ],
)
def test_broken_offer_of_ssh_is_none(heard: bytes) -> None:
    assert kexinit.offer_from(heard) is None


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        (b"ref: refs/heads/main\n", ("git",)),
        (b"9fceb02d0ae598e95dc970b74767f19372d61af8\n", ("git",)),
        (b"<!doctype html><title>ref: refs/heads</title>", ()),
        (b"# remark\n\nAPP_KEY=x\n", ("dotenv",)),
        (b"<html><a href=x=y>", ()),
        (b"<?php define('DB_PASSWORD', 'x');", ("php-source",)),
        (b"-- PostgreSQL database dump\n", ("sql-dump",)),
        (b"Active connections: 3 \nserver accepts handled requests\n", ("server-status",)),
        (b"PK\x03\x04\x14\x00", ("archive",)),
        ("Không tìm thấy".encode(), ()),
    ],
)
def test_leak_is_told_by_what_it_is(body: bytes, kinds: tuple[str, ...]) -> None:
    assert signatures(body) == kinds


@pytest.mark.parametrize(
    "text", ["<!--", "<a ", "<![CDATA[", "</", "&#", "<script>", "<title>", "<", "&#9" + "9" * 9000]
)
def test_page_that_means_no_good_is_read_in_no_time(text: str) -> None:
    body = (text * ((256 << 10) // len(text) + 1)).encode()[: 256 << 10]
    began = time.thread_time()

    ReadPage(body).holds(FORBIDDEN)

    assert time.thread_time() - began < 3


def test_words_are_what_a_reader_or_a_crawler_sees() -> None:
    page = ReadPage(
        '<html lang="vi-VN"><head><title>Cổng &amp; NỔ HŨ</title><meta name=description content="Nhà cái uy tín">'
        "<script>hacked by</script></head><!-- hacked by --><p>Ủy ban <b>nhân dân</b></p></html>".encode()
    )

    assert page.holds(FORBIDDEN) == ("nhà cái uy tín", "nổ hũ")
    assert (page.language, page.title) == ("vi", "Cổng & NỔ HŨ")


def test_news_of_the_police_about_gambling_is_no_defacement() -> None:
    page = ReadPage(
        "Công an tỉnh triệt phá đường dây lô đề, cá cược bóng đá qua mạng; bắt nhóm đánh bạc bằng tài xỉu".encode()
    )

    assert page.holds(FORBIDDEN) == ()


@pytest.mark.parametrize(
    "text",
    [
        '<img src=/b.jpg alt="Nhà cái uy tín - số 1">',
        "<a title='Casino trực tuyến' href=x>x</a>",
        "Trang web này đã bị tấn công bởi nhóm X",
        "H4ck3d by Anon",
        "Nhà c\u200bái u\u00ady t&#8203;ín",
        "nhà-cái_uy-tín",
        "\U0001d421\U0001d41a\U0001d41c\U0001d424\U0001d41e\U0001d41d by X",
    ],
)
def test_words_in_disguise_and_in_attributes_are_seen(text: str) -> None:
    assert ReadPage(text.encode()).holds(FORBIDDEN)


@pytest.mark.parametrize(
    "text",
    [
        '<img src=/b.jpg alt="Công an bắt nhóm đánh bạc, cá độ bóng đá">',
        "Bệnh viện đã bị tấn công bởi mã độc; kế hoạch 4 năm, nghị định 13, covid19, b4c",
        "<p>Cảnh báo: trang web giả mạo, hệ thống có thể đã bị tấn công</p>",
    ],
)
def test_news_of_attacks_is_no_defacement(text: str) -> None:
    assert ReadPage(text.encode()).holds(FORBIDDEN) == ()


@pytest.mark.parametrize(
    ("text", "leads"),
    [
        ('<meta http-equiv=refresh content="3;url=https://casino.example/">', ("https://casino.example/",)),
        ("<meta content='0; URL=//c.example/?a&amp;b' http-equiv='Refresh'>", ("//c.example/?a&b",)),
        (
            '<iframe src="https://c.example/" style="position:fixed;width:100%;height:100%"></iframe>',
            ("https://c.example/",),
        ),
        (
            "<script>if(/google/.test(document.referrer)){window.location.href='https://c.example/'}</script>",
            ("https://c.example/",),
        ),
        ("<script>setTimeout(function(){ location.replace('//c.example') }, 3000)</script>", ("//c.example",)),
        ('<meta http-equiv=refresh content="300">', ()),
        (
            '<iframe src="https://www.youtube.com/embed/x" style="position:absolute;width:100%;height:100%"></iframe>',
            (),
        ),
        ('<iframe src="https://www.google.com/maps/embed" width="100%" height="450"></iframe>', ()),
        ("<script>b.onclick=function(){location.href='https://www.facebook.com/sharer'}</script>", ()),
        ("<script>if(location.protocol!='https:')location.protocol='https:'</script>", ()),
    ],
)
def test_page_leads_on_with_no_click(text: str, leads: tuple[str, ...]) -> None:
    assert ReadPage(text.encode()).leads == leads


@pytest.mark.parametrize(
    ("name", "is_akin"),
    [
        ("portal.example.vn", True),
        ("m.portal.example.vn", True),
        ("other.example.vn", True),
        ("casino.example", False),
        ("portal.vn", False),
    ],
)
def test_name_of_a_stranger_is_another_below_the_last_that_all_may_have(name: str, is_akin: bool) -> None:
    assert names_are_akin("www.portal.example.vn", name) is is_akin


def test_names_of_authorities_are_akin_and_names_of_companies_are_not() -> None:
    assert names_are_akin("khanhhoa.gov.vn", "dichvucong.gov.vn")
    assert not names_are_akin("khanhhoa.com.vn", "casino.com.vn")


def test_page_names_its_language_in_any_of_the_forms_that_html_has() -> None:
    for tag in ('<html lang="vi-VN">', "<HTML LANG='VI'>", "<html class=x lang = vi>"):
        assert ReadPage(tag.encode()).language == "vi"
    for tag in ('<html xml:lang="vi">', '<html data-lang="vi">', "<html>"):
        assert ReadPage(tag.encode()).language == ""


@pytest.mark.parametrize(
    "heard", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 999999 x\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 500]
)
def test_answer_that_is_no_http_is_none(heard: bytes) -> None:
    assert response_from(heard, 100) is None


def test_secret_in_a_header_is_starred_out() -> None:
    answer = response_from(f"HTTP/1.1 302 x\r\nLocation: /login?token={CANARY}\r\n\r\n".encode(), 100)

    assert answer is not None
    assert CANARY not in answer.headers["location"]


def test_station_is_named_in_the_evidence(portals: Portals) -> None:
    raw = looked(portals.streets("good"), PAGES, "outside.ports")

    assert b'"station":"auditor-1"' in raw
    assert f'"from":["{STATION}"]'.encode() in raw


# --- Rounds --------------------------------------------------------------------------------------------------------


def _away(_host: Host) -> Shell:
    raise HostUnreachable(msg("cannot connect to {host}: timed out", host="web1"), msg("Is it on?"))


def _round(outside: Outside | None, kept: MemoryKeeper) -> dict[str, CheckResult]:
    some = chosen(ids=("firewall.outside-view", "ssh.crypto", "firewall.active"))
    declared = Declared.model_validate({**PAGES, "public_ports": [80, 443]})
    done = run_checks(
        [HOST],
        declared,
        shell_for=_away,
        keeper=kept,
        clock=SystemClock(),
        progress=SilentProgress(),
        some=some,
        outside=outside,
    )
    assert [each.reached for each in done.hosts] == [False]
    return {each.check: each for each in done.results()}


def test_host_that_does_not_answer_inside_is_still_judged_from_outside(portals: Portals) -> None:
    kept = MemoryKeeper()

    found = _round(Outside(portals.streets("good"), "auditor-1"), kept)

    assert found["firewall.outside-view"].verdict.value == "pass"
    assert (found["firewall.active"].verdict.value, found["firewall.active"].reason) == ("unknown", "host-unreachable")
    assert found["firewall.outside-view"].evidence == (next(iter(kept.blobs)),)


def test_host_that_nobody_saw_at_all_leaves_no_evidence() -> None:
    kept = MemoryKeeper()

    assert {each.reason for each in _round(None, kept).values()} == {"host-unreachable"}
    assert not kept.blobs
