"""Signs of life to a server that watches: bounded in time, never telling the address, and never a success that was none."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from portalops.config.tables import KindTable
from portalops.errors import ConfigurationError, LiteralSecret, SecretUnavailable
from portalops.notify.monitors import Beat, BeatEvent, Monitor, MonitorContext, MonitorUnavailable, build_monitor
from portalops.notify.monitors.healthchecks import MAX_BODY_BYTES, signal
from tests.anchors.certificates import authority, server
from tests.web import WebServer, answer, held_port, redirect, web_server

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
CALL = UUID("12345678-1234-4234-8234-123456789abc")
KEY = "5ec2e7-canary-0f-an-address"


@pytest.fixture
def watcher() -> Iterator[WebServer]:
    with web_server() as found:
        found.otherwise = answer(b"OK")
        yield found


def monitor(folder: Path, address: str, **values: Any) -> Monitor:
    table = KindTable.alone("watcher", "healthchecks", {"url": {"env": "URL"}, "timeout_seconds": 1, **values}, folder)
    return build_monitor(table, MonitorContext("khanh-hoa", {"URL": address}))


def beat(turn: BeatEvent = BeatEvent.END, code: int | None = 0, text: str = "daily-check: 0") -> Beat:
    return Beat(turn, CALL, NOW, code, text)


def refusal(folder: Path, url: str, **values: Any) -> str:
    with pytest.raises(MonitorUnavailable) as caught:
        monitor(folder, url, **values).hear(beat())
    said = str(caught.value.cause)
    assert KEY not in said
    return said


def test_start_and_end_are_told_with_one_id_and_the_codes_in_the_body(tmp_path: Path, watcher: WebServer) -> None:
    told = monitor(tmp_path, f"{watcher.url}/ping/{KEY}/")

    told.hear(beat(BeatEvent.START, None, ""))
    told.hear(beat(code=4, text="weekly-backup: 4"))

    assert watcher.paths() == [f"/ping/{KEY}/start?rid={CALL}", f"/ping/{KEY}/4?rid={CALL}"]
    assert [request.partition(" ")[0] for request in watcher.asked] == ["POST", "POST"]
    assert watcher.bodies[1] == b"khanh-hoa\nweekly-backup: 4"


@pytest.mark.parametrize(
    ("code", "called"),
    [
        (0, "0"),
        (1, "0"),
        (3, "3"),
        (4, "4"),
        (5, "5"),
        (70, "70"),
        (75, "log"),
        (78, "78"),
        (130, "130"),
        (-9, "1"),
        (999, "255"),
        (None, "log"),
    ],
)
def test_an_unmet_duty_is_no_dead_job_and_work_in_part_is_no_success(code: int | None, called: str) -> None:
    assert signal(beat(code=code), (0, 1)) == called
    assert signal(beat(BeatEvent.IDLE, code), (0, 1)) == called


def test_what_counts_as_success_is_configured_and_zero_can_be_left_out(tmp_path: Path) -> None:
    assert signal(beat(code=3), (0, 1, 3)) == "0"
    assert signal(beat(code=1), (0,)) == "1"
    assert signal(beat(code=0), (3,)) == "1"


def test_a_long_body_is_cut(tmp_path: Path, watcher: WebServer) -> None:
    monitor(tmp_path, f"{watcher.url}/{KEY}").hear(beat(text="Đ" * MAX_BODY_BYTES))

    assert MAX_BODY_BYTES - 2 < len(watcher.bodies[0]) <= MAX_BODY_BYTES
    assert watcher.bodies[0].decode().endswith("Đ")


def test_a_server_with_a_certificate_of_ones_own_authority_is_believed_by_ca_file_alone(tmp_path: Path) -> None:
    root = authority("Khanh Hoa CA")
    certificate, key = server("localhost", root).write(tmp_path, "web")
    (tmp_path / "ca.pem").write_bytes(root.pem)
    with web_server(certificate, key) as watcher:
        watcher.otherwise = answer(b"OK")
        url = f"{watcher.url}/{KEY}".replace("127.0.0.1", "localhost")

        monitor(tmp_path, url, ca_file="ca.pem").hear(beat())
        assert watcher.paths() == [f"/{KEY}/0?rid={CALL}"]

        assert "its certificate is not valid: unable to get local issuer certificate" in refusal(tmp_path, url)
        other = url.replace("localhost", "127.1")
        assert refusal(tmp_path, other, ca_file="ca.pem") == (
            "its certificate is not valid: its certificate is for another name"
        )
        assert len(watcher.asked) == 1
    assert refusal(tmp_path, url, ca_file="no.pem") == "ca_file cannot be read: No such file or directory"
    (tmp_path / "empty.pem").write_text("nothing", encoding="utf-8")
    assert refusal(tmp_path, url, ca_file="empty.pem") == "ca_file holds no certificates in PEM"


def test_a_server_that_refuses_answers_badly_or_leads_elsewhere_is_told(tmp_path: Path, watcher: WebServer) -> None:
    with web_server() as elsewhere, held_port() as nobody:
        replies = {
            "500": answer(status="500 Internal Server Error"),
            "404": answer(b"not found", status="404 Not Found"),
            "moved": redirect(f"{elsewhere.url}/{KEY}"),
            "unknown": answer(b"OK (not found)"),
            "often": answer(b"OK (rate limited)"),
            "noise": b"SSH-2.0-OpenSSH_10.0p2 Debian-7\r\n",
            "nothing": b"",
        }
        for name, reply in replies.items():
            watcher.pages[f"/{KEY}/{name}/0?rid={CALL}"] = reply

        said = {name: refusal(tmp_path, f"{watcher.url}/{KEY}/{name}") for name in replies}

        assert said == {
            "500": "the server answers with HTTP status 500",
            "404": "the server answers with HTTP status 404",
            "moved": "it redirects to another address (HTTP status 302), which is not followed",
            "unknown": "the server answers for its address: not found",
            "often": "the server answers for its address: rate limited",
            "noise": "the answer is not HTTP",
            "nothing": "the answer is not HTTP",
        }
        assert elsewhere.asked == []
        assert refusal(tmp_path, f"http://127.0.0.1:{nobody}/{KEY}") == "no answer: Connection refused"
    assert refusal(tmp_path, f"http://no-such-host.invalid/{KEY}") == "its name has no address"


@pytest.mark.heavy
def test_a_server_that_hangs_or_drips_takes_no_longer_than_the_seconds(tmp_path: Path, watcher: WebServer) -> None:
    over = threading.Event()

    def drip(sock: socket.socket) -> None:
        with suppress(OSError):
            while not over.wait(0.05):
                sock.sendall(b"H")

    def hang(_sock: socket.socket) -> None:
        over.wait(20)

    watcher.pages[f"/{KEY}/drips/0?rid={CALL}"] = drip
    watcher.pages[f"/{KEY}/hangs/0?rid={CALL}"] = hang
    started = time.monotonic()

    said = {refusal(tmp_path, f"{watcher.url}/{KEY}/{name}") for name in ("drips", "hangs")}

    over.set()
    assert said == {"no answer within 1 seconds"}
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "url",
    [f"ftp://h/{KEY}", f"https:///{KEY}", f"https://h/{KEY}?x=1", f"https://a:b@h/{KEY}", f"https://h/{KEY} HTTP/1.1\r\nX: y", f"https://h:99999/{KEY}", f"https://h/{KEY}#x", "đ"],
)  # fmt: skip
def test_an_address_that_is_none_is_never_called_nor_told(tmp_path: Path, url: str) -> None:
    assert "its address is not an http or https address" in refusal(tmp_path, url)


def test_the_address_is_a_secret_that_is_referred_to(tmp_path: Path) -> None:
    with pytest.raises(LiteralSecret) as caught:
        monitor(tmp_path, "", url=f"https://hc.example.vn/{KEY}")
    assert KEY not in str(caught.value)

    with pytest.raises(SecretUnavailable):
        monitor(tmp_path, "").hear(beat())


@pytest.mark.parametrize("values", [{"success": [256]}, {"timeout_seconds": 31}, {"jobs": ["No Job"]}])
def test_settings_out_of_range_are_refused(tmp_path: Path, values: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        monitor(tmp_path, "https://h/x", **values)
